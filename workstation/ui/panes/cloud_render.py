"""The thread that draws a pane's views into space: newest wish first, lines before points, full detail when at rest.

One per pane, shared by its canvases. A wish is whole (view, points, lines), so that what comes back is one picture of
one moment. Painting points is broken off when something newer is wished for, and gone on with afterwards.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workstation.ui.panes.cloud_coarse import Ordering, Thinned, thinned
from workstation.ui.scenes.cloud_scene import CloudScene, FaceLayer, LineLayer, PointLayer, PointPicture, Rendered
from workstation.ui.scenes.space_view import SpaceView

_log = logging.getLogger(__name__)
MOVING_MS = 18.0
"""What drawing may take while the view moves."""
_FEWEST = 60_000
_BREAKABLE = 400_000
"""Fewer points are painted in one go: half a sweep is not worth showing."""
_FIRST_RATE = 12_000.0
"""Points a millisecond, until it is measured."""


class Points(Protocol):
    """What is to be shown, made into layers on the render thread: colouring millions of points takes a while."""

    @property
    def count(self) -> int: ...
    def layers(self) -> Sequence[PointLayer]: ...


class Still(Protocol):
    """Lines that stay while the hand moves other things: grid, frusta. Made and drawn on the render thread, and drawn
    again only when the object, the points or the view are others."""

    def lines(self) -> Sequence[LineLayer]: ...


@runtime_checkable
class Preparing(Protocol):
    """What a canvas wants back with its picture, where part of it is better worked out on the render thread."""

    def prepare(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Wish:
    """What one canvas is to show."""

    view: SpaceView
    points: Points | None
    still: Still | None = None
    lines: tuple[LineLayer, ...] = ()
    faces: tuple[FaceLayer, ...] = ()
    moving: bool = False
    """Whether the view moves: fewer points will do."""
    number: int = 0
    """Grows with every wish of a canvas."""
    about: object = None
    """What the canvas wants to know again with the picture; see ``Preparing``."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Drawn:
    """The answer: a picture of the wish, complete or not."""

    wish: Wish
    rendered: Rendered
    spent_ms: float


class Easel:
    """One canvas's place on the thread."""

    def __init__(
        self, renderer: SpaceRenderer, receive: Callable[[Drawn], None], scene: Callable[[], CloudScene]
    ) -> None:
        self._renderer = renderer
        self.receive = receive
        self.make_scene = scene
        self.scene: CloudScene | None = None
        self.wish: Wish | None = None
        self.points: Points | None = None
        self.thin: tuple[Points, Thinned] | None = None
        """What stands for points that are still being put in order."""
        self.told: tuple[PointPicture, PointPicture] | None = None
        """A picture of that part, and the same as one of all points."""
        self.ground: tuple[PointPicture, Still | None, PointPicture] | None = None
        """Points, what stands still, and both in one picture."""
        self.unfinished = False
        self.closed = False

    def show(self, wish: Wish) -> None:
        """Draw this; what was wished for before is forgotten."""
        self._renderer.put(self, wish)

    def close(self) -> None:
        """Let go of the scene, on the thread."""
        self._renderer.drop(self)


class SpaceRenderer:
    """The thread. ``post`` brings a drawn picture to the window's thread (``GuiThread.post``)."""

    def __init__(self, post: Callable[[Callable[[Any], None], object], None]) -> None:
        self._post = post
        self._changed = threading.Condition()
        self._easels: list[Easel] = []
        self._closing = False
        self._rate = _FIRST_RATE
        self._ordering = Ordering(self._ordered)
        self._thread = threading.Thread(target=self._work, name="views into space", daemon=True)
        self._thread.start()

    def easel(self, receive: Callable[[Drawn], None], scene: Callable[[], CloudScene]) -> Easel:
        """A place for a canvas; ``receive`` gets its pictures on the window's thread."""
        made = Easel(self, receive, scene)
        with self._changed:
            self._easels.append(made)
        return made

    def close(self) -> None:
        """End the thread and wait for it."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._ordering.close()

    def put(self, easel: Easel, wish: Wish) -> None:
        with self._changed:
            easel.wish = wish
            self._changed.notify_all()

    def drop(self, easel: Easel) -> None:
        with self._changed:
            easel.closed = True
            self._changed.notify_all()

    # --- the thread ---------------------------------------------------------------------------------------------

    def _work(self) -> None:
        doing: dict[Easel, Wish] = {}
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
                gone = [each for each in self._easels if each.closed or self._closing]
                self._easels = [each for each in self._easels if each not in gone]
                easel = self._next()
                wish = None
                if easel is not None:
                    wish, easel.wish = easel.wish or doing.get(easel), None
                    easel.unfinished = False
            for each in gone:
                doing.pop(each, None)
                self._let_go(each)
            if self._closing:
                return
            if easel is not None and wish is not None:
                doing[easel] = wish
                self._draw(easel, wish)

    def _has_work(self) -> bool:
        return self._closing or any(each.closed or each.wish is not None or each.unfinished for each in self._easels)

    def _next(self) -> Easel | None:
        wished = next((each for each in self._easels if each.wish is not None), None)
        found = wished or next((each for each in self._easels if each.unfinished), None)
        if found is not None:  # the others first, next time
            self._easels.remove(found)
            self._easels.append(found)
        return found

    def _draw(self, easel: Easel, wish: Wish) -> None:
        begun = perf_counter()
        try:
            rendered = self._rendered(easel, wish)
        except Exception as error:  # noqa: BLE001 - a border: a thread that dies would leave every view still
            _log.error("a view into space could not be drawn", exc_info=error)
            return
        spent_ms = 1000 * (perf_counter() - begun)
        self._post(easel.receive, Drawn(wish=wish, rendered=rendered, spent_ms=spent_ms))

    def _rendered(self, easel: Easel, wish: Wish) -> Rendered:
        if easel.scene is None:
            easel.scene = easel.make_scene()
        scene = easel.scene
        if wish.points is not easel.points:
            self._take(easel, scene, wish.points)
        count = 0 if wish.points is None else wish.points.count
        budget = max(_FEWEST, int(self._rate * MOVING_MS)) if wish.moving else None
        begun = perf_counter()
        whole = wish.moving or count < _BREAKABLE
        picture = scene.paint_points(wish.view, budget=budget, cancelled=None if whole else self._newer)
        took_ms = 1000 * (perf_counter() - begun)
        if easel.thin is not None:
            return self._finished(easel, scene, wish, _as_whole(easel, easel.thin[1], picture))
        if all(each.thin is None for each in self._easels):
            self._ordering.forget()
        if wish.moving and picture.drawn > _FEWEST:
            self._rate += 0.3 * (picture.drawn / max(took_ms, 0.1) - self._rate)
        easel.unfinished = not wish.moving and not picture.complete and count > picture.drawn
        return self._finished(easel, scene, wish, picture)

    def _take(self, easel: Easel, scene: CloudScene, points: Points | None) -> None:
        """Show other points; where they are very many and not in order yet, a part of them until they are."""
        if points is not None and easel.thin is not None and easel.thin[0] is points:
            layers = easel.thin[1].layers
            if self._ordering.waits_for(layers):
                return
        else:
            layers = () if points is None else tuple(points.layers())
            if points is not None and self._ordering.waits_for(layers):
                easel.thin = (points, thinned(layers))
                scene.set_points(easel.thin[1].part)
                if self._ordering.waits_for(layers):  # else it is done by now, and nobody was told
                    return
        easel.thin = easel.told = None
        scene.set_points(layers)
        easel.points = points

    def _ordered(self) -> None:
        """On the thread that puts points in order: those that wait for it are to be drawn again."""
        with self._changed:
            for each in self._easels:
                each.unfinished = each.unfinished or each.thin is not None
            self._changed.notify_all()

    def _finished(self, easel: Easel, scene: CloudScene, wish: Wish, picture: PointPicture) -> Rendered:
        ground = _with_still(easel, scene, picture, wish.still)
        if isinstance(wish.about, Preparing):
            wish.about.prepare()
        scene.set_lines(wish.lines)
        scene.set_faces(wish.faces)
        return scene.draw(ground)

    def _newer(self) -> bool:
        """Asked between two chunks of points: whether somebody wishes for something else."""
        return self._closing or any(each.wish is not None for each in self._easels)

    def _let_go(self, easel: Easel) -> None:
        scene, easel.scene = easel.scene, None
        easel.points = easel.ground = easel.thin = easel.told = None
        if scene is not None:
            scene.close()


def _as_whole(easel: Easel, thin: Thinned, picture: PointPicture) -> PointPicture:
    """The picture of the part as one of all; the same object for the same picture, which lines are kept over."""
    if easel.told is None or easel.told[0] is not picture:
        easel.told = (picture, thin.told(picture))
    return easel.told[1]


def _with_still(easel: Easel, scene: CloudScene, picture: PointPicture, still: Still | None) -> PointPicture:
    """The points with what stands still drawn over them, kept for the next wish."""
    held = easel.ground
    if held is not None and held[0] is picture and held[1] is still:
        return held[2]
    both = picture
    if still is not None:
        scene.set_lines(still.lines())
        scene.set_faces(())
        height, width = picture.image.shape
        both = replace(picture, image=scene.draw(picture).image.view(np.uint32).reshape(height, width))
    easel.ground = (picture, still, both)
    return both
