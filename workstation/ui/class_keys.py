"""The keys of classes: a drawn shape that waits gets the class, else the selection is relabelled, else the next shape.

Asked by the key dispatcher: for what no pane and no action wanted; and before the focused pane's own letters where a
drawn shape waits or something is selected that may have that class, since then the key says what it is. The letters of
the window stay as they are. The ontology says which key is whose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.told import Tone

if TYPE_CHECKING:
    from workstation.core.ontology_compile import CompiledOntology
    from workstation.ui.workbench import Workbench


class ClassKeys:
    """Looks keys up in the ontology in force."""

    def press(self, text: str, bench: Workbench) -> bool:
        """Whether the key is a class's, and what it asked for was begun."""
        class_id = class_of_key(text, None if bench.view is None else bench.view.ontology)
        if class_id is None:
            return False
        give_class(bench, class_id)
        return True

    def relabels(self, text: str, bench: Workbench) -> bool:
        """Whether the key is that of a class which something selected may have."""
        view = bench.view
        class_id = class_of_key(text, None if view is None else view.ontology)
        if view is None or class_id is None or bench.session.read_only:
            return False
        chosen = [view.annotations[each] for each in bench.selected if each in view.annotations]
        fits = any(view.may_be_drawn(class_id, each.stream, frozenset({each.kind})) for each in chosen)
        return fits or any(each in view.entities for each in bench.selected)


def class_of_key(text: str, ontology: CompiledOntology | None) -> str | None:
    """The class that has this key, upper and lower case alike."""
    if ontology is None:
        return None
    wanted = text.casefold()
    return next((key for key, each in ontology.classes.items() if each.key and each.key.casefold() == wanted), None)


def give_class(bench: Workbench, class_id: str) -> None:
    """Draw then class, or class then draw, or another class for what is selected: one step."""
    view = bench.view
    if view is None:
        return
    name = view.class_name(class_id)
    if bench.hand.waiting and not bench.hand.fits(class_id):
        bench.tell(f"{name} cannot be marked so here: press the key of another class, or Esc.", Tone.REFUSED)
        return  # what was drawn goes on waiting
    if bench.hand.waiting:
        before = bench.session.store.head()
        bench.attempt(lambda: bench.hand.say_class(class_id))
        if bench.session.store.head() > before:
            bench.tell(f"{name} stored.")  # the question for the class stands there no longer
        return
    chosen = [each for each in bench.selected if each in view.annotations or each in view.entities]
    if not chosen:
        bench.hand.set_class(class_id)
        bench.tell(f"The next shape is a {name}.")
        return

    def relabel() -> None:
        with bench.together(f"Relabel as {name}") as run:
            for record_id in _things(bench, chosen):
                if record_id in view.entities:
                    run(_relabels(bench, record_id), entity=record_id, class_id=class_id)
                else:
                    run("annotation.relabel", annotations=[record_id], class_id=class_id)

    bench.attempt(relabel)


def _relabels(bench: Workbench, entity: str) -> str:
    """Where labels of the thing have classes of their own, a new class is the one that is agreed upon for all."""
    assert bench.view is not None
    own = any(each.class_id is not None for each in bench.view.annotations_of_entity(entity))
    return "entity.decide_class" if own else "entity.relabel"


def _things(bench: Workbench, chosen: list[str]) -> list[str]:
    """The class lives on the entity where there is one."""
    view = bench.view
    assert view is not None
    found = []
    for record_id in chosen:
        annotation = view.annotations.get(record_id)
        found.append(annotation.entity if annotation is not None and annotation.entity is not None else record_id)
    return list(dict.fromkeys(found))
