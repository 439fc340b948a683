"""Masks from points, boxes and earlier masks: models of the SAM class, an encoder and a decoder.

One interface for SAM and MobileSAM (``sam``) and SAM 2 (``sam2``), by the names their common exports give tensors. The
encoder looks at a picture once; what it saw is kept, bounded in bytes, so that each further click costs the decoder
alone. Called by the tools that make masks and by propagation, on a worker.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import UserError
from workstation.media.opencv import cv2
from workstation.prelabel.answers import tensor
from workstation.prelabel.api import Arrays, BadOutput, InputSpec, ModelCard, Pixels, Runs
from workstation.prelabel.fitting import Fit, fitted, size_of, stacked
from workstation.prelabel.flow import carried
from workstation.prelabel.masks import FoundMask
from workstation.prelabel.prototypes import enlarged

_IMAGENET = {"scale": 1 / 255, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
INPUTS = {
    "sam": InputSpec(width=1024, height=1024, resize="letterbox-corner", pad=114.0, **_IMAGENET),  # type: ignore[arg-type]
    "sam2": InputSpec(width=1024, height=1024, resize="stretch", **_IMAGENET),  # type: ignore[arg-type]
}
_NAMES = {"sam": ("images", "image_embeddings"), "sam2": ("image", "image_embed")}
_MINUS, _PLUS, _CORNER, _OTHER_CORNER, _NO_POINT = 0.0, 1.0, 2.0, 3.0, -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a person pointed at, in pixels of the picture."""

    points: tuple[tuple[float, float, bool], ...] = ()
    """x, y, and whether this is the thing or is not."""
    box: tuple[float, float, float, float] | None = None
    """Left, top, width, height."""
    earlier: NDArray[np.float32] | None = None
    """Logits of an earlier answer (``PromptedMask.logits``), to start from."""


@dataclass(frozen=True, slots=True)
class PromptedMask:
    """The best of the decoder's masks, over the whole picture; its logits as the decoder takes them again."""

    found: FoundMask
    logits: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the encoder made of a picture."""

    feeds: Arrays
    fit: Fit

    @property
    def bytes(self) -> int:
        return sum(values.nbytes for values in self.feeds.values())


class Promptable:
    """One model of the SAM class, over whatever runs its two graphs. Used by one thread."""

    def __init__(self, card: ModelCard, encoder: Runs, decoder: Runs, *, cache_bytes: int = 256_000_000) -> None:
        if card.family not in INPUTS:
            raise UserError(f"{card.id}: family {card.family!r} takes no prompts; known are {', '.join(INPUTS)}.")
        self._card, self._encoder, self._decoder, self._room = card, encoder, decoder, cache_bytes
        self._size = _sizes(card)[1]
        self._kept: OrderedDict[Hashable, _Seen] = OrderedDict()

    @property
    def logits_side(self) -> tuple[int, int]:
        """Height and width of the logits that the decoder takes."""
        return self._size[1] // 4, self._size[0] // 4

    def mask(self, key: Hashable, picture: Callable[[], Pixels], prompt: Prompt) -> PromptedMask:
        """The mask for a prompt. ``key`` names the picture (sample, stream, time); it is read when not seen before."""
        if not prompt.points and prompt.box is None and prompt.earlier is None:
            raise ValueError("a prompt has a point, a box or an earlier mask")
        seen = self._seen(key, picture)
        return self._read(self._decoder.run(self._feeds(seen, prompt)), seen)

    def follow(self, mask: PromptedMask, before: Pixels, key: Hashable, after: Pixels) -> PromptedMask:
        """The thing in the next frame: the mask is carried by optical flow, and its box and logits are the prompt.

        Each frame knows the one before it only: no memory over many frames, unlike SAM 2's own video graphs.
        """
        guess = carried(mask.found, before, after)
        if guess.empty:
            return PromptedMask(guess, np.zeros_like(mask.logits))
        seen = self._seen(key, lambda: after)
        height, width = guess.mask.shape
        box = (float(guess.left), float(guess.top), float(width), float(height))
        earlier = _logits_of(guess, seen.fit, self._size, mask.logits.shape[-2:])
        return self.mask(key, lambda: after, Prompt(box=box, earlier=earlier))

    def _seen(self, key: Hashable, picture: Callable[[], Pixels]) -> _Seen:
        seen = self._kept.pop(key, None)
        if seen is None:
            feeds, fit = encoder_feeds(self._card, picture())
            seen = _Seen(_features(self._encoder.run(feeds), _NAMES[self._card.family][1]), fit)
        self._kept[key] = seen
        while len(self._kept) > 1 and sum(one.bytes for one in self._kept.values()) > self._room:
            self._kept.popitem(last=False)
        return seen

    def _feeds(self, seen: _Seen, prompt: Prompt) -> dict[str, NDArray[Any]]:
        points, labels = _points(prompt, seen.fit)
        earlier = np.zeros((1, 1, *self.logits_side), np.float32) if prompt.earlier is None else prompt.earlier
        feeds = {**seen.feeds, "point_coords": points[None], "point_labels": labels[None],
                 "mask_input": earlier.reshape(1, 1, *earlier.shape[-2:]).astype(np.float32),
                 "has_mask_input": np.array([prompt.earlier is not None], np.float32)}  # fmt: skip
        if self._card.options.get("size_input", self._card.family == "sam"):
            kind = np.float32 if self._card.family == "sam" else np.int32
            feeds["orig_im_size"] = np.array([seen.fit.height, seen.fit.width], kind)
        return feeds

    def _read(self, outputs: Arrays, seen: _Seen) -> PromptedMask:
        masks = tensor(outputs, "masks", (1, None, None, None))
        scores = tensor(outputs, "iou_predictions", (1, masks.shape[1]))
        if 0 in masks.shape:
            raise BadOutput("output 'masks' holds no mask")
        best = int(scores[0].argmax())
        low = masks if "low_res_masks" not in outputs else tensor(outputs, "low_res_masks", (1, masks.shape[1],
                                                                                          None, None))  # fmt: skip
        plane, fit = masks[0, best], seen.fit
        if plane.shape == (fit.height, fit.width):
            inside = plane > 0
        else:
            inside = enlarged(plane, fit, self._size, (0, 0, fit.width, fit.height))
        score = float(np.clip(scores[0, best], 0.0, 1.0))
        found = FoundMask(left=0, top=0, mask=inside, score=score)
        side = (self._size[0] // 4, self._size[1] // 4)
        logits = low[0, best] if low.shape[-2:] == side[::-1] else cv2.resize(low[0, best], side)
        return PromptedMask(_cut(found), np.asarray(logits, np.float32))


def encoder_feeds(card: ModelCard, picture: Pixels) -> tuple[dict[str, NDArray[Any]], Fit]:
    """A picture as the encoder takes it, and the way back."""
    spec, size = _sizes(card)
    if card.options.get("encoder_layout") == "HWC":
        return _plain_feeds(card, picture, spec, size)
    values, fits = stacked([picture], spec, size)
    fit = fits[0]
    if card.family == "sam":  # padded after the mean was taken away, as it was trained
        values[:, :, round(fit.scale_y * fit.height) :] = 0
        values[:, :, :, round(fit.scale_x * fit.width) :] = 0
    return {str(card.options.get("input_name", _NAMES[card.family][0])): values}, fit


def _plain_feeds(
    card: ModelCard, picture: Pixels, spec: InputSpec, size: tuple[int, int]
) -> tuple[dict[str, NDArray[Any]], Fit]:  # fmt: skip
    """(height, width, 3) of 0 to 255, no larger than the graph's picture: it takes the mean away and pads itself."""
    fit = fitted((picture.shape[1], picture.shape[0]), size, spec.resize)
    inner = (round(fit.scale_x * fit.width), round(fit.scale_y * fit.height))
    small = np.asarray(cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR), np.float32)
    if spec.color == "BGR":
        small = np.ascontiguousarray(small[..., ::-1])
    return {str(card.options.get("input_name", _NAMES[card.family][0])): small}, fit


def _sizes(card: ModelCard) -> tuple[InputSpec, tuple[int, int]]:
    usual = INPUTS[card.family]
    spec = card.input if card.input.width else usual
    return spec, size_of(spec, usual)


def _features(answer: Arrays, embedding: str) -> Arrays:
    """The encoder's answers under the decoder's names: SAM 2 gives two finer ones beside the embedding."""
    if embedding not in answer and len(answer) == 1:
        answer = {embedding: next(iter(answer.values()))}
    if embedding not in answer:
        raise BadOutput(f"the encoder answered {', '.join(answer) or 'nothing'}, but not {embedding!r}")
    return {name: tensor(answer, name, (1, None, None, None)) for name in answer}


def _points(prompt: Prompt, fit: Fit) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points in the graph's pixels and what they are; without a box the graphs want one more that is nothing."""
    spots = [(x, y) for x, y, _ in prompt.points]
    labels = [_PLUS if plus else _MINUS for *_, plus in prompt.points]
    if prompt.box is not None:
        left, top, width, height = prompt.box
        spots += [(left, top), (left + width, top + height)]
        labels += [_CORNER, _OTHER_CORNER]
    moved = [fit.to_graph(np.array([x, y, x, y]))[0, :2] for x, y in spots]
    if prompt.box is None:
        moved.append(np.zeros(2))
        labels.append(_NO_POINT)
    points = np.asarray(moved, np.float32).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("a prompt has finite places")
    return points, np.asarray(labels, np.float32)


def _cut(found: FoundMask) -> FoundMask:
    rows, columns = np.flatnonzero(found.mask.any(axis=1)), np.flatnonzero(found.mask.any(axis=0))
    if rows.size == 0:
        return FoundMask(left=0, top=0, mask=np.zeros((0, 0), np.bool_), score=found.score)
    cut = found.mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return FoundMask(left=int(columns[0]), top=int(rows[0]), mask=np.ascontiguousarray(cut), score=found.score)


def _logits_of(mask: FoundMask, fit: Fit, size: tuple[int, int], side: tuple[int, ...]) -> NDArray[np.float32]:
    """A mask as the decoder's own logits would be: plus and minus ten, at their size, in the graph's picture."""
    whole = np.zeros((fit.height, fit.width), np.float32)
    height, width = mask.mask.shape
    whole[mask.top : mask.top + height, mask.left : mask.left + width] = mask.mask
    canvas = np.zeros((size[1], size[0]), np.float32)
    inner = round(fit.scale_x * fit.width), round(fit.scale_y * fit.height)
    left, top = int(fit.offset_x), int(fit.offset_y)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(whole, inner, interpolation=cv2.INTER_AREA)
    small = cv2.resize(canvas, (side[1], side[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) * 20 - 10
