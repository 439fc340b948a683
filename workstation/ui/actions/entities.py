"""Actions on things: make one of what is selected in any pane, put labels together and apart, review proposals.

Those with the id of a command stand for it. Merging and splitting show first what would go where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions.action import NO_LABEL_SELECTED, READ_ONLY, Hands, action, needs_sample
from workstation.ui.told import Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workstation.core.annotation import Annotation, Entity

MENU = "Label"


def _labels(hands: Hands) -> list[Annotation]:
    view = hands.bench.view
    return [] if view is None else [view.annotations[each] for each in hands.bench.selected if each in view.annotations]


def _things(hands: Hands) -> list[Entity]:
    """The selected things, themselves or by their labels."""
    view = hands.bench.view
    if view is None:
        return []
    found: dict[str, Entity] = {}
    for each in hands.bench.selected:
        label = view.annotations.get(each)
        thing = view.entities.get(each) if label is None else view.entity_of(label)
        if thing is not None:
            found[thing.id] = thing
    return list(found.values())


def _may_label(hands: Hands) -> str | None:
    return needs_sample(hands) or (READ_ONLY if hands.bench.session.read_only else None)


def _needs_free_labels(hands: Hands) -> str | None:
    labels = _labels(hands)
    if _may_label(hands) is not None or not labels:
        return _may_label(hands) or NO_LABEL_SELECTED
    if any(each.entity is not None for each in labels):
        return "what is selected shows a thing already; split it off instead"
    return None if any(each.class_id is not None for each in labels) else "give it a class first"


def _needs_attached(hands: Hands) -> str | None:
    if _may_label(hands) is not None or not _labels(hands):
        return _may_label(hands) or NO_LABEL_SELECTED
    return None if any(each.entity is not None for each in _labels(hands)) else "what is selected shows no thing"


def _needs_attachable(hands: Hands) -> str | None:
    if _may_label(hands) is not None or not _labels(hands):
        return _may_label(hands) or NO_LABEL_SELECTED
    if len(_things(hands)) != 1:
        return "select one thing, or a label of it, with the labels that show it"
    free = [each for each in _labels(hands) if each.entity is None]
    return None if free else "what is selected shows that thing already"


def _needs_things(hands: Hands) -> str | None:
    view = hands.bench.view
    if _may_label(hands) is not None or view is None:
        return _may_label(hands)
    return None if len(view.entities) > 1 else "there are no two things in this sample"


@action("entity.make", title="New thing from the selection", keys="Ctrl+Shift+N", menu=MENU, enabled=_needs_free_labels)
def make(hands: Hands) -> None:
    """The selected labels, in whatever panes, show one new thing of the class of the one that was picked last."""
    labels = _labels(hands)
    active = hands.bench.selection.state.active
    ordered = sorted(labels, key=lambda each: each.id != active)
    class_id = next(each.class_id for each in ordered if each.class_id is not None)
    ids = [each.id for each in labels]
    made = hands.bench.run("entity.add", class_id=class_id, annotations=ids)
    if made is not None and hands.bench.view is not None:
        count = "one label shows it" if len(ids) == 1 else f"{len(ids)} labels show it"
        hands.bench.tell(f"{hands.bench.view.name_of(made)}: {count}.")


@action("entity.join", title="Attach to the selected thing", keys="Ctrl+Shift+J", menu=MENU, enabled=_needs_attachable)
def join(hands: Hands) -> None:
    """The selected labels that show nothing yet show the thing that is selected with them."""
    (thing,) = _things(hands)
    ids = [each.id for each in _labels(hands) if each.entity is None]
    view = hands.bench.view

    def act() -> bool:
        with hands.bench.together("Attach to entity") as run:
            run("entity.attach", entity=thing.id, annotations=ids)
        return True

    if hands.bench.attempt(act) and view is not None:
        hands.bench.tell(f"{len(ids)} label{'' if len(ids) == 1 else 's'} attached to {view.name_of(thing.id)}.")


@action("entity.detach", title="Detach from its thing", keys="Ctrl+Shift+E", menu=MENU, enabled=_needs_attached)
def detach(hands: Hands) -> None:
    """The selected labels show no thing any more; they keep its class as their own."""
    ids = [each.id for each in _labels(hands) if each.entity is not None]
    hands.bench.run("entity.detach", annotations=ids)


@action("entity.merge", title="Merge things…", menu=MENU, enabled=_needs_things)
def merge(hands: Hands) -> None:
    """Say that two things are one. It shows first which labels, links, classes and attributes go where."""
    hands.frame.open_dialog("merge")


@action("entity.split", title="Split thing…", menu=MENU, enabled=_needs_attached)
def split(hands: Hands) -> None:
    """Say that some labels of a thing show another one. It shows first what goes and what stays."""
    hands.frame.open_dialog("split")


@action("link.suggest", title="Propose links by rule", menu="Link", enabled=_may_label)
def suggest(hands: Hands) -> None:
    """Look for relations that time, projection, identity across cameras and wording speak for. They stay proposals
    until you accept (@annotation.accept) or reject (@annotation.reject) them, and exports of labels leave them out."""
    from workstation.ui.suggesting import suggest_links

    suggest_links(hands)


def accept_links(hands: Hands, links: Sequence[str]) -> None:
    """Accept proposed links; one that would merge things that contradict each other is looked at first."""
    from workstation.app.entity_preview import merged
    from workstation.core.suggestion import SAME_OBJECT

    bench, view = hands.bench, hands.bench.view
    if view is None or not links:
        return
    if len(links) > 1:
        bench.tell(f"Links are accepted one at a time, each looked at; {len(links)} are selected.", Tone.REFUSED)
        return
    link = view.links[links[0]]
    if link.type_id == SAME_OBJECT and link.holds:
        labels = [view.annotations[end.target] for end in link.ends if end.target in view.annotations]
        things = list(dict.fromkeys(each.entity for each in labels if each.entity is not None))
        if len(things) == 2 and merged(view, things[0], things[1]).conflicts:
            hands.frame.open_dialog(f"merge {link.id}")
            return

    def act() -> bool:
        with bench.together("Accept proposal") as run:
            run("link.accept", links=[link.id])
        return True

    if bench.attempt(act):
        go_to_next_proposal(hands, links[-1])


def go_to_next_proposal(hands: Hands, done: str) -> None:
    """Select the proposed link that follows in time, so that Enter and Backspace go through them all."""
    from workstation.app.walking import when

    view = hands.bench.view
    if view is None:
        return
    order = sorted(view.links.values(), key=lambda each: (when(view, each.id) or 0, each.id))
    at = next((number for number, each in enumerate(order) if each.id == done), -1)
    left = [each for each in (*order[at + 1 :], *order[: max(at, 0)]) if each.state.value == "proposed"]
    if not left:
        hands.bench.tell("No proposed link is left in this sample.")
        return
    hands.bench.select([left[0].id], cause="window")
    count = "one" if len(left) == 1 else str(len(left))
    hands.bench.tell(f"{left[0].rationale or view.name_of(left[0].id)} ({count} left)")
