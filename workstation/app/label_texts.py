"""Models over texts: names and other parts of streams of text and of what is said in turns, as proposed text spans.

Three who find them: a graph with its tokenizer, a spaCy folder that a person trusts, and a task that a plug-in brings.
A part of a turn lies on the turn's own words and moves with them. Each text is stored as it is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from workstation.app.known_models import TEXT_TASK, plugins_of_models
from workstation.app.label_records import labelled, looked_at
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.reading import Formats
from workstation.app.spacy_folders import SPACY
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded
from workstation.core.sample import StreamKind
from workstation.media.base import TextReader
from workstation.prelabel.api import BadOutput, FoundText, PieceOfText
from workstation.prelabel.api import Task as ModelTask
from workstation.prelabel.onnx_read import read_signature
from workstation.prelabel.texts_entities import FAMILY, SpacyEntities, TokenClassifier, open_spacy
from workstation.prelabel.texts_tokens import read_tokenizer
from workstation.prelabel.worker import Worker

_PART = 20_000
"""Code points looked at in one go; a longer text is cut at a line."""
_PARTS_A_CHUNK = 16
_MOST_CONFIG = 4 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A text, or a part of a long one: where it begins in its text, and the turn or note whose text it is."""

    text: str
    start: int
    of: str | None
    language: str


class TextLabeller:
    """Parts of texts."""

    tasks = frozenset({ModelTask.NER})
    kinds = frozenset({StreamKind.TEXT, StreamKind.TURNS, StreamKind.AUDIO})
    follows_labels = True

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """The stream's own text first, then that of turns and notes, the oldest first."""
        pieces, foreign = _known(assignment, list(_pieces(assignment)))
        notes = [f"{count} not looked at, as they are in {name}" for name, count in foreign.items()]
        total = len(pieces)
        if assignment.position >= total:
            yield Chunk(position=max(1, total), done=max(1, total), total=max(1, total), notes=tuple(notes))
            return
        with _finder(assignment, cancelled) as find:
            calls: list[Call] = []
            left_out: Counter[str] = Counter()
            for number in range(assignment.position, total):
                if cancelled():
                    return
                calls += _calls(assignment, pieces[number], find(pieces[number].text), left_out)
                if (number + 1) % _PARTS_A_CHUNK == 0 or number + 1 == total:
                    yield Chunk(
                        position=number + 1, done=number + 1, total=total, calls=tuple(calls),
                        left_out=dict(left_out), notes=tuple(notes),
                    )  # fmt: skip
                    calls, notes = [], []
                    left_out.clear()


LABELLER = TextLabeller()


def _pieces(assignment: Assignment) -> Iterator[Piece]:
    stream = assignment.stream
    if stream.kind is not StreamKind.AUDIO:
        with OpenStreams(assignment.project, readers=Formats().readers) as readers:
            reader = readers.reader(stream)
            if not isinstance(reader, TextReader):
                raise DataError("is no text", path=stream.key)
            yield from _cut(reader.text, None, stream.language)
    with labelled(assignment) as view:
        for each in looked_at(assignment, view):
            if each.text:
                yield from _cut(each.text, each.id, each.language or stream.language)


def _cut(text: str, of: str | None, language: str) -> Iterator[Piece]:
    start = 0
    while start < len(text):
        stop = min(len(text), start + _PART)
        if stop < len(text):
            line = text.rfind("\n", start, stop) + 1 or text.rfind(" ", start, stop) + 1
            stop = line if line > start else stop
        if not text[start:stop].isspace():
            yield Piece(text[start:stop], start, of, language)
        start = stop


def _known(assignment: Assignment, pieces: Sequence[Piece]) -> tuple[list[Piece], Counter[str]]:
    """Those in the languages the model knows, where it says which; and how many are in others."""
    said = assignment.model.manifest.options.get("languages")
    known = {str(each).casefold() for each in said} if isinstance(said, list | tuple) else set()
    foreign = Counter(
        each.language for each in pieces if known and each.language and _short(each.language) not in known
    )
    return [each for each in pieces if each.language not in foreign], foreign


def _short(language: str) -> str:
    return language.partition("-")[0].casefold()


def _calls(
    assignment: Assignment, piece: Piece, found: Sequence[FoundText], left_out: Counter[str]
) -> Iterator[Call]:  # fmt: skip
    for each in found:
        class_id = assignment.classes.get(each.label)
        if not 0 <= each.start < each.stop <= len(piece.text):
            raise BadOutput(f"a part from {each.start} to {each.stop} of a text of {len(piece.text)} letters")
        if class_id is None:
            left_out[each.label] += 1
            continue
        start, stop = piece.start + each.start, piece.start + each.stop
        quote = piece.text[each.start : each.stop]
        shape = {"kind": "text_span", "parts": [[start, stop]], "quote": quote, "of": piece.of}
        arguments: dict[str, Any] = {
            "stream": assignment.stream.id, "class_id": class_id, "kind": "text_span", "shape": shape
        }  # fmt: skip
        if assignment.model.manifest.family != SPACY:  # it gives no probability, so none is claimed
            arguments["confidence"] = min(1.0, max(0.0, float(each.score)))
        yield Call("annotation.add", arguments, called=each.label)


# --- who finds them -------------------------------------------------------------------------------------------------


@contextmanager
def _finder(assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[PieceOfText]:
    manifest = assignment.model.manifest
    if manifest.family == TEXT_TASK:
        yield _task(manifest.id)
    elif manifest.family == SPACY:
        yield _spacy(assignment).entities
    elif manifest.family == FAMILY:
        with ExitStack() as running:
            yield _graph(assignment, running, cancelled).entities
    else:
        raise UserError(f"{manifest.id} is of the family {manifest.family}, which finds nothing in texts")


def _task(name: str) -> PieceOfText:
    task = plugins_of_models().tasks.get(name)
    if task is None:
        raise UserError(f"the plug-in that brings {name!r} is not there any more")

    def find(text: str) -> Sequence[FoundText]:
        try:
            return list(task.find(text))
        except Exception as problem:  # the border to code that is not ours
            raise UserError(
                f"the plug-in that brings {name!r} failed: {type(problem).__name__}: {problem}"
            ) from problem

    return find


def _spacy(assignment: Assignment) -> SpacyEntities:
    model = assignment.model
    if not assignment.trusted:
        raise UserError(
            f"{model.manifest.id} is a spaCy folder, which may run code of its own when it is opened; if you trust "
            f"where it comes from, say so with --trust {model.manifest.id}"
        )
    return open_spacy(model.folder, trusted=True)


def _graph(assignment: Assignment, running: ExitStack, cancelled: Callable[[], bool]) -> TokenClassifier:
    model = assignment.model
    tokenizer = read_tokenizer(model.file("tokenizer"))
    signature = read_signature(model.file())
    runs = running.enter_context(
        Worker(model.file(), provider=assignment.providers[0], threads=assignment.threads, cancelled=cancelled)
    )
    return TokenClassifier(
        runs, tokenizer, _classes(assignment), name=model.manifest.id,
        inputs=tuple(port.name for port in signature.inputs),
        score=float(model.manifest.thresholds.get("score", 0.5)),
    )  # fmt: skip


class _Config(msgspec.Struct, frozen=True):
    id2label: dict[str, str] = {}


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(_Config)


def _classes(assignment: Assignment) -> tuple[str, ...]:
    """What the columns of the answer mean, B- and I- included: the model's ``config.json``, else what it lists as
    ``columns``, else its labels."""
    model = assignment.model
    columns = model.manifest.options.get("columns")
    if isinstance(columns, list | tuple):
        return tuple(str(each) for each in columns)
    if "config" not in model.manifest.files:
        return model.manifest.labels
    path: Path = model.file("config")
    try:
        named = _READ.decode(read_bounded(path, _MOST_CONFIG)).id2label
        return tuple(named[str(number)] for number in range(len(named)))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError) as problem:
        raise DataError(
            f"does not say what its classes are called: {problem}", path=path, place="id2label"
        ) from problem
