"""What many things say together of a camera, and one alone; against errors planted by plain trigonometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workstation.core.calibration_error import Cause, angular_errors, cause_of, things_off
from workstation.core.geometry import Box
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


@pytest.mark.parametrize("turned", [0.3, -0.3, 0.5])
def test_a_turned_camera_is_named_with_its_angle_and_a_right_one_with_none(turned: float) -> None:
    held = 0
    for seed in range(20):
        error = angular_errors(street(np.random.default_rng(seed), turned_deg=turned))["front"]
        assert error.angular
        assert abs(error.turned_deg - turned) < 0.06
        held += abs(error.turned_deg - turned) <= error.half_width_deg
        clean = angular_errors(street(np.random.default_rng(seed)))["front"]
        assert not clean.angular
        assert "none" in clean.words()
    assert held >= 18
    exact = angular_errors(street(np.random.default_rng(0), turned_deg=0.3, noise_px=0.0))["front"]
    assert "angular, about 0.3° to the left" in exact.words()
    assert "0.26 m at 50 m" in exact.words()  # 50 · tan 0.3°


def test_a_shifted_mounting_is_no_angle() -> None:
    error = angular_errors(street(np.random.default_rng(1), shifted_m=0.3))["front"]
    assert not error.angular
    assert error.shifted
    assert error.shifted_m == pytest.approx(0.3, abs=0.05)
    assert "shifted by +0.3" in error.words()


def test_several_off_alike_speak_for_the_calibration_and_one_alone_for_its_cuboid() -> None:
    rng = np.random.default_rng(2)
    turned = things_off(street(rng, turned_deg=0.3))
    found = cause_of(turned, camera="front", thing="7")
    assert found is not None
    assert found.cause is Cause.CALIBRATION
    assert any("9 of the 9 other things in front are off like it" in each for each in found.evidence)

    pairs = [
        replace(each, box=Box(x=each.box.x + 0.5 / each.range_m * FOCAL, y=250.0, width=60.0, height=40.0))
        if each.thing == "5" else each
        for each in street(rng)
    ]  # fmt: skip
    alone = cause_of(things_off(pairs), camera="front", thing="5")
    assert alone is not None
    assert alone.cause is Cause.CUBOID
    assert alone.off.off_m == pytest.approx(0.5, abs=0.06)
    right = cause_of(things_off(pairs), camera="front", thing="4")
    assert right is not None
    assert right.cause is Cause.NONE
    assert not angular_errors(pairs)["front"].angular  # one thing that is wrong does not outvote nine


def test_both_at_once_are_told_apart() -> None:
    """A camera that is turned, and in it one cuboid that is wrong by far more."""
    pairs = [
        replace(each, box=Box(x=each.box.x + 1.0 / each.range_m * FOCAL, y=250.0, width=60.0, height=40.0))
        if each.thing == "3" else each
        for each in street(np.random.default_rng(3), turned_deg=0.3)
    ]  # fmt: skip
    things = things_off(pairs)
    wrong, other = (cause_of(things, camera="front", thing=each) for each in ("3", "8"))
    assert wrong is not None
    assert other is not None
    assert (wrong.cause, other.cause) == (Cause.CUBOID, Cause.CALIBRATION)


def test_too_few_things_say_nothing_unless_another_camera_agrees() -> None:
    two = [seen("1", 20, 12.0), seen("2", 30, 0.0)]
    assert angular_errors(two) == {}
    unclear = cause_of(things_off(two), camera="front", thing="1")
    assert unclear is not None
    assert unclear.cause is Cause.UNCLEAR
    both = cause_of(things_off([*two, seen("1", 20, 12.0, camera="left")]), camera="front", thing="1")
    assert both is not None
    assert both.cause is Cause.CUBOID
    cut_off = replace(two[0], seen=PictureBox(0.0, 0.0, 40.0, 40.0, clipped=True))
    assert things_off([cut_off]) == ()
    assert cause_of((), camera="front", thing="1") is None


def test_five_pixels_are_twenty_centimetres_at_forty_metres() -> None:
    pair = seen("1", 40.0, 0.0)
    wide = replace(pair, box=Box(x=pair.box.x, y=250.0, width=pair.box.width + 5, height=40.0))
    worst = wide.edges()[0]
    assert (worst.edge, worst.off_px) == ("right", 5.0)
    assert worst.off_m == pytest.approx(0.20)
    assert worst.words() == "the right edge is 5.0 px too wide, 0.20 m at its range"
    assert wide.overlap == pytest.approx(60 / 65)
