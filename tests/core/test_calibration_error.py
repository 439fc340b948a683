"""What many things say together of a camera, and one alone; against errors planted by plain trigonometry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from workstation.core.calibration_error import (
    AngularError,
    Cause,
    CauseFound,
    Shared,
    cause_of,
    error_of,
    things_off,
)
from workstation.core.geometry import Box
from workstation.core.misalignment import Offs, Pattern, pattern_of
from workstation.core.pair_fit import PairSeen
from workstation.core.projection import PictureBox

FOCAL = 1000.0


def seen(
    thing: str, range_m: float, right_px: float, *, camera: str = "front", at_ns: int = 0, wide_px: float = 60.0
) -> PairSeen:
    left = 480.0 - wide_px / 2
    return PairSeen(
        camera=camera, thing=thing, name=f"car {thing}", flat=f"b{thing}", solid=f"c{thing}", at_ns=at_ns,
        box=Box(x=left + right_px, y=250.0, width=wide_px, height=40.0),
        seen=PictureBox(left, 250.0, left + wide_px, 290.0, clipped=False), range_m=range_m, px_per_rad=FOCAL,
    )  # fmt: skip


def street(
    rng: np.random.Generator, *, turned_deg: float = 0.0, shifted_m: float = 0.0, things: int = 10,
    camera: str = "front", noise_px: float = 0.7,
) -> list[PairSeen]:  # fmt: skip
    """Things at 8 to 70 m, five moments each. A camera said to look too far left shows boxes too far left."""
    pairs = []
    for number, range_m in enumerate(np.geomspace(8, 70, things).tolist()):
        own = rng.normal(0, noise_px / 2)  # how its cuboid sits: the same at every moment
        off = -FOCAL * (np.tan(np.radians(turned_deg)) + shifted_m / range_m)
        pairs += [
            seen(str(number), range_m, off + own + rng.normal(0, noise_px), camera=camera, at_ns=at) for at in range(5)
        ]
    return pairs


def pattern(pairs: list[PairSeen]) -> Pattern:
    """What the pairs say together, of things that stand."""
    numbers = {thing: number for number, thing in enumerate(dict.fromkeys(each.thing for each in pairs))}
    off = np.array([[(each.sideways_px or 0.0) / each.px_per_rad, 0.0] for each in pairs])
    found = pattern_of(
        Offs(
            thing=np.array([numbers[each.thing] for each in pairs], np.intp), off=off, rate=np.zeros_like(off),
            times_s=np.array([each.at_ns / 10 for each in pairs]), range_m=np.array([each.range_m for each in pairs]),
        )
    )  # fmt: skip
    assert found is not None
    return found


def error(pairs: list[PairSeen]) -> AngularError:
    return error_of(pattern(pairs), camera="front", limit_deg=0.1, shift_limit_m=0.05, ranges_m=(8.0, 70.0))


def shared(pairs: list[PairSeen], thing: str, **more: Any) -> Shared:
    found = pattern(pairs)
    mine = [number for number, each in enumerate(pairs) if each.thing == thing]
    return Shared(error=error(pairs), left_deg=float(np.degrees(np.median(found.left[mine, 0]))), **more)


def caused(pairs: list[PairSeen], thing: str, **more: Any) -> CauseFound:
    found = cause_of(things_off(pairs), shared(pairs, thing, **more), camera="front", thing=thing)
    assert found is not None
    return found


@pytest.mark.parametrize("turned", [0.3, -0.3, 0.5])
def test_a_turned_camera_is_named_with_its_angle_and_a_right_one_with_none(turned: float) -> None:
    held = 0
    for seed in range(8):
        found = error(street(np.random.default_rng(seed), turned_deg=turned))
        assert found.angular
        assert abs(found.turned_deg - turned) < 0.06
        held += abs(found.turned_deg - turned) <= 1.5 * found.half_width_deg
        clean = error(street(np.random.default_rng(seed)))
        assert not clean.off
        assert "none" in clean.words()
    assert held >= 7
    exact = error(street(np.random.default_rng(0), turned_deg=0.3, noise_px=0.0))
    assert "angular, about 0.3° to the left" in exact.words()
    assert "0.26 m at 50 m" in exact.words()  # 50 · tan 0.3°


def test_a_shifted_mounting_is_no_angle() -> None:
    found = error(street(np.random.default_rng(1), shifted_m=0.3))
    assert not found.angular
    assert found.shifted
    assert found.shifted_m == pytest.approx(0.3, abs=0.05)
    assert "shifted by +0.3" in found.words() or "shifted by +0.2" in found.words()


def wrong_by(pairs: list[PairSeen], thing: str, metres: float) -> list[PairSeen]:
    """One thing's boxes stand so far to the right of its cuboid."""
    return [
        replace(each, box=Box(x=each.box.x + metres / each.range_m * FOCAL, y=250.0, width=60.0, height=40.0))
        if each.thing == thing else each
        for each in pairs
    ]  # fmt: skip


def test_several_off_alike_speak_for_the_calibration_and_one_alone_for_its_cuboid() -> None:
    rng = np.random.default_rng(2)
    found = caused(street(rng, turned_deg=0.3), "7")
    assert found.cause is Cause.CALIBRATION
    assert any("9 of the 9 other things in front are off like it" in each for each in found.evidence)

    pairs = wrong_by(street(rng), "5", 0.5)
    alone = caused(pairs, "5")
    assert alone.cause is Cause.CUBOID
    assert alone.off.off_m == pytest.approx(0.5, abs=0.06)
    assert caused(pairs, "4").cause is Cause.NONE
    assert not error(pairs).angular  # one thing that is wrong does not outvote nine


def test_a_box_that_is_too_wide_accuses_no_cuboid() -> None:
    pairs = [
        replace(each, box=Box(x=each.box.x, y=250.0, width=72.0, height=40.0)) if each.thing == "5" else each
        for each in street(np.random.default_rng(4))
    ]  # fmt: skip
    assert caused(pairs, "5").cause is Cause.UNCLEAR


def test_both_at_once_are_told_apart() -> None:
    """A camera that is turned, and in it one cuboid that surely stands elsewhere."""
    pairs = wrong_by(street(np.random.default_rng(3), turned_deg=0.3), "3", 1.0)
    wrong, other = caused(pairs, "3", displaced_m=1.0), caused(pairs, "8")
    assert (wrong.cause, other.cause) == (Cause.CUBOID, Cause.CALIBRATION)
    assert "its boxes together say that the cuboid stands 1.00 m elsewhere" in wrong.evidence


def test_what_a_late_clock_explains_is_the_clocks() -> None:
    pairs = wrong_by(street(np.random.default_rng(5)), "6", 0.5)
    known = replace(shared(pairs, "6"), left_deg=0.01, late_ms=50.0)
    found = cause_of(things_off(pairs), known, camera="front", thing="6")
    assert found is not None
    assert found.cause is Cause.CLOCK
    assert "the clock of the cuboids is +50.0 ms late" in found.evidence


def test_too_few_things_say_nothing_unless_another_camera_agrees() -> None:
    two = [seen("1", 20, 12.0), seen("2", 30, 0.0)]
    unclear = cause_of(things_off(two), Shared(), camera="front", thing="1")
    assert unclear is not None
    assert unclear.cause is Cause.UNCLEAR
    both = cause_of(things_off([*two, seen("1", 20, 12.0, camera="left")]), Shared(), camera="front", thing="1")
    assert both is not None
    assert both.cause is Cause.CUBOID
    cut_off = replace(two[0], seen=PictureBox(0.0, 0.0, 40.0, 40.0, clipped=True))
    assert things_off([cut_off]) == ()
    assert cause_of((), Shared(), camera="front", thing="1") is None


def test_five_pixels_are_twenty_centimetres_at_forty_metres() -> None:
    pair = seen("1", 40.0, 0.0)
    wide = replace(pair, box=Box(x=pair.box.x, y=250.0, width=pair.box.width + 5, height=40.0))
    worst = wide.edges()[0]
    assert (worst.edge, worst.off_px) == ("right", 5.0)
    assert worst.off_m == pytest.approx(0.20)
    assert worst.words() == "the right edge is 5.0 px too wide, 0.20 m at its range"
    assert wide.overlap == pytest.approx(60 / 65)
