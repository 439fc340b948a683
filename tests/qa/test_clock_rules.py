"""Planted faults of clocks, sound against picture and captions, each beside a twin that must stay silent."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from msgspec.structs import replace
from plain_snapshot import TEXT, PlainSnapshot, Scene, ontology

from workstation.app.sync_forecast import forecast, with_map
from workstation.core.evidence import ClockOff, NoEvidence
from workstation.core.geometry import Cuboid, ShapeKind, Span
from workstation.core.ids import deterministic_ids
from workstation.core.sample import Gate, GateState, Project, Sample, Stream, StreamKind
from workstation.core.sync_state import why_locked
from workstation.core.timemap import IDENTITY, offset_map
from workstation.core.tolerances import allowed_ms
from workstation.qa.findings import load_rules
from workstation.qa.runner import run_rules

MS = 1_000_000
RULES = TEXT.replace(
    "  near:",
    "  synchronized_with: {tolerance: {time_ms: 100}, roles: {sound: {targets: [annotation]}, "
    "picture: {targets: [annotation]}}}\n  near:",
)


class ProjectScene(Scene):
    """A scene in a project with limits and gates of its own."""

    def __init__(self, tolerances: dict[str, float] | None = None, **sample: Any) -> None:
        super().__init__(ontology(RULES), **sample)
        made: Any = {"id": deterministic_ids(9).new(), "name": "p", "tolerances": tolerances or {}}
        project = Project(**made, gates={"sync": "required"})

        class Snapshot(PlainSnapshot):
            def project(self) -> Project | None:
                return project

        self.project = project
        self.snapshot = Snapshot(self.snapshot.rules, self.snapshot.held)

    def set_stream(self, key: str, **changes: Any) -> None:
        held = self.snapshot.held
        (place,) = [n for n, each in enumerate(held) if isinstance(each, Stream) and each.key == key]
        held[place] = replace(held[place], **changes)

    def moment(self, stream: str, start_ms: float, end_ms: float | None = None, **more: Any) -> Any:
        end = start_ms + 500 if end_ms is None else end_ms
        return self.label(
            stream,
            "sound",
            kind=ShapeKind.SPAN,
            shape=Span(),
            start_ns=round(start_ms * MS),
            end_ns=round(end * MS),
            **more,
        )

    def clock_findings(self) -> list[str]:
        return self.rules_found("clocks")


@pytest.mark.parametrize(("ms", "found"), [(8, 0), (12, 1), (-12, 1)])
def test_a_clock_off_by_more_than_ten_milliseconds_is_flagged(ms: int, found: int) -> None:
    scene = ProjectScene()
    evidence = {"left_ns": ms * MS, "left_by": "clap", "left_against": "image"}
    scene.set_stream("audio", time_map=IDENTITY.found_by("identity", evidence=evidence))
    faults = scene.found("clocks")
    assert len(faults) == found
    if faults:
        assert (faults[0].rule, faults[0].measured, faults[0].limit) == ("clocks.off", 12.0, 10.0)
        assert f"{ms:+.1f} ms off, measured by clap against image and not corrected" in faults[0].text
    wide = ProjectScene({"clock_ms": 15})
    wide.set_stream("audio", time_map=IDENTITY.found_by("identity", evidence=evidence))
    assert wide.clock_findings() == []


def test_what_a_map_leaves_and_what_a_clock_says_of_itself_count_too() -> None:
    scene = ProjectScene()
    scene.set_stream("audio", time_map=offset_map(70 * MS).found_by("imu", evidence={}, residual_ns=11 * MS))
    scene.set_stream("cloud", clock_offset_ns=14 * MS)
    assert scene.clock_findings() == ["clocks.off", "clocks.off"]
    scene.set_stream("audio", time_map=offset_map(70 * MS).found_by("imu", evidence={}, residual_ns=9 * MS))
    scene.set_stream("cloud", time_map=offset_map(14 * MS).found_by("object", evidence={}, residual_ns=1 * MS))
    assert scene.clock_findings() == []


def test_a_required_gate_locks_labelling_and_says_what_unlocks_it() -> None:
    scene = ProjectScene()
    streams = [each for each in scene.snapshot.held if isinstance(each, Stream)]
    (sample,) = [each for each in scene.snapshot.held if isinstance(each, Sample)]
    reason = why_locked(scene.project, sample, streams)
    assert reason is not None
    assert "not verified" in reason
    assert "gate.waive" in reason
    verified = replace(sample, gates={"sync": Gate(state=GateState.VERIFIED)})
    assert why_locked(scene.project, verified, streams) is None
    evidence = {"left_ns": 12 * MS, "left_by": "clap", "left_against": "image"}
    drifting = [
        replace(each, time_map=IDENTITY.found_by("identity", evidence=evidence)) if each.key == "audio" else each
        for each in streams
    ]
    assert "audio is +12.0 ms off" in str(why_locked(scene.project, verified, drifting))
    waived = replace(sample, gates={"sync": Gate(state=GateState.WAIVED, reason="one recorder")})
    assert why_locked(scene.project, waived, drifting) is None
    assert why_locked(replace(scene.project, gates={}), sample, drifting) is None
    assert why_locked(scene.project, sample, streams[:1]) is None


@pytest.mark.parametrize(
    ("profile", "ms", "locked"),
    [("driving", 8, False), ("driving", 12, True), ("dialogue", -12, True), ("", 12, False)],
)
def test_where_the_work_cares_for_clocks_one_that_is_off_locks_labelling(profile: str, ms: int, locked: bool) -> None:
    """The project says nothing of the gate; nobody has looked at the clocks, which alone locks nothing."""
    scene = ProjectScene()
    (sample,) = [each for each in scene.snapshot.held if isinstance(each, Sample)]
    streams = [each for each in scene.snapshot.held if isinstance(each, Stream)]
    project = replace(scene.project, gates={}, profile=profile)
    assert why_locked(project, sample, streams) is None
    evidence = {"left_ns": ms * MS, "left_by": "clap", "left_against": "image"}
    drifting = [
        replace(each, time_map=IDENTITY.found_by("identity", evidence=evidence)) if each.key == "audio" else each
        for each in streams
    ]
    assert (why_locked(project, sample, drifting) is not None) is locked
    waived = replace(sample, gates={"sync": Gate(state=GateState.WAIVED, reason="one recorder")})
    assert why_locked(project, waived, drifting) is None
    assert why_locked(replace(project, gates={"sync": "off"}), sample, drifting) is None


@pytest.mark.parametrize(("ms", "found"), [(0, 0), (90, 0), (110, 1), (-110, 1)])
def test_a_command_and_its_gesture_may_be_a_tenth_of_a_second_apart(ms: int, found: int) -> None:
    scene = ProjectScene()
    scene.link("synchronized_with", {"sound": scene.moment("audio", 2000 + ms), "picture": scene.moment("image", 2000)})
    faults = scene.found("clocks")
    assert len(faults) == found
    assert scene.rules_found("moments") == []
    if faults:
        assert faults[0].measured == 110.0
        assert f"the sound begins at {2 + ms / 1000:.3f} s, what is seen at 2.000 s" in faults[0].text


def test_the_clock_of_the_sound_counts_and_not_the_number_in_its_own_time() -> None:
    scene = ProjectScene()
    scene.link("synchronized_with", {"sound": scene.moment("audio", 2110), "picture": scene.moment("image", 2000)})
    scene.set_stream("audio", time_map=offset_map(-110 * MS))
    assert scene.clock_findings() == []


@pytest.mark.parametrize(
    ("start", "end", "side"), [(10_000, 12_000, ""), (9_600, 11_600, ""), (9_200, 11_200, "before"),
                               (10_800, 12_800, "after"), (10_300, 11_000, ""), (13_000, 13_000, "after")],
)  # fmt: skip
def test_a_caption_half_a_second_off_its_event_is_flagged(start: int, end: int, side: str) -> None:
    scene = ProjectScene()
    caption = scene.says("the car turns left", start_ns=start * MS, end_ns=end * MS)
    scene.link("refers_to", {"phrase": caption, "thing": scene.moment("image", 10_000, 12_000)})
    faults = [each for each in scene.found("clocks") if each.rule == "clocks.caption"]
    assert [side in each.text for each in faults] == ([True] if side else [])
    for each in faults:
        assert "at 10.000 to 12.000 s" in each.text


def test_what_may_be_off_in_time_follows_from_speed_and_distance() -> None:
    assert allowed_ms(0.3, 60 / 3.6) == pytest.approx(18, abs=0.1)
    assert allowed_ms(0.3, 5 / 3.6) == pytest.approx(216, abs=0.1)
    assert allowed_ms(0.3, 0) is None


def test_a_new_map_is_forecast_before_it_is_applied() -> None:
    scene = ProjectScene()
    late = scene.link(
        "synchronized_with", {"sound": scene.moment("audio", 2150), "picture": scene.moment("image", 2000)}
    )
    right = scene.link(
        "synchronized_with", {"sound": scene.moment("audio", 5000), "picture": scene.moment("image", 5000)}
    )
    (sample,) = scene.snapshot.samples()
    (audio,) = [each for each in scene.snapshot.streams(sample.id) if each.key == "audio"]
    found = forecast(scene.snapshot, sample, [with_map(audio, offset_map(-150 * MS))])
    assert [each.items[0].id for each in found.settled] == [late.id]
    assert [each.items[0].id for each in found.raised] == [right.id]
    assert found.words().startswith("Accepting settles 1 finding (synchronized_with: the sound begins at 2.150 s")
    assert (
        forecast(scene.snapshot, sample, [with_map(audio, offset_map(-5 * MS))])
        .words()
        .endswith("changes no verdict of a check.")
    )
    assert audio.time_map == IDENTITY


@pytest.mark.parametrize(("kmh", "apart_ms", "found"), [(60, 16, 0), (60, 20, 1), (5, 40, 0), (5, 200, 0), (5, 230, 1)])
def test_the_limit_of_fused_captures_follows_from_the_things_speed(kmh: float, apart_ms: int, found: int) -> None:
    scene = ProjectScene({"distance_m": 0.3})
    car = scene.entity("car")
    for at_ms in (0, 1000):
        along = kmh / 3.6 * at_ms / 1000
        cuboid = scene.label(
            "cloud",
            None,
            entity=car.id,
            shape=Cuboid((along, 0, 0), (4, 2, 1)),
            start_ns=at_ms * MS,
            end_ns=at_ms * MS + 1,
        )
        if at_ms == 0:
            first = cuboid
    flat = scene.label("image", None, entity=car.id, start_ns=apart_ms * MS, end_ns=apart_ms * MS + 1)
    scene.same(flat, first)
    faults = scene.found("moments.same_scan")
    assert len(faults) == found
    for each in faults:
        assert each.limit == pytest.approx(0.3 / (kmh / 3.6) * 1000, rel=0.01)


def with_gyro() -> tuple[Scene, Stream]:
    """A sample with a series and poses."""
    scene = Scene()
    made = []
    for kind in (StreamKind.SERIES, StreamKind.TRAJECTORY):
        given: Any = {"id": scene.ids.new(), "sample": scene.sample, "key": kind.value, "kind": kind}
        made.append(scene.add(Stream(**given, time_map=IDENTITY)))
    return scene, made[1]


class Turning(NoEvidence):
    """Says how late the series turns against the poses."""

    def __init__(self, late_ms: float, half_width_ms: float, poses: Stream) -> None:
        self._found = ClockOff(round(late_ms * 1e6), round(half_width_ms * 1e6), poses)

    def turning(self, stream: Stream) -> ClockOff:  # type: ignore[override]
        assert stream.kind is StreamKind.SERIES
        return self._found


@pytest.mark.parametrize(
    ("late_ms", "half_width_ms", "found"),
    [(80.0, 2.0, 1), (-80.0, 2.0, 1), (11.0, 2.0, 0), (9.0, 0.1, 0), (40.0, 35.0, 0)],
)
def test_a_gyro_that_turns_late_is_found_beyond_what_the_measurement_may_be_wrong(
    late_ms: float, half_width_ms: float, found: int
) -> None:
    scene, poses = with_gyro()
    rules = [each for each in load_rules() if each.id == "clocks.turning"]
    known = Turning(late_ms, half_width_ms, poses)
    outcomes = run_rules(
        scene.snapshot, rules, scene.snapshot.samples(), project=False, evidence=lambda _: nullcontext(known)
    )
    findings = [each for outcome in outcomes for each in outcome.findings]
    assert len(findings) == found
    for each in findings:
        assert each.measured == abs(late_ms)
        assert ("later" in each.text) is (late_ms > 0)
        assert [item.label for item in each.items] == ["series", "trajectory"]


def test_poses_that_hardly_turn_leave_the_check_of_a_gyro_not_run() -> None:
    scene, _ = with_gyro()
    rules = [each for each in load_rules() if each.id == "clocks.turning"]
    (outcome,) = run_rules(scene.snapshot, rules, scene.snapshot.samples(), project=False)
    assert outcome.not_run is not None
    assert "how series turns" in outcome.not_run
