"""A mask carried over the next pictures of its film: with SAM 2's memory, by a model of the SAM class, or by flow.

What is installed and runs decides, in this order. Flow says where the pixels went and GrabCut draws the border anew
(``prelabel/flow.py``, ``masks.py``); a model of the SAM class is prompted with what flow says; either way a picture
knows only the one before it. With memory (``promptable_memory.py``) it knows the first and the last few. It ends where
the likeness falls. ``carry`` runs on any thread and touches no store; ``propose`` stores what a person has looked at as
one proposed track of the same thing. Called by the window's dialog; a job may call it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workstation.app.model_trial import plain_pixels
from workstation.app.models import models_shelf
from workstation.app.prompted_masks import PromptedModel, RememberingModel, promptable_model, remembering_model
from workstation.app.reading import Formats
from workstation.app.session import Run
from workstation.app.streams import OpenStreams
from workstation.core.annotation import Annotation, Source, SourceKind, State
from workstation.core.errors import DataError, UserError
from workstation.core.pixels import runs_of_mask
from workstation.core.sample import Stream
from workstation.media.base import VideoReader
from workstation.prelabel.api import BadOutput, Pixels
from workstation.prelabel.flow import carried
from workstation.prelabel.masks import FoundMask, refined
from workstation.prelabel.shelf import Shelf
from workstation.prelabel.worker import WorkerFailed

StartMask = FoundMask
"""The mask that is carried, as the window makes it."""
Model = PromptedModel | RememberingModel
FLOW = "optical flow"
LEAST = 0.35
"""Below it what lies under the mask is something else, and carrying ends."""
_SMALL_PX = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryWish:
    """What is to be carried: a mask on picture ``index`` of a film, over so many pictures after it."""

    project: Path
    stream: Stream
    index: int
    mask: FoundMask
    count: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CarriedMask:
    """The mask on one picture, and a small picture around it to look at: what lies under it, and where it lies."""

    index: int
    own_ns: int
    found: FoundMask
    small: Pixels
    inside: np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """All that came, by what, and why it ended before the last picture; a note where a model did not run."""

    masks: tuple[CarriedMask, ...]
    source: Source
    ended: str = ""
    note: str = ""


def carry(
    wish: CarryWish, *, shelf: Callable[[], Shelf] = models_shelf,
    tell: Callable[[int, int], None] = lambda _done, _total: None, cancelled: Callable[[], bool] = lambda: False,
) -> Carried:  # fmt: skip
    """The mask on each of the next pictures, until the likeness falls or the film ends."""
    with ExitStack() as held:
        readers = held.enter_context(OpenStreams(wish.project, readers=Formats().readers))
        reader = readers.reader(wish.stream)
        if not isinstance(reader, VideoReader):
            raise UserError(f"{wish.stream.key} is no film, so there is no next picture to carry a mask to")
        model, note = _model(shelf(), held, cancelled)
        masks: list[CarriedMask] = []
        ended = "the film ends there" if wish.index + wish.count >= len(reader.table.times_ns) else ""
        for each in _masks(reader, wish, model):
            if each.found.empty or each.found.score < LEAST:
                ended = f"after {len(masks)} what lies under it looks like something else"
                break
            masks.append(each)
            tell(len(masks), wish.count)
        return Carried(masks=tuple(masks), source=_source(model), ended=ended, note=note)


def propose(
    run: Run, _wish: CarryWish, record: Annotation, masks: Sequence[CarriedMask], source: Source
) -> str:  # fmt: skip
    """Store them as one proposed track of the same thing, inside a step of the caller's; answers its id."""
    made: str = run(
        "track.add", layer=record.layer, state=State.PROPOSED, source=source, **as_arguments(record, masks)
    )  # fmt: skip
    return made


def as_arguments(record: Annotation, masks: Sequence[CarriedMask]) -> dict[str, Any]:
    """The track of what was carried from a label, as the command ``track.add`` takes it."""
    return {
        "stream": record.stream, "entity": record.entity, "class_id": record.class_id, "interpolation": "hold",
        "confidence": round(min(each.found.score for each in masks), 3),
        "keyframes": [{"time_ns": each.own_ns, "shape": _given(each.found)} for each in masks],
    }  # fmt: skip


def _masks(reader: VideoReader, wish: CarryWish, model: Model | None) -> Iterator[CarriedMask]:
    times = reader.table.times_ns
    before, mask = plain_pixels(reader.picture(wish.index)), wish.mask
    try:
        if isinstance(model, RememberingModel):
            model.follows.begin(before, mask)
        for index in range(wish.index + 1, min(wish.index + 1 + wish.count, len(times))):
            after = plain_pixels(reader.picture(index))
            mask = _next(mask, before, after, index, model)
            small, inside = _around(after, mask)
            yield CarriedMask(index=index, own_ns=int(times[index]), found=mask, small=small, inside=inside)
            before = after
    except BadOutput as problem:
        name = "the model" if model is None else model.manifest.id
        raise UserError(f"{name} answers what cannot be read: {problem}") from problem


def _next(mask: FoundMask, before: Pixels, after: Pixels, index: int, model: Model | None) -> FoundMask:
    if model is None:
        return refined(after, carried(mask, before, after))
    if isinstance(model, RememberingModel):
        return model.follows.follow(after)
    return model.follow(mask, before, index, after)


def _model(shelf: Shelf, held: ExitStack, cancelled: Callable[[], bool]) -> tuple[Model | None, str]:
    """What carries it, and why what is installed does not."""
    notes: list[str] = []
    for found, make in ((remembering_model(shelf), RememberingModel), (promptable_model(shelf), PromptedModel)):
        if found is None:
            continue
        try:
            made: Model = make(shelf, found, cancelled)
        except (WorkerFailed, DataError, BadOutput) as problem:
            notes.append(f"{found.manifest.id} does not run: {problem}")
        else:
            held.callback(made.close)
            return made, "; ".join(notes)
    return None, "; ".join(notes)


def _source(model: Model | None) -> Source:
    if model is None:
        return Source(
            kind=SourceKind.MODEL, name=FLOW, device="CPU",
            parameters={"tool": "mask carried by optical flow and GrabCut", "least": LEAST},
        )  # fmt: skip
    manifest = model.manifest
    how = "by its own memory" if isinstance(model, RememberingModel) else "by optical flow as its prompt"
    return Source(
        kind=SourceKind.MODEL, name=manifest.id, version=manifest.version, weights_sha256=manifest.weights_sha256,
        device=model.device, parameters={"tool": f"mask carried {how}", "least": LEAST},
    )  # fmt: skip


def _around(picture: Pixels, mask: FoundMask) -> tuple[Pixels, np.ndarray[Any, np.dtype[np.bool_]]]:
    """A small picture around the mask, every so-many-th pixel, and which of its pixels are inside."""
    height, width = mask.mask.shape
    across, down = max(width // 2, 16), max(height // 2, 16)
    top, left = max(mask.top - down, 0), max(mask.left - across, 0)
    part = picture[top : mask.top + height + down, left : mask.left + width + across]
    inside = np.zeros(part.shape[:2], np.bool_)
    inside[mask.top - top : mask.top - top + height, mask.left - left : mask.left - left + width] = mask.mask
    step = max(1, -(-max(part.shape[:2]) // _SMALL_PX))
    return np.ascontiguousarray(part[::step, ::step]), np.ascontiguousarray(inside[::step, ::step])


def _given(found: FoundMask) -> dict[str, object]:
    height, width = found.mask.shape
    counts = runs_of_mask(np.ascontiguousarray(found.mask))
    return {"kind": "mask_rle", "x": found.left, "y": found.top, "width": width, "height": height, "counts": counts}
