"""The panel of streams: each as measured, hidden, alone or locked, and the way to find missing files again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from workstation.app.measuring import Measuring
from workstation.app.rows import Cell, Row
from workstation.app.sample_view import SampleView
from workstation.app.stream_rows import COLUMNS, stream_facts, stream_rows
from workstation.app.stream_rows import HIDE as HIDE_AT
from workstation.app.stream_rows import LOCK as LOCK_AT
from workstation.app.stream_rows import SOLO as SOLO_AT
from workstation.app.streams import reading_context
from workstation.core.records import RecordKind
from workstation.media.base import OpenContext
from workstation.store.changes import ChangeSet
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.panels.reading_box import ReadingBox
from workstation.ui.panels.sight_columns import HIDE, LOCK, SOLO, standing, toggle
from workstation.ui.theme import Theme
from workstation.ui.tools.state import Sight
from workstation.ui.workbench import Workbench

_SIGHT = {HIDE_AT: HIDE, SOLO_AT: SOLO, LOCK_AT: LOCK}


class StreamsPanel(ListPanel):
    """Selecting a stream gives it the hand: marks are made on it, the ruler counts in its units."""

    kind = "streams"
    title = "Streams"
    columns = COLUMNS
    hint = "Filter streams"
    empty = "This sample has no streams."
    choices = (
        Choice(name="which", spoken="Show streams with missing files", entries=(
            ("", "All"), ("missing", "Missing files"),
        )),
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measuring: Measuring | None = None
        self.reading = ReadingBox(
            "streams_reading", "Everything known of the stream",
            "Choose a stream to read its clock, time map, span and licence.",
        )  # fmt: skip
        self.column.removeWidget(self.table)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.reading)
        split.setSizes([300, 110])
        self.column.addWidget(split, 1)

    # --- from the workbench -------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self._measuring = Measuring(bench.gui.post)
        self._measuring.changed.connect(self._on_measured)
        super().bound(bench)
        self.hear(bench.sight.changed, self._on_sight)
        self.hear(bench.stream_focused, self._on_focused)

    def unbound(self, bench: Workbench) -> None:
        if self._measuring is not None:
            self._measuring.close()
            self._measuring = None
        super().unbound(bench)

    def wear(self, theme: Theme) -> None:
        super().wear(theme)
        self._read()

    def sample_opened(self, view: SampleView | None) -> None:
        super().sample_opened(view)
        bench, measuring = self.bench, self._measuring
        if measuring is None:
            return
        if view is None or bench is None:
            measuring.close()
            return
        streams = list(view.streams.values())
        project = bench.session.project
        context = reading_context(project, streams, shared=OpenContext())
        measuring.measure(streams, project.path, bench.formats.readers, context, calm=bench.calm)

    def apply(self, changes: ChangeSet) -> None:
        if changes.touched(RecordKind.STREAM):
            self.sample_opened(None if self.bench is None else self.bench.view)

    def _on_measured(self, _measuring: Measuring) -> None:
        self.refresh_soon()

    def _on_sight(self, _sight: Sight) -> None:
        self.refresh_soon()

    def _on_focused(self, _stream: str | None) -> None:
        self._mark_selected()
        self._read()

    # --- rows ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        super().refresh()
        self._read()

    def all_rows(self) -> list[Row]:
        bench, measuring = self.bench, self._measuring
        assert bench is not None
        assert bench.view is not None
        assert measuring is not None
        streams = list(bench.view.streams.values())
        sight = standing(bench.sight, bench.view.streams)
        return stream_rows(streams, measuring.facts, measuring.missing, sight)

    def wanted_ids(self) -> frozenset[str]:
        """The selected streams, else the one that has the hand."""
        bench = self.bench
        if bench is None or bench.view is None:
            return frozenset()
        chosen = frozenset(each for each in bench.selected if each in bench.view.streams)
        return chosen or frozenset(filter(None, (bench.focused_stream,)))

    def _pick(self) -> None:
        rows = self.table.selected_rows()
        if self.bench is not None and rows:
            self.bench.focus_on(rows[0].key)
            super()._pick()
        self._read()

    def choose(self, row: Row, cell: Cell | None) -> None:
        bench = self.bench
        column = row.cells.index(cell) if cell is not None and cell in row.cells else 0
        if bench is not None and column in _SIGHT:
            toggle(bench.sight, _SIGHT[column], [row.key])

    def toggle_sight(self, what: str) -> None:
        """Hide, show alone or lock the selected streams, by key."""
        if self.bench is not None:
            toggle(self.bench.sight, what, [row.key for row in self.table.selected_rows()])

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        none = "" if rows else "select a stream first"
        read_only = none or ("the project is open to look at only" if bench.session.read_only else "")
        return [
            Entry(text="Hide or show", act=partial(self.toggle_sight, HIDE), why_not=none),
            Entry(text="Show alone", act=partial(self.toggle_sight, SOLO), why_not=none),
            Entry(text="Lock or unlock", act=partial(self.toggle_sight, LOCK), why_not=none),
            Entry(text="Show everything hidden", act=bench.sight.show_all),
            Entry(text="Find missing files again…", act=partial(bench.wish, "project.relink")),
            Entry(text="Language, licence, role…", act=partial(bench.wish, "stream.set"), why_not=read_only),
            Entry(text="Time map…", act=partial(bench.wish, "stream.set_time"), why_not=read_only),
        ]

    def _read(self) -> None:
        bench, rows, measuring = self.bench, self.table.selected_rows(), self._measuring
        stream = None if bench is None or bench.view is None or not rows else bench.view.streams.get(rows[0].key)
        if bench is None or stream is None or measuring is None:
            self.reading.clear()
            return
        facts = stream_facts(stream, measuring.facts.get(stream.id), measuring.missing.get(stream.id, ()))
        lines = "".join(
            f"<tr><td style='color:{bench.theme.quiet}; padding-right:10px'>{escape(name)}</td>"
            f"<td>{escape(said)}</td></tr>"
            for name, said in facts
        )
        self.reading.setHtml(f"<b>{escape(stream.key)}</b><table>{lines}</table>")
