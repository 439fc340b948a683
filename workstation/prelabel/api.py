"""The type module of pre-labelling: what a family of models is given and what it answers. Plug-ins speak this language.

A *family* is one file: it prepares pieces of media for a graph and reads what comes out; what runs the graph, on which
device and in which process, is not its business. What is found is plain values in the stream's own pixels, metres and
nanoseconds; ``app/prelabelling.py`` turns them into proposed records with their provenance. A model proposes, and
never judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.values import dataclass

Arrays = Mapping[str, NDArray[Any]]
"""Tensors by the graph's own names."""
Pixels = NDArray[np.uint8]
"""(height, width, 3), red first, upright, as the stream's labels count them."""


class Task(StrEnum):
    """What a model is for."""

    DETECT = "detect"
    INSTANCE_SEG = "instance-seg"
    PROMPTABLE_SEG = "promptable-seg"
    SEMANTIC_SEG = "semantic-seg"
    POSE = "pose"
    CLASSIFY = "classify"
    REID = "reid"
    OCR = "ocr"
    VAD = "vad"
    ASR = "asr"
    SPEAKER_EMBED = "speaker-embed"
    AUDIO_TAG = "audio-tag"
    TEXT_EMBED = "text-embed"
    IMAGE_TEXT = "image-text"
    NER = "ner"
    LIDAR_DETECT = "lidar-detect"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBox:
    """Something in a picture: its box in pixels, what the model calls it, how sure it is; its mask if it has one."""

    left: float
    top: float
    width: float
    height: float
    label: str
    score: float
    mask: NDArray[np.bool_] | None = None
    """Pixels of the box, whole ones, row by row from ``int(left)``, ``int(top)``."""
    features: NDArray[np.float32] | None = None
    """What it looks like, to know it again."""
    track: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSpan:
    """Something in a sound, in seconds of the stream: speech, an event, a turn; its words and who says it if known."""

    start_s: float
    end_s: float
    label: str
    score: float
    text: str = ""
    language: str = ""
    speaker: str = ""
    words: tuple[FoundWord, ...] = ()
    other_languages: tuple[str, ...] = ()
    """Beside ``language``, where languages are mixed: such a span is never accepted in bulk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWord:
    """A word with its own time and how sure the model is of it."""

    text: str
    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCuboid:
    """Something in a cloud, in metres of the cloud's frame; ``rotation`` is a unit quaternion, w first."""

    center: tuple[float, float, float]
    size: tuple[float, float, float]
    rotation: tuple[float, float, float, float]
    label: str
    score: float
    points: NDArray[np.int64] | None = None
    track: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundText:
    """A part of a text: code points from ``start`` to before ``stop``."""

    start: int
    stop: int
    label: str
    score: float


Found = FoundBox | FoundSpan | FoundCuboid | FoundText


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """How pictures become tensors, as a manifest states it."""

    width: int = 0
    height: int = 0
    layout: str = "NCHW"
    color: str = "RGB"
    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    resize: str = "letterbox"
    """``letterbox`` (middle), ``letterbox-corner`` (top left) or ``stretch``."""
    pad: float = 114.0
    dtype: str = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a family must know of a model: its manifest without files and licence."""

    id: str
    task: Task
    family: str
    input: InputSpec = field(default_factory=InputSpec)
    labels: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tensors for one batch, and what is needed to find the way back to the pieces."""

    feeds: Arrays
    back: Any


class PictureFamily(Protocol):
    """A family that looks at pictures. Pure: the same input, the same answer."""

    name: str
    tasks: frozenset[Task]

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        """Tensors for a batch of pictures; each may have a size of its own."""
        ...

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        """What is in each picture, best first, above the card's thresholds; raises ``BadOutput``."""
        ...

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        """How surely a bare graph with such shapes belongs to this family, 0 to 1."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SensorSweep:
    """One sweep as a detector sees it: about the sensor, x ahead, y to the left, z up, metres."""

    points: NDArray[np.float32]
    """(n, 3), all finite."""
    intensity: NDArray[np.float32]
    """(n,), 0 to 1; zeros where the sensor tells none."""


class CloudFamily(Protocol):
    """A family that looks at sweeps of a LiDAR. Pure: the same input, the same answer."""

    name: str
    tasks: frozenset[Task]

    def prepare(self, card: ModelCard, sweep: SensorSweep) -> Prepared:
        """Tensors for one sweep; sweeps are too large and too unlike for batches."""
        ...

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[FoundCuboid]:
        """What stands there, about the sensor, best first, above the card's thresholds; raises ``BadOutput``."""
        ...

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        """How surely a bare graph with such shapes belongs to this family, 0 to 1."""
        ...


class BadOutput(ValueError):
    """What a graph answered cannot be read: wrong shapes, not a number, infinite. The message says which tensor."""


class Runs(Protocol):
    """Whatever runs a graph: a session in this process, a worker process, or a stand-in in a test."""

    def run(self, feeds: Arrays) -> Arrays:
        """One batch through the graph."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec:
    """A program of a plug-in that models run in: started by us, spoken to in JSON Lines (``outside.py``).

    A plug-in's module lists them in ``ADAPTERS``; families of its own in ``FAMILIES``, tasks of its own in ``TASKS``.
    """

    name: str
    task: str
    command: tuple[str, ...]
    """The program and its arguments; ``{python}`` is the Python that runs us, ``{here}`` the plug-in's folder."""
    seconds: float = 60.0
    """How long one answer may take."""


class PieceOfText(Protocol):
    """Anything that finds parts of a text."""

    def __call__(self, text: str) -> Sequence[FoundText]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTask:
    """A task of a plug-in that needs no graph: it looks at a text and answers what it finds, best first."""

    name: str
    title: str
    labels: tuple[str, ...]
    find: PieceOfText
