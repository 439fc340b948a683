"""Actions on proposals: walk through them by doubt, and accept at once those that ask for no look of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions.action import READ_ONLY, Hands, action, needs_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workstation.core.annotation import Annotation

MENU = "Label"


def _shown(hands: Hands) -> list[Annotation]:
    """What is proposed and shown, the most doubtful first; where the list is open, what it lists, in its order."""
    from workstation.app.proposal_rows import by_doubt
    from workstation.ui.panels.proposals import ProposalsPanel

    bench = hands.bench
    if bench.view is None or bench.proposals is None:
        return []
    shown: dict[str, Annotation] = {each.id: each for each in bench.proposals.shown()}
    pane = hands.frame.pane("proposals")
    if isinstance(pane, ProposalsPanel) and pane.awake and pane.listed():
        return [shown[each] for each in pane.listed() if each in shown]
    return by_doubt(bench.view, shown.values())


def _needs_proposals(hands: Hands) -> str | None:
    held = hands.bench.proposals
    missing = None if held is not None and held.counts()[0] else "nothing is proposed in this sample"
    return needs_sample(hands) or missing


def _may_accept(hands: Hands) -> str | None:
    return READ_ONLY if hands.bench.session.read_only else _needs_proposals(hands)


def _go(hands: Hands, step: int) -> None:
    bench, found = hands.bench, _shown(hands)
    if bench.view is None or not found:
        bench.tell("No proposal is left in this sample.")
        return
    ids: list[str] = [each.id for each in found]
    here = next((ids.index(each) for each in bench.selected if each in ids), None)
    at = (here + step) % len(ids) if here is not None else 0 if step > 0 else len(ids) - 1
    _go_to(hands, found, at)


def _go_to(hands: Hands, found: Sequence[Annotation], at: int, before: str = "") -> None:
    from workstation.app.proposal_rows import confidence_in_words
    from workstation.ui.panels.going import go_to

    bench, wanted = hands.bench, found[at]
    assert bench.view is not None
    go_to(bench, (wanted.id,), cause="window")
    name, sure = bench.view.name_of(wanted.id), confidence_in_words(wanted)
    ways = "Accept it (@annotation.accept) or reject it (@annotation.reject)."
    bench.tell(f"{before}Proposal {at + 1} of {len(found)}: {name}, confidence {sure}. {ways}")


def go_on_to(hands: Hands, following: str | None, done: str) -> None:
    """To the next proposal after some were judged from the list, with the sentence of what was ``done`` before."""
    found = [each for each in _shown(hands) if each.state.value == "proposed"]
    at = next((index for index, each in enumerate(found) if each.id == following), None)
    if at is not None:
        _go_to(hands, found, at, f"{done} ")
    else:
        hands.bench.tell(done if found else f"{done} No proposal is left in this sample.")


@action("proposal.next", title="Next proposal", keys="Alt+.", menu=MENU, enabled=_needs_proposals, repeats=True)
def next_proposal(hands: Hands) -> None:
    """Go to the next proposal that waits for you, the most doubtful first."""
    _go(hands, 1)


@action("proposal.previous", title="Previous proposal", keys="Alt+,", menu=MENU, enabled=_needs_proposals,
        repeats=True)  # fmt: skip
def previous_proposal(hands: Hands) -> None:
    """Go to the proposal before, which is less doubtful."""
    _go(hands, -1)


@action("proposal.accept_listed", title="Accept all shown proposals…", menu=MENU, enabled=_may_accept)
def accept_listed(hands: Hands) -> None:
    """Accept every proposal that is shown, after asking. Links are never among them, nor speech in two languages, nor
    what is tagged as an edge case: each of these is looked at by itself."""
    hands.frame.open_dialog("accept_proposals")


def _may_label(hands: Hands) -> str | None:
    return READ_ONLY if hands.bench.session.read_only else needs_sample(hands)


@action("prelabel.run", title="Pre-label with models…", menu=MENU, enabled=_may_label)
def prelabel(hands: Hands) -> None:
    """Let models on this machine propose labels, as a job that can be cancelled; nothing leaves the machine."""
    hands.frame.open_dialog("prelabel")


@action("prelabel.classes", title="Classes of a model's labels…", menu=MENU, enabled=_may_label)
def classes_of_labels(hands: Hands) -> None:
    """Say once for this ontology which class stands for which label of a model; what has none is left out."""
    hands.frame.open_dialog("class_map")


@action("models.add", title="Add a model from this machine…", menu=MENU, enabled=_may_label)
def add_model(hands: Hands) -> None:
    """Take in a model from a file: it is read and recognised, and asked about where it does not say what it is."""
    hands.frame.open_dialog("add_model")


@action("models.try", title="Try a model on this picture…", menu=MENU, enabled=needs_sample)
def try_model(hands: Hands) -> None:
    """Let the model selected in the panel of models look at the picture that is shown; nothing is stored."""
    hands.frame.open_dialog("try_model")


@action("predictions.import", title="Import predictions…", menu=MENU, enabled=_may_label)
def import_predictions(hands: Hands) -> None:
    """Bring in what a model predicted elsewhere, from JSON Lines or COCO results; what would come is shown first."""
    hands.frame.open_dialog("import_predictions")


def fresh_after(hands: Hands, done: Sequence[str]) -> str | None:
    """The proposal that follows those in the order of the list; ``None`` if the hand is elsewhere or none is left."""
    from workstation.ui.panels.proposals import ProposalsPanel

    if not isinstance(hands.pane, ProposalsPanel) or not done:
        return None
    ids = hands.pane.listed()
    last = max((ids.index(each) for each in done if each in ids), default=-1)
    order = [*ids[last + 1 :], *ids[: last + 1]]
    return next((each for each in order if each not in done), None)
