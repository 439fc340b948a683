"""Taggers of sound events given as ONNX files: a whole wave in and scores per frame out in the manner of YAMNet, or
windows in and scores per window out in the manner of PANNs. Called by ``app/label_events.py`` and, to try one, by
``app/model_devices.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.prelabel.api import BadOutput, FoundSpan, ModelCard, Runs
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.sound_events import HearsEvents, stretches
from workstation.prelabel.speech_sound import RATE_HZ, Sound

_AT_ONCE = 8
_LONGEST_WINDOW_S = 60.0
_TAGGER_RATES = range(4_000, 200_001)
_USUAL_RATE_HZ = 32_000


def tagger_of(card: ModelCard, runs: Runs, inputs: Sequence[Port]) -> HearsEvents:
    """One that hears a whole sound, or one that answers for windows: the shape of its input says which."""
    score = float(card.thresholds.get("score", 0.3))
    feed = inputs[0].name if inputs else "waveform"
    if not _takes_windows(inputs):
        told = {name: _number(card, name, 0.0) for name in ("hop_s", "frame_s") if name in card.options}
        return WaveTagger(runs, card.labels, name=card.id, feed=feed, score=score, **told)
    rate_hz, window_s = _window(card, inputs[0])
    return WindowTagger(
        runs, card.labels, name=card.id, feed=feed, score=score, rate_hz=rate_hz, window_s=window_s,
        hop_s=_number(card, "hop_s", window_s / 2), batch=_fixed(inputs[0], 0),
    )  # fmt: skip


def hum(card: ModelCard, inputs: Sequence[Port]) -> dict[str, NDArray[np.float32]]:
    """What a tagger is tried on: the same everywhere."""
    if not inputs:
        raise BadOutput("the tagger takes no sound")
    length = 2 * RATE_HZ
    if _takes_windows(inputs):
        rate_hz, window_s = _window(card, inputs[0])
        length = round(rate_hz * window_s)
    wave = (0.1 * np.sin(np.arange(length) * 0.05)).astype(np.float32)
    return {inputs[0].name: np.tile(wave, (_fixed(inputs[0], 0) or 1, 1)) if _takes_windows(inputs) else wave}


def _takes_windows(inputs: Sequence[Port]) -> bool:
    return bool(inputs) and len(inputs[0].shape) == 2


def _window(card: ModelCard, port: Port) -> tuple[int, float]:
    """The rate, and how long a window is: as the manifest says, else as the graph fixes it."""
    rate_hz = round(_number(card, "rate_hz", _USUAL_RATE_HZ))
    if rate_hz not in _TAGGER_RATES:
        raise DataError("must be a rate of sound", path="model.yaml", place="options.rate_hz")
    window_s = _number(card, "window_s", (_fixed(port, 1) / rate_hz) or 1.0)
    if window_s > _LONGEST_WINDOW_S:
        raise DataError(f"must be at most {_LONGEST_WINDOW_S:g} s", path="model.yaml", place="options.window_s")
    return rate_hz, window_s


def _number(card: ModelCard, name: str, usual: float) -> float:
    found = card.options.get(name, usual)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < float("inf"):
        raise DataError("must be a number above nought", path="model.yaml", place=f"options.{name}")
    return float(found)


def _fixed(port: Port, place: int) -> int:
    side = port.shape[place]
    return side if isinstance(side, int) else 0


class WaveTagger:
    """A tagger given as an ONNX file: a wave (samples,) to scores (frames, classes), one frame every ``hop_s``."""

    def __init__(
        self,
        runs: Runs,
        labels: Sequence[str],
        *,
        name: str,
        feed: str = "waveform",
        hop_s: float = 0.48,
        frame_s: float = 0.96,
        score: float = 0.3,
    ) -> None:
        if not labels:
            raise DataError("the sound tagger names no classes; its manifest needs labels or a class_map.csv")
        if not (hop_s > 0 and frame_s >= hop_s and 0 < score <= 1):
            raise DataError(f"a tagger with hop {hop_s} s, frame {frame_s} s and score {score} makes no sense")
        self.name = name
        self._runs, self._labels, self._feed = runs, tuple(labels), feed
        self._hop_s, self._frame_s, self._score = hop_s, frame_s, score

    def events(self, sound: Sound) -> list[FoundSpan]:
        """Each class where its score stays above the limit."""
        if not len(sound):
            return []
        scores = _scores(self._runs.run({self._feed: sound}), self._labels)
        return _above(scores, self._labels, self._score, self._hop_s, self._frame_s, len(sound) / RATE_HZ)


class WindowTagger:
    """A tagger that answers once for each window it is given, (windows, samples) to (windows, classes), in the manner
    of PANNs. The sound comes in 16 kHz: to one that was trained on more, what is above 8 kHz is silent."""

    def __init__(
        self,
        runs: Runs,
        labels: Sequence[str],
        *,
        name: str,
        feed: str,
        rate_hz: int = 32_000,
        window_s: float = 1.0,
        hop_s: float = 0.0,
        score: float = 0.3,
        batch: int = 0,
    ) -> None:
        """``hop_s`` is half a window where it is nought; ``batch`` how many windows the graph takes, where it takes no
        other number."""
        hop_s = hop_s or window_s / 2
        if not labels:
            raise DataError("the sound tagger names no classes; its manifest needs labels or a class_map.csv")
        if not (0 < hop_s <= window_s <= _LONGEST_WINDOW_S and rate_hz in _TAGGER_RATES and 0 < score <= 1):
            raise DataError(f"a tagger with hop {hop_s} s, window {window_s} s at {rate_hz} Hz makes no sense")
        self.name = name
        self._runs, self._labels, self._feed, self._rate_hz = runs, tuple(labels), feed, rate_hz
        self._window_s, self._hop_s, self._score, self._batch = window_s, hop_s, score, batch

    def events(self, sound: Sound) -> list[FoundSpan]:
        """Each class where its score stays above the limit."""
        if not len(sound):
            return []
        wide, step = round(self._window_s * self._rate_hz), round(self._hop_s * self._rate_hz)
        heard = _at_rate(sound, self._rate_hz)
        count = 1 + max(0, -(-(len(heard) - wide) // step))
        padded = np.zeros((count - 1) * step + wide, np.float32)
        padded[: len(heard)] = heard[: len(padded)]
        windows = np.lib.stride_tricks.sliding_window_view(padded, wide)[::step]
        rows = []
        for start in range(0, count, self._batch or _AT_ONCE):
            part = windows[start : start + (self._batch or _AT_ONCE)]
            fed = np.pad(part, ((0, max(0, self._batch - len(part))), (0, 0)))
            found = _scores(self._runs.run({self._feed: np.ascontiguousarray(fed)}), self._labels)
            if len(found) != len(fed):
                raise BadOutput(f"the tagger answers {len(found)} rows for {len(fed)} windows")
            rows.append(found[: len(part)])
        length = len(sound) / RATE_HZ
        return _above(np.concatenate(rows), self._labels, self._score, self._hop_s, self._window_s, length)


def _at_rate(sound: Sound, rate_hz: int) -> Sound:
    if rate_hz == RATE_HZ:
        return sound
    import soxr

    return np.asarray(soxr.resample(sound, RATE_HZ, rate_hz), np.float32)


def _above(
    scores: NDArray[np.float32], labels: Sequence[str], least: float, hop_s: float, frame_s: float, length_s: float
) -> list[FoundSpan]:  # fmt: skip
    """Each class where its score stays above the limit; rows of scores are ``hop_s`` apart and hear ``frame_s``."""
    found = []
    for column in np.flatnonzero((scores >= least).any(axis=0)).tolist():
        own = scores[:, column]
        for first, after in stretches(own, least, least * 0.7, pause=2):
            start, end = first * hop_s, min((after - 1) * hop_s + frame_s, length_s)
            if end > start:
                mean = float(own[first:after].mean())
                found.append(FoundSpan(start_s=start, end_s=end, label=labels[column], score=mean))
    return sorted(found, key=lambda each: (each.start_s, -each.score))


def _scores(outputs: Mapping[str, NDArray[Any]], labels: Sequence[str]) -> NDArray[np.float32]:
    wide = [np.asarray(each) for each in outputs.values() if each.ndim == 2 and each.shape[1] == len(labels)]
    if len(wide) != 1:
        raise BadOutput(f"the tagger answers {len(wide)} tensors of {len(labels)} classes instead of one")
    if not np.isfinite(wide[0]).all():
        raise BadOutput("the scores hold what is not a number")
    return wide[0].astype(np.float32)
