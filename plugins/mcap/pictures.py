"""Topics of pictures, compressed or not, as film-like streams. Opened through ``mcap_log``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import CancelToken, OpenContext, Options, Picture, Region, View
from workstation.media.items import TimedItems

from .messages import Message, bytes_of, whole_of
from .topics import TopicMessages

PICTURE_TYPES = {
    "sensor_msgs/Image", "sensor_msgs/CompressedImage", "foxglove.RawImage", "foxglove.CompressedImage",
    "foxglove_msgs/RawImage", "foxglove_msgs/CompressedImage",
}  # fmt: skip
_VIEW = View()
_ENCODINGS = {
    "rgb8": ("u1", 3, (0, 1, 2)), "bgr8": ("u1", 3, (2, 1, 0)), "rgba8": ("u1", 4, (0, 1, 2)),
    "bgra8": ("u1", 4, (2, 1, 0)), "8UC3": ("u1", 3, (2, 1, 0)), "mono8": ("u1", 1, (0,)), "8UC1": ("u1", 1, (0,)),
    "mono16": ("u2", 1, (0,)), "16UC1": ("u2", 1, (0,)), "32FC1": ("f4", 1, (0,)),
}  # fmt: skip


class TopicPictures(TimedItems):
    """A ``VideoReader`` of one topic."""

    def __init__(self, messages: TopicMessages, context: OpenContext) -> None:
        self._messages = messages
        self.table = messages.table
        self._limits = context.limits
        self._share = context.memory.share()
        first = self._pixels(0)
        self.height_px, self.width_px = first.shape[:2]
        self._levels = _levels(first)
        self.info = messages.info(
            StreamKind.VIDEO, {"width_px": self.width_px, "height_px": self.height_px, "depth": str(first.dtype)}
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self._messages.path,)

    def held(self, index: int, view: View = _VIEW) -> bool:
        return index in self._share

    def held_picture(self, index: int, view: View = _VIEW) -> Picture | None:
        return self.picture(index, view) if index in self._share else None

    def picture(self, index: int, view: View = _VIEW, *, cancel: CancelToken | None = None) -> Picture:
        if cancel is not None:
            cancel.check()
        pixels = self._pixels(index)
        height, width = pixels.shape[:2]
        region = (view.region or Region(0, 0, width, height)).clipped(width, height)
        part = _shown(pixels[region.top : region.bottom, region.left : region.right], self._levels)
        return Picture(pixels=_shrunk(part, view), region=region, width_px=width, height_px=height)

    def value_at(self, index: int, x_px: int, y_px: int) -> tuple[int | float, ...]:
        pixels = self._pixels(index)
        if not (0 <= y_px < pixels.shape[0] and 0 <= x_px < pixels.shape[1]):
            raise IndexError(f"pixel {x_px}, {y_px} of {pixels.shape[1]} × {pixels.shape[0]}")
        value = pixels[y_px, x_px]
        return tuple(value.tolist()) if value.ndim else (value.item(),)

    def read_ahead(self, index: int, direction: int, count: int, *, cancel: CancelToken, view: View = _VIEW) -> None:
        affordable = max(1, self._share.fair_bytes // (6 * self.width_px * self.height_px))
        step = 1 if direction > 0 else -1
        for i in range(index, index + step * min(count, affordable), step):
            if not 0 <= i < len(self._messages):
                return
            cancel.check()
            try:
                self._pixels(i)
            except DataError:
                continue  # whoever asks for that picture is told

    def close(self) -> None:
        self._share.close()
        self._messages.close()

    def _pixels(self, index: int) -> NDArray[Any]:
        self._messages.item(index)
        found: NDArray[Any] | None = self._share.get(index)
        if found is None:
            message = self._messages.message(index)
            try:
                found = self._raw(message) if "encoding" in message else self._compressed(message)
            except DataError as error:
                raise self._messages.wrong(index, error.reason) from error
            self._share.put(index, found, found.nbytes)
        return found

    def _raw(self, message: Message) -> NDArray[Any]:
        encoding = str(message["encoding"])
        if encoding not in _ENCODINGS:
            raise DataError(f"pictures encoded as {encoding[:30]!r} cannot be shown")
        code, channels, order = _ENCODINGS[encoding]
        width, height, step = (whole_of(message, name) for name in ("width", "height", "step"))
        self._limits.check_picture(width, height, bytes_per_pixel=channels * 4, path=self._messages.path)
        kind = np.dtype(code).newbyteorder(">" if message.get("is_bigendian") else "<")
        row = width * channels * kind.itemsize
        data = bytes_of(message, "data")
        if step < row or step * height > len(data) + step - row:
            raise DataError(f"{len(data):,} bytes are no picture of {width} × {height}")
        padded = np.zeros(step * height, np.uint8)
        padded[: len(data)] = np.frombuffer(data, np.uint8)[: step * height]
        rows = np.ascontiguousarray(padded.reshape(height, step)[:, :row])
        pixels = rows.view(kind).reshape(height, width, channels)[..., list(order)]
        native: NDArray[Any] = pixels.astype(kind.newbyteorder("="))
        return native[..., 0] if channels == 1 else native

    def _compressed(self, message: Message) -> NDArray[Any]:
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(io.BytesIO(bytes_of(message, "data")), formats=("JPEG", "PNG", "WEBP", "BMP")) as picture:
                self._limits.check_picture(*picture.size, bytes_per_pixel=4, path=self._messages.path)
                return np.array(picture if picture.mode in ("L", "RGB", "I;16") else picture.convert("RGB"))
        except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            said = str(message.get("format", ""))[:30]
            raise DataError(f"the picture ({said or 'format not named'}) cannot be decoded") from error


def _levels(pixels: NDArray[Any]) -> tuple[float, float]:
    """Black and white for more than eight bits, from the first picture's own values; zeros are no depth."""
    if pixels.dtype == np.uint8:
        return 0.0, 255.0
    known = pixels[np.isfinite(pixels) & (pixels != 0)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def _shown(pixels: NDArray[Any], levels: tuple[float, float]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        grey: NDArray[np.uint8] = pixels
        return grey
    low, high = levels
    scaled = (np.nan_to_num(pixels.astype(np.float32), nan=low) - low) * (255 / max(high - low, 1e-12))
    shown: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return shown


def _shrunk(pixels: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = min(1.0, (view.width_px or width) / width, (view.height_px or height) / height)
    if scale >= 1:
        return np.ascontiguousarray(pixels)
    from PIL import Image

    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BOX))


def open_pictures(paths: Sequence[Path], options: Options, context: OpenContext) -> TopicPictures:
    """The pictures of one topic."""
    messages = TopicMessages(paths, options, context)
    try:
        return TopicPictures(messages, context)
    except BaseException:
        messages.close()
        raise
