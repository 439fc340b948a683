"""The panel of links: every link of the sample by type, state, class and stream, the stale ones with the reason, and
what has none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, Slot
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from workstation.app.link_figures import Counted, main_figures
from workstation.app.link_rows import COLUMNS, STALE, UNLINKED, class_choices, link_rows, stream_choices, type_choices
from workstation.app.rows import Row
from workstation.core.annotation import State
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.workbench import Workbench


class LinksPanel(ListPanel):
    """A click selects the link and goes there."""

    kind = "links"
    title = "Links"
    columns = COLUMNS
    hint = "Filter links"
    empty = "No links yet. Begin one (@link.add): pick, pick, then the key of the relation."
    choices = (
        Choice(name="type", spoken="Show links of one type", entries=(("", "All types"),)),
        Choice(name="which", spoken="Show links in one state", entries=(
            ("", "Links and unlinked"), ("link", "Links only"), (STALE, "Stale only"), (UNLINKED, "Without any link"),
            *((f"state:{each.value}", each.value.capitalize()) for each in State),
        )),
        Choice(name="class", spoken="Show what has an end of one class", entries=(("", "All classes"),)),
        Choice(name="stream", spoken="Show what has an end on one stream", entries=(("", "All streams"),)),
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.main = QLabel()
        self.main.setObjectName("links_main")
        self.main.setContentsMargins(8, 4, 8, 0)
        self.main.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.main.hide()
        self.column.insertWidget(0, self.main)

    def refresh(self) -> None:
        """The lists, over them how far the relation that counts most has come here."""
        super().refresh()
        view = None if self.bench is None else self.bench.view
        project = None if view is None else view.reads.project()
        words = ""
        if view is not None and project is not None and project.main_link:
            counted = Counted(
                streams=view.streams, entities=view.entities, annotations=view.annotations,
                links=list(view.links.values()),
            )  # fmt: skip
            figure = main_figures(view.ontology, project.main_link, counted)
            words = "" if figure is None else figure.words()
        self.main.setText(words)
        self.main.setToolTip(f"{words}. The relation that counts most in this project." if words else "")
        self.main.setVisible(bool(words))

    def all_rows(self) -> list[Row]:
        assert self.bench is not None
        assert self.bench.view is not None
        view = self.bench.view
        self.refill("type", type_choices(view))
        self.refill("class", class_choices(view))
        self.refill("stream", stream_choices(view))
        return link_rows(view, () if self.bench.stale is None else self.bench.stale.ends())

    def related_ids(self) -> frozenset[str]:
        """The links of the selected thing, whichever of its labels they end at."""
        bench = self.bench
        if bench is None or bench.view is None:
            return frozenset()
        view, chosen = bench.view, bench.selected
        labels = view.related(each for each in chosen if each not in view.links)
        return frozenset(link.id for each in labels for link in view.links_of(each)) - frozenset(chosen)

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self.table.entered_on.connect(self._on_entered)

    def unbound(self, bench: Workbench) -> None:
        self.table.entered_on.disconnect(self._on_entered)
        super().unbound(bench)

    @Slot(QModelIndex)
    def _on_entered(self, _index: QModelIndex) -> None:
        """Enter on a proposal accepts it, as everywhere; on any other row it only goes there."""
        bench = self.bench
        if bench is None or bench.view is None or bench.session.read_only:
            return
        links = [bench.view.links.get(each) for row in self.table.selected_rows() for each in row.ids]
        if any(each is not None and each.state is State.PROPOSED for each in links):
            bench.wish("annotation.accept")

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None or bench.view is None:
            return []
        links = [each for row in rows for each in row.ids if each in bench.view.links]
        none = "" if links else "select a link first"
        one = none or ("" if len(links) == 1 else "select a single link")
        read_only = "the project is open to look at only" if bench.session.read_only else ""
        first = links[0] if links else ""
        open_ones = [each for each in links if bench.view.links[each].state is State.PROPOSED]
        proposed = none or ("" if open_ones else "it is no proposal")
        return [
            Entry(text="Accept proposal", act=partial(bench.wish, "annotation.accept"), why_not=read_only or proposed),
            Entry(text="Confirm", act=partial(bench.run, "link.confirm", links=links), why_not=read_only or none),
            Entry(text="Reject", act=partial(bench.run, "link.set_state", links=links, state="rejected"),
                  why_not=read_only or none),
            Entry(text="Not related so", act=partial(bench.run, "link.negate", link=first), why_not=read_only or one),
            Entry(text="Move an end…", act=partial(bench.wish, "link.retarget"), why_not=read_only or one),
            Entry(text="Reason and rationale…", act=partial(bench.wish, "link.edit"), why_not=read_only or one),
            Entry(text="Remove", act=partial(bench.run, "link.remove", links=links), why_not=read_only or none),
            Entry(text="Propose links by rule", act=partial(bench.wish, "link.suggest"), why_not=read_only),
            Entry(text="Relations of the project…", act=partial(bench.wish, "link.relations"), why_not=read_only),
            Entry(text="New link", act=partial(bench.wish, "link.add"), why_not=read_only),
            Entry(text="State an absence…", act=partial(bench.wish, "link.absent"), why_not=read_only or (
                "" if bench.selected else "select what has no counterpart")),
        ]  # fmt: skip
