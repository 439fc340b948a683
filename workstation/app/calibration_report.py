"""Whether the cameras of a sample are calibrated, by the things that are labelled in them and in space; in words.

Called by ``workstation report calibration`` and by the panel of synchronisation. What is off, and whose fault it is,
is asked of what the checks found (``qa/rules/patterns.py``, ``fits.py``), so that report, panel and checks say the
same; here are its rows, and a plot for a terminal of residual against range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workstation.app.evidence import media_evidence
from workstation.app.jobs import Job
from workstation.core.calibration_error import (
    AngularError,
    Cause,
    CauseFound,
    Shared,
    ThingOff,
    cause_of,
    error_of,
    things_off,
)
from workstation.core.misalignment import SHIFTED_M
from workstation.core.pair_fit import pairs_seen
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import MISPLACED_M, MISPLACED_TOLERANCE, named_limit
from workstation.qa.remembered import RememberedSnapshot
from workstation.qa.rules.fits import displaced_of
from workstation.qa.rules.patterns import CameraPattern, Patterns, patterns_of
from workstation.store.project import ProjectFolder
from workstation.store.queries import Reads
from workstation.store.store import Reader

_WIDE = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReport:
    """One camera: the things seen whole in it, near ones first, and what they say together."""

    camera: str
    things: tuple[ThingOff, ...]
    error: AngularError | None
    late: str = ""
    """What the checks say of the clock of the cuboids, where it is off."""

    @property
    def off(self) -> bool:
        """Whether the calibration is off."""
        return self.error is not None and self.error.off

    def words(self) -> str:
        """One sentence."""
        if self.error is None:
            return f"{self.camera}: {len(self.things)} things are seen whole in it, too few to tell"
        return self.error.words() + (f"; {self.late}" if self.late else "")

    def bars(self) -> Iterator[str]:
        """Residual against range for people: each thing left or right of its projection, in metres."""
        most = max((abs(each.off_m) for each in self.things), default=0.0) or 1.0
        for each in self.things:
            at = round((each.off_m / most + 1) / 2 * (_WIDE - 1))
            line = "".join("●" if n == at else "│" if n == _WIDE // 2 else "·" for n in range(_WIDE))
            yield (
                f"{each.range_m:6.1f} m  {each.off_m:+6.2f} m {each.off_px:+6.1f} px {each.off_deg:+6.2f}°  {line}  "
                + (each.name)
            )

    def plain(self) -> dict[str, object]:
        """For programs."""
        error = self.error
        return {
            "camera": self.camera, "verdict": _verdict(error), "words": self.words(),
            "turned_deg": None if error is None else round(error.turned_deg, 4),
            "half_width_deg": None if error is None else round(error.half_width_deg, 4),
            "metres_at_50": None if error is None else round(error.metres_at(50), 3),
            "tilted_deg": None if error is None else round(error.tilted_deg, 4),
            "shifted_m": None if error is None else round(error.shifted_m, 4),
            "things": [
                {
                    "thing": each.thing, "name": each.name, "range_m": round(each.range_m, 2),
                    "off_m": round(each.off_m, 4), "off_px": round(each.off_px, 3), "off_deg": round(each.off_deg, 4),
                }
                for each in self.things
            ],
        }  # fmt: skip


def _verdict(error: AngularError | None) -> str:
    if error is None:
        return "not known"
    return "angular" if error.angular or error.tilted else "shifted" if error.shifted else "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """All cameras of a sample in which something is labelled that has a cuboid."""

    cameras: tuple[CameraReport, ...]
    things: tuple[ThingOff, ...]
    shared: Mapping[tuple[str, str], Shared]
    """Camera and thing → what the checks found."""

    def causes(self, thing: str) -> tuple[CauseFound, ...]:
        """What is proposed for one thing, camera by camera, with the evidence."""
        found = [self._cause(each.camera, thing) for each in self.cameras]
        return tuple(each for each in found if each is not None)

    def suspects(self) -> tuple[CauseFound, ...]:
        """Everything that is off, the worst in metres first."""
        found = [self._cause(each.camera, each.thing) for each in self.things]
        off = [each for each in found if each is not None and each.cause is not Cause.NONE]
        return tuple(sorted(off, key=lambda each: -abs(each.off.off_m)))

    def _cause(self, camera: str, thing: str) -> CauseFound | None:
        return cause_of(self.things, self.shared.get((camera, thing), Shared()), camera=camera, thing=thing)


def calibration_report(snapshot: Snapshot, sample: Sample, *, job: Job | None = None) -> CalibrationReport:
    """Of a sample whose snapshot knows its media; ``Unmeasured`` where those are missing."""
    pairs = []
    for number, pair in enumerate(pairs_seen(snapshot, sample)):
        pairs.append(pair)
        if job is not None and number % 50 == 0:
            job.report(number, 0)
    things = things_off(pairs)
    if not things:
        return CalibrationReport(cameras=(), things=(), shared={})
    patterns = patterns_of(snapshot, sample)
    displaced = {solid: found.length_m for solid, (found, _) in displaced_of(snapshot, sample).items()}
    limit_m = named_limit(snapshot.project(), MISPLACED_TOLERANCE, MISPLACED_M)
    shared = {(each.camera, each.thing): _shared(patterns, displaced, limit_m, each) for each in things}
    return CalibrationReport(cameras=tuple(_cameras(patterns, things)), things=things, shared=shared)


def report_of(reads: Reads, project: ProjectFolder, sample: Sample, *, job: Job | None = None) -> CalibrationReport:
    """The same with the project's own media."""
    with media_evidence(reads, project)(sample) as evidence:
        return calibration_report(RememberedSnapshot(reads, evidence), sample, job=job)


def reporting(
    project: ProjectFolder, open_reader: Callable[[], Reader], sample: Sample
) -> Callable[[Job], CalibrationReport]:
    """The same as the work of a job, over a connection of its own."""

    def work(job: Job) -> CalibrationReport:
        with open_reader() as reader:
            return report_of(reader, project, sample, job=job)

    return work


def _cameras(patterns: Patterns, things: Sequence[ThingOff]) -> Iterator[CameraReport]:
    for camera in dict.fromkeys(each.camera for each in things):
        those = tuple(each for each in things if each.camera == camera)
        found = _pattern(patterns, camera)
        late = None if found is None else patterns.late.get(found.scanner.id)
        yield CameraReport(
            camera=camera, things=those, error=None if found is None else _error(patterns, found),
            late="" if late is None or found is None
            else f"the clock of {found.scanner.key} is {late.late_s.value * 1e3:+.1f} ms late",
        )  # fmt: skip


def _pattern(patterns: Patterns, camera: str) -> CameraPattern | None:
    """Of a camera, against the scanner in whose scans most things have cuboids."""
    those = [each for each in patterns.cameras.values() if each.stream.key == camera]
    return max(those, key=lambda each: each.pattern.things, default=None)


def _error(patterns: Patterns, found: CameraPattern) -> AngularError:
    return error_of(
        found.pattern, camera=found.stream.key, limit_deg=patterns.turned_deg, shift_limit_m=SHIFTED_M,
        ranges_m=found.ranges_m,
    )  # fmt: skip


def _shared(patterns: Patterns, displaced: Mapping[str, float], limit_m: float, thing: ThingOff) -> Shared:
    found = _pattern(patterns, thing.camera)
    left = [] if found is None else [found.left_rad[each] for each in thing.labels if each in found.left_rad]
    late = None if found is None else patterns.late.get(found.scanner.id)
    return Shared(
        error=None if found is None else _error(patterns, found),
        left_deg=math.degrees(left[0]) if left else None,
        late_ms=0.0 if late is None else late.late_s.value * 1e3,
        displaced_m=max((displaced[each] for each in thing.labels if each in displaced), default=0.0),
        displaced_limit_m=limit_m,
    )
