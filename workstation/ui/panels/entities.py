"""The panel of entities: which thing is labelled on which stream, absent with a reason, missing, or stale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtGui import QGuiApplication

from workstation.app.absences import absence_in, absence_kinds
from workstation.app.entity_table import EntityTable, as_text, shown_streams, time_of
from workstation.app.in_view import CamerasInView
from workstation.app.rows import Cell, Row
from workstation.app.sample_view import SampleView
from workstation.core.errors import DataError
from workstation.ui.actions.showing import action_showing
from workstation.ui.panels.going import go_to
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.workbench import Workbench


class EntitiesPanel(ListPanel):
    """One row per thing; a click on a cell goes to the label on that stream."""

    kind = "entities"
    title = "Entities"
    hint = "Filter things"
    empty = "No things yet. A shape drawn on a moving picture begins one."
    choices = (
        Choice(name="which", spoken="Show things by what is said of them", entries=(
            ("", "All"), ("seen", "Missing where a camera should see it"), ("missing", "Missing here or there"),
            ("stale", "Stale"), ("unlinked", "In no link"), ("absent:", "Said to be absent"),
        )),
    )  # fmt: skip
    made: EntityTable | None = None
    """The table of the open sample."""
    made_early = False
    """Whether it was made before the window was painted, without what cameras should see."""

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self.hear(bench.calmed, self._on_calm)

    def sample_opened(self, view: SampleView | None) -> None:
        self.made = None
        super().sample_opened(view)

    def _on_calm(self, _: None) -> None:
        """The window is painted: what cameras should see is reckoned now, which needs poses and rig."""
        if self.made is not None and self.made_early:
            self.made = None
            self.refresh_soon()

    def all_rows(self) -> list[Row]:
        assert self.bench is not None
        assert self.bench.view is not None
        view = self.bench.view
        if self.made is None:
            self.made_early = self.bench.opens_late and not self.bench.calm.is_set()
            self.made = EntityTable(view, None if self.made_early else _cameras(self.bench))
        columns = self.made.columns()
        if columns != self.model.columns:
            self.model.set_columns(columns)
            self.table.lay_out(columns)
        return self.made.rows(() if self.bench.stale is None else self.bench.stale.ends())

    def choose(self, row: Row, cell: Cell | None) -> None:
        """Go to the label, or to where a missing one should be: its time, its pane, selected."""
        bench = self.bench
        if bench is None or bench.view is None or self.made is None:
            return
        stream, time_ns = (None, None) if cell is None else time_of(self.made, row, cell)
        there = None if stream is None else bench.view.streams.get(stream)
        if there is not None:
            show = action_showing(there.kind)
            if show is not None:
                bench.wish(show)
                self.table.setFocus()  # the next row is an arrow key away
            bench.focus_on(there.id)
        go_to(bench, cell.ids if cell is not None and cell.ids else row.ids, cause=self.kind, time_ns=time_ns)

    def copy(self) -> None:
        """The selected rows, or all that are shown, to the clipboard as text for a sheet."""
        rows = self.table.selected_rows() or list(self.model.rows)
        QGuiApplication.clipboard().setText(as_text(self.model.columns, rows))
        if self.bench is not None:
            self.bench.tell(f"{len(rows)} row{'' if len(rows) == 1 else 's'} copied as text.")

    def wanted_ids(self) -> frozenset[str]:
        """Whatever is selected, its thing is marked."""
        bench = self.bench
        if bench is None or bench.view is None:
            return frozenset()
        found = set()
        for each in bench.selected:
            annotation = bench.view.annotations.get(each)
            found.add(each if annotation is None or annotation.entity is None else annotation.entity)
        return frozenset(found)

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        read_only = "the project is open to look at only" if bench.session.read_only else ""
        none = read_only or ("" if rows else "select a thing first")
        return [
            Entry(text="Name and attributes…", act=partial(bench.wish, "entity.set"), why_not=none),
            Entry(text="Change class…", act=partial(bench.wish, "class.pick"), why_not=none),
            Entry(text="Agree on a class…", act=partial(bench.wish, "entity.decide_class"), why_not=none),
            Entry(text="Attach labels…", act=partial(bench.wish, "entity.attach"), why_not=none),
            Entry(text="Merge…", act=partial(bench.wish, "entity.merge"), why_not=read_only),
            Entry(text="Split…", act=self._split, why_not=none),
            Entry(text="Propose links by rule", act=partial(bench.wish, "link.suggest"), why_not=read_only),
            *self._visibility(rows, none),
            Entry(text="State an absence…", act=partial(bench.wish, "link.absent"), why_not=none),
            Entry(text="Delete…", act=partial(bench.wish, "entity.delete"), why_not=none),
            Entry(text="Copy as text", act=self.copy, why_not="" if self.model.rows else "there is nothing"),
        ]

    def _visibility(self, rows: Sequence[Row], why_not: str) -> list[Entry]:
        """What may be said of the things and the stream of the column one is in: hidden there, out of its view, ..."""
        bench = self.bench
        number = self.table.currentIndex().column() - 1
        if bench is None or bench.view is None or not rows:
            return []
        view, streams = bench.view, shown_streams(bench.view)
        if not 0 <= number < len(streams):
            return []
        stream = streams[number]
        said = [link for row in rows if (link := absence_in(view, row.key, stream)) is not None]
        if said:
            ids = [link.id for link in said]
            return [Entry(text=f"To be seen on {stream.key} after all",
                          act=partial(bench.run, "link.remove", links=ids), why_not=why_not)]  # fmt: skip
        here = [row for row in rows if not any(a.stream == stream.id for a in view.annotations_of_entity(row.key))]
        kinds = absence_kinds(view, here[0].key) if here else []
        keys = [row.key for row in here]
        return [
            Entry(text=f"Not on {stream.key}: {words}", why_not=why_not,
                  act=partial(self._state, keys, stream.key, reason, kind.type_id))
            for kind in kinds[:1] for reason, words in kind.reasons
        ]  # fmt: skip

    def _state(self, things: Sequence[str], stream: str, reason: str, type_id: str) -> None:
        """The things are absent from the stream, as one step."""
        bench = self.bench
        if bench is None:
            return

        def act() -> bool:
            with bench.together("State an absence") as run:
                for each in things:
                    run("link.absent", of=f"entity:{each}", missing_in=f"stream:{stream}", reason=reason,
                        type_id=type_id)  # fmt: skip
            return True

        bench.attempt(act)

    def _split(self) -> None:
        """With the labels of the thing selected, of which some are ticked in the dialog."""
        rows, bench = self.table.selected_rows(), self.bench
        if bench is not None and bench.view is not None and rows:
            bench.select([each.id for each in bench.view.annotations_of_entity(rows[0].key)][:1], cause=self.kind)
            bench.wish("entity.split")


def _cameras(bench: Workbench) -> CamerasInView | None:
    """Where there are cuboids and calibrated cameras to project them into."""
    try:
        placed, view = bench.placed, bench.view
    except DataError:  # a rig that cannot be read: the cameras say so, and things are listed all the same
        return None
    if placed is None or view is None:
        return None
    found = CamerasInView(placed, view.streams.values())
    return found if found.cameras else None
