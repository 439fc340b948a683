"""The edits of the timeline as commands: one gesture is one step, a run of nudges is one step. Called by gestures and
by ``actions/timeline.py``; what is refused is told by the workbench.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from workstation.app.lanes import LaneKind, tier_of, touching
from workstation.app.units import stepped
from workstation.core.annotation import Annotation, Keyframe
from workstation.core.geometry import ShapeKind
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.core.values import dataclass
from workstation.ui.panes.timeline_model import Part, TimelineModel
from workstation.ui.workbench import Workbench

RUN_S = 0.5
"""Nudges that follow each other within this time are one step."""
_AROUND_NS = SECOND_NS // 2
_SPAN = frozenset({ShapeKind.SPAN})


@dataclass(frozen=True, slots=True)
class Boundary:
    """One end of a label."""

    annotation: str
    part: Part


class Edits:
    """``now_s`` is a growing number of seconds; tests give their own."""

    def __init__(self, bench: Workbench, model: TimelineModel, now_s: Callable[[], float] = time.monotonic) -> None:
        self._bench = bench
        self._model = model
        self._now_s = now_s
        self._run: tuple[Boundary, str, float] | None = None
        self.waiting: tuple[str | None, TimeRange] | None = None
        """The span that was drawn last and has no class yet: its stream and where it is."""
        self._make: Callable[[str], None] | None = None

    def waits(self) -> bool:
        """Whether it is that span which waits for its class."""
        return self._make is not None and self._bench.hand.waits_for(self._make)

    # --- boundaries -------------------------------------------------------------------------------------------

    def partner(self, boundary: Boundary) -> Boundary | None:
        """The boundary of a neighbour that stands at the very same moment."""
        place = self._model.place_of(boundary.annotation)
        if place is None:
            return None
        _, scene, number = place
        other = touching(scene.tier, number, at_end=boundary.part is Part.END)
        if other is None:
            return None
        return Boundary(scene.tier.ids[other], Part.START if boundary.part is Part.END else Part.END)

    def move_boundaries(self, boundaries: Sequence[Boundary], session_ns: int, *, group: str | None = None) -> bool:
        """Put one boundary, or two that touch, at a moment. Whether it was done."""
        own = [(each, self._annotation(each.annotation)) for each in boundaries]

        def act() -> bool:
            label = "Move boundary" if len(boundaries) == 1 else "Move shared boundary"
            with self._bench.together(label, group=group) as run:
                for boundary, annotation in own:
                    own_ns = self._model.own_ns(annotation.stream, session_ns)
                    name = "start_ns" if boundary.part is Part.START else "end_ns"
                    run("annotation.set_interval", annotation=annotation.id, **{name: own_ns})
            return True

        return bool(self._bench.attempt(act))

    def nudge(self, boundary: Boundary, steps: int, *, alone: bool = False) -> int | None:
        """Move a boundary by units of its stream, a neighbour that touches with it. Where it stands then."""
        annotation = self._annotation(boundary.annotation)
        before = self._session_end(annotation, boundary.part)
        units = self._model.units(annotation.stream)
        if before is None:
            return None
        target = before + steps * 10_000_000 if units is None else stepped(units, before, steps)
        if target == before:
            return before
        other = None if alone else self.partner(boundary)
        both = [boundary] if other is None else [boundary, other]
        done = self.move_boundaries(_safe_order(both, target > before), target, group=self._group(boundary))
        return target if done else None

    def _group(self, boundary: Boundary) -> str:
        now, running = self._now_s(), self._run
        fresh = running is None or running[0] != boundary or now - running[2] > RUN_S
        group = uuid.uuid4().hex if fresh or running is None else running[1]
        self._run = (boundary, group, now)
        return group

    def end_run(self) -> None:
        """Whatever comes next is a step of its own."""
        self._run = None

    def _session_end(self, annotation: Annotation, part: Part) -> int | None:
        shown = self._model.view.session_range(annotation)
        if shown is None:
            return None
        return shown.end_ns if part is Part.END else shown.start_ns

    # --- whole labels -----------------------------------------------------------------------------------------

    def move(self, ids: Sequence[str], by_ns: int) -> None:
        """Move labels in time; each lands on its stream's own moment of where it was dragged."""
        if not by_ns:
            return
        held = [self._annotation(each) for each in ids]
        shifts = {each.id: self._own_shift(each, by_ns) for each in held}

        def act() -> None:
            with self._bench.together("Move") as run:
                for shift in sorted(set(shifts.values()) - {0}):
                    run("annotation.move", annotations=[key for key in shifts if shifts[key] == shift], by_ns=shift)

        self._bench.attempt(act)

    def keyframe_at(self, track: str, session_ns: int) -> Keyframe | None:
        """The keyframe of a track that is drawn at a moment."""
        stream = self._model.view.streams.get(self._annotation(track).stream or "")
        keyframes = self._model.view.keyframes(track)
        if stream is None:
            return next((each for each in keyframes if each.time_ns == session_ns), None)
        return next((each for each in keyframes if stream.time_map.to_session(each.time_ns) == session_ns), None)

    def move_keyframe(self, keyframe: Keyframe, own_ns: int) -> None:
        """Put one keyframe at another moment of its stream; its neighbours stay."""
        if own_ns != keyframe.time_ns:
            self._bench.attempt(lambda: self._bench.run("keyframe.move", keyframe=keyframe.id, time_ns=own_ns))

    def _own_shift(self, annotation: Annotation, by_ns: int) -> int:
        shown = self._model.view.session_range(annotation)
        if shown is None or annotation.start_ns is None:
            return by_ns
        return self._model.own_ns(annotation.stream, shown.start_ns + by_ns) - annotation.start_ns

    def create(self, stream: str | None, shown: TimeRange) -> bool:
        """Make a span with the class in the hand, or ask for one. Whether it has to be asked for."""
        class_id = self._bench.hand.class_id

        def make(chosen: str) -> None:
            made = self._bench.run(
                "annotation.add",
                stream=stream,
                class_id=chosen,
                kind="span",
                start_ns=self._model.own_ns(stream, shown.start_ns),
                end_ns=self._model.own_ns(stream, shown.end_ns),
            )
            if made is not None:
                self._bench.select([made], cause="timeline")

        if class_id is not None:
            make(class_id)
            return False
        self.waiting, self._make = (stream, shown), make
        view = self._model.view
        self._bench.hand.ask_class(make, fits=lambda chosen: view.may_be_drawn(chosen, stream, _SPAN))
        self._bench.tell("Which class? Press its key, or 0 to search.")
        return True

    def split(self, ids: Sequence[str], at_ns: int) -> None:
        """Cut what is selected and lies over a moment in two there; a turn before the word that follows."""
        cut = [each for each in map(self._annotation, ids) if self._over(each, at_ns)]
        if not cut:
            self._bench.tell("Nothing selected lies under the playhead: there is nothing to split here.")
            return

        def act() -> list[str]:
            with self._bench.together("Split") as run:
                return [made for each in cut for made in [self._split_one(run, each, at_ns)]]

        made = self._bench.attempt(act)
        if made:
            self._bench.select(made, cause="timeline")

    def _split_one(self, run: Callable[..., str], annotation: Annotation, at_ns: int) -> str:
        own_ns = self._model.own_ns(annotation.stream, at_ns)
        if annotation.track is not None:
            return run("track.split", annotation=annotation.id, at_ns=own_ns)
        words = self._model.view.words(annotation.id)
        following = next((each for each in words if each.start_ns is not None and each.start_ns >= own_ns), None)
        if words and following is not None:
            return run("turn.split", word=following.id, at_ns=own_ns)
        return run("annotation.split", annotation=annotation.id, at_ns=own_ns)

    def _over(self, annotation: Annotation, at_ns: int) -> bool:
        shown = self._model.view.session_range(annotation)
        return shown is not None and shown.start_ns < at_ns < shown.end_ns

    def join(self, ids: Sequence[str]) -> None:
        """Make one of what is selected: spans, turns or tracks of one stream."""
        parts = sorted(map(self._annotation, ids), key=lambda each: each.start_ns or 0)
        kinds = {tier_of(each) for each in parts}
        if len(parts) < 2 or len(kinds) != 1:
            self._bench.tell("Select two or more spans, turns or tracks of one lane to join them.")
            return

        def act() -> str:
            kind = kinds.pop()
            with self._bench.together("Join") as run:
                if kind not in (LaneKind.TURNS, LaneKind.TRACKS):
                    made: str = run("annotation.merge", annotations=[each.id for each in parts])
                    return made
                for other in parts[1:]:
                    command = "turn.join" if kind is LaneKind.TURNS else "track.join"
                    run(command, first=parts[0].id, second=other.id)
            return parts[0].id

        made = self._bench.attempt(act)
        if made is not None:
            self._bench.select([made], cause="timeline")

    def loop_around(self, boundary: Boundary) -> None:
        """Play half a second before and after a boundary, over and over; again ends it."""
        at_ns = self._session_end(self._annotation(boundary.annotation), boundary.part)
        if at_ns is None:
            return
        clock = self._bench.clock
        wanted = TimeRange(at_ns - _AROUND_NS, at_ns + _AROUND_NS).intersection(clock.span)
        if wanted is None or wanted == clock.loop:
            clock.set_loop(None)
            clock.pause()
            return
        clock.set_loop(wanted)
        clock.seek(wanted.start_ns)
        clock.play()

    def _annotation(self, record_id: str) -> Annotation:
        return self._model.view.annotations[record_id]


def _safe_order(boundaries: list[Boundary], later: bool) -> list[Boundary]:
    """The one that makes room goes first."""
    return sorted(boundaries, key=lambda each: (each.part is Part.END) == later)
