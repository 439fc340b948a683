"""What becomes of a cuboid when a gesture or a key ends: the one step that keeps it. Shared by tools and actions.

A cuboid that was changed is written as the keyframe of the sweep that shows, and its size as the track's; a new one
begins a track. All of it goes through commands; previews end when the step is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workstation.app.session import Run
from workstation.core.annotation import Annotation
from workstation.core.cuboid_edits import moved
from workstation.core.geometry import Cuboid, ShapeKind
from workstation.core.tracks import MomentKind
from workstation.ui.tools.canvas import NEW
from workstation.ui.tools.space_tool import Space

Held = tuple[int, int, int]
MIDDLE: Held = (0, 0, 0)
_LONGEST_NS = 1_000_000_000
"""A motion told by keyframes farther apart than this is not carried on."""


def cuboid_arguments(cuboid: Cuboid) -> dict[str, object]:
    """A cuboid as the commands take it."""
    return {"center": cuboid.center, "size": cuboid.size, "rotation": cuboid.rotation}


def keep_changed(
    space: Space, cuboids: Mapping[str, Cuboid], *, held: Held = MIDDLE, label: str = "", group: str | None = None
) -> None:
    """Cuboids of the scene were changed at the sweep that shows."""

    def act(run: Run, /) -> None:
        for annotation, cuboid in cuboids.items():
            there = space.to_frame(cuboid, space.record_frame(annotation))
            if there is not None:
                time_ns = space.own_ns(annotation)
                run("cuboid.set", annotation=annotation, time_ns=time_ns, held=held, **cuboid_arguments(there))

    count = len(cuboids)
    space.together(label or ("Edit cuboid" if count == 1 else f"Edit {count} cuboids"), act, group=group)
    space.preview({})


def keep_shifted(space: Space, annotation: str, before: Cuboid, after: Cuboid) -> None:
    """A cuboid of the scene was moved with all its track: every keyframe goes as far in the scene, whatever way the
    frame it is kept in stood then."""
    record, frame = space.view.annotations[annotation], space.record_frame(annotation)
    time_map = space.view.time_map(record)
    times = [each.time_ns for each in space.view.keyframes(annotation)] if record.track is not None else [None]
    steps = []
    for time_ns in times:
        at = None if time_ns is None else time_ns if time_map is None else time_map.to_session(time_ns)
        ends = [space.to_frame(each, frame, session_ns=at) for each in (before, after)]
        if ends[0] is None or ends[1] is None:
            space.preview({})
            space.tell("Where the vehicle was is not known at every keyframe, so the track cannot be moved whole.")
            return
        steps.append(tuple(b - a for a, b in zip(ends[0].center, ends[1].center, strict=True)))
    space.run("cuboid.shift", annotation=annotation, by=tuple(steps))
    space.preview({})


def editable(space: Space) -> dict[str, Cuboid]:
    """The selected cuboids that show and are not locked; of a thing or box that is selected, the one that shows it."""
    there = space.cuboids()
    chosen = [each for each in space.selected if each in there] or _of_the_same(space, there)
    return {each: there[each] for each in chosen if not space.locked(each)}


def active_cuboid(space: Space) -> tuple[str, Cuboid] | None:
    """The selected cuboid that shows handles."""
    there = space.cuboids()
    active = space.active
    if active not in there:
        active = next(iter(_of_the_same(space, there)), None)
    return None if active is None or space.locked(active) else (active, there[active])


def _of_the_same(space: Space, there: Mapping[str, Cuboid]) -> list[str]:
    """The cuboid that shows what is selected elsewhere, if there is exactly one."""
    found = [each for each in space.view.related(space.selected) if each in there] if space.selected else []
    return found if len(found) == 1 else []


# --- new ones ---------------------------------------------------------------------------------------------------


Fit = Callable[[str], Cuboid]
"""The cuboid for a class: what is not seen gets the class's usual size."""


def keep_new(space: Space, cuboid: Cuboid, fit: Fit | None = None) -> None:
    """A new cuboid of the scene was made: keep it, or ask for its class first, while it stays on the screen."""
    class_id, waiting = space.hand.class_id, Waiting(space, cuboid, fit)
    if class_id is None:
        waiting.ask()
    elif waiting.fits(class_id):
        waiting(class_id)
    else:
        space.tell(f"{space.view.class_name(class_id)} may not be drawn as a cuboid here; choose another class for it.")
        waiting.ask()


class Waiting:
    """A new cuboid until its class is said."""

    def __init__(self, space: Space, cuboid: Cuboid, fit: Fit | None) -> None:
        self._space, self._cuboid, self._fit = space, cuboid, fit
        shown = space.shown
        self._when = None if shown is None else (shown.stream, shown.own_ns, shown.session_ns)

    def ask(self) -> None:
        """Show it and wait."""
        self._space.preview({NEW: self._cuboid})
        self._space.hand.ask_class(self, fits=self.fits, again=self._ask_again)

    def _ask_again(self) -> None:
        shown = self._space.shown
        if shown is not None and (shown.stream, shown.own_ns, shown.session_ns) == self._when:
            self.ask()
        else:
            self._space.tell("Another sweep shows than the one the cuboid was made on, so it stays given up.")

    def fits(self, class_id: str) -> bool:
        """Whether the ontology lets the class be drawn as a cuboid there."""
        shown = self._space.shown
        stream = None if shown is None else shown.stream
        return self._space.view.may_be_drawn(class_id, stream, frozenset({ShapeKind.CUBOID}))

    def __call__(self, class_id: str) -> None:
        space, shown = self._space, self._space.shown
        if shown is None or (shown.stream, shown.own_ns, shown.session_ns) != self._when:
            space.preview({})
            space.tell("Another sweep shows than the one the cuboid was made on, so it was given up.")
        elif self.fits(class_id):
            make(space, self._cuboid if self._fit is None else self._fit(class_id), class_id)
        else:
            space.tell(f"{space.view.class_name(class_id)} may not be drawn as a cuboid here; choose another class.")
            self.ask()


def make(space: Space, cuboid: Cuboid, class_id: str) -> str | None:
    """Keep a new cuboid, select it, and answer its id; ``None`` if it was refused."""
    shown, stream = space.shown, space.stream
    frame = space.record_frame(NEW)
    there = space.to_frame(cuboid, frame)
    if shown is None or stream is None or there is None:
        space.tell("No sweep shows, so there is nothing to make a cuboid on.")
        return None
    shape = {"kind": "cuboid", **cuboid_arguments(there)}
    where = {"stream": stream.id, "class_id": class_id, "frame": frame or None}

    def act(run: Run, /) -> Any:
        if shown.own_ns is None:
            return run("annotation.add", shape=shape, **where)
        return run("track.add", keyframes=({"time_ns": shown.own_ns, "shape": shape},), **where)

    made = space.together("Make cuboid", act)
    space.preview({})
    if made is None:
        return None
    space.select((made,))
    return str(made)


def continued_track(space: Space) -> Annotation | None:
    """The selected track of cuboids, which a new cuboid could continue."""
    record = None if space.active is None else space.view.annotations.get(space.active)
    fits = record is not None and record.kind is ShapeKind.CUBOID and record.track is not None
    return record if fits else None


def continue_track(space: Space, track: Annotation, cuboid: Cuboid) -> None:
    """Give a track this cuboid at the sweep that shows, beyond its ends too."""
    moment, time_ns = space.moment_of(track.id), space.own_ns(track.id)
    there = space.to_frame(cuboid, space.record_frame(track.id))
    if there is None or time_ns is None:
        space.tell("No sweep shows, so the track cannot be continued.")
        return
    arguments = cuboid_arguments(there)

    def act(run: Run, /) -> None:
        if moment is None or moment.kind is MomentKind.OUTSIDE:
            run("track.extend", annotation=track.id, to_ns=time_ns, shape={"kind": "cuboid", **arguments})
        run("cuboid.set", annotation=track.id, time_ns=time_ns, **arguments)

    space.together("Continue track", act)
    space.preview({})


# --- along the track --------------------------------------------------------------------------------------------


def carry_on(space: Space) -> int | None:
    """Put the selected cuboids on the next sweep, as they moved between their last two keyframes, or where they stand.

    Answers the stream time of that sweep; ``None``: nothing was done.
    """
    shown, chosen = space.shown, editable(space)
    if shown is None or shown.next_ns is None or shown.own_ns is None:
        space.tell("There is no next sweep.")
        return None
    records = {each: space.view.annotations[each] for each in chosen}
    tracks = {each: record for each, record in records.items() if record.track is not None}
    if not tracks:
        space.tell("Select a track of cuboids that shows here.")
        return None
    nexts = {each: _next_ns(space, record) for each, record in tracks.items()}

    def act(run: Run, /) -> bool:
        for each in tracks:
            _carry(space, each, chosen[each], nexts[each], run)
        return True

    return shown.next_ns if space.together("Carry on to the next", act) else None


def _next_ns(space: Space, record: Annotation) -> tuple[int, int]:
    """The next sweep in the annotation's own stream time, and in session time."""
    shown, stream = space.shown, space.view.streams.get(record.stream or "")
    lead = space.stream
    assert shown is not None
    assert shown.next_ns is not None
    session_ns = shown.next_ns if lead is None else lead.time_map.to_session(shown.next_ns)
    if stream is None or stream.id == shown.stream:
        return shown.next_ns, session_ns
    return space.view.own_ns(record, session_ns), session_ns


def _carry(space: Space, annotation: str, cuboid: Cuboid, next_ns: tuple[int, int], run: Run) -> None:
    record, frame = space.view.annotations[annotation], space.record_frame(annotation)
    shown, time_ns = space.shown, space.own_ns(annotation)
    assert shown is not None
    assert record.track is not None
    assert time_ns is not None
    then_ns, then_session_ns = next_ns
    static = record.track.static
    further = cuboid if static else moved(cuboid, _way(space, annotation, cuboid, then_session_ns))
    there = space.to_frame(further, frame, session_ns=then_session_ns)
    keyframes = space.view.keyframes(annotation)
    here = space.to_frame(cuboid, frame)
    if there is None or here is None:
        return
    if not static and all(each.time_ns != time_ns for each in keyframes):
        # else this sweep would be interpolated anew towards the next
        run("cuboid.set", annotation=annotation, time_ns=time_ns, **cuboid_arguments(here))
    if then_ns > keyframes[-1].time_ns:
        shape = {"kind": "cuboid", **cuboid_arguments(there)}
        run("track.extend", annotation=annotation, to_ns=then_ns, shape=shape)
    elif not static:
        run("cuboid.set", annotation=annotation, time_ns=then_ns, **cuboid_arguments(there))


def _way(space: Space, annotation: str, cuboid: Cuboid, then_ns: int) -> Sequence[float]:
    """How far it goes until then, at the speed it has had since the keyframe before."""
    shown, record = space.shown, space.view.annotations[annotation]
    time_map, own_ns = space.view.time_map(record), space.own_ns(annotation)
    assert shown is not None
    earlier = [
        each.time_ns for each in space.view.keyframes(annotation) if own_ns is not None and each.time_ns < own_ns
    ]
    if not earlier:
        return (0.0, 0.0, 0.0)
    before_ns = earlier[-1] if time_map is None else time_map.to_session(earlier[-1])
    before, gone_ns = space.stored_at(annotation, before_ns), shown.session_ns - before_ns
    if before is None or not 0 < gone_ns <= _LONGEST_NS:
        return (0.0, 0.0, 0.0)
    step = (np.array(cuboid.center) - np.array(before.center)) * ((then_ns - shown.session_ns) / gone_ns)
    found: Sequence[float] = step.tolist()
    return found
