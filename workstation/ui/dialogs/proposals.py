"""Before many proposals are accepted at once: how many, which are left to be looked at, and why."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Slot

from workstation.app.proposal_rows import batch_of
from workstation.core.annotation import Annotation
from workstation.ui.dialogs.sheet import Sheet
from workstation.ui.main_window import MainWindow
from workstation.ui.panels.proposals import ProposalsPanel
from workstation.ui.workbench import Workbench


class AcceptProposals(Sheet):
    """Accept what is shown and asks for no look of its own; one step, which undo takes back."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, "accept_proposals", "Accept proposals")
        self._bench = bench
        assert bench.view is not None
        assert bench.proposals is not None
        shown: dict[str, Annotation] = {each.id: each for each in bench.proposals.shown()}
        pane = window.pane("proposals")
        if isinstance(pane, ProposalsPanel) and pane.awake:
            shown = {each: shown[each] for each in pane.listed() if each in shown}
        self._batch = batch_of(bench.view, list(shown.values()))
        counts = Counter(bench.view.class_name(bench.view.class_of(shown[each])) for each in self._batch.fit)
        said = ", ".join(f"{count} {name}" for name, count in counts.most_common(8))
        many = len(self._batch.fit)
        self.say(f"Accept {many} proposals as done: {said}." if many else "None of these is accepted with others.")
        for sentence in self._batch.left:
            self.say(sentence[0].upper() + sentence[1:], "quiet")
        for sentence in self._batch.hints:
            self.say(bench.spelled(f"{sentence} Tag such a one before (@edge_case.tag)."), "quiet")
        self.say("You stand for each as if you had drawn it. Links are never accepted so.", "quiet")
        self.accept_button = self.button("accept", f"Accept {many}", default=bool(many))
        self.accept_button.setEnabled(bool(many))
        cancel = self.button("cancel", "Cancel", default=not many)
        self.accept_button.clicked.connect(self._on_accept)
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, self.accept_button)
        self.setMinimumWidth(420)

    @Slot()
    def _on_accept(self) -> None:
        view = self._bench.view
        waiting = [] if view is None else [
            each for each in self._batch.fit if each in view.annotations and view.annotations[each].state == "proposed"
        ]  # fmt: skip
        if waiting:
            self._bench.run("annotation.accept", annotations=waiting)
            self._bench.tell(f"{len(waiting)} accepted.")
        self.accept()
