"""What panes of strips (sound, series) show, without widgets, as far as they agree: strips under each other, labels in
or over them, what lies where, and what a boundary is drawn to. A pane's own model says which strips there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import field
from enum import StrEnum
from typing import Generic, TypeVar

import numpy as np

from workstation.app.doubts import Doubt
from workstation.app.lanes import Lane, Palette, Tier, item_at, make_tier
from workstation.app.sample_view import SampleView
from workstation.app.snapping import Target, nearest, nearest_item, nearest_moment
from workstation.app.transcript import PlacedWords, SpokenLabel
from workstation.app.units import Units, units_of
from workstation.app.viewport import Int64s, Viewport, whole
from workstation.core.annotation import Annotation
from workstation.core.errors import DataError
from workstation.core.sample import Stream
from workstation.core.timebase import TimeRange
from workstation.core.values import dataclass
from workstation.ui.panes.base_strips_crowd import crowded, reaching, told_apart
from workstation.ui.scenes.lane_scene import Argb, LaneScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.workbench import Workbench

EDGE_PX, SNAP_PX = 5, 8


class Part(StrEnum):
    """What of a label is under the pointer."""

    BODY = "body"
    START = "start"
    END = "end"
    LOW = "low"
    HIGH = "high"
    POINT = "point"


@dataclass(slots=True)
class Strip:
    """One row of a pane; ``top`` counts from the first."""

    key: str
    scene: LaneScene
    title: str
    top: int = field(default=0, kw_only=True)
    height: int = field(default=0, kw_only=True)

    @property
    def bottom(self) -> int:
        return self.top + self.height


StripT = TypeVar("StripT", bound=Strip)


@dataclass(frozen=True, slots=True)
class Hit(Generic[StripT]):
    """What lies at a place; ``point`` counts the points of a curve."""

    strip: StripT | None
    session_ns: int
    annotation: str | None = None
    part: Part = Part.BODY
    point: int = -1


class StripsModel(ABC, Generic[StripT]):
    """One sample in a pane of strips; it changes no record."""

    def __init__(self, bench: Workbench, view: SampleView, width_px: int, changed: Callable[[], None]) -> None:
        self.bench = bench
        self.view = view
        self.viewport = whole(bench.clock.span, width_px)
        self.snapping = True
        self.strips: list[StripT] = []
        self.troubles: list[str] = []
        self.palette = Palette()
        self._changed = changed
        self._scenes: dict[str, LaneScene] = {}
        self._units: dict[str, Units | None] = {}

    @abstractmethod
    def laid_over(self, strip: StripT) -> Iterator[Tier]:
        """The labels that lie over a strip."""

    @abstractmethod
    def part_at(self, strip: StripT, annotation: Annotation, shown: TimeRange, x: float, y: float) -> Part | None:
        """What of a label is at a place that is beside its time by no more than an edge; ``y`` is of the strip."""

    @abstractmethod
    def place(self, height_px: int) -> None:
        """Share another height among the strips."""

    @abstractmethod
    def own_units(self) -> Units | None:
        """Units of the stream that header and ruler tell of."""

    # --- strips -------------------------------------------------------------------------------------------------

    def _forget_scenes(self) -> None:
        """Let go of the scenes that no strip has any more."""
        kept = {strip.key for strip in self.strips}
        for key in [key for key in self._scenes if key not in kept]:
            self._let_go(self._scenes.pop(key))

    def _let_go(self, scene: LaneScene) -> None:
        scene.close()

    def _tier_scene(
        self, lane: Lane, words: PlacedWords | None = None, label: Callable[[str], str] | None = None
    ) -> TierScene:
        """The labels of a lane as they are now; with ``words`` they are turns that were spoken."""
        tier = make_tier(self.view, lane, self.palette, Keeper(self.bench, self.view, lane))
        scene = self._scenes.get(lane.key)
        if isinstance(scene, TierScene):
            scene.show(tier)
            scene.invalidate()
            return scene
        said = label or SpokenLabel(self.view, words is not None)
        scene = TierScene(lane.kind, tier, self.palette, said, words, Doubt(self.view))
        scene.changed = self._changed
        self._scenes[lane.key] = scene
        return scene

    @property
    def height(self) -> int:
        return self.strips[-1].bottom if self.strips else 0

    def strip_at(self, y: float) -> StripT | None:
        return next((strip for strip in self.strips if strip.top <= y < strip.bottom), None)

    def tiers(self) -> Iterator[tuple[StripT, TierScene]]:
        for strip in self.strips:
            if isinstance(strip.scene, TierScene):
                yield strip, strip.scene

    def close(self) -> None:
        for scene in self._scenes.values():
            self._let_go(scene)
        self._scenes.clear()

    # --- what lies where ----------------------------------------------------------------------------------------

    def over(self, strip: StripT) -> list[Annotation]:
        """The labels in view that are drawn one by one over a strip; ``crowd_over`` shows the others."""
        chosen = self.bench.selected
        ids = [each for tier in self.laid_over(strip) for each in told_apart(tier, self.viewport, chosen)]
        return [self.view.annotations[each] for each in ids if each in self.view.annotations]

    def crowd_over(self, strip: StripT, fine: Viewport) -> Argb | None:
        """(width,) what is behind the labels drawn one by one: all of them in columns, where they are many."""
        found: Argb | None = None
        for tier in self.laid_over(strip):
            row = crowded(tier, self.palette, fine)
            found = row if found is None else found if row is None else np.where(row != 0, row, found)
        return found

    def _near(self, strip: StripT, x: float) -> list[Annotation]:
        """The labels over a strip that reach to a place, however many lie beside it."""
        now, reach = self.viewport.ns_at(x), self.viewport.distance_ns(EDGE_PX) + 1
        ids = [each for tier in self.laid_over(strip) for each in reaching(tier, now - reach, now + reach)]
        return [self.view.annotations[each] for each in ids if each in self.view.annotations]

    def hit(self, x: float, y: float) -> Hit[StripT]:
        """What is at a place."""
        strip, now = self.strip_at(y), self.viewport.ns_at(x)
        if strip is None:
            return Hit(None, now)
        if isinstance(strip.scene, TierScene):
            scene = strip.scene
            number = item_at(scene.tier, now, scene.row_at(y - strip.top, strip.height), self.viewport.distance_ns(4))
            if number is None:
                return Hit(strip, now)
            rect = scene.item_rect(number, self.viewport, strip.height)
            return Hit(strip, now, scene.tier.ids[number], side(x, rect.left(), rect.right()))
        return self._hit_over(strip, x, y - strip.top, now)

    def _hit_over(self, strip: StripT, x: float, y: float, now: int) -> Hit[StripT]:
        """Edges of the selected first; what is shorter lies on top."""
        chosen = set(self.bench.selected)
        found: list[tuple[bool, float, Hit[StripT]]] = []
        for annotation in self._near(strip, x):
            shown = self.view.session_range(annotation)
            if shown is None:
                continue
            left, right = self.viewport.x_of(shown.start_ns), self.viewport.x_of(shown.end_ns)
            if not left - EDGE_PX <= x <= right + EDGE_PX:
                continue
            part = self.part_at(strip, annotation, shown, x, y)
            if part is not None:
                found.append((annotation.id not in chosen, right - left, Hit(strip, now, annotation.id, part)))
        return min(found, key=lambda each: each[:2])[2] if found else Hit(strip, now)

    def _side_of(self, shown: TimeRange, x: float) -> Part:
        return side(x, self.viewport.x_of(shown.start_ns), self.viewport.x_of(shown.end_ns))

    def locked(self, annotation: Annotation) -> bool:
        """Whether gestures leave it alone."""
        keys = (annotation.id, annotation.entity, annotation.stream, self.view.class_of(annotation))
        return self.bench.sight.locked(keys)

    # --- units and snapping -------------------------------------------------------------------------------------

    def _units_of(self, stream: Stream) -> Units | None:
        """A stream's own units; ``None`` where it has none or cannot be opened."""
        if self.bench.readers is None:
            return None
        if stream.id not in self._units:
            try:
                self._units[stream.id] = units_of(stream, self.bench.readers.reader(stream))
            except DataError:  # ``troubles`` says what is wrong with it
                self._units[stream.id] = None
        return self._units[stream.id]

    def _drawn_to(
        self, session_ns: int, units: Units | None, leave_out: tuple[int, ...], more: tuple[Target | None, ...] = ()
    ) -> Target | None:
        """What a boundary is drawn to: other boundaries, the playhead, more; units where they can be told apart."""
        reach = self.viewport.distance_ns(SNAP_PX)
        bounds = self.boundaries()
        bounds = bounds[~np.isin(bounds, leave_out)] if leave_out else bounds
        playhead = Target(self.bench.clock.time_ns, "playhead")
        found = nearest(session_ns, reach, (nearest_moment(bounds, session_ns, "boundary"), playhead, *more))
        return found if found is not None else nearest(session_ns, reach, [nearest_item(units, session_ns)])

    def boundaries(self) -> Int64s:
        """Starts and ends of all labels, in session time."""
        ends = [part for _, scene in self.tiers() for part in (scene.tier.items.starts, scene.tier.items.ends)]
        return np.unique(np.concatenate(ends)) if ends else np.zeros(0, np.int64)


def side(x: float, left: float, right: float) -> Part:
    """Which end of a label a place is at, if any."""
    reach = min(EDGE_PX, max(2.0, (right - left) / 3))
    if abs(x - right) <= reach:
        return Part.END
    return Part.START if abs(x - left) <= reach else Part.BODY


@dataclass(frozen=True, slots=True)
class Keeper:
    """Says of a label whether it is shown, by its class, thing, stream, lane and own id."""

    bench: Workbench
    view: SampleView
    lane: Lane

    def __call__(self, annotation: Annotation) -> bool:
        return self.bench.sight.visible(
            (annotation.id, annotation.entity, annotation.stream, self.view.class_of(annotation), self.lane.key)
        )
