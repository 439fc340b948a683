"""What people say about labels: verdicts, comments and questions, decisions on findings, answers to the queue."""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.answers import answer_question
from workstation.commands.arguments import CommentRef, QueueRef, SampleRef, TargetRef, VerdictRef
from workstation.commands.reading import fetch
from workstation.commands.registry import command, needs_sample, needs_selection
from workstation.commands.resolve import Target
from workstation.commands.transaction import Transaction
from workstation.commands.work import reviewer
from workstation.core.annotation import (
    Comment,
    CommentState,
    DecisionValue,
    FindingDecision,
    TargetKind,
    Verdict,
    VerdictLevel,
    VerdictValue,
)
from workstation.core.errors import UserError
from workstation.core.findings import causes_of
from workstation.core.ids import RecordId
from workstation.core.records import RecordKind
from workstation.core.rights import Right, refusal
from workstation.core.sample import QueueItem

_RIGHT_OF_DECISION = {DecisionValue.WAIVED: Right.SIGN_WAIVER, DecisionValue.CONFIRMED: Right.CONFIRM_FINDING}


@command("verdict.add", title="Verdict", right=Right.REVIEW, enabled=needs_selection)
def add_verdict(
    tx: Transaction,
    *,
    sample: SampleRef,
    target: TargetRef,
    value: VerdictValue,
    level: VerdictLevel = VerdictLevel.WITHIN,
    tier: int = 1,
    aspect: str = "",
    reason: str = "",
) -> RecordId:
    """Judge a label, a link or a sample as it stands now. A verdict never changes what it judges.

    target: what is judged
    value: approved, rejected or unsure
    level: within one modality, cross modalities, or holistic
    tier: which pass of review
    aspect: class, geometry, time, link, text, …
    reason: why; needed to reject
    """
    if value is VerdictValue.REJECTED and not reason.strip():
        raise UserError("a rejection needs a reason")
    made = Verdict(
        id=RecordId(tx.new_id()),
        sample=sample,
        target_kind=target.kind,
        target=target.id,
        target_revision=_revision_of(tx, target),
        level=level,
        tier=tier,
        aspect=aspect,
        value=value,
        reason=reason,
        person=reviewer(tx),
    )
    tx.put(made)
    return made.id


def _revision_of(tx: Transaction, target: Target) -> int:
    if target.kind is TargetKind.MODALITY:
        raise UserError("a verdict is on a label, a stream or a sample")
    info = tx.info(RecordKind(target.kind.value), target.id)
    if info is None:
        raise UserError(f"there is no {target.kind.value} {target.id}")
    return info.rev


@command("verdict.close", title="Close verdict", right=Right.CLOSE_VERDICT)
def close_verdict(tx: Transaction, *, verdict: VerdictRef) -> None:
    """Close a verdict: what it asked for is settled.

    verdict: the verdict: its id or the beginning of it
    """
    tx.put(replace(fetch(tx, Verdict, verdict), closed=True))


@command("comment.add", title="Comment", right=Right.COMMENT, enabled=needs_sample)
def add_comment(
    tx: Transaction,
    *,
    sample: SampleRef,
    text: str,
    target: TargetRef | None = None,
    addressed_to: str = "",
) -> RecordId:
    """Say something about a label, a link, a stream or the sample.

    text: the remark
    target: what it is about; left out, the sample
    addressed_to: a person's name or a role
    """
    return _say(tx, sample, text, target, addressed_to, question=False, reply_to=None)


@command("question.ask", title="Ask a question…", shortcut="U", right=Right.COMMENT, enabled=needs_sample)
def ask(
    tx: Transaction,
    *,
    sample: SampleRef,
    text: str,
    target: TargetRef | None = None,
    addressed_to: str = "",
) -> RecordId:
    """Ask about a label, a link, a stream or the sample, and go on working.

    text: the question
    target: what it is about; left out, the sample
    addressed_to: a person's name or a role
    """
    return _say(tx, sample, text, target, addressed_to, question=True, reply_to=None)


@command("comment.reply", title="Reply", right=Right.COMMENT)
def reply(tx: Transaction, *, comment: CommentRef, text: str, resolve: bool = False) -> RecordId:
    """Answer a comment or a question.

    comment: the comment: its id or the beginning of it
    text: the answer
    resolve: true to settle it with this
    """
    old = fetch(tx, Comment, comment)
    if resolve:
        tx.put(replace(old, state=CommentState.RESOLVED))
    target = Target(old.target_kind, old.target)
    return _say(tx, old.sample, text, target, old.person, question=False, reply_to=old.id, state=CommentState.RESOLVED)


@command("comment.resolve", title="Resolve comment", right=Right.COMMENT)
def resolve(tx: Transaction, *, comment: CommentRef) -> None:
    """Settle a comment or a question.

    comment: the comment: its id or the beginning of it
    """
    tx.put(replace(fetch(tx, Comment, comment), state=CommentState.RESOLVED))


def _say(
    tx: Transaction,
    sample: str,
    text: str,
    target: Target | None,
    addressed_to: str,
    *,
    question: bool,
    reply_to: RecordId | None,
    state: CommentState = CommentState.OPEN,
) -> RecordId:
    if not text.strip():
        raise UserError("a comment needs a text")
    about = target or Target(TargetKind.SAMPLE, sample)
    made = Comment(
        id=RecordId(tx.new_id()),
        sample=sample,  # type: ignore[arg-type]  # a sample's id
        target_kind=about.kind,
        target=about.id,
        text=text,
        person=reviewer(tx),
        addressed_to=addressed_to,
        question=question,
        reply_to=reply_to,
        state=state,
    )
    tx.put(made)
    return made.id


@command("finding.decide", title="Decide on finding", right=Right.LABEL, enabled=needs_sample)
def decide(
    tx: Transaction,
    *,
    sample: SampleRef,
    fingerprint: str,
    rule: str,
    decision: DecisionValue,
    reason: str = "",
    cause: str = "",
) -> RecordId:
    """Record what a person does about a finding. To confirm or to waive one takes a right of its own.

    fingerprint: the finding's stable fingerprint
    rule: the rule that found it
    decision: dismissed, confirmed, fixed or waived
    reason: why; needed to dismiss and to waive
    cause: what led to it, one of the usual causes or of the project's own (project.set)
    """
    right = _RIGHT_OF_DECISION.get(decision)
    refused = refusal(tx.actor, right) if right is not None else None
    if refused:
        raise UserError(refused)
    if decision in (DecisionValue.DISMISSED, DecisionValue.WAIVED) and not reason.strip():
        raise UserError(f"a finding is {decision.value} with a reason")
    project = tx.project()
    known = causes_of(() if project is None else project.causes)
    if cause and cause not in known:
        raise UserError(f"there is no cause {cause[:60]!r}; there are {', '.join(known)}, and the project may add some")
    earlier = [
        each
        for each in tx.records(RecordKind.FINDING_DECISION, sample=sample)
        if isinstance(each, FindingDecision) and each.fingerprint == fingerprint
    ]
    made = FindingDecision(
        id=earlier[0].id if earlier else RecordId(tx.new_id()),
        sample=sample,
        fingerprint=fingerprint,
        rule=rule,
        decision=decision,
        reason=reason,
        cause=cause,
        person=reviewer(tx),
    )
    tx.put(made)
    return made.id


@command("queue.answer", title="Answer", right=Right.LABEL)
def answer(tx: Transaction, *, item: QueueRef, answer: str, without: tuple[str, ...] = ()) -> None:
    """Answer a question that an ontology change left to a person: the label is kept, or changed as she says.

    item: the question: its id or the beginning of it
    answer: keep, or what the label becomes: a class, an option, a link type
    without: attributes to leave out because the new class has none such
    """
    answer_question(tx, fetch(tx, QueueItem, item), answer, without=without)
