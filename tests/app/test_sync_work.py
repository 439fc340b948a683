"""Picks set right by hand, what is said of a sample's clocks, and a track's own speed; truth is plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sync_work import picks_of, speed_of, state_in_words, with_pick, without_pick
from workstation.app.synchronising import Measured
from workstation.core.annotation import Annotation, Track
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.core.ids import deterministic_ids
from workstation.core.sample import Gate, GateState, Sample, Stream, StreamKind
from workstation.core.timemap import IDENTITY
from workstation.sync.drift import OffsetAt, fit_drift

MS, SECOND = 1_000_000, 1_000_000_000
IDS = deterministic_ids(4)


def stream(key: str, kind: StreamKind, **more: Any) -> Stream:
    made: Any = {"id": IDS.new(), "sample": IDS.new()}
    return Stream(**made, key=key, kind=kind, time_map=IDENTITY, **more)


def measured(*offsets_ms: float) -> Measured:
    points = tuple(
        OffsetAt(at_ns=(n + 1) * SECOND, offset_ns=round(each * MS), half_width_ns=10 * MS)
        for n, each in enumerate(offsets_ms)
    )
    return Measured(
        method="clap", reference=stream("video", StreamKind.VIDEO), moved=stream("sound", StreamKind.AUDIO),
        fit=fit_drift(points), points=points,
    )  # fmt: skip


def test_a_pick_that_is_moved_moves_the_mean_by_its_share_and_one_left_out_counts_no_more() -> None:
    before = measured(-70, -72, -150)
    put = with_pick(before, 2, 3 * SECOND, 3 * SECOND + 68 * MS)
    assert put.late_ns == pytest.approx(70 * MS, abs=1)
    assert picks_of(put)[2] == (3 * SECOND, 3 * SECOND + 68 * MS)
    assert put.evidence["picks_by_hand"] is True
    assert put.fit.half_width_ns < 10 * MS
    left = without_pick(before, 2)
    assert left.late_ns == pytest.approx(71 * MS, abs=1)
    assert left.fit.residual_ns == MS
    only = without_pick(left, 0)
    assert without_pick(only, 0) is only
    assert before.evidence == {}


def test_picks_that_disagree_widen_the_interval() -> None:
    wild = without_pick(measured(-10, -90, 60, 0), 3)
    assert wild.fit.half_width_ns > 50 * MS


def test_a_drift_is_found_again_after_a_pick_was_moved() -> None:
    put = with_pick(measured(*(-float(n) for n in range(8))), 0, SECOND, SECOND + MS // 2)
    assert len(put.points) == 8
    assert len(put.fit.left_ns) == len(put.fit.sure_ns) == 8


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (Gate(), "Unverified."),
        (Gate(state=GateState.VERIFIED, person="Ana", reason="clap"), "Verified by Ana: clap"),
        (Gate(state=GateState.WAIVED, person="Ben", reason="one clock"), "Waived by Ben: one clock"),
    ],
)
def test_what_stands_behind_a_sample_is_said(gate: Gate, said: str) -> None:
    made: Any = {"id": IDS.new(), "key": "t", "gates": {"sync": gate}}
    streams = [stream("video", StreamKind.VIDEO), stream("sound", StreamKind.AUDIO)]
    assert state_in_words(Sample(**made), streams) == said


def test_hardware_alone_never_verifies() -> None:
    made: Any = {"id": IDS.new(), "key": "t"}
    locked = [stream(key, StreamKind.VIDEO, clock_locked=True, recording="r") for key in ("left", "right")]
    assert state_in_words(Sample(**made), locked) == "Unverified (hardware-declared)."


@dataclass
class Driving:
    """Something that goes so fast along x."""

    mps: float

    def life_of(self, _annotation: str) -> tuple[int, int]:
        return 0, 4 * SECOND

    def placed(self, _annotation: str, session_ns: int) -> tuple[Cuboid, str]:
        return Cuboid((self.mps * session_ns / SECOND, 3.0, 0.0), (4, 2, 1)), "world"


def test_a_tracks_own_speed() -> None:
    made: Any = {"id": IDS.new(), "sample": IDS.new()}
    car = Annotation(**made, kind=ShapeKind.CUBOID, track=Track())
    assert speed_of(cast("PlacedCuboids", Driving(60 / 3.6)), car) == pytest.approx(60, abs=0.01)
    box = Annotation(**made, kind=ShapeKind.BOX, track=Track())
    assert speed_of(cast("PlacedCuboids", Driving(1.0)), box) is None
