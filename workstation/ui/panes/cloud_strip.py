"""The strip: one track in top, side and front over ten sweeps at a time, all of it editable.

A pane of its own with thirty small canvases, made when a track of cuboids is first selected. A column is a sweep; a
filled dot over it is a keyframe, a ring is interpolated. The ten sweeps are those of the page the playhead is in.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from workstation.app.cloud_ground import PlacedSweep
from workstation.app.cloud_view import CloudLayer, CloudLayers, Ways
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.previews import PreviewsChanged
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation
from workstation.core.geometry import ShapeKind
from workstation.core.records import RecordKind
from workstation.core.selection import SelectionChanged
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base import Pane
from workstation.ui.panes.cloud_canvas import SpaceCanvas
from workstation.ui.panes.cloud_gesture import ToolGesture
from workstation.ui.panes.cloud_near import TITLES
from workstation.ui.panes.cloud_render import SpaceRenderer
from workstation.ui.panes.cloud_strip_cell import Cell, one_row
from workstation.ui.scenes.space_things import rgb_of
from workstation.ui.scenes.space_view import Side
from workstation.ui.tools.space_tool import PointsShown, Shown
from workstation.ui.workbench import Workbench

COLUMNS = 10
_HEAD_PX = 20


class StripHead(QWidget):
    """Over a column: the number of its sweep, whether there is a keyframe, and whether the playhead is there."""

    chosen = QtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEAD_PX)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._text, self._keyed, self._here, self._colour = "", False, False, "#9aa0a6"

    def say(self, text: str, *, keyed: bool, here: bool, colour: str) -> None:
        """What stands over the column now."""
        said = (text, keyed, here, colour)
        if said != (self._text, self._keyed, self._here, self._colour):
            self._text, self._keyed, self._here, self._colour = said
            state = "keyframe" if keyed else "interpolated"
            self.setAccessibleName(f"Sweep {text}, {state}" if text else "No sweep")
            self.setAccessibleDescription("the playhead is here" if here else "")
            self.setToolTip(f"Sweep {text}: {state}. Click to go there." if text else "")
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._text:
            self.chosen.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#31445f" if self._here else "#1a1d23"))
        if self._text:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._colour), 1.6))
            painter.setBrush(QColor(self._colour) if self._keyed else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPoint(10, self.height() // 2), 3, 3)
            painter.setPen(QColor("#e6e9ee"))
            painter.drawText(QRect(18, 0, self.width() - 18, self.height()), Qt.AlignmentFlag.AlignVCenter, self._text)
        painter.end()


class StripPane(Pane):
    """One track over ten sweeps."""

    kind = "strip"
    title = "Track strip"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = CloudLayers()
        self.cells: dict[tuple[Side, int], Cell] = {}
        self.heads: list[StripHead] = []
        self._renderer: SpaceRenderer | None = None
        self._placed: PlacedCuboids | None = None
        self._track: str | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._renew_now)
        self._grid = QGridLayout(self.body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)
        self._empty = QLabel(
            "Select a track of cuboids: it is shown here over ten sweeps, from the top, side and front."
        )
        self._empty.setObjectName("strip_empty")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._grid.addWidget(self._empty, 0, 0, 1, COLUMNS + 1)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.previews.changed, self._previewed)

    def unbound(self, bench: Workbench) -> None:
        self._soon.stop()
        self._clear()
        for cell in self.cells.values():
            cell.canvas.close_canvas()
            cell.canvas.hide()
            cell.canvas.deleteLater()
        self.cells.clear()
        renderer, self._renderer = self._renderer, None
        if renderer is not None:
            renderer.close()

    def sample_opened(self, view: SampleView | None) -> None:
        self._clear()
        self._renew()

    def show_time(self, time_ns: int) -> None:
        if self.isVisible():
            self._renew()

    def showEvent(self, event: object) -> None:
        self._renew()

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed and self.isVisible():
            self._renew()

    def apply(self, changes: ChangeSet) -> None:
        if self._placed is not None:
            self._placed.apply(changes)
        if changes.kinds & {RecordKind.RIG, RecordKind.STREAM}:
            self._clear()
        self._renew()

    def label_at(self, place: QPoint) -> str | None:
        """The track, over every sweep where it is: nothing else can be pointed at here."""
        under: QWidget | None = self.childAt(place)
        on = any(each.canvas is under and each.shown is not None for each in self.cells.values())
        return self._track if on else None

    def settled(self) -> bool:
        if not self.isVisible():
            return True
        waiting = self._soon.isActive() or any(each.pending for each in self.layers.layers)
        return not waiting and not any(each.canvas.pending for each in self.cells.values())

    # --- what is shown ------------------------------------------------------------------------------------------

    def _renew(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _renew_now(self) -> None:
        if not self.failed and self.isVisible():
            self.guard(self._show)

    def _previewed(self, _change: PreviewsChanged) -> None:
        self._renew()

    def _layer_changed(self, _layer: CloudLayer) -> None:
        self._renew()

    def track(self) -> Annotation | None:
        """The track shown: the active cuboid, else the first of what is selected or belongs to it."""
        bench = self.bench
        if bench is None or bench.view is None:
            return None
        active = bench.selection.state.active
        wanted = [*(() if active is None else (active,)), *bench.selected, *sorted(bench.view.related(bench.selected))]
        found = (bench.view.annotations.get(each) for each in wanted)
        return next((each for each in found if each is not None and each.kind is ShapeKind.CUBOID), None)

    def _show(self) -> None:
        bench, track = self.bench, self.track()
        lead = None if track is None else self._lead()
        self._empty.setVisible(lead is None)
        if bench is None or track is None or lead is None:
            self._say_nothing()
            return
        self._make_cells()
        self._track = track.id
        now = lead.at(bench.clock.time_ns)
        index = now.index if now.index is not None else (0 if now.nearest is None else now.nearest.index)
        first = index // COLUMNS * COLUMNS
        count = min(COLUMNS, len(lead.reader.table) - first)
        start_ns = lead.stream.time_map.to_session(int(lead.reader.table.times_ns[first]))
        lead.seek(start_ns, Ways(after=count - 1))
        swept = lead.shown
        sweeps = {} if swept is None else {each.index: each for each in (swept.now, *swept.around)}
        self.header.say(
            item=f"{bench.view.name_of(track.id) if bench.view else ''}, sweeps {first} to {first + count - 1}"
        )
        for column in range(COLUMNS):
            number = first + column
            self._fill(column, number if column < count else None, sweeps.get(number), track, here=number == index)

    def _fill(
        self, column: int, number: int | None, sweep: PlacedSweep | None, track: Annotation, *, here: bool
    ) -> None:
        bench, ground = self.bench, self.layers.ground
        assert bench is not None
        assert bench.view is not None
        colour = bench.view.paint_of(track).colour
        shown = None if sweep is None or ground is None else self._shown(sweep)
        for side in Side:
            self.cells[side, column].turn_to(shown, track.id)
        keyed = shown is not None and any(each.time_ns == shown.own_ns for each in bench.view.keyframes(track.id))
        cuboid = None if shown is None else self.cells[Side.TOP, column].work.cuboids().get(track.id)
        self.heads[column].say("" if number is None else str(number), keyed=keyed, here=here, colour=colour)
        dragged = track.id in bench.previews.shapes
        for side in Side:
            cell = self.cells[side, column]
            if sweep is None or cuboid is None:
                cell.forget()
            else:
                cell.show(sweep, one_row(track.id, cuboid, rgb_of(colour), keyed=keyed), cuboid, dragged=dragged)

    def _shown(self, sweep: PlacedSweep) -> Shown | None:
        ground = self.layers.ground
        if ground is None or sweep.session_ns is None:
            return None
        points = PointsShown(
            key=f"{sweep.stream}/{sweep.index}", stream=sweep.stream, item=sweep.index, own_ns=sweep.own_ns,
            points=sweep.points, rows=sweep.rows,
        )  # fmt: skip
        return Shown(
            session_ns=sweep.session_ns, frame=ground.frame, origin=ground.origin, stream=sweep.stream,
            own_ns=sweep.own_ns, next_ns=None, layers=(points,),
        )  # fmt: skip

    def _say_nothing(self) -> None:
        self._track = None
        self.header.say()
        for cell in self.cells.values():
            cell.shown = None
            cell.forget()
        for head in self.heads:
            head.say("", keyed=False, here=False, colour="#9aa0a6")

    # --- making -------------------------------------------------------------------------------------------------

    def _lead(self) -> CloudLayer | None:
        """The layer of the stream that leads; opened when it is first needed. A still cloud has no strip."""
        bench = self.bench
        if bench is None or bench.view is None or bench.readers is None:
            return None
        if self._placed is None:
            self._placed = PlacedCuboids(bench.view, bench.readers)
            self.layers = CloudLayers.open(bench.view, bench.readers, self._placed, bench.gui.post, self._layer_changed)
        lead = self.layers.lead
        return None if lead is None or lead.table is None else lead

    def _make_cells(self) -> None:
        bench, placed = self.bench, self._placed
        assert bench is not None
        assert placed is not None
        if self._renderer is None:
            self._renderer = SpaceRenderer(bench.gui.post)
            for column in range(COLUMNS):
                head = StripHead(self.body)
                head.setObjectName(f"strip_head_{column}")
                head.chosen.connect(self._go)
                self.heads.append(head)
                self._grid.addWidget(head, 0, column + 1)
            for row, side in enumerate(Side):
                name = QLabel(TITLES[side])
                name.setObjectName("pane_own_time")
                self._grid.addWidget(name, row + 1, 0)
                for column in range(COLUMNS):
                    canvas = self._canvas(side, column)
                    self._grid.addWidget(canvas, row + 1, column + 1)
                    self.cells[side, column] = Cell(canvas, side, f"strip {column}")
                self._grid.setRowStretch(row + 1, 1)
            for column in range(COLUMNS):
                self._grid.setColumnStretch(column + 1, 1)
        for cell in self.cells.values():
            cell.take(bench, placed)

    def _canvas(self, side: Side, column: int) -> SpaceCanvas:
        assert self._renderer is not None
        canvas = SpaceCanvas(
            self._renderer,
            f"strip_{side.value}_{column}",
            f"{TITLES[side]}, column {column + 1}",
            self.body,
            turns=False,
        )
        canvas.guard = self.guard
        canvas.tool_moved.connect(self._tool_moved)
        canvas.taken.connect(self._taken)
        return canvas

    def _clear(self) -> None:
        self.gesture = None
        for cell in self.cells.values():
            cell.drop()
        self.layers.close()
        self.layers = CloudLayers()
        self._placed = None
        self._track = None

    # --- the hand -----------------------------------------------------------------------------------------------

    def _go(self) -> None:
        """To the sweep whose head was clicked."""
        bench, sender = self.bench, self.sender()
        column = next((i for i, each in enumerate(self.heads) if each is sender), None)
        shown = None if column is None else self.cells[Side.TOP, column].shown
        if bench is not None and shown is not None:
            bench.clock.pause()
            bench.clock.seek(shown.session_ns)

    def _tool_moved(self) -> None:
        tools = [each.canvas.tool for each in self.cells.values() if each.canvas.tool is not None]
        busy = next((each for each in tools if each.busy), None)
        held = self.gesture
        if busy is not None and held is None:
            self.gesture = ToolGesture(busy, self._tool_moved)
        elif busy is None and isinstance(held, ToolGesture) and held.tool in tools:
            self.gesture = None

    def _taken(self) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
