"""Cuboids of tracks: one size for the whole track, one pose for what is parked, and how sure each label is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from command_work import MS, Work

from workstation.core.annotation import Presence
from workstation.core.errors import UserError
from workstation.core.geometry import Cuboid
from workstation.core.resizing import with_size
from workstation.core.rotation import about_z


def cuboid(x: float, length: float = 4.0) -> dict[str, object]:
    return {"kind": "cuboid", "center": [x, 0, 0.75], "size": [length, 1.8, 1.5]}


def track(work: Work, *at: tuple[int, float], class_id: str = "car") -> str:
    keyframes = [{"time_ns": ms * MS, "shape": cuboid(x)} for ms, x in at]
    return str(
        work.run("track.add", sample="drive-1", stream="lidar", class_id=class_id, keyframes=keyframes, frame="ego")
    )


def set_here(work: Work, made: str, ms: int | None, x: float, length: float = 4.0, **more: object) -> None:
    when = {} if ms is None else {"time_ns": ms * MS}
    work.run("cuboid.set", annotation=made, center=[x, 0, 0.75], size=[length, 1.8, 1.5], **when, **more)


def shapes(work: Work, made: str) -> list[tuple[float, float]]:
    found = [each.shape for each in work.keyframes(made)]
    return [(each.center[0], each.size[0]) for each in found if isinstance(each, Cuboid)]


def test_a_size_set_at_one_moment_is_the_tracks(work: Work) -> None:
    made = track(work, (0, 0), (100, 10), (200, 20))
    set_here(work, made, 100, 10.2, 4.4, held=(-1, 0, 0))
    assert np.allclose(shapes(work, made), [(0.2, 4.4), (10.2, 4.4), (20.2, 4.4)])
    set_here(work, made, 0, 1, 4.0)
    assert np.allclose(shapes(work, made), [(1, 4.0), (10.2, 4.0), (20.2, 4.0)])


def test_an_interpolated_moment_becomes_a_keyframe(work: Work) -> None:
    made = track(work, (0, 0), (100, 10))
    set_here(work, made, 50, 7)
    assert [each.time_ns // MS for each in work.keyframes(made)] == [0, 50, 100]
    with pytest.raises(UserError, match="outside the track's life"):
        set_here(work, made, 150, 7)


def test_what_a_keyframe_says_besides_stays(work: Work) -> None:
    made = track(work, (0, 0), (100, 10))
    work.run("keyframe.set", annotation=made, time_ns=100 * MS, presence="occluded", shape=cuboid(10))
    set_here(work, made, 100, 11)
    assert [each.presence for each in work.keyframes(made)] == [Presence.VISIBLE, Presence.OCCLUDED]


def test_a_parked_thing_has_one_pose_in_a_frame_that_stands(work: Work) -> None:
    made = track(work, (0, 0), (100, 10), (200, 20), (300, 30))
    work.run("keyframe.set", annotation=made, time_ns=200 * MS, presence="occluded", shape=cuboid(20))
    work.run("cuboid.park", annotation=made, center=[5, 5, 1], size=[4, 2, 1.5], frame="world")
    assert work.annotation(made).frame == "world"
    spec = work.annotation(made).track
    assert spec is not None
    assert spec.static
    assert [each.time_ns // MS for each in work.keyframes(made)] == [0, 200, 300]
    assert len({each.shape for each in work.keyframes(made)}) == 1
    set_here(work, made, None, 6)
    assert shapes(work, made) == [(6, 4)] * 3


def test_a_single_cuboid_is_set_as_it_is(work: Work) -> None:
    made = work.run("annotation.add", sample="drive-1", stream="lidar", class_id="car", shape=cuboid(0))
    set_here(work, made, None, 3, 5)
    shape = work.annotation(made).shape
    assert isinstance(shape, Cuboid)
    assert (shape.center[0], shape.size[0]) == (3, 5)


def test_confidence_is_each_labels_own(work: Work) -> None:
    made = track(work, (0, 0), (100, 10))
    work.run("annotation.set_confidence", annotations=[made], confidence=0.3)
    assert work.annotation(made).confidence == 0.3
    work.run("annotation.set_confidence", annotations=[made])
    assert work.annotation(made).confidence is None
    with pytest.raises(UserError, match="between 0 and 1"):
        work.run("annotation.set_confidence", annotations=[made], confidence=1.5)


@pytest.mark.parametrize("sign", [-1, 0, 1])
def test_the_held_face_stays_when_a_size_changes(sign: int) -> None:
    turned = Cuboid((3.0, 2.0, 1.0), (4.0, 2.0, 1.5), about_z(math.radians(30)))
    made = with_size(turned, (5.0, 2.0, 1.5), (sign, 0, 0))
    ahead = (math.cos(math.radians(30)), math.sin(math.radians(30)))
    before = [turned.center[i] + ahead[i] * sign * 2.0 for i in (0, 1)]
    after = [made.center[i] + ahead[i] * sign * 2.5 for i in (0, 1)]
    assert after == pytest.approx(before)
    with pytest.raises(UserError):
        with_size(turned, (0.0, 2.0, 1.5))


def test_a_whole_track_is_moved_by_one_step_or_by_one_for_each_keyframe(work: Work) -> None:
    made = track(work, (0, 0), (100, 10), (200, 20))
    work.run("keyframe.set", annotation=made, time_ns=200 * MS, presence="occluded", shape=cuboid(20))
    work.run("cuboid.shift", annotation=made, by=[[1.5, 0, 0]])
    assert np.allclose(shapes(work, made), [(1.5, 4.0), (11.5, 4.0), (21.5, 4.0)])
    work.run("cuboid.shift", annotation=made, by=[[1, 0, 0], [0, 0, 0], [-1, 0, 0]])
    assert np.allclose(shapes(work, made), [(2.5, 4.0), (11.5, 4.0), (20.5, 4.0)])
    assert [each.presence for each in work.keyframes(made)][-1] is Presence.OCCLUDED
    with pytest.raises(UserError, match="has 3 keyframes"):
        work.run("cuboid.shift", annotation=made, by=[[1, 0, 0], [0, 0, 0]])
