"""Editing the text of an annotation: a caption, a report, a turn. Spans over it are carried along in the same step.

Words of a transcript are in ``words.py``, cutting and joining turns in ``turns.py``; both write texts through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef, TargetRef
from workstation.commands.reading import fetch, ontology_number, state_after_edit
from workstation.commands.registry import command, needs_selection
from workstation.commands.removal import LinkPolicy, remove_labels
from workstation.commands.resolve import Target
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Word
from workstation.core.errors import UserError
from workstation.core.geometry import TextSpan
from workstation.core.ids import AnnotationId, RecordId
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.text_edits import edits_between, quote, rebased

STEP = 1024
"""Words are numbered this far apart, so that one can be put between two without touching the others."""


@command("text.edit", title="Edit text", right=Right.LABEL, enabled=needs_selection)
def edit(
    tx: Transaction,
    *,
    annotation: AnnotationRef,
    text: str,
    links: LinkPolicy = LinkPolicy.REFUSE,
    to: TargetRef | None = None,
    reason: str = "",
) -> None:
    """Change what a caption, a report or a turn says. Spans move with their words; times never move by typing.

    text: the whole new text
    links: what becomes of the links of spans whose text is gone: refuse, remove, retarget or absence
    to: the new end for retarget; for absence the stream or modality where the counterpart is missing
    reason: for absence, why there is no counterpart
    """
    old = fetch(tx, Annotation, annotation)
    if old.text is None:
        raise UserError(f"annotation {annotation} has no text")
    words = words_of(tx, old.id)
    if words:
        text = " ".join(text.split())
        if not text:
            raise UserError("a turn keeps at least one word; delete the annotation instead")
        _edit_words(tx, old.id, words, text.split(" "))
    write_text(tx, old, text, links=links, to=to, reason=reason)


def write_text(
    tx: Transaction,
    old: Annotation,
    text: str,
    *,
    links: LinkPolicy = LinkPolicy.REFUSE,
    to: Target | None = None,
    reason: str = "",
) -> None:
    """Write the new text and carry the spans over it along; a span whose text is gone is deleted."""
    edits = edits_between(old.text or "", text)
    state = state_after_edit(tx, old.state)
    tx.put(replace(old, text=text, state=state, ontology_version=ontology_number(tx)))
    lost: list[Annotation] = []
    for span in spans_over(tx, old):
        shape = span.shape
        assert isinstance(shape, TextSpan)
        parts = rebased(shape.parts, edits)
        if not parts:
            lost.append(span)
        elif parts != shape.parts or quote(text, parts) != shape.quote:
            tx.put(replace(span, shape=replace(shape, parts=parts, quote=quote(text, parts))))
    if lost:
        remove_labels(tx, lost, links=links, to=to, reason=reason)


def spans_over(tx: Transaction, annotation: Annotation) -> list[Annotation]:
    """The text spans anchored in an annotation's text."""
    return list(tx.annotations_on_text(annotation.id))


def words_of(tx: Transaction, annotation: AnnotationId) -> list[Word]:
    """The words of a turn, in order."""
    return sorted(tx.words(annotation), key=lambda word: word.position)


def _edit_words(tx: Transaction, annotation: AnnotationId, words: list[Word], texts: Sequence[str]) -> None:
    """Bring the words in line with a text typed as a whole: what was kept or changed keeps its time."""
    matcher = SequenceMatcher(None, [word.text for word in words], list(texts), autojunk=False)
    kept: list[Word | str] = []
    gone: list[Word] = []
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        both = min(i2 - i1, j2 - j1)
        kept.extend(replace(words[i1 + offset], text=texts[j1 + offset]) for offset in range(both))
        gone.extend(words[i1 + both : i2])
        kept.extend(texts[j1 + both : j2])
    for word in gone:
        remove_word(tx, word)
    current = {word.id: word for word in words_of(tx, annotation)}
    line = [each if isinstance(each, str) else replace(current[each.id], text=each.text) for each in kept]
    put_line(tx, annotation, line)


def remove_word(tx: Transaction, word: Word) -> None:
    """Delete a word; its time goes to its timed neighbours, half to each."""
    words = words_of(tx, word.annotation)
    at = next(i for i, each in enumerate(words) if each.id == word.id)
    before = words[at - 1] if at > 0 else None
    after = words[at + 1] if at + 1 < len(words) else None
    word = words[at]
    tx.delete(RecordKind.WORD, word.id)
    if word.start_ns is None or word.end_ns is None:
        return
    left = before if before is not None and before.end_ns is not None else None
    right = after if after is not None and after.start_ns is not None else None
    middle = (word.start_ns + word.end_ns) // 2
    if left is not None:
        tx.put(replace(left, end_ns=middle if right is not None else word.end_ns))
    if right is not None:
        tx.put(replace(right, start_ns=middle if left is not None else word.start_ns))


def put_line(tx: Transaction, annotation: AnnotationId, line: Sequence[Word | str]) -> list[RecordId]:
    """Write the words of a turn in this order; texts become new, untimed words. Answers the new ids."""
    made: list[RecordId] = []
    words: list[Word] = []
    for position, each in _positions(line):
        if isinstance(each, str):
            each = Word(id=RecordId(tx.new_id()), annotation=annotation, position=position, text=checked_word(each))
            made.append(each.id)
        words.append(replace(each, position=position))
    stored = {word.id: word for word in tx.words(annotation)}
    tx.put_many([word for word in words if stored.get(word.id) != word])
    return made


def _positions(line: Sequence[Word | str]) -> list[tuple[int, Word | str]]:
    """A position for each: the words' own where there is room for what comes between, else all are numbered anew."""
    result: list[tuple[int, Word | str]] = []
    last = 0
    for index, each in enumerate(line):
        if isinstance(each, Word):
            position = each.position
        else:
            following = next(((i, w.position) for i, w in enumerate(line[index:]) if isinstance(w, Word)), None)
            position = last + STEP if following is None else last + (following[1] - last) // (following[0] + 1)
        if position <= last:
            return [((i + 1) * STEP, each) for i, each in enumerate(line)]
        result.append((position, each))
        last = position
    return result


def checked_word(text: str) -> str:
    """A word is one piece of visible text."""
    if not text or any(char.isspace() for char in text) or not text.isprintable():
        raise UserError(f"a word is one piece of visible text without blanks, not {text[:40]!r}")
    return text
