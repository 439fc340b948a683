"""Edits of ``project.yaml`` and ``guideline.md`` made outside the program: accepted here, discarded as parked records.

An edited ``ontology.yaml`` is a draft version instead, and goes the way of every draft.
"""

from __future__ import annotations

from workstation.commands.arguments import ParkedRef
from workstation.commands.reading import fetch, ontology_of
from workstation.commands.registry import command
from workstation.core.errors import Refused
from workstation.core.guideline import guideline_problems
from workstation.core.ids import RecordId
from workstation.core.sample import Parked
from workstation.store.mirrors import GUIDELINE_MIRROR, accept_proposal
from workstation.store.transaction import Transaction


@command("proposal.accept", title="Accept an edited file")
def accept(tx: Transaction, *, parked: ParkedRef) -> RecordId:
    """Put an edit of project.yaml or guideline.md in force that was made outside the program.

    It takes the right that the same change takes by hand; parked.discard turns the edit down.

    parked: the parked record that holds the edit (list parked)
    """
    found = fetch(tx, Parked, parked)
    ontology = ontology_of(tx)
    if found.origin == GUIDELINE_MIRROR and ontology is not None:
        problems = tuple(f"guideline, {problem}" for problem in guideline_problems(found.payload, ontology.ontology))
        if problems:
            raise Refused(problems)
    return RecordId(accept_proposal(tx, found.id))
