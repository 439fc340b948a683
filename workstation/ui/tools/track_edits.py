"""What is done to tracks at the painted picture: occluded, absent, gap, extend, split, join, swap, carry on.

Called by the actions (``actions/tracks.py``); knows no Qt. Each act is one undo step.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.app.session import Run
from workstation.core.annotation import Annotation, Keyframe, Presence
from workstation.core.geometry import Shape
from workstation.core.tracks import MomentKind
from workstation.ui.tools.canvas import Canvas
from workstation.ui.tools.edits import keyframe_here

NO_TIME = "this picture has no time, so nothing on it is a track"


def chosen_tracks(canvas: Canvas) -> list[Annotation]:
    """The selected tracks of the painted stream, those that are locked left out."""
    found = (canvas.view.annotations.get(each) for each in canvas.selected)
    return [
        each
        for each in found
        if each is not None
        and each.track is not None
        and each.stream == canvas.stream.id
        and not canvas.locked(each.id)
    ]


def why_no_track(canvas: Canvas | None, least: int = 1) -> str | None:
    """Why nothing can be done to tracks now."""
    if canvas is None:
        return "this sample has no pictures, or their pane is closed"
    if canvas.own_ns is None:
        return NO_TIME
    count = len(chosen_tracks(canvas))
    if count >= least:
        return None
    if any(canvas.locked(each) for each in canvas.selected):
        return "it is locked"
    return "select a track of this camera first" if least == 1 else f"select {least} tracks of this camera first"


def turn_presence(canvas: Canvas, wanted: Presence) -> None:
    """Occluded (absent) from this picture on, or visible again if it was."""
    tracks = chosen_tracks(canvas)
    moments = [canvas.moment_of(each.id) for each in tracks]
    all_so = all(moment is not None and moment.presence is wanted and _lives(moment.kind) for moment in moments)
    said = Presence.VISIBLE if all_so else wanted

    def act(run: Run, /) -> None:
        for track in tracks:
            _say_presence(canvas, track, said, run)

    canvas.together({Presence.VISIBLE: "Visible", Presence.OCCLUDED: "Occluded", Presence.ABSENT: "Absent"}[said], act)


def _lives(kind: MomentKind) -> bool:
    return kind is not MomentKind.OUTSIDE


def _say_presence(canvas: Canvas, track: Annotation, said: Presence, run: Run) -> None:
    here = keyframe_here(canvas, track.id)
    shape = None if said is Presence.ABSENT else shape_near(canvas, track)
    run("keyframe.set", **{**here, "presence": said, **({} if shape is None else {"shape": shape})})


def shape_near(canvas: Canvas, track: Annotation) -> Shape | None:
    """What a track shows here, or did last, or will first."""
    shown = canvas.shape_of(track.id)
    if shown is not None or canvas.own_ns is None:
        return shown
    keyframes = [each for each in canvas.view.keyframes(track.id) if each.shape is not None]
    before = [each for each in keyframes if each.time_ns <= canvas.own_ns]
    chosen = before[-1] if before else next(iter(keyframes), None)
    return None if chosen is None else chosen.shape


def turn_gap(canvas: Canvas) -> None:
    """Say nothing of the track from here to its next keyframe; or take back the gap that lies here."""
    own_ns = canvas.own_ns
    assert own_ns is not None
    tracks = chosen_tracks(canvas)
    inside = [each for each in tracks if _gap_at(each, own_ns)]
    label = "Remove gap" if inside else "Gap"

    def act(run: Run, /) -> None:
        for track in inside:
            run("track.remove_gap", annotation=track.id, at_ns=own_ns)
        for track in [] if inside else tracks:
            end_ns = _next_time(canvas, track, own_ns)
            if end_ns is not None:
                run("track.add_gap", annotation=track.id, start_ns=own_ns, end_ns=end_ns)

    if not inside and all(_next_time(canvas, each, own_ns) is None for each in tracks):
        canvas.tell("A gap lies between two keyframes; there is none after this picture.")
        return
    canvas.together(label, act)


def _gap_at(track: Annotation, own_ns: int) -> bool:
    return track.track is not None and any(gap.start_ns <= own_ns < gap.end_ns for gap in track.track.gaps)


def _next_time(canvas: Canvas, track: Annotation, own_ns: int) -> int | None:
    """Where a gap that begins here ends: before the next keyframe, and before the next gap."""
    keyframes = canvas.view.keyframes(track.id)
    if not keyframes or own_ns < keyframes[0].time_ns:
        return None
    ends = [each.time_ns for each in keyframes if each.time_ns > own_ns]
    assert track.track is not None
    ends += [gap.start_ns for gap in track.track.gaps if gap.start_ns > own_ns]
    return min(ends, default=None)


def extend_here(canvas: Canvas) -> None:
    """Let the selected tracks live up to this picture, as they were last seen."""
    outside = [each for each in chosen_tracks(canvas) if not _alive(canvas, each)]
    if not outside:
        canvas.tell("The track already lives at this picture.")
        return

    def act(run: Run, /) -> None:
        for track in outside:
            run("track.extend", annotation=track.id, to_ns=canvas.own_ns)

    canvas.together("Extend track", act)


def _alive(canvas: Canvas, track: Annotation) -> bool:
    own_ns = canvas.own_ns
    keyframes = canvas.view.keyframes(track.id)
    return own_ns is not None and bool(keyframes) and keyframes[0].time_ns <= own_ns <= keyframes[-1].time_ns


def split_here(canvas: Canvas) -> None:
    """From this picture on it is another track, of another thing."""
    tracks = chosen_tracks(canvas)

    def act(run: Run, /) -> list[str]:
        return [run("track.split", annotation=each.id, at_ns=canvas.own_ns, new_entity=True) for each in tracks]

    made = canvas.together("Split track", act)
    if made:
        canvas.select(made)


def join(canvas: Canvas) -> None:
    """The selected tracks are one; the active one, or the first, stays."""
    tracks = _active_first(canvas, chosen_tracks(canvas))

    def act(run: Run, /) -> str:
        for other in tracks[1:]:
            run("track.join", first=tracks[0].id, second=other.id)
        return tracks[0].id

    kept = canvas.together("Join tracks", act)
    if kept is not None:
        canvas.select((kept,))


def _active_first(canvas: Canvas, tracks: Sequence[Annotation]) -> list[Annotation]:
    return sorted(tracks, key=lambda each: each.id != canvas.active)


def swap_from_here(canvas: Canvas) -> None:
    """Two tracks exchange what they show from this picture on."""
    tracks = chosen_tracks(canvas)
    if len(tracks) != 2:
        canvas.tell("Exactly two tracks can be swapped.")
        return
    canvas.run("track.swap", first=tracks[0].id, second=tracks[1].id, from_ns=canvas.own_ns)


def delete_keyframes(canvas: Canvas) -> None:
    """The keyframes of the selected tracks at this picture go; between their neighbours it is interpolated again."""
    found = [each for each in (keyframe_at(canvas, track) for track in chosen_tracks(canvas)) if each is not None]
    if not found:
        canvas.tell("None of the selected tracks has a keyframe at this picture.")
        return

    def act(run: Run, /) -> None:
        for keyframe in found:
            run("keyframe.delete", keyframe=keyframe.id)

    canvas.together("Delete keyframe" if len(found) == 1 else f"Delete {len(found)} keyframes", act)


def keyframe_at(canvas: Canvas, track: Annotation) -> Keyframe | None:
    """The keyframe of a track at the painted picture."""
    return next((each for each in canvas.view.keyframes(track.id) if each.time_ns == canvas.own_ns), None)


def set_keyframes(canvas: Canvas) -> None:
    """What the selected tracks show here becomes a keyframe."""
    tracks = chosen_tracks(canvas)

    def act(run: Run, /) -> None:
        for track in tracks:
            run("keyframe.set", **keyframe_here(canvas, track.id))

    canvas.together("Set keyframe", act)


def loose_shapes(canvas: Canvas) -> list[Annotation]:
    """Selected shapes of the painted picture that are no tracks."""
    found = (canvas.view.annotations.get(each) for each in canvas.selected)
    return [
        each
        for each in found
        if each is not None and each.track is None and each.shape is not None and each.stream == canvas.stream.id
    ]


def make_tracks(canvas: Canvas) -> None:
    """The selected shapes become tracks that begin at this picture."""
    shapes = loose_shapes(canvas)

    def act(run: Run, /) -> None:
        for each in shapes:
            run("track.make", annotation=each.id, at_ns=canvas.own_ns)

    canvas.together("Make a track", act)


def carry_on(canvas: Canvas) -> int | None:
    """Put the selected shapes on the next picture as they are here; its stream time; ``None``: nothing was done."""
    next_ns, own_ns = canvas.next_ns, canvas.own_ns
    if next_ns is None or own_ns is None:
        canvas.tell("There is no next picture in time.")
        return None
    shown = [(each, canvas.shape_of(each.id)) for each in chosen_tracks(canvas)]
    tracks = [(each, shape) for each, shape in shown if shape is not None]
    loose = [
        each for each in loose_shapes(canvas) if canvas.shape_of(each.id) is not None and each.start_ns is not None
    ]
    if not tracks and not loose:
        canvas.tell("Nothing that is selected shows on this picture.")
        return None

    def act(run: Run, /) -> list[str]:
        for track, shape in tracks:
            _carry(canvas, track, shape, next_ns, run)
        copies = [run("annotation.copy", annotations=(each.id,), by_ns=next_ns - own_ns) for each in loose]
        return [made for group in copies for made in group]

    made = canvas.together("Carry on to the next", act)
    if made is None:
        return None
    if made:
        canvas.select((*(each.id for each, _ in tracks), *made))
    return next_ns


def _carry(canvas: Canvas, track: Annotation, shape: Shape, next_ns: int, run: Run) -> None:
    last = canvas.view.keyframes(track.id)[-1].time_ns
    if keyframe_at(canvas, track) is None:  # else this picture would be interpolated anew towards the next
        run("keyframe.set", **{**keyframe_here(canvas, track.id), "shape": shape})
    if next_ns > last:
        run("track.extend", annotation=track.id, to_ns=next_ns, shape=shape)
        return
    here = keyframe_here(canvas, track.id)
    there = next((each for each in canvas.view.keyframes(track.id) if each.time_ns == next_ns), None)
    attributes = {} if there is None else dict(there.attributes)
    run("keyframe.set", **{**here, "time_ns": next_ns, "shape": shape, "attributes": attributes})
