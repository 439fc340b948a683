"""How a sample travels through the work: started, submitted, returned, approved, quarantined; and its gates."""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.arguments import PersonRef, SampleRef
from workstation.commands.reading import fetch
from workstation.commands.registry import command, needs_sample
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Comment, CommentState, State, TargetKind
from workstation.core.described import lacks_sentence
from workstation.core.errors import UserError
from workstation.core.ids import RecordId, SampleId
from workstation.core.proposals import is_proposal, unseen
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.sample import Gate, GateState, QueueItem, QueueState, Sample, SampleState

_S = SampleState
_WORDS = {state: state.value.replace("_", " ") for state in SampleState}


@command("sample.assign", title="Assign sample", right=Right.MANAGE_SAMPLES, enabled=needs_sample)
def assign(tx: Transaction, *, sample: SampleRef, person: PersonRef | None = None) -> None:
    """Give a sample to a person, or to nobody.

    person: who works on it; left out, nobody
    """
    tx.put(replace(fetch(tx, Sample, sample), assigned_to=person))


@command("sample.start", title="Start work", right=Right.LABEL, enabled=needs_sample)
def start(tx: Transaction, *, sample: SampleRef) -> None:
    """Begin or take up work on a new or returned sample."""
    _go(tx, sample, SampleState.IN_PROGRESS, from_=(_S.NEW, _S.RETURNED))


@command("sample.submit", title="Submit", shortcut="Ctrl+Return", right=Right.LABEL, enabled=needs_sample)
def submit(tx: Transaction, *, sample: SampleRef) -> None:
    """Hand a sample in for review; refused with the list of what is missing."""
    missing = missing_for_submission(tx, fetch(tx, Sample, sample))
    if missing:
        raise UserError("not ready to submit: " + "; ".join(missing))
    _go(tx, sample, SampleState.SUBMITTED, from_=(_S.NEW, _S.IN_PROGRESS, _S.RETURNED))


@command("sample.return", title="Return", shortcut="X", right=Right.REVIEW, enabled=needs_sample)
def give_back(tx: Transaction, *, sample: SampleRef, reason: str) -> RecordId:
    """Send a submitted sample back with a comment that says why; it opens on that comment.

    reason: what is to be mended
    """
    if not reason.strip():
        raise UserError("a sample is returned with a reason")
    return _remark(tx, _go(tx, sample, SampleState.RETURNED, from_=(_S.SUBMITTED, _S.APPROVED)), reason)


@command("sample.approve", title="Approve", shortcut="A", right=Right.REVIEW, enabled=needs_sample)
def approve(tx: Transaction, *, sample: SampleRef) -> None:
    """Approve a submitted sample; refused while links in it are stale."""
    old = fetch(tx, Sample, sample)
    stale = len({end.link.id for end in tx.stale_links(old.id)})
    if stale:
        raise UserError(f"sample {old.key} has {stale} stale links; look at them first (list stale, link.confirm)")
    _go(tx, sample, SampleState.APPROVED, from_=(_S.SUBMITTED,))


@command("sample.reopen", title="Reopen", right=Right.REVIEW, enabled=needs_sample)
def reopen(tx: Transaction, *, sample: SampleRef) -> None:
    """Take work on a submitted, approved or quarantined sample up again."""
    _go(tx, sample, SampleState.IN_PROGRESS, from_=(_S.SUBMITTED, _S.APPROVED, _S.QUARANTINED))


@command("sample.quarantine", title="Quarantine", right=Right.REVIEW, enabled=needs_sample)
def quarantine(tx: Transaction, *, sample: SampleRef, reason: str) -> RecordId:
    """Set a sample aside as worse than useless, with a comment that says why; it is left out of every export until
    it is reopened.

    reason: why
    """
    if not reason.strip():
        raise UserError("a sample is quarantined with a reason")
    old = _go(tx, sample, SampleState.QUARANTINED, from_=tuple(state for state in _S if state is not _S.QUARANTINED))
    return _remark(tx, old, reason)


def _remark(tx: Transaction, sample: Sample, text: str) -> RecordId:
    comment = Comment(
        id=RecordId(tx.new_id()),
        sample=sample.id,
        target_kind=TargetKind.SAMPLE,
        target=sample.id,
        text=text,
        person=reviewer(tx),
        addressed_to=sample.assigned_to or "",
    )
    tx.put(comment)
    return comment.id


def missing_for_submission(tx: Transaction, sample: Sample) -> list[str]:
    """What keeps a sample from being submitted, one phrase each."""
    project = tx.project()
    unsure = [name for name, gate in sample.gates.items() if gate.state is GateState.UNVERIFIED]
    proposals = sum(1 for each in tx.annotations(sample.id) if is_proposal(each) and not unseen(project, each))
    proposed_links = sum(1 for each in tx.links(sample.id) if each.state is State.PROPOSED)
    waiting = sum(
        1
        for item in tx.records(RecordKind.QUEUE_ITEM, sample=sample.id)
        if isinstance(item, QueueItem) and item.state is QueueState.OPEN
    )
    comments = sum(1 for each in tx.comments(sample.id) if not each.question and each.state is CommentState.OPEN)
    counted = {
        "proposals are neither accepted nor rejected": proposals + proposed_links,
        "links are stale": len({end.link.id for end in tx.stale_links(sample.id)}),
        "sounds lack the sentence that says how they come from their source": sum(
            1 for each in tx.links(sample.id) if lacks_sentence(each)
        ),
        "questions after an ontology change wait for an answer": waiting,
        "comments are not resolved": comments,
    }
    return [f"gate {name} is not verified" for name in unsure] + [
        f"{count} {words}" for words, count in counted.items() if count
    ]


@command("gate.set", title="Set gate", right=Right.CHANGE_SYNC, enabled=needs_sample)
def set_gate(tx: Transaction, *, sample: SampleRef, gate: str, state: GateState, reason: str = "") -> None:
    """Record whether something that must be sure before labelling is sure. Waiving is an act of its own.

    gate: sync, calibration, or another gate of the project
    state: unverified, declared, verified or not_needed
    reason: the evidence, in words
    """
    if state is GateState.WAIVED:
        raise UserError("a gate is waived with gate.waive, which asks for the right to sign a waiver")
    if state is GateState.NOT_NEEDED and gate == "sync" and _has_many_streams(tx, sample):
        raise UserError("a sample with several streams has clocks to verify; waive the gate if it must be passed")
    _set_gate(tx, sample, gate, Gate(state=state, person=tx.actor.name, reason=reason))


@command("gate.waive", title="Sign waiver", right=Right.SIGN_WAIVER, enabled=needs_sample)
def waive(tx: Transaction, *, sample: SampleRef, gate: str, reason: str) -> None:
    """Let labelling begin without a gate, on somebody's word, with the reason.

    gate: sync, calibration, or another gate of the project
    """
    if not reason.strip():
        raise UserError("a waiver is signed with a reason")
    _set_gate(tx, sample, gate, Gate(state=GateState.WAIVED, person=tx.actor.name, reason=reason))


def _set_gate(tx: Transaction, sample: str, name: str, gate: Gate) -> None:
    if not name.isidentifier():
        raise UserError(f"a gate has a plain name such as sync, not {name[:40]!r}")
    old = fetch(tx, Sample, sample)
    tx.put(replace(old, gates={**old.gates, name: gate}))


def _has_many_streams(tx: Transaction, sample: SampleId) -> bool:
    return len(list(tx.streams(sample))) > 1


def _go(tx: Transaction, sample: str, to: SampleState, *, from_: tuple[SampleState, ...]) -> Sample:
    old = fetch(tx, Sample, sample)
    if old.state not in from_:
        able = ", ".join(_WORDS[state] for state in from_)
        raise UserError(f"sample {old.key} is {_WORDS[old.state]}; only {able} samples can become {_WORDS[to]}")
    tx.put(replace(old, state=to))
    return old


def reviewer(tx: Transaction) -> RecordId:
    """The person who acts; what is said under a name needs one."""
    if tx.actor.person is None:
        raise UserError("say who you are: this is recorded under a person's name")
    return tx.actor.person
