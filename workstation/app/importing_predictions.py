"""Predictions made elsewhere, read from JSON Lines or COCO results, row by row (``bringing_predictions.py``).

Nothing here is believed: each row is checked by itself; what cannot be used is left out with its place and reason, and
the rest comes in. A class that the ontology does not know by id or name is listed, never guessed. Whatever it was that
made them, they land as proposed, from a model whose name, version and weights the file or the caller states. The
same prediction of the same model does not come twice, nor back once somebody has rejected it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.annotation import Annotation, Source, SourceKind, State
from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded
from workstation.core.geometry import Box, Cuboid, Shape, Span, Tag, kind_of, shape_problems
from workstation.core.proposals import CALLED
from workstation.core.sample import Stream, StreamKind
from workstation.core.untrusted import MOST_JSON_BYTES, Found, parse_json_lines, read_json
from workstation.media.base import TimedReader

MOST_LEFT_OUT = 200
"""Reasons kept; more are only counted."""
_PICTURES = frozenset({StreamKind.IMAGE, StreamKind.VIDEO})
_DRAFT = "draft"
"""Of a text that a model drafted: which words they were, however they are edited later."""
_NEAR_NS = 2_000_000
"""A stated time this near to a picture's own is that picture's."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What was read and what was not. The caller passes it in and shows it."""

    read: int = 0
    known: int = 0
    """There already, or rejected before."""
    unmapped: Counter[str] = field(default_factory=Counter)
    """Foreign classes that nothing is mapped to, and how often."""
    reasons: list[str] = field(default_factory=list)
    left_out: int = 0

    def leave_out(self, error: Exception) -> None:
        """One row cannot be used."""
        self.left_out += 1
        if len(self.reasons) < MOST_LEFT_OUT:
            self.reasons.append(str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Who is said to have made predictions."""

    name: str
    version: str = ""
    weights_sha256: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One row, checked: on a stream of the project, in its own time."""

    stream: Stream
    class_id: str
    shape: Shape
    score: float
    start_ns: int | None
    end_ns: int | None
    item: str | None
    frame: str | None
    text: str | None
    source: Source
    language: str | None = None


class _Unusable(DataError):
    """One row that cannot be used; the rest may be."""


class Target:
    """One sample, as rows name its streams, pictures and classes."""

    def __init__(self, view: SampleView, readers: OpenStreams, classes: Mapping[str, str]) -> None:
        """``classes``: foreign name to class id, beside the ids and names of the ontology itself."""
        self.view, self._readers = view, readers
        known = {} if view.ontology is None else view.ontology.classes
        for foreign, class_id in classes.items():
            if class_id not in known:
                raise UserError(f"--class {foreign}={class_id}: the ontology has no class {class_id!r}")
        names = {text.casefold(): each for each, one in known.items() for text in one.names.values()}
        self._classes = {**names, **{each.casefold(): each for each in known}}
        self._classes |= {foreign.casefold(): class_id for foreign, class_id in classes.items()}
        self._tables: dict[str, tuple[int, ...]] = {}

    def class_id(self, foreign: str) -> str | None:
        """The class that is called so, if one is."""
        return self._classes.get(foreign.strip().casefold())

    def stream(self, row: Found, key: str | None) -> Stream:
        """The stream of that key; the only one with pictures where none is named."""
        if key is not None:
            found = self.view.stream_by_key(key)
            if found is None:
                _refuse(row, f"names stream {key[:80]!r}, which {self.view.sample.key} does not have")
            return found
        pictures = [each for each in self.view.streams.values() if each.kind in _PICTURES]
        if len(pictures) != 1:
            _refuse(row, "names no stream, and the sample has not just one with pictures")
        return pictures[0]

    def stream_of_file(self, name: str) -> tuple[Stream, int] | None:
        """The stream that shows a file of that name, and which of its items it is."""
        wanted = name.replace("\\", "/").rpartition("/")[2]
        for stream in self.view.streams.values():
            for number, each in enumerate(stream.files):
                path = each.path.replace("\\", "/")
                if path.rpartition("/")[2] == wanted and stream.kind in _PICTURES:
                    return stream, number
        return None

    def time_of(self, row: Found, stream: Stream, index: int) -> int | None:
        """The time of a picture or sweep by its number; ``None`` for a picture without a time."""
        times = self.times(stream)
        if not times and index == 0:
            return None
        if not 0 <= index < len(times):
            _refuse(row, f"names frame {index} of {stream.key}, which has {len(times)}")
        return times[index]

    def times(self, stream: Stream) -> tuple[int, ...]:
        """The times of its items; empty of what has none or cannot be read."""
        if stream.id not in self._tables:
            reader = self._readers.reader(stream)
            timed = isinstance(reader, TimedReader) and not (stream.kind is StreamKind.IMAGE and len(stream.files) == 1)
            self._tables[stream.id] = tuple(reader.table.times_ns.tolist()) if timed else ()  # type: ignore[attr-defined]
        return self._tables[stream.id]


def read_lines(path: Path, target: Target, report: Report, *, model: Model | None = None) -> list[Prediction]:
    """JSON Lines, one prediction a line (manual, Predictions). ``DataError`` where the file as a whole is unusable."""
    found: list[Prediction] = []
    stated = model
    for row in parse_json_lines(read_bounded(path, MOST_JSON_BYTES), path=path):
        try:
            if row.has("model") and not row.has("class"):
                stated = model or _model(row["model"])
                continue
            sample = row.get("sample")
            if sample is not None and sample.text() != target.view.sample.key:
                continue
            made = _line(row, target, report, model or (_model(row["model"]) if row.has("model") else stated))
        except DataError as error:
            report.leave_out(error)
        else:
            if made is not None:
                found.append(made)
    return found


def read_coco(
    path: Path, target: Target, report: Report, *, model: Model, images: Path | None = None
) -> list[Prediction]:  # fmt: skip
    """COCO results: a list of ``image_id``, ``category_id``, ``bbox`` and ``score``. ``images`` is the COCO file with
    the pictures and categories that these numbers mean; without it numbers stand for file names and class names."""
    rows = read_json(path)
    if isinstance(rows.value, dict):
        rows = rows["annotations"] if rows.has("annotations") else rows["results"]
    files, names = _numbers(images) if images is not None else ({}, {})
    found: list[Prediction] = []
    for row in rows:
        try:
            made = _coco_row(row, target, report, model, files, names)
        except DataError as error:
            report.leave_out(error)
        else:
            if made is not None:
                found.append(made)
    return found


def new_ones(view: SampleView, predictions: Iterable[Prediction], report: Report) -> list[Prediction]:
    """Those that the same model has not said before; the others are counted."""
    there = {_key_of(each) for each in view.annotations.values() if each.source.kind is SourceKind.MODEL}
    new = []
    for each in predictions:
        key = (
            str(each.stream.id), each.class_id, each.source.name, each.start_ns, each.item,
            _rounded(each.shape, str(each.source.parameters.get(_DRAFT, ""))),
        )  # fmt: skip
        if key in there:
            report.known += 1
        else:
            there.add(key)
            new.append(each)
    return new


def arguments_of(each: Prediction) -> dict[str, Any]:
    """For the command ``annotation.add``: proposed, by the model that is said to have made it."""
    return {
        "stream": each.stream.id, "class_id": each.class_id, "shape": msgspec.to_builtins(each.shape),
        "start_ns": each.start_ns, "end_ns": each.end_ns, "item": each.item, "frame": each.frame, "text": each.text,
        "language": each.language, "state": State.PROPOSED, "source": each.source, "confidence": each.score,
    }  # fmt: skip


def _key_of(each: Annotation) -> tuple[Any, ...]:
    shape = None if each.shape is None else _rounded(each.shape, str(each.source.parameters.get(_DRAFT, "")))
    return (str(each.stream or ""), each.class_id, each.source.name, each.start_ns, each.item, shape)


def _rounded(shape: Shape, draft: str) -> str:
    """A shape to the hundredth: what is nearer than that is the same prediction again; a draft goes by its words."""
    if isinstance(shape, Tag):
        return f"tag {draft}"
    if isinstance(shape, Box):
        return f"box {shape.x:.2f} {shape.y:.2f} {shape.width:.2f} {shape.height:.2f}"
    if isinstance(shape, Cuboid):
        return "cuboid " + " ".join(f"{value:.2f}" for value in (*shape.center, *shape.size, *shape.rotation))
    return type(shape).__name__


# --- JSON Lines ---------------------------------------------------------------------------------------------------


def _line(row: Found, target: Target, report: Report, model: Model | None) -> Prediction | None:
    if model is None:
        _refuse(row, 'does not say which model made it: give --model, or begin with a line {"model": {"name": …}}')
    foreign = row["class"].text()
    class_id = target.class_id(foreign)
    report.read += 1
    if class_id is None:
        report.unmapped[foreign[:80]] += 1
        return None
    key = row.get("stream")
    stream = target.stream(row, None if key is None else key.text())
    shape, start_ns, end_ns = _shape(row, target, stream)
    item, frame, text = row.get("item"), row.get("frame_name"), row.get("text")
    said = None if text is None else text.text()[:20_000]
    more = {_DRAFT: sha256((said or "").encode()).hexdigest()[:16]} if isinstance(shape, Tag) else {}
    return _checked(row, Prediction(
        stream=stream, class_id=class_id, shape=shape, score=_score(row), start_ns=start_ns, end_ns=end_ns,
        item=None if item is None else item.text()[:200],
        frame=frame.text()[:200] if frame is not None else stream.frame if isinstance(shape, Cuboid) else None,
        text=said, language=_language(row), source=_source(model, row, foreign, **more),
    ), target)  # fmt: skip


def _shape(row: Found, target: Target, stream: Stream) -> tuple[Shape, int | None, int | None]:
    """What is drawn, and from when to when in the stream's own time."""
    if row.has("box"):
        x, y, width, height = row["box"].numbers(4)
        time_ns = _time(row, target, stream)
        return Box(x, y, width, height), time_ns, time_ns
    if row.has("cuboid"):
        solid = row["cuboid"]
        x, y, z = solid["center"].numbers(3)
        length, width, height = solid["size"].numbers(3)
        turn = solid.get("rotation")
        w, a, b, c = (1.0, 0.0, 0.0, 0.0) if turn is None else turn.numbers(4)
        norm = (w * w + a * a + b * b + c * c) ** 0.5
        if not 0.5 < norm < 2.0:
            _refuse(row, "has a rotation that is no quaternion (w, x, y, z)")
        time_ns = _time(row, target, stream)
        rotation = (w / norm, a / norm, b / norm, c / norm)
        return Cuboid((x, y, z), (length, width, height), rotation), time_ns, time_ns
    if row.has("start_s", "end_s"):
        start_ns, end_ns = row["start_s"].seconds_ns(), row["end_s"].seconds_ns()
        if end_ns < start_ns:
            _refuse(row, "ends before it begins")
        return Span(), start_ns, end_ns
    text = row.get("text")
    if text is None or not text.text().strip():
        _refuse(row, "has neither box, nor cuboid, nor start_s and end_s, nor text")
    return Tag(), None, None  # what a model drafts about the whole


def _time(row: Found, target: Target, stream: Stream) -> int | None:
    """By the number of the picture or sweep, or by a time that must be one of the stream's own."""
    if row.has("frame"):
        return target.time_of(row, stream, row["frame"].whole())
    stated = row.get("time_ns")
    time_ns = stated.whole() if stated is not None else None
    if time_ns is None and row.has("time_s"):
        time_ns = row["time_s"].seconds_ns()
    times = target.times(stream)
    if time_ns is None:
        if len(times) > 1:
            _refuse(row, f"does not say which picture of {stream.key} it is in: give frame, time_ns or time_s")
        return times[0] if times else None
    near = min(times, key=lambda each: abs(each - time_ns), default=None)
    if near is None or abs(near - time_ns) > _NEAR_NS:
        where = "it has none with a time" if near is None else f"the nearest is {abs(near - time_ns) / 1e6:.1f} ms away"
        _refuse(row, f"is at a time at which {stream.key} has no picture or sweep: {where}")
    return near


def _language(row: Found) -> str | None:
    stated = row.get("language")
    return None if stated is None else stated.text().strip()[:35] or None


def _score(row: Found) -> float:
    score = row["score"].number()
    if not 0 <= score <= 1:
        _refuse(row, f"has a score of {score:g}; it must lie between 0 and 1")
    return score


def _model(found: Found) -> Model:
    said = {name: found.get(name) for name in ("version", "weights_sha256", "device")}
    texts = {name: "" if value is None else value.text()[:200] for name, value in said.items()}
    name = found["name"].text().strip()[:200]
    if not name:
        found.fail("must name the model")
    return Model(name=name, **texts)


def _source(model: Model, row: Found, foreign: str, **more: str) -> Source:
    return Source(
        kind=SourceKind.MODEL, name=model.name, version=model.version, weights_sha256=model.weights_sha256,
        device=model.device, parameters={"imported_from": Path(row.path).name, CALLED: foreign[:200], **more},
    )  # fmt: skip


def _checked(row: Found, made: Prediction, target: Target) -> Prediction:
    problem = next(iter(shape_problems(made.shape)), None)
    if problem is not None:
        _refuse(row, f"cannot be drawn: {problem}")
    kind = kind_of(made.shape)
    if not target.view.may_be_drawn(made.class_id, made.stream.id, frozenset({kind})):
        _refuse(row, f"class '{made.class_id}' may not be drawn as {kind.value} on {made.stream.key}")
    return made


def _refuse(row: Found, reason: str) -> NoReturn:
    raise _Unusable(reason, path=row.path, place=row.place or None)


# --- COCO results -------------------------------------------------------------------------------------------------


def _numbers(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """File names of pictures and names of categories, by the numbers that COCO results use."""
    found = read_json(path)
    files = {str(each["id"].value): each["file_name"].text() for each in found["images"]}
    names = {str(each["id"].value): each["name"].text() for each in found["categories"]}
    return files, names


def _coco_row(
    row: Found, target: Target, report: Report, model: Model, files: Mapping[str, str], names: Mapping[str, str]
) -> Prediction | None:  # fmt: skip
    number, category = str(row["image_id"].value), str(row["category_id"].value)
    if files and number not in files:
        _refuse(row, f"names image {number[:40]}, which the file of images does not have")
    shown = target.stream_of_file(files.get(number, number))
    if shown is None:
        return None  # a picture of another sample
    report.read += 1
    foreign = names.get(category, category)
    class_id = target.class_id(foreign)
    if class_id is None:
        report.unmapped[foreign[:80]] += 1
        return None
    stream, index = shown
    x, y, width, height = row["bbox"].numbers(4)
    time_ns = target.time_of(row, stream, index) if len(stream.files) > 1 else None
    return _checked(row, Prediction(
        stream=stream, class_id=class_id, shape=Box(x, y, width, height), score=_score(row), start_ns=time_ns,
        end_ns=time_ns, item=None, frame=None, text=None,
        source=_source(model, row, foreign),
    ), target)  # fmt: skip


def unmapped_rows(report: Report) -> Iterator[str]:
    """The classes that nothing is mapped to, most frequent first, with how to map them."""
    for foreign, count in report.unmapped.most_common():
        yield f"{foreign}: {count} left out; map it with --class {foreign}=CLASS"
