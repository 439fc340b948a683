"""Turns of a transcript as a whole: adding, cutting at a word, joining, moving in time."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef, ClassRef, EntityRef, SampleRef, StreamRef, WordRef
from workstation.commands.reading import fetch, first_state, ontology_number, source_of, state_after_edit
from workstation.commands.registry import command, needs_sample, needs_selection
from workstation.commands.removal import LinkPolicy, remove_labels
from workstation.commands.resolve import Target
from workstation.commands.text import STEP, checked_word, spans_over, words_of
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, AttributeValue, Source, State, TargetKind, Word
from workstation.core.errors import UserError
from workstation.core.geometry import ShapeKind, Span, TextSpan
from workstation.core.ids import AnnotationId, RecordId
from workstation.core.records import RecordKind
from workstation.core.rights import Right


class SpokenWord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One word of a new turn."""

    text: str
    start_ns: int | None = None
    end_ns: int | None = None
    probability: float | None = None


@command("turn.add", title="Add turn", right=Right.LABEL, enabled=needs_sample)
def add(
    tx: Transaction,
    *,
    sample: SampleRef,
    stream: StreamRef,
    start_ns: int,
    end_ns: int,
    words: tuple[SpokenWord, ...] = (),
    text: str = "",
    class_id: ClassRef | None = None,
    entity: EntityRef | None = None,
    attributes: Mapping[str, AttributeValue] = {},
    language: str | None = None,
    state: State | None = None,
    layer: str = "main",
    source: Source | None = None,
    confidence: float | None = None,
) -> AnnotationId:
    """Add one turn of a transcript, word by word.

    start_ns: where it begins, in the stream's own time
    end_ns: where it ends, half-open
    words: a list of {"text": …, "start_ns": …, "end_ns": …, "probability": …}
    text: instead of words: what is said; its words are untimed
    language: the language, as de or en-GB
    state: proposed, draft, done, approved or rejected
    layer: whose pass this is
    source: where it comes from; the person unless said
    confidence: 0 to 1
    """
    spoken = words or tuple(SpokenWord(text=word) for word in text.split())
    if not spoken or (words and text):
        raise UserError("a turn needs its words or its text, and only one of them")
    made = Annotation(
        id=AnnotationId(tx.new_id()),
        sample=sample,
        stream=stream,
        entity=entity,
        class_id=class_id,
        kind=ShapeKind.SPAN,
        shape=Span(),
        start_ns=start_ns,
        end_ns=end_ns,
        attributes=attributes,
        text=" ".join(checked_word(word.text) for word in spoken),
        language=language,
        state=first_state(tx, state),
        layer=layer,
        source=source_of(tx, source),
        confidence=confidence,
        ontology_version=ontology_number(tx),
    )
    tx.put(made)
    tx.put_many(
        [
            Word(
                id=RecordId(tx.new_id()),
                annotation=made.id,
                position=(index + 1) * STEP,
                text=word.text,
                start_ns=word.start_ns,
                end_ns=word.end_ns,
                probability=word.probability,
            )
            for index, word in enumerate(spoken)
        ]
    )
    return made.id


@command("turn.split", title="Split turn", shortcut="Ctrl+Return", right=Right.LABEL, enabled=needs_selection)
def split(tx: Transaction, *, word: WordRef, at_ns: int | None = None) -> AnnotationId:
    """Cut a turn before a word. The first part keeps its id and links, the second is new; spans go with their words.

    word: the first word of the second part
    at_ns: the moment of the cut; left out, where that word begins
    """
    first_word = fetch(tx, Word, word)
    turn = fetch(tx, Annotation, first_word.annotation)
    words = words_of(tx, turn.id)
    index = next(i for i, each in enumerate(words) if each.id == first_word.id)
    if index == 0:
        raise UserError(f"{first_word.text!r} is the first word; there is nothing before it to cut off")
    cut_ns = _cut(turn, words, index, at_ns)
    left, right = (" ".join(each.text for each in part) for part in (words[:index], words[index:]))
    spans = spans_over(tx, turn)
    second = replace(
        turn,
        id=AnnotationId(tx.new_id()),
        start_ns=cut_ns,
        text=right,
        state=state_after_edit(tx, turn.state),
        source=source_of(tx),
        ontology_version=ontology_number(tx),
    )
    tx.put(second)
    tx.put(replace(turn, end_ns=cut_ns, text=left, state=state_after_edit(tx, turn.state)))
    _hand_over(tx, words[index:], to=second.id, after=0)
    _share_spans(tx, spans, cut=len(left) + 1, second=second.id)
    return second.id


def _cut(turn: Annotation, words: list[Word], index: int, at_ns: int | None) -> int:
    cut = at_ns if at_ns is not None else words[index].start_ns
    if cut is None:
        raise UserError(f"{words[index].text!r} has no time yet: place it, or say at_ns")
    earliest = max((w.end_ns for w in words[:index] if w.end_ns is not None), default=turn.start_ns)
    latest = min((w.start_ns for w in words[index:] if w.start_ns is not None), default=turn.end_ns)
    if (earliest is not None and cut < earliest) or (latest is not None and cut > latest):
        raise UserError(f"the cut must lie between {earliest} and {latest} ns, between the words")
    return cut


def _share_spans(tx: Transaction, spans: list[Annotation], *, cut: int, second: AnnotationId) -> None:
    for span in spans:
        shape = span.shape
        assert isinstance(shape, TextSpan)
        if shape.parts[-1][1] <= cut:
            continue
        if shape.parts[0][0] < cut:
            raise UserError(f"text span {span.id} ({shape.quote!r}) lies across the cut; shorten it first")
        parts = tuple((start - cut, end - cut) for start, end in shape.parts)
        tx.put(replace(span, shape=replace(shape, parts=parts, of=second)))


def _hand_over(tx: Transaction, words: list[Word], *, to: AnnotationId, after: int) -> None:
    """A word belongs to its turn for good, so a copy goes to the other one in its place."""
    for index, word in enumerate(words):
        tx.delete(RecordKind.WORD, word.id)
        tx.put(replace(word, id=RecordId(tx.new_id()), annotation=to, position=after + (index + 1) * STEP))


@command("turn.join", title="Join turns", shortcut="Ctrl+J", right=Right.LABEL, enabled=needs_selection)
def join(tx: Transaction, *, first: AnnotationRef, second: AnnotationRef) -> None:
    """Make one turn of two that follow each other. The earlier keeps its id and takes the words and links of the other.

    first: one turn
    second: the other, of the same stream and speaker
    """
    turns = [fetch(tx, Annotation, each) for each in (first, second)]
    one, two = sorted(turns, key=lambda turn: turn.start_ns or 0)
    if one.id == two.id or one.text is None or two.text is None:
        raise UserError("turn.join needs two turns with a text")
    for name in ("stream", "entity", "class_id", "layer", "language"):
        if getattr(one, name) != getattr(two, name):
            raise UserError(f"these turns differ in their {name.removesuffix('_id')} and cannot become one")
    spans, words = spans_over(tx, two), words_of(tx, two.id)
    last = max((word.position for word in words_of(tx, one.id)), default=0)
    _hand_over(tx, words, to=one.id, after=last)
    shift = len(one.text) + 1
    for span in spans:
        shape = span.shape
        assert isinstance(shape, TextSpan)
        parts = tuple((start + shift, end + shift) for start, end in shape.parts)
        tx.put(replace(span, shape=replace(shape, parts=parts, of=one.id)))
    ends = [turn.end_ns for turn in (one, two) if turn.end_ns is not None]
    tx.put(
        replace(
            one,
            text=f"{one.text} {two.text}",
            end_ns=max(ends, default=None),
            state=state_after_edit(tx, one.state),
            ontology_version=ontology_number(tx),
        )
    )
    remove_labels(tx, [two], links=LinkPolicy.RETARGET, to=Target(TargetKind.ANNOTATION, one.id), reason="")


@command("turn.shift", title="Shift turns…", right=Right.LABEL, enabled=needs_selection)
def shift(tx: Transaction, *, turns: tuple[AnnotationRef, ...], by_ns: int) -> None:
    """Move turns in time with all their words, and with the labels that quote them where those have times.

    turns: the turns, as the check speech.late names them
    by_ns: by how much, in the stream's own nanoseconds; negative is earlier
    """
    for reference in dict.fromkeys(turns):
        turn = fetch(tx, Annotation, reference)
        if turn.text is None or turn.start_ns is None or turn.end_ns is None:
            raise UserError(f"annotation {turn.id} is no turn with times; turn.shift moves turns and their words")
        for label in (turn, *spans_over(tx, turn)):
            if label.start_ns is None or label.end_ns is None:
                continue
            moved = replace(label, start_ns=label.start_ns + by_ns, end_ns=label.end_ns + by_ns)
            tx.put(replace(moved, state=state_after_edit(tx, label.state)))
        for word in words_of(tx, turn.id):
            if word.start_ns is not None and word.end_ns is not None:
                tx.put(replace(word, start_ns=word.start_ns + by_ns, end_ns=word.end_ns + by_ns))
