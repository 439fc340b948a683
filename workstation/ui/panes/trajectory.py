"""The trajectory pane: the ground from above, with the paths of what moved, where it is at the playhead and how it
heads. A click on a path goes to that time; labelled things around it can be shown and selected.

Painted by ``trajectory_canvas.py``; metres and pixels are ``app/trajectory_view.py``'s; keys are in
``actions/trajectory.py``.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.trajectory_view import Path, path_of
from workstation.app.units import stepped, units_of
from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.selection import SelectionChanged
from workstation.media.base import TrajectoryReader
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base import Pane
from workstation.ui.panes.base_buttons import header_button, header_toggle
from workstation.ui.panes.trajectory_canvas import TrajectoryCanvas
from workstation.ui.scenes.ruler import in_words
from workstation.ui.theme import Theme
from workstation.ui.workbench import Workbench

ZOOM_STEP = 0.8


class TrajectoryPane(Pane):
    """All trajectories of the sample that are in one frame."""

    kind = "trajectory"
    title = "Trajectory"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.paths: list[Path] = []
        self._troubles: list[str] = []
        self._cuboids: PlacedCuboids | None = None
        self._build_controls()
        self._build_body()

    def _build_controls(self) -> None:
        things, follow = (
            "Show labelled things around the path (@trajectory.things)",
            "Keep the place at the playhead in view (@trajectory.follow)",
        )
        self.things = header_toggle("trajectory_things", "Things", things, on=True)
        self.follow = header_toggle("trajectory_follow", "Follow", follow, on=False)
        self._fit = header_button("trajectory_fit", "Fit", "Show the whole path (@trajectory.fit)")
        self._fit.clicked.connect(self.fit)
        self.things.toggled.connect(self._things_changed)
        self.follow.toggled.connect(self._follow_changed)
        for widget in (self.things, self.follow, self._fit):
            self.header.extra.addWidget(widget)

    def _build_body(self) -> None:
        self.canvas = TrajectoryCanvas()
        self.canvas.lag = self.lag
        self._said = QLabel()
        self._said.setObjectName("trajectory_said")
        self._said.setWordWrap(True)
        self._said.setContentsMargins(8, 4, 8, 4)
        self._said.hide()
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._said)
        column.addWidget(self.canvas, 1)
        self.canvas.time_wanted.connect(self._go)
        self.canvas.thing_wanted.connect(self._select)
        self.canvas.hovered.connect(self._hover)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.theme_changed, self._on_theme)
        self.hear(bench.reveal_wanted, self.reveal)
        self.hear(bench.stream_focused, self._on_focused)

    def unbound(self, bench: Workbench) -> None:
        del bench
        self._let_go()

    def _let_go(self) -> None:
        self.paths, self._troubles, self._cuboids = [], [], None
        self.canvas.show_paths((), None)

    def sample_opened(self, view: SampleView | None) -> None:
        self._let_go()
        bench = self.bench
        if bench is None or view is None or bench.readers is None:
            self.header.say(item="" if view is not None else "nothing here")
            self._said.hide()
            return
        for stream in sorted(view.streams.values(), key=lambda each: each.key):
            if stream.kind is StreamKind.TRAJECTORY:
                try:
                    reader = bench.readers.reader(stream)
                except DataError as problem:
                    self._troubles.append(str(problem))
                    continue
                path = path_of(stream, reader) if isinstance(reader, TrajectoryReader) else None
                if path is None:
                    self._troubles.append(f"{stream.key}: no pose in it has a place")
                else:
                    self.paths.append(path)
        frames = {each.frame for each in self.paths}
        if len(frames) > 1:
            kept = self.paths[0].frame
            left = ", ".join(each.stream.key for each in self.paths if each.frame != kept)
            self._troubles.append(f"shown is the frame {kept}; in others lie {left}")
            self.paths = [each for each in self.paths if each.frame == kept]
        self._cuboids = PlacedCuboids(view, bench.readers)
        said = "\n".join(self._troubles) or ("" if self.paths else "This sample has no trajectory.")
        self._said.setText(said)
        self._said.setVisible(bool(said))
        self.canvas.show_paths(tuple(self.paths), bench)

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        corner = QPointF(self.canvas.mapTo(self, QPoint()))
        return [(key, rect.translated(corner)) for key, rect in self.canvas.where(ids)]

    def show_time(self, time_ns: int) -> None:
        bench, path = self.bench, self.path()
        if bench is None:
            return
        self.canvas.show_standing([(each, each.at(time_ns)) for each in self.paths], time_ns)
        self._place_things(bench, time_ns)
        standing = None if path is None else path.at(time_ns)
        if path is None or standing is None:
            self.header.say(item="nothing here", own=in_words(time_ns))
            return
        if self.follow.isChecked():
            self.canvas.keep_in_view(standing.place_m)
        away = int(path.sessions[standing.index]) - time_ns
        self.header.say(
            item=f"{path.stream.key} pose #{int(path.rows[standing.index]):,}",
            own=f"{int(path.own_ns[standing.index]) / 1e9:.3f} s",
            distance=f"{away / 1e6:+.1f} ms",
        )

    def _place_things(self, bench: Workbench, time_ns: int) -> None:
        placed = None
        if self.things.isChecked() and self._cuboids is not None and self.paths:
            placed = next((each for each in self._cuboids.at(time_ns) if each.root == self.paths[0].frame), None)
        if placed is not None and bench.view is not None:
            view = bench.view
            keep = [
                i for i, key in enumerate(placed.ids)
                if (found := view.annotations.get(key)) is not None
                and bench.sight.visible((key, found.entity, found.stream, view.class_of(found)))
            ]  # fmt: skip
            self.canvas.show_things(placed, keep)
        else:
            self.canvas.show_things(None, [])

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed or change.hover_changed:
            self.canvas.update()
        if change.ids_changed and change.cause != self.kind and len(change.after.ids) == 1:
            self.canvas.bring_into_view(change.after.ids)

    def apply(self, changes: ChangeSet) -> None:
        if self._cuboids is not None and self.bench is not None:
            self._cuboids.apply(changes)
            self._place_things(self.bench, self.bench.clock.time_ns)

    def path(self) -> Path | None:
        """The one that header and steps speak of: of the stream last worked on, else the first."""
        focused = None if self.bench is None else self.bench.focused_stream
        mine = next((each for each in self.paths if each.stream.id == focused), None)
        return mine or (self.paths[0] if self.paths else None)

    def step_time(self, steps: int) -> int | None:
        path, bench = self.path(), self.bench
        if path is None or bench is None or bench.readers is None:
            return None
        units = units_of(path.stream, bench.readers.reader(path.stream))
        return None if units is None else stepped(units, bench.clock.time_ns, steps)

    def unit_name(self) -> str:
        return "pose" if self.paths else ""

    # --- the view -----------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Show the whole path."""
        self.canvas.fit()

    def zoom_in(self) -> None:
        self.canvas.zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        self.canvas.zoom(1 / ZOOM_STEP)

    def reveal(self, ids: tuple[str, ...]) -> None:
        """Bring the first of these that is shown into view."""
        self.canvas.bring_into_view(ids)

    # --- what is told -------------------------------------------------------------------------------------------

    def _go(self, stream: str, session_ns: int) -> None:
        if self.bench is not None:
            self.bench.focus_on(stream)
            self.bench.clock.seek(session_ns)

    def _select(self, annotation: str) -> None:
        if self.bench is not None:
            self.bench.select([annotation] if annotation else [], cause=self.kind)

    def _hover(self, annotation: str) -> None:
        if self.bench is not None:
            self.bench.selection.hover(annotation or None, cause=self.kind)

    def _things_changed(self, wanted: bool) -> None:
        del wanted
        if self.bench is not None:
            self._place_things(self.bench, self.bench.clock.time_ns)

    def _follow_changed(self, wanted: bool) -> None:
        if wanted and self.bench is not None:
            self.show_time(self.bench.clock.time_ns)

    def _on_focused(self, stream: str | None) -> None:
        del stream
        if self.bench is not None:
            self.show_time(self.bench.clock.time_ns)

    def _on_theme(self, theme: Theme) -> None:
        del theme
        self.canvas.renew()
