"""The panel of proposals: what models suggest for the open sample and nobody has judged, the most doubtful first.

A slider keeps those from sight of which the model is not sure enough, in this list and in every pane. Enter accepts,
Backspace rejects and both go to the next; an edit in any pane takes a proposal over as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from workstation.app.proposal_rows import COLUMNS, model_key, proposal_rows
from workstation.app.rows import Row
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.tools.state import Sight
from workstation.ui.workbench import Workbench

_ALL_CLASSES, _ALL_STREAMS, _ALL_MODELS = ("", "All classes"), ("", "All streams"), ("", "All models")
_READ_ONLY = "the project is open to look at only"


class ProposalsPanel(ListPanel):
    """What waits for a person."""

    kind = "proposals"
    title = "Proposals"
    columns = COLUMNS
    hint = "Filter proposals"
    choices = (
        Choice(name="class", spoken="Show proposals of one class", entries=(_ALL_CLASSES,)),
        Choice(name="stream", spoken="Show proposals on one stream", entries=(_ALL_STREAMS,)),
        Choice(name="model", spoken="Show proposals of one model", entries=(_ALL_MODELS,)),
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._build_slider()

    def _build_slider(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 4)
        row.setSpacing(6)
        self.least_said = QLabel("At least 0.00 sure")
        self.least_said.setObjectName("proposals_least_said")
        self.least = QSlider(Qt.Orientation.Horizontal)
        self.least.setObjectName("proposals_least")
        self.least.setAccessibleName("Show only proposals that are at least so sure")
        self.least.setToolTip("Proposals that are less sure are not shown, here and in every pane")
        self.least.setRange(0, 100)
        self.least.setSingleStep(5)
        self.least.setPageStep(10)
        self.least.valueChanged.connect(self._on_least)
        row.addWidget(self.least_said)
        row.addWidget(self.least, 1)
        self.column.insertLayout(2, row)

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        self.hear(bench.sight.changed, self._on_sight)
        self.table.entered_on.connect(self._on_entered)

    def unbound(self, bench: Workbench) -> None:
        self.table.entered_on.disconnect(self._on_entered)
        super().unbound(bench)

    @Slot(QModelIndex)
    def _on_entered(self, _index: QModelIndex) -> None:
        """Enter accepts, as everywhere."""
        if self.bench is not None and not self.bench.session.read_only and self.table.selected_rows():
            self.bench.wish("annotation.accept")

    def sample_opened(self, view: SampleView | None) -> None:
        super().sample_opened(view)
        bench = self.bench
        if bench is not None and bench.proposals is not None:
            self.least.blockSignals(True)
            self.least.setValue(round(bench.proposals.least * 100))
            self.least.blockSignals(False)
            self._say_least()

    def all_rows(self) -> list[Row]:
        bench = self.bench
        assert bench is not None
        assert bench.view is not None
        held = bench.proposals
        if held is None:
            return []
        blind = held.blind_streams()
        shown, waiting = held.counts()
        hidden = waiting - shown
        self.empty = f"{hidden} proposals are less sure." if hidden else "Nothing is proposed here."
        if blind:
            self.empty += f" {', '.join(blind)}: labelled without proposals."
        proposals = list(held.shown())
        self._refill(bench.view, proposals)
        return proposal_rows(bench.view, proposals)

    def _refill(self, view: SampleView, proposals: Sequence[Annotation]) -> None:
        classes = {view.class_of(each) for each in proposals}
        streams = {view.streams[each.stream].key for each in proposals if each.stream in view.streams}
        models = {(model_key(each), each.source.name or each.source.kind.value) for each in proposals}
        named = sorted((view.class_name(each), f"class:{each}") for each in classes)
        self.refill("class", (_ALL_CLASSES, *((key, name) for name, key in named)))
        self.refill("stream", (_ALL_STREAMS, *((f"stream:{'_'.join(each.split())}", each) for each in sorted(streams))))
        self.refill("model", (_ALL_MODELS, *sorted(models)))

    def listed(self) -> list[str]:
        """Ids of what the list shows now, in its order: what bulk acceptance takes and where the next one is."""
        return [row.key for row in self.model.rows]

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        none = _READ_ONLY if bench.session.read_only else "" if rows else "select a proposal first"
        empty = _READ_ONLY if bench.session.read_only else "" if self.model.rows else "nothing is listed"
        return [
            Entry(text="Accept", act=partial(bench.wish, "annotation.accept"), why_not=none),
            Entry(text="Reject", act=partial(bench.wish, "annotation.reject"), why_not=none),
            Entry(text="Accept all that are listed…", act=partial(bench.wish, "proposal.accept_listed"),
                  why_not=empty),
            Entry(text="Next proposal", act=partial(bench.wish, "proposal.next")),
            Entry(text="Previous proposal", act=partial(bench.wish, "proposal.previous")),
        ]  # fmt: skip

    @Slot(int)
    def _on_least(self, value: int) -> None:
        self._say_least()
        if self.bench is not None:
            self.guard(self.bench.show_proposals, value / 100)
            self.refresh_soon()

    def _say_least(self) -> None:
        self.least_said.setText(f"At least {self.least.value() / 100:.2f} sure")

    def _on_sight(self, _sight: Sight) -> None:
        self.refresh_soon()
