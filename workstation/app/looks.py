"""How labelled things are painted: one colour per thing in every pane, with a second cue beside it.

Asked by every pane through ``SampleView.paint_of``. The colours of things are Okabe and Ito's palette and lighter and
darker steps of it, which people with any of the common colour deficiencies tell apart; mark and pattern come from
the class, so nothing rests on colour alone.
"""

from __future__ import annotations

from typing import NamedTuple

from workstation.core.annotation import Entity, State
from workstation.core.ontology import Mark, Pattern
from workstation.core.ontology_compile import CompiledOntology

UNKNOWN = "#9aa0a6"
_THINGS = (
    "#56b4e9", "#e69f00", "#2fb58a", "#f0e442", "#d55e00", "#cc79a7", "#7fa8ff", "#ffb777",
    "#8fd3c1", "#b59a00", "#ff8f7a", "#b58fd6", "#9bd0ff", "#c7e07a", "#e0b0c8", "#66a3a3",
)  # fmt: skip
"""Light enough on dark pictures; an outline of the opposite lightness makes them readable on light ones."""


class Paint(NamedTuple):
    """Colour ``#rrggbb``, and two cues for those who cannot tell colours apart."""

    colour: str
    mark: Mark
    pattern: Pattern


def paint_of(ontology: CompiledOntology | None, class_id: str | None, entity: Entity | None) -> Paint:
    """A thing's own colour by its number, else its class's; mark and pattern are the class's."""
    known = ontology is not None and class_id is not None and class_id in ontology.classes
    look = Paint(*ontology.look(class_id)) if known and ontology is not None and class_id is not None else None
    mark, pattern = (look.mark, look.pattern) if look is not None else (Mark.CIRCLE, Pattern.SOLID)
    if entity is not None and entity.number > 0:
        return Paint(_THINGS[(entity.number - 1) % len(_THINGS)], mark, pattern)
    return Paint(look.colour if look is not None else UNKNOWN, mark, pattern)


def claimed_name(name: str, state: State, confidence: float | None) -> str:
    """The name of a label as it stands: one that is only proposed says so, and how sure its maker is."""
    return proposed_name(name, confidence).strip() if state is State.PROPOSED else name


def proposed_name(name: str, confidence: float | None) -> str:
    """``car 17 ? 0.82``: a name that nobody has confirmed, and how sure its maker is."""
    return f"{name} ?" if confidence is None else f"{name} ? {confidence:.2f}"
