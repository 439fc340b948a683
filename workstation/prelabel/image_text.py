"""Whether a picture and a text say the same, behind one interface: scorers of the CLIP class, and a stand-in.

A scorer is two graphs (``image.onnx``, ``text.onnx``) with a tokenizer. Without one, *tag consistency* compares the
text with what is labelled or detected in the picture; below a number of tags it says "not enough evidence" and gives no
score at all. Asked by the checks through ``app/likeness.py``; a score ranks and flags, it never confirms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import BadOutput, InputSpec, Pixels, Runs
from workstation.prelabel.texts_similar import SentenceModel, alike
from workstation.prelabel.texts_tokens import Tokenizes, padded

FAMILY = "clip"
FEWEST_TAGS = 3
"""Different tags below which tags say too little: "person, tie" fits nearly every caption of people."""
MOST_TOKENS = 77
_SIDES = range(16, 2049)


class NotEnoughEvidence(UserError):
    """Nothing can be said of this picture and these texts; the message says what is missing. No score, no verdict."""


class ScoresPairs(Protocol):
    """Whoever tells how well texts fit a picture."""

    @property
    def name(self) -> str:
        """The model with its version, as findings quote it."""
        ...

    def scores(self, picture: Pixels, texts: Sequence[str]) -> NDArray[np.float64]:
        """One number per text, -1 to 1, higher the better it fits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTowers:
    """CLIP, SigLIP, MobileCLIP and their kind: one graph for pictures, one for texts, unit vectors compared."""

    name: str
    image: Runs
    text: Runs
    tokenizer: Tokenizes
    input: InputSpec
    most: int = MOST_TOKENS
    pixels: str = "pixel_values"
    text_inputs: tuple[str, ...] = ("input_ids", "attention_mask")
    fixed_length: bool = True
    """Whether the text graph takes ``most`` pieces always, filled up."""

    def scores(self, picture: Pixels, texts: Sequence[str]) -> NDArray[np.float64]:
        """The cosine of the picture with each text."""
        if not texts:
            return np.zeros(0)
        one = self.picture_vectors([picture])[0].astype(np.float64)
        found: NDArray[np.float64] = np.clip(self.text_vectors(texts).astype(np.float64) @ one, -1.0, 1.0)
        return found

    def picture_vectors(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """(pictures, n) unit vectors; also for searching by words."""
        feeds = {self.pixels: np.stack([prepared(each, self.input) for each in pictures])}
        return _vectors(self.image.run(feeds), len(pictures), ("image_embeds", "pooler_output"))

    def text_vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(texts, n) unit vectors."""
        ids, mask, _ = padded(self.tokenizer, texts, self.most)
        if self.fixed_length and ids.shape[1] < self.most:
            missing = ((0, 0), (0, self.most - ids.shape[1]))
            ids = np.pad(ids, missing, constant_values=self.tokenizer.pad)
            mask = np.pad(mask, missing)
        given = {"input_ids": ids, "attention_mask": mask}
        feeds = {name: given[name] for name in self.text_inputs if name in given}
        return _vectors(self.text.run(feeds), len(texts), ("text_embeds", "pooler_output"))


def prepared(picture: Pixels, wanted: InputSpec) -> NDArray[np.float32]:
    """A picture as the graph wants it (3, height, width): its short side fitted, the middle cut out; or stretched."""
    if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size or picture.dtype != np.uint8:
        raise DataError(f"a picture of shape {picture.shape} and {picture.dtype} cannot be compared with a text")
    if wanted.width not in _SIDES or wanted.height not in _SIDES:
        raise DataError(f"the model's input of {wanted.width} × {wanted.height} pixels makes no sense")
    shown = Image.fromarray(np.ascontiguousarray(picture))
    size = (wanted.width, wanted.height)
    if wanted.resize == "stretch":
        fitted = shown.resize(size, Image.Resampling.BICUBIC)
    else:
        ratio = max(size[0] / shown.width, size[1] / shown.height)
        # The part that stays is cut out before, so that a very long picture is not made huge first.
        across, down = size[0] / ratio, size[1] / ratio
        left, top = (shown.width - across) / 2, (shown.height - down) / 2
        fitted = shown.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + across, top + down))
    values = np.asarray(fitted, np.float32) * np.float32(wanted.scale)
    mean = np.array(wanted.mean or (0.0,) * 3, np.float32)
    std = np.array(wanted.std or (1.0,) * 3, np.float32)
    if mean.shape != (3,) or std.shape != (3,) or not (std > 0).all():
        raise DataError("the model's mean and std need three numbers each, std above 0", place="input")
    values = (values - mean) / std
    if wanted.color == "BGR":
        values = values[..., ::-1]
    return np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)


def _vectors(outputs: Mapping[str, NDArray[Any]], count: int, names: Sequence[str]) -> NDArray[np.float32]:
    flat = {name: each for name, each in outputs.items() if each.ndim == 2 and len(each) == count}
    chosen = next((flat[name] for name in names if name in flat), next(iter(flat.values()), None))
    if chosen is None:
        shapes = ", ".join(f"{name} {each.shape}" for name, each in outputs.items())
        raise BadOutput(f"the graph answers {shapes or 'nothing'}; a scorer answers one vector each ({count}, n)")
    vectors = chosen.astype(np.float32)
    if not np.isfinite(vectors).all():
        raise BadOutput("a vector holds what is not a number")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (length > 0).all():
        raise BadOutput("a vector has no length, so nothing can be compared with it")
    return np.asarray(vectors / length, np.float32)


@dataclass(frozen=True, slots=True)
class TagConsistency:
    """The stand-in: what is labelled in the picture, as words, beside the text. It never sees the picture."""

    model: SentenceModel
    fewest: int = FEWEST_TAGS
    name: str = "tag consistency"

    def scores(self, tags: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
        """The cosine of all tags together with each text; raises ``NotEnoughEvidence``."""
        different = list(dict.fromkeys(each.strip().casefold() for each in tags if each.strip()))
        if len(different) < self.fewest:
            known = ", ".join(different) or "none"
            raise NotEnoughEvidence(
                f"not enough evidence: {len(different)} different tags ({known}), and at least {self.fewest} are "
                "needed to compare tags with a text"
            )
        found: NDArray[np.float64] = alike(self.model, [", ".join(different)], texts)[0]
        return found
