"""What is missing before a sample can be handed in, and where it is: the list that ``Ctrl+Enter`` shows.

The sentence of the refusal comes from the command itself (``sample.submit``); here stands where to go for each part.
"""

from __future__ import annotations

from collections.abc import Iterator

from workstation.core.annotation import Annotation, CommentState, Link, State
from workstation.core.described import lacks_sentence
from workstation.core.ids import SampleId
from workstation.core.proposals import unseen
from workstation.core.records import RecordKind
from workstation.core.sample import GateState, QueueItem, QueueState
from workstation.core.values import dataclass
from workstation.store.store import Store


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing to do, and the records that it concerns."""

    text: str
    ids: tuple[str, ...] = ()


def missing_before_submitting(store: Store, sample: SampleId) -> list[Missing]:
    """Everything that keeps a sample from being submitted, in the order to look at it; empty if it can be."""
    record, project = store.sample_by_key(sample), store.project()
    found = [
        Missing(f"The gate {name} is not verified.")
        for name, gate in ({} if record is None else record.gates).items()
        if gate.state is GateState.UNVERIFIED
    ]
    found += [
        Missing("A proposal is neither accepted nor rejected.", (each.id,))
        for each in _labels(store, sample)
        if each.state is State.PROPOSED and not unseen(project, each)
    ]
    stale = dict.fromkeys(end.link.id for end in store.stale_links(sample))
    found += [Missing("A link is stale: one of its ends changed after it was confirmed.", (each,)) for each in stale]
    found += [
        Missing("Nothing says how a sound comes from its source: write a sentence as the link's rationale.", (each.id,))
        for each in store.links(sample)
        if lacks_sentence(each)
    ]
    found += [
        Missing("A question after an ontology change waits for an answer.")
        for item in store.records(RecordKind.QUEUE_ITEM, sample=sample)
        if isinstance(item, QueueItem) and item.state is QueueState.OPEN
    ]
    found += [
        Missing(f"A comment is not resolved: {comment.text}", (comment.target,))
        for comment in store.comments(sample)
        if not comment.question and comment.state is CommentState.OPEN
    ]
    return found


def _labels(store: Store, sample: SampleId) -> Iterator[Annotation | Link]:
    yield from store.annotations(sample)
    yield from store.links(sample)
