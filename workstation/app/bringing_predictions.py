"""Predictions of a file looked at over all samples, and then brought in: for ``predictions add`` and the window.

``looked_at`` runs on any thread, with a session to read from that is its own; ``bring`` belongs to the thread that owns
the session that writes. What comes in is written as the model that is said to have made it, in one group, so that the
history takes all of it back by one name. What is in a file and how it is checked is in ``importing_predictions.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from workstation.app.importing_predictions import (
    Model,
    Prediction,
    Report,
    Target,
    arguments_of,
    new_ones,
    read_coco,
    read_lines,
)
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.errors import UserError
from workstation.core.ids import IdSource, SampleId
from workstation.core.rights import ActorKind

FORMATS = ("jsonl", "coco")
AT_ONCE = 100
"""Stored in one step by the window, so that none of them is felt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A file, and what it does not say itself."""

    file: Path
    form: str | None = None
    """As the name ends where it is left open: ``.json`` is COCO."""
    images: Path | None = None
    """The COCO file that says which pictures and categories the numbers mean."""
    model: Model | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    sample: str | None = None

    @property
    def is_coco(self) -> bool:
        return (self.form or ("coco" if self.file.suffix.casefold() == ".json" else "jsonl")) == "coco"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """What would come into one sample."""

    sample: SampleId
    key: str
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the preview: so many of a class on a stream, and how sure they are on the average."""

    sample: str
    stream: str
    class_name: str
    count: int
    sure: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a file holds for this project. ``report`` says what was left out and why."""

    fresh: tuple[Fresh, ...]
    lines: tuple[Line, ...]
    report: Report
    barred: tuple[str, ...] = ()
    """Samples nothing can be written into, with the reason."""

    @property
    def count(self) -> int:
        return sum(len(each.predictions) for each in self.fresh)


def looked_at(session: Session, wish: Wish, *, tell: Callable[[int, int], None] = lambda *_: None) -> Looked:
    """Read the file against every sample. Raises where the file as a whole cannot be used."""
    if wish.is_coco and wish.model is None:
        raise UserError("COCO results do not say which model made them: give --model NAME")
    samples = [each for each in session.store.samples() if wish.sample in (None, each.key)]
    if not samples:
        raise UserError(f"there is no sample {wish.sample!r}" if wish.sample else "the project has no sample")
    report, fresh, lines, barred = Report(), list[Fresh](), list[Line](), list[str]()
    for number, sample in enumerate(samples):
        tell(number, len(samples))
        view = SampleView(session.store, sample.id)
        own = report if number == 0 else Report()  # what cannot be read at all is said once
        with OpenStreams(session.project.path, readers=Formats().readers) as readers:
            found = _read(wish, Target(view, readers, wish.classes), own)
        if own is not report:
            report.read, report.unmapped = report.read + own.read, report.unmapped + own.unmapped
        new = new_ones(view, found, report)
        reason = session.why_locked(sample.id) if new else None
        if reason is not None:
            barred.append(f"{sample.key}: {reason}")
        elif new:
            fresh.append(Fresh(sample=sample.id, key=sample.key, predictions=tuple(new)))
            lines += _lines(view, new)
    return Looked(fresh=tuple(fresh), lines=tuple(lines), report=report, barred=tuple(barred))


def new_group() -> str:
    """The name of one import in the history."""
    return f"predictions-{IdSource().new()}"


def portions(looked: Looked, most: int = AT_ONCE) -> Iterator[Fresh]:
    """The same in pieces that can each be stored at once."""
    for each in looked.fresh:
        for start in range(0, len(each.predictions), most):
            part = each.predictions[start : start + most]
            yield Fresh(sample=each.sample, key=each.key, predictions=part)


def bring(session: Session, fresh: Fresh, file: Path, group: str) -> int:
    """Store these as proposals of their model, in one step of the group; answers how many."""
    actor = replace(session.actor, kind=ActorKind.MODEL, tool=f"predictions from {file.name}"[:200])
    many = len(fresh.predictions)
    label = f"Bring in {many} prediction{'' if many == 1 else 's'} from {file.name}"
    add = session.registry.find("annotation.add")
    with session.store.transaction(label, actor=actor, group=group, sample=fresh.sample) as tx:
        for each in fresh.predictions:
            add.run(tx, {"sample": fresh.sample, **arguments_of(each)}, sample=fresh.sample)
    return many


def _read(wish: Wish, target: Target, report: Report) -> list[Prediction]:
    if not wish.is_coco:
        return read_lines(wish.file, target, report, model=wish.model)
    assert wish.model is not None
    return read_coco(wish.file, target, report, model=wish.model, images=wish.images)


def _lines(view: SampleView, predictions: Sequence[Prediction]) -> Iterator[Line]:
    held: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in predictions:
        held[each.stream.key, view.class_name(each.class_id)].append(each.score)
    for (stream, name), scores in sorted(held.items()):
        yield Line(
            sample=view.sample.key, stream=stream, class_name=name, count=len(scores), sure=sum(scores) / len(scores)
        )  # fmt: skip
