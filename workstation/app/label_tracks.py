"""Boxes of a film's frames joined into tracks while they come, and each track made into a proposal when it has ended.

Used by ``label_pictures.py``. What was found is kept chunk by chunk, so that a job that goes on can join what it finds
to what it found before; the tracks themselves are few keyframes each, for a person to edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from workstation.app.label_looks import packed_look, unpacked_look
from workstation.app.labellers import Call
from workstation.prelabel.api import FoundBox
from workstation.prelabel.keyframes import keyframes
from workstation.prelabel.tracking import TrackerSettings, label_of, tracker_named

_LEAST_SEEN = 3
_DEVIATION_PX = 3.0
_GAP_STEPS = 3.5
"""Unseen for longer than so many looks, a track says that the thing is not there."""
_DOUBTFUL = 0.1
_SURER = 0.05
_BoxRow = tuple[float, float, float, float, str, float]


class _FrameRow(msgspec.Struct, frozen=True, array_like=True):
    """What was found in a frame, and what each of it looks like where that was asked."""

    frame: int
    time_ns: int
    boxes: tuple[_BoxRow, ...]
    looks: tuple[bytes, ...] = ()


@dataclass(slots=True)
class _Open:
    times_ns: list[int] = field(default_factory=list)
    boxes: list[FoundBox] = field(default_factory=list)
    last_frame: int = 0


class TrackMaker:
    """Fed with the boxes of frames in their order; answers proposals of tracks that have ended."""

    def __init__(self, tracker: str, stream: str, classes: dict[str, str], *, score: float, every: int) -> None:
        self._settings = TrackerSettings(sure=score, begin=min(1.0, score + _SURER), doubtful=min(_DOUBTFUL, score))
        self._tracker = tracker_named(tracker, self._settings)
        self._stream = stream
        self._classes = classes
        self._every = every
        self._open: dict[int, _Open] = {}
        self._last: tuple[int, int] | None = None
        self._step_ns = 0
        self.left_out: Counter[str] = Counter()

    def add(self, frame: int, time_ns: int, found: Sequence[FoundBox]) -> list[Call]:
        """Take in a frame; what has ended by now."""
        gone = self._every if self._last is None else frame - self._last[0]
        if self._last is not None:
            self._step_ns = max(self._step_ns, (time_ns - self._last[1]) * self._every // max(1, gone))
        self._last = (frame, time_ns)
        for box in self._tracker.step(found, float(gone)):
            if box.track is not None:
                track = self._open.setdefault(box.track, _Open())
                track.times_ns.append(time_ns)
                track.boxes.append(replace(box, features=None))  # a long track would hold thousands of them
                track.last_frame = frame
        ended = [key for key, each in self._open.items() if frame - each.last_frame > self._settings.lost_frames]
        return self._made(ended)

    def finish(self) -> list[Call]:
        """Whatever is still there at the end of the film."""
        return self._made(list(self._open))

    def _made(self, keys: Iterable[int]) -> list[Call]:
        calls = []
        for key in keys:
            track = self._open.pop(key)
            label = label_of(track.boxes)
            if len(track.boxes) < _LEAST_SEEN:
                continue
            class_id = self._classes.get(label)
            if class_id is None:
                self.left_out[label] += 1
                continue
            calls.append(self._call(track, class_id, label))
        return calls

    def _call(self, track: _Open, class_id: str, label: str) -> Call:
        edges = np.array([[b.left, b.top, b.left + b.width, b.top + b.height] for b in track.boxes], np.float64)
        gap_ns = round(self._step_ns * _GAP_STEPS) if self._step_ns else None
        chosen = keyframes(track.times_ns, edges, deviation_px=_DEVIATION_PX, longest_gap_ns=gap_ns)
        moments: list[dict[str, Any]] = [
            {"time_ns": track.times_ns[at], "shape": _shape(track.boxes[at])} for at in chosen.places
        ]
        moments += [{"time_ns": start, "presence": "absent"} for start, _ in chosen.gaps]
        arguments = {
            "stream": self._stream, "class_id": class_id, "confidence": _mean_score(track.boxes),
            "keyframes": sorted(moments, key=lambda each: each["time_ns"]),
        }  # fmt: skip
        return Call("track.add", arguments, called=label)


def packed(rows: Iterable[tuple[int, int, Sequence[FoundBox]]]) -> bytes:
    """What was found in frames, to be kept: (frame, time, boxes) without their pictures."""
    plain = [
        _FrameRow(
            frame,
            time_ns,
            tuple((b.left, b.top, b.width, b.height, b.label, b.score) for b in boxes),
            tuple(packed_look(b.features) for b in boxes) if any(b.features is not None for b in boxes) else (),
        )
        for frame, time_ns, boxes in rows
    ]
    return msgspec.msgpack.encode(plain)


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.msgpack.Decoder(list[_FrameRow])


def unpacked(data: bytes) -> list[tuple[int, int, list[FoundBox]]]:
    """The same back."""
    return [
        (
            row.frame,
            row.time_ns,
            [
                FoundBox(left=a, top=b, width=c, height=d, label=e, score=f, features=unpacked_look(look))
                for (a, b, c, d, e, f), look in zip(row.boxes, row.looks or (b"",) * len(row.boxes), strict=True)
            ],
        )
        for row in _READ.decode(data)
    ]


def _shape(box: FoundBox) -> dict[str, Any]:
    return {
        "kind": "box", "x": float(box.left), "y": float(box.top), "width": float(box.width), "height": float(box.height)
    }  # fmt: skip


def _mean_score(boxes: Sequence[FoundBox]) -> float:
    return min(1.0, max(0.0, sum(box.score for box in boxes) / len(boxes)))
