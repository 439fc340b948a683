"""The words of a transcript. Typing never moves times; a new word is untimed until it is placed."""

from __future__ import annotations

from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef, TargetRef, WordRef
from workstation.commands.reading import fetch
from workstation.commands.registry import command, needs_selection
from workstation.commands.removal import LinkPolicy
from workstation.commands.text import checked_word, put_line, remove_word, words_of, write_text
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Word
from workstation.core.errors import UserError
from workstation.core.ids import AnnotationId, RecordId
from workstation.core.rights import Right


@command("word.insert", title="Insert word", right=Right.LABEL, enabled=needs_selection)
def insert(tx: Transaction, *, annotation: AnnotationRef, text: str, before: WordRef | None = None) -> RecordId:
    """Put a word into a turn. It is untimed until it is placed.

    text: the word, without blanks
    before: the word it stands before; left out, it comes last
    """
    turn = _turn(tx, annotation)
    words = words_of(tx, turn.id)
    at = len(words) if before is None else next((i for i, w in enumerate(words) if w.id == before), -1)
    if at < 0:
        raise UserError(f"word {before} is not in annotation {annotation}")
    (made,) = put_line(tx, turn.id, [*words[:at], checked_word(text), *words[at:]])
    _rewrite(tx, turn)
    return made


@command("word.edit", title="Edit word", right=Right.LABEL, enabled=needs_selection)
def edit(tx: Transaction, *, word: WordRef, text: str) -> None:
    """Change what a word says; its time stays.

    word: the word: its id or the beginning of it
    text: the new word, without blanks
    """
    old = fetch(tx, Word, word)
    tx.put(replace(old, text=checked_word(text), probability=None))
    _rewrite(tx, fetch(tx, Annotation, old.annotation))


@command("word.delete", title="Delete words", right=Right.LABEL, enabled=needs_selection)
def delete(
    tx: Transaction,
    *,
    words: tuple[WordRef, ...],
    links: LinkPolicy = LinkPolicy.REFUSE,
    to: TargetRef | None = None,
    reason: str = "",
) -> None:
    """Delete words; their time goes to their neighbours.

    words: the words: ids or the beginnings of them
    links: what becomes of the links of spans whose text is gone: refuse, remove, retarget or absence
    to: the new end for retarget; for absence the stream or modality where the counterpart is missing
    reason: for absence, why there is no counterpart
    """
    turns: dict[AnnotationId, None] = {}
    for word_id in dict.fromkeys(words):
        word = fetch(tx, Word, word_id)
        turns[word.annotation] = None
        remove_word(tx, word)
    for turn in turns:
        annotation = fetch(tx, Annotation, turn)
        remaining = words_of(tx, turn)
        if not remaining:
            raise UserError(f"annotation {turn} would be left without a word; delete the annotation instead")
        text = " ".join(word.text for word in remaining)
        write_text(tx, annotation, text, links=links, to=to, reason=reason)


@command("word.place", title="Place word", right=Right.LABEL, enabled=needs_selection)
def place(tx: Transaction, *, word: WordRef, start_ns: int, end_ns: int) -> None:
    """Give a word its time, inside its turn and between its timed neighbours.

    word: the word: its id or the beginning of it
    start_ns: where it begins, in the stream's own time
    end_ns: where it ends, half-open
    """
    old = fetch(tx, Word, word)
    turn = fetch(tx, Annotation, old.annotation)
    words = words_of(tx, turn.id)
    at = next(i for i, each in enumerate(words) if each.id == old.id)
    earliest = max((w.end_ns for w in words[:at] if w.end_ns is not None), default=turn.start_ns)
    latest = min((w.start_ns for w in words[at + 1 :] if w.start_ns is not None), default=turn.end_ns)
    if end_ns <= start_ns:
        raise UserError(f"a word must end after it begins, not last from {start_ns} to {end_ns} ns")
    if (earliest is not None and start_ns < earliest) or (latest is not None and end_ns > latest):
        raise UserError(f"{old.text!r} must lie between {earliest} and {latest} ns, its neighbours' times")
    tx.put(replace(old, start_ns=start_ns, end_ns=end_ns))


def _turn(tx: Transaction, annotation: AnnotationId) -> Annotation:
    turn = fetch(tx, Annotation, annotation)
    if turn.text is None:
        raise UserError(f"annotation {annotation} has no text")
    if turn.text and not words_of(tx, annotation):
        raise UserError(f"annotation {annotation} is not kept word by word; change it with text.edit")
    return turn


def _rewrite(tx: Transaction, turn: Annotation) -> None:
    write_text(tx, turn, " ".join(word.text for word in words_of(tx, turn.id)))
