"""Measuring a clock from the window: which ways there are for a sample, the work on a thread, and picks set right.

Called by ``ui/panels/sync.py``. The work reads the project over a connection and readers of its own, so that nothing
the window holds is touched; what it answers is a value, and nothing is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workstation.app.jobs import Job
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.app.synchronising import (
    Bench,
    Measured,
    by_clap,
    by_events,
    by_motion,
    by_object,
    by_sound,
    by_voice,
    metres_of,
)
from workstation.core.annotation import Annotation
from workstation.core.geometry import ShapeKind
from workstation.core.sample import Gate, GateState, Project, Sample, Stream, StreamKind
from workstation.core.sync_state import SYNC_GATE, SyncBasis, sync_basis
from workstation.core.tolerances import CLOCK_MS, CLOCK_TOLERANCE, DISTANCE_TOLERANCE, allowed_ms, time_limit_ms
from workstation.media.base import CancelToken
from workstation.store.project import ProjectFolder
from workstation.store.store import Reader
from workstation.sync.curves import Curve
from workstation.sync.drift import DriftFit, OffsetAt, fit_drift

ShownCurve = Curve
"""What was compared, for whoever draws it."""
_V, _A, _C = StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.CLOUD
_TURNS = (_V, _C, StreamKind.SERIES, StreamKind.TRAJECTORY)
_MARKED = (StreamKind.SERIES, _A, _V)
_FEWEST_FOR_DRIFT = 6
_MOMENTS = 20
_LOOKED_AT_NS = 20_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to measure: of which kinds the reference and the stream to measure are."""

    name: str
    title: str
    help: str
    reference: tuple[StreamKind, ...]
    moved: tuple[StreamKind, ...]
    around_ns: int
    """How much of the signals to show on either side of a pick at first."""


METHODS = (
    Method(name="clap", title="Claps or flashes", help="Sudden sounds against hands that meet, or flashes",
           reference=(_V,), moved=(_A,), around_ns=400_000_000),
    Method(name="voice", title="Voice and mouth", help="Loudness of a voice against what moves in the picture",
           reference=(_V,), moved=(_A,), around_ns=1_500_000_000),
    Method(name="sound", title="Two sounds", help="What two microphones both heard",
           reference=(_A,), moved=(_A,), around_ns=100_000_000),
    Method(name="imu", title="Turning", help="A gyro, poses, a camera that pans, turning sweeps",
           reference=_TURNS, moved=_TURNS, around_ns=5_000_000_000),
    Method(name="events", title="Events", help="Pulses of a trigger, switches on the bus, sudden sounds, flashes",
           reference=_MARKED, moved=_MARKED, around_ns=500_000_000),
    Method(name="object", title="Fast object", help="One thing with boxes in a camera and cuboids in sweeps",
           reference=(_V,), moved=(_C,), around_ns=2_000_000_000),
)  # fmt: skip


def methods_for(view: SampleView) -> tuple[Method, ...]:
    """The ways that the sample's streams, and for the object its labels, allow."""
    return tuple(
        each for each in METHODS
        if (things_in_both(view) if each.name == "object" else _pairs(each, view.streams.values()))
    )  # fmt: skip


def _pairs(method: Method, streams: Iterable[Stream]) -> bool:
    held = list(streams)
    return any(a.id != b.id for a in held if a.kind in method.reference for b in held if b.kind in method.moved)


def things_in_both(view: SampleView) -> list[tuple[str, str]]:
    """(id, name) of the things with a track of boxes in a camera and of cuboids."""
    kinds: dict[str, set[ShapeKind]] = {}
    for each in view.annotations.values():
        if each.entity is not None and each.track is not None:
            kinds.setdefault(each.entity, set()).add(each.kind)
    both = [entity for entity, those in kinds.items() if {ShapeKind.BOX, ShapeKind.CUBOID} <= those]
    return [(entity, view.name_of(entity)) for entity in both]


def measuring(
    project: ProjectFolder, open_reader: Callable[[], Reader], sample: Sample, method: str,
    *, reference: str, moved: str, entity: str = "", most_s: float = 1.0,
) -> Callable[[Job], Measured]:  # fmt: skip
    """The work of a job: it measures, and changes nothing."""

    def work(job: Job) -> Measured:
        token = CancelToken()

        def progress(share: float) -> None:
            if job.cancel_asked:
                token.cancel()
            job.report(round(share * 1000), 1000)

        with _Records(open_reader()) as records, OpenStreams(project.path, readers=Formats().readers) as readers:
            bench = Bench(
                session=records, sample=sample, readers=readers, most_s=most_s, progress=progress, cancel=token
            )
            ways: dict[str, Callable[[], Measured]] = {
                "clap": lambda: by_clap(bench, sound=moved, picture=reference),
                "voice": lambda: by_voice(bench, sound=moved, picture=reference),
                "sound": lambda: by_sound(bench, reference=reference, moved=moved),
                "imu": lambda: by_motion(bench, reference=reference, moved=moved),
                "events": lambda: by_events(bench, reference=reference, moved=moved),
                "object": lambda: by_object(bench, entity=entity, picture=reference),
            }
            return ways[method]()

    return work


@dataclass(frozen=True, slots=True)
class _Records:
    """A worker's own connection where a session is asked for its records."""

    store: Reader

    def __enter__(self) -> _Records:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()


# --- picks -----------------------------------------------------------------------------------------------------------


def picks_of(measured: Measured) -> tuple[tuple[int, int], ...]:
    """Session times that were taken for the same, in the reference and in the moved stream, in the order of time."""
    points = sorted(measured.points, key=lambda each: each.at_ns)
    return tuple((each.at_ns + each.offset_ns, each.at_ns) for each in points)


def with_pick(measured: Measured, number: int, reference_ns: int, moved_ns: int) -> Measured:
    """The same with one pick put where a person says; the offset and the drift are worked out again."""
    points = sorted(measured.points, key=lambda each: each.at_ns)
    points[number] = replace(points[number], at_ns=moved_ns, offset_ns=reference_ns - moved_ns)
    return _again(measured, points)


def without_pick(measured: Measured, number: int) -> Measured:
    """The same without one pick; the last is kept."""
    points = sorted(measured.points, key=lambda each: each.at_ns)
    return measured if len(points) < 2 else _again(measured, points[:number] + points[number + 1 :])


def _again(measured: Measured, points: Sequence[OffsetAt]) -> Measured:
    ordered = sorted(points, key=lambda each: each.at_ns)
    picks = tuple((each.at_ns + each.offset_ns, each.at_ns) for each in ordered)
    evidence = {**measured.evidence, "picks_by_hand": True}
    if "claps" in evidence:
        evidence["claps"] = [list(each) for each in picks]
    fit = fit_drift(ordered) if len(ordered) >= _FEWEST_FOR_DRIFT else _constant(ordered)
    return replace(
        measured, points=tuple(ordered), fit=fit, evidence=evidence, picks=picks if measured.picks else ()
    )  # fmt: skip


def _constant(points: Sequence[OffsetAt]) -> DriftFit:
    """Too few to see a drift: their mean, sure by their own widths and by how they scatter, whichever is more."""
    offsets = np.array([each.offset_ns for each in points], np.float64)
    widths = np.array([each.half_width_ns for each in points], np.float64)
    by_width = float(np.sqrt(np.mean(widths**2) / len(points)))
    by_scatter = 1.96 * float(offsets.std(ddof=1)) / len(points) ** 0.5 if len(points) > 1 else 0.0
    mean = round(float(offsets.mean()))
    one = fit_drift(
        [OffsetAt(at_ns=points[len(points) // 2].at_ns, offset_ns=mean, half_width_ns=round(max(by_width, by_scatter)))]
    )
    left = tuple(round(each - mean) for each in offsets)
    return replace(
        one, left_ns=left, sure_ns=(one.half_width_ns,) * len(points),
        residual_ns=round(float(np.sqrt(np.mean((offsets - mean) ** 2)))),
    )  # fmt: skip


def still_holds(measured: Measured, view: SampleView) -> bool:
    """Whether both streams' clocks stand as they stood when it was measured; what was noted of them may be new."""
    return all(
        (now := view.streams.get(each.id)) is not None and _clock_of(now) == _clock_of(each)
        for each in (measured.reference, measured.moved)
    )


def _clock_of(stream: Stream) -> tuple[object, ...]:
    return stream.time_map.knots, stream.time_map.rate_before, stream.time_map.rate_after


# --- what stands behind a sample, and what an offset means -----------------------------------------------------------


def state_in_words(sample: Sample, streams: Iterable[Stream]) -> str:
    """Of the sample's clocks: unverified, hardware-declared, verified empirically, waived; by whom and why."""
    gate = sample.gates.get(SYNC_GATE, Gate())
    hardware = sync_basis(streams) is SyncBasis.HARDWARE
    words = {
        GateState.UNVERIFIED: "Unverified (hardware-declared)" if hardware else "Unverified",
        GateState.DECLARED: "Declared, not verified",
        GateState.VERIFIED: "Verified",
        GateState.WAIVED: "Waived",
        GateState.NOT_NEEDED: "One clock, nothing to verify",
    }[gate.state]
    said = f"{words} by {gate.person}" if gate.person and gate.state is not GateState.UNVERIFIED else words
    return f"{said}: {gate.reason}" if gate.reason else f"{said}."


def speed_of(placed: PlacedCuboids, annotation: Annotation) -> float | None:
    """How fast the thing of a track of cuboids goes over the ground, in km/h: the median over its first twenty seconds,
    through the poses where there are some. ``None`` for what is no such track."""
    life = placed.life_of(annotation.id)
    if annotation.kind is not ShapeKind.CUBOID or life is None or life[1] <= life[0]:
        return None
    times = np.linspace(life[0], min(life[1] - 1, life[0] + _LOOKED_AT_NS), _MOMENTS).astype(np.int64)
    found = [placed.placed(annotation.id, int(each)) for each in times]
    places = [(at * 1e-9, *one[0].center) for at, one in zip(times.tolist(), found, strict=True) if one is not None]
    if len(places) < 2:
        return None
    steps = np.diff(np.array(places), axis=0)
    return 3.6 * float(np.median(np.linalg.norm(steps[:, 1:], axis=1) / np.maximum(steps[:, 0], 1e-9)))


def limits_in_words(project: Project | None, sample: Sample, kmh: float, whose: str = "") -> str:
    """What the limit of clocks is in space at a speed, and what time a required exactness leaves at it."""
    limit_ms = time_limit_ms(project, sample, CLOCK_TOLERANCE, CLOCK_MS)
    metres, share = metres_of(round(limit_ms * 1e6), kmh)
    said = f"The limit of {limit_ms:g} ms is {metres:.2f} m at {kmh:.0f} km/h{whose}, {share:.0%} of a 3.5 m lane"
    required = None if project is None else project.tolerances.get(DISTANCE_TOLERANCE)
    allowed = None if required is None else allowed_ms(required, kmh / 3.6)
    return said if allowed is None else f"{said}; {required:g} m leave {allowed:.0f} ms"
