"""Edge cases: what the guideline does not settle by itself, tagged at any time and looked at by people.

A tag is a comment that says so, so that it has an author, an answer and an end, and travels in packages.
"""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.arguments import SampleRef, TargetRef
from workstation.commands.reading import ontology_of
from workstation.commands.registry import command, needs_sample, needs_selection
from workstation.commands.transaction import Transaction
from workstation.commands.work import reviewer
from workstation.core.annotation import Comment, CommentState
from workstation.core.errors import UserError
from workstation.core.ids import RecordId
from workstation.core.proposals import edge_case_tags
from workstation.core.rights import Right


@command("edge_case.tag", title="Tag as an edge case…", right=Right.COMMENT, enabled=needs_sample)
def tag(tx: Transaction, *, sample: SampleRef, target: TargetRef, case: str = "", text: str = "") -> RecordId:
    """Tag a label, a thing or a link as an edge case: no act that takes many accepts it, and it stands in the list of
    edge cases until the tag is resolved.

    target: what is an edge case
    case: the number of the edge case in the guideline; left out, one that the guideline does not know
    text: what makes it one, in your words
    """
    if edge_case_tags(tx.comments(sample), (target.id,)):
        raise UserError("that is tagged as an edge case already; resolve that tag first to give it another")
    ontology = ontology_of(tx)
    known = {} if ontology is None else {each.id: each for each in ontology.ontology.edge_cases if not each.retired}
    if case and case not in known:
        there = ", ".join(known) or "none"
        raise UserError(f"the guideline has no edge case {case[:60]!r}; it has: {there}")
    if not case and not text.strip():
        raise UserError("say which edge case of the guideline it is, or in words what makes it one")
    words = [f"{case} {known[case].title}".strip()] if case else []
    made = Comment(
        id=RecordId(tx.new_id()), sample=sample, target_kind=target.kind, target=target.id,
        text=": ".join((*words, *([text.strip()] if text.strip() else []))), person=reviewer(tx), edge_case=case,
    )  # fmt: skip
    tx.put(made)
    return made.id


@command("edge_case.untag", title="No edge case", right=Right.COMMENT, enabled=needs_selection)
def untag(tx: Transaction, *, sample: SampleRef, target: TargetRef) -> None:
    """Resolve the tag of an edge case: it has been looked at.

    target: what is tagged
    """
    found = edge_case_tags(tx.comments(sample), (target.id,))
    if not found:
        raise UserError("that is not tagged as an edge case")
    tx.put_many([replace(each, state=CommentState.RESOLVED) for each in found])
