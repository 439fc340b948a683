"""What is done to the selected cuboids of a view into space by a key: nudged, turned, fitted, parked, carried along.

Called by the actions (``actions/cuboids.py``); knows no Qt. Each act is one undo step, and a run of nudges is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from workstation.app.session import Run
from workstation.core.annotation import Annotation
from workstation.core.box_fitting import Scene, refitted
from workstation.core.cuboid_edits import axes_of, level, moved, turned, turned_quarter, turned_round
from workstation.core.geometry import Cuboid
from workstation.core.ground import ground_near
from workstation.core.tracks import MomentKind
from workstation.ui.tools.space_edits import cuboid_arguments, editable, keep_changed
from workstation.ui.tools.space_handles import looks_along
from workstation.ui.tools.space_tool import Look, Space, moment_key

NOTHING = "Nothing that is selected is a cuboid of this sweep, or it is locked."


def nudge(space: Space, across: float, along: float, up: float, what: str) -> None:
    """Move the selected cuboids by metres: across the screen to the right, along it away from the eye, and up."""

    def shifted(cuboid: Cuboid) -> Cuboid:
        right, ahead = screen_axes(cuboid, space.look)
        return moved(cuboid, (across * right + along * ahead + np.array((0.0, 0.0, up))).tolist())

    _each(space, shifted, "Nudge", what)


def yaw(space: Space, degrees: float, what: str) -> None:
    """Turn the selected cuboids about z."""
    _each(space, lambda cuboid: turned(cuboid, math.radians(degrees)), "Turn", what)


def turn_round(space: Space) -> None:
    """Exchange front and back."""
    _each(space, turned_round, "Turn round")


def turn_quarter(space: Space) -> None:
    """Call another side the front; the box stays where it is."""
    _each(space, turned_quarter, "Another side is the front")


def make_level(space: Space) -> None:
    """Stand upright again."""
    _each(space, level, "Stand upright")


def fit(space: Space) -> None:
    """Lay the selected cuboids onto the points about them, in their own size."""
    points = space.points()
    missed = 0
    changed: dict[str, Cuboid] = {}
    for each, cuboid in editable(space).items():
        near = points[(np.abs(points[:, :2] - np.array(cuboid.center[:2], np.float32)) < 25).all(axis=1)]
        ground = ground_near(near, cuboid.center[:2])
        found = refitted(cuboid, Scene(points=near, ground=ground, eye=space.eye(), heading_rad=space.heading()))
        if found is None:
            missed += 1
        else:
            changed[each] = found
    if changed:
        keep_changed(space, changed, label="Lay on its points")
    if missed or not changed:
        space.tell("There are too few points about it to lay it on." if missed else NOTHING)


def _each(space: Space, change: Callable[[Cuboid], Cuboid], label: str, what: str = "") -> None:
    cuboids = editable(space)
    if not cuboids:
        space.tell(NOTHING)
        return
    group = space.hand.bursts.group((what, moment_key(space.shown), *cuboids)) if what else None
    keep_changed(space, {each: change(cuboid) for each, cuboid in cuboids.items()}, label=label, group=group)


def screen_axes(cuboid: Cuboid, look: Look) -> tuple[np.ndarray, np.ndarray]:
    """To the right and away on the screen, each as the nearest axis of the cuboid, so that it keeps to its lane; in a
    straight look those of the picture."""
    forward = np.subtract(look.target, look.eye)
    forward = forward / max(float(np.linalg.norm(forward)), 1e-12)
    here = np.array(cuboid.center)
    if looks_along(cuboid, look) is not None:
        right = _on_screen(here, look, (1.0, 0.0))
        return right, np.cross(right, forward)
    ways = [sign * axes_of(cuboid)[:, axis] for axis in (0, 1) for sign in (1, -1)]
    side = np.cross(forward, (0.0, 0.0, 1.0))
    if np.linalg.norm(side) < 1e-6:
        side = _on_screen(here, look, (1.0, 0.0))
    right = max(ways, key=lambda way: float(way @ side))
    return right, max(ways, key=lambda way: float(way @ np.cross((0.0, 0.0, 1.0), right)))


def _on_screen(place: np.ndarray, look: Look, way: tuple[float, float]) -> np.ndarray:
    """The direction in the scene that goes along a direction of the screen, in an orthographic look."""
    x, y = look.project(place[None])[0][0].tolist()
    start, end = (np.array(look.ray(x + way[0] * step, y + way[1] * step)[0]) for step in (0.0, 100.0))
    found: np.ndarray = (end - start) / max(float(np.linalg.norm(end - start)), 1e-12)
    return found


# --- tracks -----------------------------------------------------------------------------------------------------


def tracks_of(space: Space) -> list[Annotation]:
    """Selected tracks of cuboids, alive here or not."""
    ids = dict.fromkeys((*space.selected, *editable(space)))
    found = (space.view.annotations.get(each) for each in ids)
    return [each for each in found if each is not None and each.track is not None and each.kind.value == "cuboid"]


def why_no_track(space: Space | None) -> str | None:
    """Why nothing can be done to tracks; ``None`` if it can."""
    if space is None or space.shown is None:
        return "no sweep shows, or the cloud is closed"
    return None if tracks_of(space) else "select a track of cuboids first"


def extend(space: Space) -> None:
    """Let the selected tracks live up to this sweep, standing where they were last seen."""
    outside = [each for each in tracks_of(space) if _is_outside(space, each)]
    if not outside:
        space.tell("The track already lives at this sweep.")
        return

    def act(run: Run, /) -> None:
        for each in outside:
            _extend_one(space, each, run)

    space.together("Extend track", act)


def _is_outside(space: Space, track: Annotation) -> bool:
    moment = space.moment_of(track.id)
    return moment is not None and moment.kind is MomentKind.OUTSIDE


def _extend_one(space: Space, track: Annotation, run: Run) -> None:
    """In the world it stays where it stands, though the frame it is kept in has moved on."""
    keyframes, time_ns = space.view.keyframes(track.id), space.own_ns(track.id)
    assert time_ns is not None
    edge = keyframes[0] if time_ns < keyframes[0].time_ns else keyframes[-1]
    time_map = space.view.time_map(track)
    edge_ns = edge.time_ns if time_map is None else time_map.to_session(edge.time_ns)
    stood = space.stored_at(track.id, edge_ns)
    there = None if stood is None else space.to_frame(stood, space.record_frame(track.id))
    shape = {} if there is None else {"shape": {"kind": "cuboid", **cuboid_arguments(there)}}
    run("track.extend", annotation=track.id, to_ns=time_ns, **shape)


def set_keyframes(space: Space) -> None:
    """What the selected tracks show here becomes a keyframe."""
    chosen = {each: cuboid for each, cuboid in editable(space).items() if _is_track(space, each)}
    if chosen:
        keep_changed(space, chosen, label="Set keyframe")
    else:
        space.tell(NOTHING)


def _is_track(space: Space, annotation: str) -> bool:
    return space.view.annotations[annotation].track is not None


def delete_keyframes(space: Space) -> None:
    """The selected tracks' keyframes at this sweep go."""
    found = [
        key
        for track in tracks_of(space)
        for key in space.view.keyframes(track.id)
        if key.time_ns == space.own_ns(track.id)
    ]
    if not found:
        space.tell("None of the selected tracks has a keyframe at this sweep.")
        return

    def act(run: Run, /) -> None:
        for each in found:
            run("keyframe.delete", keyframe=each.id)

    space.together("Delete keyframe" if len(found) == 1 else f"Delete {len(found)} keyframes", act)


def park(space: Space) -> None:
    """Parked: the pose it has here is its pose for the whole track. Again: it may move."""
    frame = space.still_frame()
    there = editable(space)
    tracks = [each for each in tracks_of(space) if each.id in there]
    if not tracks:
        space.tell(NOTHING)
        return
    if frame is None:
        space.tell("Nothing here stands still: the sample has no frame that does not move.")
        return
    parked = all(each.track is not None and each.track.static for each in tracks)

    def act(run: Run, /) -> None:
        for each in tracks:
            if parked:
                run("track.set_rule", annotation=each.id, static=False)
                continue
            kept = space.to_frame(there[each.id], frame)
            assert kept is not None
            run("cuboid.park", annotation=each.id, frame=frame, **cuboid_arguments(kept))

    space.together("May move" if parked else "Parked: one pose", act)
