"""A mask followed through a film with SAM 2's own memory: what the thing looked like first, and in the last pictures.

For exports in four graphs with the names that several public exporters share (``NAMES``): an image encoder, a decoder,
and memory's attention and encoder. How memories are ordered and told apart in time is SAM 2's: the first picture, then
up to six before this one, the oldest first, each with its own code of time; up to sixteen pointers to the object, the
first picture's, then the nearest first. Called where masks are carried (``app/carried_masks.py``), by one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.prelabel.answers import tensor
from workstation.prelabel.api import Arrays, BadOutput, InputSpec, ModelCard, Pixels, Runs
from workstation.prelabel.fitting import Fit, size_of, stacked
from workstation.prelabel.masks import FoundMask
from workstation.prelabel.promptable import INPUTS
from workstation.prelabel.prototypes import enlarged

FAMILY = "sam2-video"
ROLES = ("encoder", "decoder", "memory_attention", "memory_encoder")
NAMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "encoder": (("image",), ("pix_feat", "high_res_feat0", "high_res_feat1", "vision_feats", "vision_pos_embed")),
    "decoder": (("point_coords", "point_labels", "image_embed", "high_res_feats_0", "high_res_feats_1"),
                ("obj_ptr", "mask_for_mem", "pred_mask")),
    "memory_attention": (("current_vision_feat", "current_vision_pos_embed", "memory_0", "memory_1",
                          "memory_pos_embed"), ("image_embed",)),
    "memory_encoder": (("mask_for_mem", "pix_feat"), ("maskmem_features", "maskmem_pos_enc", "temporal_code")),
}  # fmt: skip
"""Inputs and outputs of each graph, by the role of its file."""
_BEFORE = 6
_POINTERS = 16
_SHARP, _SHIFT = 20.0, -10.0
"""A given mask becomes what the decoder would have answered for memory: surely inside, surely outside."""
_CORNERS = (2.0, 3.0)
_NO_POINT = -1.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the encoder made of a picture."""

    answer: Arrays
    fit: Fit


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is kept of one picture: (1, c, h, w), its places (h × w, 1, c), and the pointer to the object (1, d)."""

    features: NDArray[Any]
    places: NDArray[Any]
    pointer: NDArray[Any]


class RememberingMasks:
    """Follows one thing: ``begin`` on the picture whose mask is known, then ``follow`` picture by picture."""

    def __init__(self, card: ModelCard, graphs: Mapping[str, Runs]) -> None:
        self._card, self._graphs = card, graphs
        usual = INPUTS["sam2"]
        self._spec: InputSpec = card.input if card.input.width else usual
        self._size = size_of(self._spec, usual)
        self._first: _Memory | None = None
        self._recent: deque[_Memory] = deque(maxlen=_POINTERS - 1)
        self._times = np.zeros((0, 1, 1, 1), np.float32)

    def begin(self, picture: Pixels, mask: FoundMask) -> None:
        """This is the thing; what was followed before is forgotten."""
        if mask.empty:
            raise ValueError("an empty mask shows nothing to follow")
        seen = self._look(picture)
        height, width = mask.mask.shape
        corners = np.array([mask.left, mask.top, mask.left + width, mask.top + height], np.float64)
        points = seen.fit.to_graph(corners).reshape(1, 2, 2).astype(np.float32)
        decoded = self._decode(seen, seen.answer["vision_feats"], points, np.array([_CORNERS], np.float32))
        whole = np.zeros((seen.fit.height, seen.fit.width), np.float32)
        whole[mask.top : mask.top + height, mask.left : mask.left + width] = mask.mask
        side = decoded["mask_for_mem"].shape[-2:]
        given = cv2.resize(whole, (side[1], side[0]), interpolation=cv2.INTER_AREA) * _SHARP + _SHIFT
        self._recent.clear()
        self._first = self._kept(seen, np.asarray(given, np.float32)[None, None], decoded["obj_ptr"])

    def follow(self, picture: Pixels) -> FoundMask:
        """The thing in the next picture; empty where it is not seen. The score is how sure its pixels are."""
        if self._first is None:
            raise ValueError("nothing is followed yet")
        seen = self._look(picture)
        embedding = next(iter(self._graphs["memory_attention"].run(self._recalled(seen)).values()))
        points = np.zeros((1, 1, 2), np.float32)
        decoded = self._decode(seen, embedding, points, np.full((1, 1), _NO_POINT, np.float32))
        self._recent.append(self._kept(seen, decoded["mask_for_mem"][:, :1], decoded["obj_ptr"]))
        return _found(decoded["pred_mask"][0, 0], seen.fit, self._size)

    def _look(self, picture: Pixels) -> _Seen:
        values, fits = stacked([picture], self._spec, self._size)
        name = str(self._card.options.get("input_name", NAMES["encoder"][0][0]))
        return _Seen(_named(self._graphs["encoder"].run({name: values}), "encoder"), fits[0])

    def _decode(
        self, seen: _Seen, embedding: NDArray[Any], points: NDArray[np.float32], labels: NDArray[np.float32]
    ) -> Arrays:  # fmt: skip
        answer = _named(self._graphs["decoder"].run({
            "point_coords": points, "point_labels": labels, "image_embed": embedding,
            "high_res_feats_0": seen.answer["high_res_feat0"], "high_res_feats_1": seen.answer["high_res_feat1"],
        }), "decoder")  # fmt: skip
        tensor(answer, "pred_mask", (1, None, None, None))
        tensor(answer, "mask_for_mem", (1, None, None, None))
        return answer

    def _kept(self, seen: _Seen, mask: NDArray[Any], pointer: NDArray[Any]) -> _Memory:
        answer = _named(
            self._graphs["memory_encoder"].run({"mask_for_mem": mask, "pix_feat": seen.answer["pix_feat"]}),
            "memory_encoder",
        )
        self._times = np.asarray(answer["temporal_code"])
        if len(self._times) < _BEFORE + 1:
            raise BadOutput(f"output 'temporal_code' tells {len(self._times)} pictures apart; seven are needed")
        features = tensor(answer, "maskmem_features", (1, None, None, None))
        return _Memory(features, np.asarray(answer["maskmem_pos_enc"]), pointer.reshape(1, -1))

    def _recalled(self, seen: _Seen) -> dict[str, NDArray[Any]]:
        """What is remembered, in the order and with the codes of time that SAM 2 was trained with."""
        assert self._first is not None
        recent = list(self._recent)
        near = recent[-_BEFORE:]
        pictures = [self._first, *near]
        ages = [_BEFORE, *range(len(near) - 1, -1, -1)]
        codes = [self._times[age].reshape(1, 1, -1) for age in ages]
        places = [each.places + code for each, code in zip(pictures, codes, strict=True)]
        pointers = np.concatenate([self._first.pointer, *(each.pointer for each in reversed(recent))])
        wide = self._first.places.shape[-1]
        blank = np.zeros((len(pointers) * (pointers.shape[1] // wide), 1, wide), np.float32)
        return {
            "current_vision_feat": seen.answer["vision_feats"],
            "current_vision_pos_embed": seen.answer["vision_pos_embed"], "memory_0": pointers.astype(np.float32),
            "memory_1": np.concatenate([each.features for each in pictures]).astype(np.float32),
            "memory_pos_embed": np.concatenate([*places, blank]).astype(np.float32),
        }  # fmt: skip


def _named(answer: Arrays, role: str) -> Arrays:
    missing = [name for name in NAMES[role][1] if name not in answer]
    if missing:
        raise BadOutput(f"the {role.replace('_', ' ')} answered {', '.join(answer) or 'nothing'}, not {missing[0]!r}")
    return answer


def _found(logits: NDArray[Any], fit: Fit, size: tuple[int, int]) -> FoundMask:
    inside = enlarged(logits, fit, size, (0, 0, fit.width, fit.height))
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if rows.size == 0:
        return FoundMask(left=0, top=0, mask=np.zeros((0, 0), np.bool_), score=0.0)
    sure = float((1 / (1 + np.exp(-np.clip(logits[logits > 0].astype(np.float64), 0, 50)))).mean())
    cut = np.ascontiguousarray(inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return FoundMask(left=int(columns[0]), top=int(rows[0]), mask=cut, score=sure)
