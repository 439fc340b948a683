"""A page as drawing tools see it (``ui/tools/canvas.py``): its points are their pixels, its number the instance.

So boxes, polygons and points are drawn, picked and pulled on a page by the very tools of pictures. Made by the page
view; shapes come from ``app/picture_scene.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workstation.app.page_words import item_of
from workstation.app.picture_scene import Drawn, OnPicture, PictureScene
from workstation.app.picture_shapes import distance, inside, lines_of, size_of
from workstation.app.sample_view import SampleView
from workstation.core.geometry import Shape
from workstation.core.sample import Stream
from workstation.core.selection import Ids
from workstation.core.tracks import Moment, MomentKind
from workstation.ui.panes.base_canvas import FlatCanvas, Placing
from workstation.ui.tools.canvas import NEW, Pixels, Place, Preview
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.panes.document_view import PageView


class PageCanvas(FlatCanvas):
    """The shapes on the page that is painted."""

    cause = "document"

    def __init__(self, page: PageView) -> None:
        self._page = page
        self._scene: PictureScene | None = None
        self._scene_view: SampleView | None = None
        self._stored = OnPicture()
        self._previews: dict[str, Preview] = {}
        self._preview_class: str | None = None
        self.shown = OnPicture()

    # --- keeping it true ----------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Another page, other records, or something hidden."""
        stream = self._page.stream
        if stream is None or self._page.view is None:
            self._scene, self._stored = None, OnPicture()
        else:
            if self._scene is None or self._page.view is not self._scene_view:
                self._scene = PictureScene(self._page.view, stream.id)
                self._scene_view = self._page.view
            self._scene.renew()
            self._stored = self._scene.at(None, item_of(self._page.page))
        self._assemble()

    def forget(self) -> None:
        """Another document."""
        self._scene, self._previews = None, {}

    def _assemble(self) -> None:
        drawn = [self._previewed(each) for each in self._stored.drawn if self.sight.visible(self._keys(each.id))]
        known = {each.id for each in drawn}
        drawn += [
            self._fresh(key, shape) for key, shape in self._previews.items()
            if key not in known and not isinstance(shape, Pixels)
        ]  # fmt: skip
        self.shown = OnPicture(tuple(drawn))

    def _previewed(self, drawn: Drawn) -> Drawn:
        shape = self._previews.get(drawn.id)
        if shape is None or isinstance(shape, Pixels):
            return drawn
        return replace(drawn, shape=shape, lines=lines_of(shape), size=size_of(shape))

    def _fresh(self, key: str, shape: Shape) -> Drawn:
        view = self.view
        name = "new" if self._preview_class is None else view.class_name(self._preview_class)
        return Drawn(
            key, shape, lines_of(shape), MomentKind.KEYFRAME, False, False, view.paint_of_class(self._preview_class),
            name, self._preview_class, size_of(shape),
        )  # fmt: skip

    def _keys(self, annotation: str) -> tuple[str | None, ...]:
        record = self.view.annotations.get(annotation)
        if record is None:
            return (annotation,)
        return (record.id, record.entity, record.stream, self.view.class_of(record))

    # --- what tools ask -----------------------------------------------------------------------------------------

    @property
    def view(self) -> SampleView:
        assert self._page.view is not None
        return self._page.view

    @property
    def bench(self) -> Workbench:
        assert self._page.bench is not None
        return self._page.bench

    @property
    def placing(self) -> Placing:
        return self._page.viewport

    @property
    def stream(self) -> Stream:
        assert self._page.stream is not None
        return self._page.stream

    @property
    def item(self) -> int | None:
        return self._page.page if self._page.painted else None

    @property
    def instance(self) -> str | None:
        return item_of(self._page.page)

    @property
    def own_ns(self) -> int | None:
        return None

    @property
    def next_ns(self) -> int | None:
        return None

    @property
    def size_px(self) -> tuple[int, int]:
        return self._page.viewport.picture_px

    @property
    def selected(self) -> Ids:
        return () if self._page.bench is None else self._page.bench.selected

    @property
    def active(self) -> str | None:
        return None if self._page.bench is None else self._page.bench.selection.state.active

    def hit(self, place: Place, *, reach_px: float = 6.0) -> list[str]:
        reach = reach_px / self.scale
        return [
            each.id for each in reversed(self.shown.drawn) if each.id != NEW and distance(each.lines, place) <= reach
        ]  # fmt: skip

    def within(self, ring: Sequence[Place]) -> list[str]:
        return [each.id for each in self.shown.drawn if each.id != NEW and inside(each.lines.every(), ring)]

    def shape_of(self, annotation: str) -> Shape | None:
        return next((each.shape for each in self.shown.drawn if each.id == annotation), None)

    def moment_of(self, annotation: str) -> Moment | None:
        shape = self.shape_of(annotation)
        return None if shape is None else Moment(MomentKind.KEYFRAME, shape)

    def locked(self, annotation: str) -> bool:
        return self.sight.locked(self._keys(annotation))

    def mask_of(self, annotation: str) -> Pixels | None:
        del annotation
        return None

    def picture(self) -> NDArray[np.uint8] | None:
        return None

    def preview(self, shapes: Mapping[str, Preview], *, class_id: str | None = None) -> None:
        self._previews, self._preview_class = dict(shapes), class_id
        if self._page.view is not None and self._page.bench is not None:
            self._assemble()
        self._page.update()

    def repaint(self) -> None:
        self._page.update()
