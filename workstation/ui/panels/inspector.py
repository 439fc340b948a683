"""The inspector: everything about what is selected, each value with the editor that allows only what is legal.

Many at once show their common values and *mixed*; a change is one step on all of them. Below stand the keyframes,
links, comments and the history of the record.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSplitter,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workstation.app import comment_rows, history_rows, keyframe_rows, link_rows
from workstation.app.end_cards import linked_to
from workstation.app.inspecting import Section, heading, sections_of
from workstation.app.inspecting_edits import EDITABLE, Change, make_change
from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.app.selecting import HELP, select_where
from workstation.core.records import RecordKind
from workstation.core.sample import StreamKind
from workstation.core.selection import SelectionChanged
from workstation.core.space import Calibration, FrameTree, calibration_of
from workstation.media.base import VolumeReader
from workstation.store.changes import ChangeSet
from workstation.ui.icons import icon
from workstation.ui.panels.form import Form
from workstation.ui.panels.going import go_to
from workstation.ui.panels.row_model import RowModel
from workstation.ui.panels.row_table import RowTable
from workstation.ui.panes.base import Pane
from workstation.ui.theme import Theme
from workstation.ui.workbench import Tone, Workbench

_SOON_MS = 8
"""After the panes that show the thing itself were painted: what takes them longer comes first all the same."""
_TABS: tuple[tuple[str, str, tuple[Column, ...], str], ...] = (
    ("keyframes", "Keyframes", keyframe_rows.COLUMNS, "No track is selected."),
    ("links", "Links", link_rows.COLUMNS, "It hangs in no link. Begin one (@link.add)."),
    ("comments", "Comments", comment_rows.COLUMNS, "No comments. Ask a question about it (@question.ask)."),
    ("record", "History", history_rows.COLUMNS, "Select one record to see its history."),
)


class InspectorPanel(Pane):
    """A form over four short lists."""

    kind = "inspector"
    title = "Inspector"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = Form("inspector_form")
        self.form.setAccessibleName("What is selected")
        self.form.changed.connect(self._on_changed)
        self.lists: dict[str, RowTable] = {}
        self._models: dict[str, RowModel] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._on_soon)
        self._moved = QTimer(self)
        self._moved.setSingleShot(True)
        self._moved.setInterval(120)
        self._moved.timeout.connect(self._on_moved)
        self._tree: FrameTree | None = None
        self._shown: tuple[str, ...] = ()
        """What the form stands for; the selection may be another already."""
        self._build_lists()
        self._build_more()
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.form)
        split.addWidget(self.tabs)
        split.setStretchFactor(0, 1)
        split.setSizes([420, 150])
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._query_row())
        column.addWidget(split, 1)
        self.setFocusProxy(self.form)

    # --- from the workbench -------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.theme_changed, self._wear)
        self._wear(bench.theme)

    def unbound(self, bench: Workbench) -> None:
        self._soon.stop()
        self._moved.stop()
        self.form.show_sections([])

    def sample_opened(self, view: SampleView | None) -> None:
        self._tree = None
        self._soon.start()

    def apply(self, changes: ChangeSet) -> None:
        if changes.kinds & {RecordKind.RIG, RecordKind.STREAM}:
            self._tree = None
        self._soon.start()

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed:
            self._soon.start()

    def show_time(self, time_ns: int) -> None:
        """A track's geometry is that of the moment; while playing it is shown a few times a second."""
        bench = self.bench
        if bench is None or bench.view is None or self._moved.isActive():
            return
        if any(each.track is not None for each in map(bench.view.annotations.get, bench.selected) if each is not None):
            self._moved.start()

    def woken(self) -> None:
        self._on_soon()

    def _wear(self, theme: Theme) -> None:
        self.more.setIcon(icon("more", theme))
        for name, table in self.lists.items():
            self._models[name].theme = theme
            table.wear(theme)

    @Slot()
    def _on_soon(self) -> None:
        if self.awake and not self.failed:
            self.guard(self.refresh)

    @Slot()
    def _on_moved(self) -> None:
        if self.awake and not self.failed:
            self.guard(self._show_form)

    def refresh(self) -> None:
        """Show what is selected now."""
        bench = self.bench
        if bench is None or bench.view is None:
            self.form.show_sections([])
            self.header.say(item="" if bench is None else "no sample")
            return
        view, ids = bench.view, bench.selected
        self._show_form()
        for number, (name, title, _, _) in enumerate(_TABS):
            rows = self._rows(name, view, ids)
            self._models[name].set_rows(rows)
            words = f"{title} {len(rows)}" if rows else title
            if self.tabs.tabText(number) != words:
                self.tabs.setTabText(number, words)

    def _show_form(self) -> None:
        """What the selection is at this moment; the lists below do not depend on when it is."""
        bench = self.bench
        if bench is None or bench.view is None:
            return
        view, ids = bench.view, bench.selected
        if ids != self._shown:
            self.form.settle()  # what is being typed is meant for what was shown until now
            self._shown = ids
        self.header.say(item=heading(view, ids))
        sections = sections_of(view, ids, bench.clock.time_ns, self._frames(bench) if ids else None)
        self.form.show_sections([*sections, *self._in_patient(view, ids), *self._residuals(view, ids)])

    def _in_patient(self, view: SampleView, ids: tuple[str, ...]) -> list[Section]:
        """Millimetres and sides of a mark in a volume, once its images are open."""
        record = view.annotations.get(ids[0]) if len(ids) == 1 else None
        stream = None if record is None else view.streams.get(record.stream or "")
        if record is None or stream is None or stream.kind is not StreamKind.VOLUME:
            return []
        assert self.bench is not None
        reader = None if self.bench.readers is None else self.bench.readers.opened(stream)
        if not isinstance(reader, VolumeReader):
            return []
        from workstation.app.volume_facts import patient_section

        section = patient_section(view, record, reader)
        return [section] if section.fields else []

    def _residuals(self, view: SampleView, ids: tuple[str, ...]) -> list[Section]:
        """What is left between the ends of a link that joins a picture with space."""
        link = view.links.get(ids[0]) if len(ids) == 1 else None
        bench = self.bench
        if link is None or bench is None or bench.readers is None:
            return []
        from workstation.app.pair_rows import is_fused, residual_section

        if not is_fused(view, link):
            return []
        store, readers = bench.session.store, bench.readers
        section = bench.attempt(lambda: residual_section(view, store, readers, link))
        return [] if section is None else [section]

    def _frames(self, bench: Workbench) -> FrameTree | None:
        """How the frames of the sample hang together, read when the first thing in space is looked at."""
        view, readers = bench.view, bench.readers
        if view is None or readers is None or not any(each.kind is StreamKind.CLOUD for each in view.streams.values()):
            return None
        if self._tree is None:
            from workstation.app.scenery import trajectories_of  # with cameras and projection: a start goes without

            rig = view.rig()
            found = Calibration() if rig is None else calibration_of(rig.frames, rig.cameras)
            self._tree = FrameTree(found, trajectories_of(view.streams.values(), readers))
        return self._tree

    def _rows(self, name: str, view: SampleView, ids: tuple[str, ...]) -> list[Row]:
        assert self.bench is not None
        store = self.bench.session.store
        if name == "keyframes":
            return keyframe_rows.keyframe_rows(view, view.annotations[ids[0]]) if self._is_one_label(ids) else []
        if name == "links":
            near = view.related(ids) if ids else frozenset()
            links = {link.id for each in near for link in view.links_of(each)} - set(ids)
            stale = store.stale_links(view.id, targets=near) if near else ()
            return link_rows.link_rows(view, stale, only=links)
        if name == "comments":
            return comment_rows.comment_rows(store, view, targets=frozenset(ids or (view.id,)))
        kind = _kind_of(view, ids[0]) if len(ids) == 1 else RecordKind.SAMPLE if not ids else None
        return [] if kind is None else history_rows.record_history_rows(store, kind, ids[0] if ids else view.id)

    def _is_one_label(self, ids: tuple[str, ...]) -> bool:
        view = None if self.bench is None else self.bench.view
        return view is not None and len(ids) == 1 and ids[0] in view.annotations

    # --- what is done -------------------------------------------------------------------------------------------

    @Slot(str, object)
    def _on_changed(self, key: str, value: object) -> None:
        self.guard(self._edit, key, value)

    def _edit(self, key: str, value: object) -> None:
        bench = self.bench
        if bench is None or bench.view is None or key.partition(":")[0] not in EDITABLE:
            return
        there = tuple(each for each in self._shown if bench.view.exists(each))
        if self._shown and not there:
            bench.tell("What this was typed for is gone.", Tone.REFUSED)
            return
        change = Change(view=bench.view, ids=there, key=key, value=value, now_ns=bench.clock.time_ns)
        count = len(change.ids)
        label = f"Set {key.replace('_', ' ').partition(':')[2] or key.replace('_', ' ')}"

        def act() -> None:
            with bench.together(label if count < 2 else f"{label} of {count}") as run:
                make_change(run, change)

        bench.attempt(act)
        self._soon.start()  # what was refused is shown as it is stored

    @Slot(object, object)
    def _on_row_chosen(self, row: Row, _cell: Cell | None) -> None:
        if self.bench is not None and (row.ids or row.time_ns is not None):
            self.guard(partial(go_to, self.bench, row.ids, cause=self.kind, time_ns=row.time_ns))

    @Slot()
    def _on_more(self) -> None:
        self.menu().popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def menu(self) -> QMenu:
        """What can be done to the selection beside changing its values."""
        menu = QMenu(self)
        menu.setObjectName("inspector_menu")
        bench = self.bench
        view = None if bench is None else bench.view
        if bench is not None and view is not None:
            for record_id, words in linked_to(view, bench.selected):
                menu.addAction(f"Go to {words}").setData(("go", record_id))
            wishes = (
                ("Link…", "link.add"), ("Move an end of the link", "link.retarget"),
                ("New thing from the selection", "entity.make"), ("Attach to a thing…", "entity.attach"),
                ("Detach from its thing", "entity.detach"), ("Merge things…", "entity.merge"),
                ("Split thing…", "entity.split"), ("Agree on a class…", "entity.decide_class"),
                ("Cuboid from the 2D box", "cuboid.from_box"),
                ("State an absence…", "link.absent"), ("Comment…", "comment.add"), ("Ask a question…", "question.ask"),
                ("Tag as an edge case…", "edge_case.tag"),
                ("Bring into view", "view.reveal"), ("Move many…", "bulk.move"), ("Delete", "annotation.delete"),
            )  # fmt: skip
            for words, wish in wishes:
                menu.addAction(words).setData(("wish", wish))
        menu.triggered.connect(self._on_entry)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _on_entry(self, action: object) -> None:
        what, *rest = action.data()  # type: ignore[attr-defined]
        if self.bench is not None and what == "wish":
            self.bench.wish(rest[0])
        elif self.bench is not None and what == "go":
            go_to(self.bench, rest, cause=self.kind)

    # --- making -------------------------------------------------------------------------------------------------

    def _build_lists(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setObjectName("inspector_tabs")
        self.tabs.setAccessibleName("Keyframes, links, comments and history of what is selected")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName("Lists of the inspector")
        for name, title, columns, empty in _TABS:
            table = RowTable(f"inspector_{name}", f"{title} of what is selected")
            table.empty = empty
            model = RowModel(columns, self)
            table.set_model(model, columns)
            table.chosen.connect(self._on_row_chosen)
            self.lists[name], self._models[name] = table, model
            self.tabs.addTab(table, title)

    def _query_row(self) -> QHBoxLayout:
        self.query = QLineEdit()
        self.query.setObjectName("inspector_query")
        self.query.setAccessibleName("Select by words")
        self.query.setPlaceholderText("Select: class:car state:draft …")
        self.query.setToolTip(f"Select by words (@edit.select_where), then Enter: {HELP}")
        self.query.setClearButtonEnabled(True)
        self.query.returnPressed.connect(self._on_query)
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 4)
        row.addWidget(self.query)
        return row

    def focus_query(self) -> None:
        """Type what to select."""
        self.query.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.query.selectAll()

    @Slot()
    def _on_query(self) -> None:
        self.guard(self._select_where)

    def _select_where(self) -> None:
        bench = self.bench
        if bench is None or bench.view is None:
            return
        view, query = bench.view, self.query.text()
        found = bench.attempt(lambda: select_where(view, query))
        if found is not None:
            bench.select(found, cause=self.kind)
            bench.tell(f"{len(found)} selected." if found else "Nothing fits.")
            if found:
                bench.reveal(found)

    def _build_more(self) -> None:
        self.more = QToolButton()
        self.more.setObjectName("inspector_more")
        self.more.setAccessibleName("Inspector: what can be done")
        self.more.setToolTip("What can be done to the selection")
        self.more.clicked.connect(self._on_more)
        self.header.extra.addWidget(self.more)


def _kind_of(view: SampleView, record_id: str) -> RecordKind | None:
    for kind, held in (
        (RecordKind.ANNOTATION, view.annotations), (RecordKind.ENTITY, view.entities), (RecordKind.LINK, view.links),
        (RecordKind.STREAM, view.streams),
    ):  # fmt: skip
        if record_id in held:
            return kind
    return None
