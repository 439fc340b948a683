"""Which right a write needs, and what models, imports and scripts may never do. Called by the gate only.

The table of roles and rights is ``core/rights.py``; this says which of them a given write of a record asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workstation.core.annotation import Annotation, DecisionValue, Link, Record, SourceKind, State
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind, Right
from workstation.core.sample import GateState, OntologyState, OntologyVersion, SampleState

LABELS = frozenset(
    {RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.KEYFRAME, RecordKind.WORD, RecordKind.LINK}
)  # fmt: skip
_MODEL_MAY_WRITE = LABELS | {RecordKind.PARKED}
_REVIEWED = (SampleState.APPROVED, SampleState.RETURNED, SampleState.QUARANTINED)
# A returned sample is the annotator's again; what was approved or set aside is not.
_SETTLED = (SampleState.APPROVED, SampleState.QUARANTINED)
_SYNC_FIELDS = ("time_map", "clock", "epoch_ns")
_CONFIRMED = (State.DONE, State.APPROVED)
_LABEL_RIGHT = {ActorKind.MODEL: frozenset({Right.RUN_MODELS}), ActorKind.IMPORT: frozenset({Right.IMPORT})}
_LABEL_ONLY = frozenset({Right.LABEL})
_REVIEW_TOO = {
    kind: rights | {Right.REVIEW} for kind, rights in ((k, _LABEL_RIGHT.get(k, _LABEL_ONLY)) for k in ActorKind)
}

Pair = tuple[Any, Any]


def rights_for(actor: Actor, kind: RecordKind, before: Record | None, after: Record | None) -> frozenset[Right]:
    """The rights that turning ``before`` into ``after`` needs (``None``: not there)."""
    if kind in LABELS:
        if getattr(after, "state", None) is State.APPROVED:
            return _REVIEW_TOO[actor.kind]
        return _LABEL_RIGHT.get(actor.kind, _LABEL_ONLY)
    return frozenset(_RIGHTS[kind](actor, before, after))


def changes_sync(kind: RecordKind, before: Record | None, after: Record | None) -> bool:
    """Whether the write changes clocks or calibration that somebody may already have relied on."""
    if before is None:
        return False
    if kind is RecordKind.RIG:
        return True
    return kind is RecordKind.STREAM and after is not None and _differ(before, after, _SYNC_FIELDS)


def _differ(before: Any, after: Any, fields: tuple[str, ...]) -> bool:
    return any(getattr(before, field) != getattr(after, field) for field in fields)


def _sample(actor: Actor, before: Any, after: Any) -> Iterator[Right]:
    if after is None or before is None:
        yield Right.IMPORT if actor.kind is ActorKind.IMPORT else Right.MANAGE_SAMPLES
        if after is not None and any(gate.state is GateState.WAIVED for gate in after.gates.values()):
            yield Right.SIGN_WAIVER
        return
    if _differ(before, after, ("key", "profile", "properties", "assigned_to")):
        yield Right.MANAGE_SAMPLES
    if before.state is not after.state:
        yield Right.REVIEW if after.state in _REVIEWED or before.state in _SETTLED else Right.LABEL
    if before.notes != after.notes:
        yield Right.LABEL
    for name in {*before.gates, *after.gates}:
        old, new = before.gates.get(name), after.gates.get(name)
        if old != new:
            waived = GateState.WAIVED in (getattr(old, "state", None), getattr(new, "state", None))
            yield Right.SIGN_WAIVER if waived else Right.CHANGE_SYNC


def _stream(actor: Actor, before: Any, after: Any) -> Iterator[Right]:
    if before is None or after is None:
        yield Right.IMPORT if actor.kind is ActorKind.IMPORT else Right.MANAGE_SAMPLES
        return
    sync = _differ(before, after, _SYNC_FIELDS)
    if sync:
        yield Right.CHANGE_SYNC
    others = tuple(field for field in after.__struct_fields__ if field not in _SYNC_FIELDS)
    if _differ(before, after, others):
        yield Right.MANAGE_SAMPLES


def _ontology(_actor: Actor, before: Any, after: Any) -> Iterator[Right]:
    states = {getattr(before, "state", None), getattr(after, "state", None)}
    if OntologyState.LOCKED in states:
        yield Right.LOCK_ONTOLOGY
    elif getattr(before, "state", None) is OntologyState.IN_REVIEW and getattr(after, "state", None) is not None:
        yield Right.REVIEW_ONTOLOGY
    else:
        yield Right.CHANGE_ONTOLOGY


def _verdict(_actor: Actor, before: Any, after: Any) -> Iterator[Right]:
    yield Right.REVIEW
    if getattr(before, "closed", False) or getattr(after, "closed", False):
        yield Right.CLOSE_VERDICT


def _finding_decision(_actor: Actor, before: Any, after: Any) -> Iterator[Right]:
    for record in (before, after):
        if record is not None:
            yield _DECISION_RIGHT.get(record.decision, Right.LABEL)


def _queue_item(_actor: Actor, before: Any, after: Any) -> Iterator[Right]:
    yield Right.CHANGE_ONTOLOGY if before is None or after is None else Right.LABEL


def _parked(actor: Actor, _before: Any, _after: Any) -> Iterator[Right]:
    yield from _LABEL_RIGHT.get(actor.kind, _LABEL_ONLY)


def _always(right: Right) -> Callable[[Actor, Any, Any], Iterator[Right]]:
    def needs(_actor: Actor, _before: Any, _after: Any) -> Iterator[Right]:
        yield right

    return needs


_DECISION_RIGHT = {
    DecisionValue.CONFIRMED: Right.CONFIRM_FINDING,
    DecisionValue.WAIVED: Right.SIGN_WAIVER,
}
_RIGHTS: dict[RecordKind, Callable[[Actor, Any, Any], Iterator[Right]]] = {
    RecordKind.PROJECT: _always(Right.CHANGE_SETTINGS),
    RecordKind.PERSON: _always(Right.MANAGE_PEOPLE),
    RecordKind.ONTOLOGY: _ontology,
    RecordKind.GUIDELINE: _always(Right.CHANGE_ONTOLOGY),
    RecordKind.ACKNOWLEDGEMENT: _always(Right.COMMENT),
    RecordKind.SAMPLE: _sample,
    RecordKind.STREAM: _stream,
    RecordKind.RIG: _always(Right.CHANGE_SYNC),
    RecordKind.VERDICT: _verdict,
    RecordKind.COMMENT: _always(Right.COMMENT),
    RecordKind.FINDING_DECISION: _finding_decision,
    RecordKind.QUEUE_ITEM: _queue_item,
    RecordKind.PARKED: _parked,
}


def authority_problems(actor: Actor, kind: RecordKind, before: Record | None, after: Record | None) -> Iterator[str]:
    """What the actor may not do whatever its role: a model only proposes, an import confirms nothing."""
    if actor.kind is ActorKind.MODEL:
        yield from _model_problems(kind, before, after)
    elif actor.kind is ActorKind.IMPORT:
        if isinstance(after, Annotation) and after.state is State.APPROVED:
            yield "an import may not approve: bring it as done, and a reviewer approves it"
        if isinstance(after, Link):
            yield from _unconfirmed(after, "an import")
    elif actor.kind is ActorKind.SCRIPT and actor.person is None and isinstance(after, Link):
        yield from _unconfirmed(after, "a script that nobody answers for")


def _model_problems(kind: RecordKind, before: Record | None, after: Record | None) -> Iterator[str]:
    if kind not in _MODEL_MAY_WRITE:
        yield f"a model may not write a {kind}: it only proposes labels"
        return
    if kind is RecordKind.ENTITY and before is not None:
        yield "a model may not change an entity that exists: it may propose annotations and a person joins them"
    state = getattr(before, "state", State.PROPOSED)
    if kind in (RecordKind.ANNOTATION, RecordKind.LINK) and state is not State.PROPOSED:
        yield f"a model may not change what is {state.value}: only proposals are a model's to change"
    if isinstance(after, Annotation | Link):
        if after.state is not State.PROPOSED:
            yield f"a model may write only the state proposed, not {after.state.value}"
        if after.source.kind not in (SourceKind.MODEL, SourceKind.INTERPOLATION):
            yield "a model's proposal must name the model as its source"
    if isinstance(after, Link):
        yield from _unconfirmed(after, "a model")


def _unconfirmed(link: Link, who: str) -> Iterator[str]:
    if link.state in _CONFIRMED:
        yield f"{who} may not confirm a link (state {link.state.value}): only a person may"
    if any(end.confirmed is not None or end.confirmed_revision is not None for end in link.ends):
        yield f"{who} may not confirm the ends of a link: only a person may"


def locked_problems(before: Record | None, after: Record | None) -> Iterator[str]:
    """A locked ontology version keeps its text for ever; records made under it mean what it said."""
    if isinstance(before, OntologyVersion) and before.state is OntologyState.LOCKED:
        if after is None:
            yield f"ontology version {before.number} is locked and stays in the history of every label"
        elif isinstance(after, OntologyVersion) and _differ(before, after, ("text", "sha256", "number")):
            yield f"ontology version {before.number} is locked: change a draft of the next version"
