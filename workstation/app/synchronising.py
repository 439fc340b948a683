"""How far a stream's clock is off, measured from what the streams show; and the correction, once a person accepts it.

Called by ``workstation sync clap|sound|imu|voice|object`` and by the Sync workspace. The estimators are in ``sync/``,
the signals come from ``sync_signals.py``; here they are put together, told in words, and applied in one step that can
be taken back: the stream's new time map with its evidence, and the sync gate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from workstation.app.scenery import HoldsRecords, Scenery
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.app.sync_events import events_of
from workstation.app.sync_signals import (
    Film,
    Progress,
    SoundSignal,
    attacks,
    film_of,
    motion_curve,
    sound_of,
    turning_of,
)
from workstation.commands.resolve import Resolver, Wanted
from workstation.core.annotation import Annotation, Keyframe
from workstation.core.cameras import Camera
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Box, Cuboid, ShapeKind
from workstation.core.ids import StreamId
from workstation.core.projection import cuboid_box
from workstation.core.rigs import newest_calibration
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.sync_state import SYNC_GATE
from workstation.core.timebase import TimeMap, TimeRange
from workstation.core.tolerances import CLOCK_MS, CLOCK_TOLERANCE, time_limit_ms
from workstation.media.base import CancelToken
from workstation.sync.curves import Curve, curve_drift
from workstation.sync.drift import DriftFit, OffsetAt, fit_drift, less_sure
from workstation.sync.marks import Moment, marks_drift, match_moments
from workstation.sync.moving_object import object_offset
from workstation.sync.sounds import sound_drift
from workstation.sync.transients import flashes, sound_onsets, turning_points

NOTICEABLE_NS = 40_000_000
UNBEARABLE_NS = 100_000_000
_AROUND_NS = 1_200_000_000
_MOST_MOMENTS = 40
_MOST_PPM = 200.0
"""Worse than any clock of a camera or a recorder."""
_EDGE_PX = 2.0
_VOICE_S = 180.0
_LOUD_ENOUGH = 0.05
"""Against the clearest attack: a clap stands out of speech, whose consonants are attacks as well."""


class Band(StrEnum):
    """How much a person notices of an offset between picture and sound."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


def band_of(offset_ns: int) -> Band:
    """Unnoticed to 40 ms, noticed to 100 ms, wrong above."""
    if abs(offset_ns) <= NOTICEABLE_NS:
        return Band.GREEN
    return Band.AMBER if abs(offset_ns) <= UNBEARABLE_NS else Band.RED


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of one stream against another. ``fit`` leads from where the stream's things stand on the
    session's axis now to where they belong."""

    method: str
    reference: Stream
    moved: Stream
    fit: DriftFit
    points: tuple[OffsetAt, ...]
    evidence: Mapping[str, object] = field(default_factory=dict)
    picks: tuple[tuple[int, int], ...] = ()
    """Session times of what was taken for the same: in the reference, in the moved stream."""
    doubt: str = ""
    """Why a person should look before believing it; empty if there is no reason."""
    shown: tuple[Curve, Curve] | None = None
    """What was compared, for a person to look at: of the reference, of the moved stream."""

    @property
    def late_ns(self) -> int:
        """How much too late the stream stands now, in the middle of what was measured."""
        return -self.fit.offset_ns

    @property
    def time_map(self) -> TimeMap:
        """The stream's map as it should be, with where it came from."""
        found = self.moved.time_map.then(self.fit.time_map)
        values = {
            **{name: value for name, value in self.moved.time_map.evidence_values.items() if name == "latency_ns"},
            "against": self.reference.key,
            "offset_ns": self.fit.offset_ns,
            "half_width_ns": self.fit.half_width_ns,
            "rate_ppm": round(self.fit.rate_ppm, 4),
            "points": len(self.points),
            **self.evidence,
        }
        return found.found_by(self.method, evidence=values, residual_ns=self.fit.residual_ns)

    def row(self) -> dict[str, Any]:
        """For the command line."""
        return {
            "method": self.method, "reference": self.reference.key, "stream": self.moved.key,
            "late_ms": round(self.late_ns / 1e6, 4), "give_or_take_ms": round(self.fit.half_width_ns / 1e6, 4),
            "band": band_of(self.late_ns).value, "model": self.fit.model.value,
            "rate_ppm": round(self.fit.rate_ppm, 4), "drift_ms": round(self.fit.drift_ns / 1e6, 4),
            "residual_ms": round(self.fit.residual_ns / 1e6, 4), "points": len(self.points), "doubt": self.doubt,
        }  # fmt: skip

    def words(self) -> str:
        """One sentence."""
        side = "late" if self.late_ns >= 0 else "early"
        said = (
            f"{self.moved.key} is {abs(self.late_ns) / 1e6:.3f} ms {side} against {self.reference.key}, "
            f"give or take {self.fit.half_width_ns / 1e6:.3f} ms"
        )
        if self.fit.model != "offset":
            said += (
                f", and drifts by {self.fit.drift_ns / 1e6:+.3f} ms over the recording ({self.fit.rate_ppm:+.3f} ppm)"
            )
        return said + "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What measuring needs: the session for names, readers of its own, and how to tell of progress and stop."""

    session: HoldsRecords
    sample: Sample
    readers: OpenStreams
    most_s: float = 1.0
    progress: Progress | None = None
    cancel: CancelToken = field(default_factory=CancelToken)

    def stream(self, key: str | None, kinds: Sequence[StreamKind], what: str) -> Stream:
        """The named stream, or the only one of a kind."""
        streams = self.session.store.streams(self.sample.id)
        if key is not None:
            for each in streams:
                if each.key == key:
                    return each
            raise UserError(f"sample {self.sample.key} has no stream {key!r}")
        fitting = [each for each in streams if each.kind in kinds]
        if len(fitting) != 1:
            names = ", ".join(each.key for each in fitting) or "none"
            raise UserError(f"name {what}: {self.sample.key} has {names}")
        return fitting[0]


def by_clap(bench: Bench, *, sound: str | None = None, picture: str | None = None) -> Measured:
    """The sound against the picture by claps and flashes: sudden sounds, and what is suddenly seen near them."""
    heard_in = bench.stream(sound, (StreamKind.AUDIO,), "the sound stream with --sound")
    seen_in = bench.stream(picture, (StreamKind.VIDEO,), "the camera with --picture")
    signal = sound_of(heard_in, bench.readers.reader(heard_in))
    onsets = sound_onsets(signal.read(0, signal.count), signal.rate_hz, signal.start_ns, most=_MOST_MOMENTS)
    clearest = max((each.strength for each in onsets), default=0.0)
    onsets = [each for each in onsets if each.strength >= _LOUD_ENOUGH * clearest]
    if not onsets:
        raise DataError("has no sudden sound such as a clap", place=f"{bench.sample.key}/{heard_in.key}")
    reach_ns = round(bench.most_s * 1e9) + _AROUND_NS
    around = [TimeRange(each.from_ns - reach_ns, each.to_ns + reach_ns) for each in onsets]
    film = film_of(seen_in, bench.readers.reader(seen_in), around, bench.cancel, bench.progress)
    seen, flashed = _seen(film.times_ns, film.frames, film.brightness)
    found = match_moments(seen, onsets, most_ns=round(bench.most_s * 1e9), most_ppm=_MOST_PPM) if seen else None
    if found is None:
        raise DataError(
            "shows no flash and no hands that meet near a sudden sound", place=f"{bench.sample.key}/{seen_in.key}"
        )
    doubt = "another offset would fit about as well; look at the picks" if found.ambiguous else ""
    picks = tuple((pair.reference.middle_ns, pair.other.middle_ns) for pair in found.pairs)
    return Measured(
        method="clap", reference=seen_in, moved=heard_in, fit=marks_drift(found),
        points=tuple(_point(pair.reference, pair.other) for pair in found.pairs),
        picks=picks, evidence={"claps": [list(each) for each in picks]}, doubt=doubt,
        shown=(_look(film, flashed), attacks(signal, [each[1] for each in picks])),
    )  # fmt: skip


def by_events(
    bench: Bench, *, reference: str, moved: str, channel: str = "", reference_channel: str = "", falling: bool = False
) -> Measured:
    """One list of events against another: pulses, switches on the bus, sounds, flashes; drift included."""
    first = bench.stream(reference, (), "the reference")
    second = bench.stream(moved, (), "the stream to measure")
    if first.id == second.id and channel == reference_channel:
        raise UserError("a stream cannot be measured against itself")
    one, other = (
        events_of(
            each, bench.readers.reader(each), channel=name, falling=falling, progress=bench.progress,
            cancel=bench.cancel,
        )
        for each, name in ((first, reference_channel), (second, channel))
    )  # fmt: skip
    found = match_moments(one.moments, other.moments, most_ns=round(bench.most_s * 1e9), most_ppm=_MOST_PPM)
    if found is None:
        raise DataError(
            f"{first.key} and {second.key} have no event within {bench.most_s:g} s of each other",
            place=bench.sample.key,
        )
    few = "one pair of events says nothing of its own chance; look at the pick" if len(found.pairs) < 2 else ""
    doubt = "another offset would fit about as well; look at the picks" if found.ambiguous else few
    picks = tuple((pair.reference.middle_ns, pair.other.middle_ns) for pair in found.pairs)
    return Measured(
        method="events", reference=first, moved=second, fit=marks_drift(found),
        points=tuple(_point(pair.reference, pair.other) for pair in found.pairs), picks=picks, doubt=doubt,
        evidence={"channels": [one.channel, other.channel], "events": len(picks), "alone": list(found.alone)},
        shown=(one.shown, other.shown),
    )  # fmt: skip


def by_sound(bench: Bench, *, reference: str, moved: str) -> Measured:
    """One sound track against another of the same scene."""
    first = bench.stream(reference, (), "the reference")
    second = bench.stream(moved, (), "the stream to measure")
    if first.id == second.id:
        raise UserError("a stream cannot be measured against itself")
    one, other = (sound_of(each, bench.readers.reader(each)) for each in (first, second))
    fit, points = sound_drift(one, other, most_s=bench.most_s, progress=bench.progress)
    shown = (attacks(one, [each.at_ns + each.offset_ns for each in points]), attacks(other, [p.at_ns for p in points]))
    return Measured(method="sound", reference=first, moved=second, fit=fit, points=points, shown=shown)


def by_motion(bench: Bench, *, reference: str, moved: str, channel: str = "", reference_channel: str = "") -> Measured:
    """What turns against what turns: a gyro, poses, the pan of a camera, the turn of sweeps."""
    first = bench.stream(reference, (), "the reference")
    second = bench.stream(moved, (), "the stream to measure")
    if first.id == second.id:
        raise UserError("a stream cannot be measured against itself")
    calibration = newest_calibration(bench.session.store, bench.sample.id)
    one, other = (
        turning_of(
            each, bench.readers.reader(each), channel=name, calibration=calibration,
            progress=bench.progress, cancel=bench.cancel,
        )
        for each, name in ((first, reference_channel), (second, channel))
    )  # fmt: skip
    fit, points = _matched(one.curve, other.curve, bench, "do not turn together, or hardly turn at all")
    fit, points = less_sure(fit, points, round(math.hypot(one.doubt_ns, other.doubt_ns)))
    return Measured(
        method="imu", reference=first, moved=second, fit=fit, points=points, doubt=one.doubt or other.doubt,
        shown=(one.curve, other.curve),
    )  # fmt: skip


def by_voice(bench: Bench, *, sound: str | None = None, picture: str | None = None) -> Measured:
    """The loudness of a voice against what moves in the picture."""
    heard_in = bench.stream(sound, (StreamKind.AUDIO,), "the sound stream with --sound")
    seen_in = bench.stream(picture, (StreamKind.VIDEO,), "the camera with --picture")
    signal = sound_of(heard_in, bench.readers.reader(heard_in))
    loud = _loudness(signal, min(signal.count, round(_VOICE_S * signal.rate_hz)))
    span = TimeRange(int(loud.times_ns[0]) - _AROUND_NS, int(loud.times_ns[-1]) + _AROUND_NS)
    moving = motion_curve(
        seen_in, bench.readers.reader(seen_in), span, progress=bench.progress, cancel=bench.cancel
    )  # fmt: skip
    # A mouth moves most while the voice swells and dies away, and stands open while it is loud.
    changing = Curve(times_ns=loud.times_ns, values=np.abs(np.gradient(loud.values)))
    try:
        fit, points = _matched(moving, changing, bench, "do not go together")
    except DataError:
        fit, points = _matched(moving, loud, bench, "do not go together")
    return Measured(method="voice", reference=seen_in, moved=heard_in, fit=fit, points=points, shown=(moving, loud))


def by_object(bench: Bench, *, entity: str, picture: str | None = None) -> Measured:
    """Sweeps against a camera by one fast thing that has boxes in the one and cuboids in the other."""
    store = bench.session.store
    thing = str(Resolver(store, bench.sample.id).find(Wanted.ENTITY, entity))
    labels = store.annotations_of(thing)
    streams = {each.id: each for each in store.streams(bench.sample.id)}
    flat = [each for each in labels if each.kind is ShapeKind.BOX and each.track is not None and each.stream in streams]
    solid = [each for each in labels if each.kind is ShapeKind.CUBOID and each.stream in streams]
    if picture is not None:
        flat = [each for each in flat if each.stream is not None and streams[each.stream].key == picture]
    if not flat or not solid:
        raise UserError(f"{entity} needs a track of boxes in a camera and one of cuboids to be compared")
    boxes, cuboids = flat[0], solid[0]
    seen_in, swept_in = streams[StreamId(boxes.stream or "")], streams[StreamId(cuboids.stream or "")]
    scenery = Scenery(bench.session, bench.sample.id, bench.readers)
    camera = scenery.calibration.camera(seen_in.frame)
    first = _box_path(store.keyframes(boxes.id), seen_in, camera)
    second, away_m, speed_mps = _cuboid_path(store.keyframes(cuboids.id), cuboids, swept_in, camera, scenery)
    found = object_offset(first, second, most_s=min(bench.most_s, 0.5))
    offset = found.offset
    doubt = "" if found.constant_known else "a fault of the mounting would look the same; choose a thing that passes by"
    return Measured(
        method="object", reference=seen_in, moved=swept_in, fit=fit_drift([offset]), points=(offset,), doubt=doubt,
        shown=(first, second),
        evidence={
            "entity": thing, "residual_px": round(found.residual, 3), "constant_px": round(found.constant, 3),
            "range_m": round(away_m, 2), "speed_kmh": round(speed_mps * 3.6, 2),
            "metres": round(abs(offset.offset_ns) * 1e-9 * speed_mps, 3),
        },
    )  # fmt: skip


def _box_path(keyframes: Sequence[Keyframe], stream: Stream, camera: Camera) -> Curve:
    """Where the middle of the box stands across the picture; boxes that the picture cuts off say nothing."""
    found = []
    for each in keyframes:
        if isinstance(each.shape, Box):
            middle = each.shape.x + each.shape.width / 2
            cut = each.shape.x <= _EDGE_PX or each.shape.x + each.shape.width >= camera.width_px - _EDGE_PX
            found.append((stream.time_map.to_session(each.time_ns), np.nan if cut else middle))
    return _as_curve(found)


def _cuboid_path(
    keyframes: Sequence[Keyframe], annotation: Annotation, stream: Stream, camera: Camera, scenery: Scenery
) -> tuple[Curve, float, float]:
    """The same of the cuboid, seen by the camera at the sweep's own time; its usual range and its own speed."""
    found, ranges, places = [], [], []
    frame = annotation.frame or stream.frame
    for each in keyframes:
        if not isinstance(each.shape, Cuboid):
            continue
        session_ns = stream.time_map.to_session(each.time_ns)
        move = scenery.transform(camera.frame, frame, session_ns)
        box = None if move is None else cuboid_box(camera, each.shape, camera_from_frame=move)
        root = next((r for r in (scenery.transform(root, frame, session_ns) for root in scenery.roots) if r), None)
        if root is not None:
            places.append((session_ns * 1e-9, *(root @ np.array([each.shape.center]))[0]))
        if move is None or box is None:
            found.append((session_ns, np.nan))
            continue
        ranges.append(float(np.linalg.norm(move @ np.array([each.shape.center]))))
        found.append((session_ns, np.nan if box.clipped else (box.left + box.right) / 2))
    steps = np.diff(np.array(places), axis=0) if len(places) > 1 else np.zeros((1, 4))
    speeds = np.linalg.norm(steps[:, 1:], axis=1) / np.maximum(steps[:, 0], 1e-9)
    return _as_curve(found), float(np.median(ranges)) if ranges else 0.0, float(np.median(speeds))


def _as_curve(found: Sequence[tuple[int, float]]) -> Curve:
    ordered = sorted(found)
    return Curve(
        times_ns=np.array([at for at, _ in ordered], np.int64), values=np.array([value for _, value in ordered])
    )


def accept(session: Session, sample: Sample, measured: Measured, *, reason: str = "") -> None:
    """Correct the stream by what was measured, as one step, and say that the sample's clocks are verified by it."""
    said = reason or (
        f"verified empirically by {measured.method}: {measured.moved.key} against {measured.reference.key}, "
        f"{measured.late_ns / 1e6:+.3f} ms ± {measured.fit.half_width_ns / 1e6:.3f} ms"
    )
    with session.together(f"Align {measured.moved.key} by {measured.method}") as run:
        run(
            "stream.set_time", stream=measured.moved.id, sample=sample.id,
            time_map=msgspec.to_builtins(measured.time_map),
        )  # fmt: skip
        run("gate.set", sample=sample.id, gate=SYNC_GATE, state="verified", reason=said)


def note(session: Session, sample: Sample, measured: Measured) -> None:
    """Keep what was measured without correcting anything: within the limit it verifies the sample's clocks, above it
    the sample is flagged (``clocks.off``) until the stream is corrected or the gate waived."""
    at = [each.at_ns for each in measured.points]
    left_ns = max((each - measured.fit.time_map.to_session(each) for each in at), key=abs)
    limit_ms = time_limit_ms(session.store.project(), sample, CLOCK_TOLERANCE, CLOCK_MS)
    values = {
        **measured.moved.time_map.evidence_values,
        "left_ns": left_ns, "left_half_width_ns": measured.fit.half_width_ns, "left_by": measured.method,
        "left_against": measured.reference.key,
    }  # fmt: skip
    now = measured.moved.time_map
    kept = now.found_by(now.method, evidence=values, residual_ns=now.residual_ns)
    within = abs(left_ns) / 1e6 <= limit_ms
    said = f"{measured.moved.key} is {left_ns / 1e6:+.3f} ms off against {measured.reference.key} by {measured.method}"
    reason = f"verified empirically: {said}" if within else f"{said}, more than {limit_ms:g} ms"
    with session.together(f"Note the clock of {measured.moved.key}") as run:
        run("stream.set_time", stream=measured.moved.id, sample=sample.id, time_map=msgspec.to_builtins(kept))
        state = "verified" if within else "unverified"
        run("gate.set", sample=sample.id, gate=SYNC_GATE, state=state, reason=reason)


def metres_of(offset_ns: int, speed_kmh: float, *, lane_m: float = 3.5) -> tuple[float, float]:
    """How far something of that speed is off by an offset, in metres and as a share of a lane's width."""
    if not (0 <= speed_kmh < 1e5 and lane_m > 0):
        raise UserError(f"{speed_kmh:g} km/h over a lane of {lane_m:g} m is no speed to reckon with")
    away = abs(offset_ns) * 1e-9 * speed_kmh / 3.6
    return away, away / lane_m


def _matched(first: Curve, second: Curve, bench: Bench, otherwise: str) -> tuple[DriftFit, tuple[OffsetAt, ...]]:
    try:
        return curve_drift(first, second, most_s=bench.most_s)
    except DataError as error:
        if "in common" in str(error):
            raise DataError(f"the two {otherwise}", place=bench.sample.key) from error
        raise


def _look(film: Film, flashed: bool) -> Curve:
    """What made the picture's moments: its brightness, or how much moves."""
    if flashed or len(film.frames) < 2:
        return Curve(times_ns=film.times_ns, values=film.brightness)
    moved = np.sqrt(np.mean(np.diff(film.frames.astype(np.float32), axis=0) ** 2, axis=1))
    return Curve(times_ns=(film.times_ns[1:] + film.times_ns[:-1]) // 2, values=moved)


def _seen(times_ns: Any, frames: Any, brightness: Any) -> tuple[list[Moment], bool]:
    """Flashes where there are any, else hands that meet; and whether they are flashes. Stretches that do not follow
    each other are taken apart."""
    step = float(np.median(np.diff(times_ns))) if len(times_ns) > 1 else 1.0
    cuts = np.flatnonzero(np.diff(times_ns) > 3 * step) + 1
    finders: tuple[Callable[[slice], list[Moment]], ...] = (
        lambda part: flashes(times_ns[part], brightness[part]),
        lambda part: turning_points(times_ns[part], frames[part]),
    )
    parts = [slice(a, b) for a, b in zip([0, *cuts], [*cuts, len(times_ns)], strict=True)]
    for number, find in enumerate(finders):
        found = [moment for part in parts for moment in find(part)]
        if found:
            return sorted(found, key=lambda each: each.from_ns), number == 0
    return [], False


def _point(reference: Moment, other: Moment) -> OffsetAt:
    wide = (reference.to_ns - reference.from_ns + other.to_ns - other.from_ns) // 2
    return OffsetAt(at_ns=other.middle_ns, offset_ns=reference.middle_ns - other.middle_ns, half_width_ns=max(1, wide))


def _loudness(signal: SoundSignal, count: int) -> Curve:
    """Of hundredths of a second, smoothed over three of them, as a mouth is slower than a voice."""
    size = max(1, round(signal.rate_hz / 100))
    rows = count // size
    first = (signal.count - count) // 2
    level = np.sqrt(np.mean(signal.read(first, rows * size).reshape(rows, size) ** 2, axis=1))
    smooth = np.convolve(np.sqrt(level), np.full(5, 0.2), mode="same")
    times = signal.start_ns + np.round((first + (np.arange(rows) + 0.5) * size) / signal.rate_hz * 1e9).astype(np.int64)
    return Curve(times_ns=times, values=smooth)
