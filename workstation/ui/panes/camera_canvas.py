"""A camera view as tools see it (``ui/tools/canvas.py``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workstation.app.light import eight_bits
from workstation.app.sample_view import SampleView
from workstation.core.errors import UserError
from workstation.core.geometry import Mask, Shape
from workstation.core.sample import Stream
from workstation.core.tracks import Moment
from workstation.media.base import Picture, Window
from workstation.ui.panes.base_canvas import FlatCanvas, Placing
from workstation.ui.tools.canvas import Pixels, Place, Preview
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.app.mask_proposals import MaskProposal, MaskStroke
    from workstation.ui.panes.camera_view import CameraView
    from workstation.ui.tools.box_mask import Extent, Receive


class ViewCanvas(FlatCanvas):
    """The canvas of one camera view."""

    cause = "camera"

    def __init__(self, camera: CameraView) -> None:
        self._camera = camera

    @property
    def view(self) -> SampleView:
        return self._camera.scene.view

    @property
    def bench(self) -> Workbench:
        return self._camera.bench

    @property
    def placing(self) -> Placing:
        return self._camera.viewport

    @property
    def stream(self) -> Stream:
        return self._camera.stream

    @property
    def item(self) -> int | None:
        frame = self._camera.frames.frame
        return None if frame is None else frame.index

    @property
    def instance(self) -> str | None:
        feed, item = self._camera.frames.feed, self.item
        return None if feed is None or item is None else feed.instance(item)

    @property
    def own_ns(self) -> int | None:
        frame = self._camera.frames.frame
        return None if frame is None else frame.own_ns

    @property
    def next_ns(self) -> int | None:
        frame = self._camera.frames.frame
        return None if frame is None else frame.next_own_ns

    @property
    def size_px(self) -> tuple[int, int]:
        return self._camera.viewport.picture_px

    def hit(self, place: Place, *, reach_px: float = 6.0) -> list[str]:
        return self._camera.scene.hit(place, reach_px / self.scale)

    def within(self, ring: Sequence[Place]) -> list[str]:
        return self._camera.scene.within(ring)

    def shape_of(self, annotation: str) -> Shape | None:
        drawn = self._camera.scene.drawn(annotation)
        return None if drawn is None else drawn.shape

    def moment_of(self, annotation: str) -> Moment | None:
        record = self.view.annotations.get(annotation)
        if record is None or record.stream != self.stream.id or self.own_ns is None:
            return None
        return self.view.moment(record, self.own_ns)

    def locked(self, annotation: str) -> bool:
        return self.sight.locked(self._camera.scene.keys_of(annotation))

    def mask_of(self, annotation: str) -> Pixels | None:
        drawn = self._camera.scene.drawn(annotation)
        if drawn is None or not isinstance(drawn.shape, Mask):
            return None
        inside = self._camera.scene.mask(drawn.shape)
        return None if inside is None else Pixels(drawn.shape.x, drawn.shape.y, inside)

    def picture(self) -> NDArray[np.uint8] | None:
        picture = self._camera.frames.whole_picture()
        return None if picture is None else _colours(picture, self._camera.frames.tone.window)

    # --- masks from boxes (``ui/tools/box_mask.py``) ------------------------------------------------------------

    def find_mask(self, box: Extent | None, strokes: tuple[MaskStroke, ...], receive: Receive) -> None:
        """On the window's one worker for masks; the picture is read there too."""
        from workstation.app.mask_proposals import Wish

        frame, feed = self._camera.frames.frame, self._camera.frames.feed
        if frame is None or feed is None:
            return
        window, index = self._camera.frames.tone.window, frame.index

        def read() -> NDArray[np.uint8]:
            return _colours(feed.whole(index), window)

        def took(answer: MaskProposal | UserError) -> None:
            receive(answer)
            self._camera.tool_moved.emit()

        picture = (self.stream.id, index, window)
        self.bench.masks.ask(Wish(owner=self, picture=picture, read=read, box=box, strokes=strokes), took)

    def close(self) -> None:
        """What was asked for and still comes is dropped; nothing reads from the feed any more."""
        self.bench.forget_masks(self)

    def preview(self, shapes: Mapping[str, Preview], *, class_id: str | None = None) -> None:
        self._camera.scene.preview(shapes, class_id)
        self._camera.renew_layer()

    def repaint(self) -> None:
        self._camera.area.update()


def _colours(picture: Picture, window: Window | None) -> NDArray[np.uint8]:
    """As RGB of eight bits."""
    pixels = eight_bits(picture.pixels, window)
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels[..., :3]
