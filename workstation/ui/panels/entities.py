"""The panel of entities: which thing is labelled on which stream, absent with a reason, missing, or stale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from workstation.app.entity_rows import entity_columns, entity_rows
from workstation.app.rows import Row
from workstation.ui.panels.listed import Choice, Entry, ListPanel


class EntitiesPanel(ListPanel):
    """One row per thing; a click on a cell goes to the label on that stream."""

    kind = "entities"
    title = "Entities"
    hint = "Filter things"
    empty = "No things yet. A shape drawn on a moving picture begins one."
    choices = (
        Choice(name="which", spoken="Show things by what is said of them", entries=(
            ("", "All"), ("missing", "Missing here or there"), ("stale", "Stale"), ("absent:", "Said to be absent"),
        )),
    )  # fmt: skip

    def all_rows(self) -> list[Row]:
        assert self.bench is not None
        assert self.bench.view is not None
        view = self.bench.view
        columns = entity_columns(view)
        if columns != self.model.columns:
            self.model.set_columns(columns)
            self.table.lay_out(columns)
        return entity_rows(view, self.bench.session.store.stale_links(view.id))

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
        two = read_only or ("" if len(rows) == 2 else "select two things")
        return [
            Entry(text="Name and attributes…", act=partial(bench.wish, "entity.set"), why_not=none),
            Entry(text="Change class…", act=partial(bench.wish, "class.pick"), why_not=none),
            Entry(text="Attach labels…", act=partial(bench.wish, "entity.attach"), why_not=none),
            Entry(text="Merge the second into the first", act=self._merge, why_not=two),
            Entry(text="State an absence…", act=partial(bench.wish, "link.absent"), why_not=none),
            Entry(text="Delete…", act=partial(bench.wish, "entity.delete"), why_not=none),
        ]

    def _merge(self) -> None:
        rows = self.table.selected_rows()
        if self.bench is not None and len(rows) == 2:
            self.bench.run("entity.merge", entity=rows[0].key, other=rows[1].key)
