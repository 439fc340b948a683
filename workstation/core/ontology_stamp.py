"""Which ontology version a label claims, beside the one in force: work on an old version waits until it is updated.

Used by the gate and by merging. A label carries the number of the version that accepted it last.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from workstation.core.annotation import Annotation, Entity, Link

Stamped = TypeVar("Stamped", bound=Entity | Annotation | Link)


def version_problem(given: int, in_force: int, stored: int | None) -> str | None:
    """Why a label claiming version ``given`` may not be written while ``in_force`` is in force; ``None`` if it may.

    Zero claims nothing. ``stored`` is what the stored label of this id claims (``None``: there is none): an edit of a
    label made under an earlier version arrives with that version's number, is checked by today's rules and stamped.
    """
    if given > in_force:
        return f"claims ontology version {given}; the newest in force is {in_force}"
    if given in (0, in_force) or given == stored:
        return None
    return f"was made under ontology version {given}; version {in_force} is in force: bring the work up to date first"


def stamped(label: Stamped, in_force: int) -> Stamped:
    """The label under the version in force."""
    return label if label.ontology_version == in_force else replace(label, ontology_version=in_force)
