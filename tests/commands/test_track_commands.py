"""Tracks under the hand: keyframes, gaps, cutting, joining, swapping."""

from __future__ import annotations

import pytest
from command_work import MS, Work

from workstation.core.annotation import Annotation, Presence, SourceKind
from workstation.core.errors import UserError
from workstation.core.geometry import Box, Shape


def times(work: Work, track: str) -> list[int]:
    return [keyframe.time_ns // MS for keyframe in work.keyframes(track)]


def lefts(work: Work, track: str) -> list[float]:
    return [keyframe.shape.x for keyframe in work.keyframes(track) if isinstance(keyframe.shape, Box)]


def box(x: float) -> dict[str, object]:
    return {"kind": "box", "x": x, "y": 0, "width": 10, "height": 10}


def shape_of(work: Work, track: str, at_ms: int) -> Shape | None:
    return next(k.shape for k in work.keyframes(track) if k.time_ns == at_ms * MS)


def test_tracks_are_numbered_per_sample_and_numbers_are_never_used_again(work: Work) -> None:
    first, second = work.track((0, 0), (100, 10)), work.track((0, 50))
    numbers = [work.entity(str(work.annotation(track).entity)).number for track in (first, second)]
    assert numbers == [1, 2]
    work.run("entity.delete", sample="drive-1", entity="car 2", with_annotations=True)
    third = work.track((0, 90))
    assert work.entity(str(work.annotation(third).entity)).number == 3


def test_a_track_lives_from_its_first_to_its_last_keyframe(work: Work) -> None:
    track = work.track((100, 0), (300, 20))
    made = work.annotation(track)
    assert (made.start_ns, made.end_ns) == (100 * MS, 300 * MS + 1)
    with pytest.raises(UserError, match="outside the track's life"):
        work.run("keyframe.set", annotation=track, time_ns=301 * MS, shape=box(1))
    work.run("track.extend", annotation=track, to_ns=400 * MS)
    work.run("track.extend", annotation=track, to_ns=50 * MS, shape=box(-5))
    assert times(work, track) == [50, 100, 300, 400]
    assert lefts(work, track) == [-5, 0, 20, 20]
    assert (work.annotation(track).start_ns, work.annotation(track).end_ns) == (50 * MS, 400 * MS + 1)


def test_editing_an_interpolated_moment_makes_a_keyframe_and_leaves_the_neighbours(work: Work) -> None:
    track = work.track((0, 0), (100, 10))
    work.run("keyframe.set", annotation=track, time_ns=40 * MS)
    work.run("keyframe.set", annotation=track, time_ns=80 * MS, shape=box(99))
    assert list(zip(times(work, track), lefts(work, track), strict=True)) == [(0, 0), (40, 4), (80, 99), (100, 10)]


def test_setting_a_keyframe_twice_replaces_it(work: Work) -> None:
    track = work.track((0, 0), (100, 10))
    first = work.run("keyframe.set", annotation=track, time_ns=0, shape=box(3))
    assert lefts(work, track) == [3, 10]
    assert first == work.keyframes(track)[0].id


def test_an_absent_keyframe_needs_no_shape_and_another_kind_is_refused(work: Work) -> None:
    track = work.track((0, 0), (100, 10))
    work.run("keyframe.set", annotation=track, time_ns=50 * MS, presence="absent")
    assert [k.presence for k in work.keyframes(track)] == [Presence.VISIBLE, Presence.ABSENT, Presence.VISIBLE]
    with pytest.raises(UserError, match="does not fit"):
        work.run("keyframe.set", annotation=track, time_ns=50 * MS, shape={"kind": "point", "x": 1, "y": 1})


def test_moving_and_deleting_keyframes_changes_the_life_of_the_track(work: Work) -> None:
    track = work.track((0, 0), (50, 5), (100, 10))
    first, middle, last = (keyframe.id for keyframe in work.keyframes(track))
    with pytest.raises(UserError, match="already has a keyframe"):
        work.run("keyframe.move", keyframe=first, time_ns=50 * MS)
    work.run("keyframe.move", keyframe=last, time_ns=80 * MS)
    work.run("keyframe.delete", keyframe=first)
    assert (work.annotation(track).start_ns, work.annotation(track).end_ns) == (50 * MS, 80 * MS + 1)
    work.run("keyframe.delete", keyframe=last)
    with pytest.raises(UserError, match="only keyframe"):
        work.run("keyframe.delete", keyframe=middle)


@pytest.mark.parametrize("by_ms", [10, -10, 50, -50])
def test_a_whole_track_shifts_in_time_even_onto_its_own_keyframes(work: Work, by_ms: int) -> None:
    track = work.track((100, 0), (110, 5), (150, 10))
    work.run("track.add_gap", annotation=track, start_ns=120 * MS, end_ns=130 * MS, reason="behind a bus")
    work.run("annotation.move", annotations=[track], by_ns=by_ms * MS, by=[1, 0])
    assert times(work, track) == [100 + by_ms, 110 + by_ms, 150 + by_ms]
    assert lefts(work, track) == [1, 6, 11]
    made = work.annotation(track)
    assert made.start_ns == (100 + by_ms) * MS
    assert made.track is not None
    assert made.track.gaps[0].start_ns == (120 + by_ms) * MS


def test_gaps_are_stated_and_taken_back(work: Work) -> None:
    track = work.track((0, 0), (100, 10))
    work.run("track.add_gap", annotation=track, start_ns=20 * MS, end_ns=40 * MS, reason="occluded")
    with pytest.raises(UserError, match="already has a gap"):
        work.run("track.add_gap", annotation=track, start_ns=39 * MS, end_ns=50 * MS)
    with pytest.raises(UserError, match="shows nothing"):
        work.run("keyframe.set", annotation=track, time_ns=30 * MS)
    work.run("track.remove_gap", annotation=track, at_ns=20 * MS)
    with pytest.raises(UserError, match="no gap"):
        work.run("track.remove_gap", annotation=track, at_ns=20 * MS)


def test_cutting_a_track_between_keyframes_keeps_what_was_shown(work: Work) -> None:
    track = work.track((0, 0), (100, 10))
    second = work.run("track.split", annotation=track, at_ns=50 * MS)
    assert (times(work, track), times(work, second)) == ([0], [50, 100])
    assert shape_of(work, second, 50) == Box(5, 0, 10, 10)
    assert work.keyframes(second)[0].source.kind is SourceKind.INTERPOLATION
    assert work.annotation(second).entity == work.annotation(track).entity
    assert (work.annotation(second).start_ns, work.annotation(track).end_ns) == (50 * MS, 1)


def test_the_second_part_may_be_another_thing(work: Work) -> None:
    track = work.track((0, 0), (50, 5), (100, 10))
    second = work.run("track.split", annotation=track, at_ns=50 * MS, new_entity=True)
    assert work.entity(str(work.annotation(second).entity)).number == 2
    assert work.entity(str(work.annotation(second).entity)).class_id == "car"
    for outside in (0, 101):
        with pytest.raises(UserError, match="does not cut"):
            work.run("track.split", annotation=track, at_ns=outside * MS)


def test_joining_gives_one_track_and_refuses_tracks_of_the_same_time(work: Work) -> None:
    early, late = work.track((0, 0), (50, 5)), work.track((80, 8), (100, 10))
    overlapping = work.track((90, 0))
    with pytest.raises(UserError, match="live at the same time"):
        work.run("track.join", first=late, second=overlapping)
    work.run("track.join", first=late, second=early)
    assert times(work, late) == [0, 50, 80, 100]
    assert work.gone(Annotation, early)
    assert (work.annotation(late).start_ns, work.annotation(late).end_ns) == (0, 100 * MS + 1)
    assert work.store.undo() is not None
    assert (times(work, early), times(work, late)) == ([0, 50], [80, 100])


def test_two_tracks_that_exchanged_identities_are_swapped_from_a_moment_on(work: Work) -> None:
    one = work.track((0, 0), (50, 1), (100, 2))
    two = work.track((0, 500), (50, 501), (90, 502))
    work.run("track.swap", first=one, second=two, from_ns=50 * MS)
    assert list(zip(times(work, one), lefts(work, one), strict=True)) == [(0, 0), (50, 501), (90, 502)]
    assert list(zip(times(work, two), lefts(work, two), strict=True)) == [(0, 500), (50, 1), (100, 2)]
    assert work.annotation(one).end_ns == 90 * MS + 1
    work.run("track.swap", first=one, second=two, from_ns=50 * MS)
    assert lefts(work, one) == [0, 1, 2]
    with pytest.raises(UserError, match="nothing to swap"):
        work.run("track.swap", first=one, second=two, from_ns=500 * MS)


def test_a_shape_becomes_a_track_and_a_parked_thing_is_static(work: Work) -> None:
    plain = work.box(start_ns=30 * MS)
    work.run("track.make", annotation=plain)
    made = work.annotation(plain)
    assert (made.shape, times(work, plain)) == (None, [30])
    work.run("track.set_rule", annotation=plain, static=True, interpolation="hold")
    assert work.annotation(plain).track is not None
    moving = work.track((0, 0), (100, 10))
    with pytest.raises(UserError, match="2 different shapes"):
        work.run("track.set_rule", annotation=moving, static=True)
    with pytest.raises(UserError, match="is a track already"):
        work.run("track.make", annotation=plain)


def test_deleting_a_track_takes_its_keyframes_along(work: Work) -> None:
    track = work.track((0, 0), (100, 10))
    work.run("annotation.delete", annotations=[track])
    assert work.keyframes(track) == []
    assert work.store.undo() is not None
    assert times(work, track) == [0, 100]


def test_a_copied_track_has_keyframes_of_its_own(work: Work) -> None:
    track = work.track((0, 0), (100, 10))
    (copy,) = work.run("annotation.copy", annotations=[track], by_ns=5 * MS, by=[2, 0])
    assert (times(work, copy), lefts(work, copy)) == ([5, 105], [2, 12])
    assert times(work, track) == [0, 100]
