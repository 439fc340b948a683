"""A picture model tried on single pictures, for ``models try`` and for whoever brings a bare file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workstation.app.models import try_on
from workstation.app.reading import Formats
from workstation.core.errors import DataError, UserError
from workstation.core.sample import StreamKind
from workstation.media.base import ImageReader, OpenContext, Picture
from workstation.media.probe import open_stream
from workstation.prelabel.api import BadOutput, Pixels
from workstation.prelabel.shelf import ShelvedModel


def rows_of_trial(model: ShelvedModel, paths: Sequence[Path], device: str) -> Iterator[dict[str, Any]]:
    """A row for each thing found."""
    try:
        found = try_on(model, [picture_at(path) for path in paths], device)
    except BadOutput as problem:
        raise UserError(f"{model.manifest.id} answers what cannot be read: {problem}") from problem
    for path, boxes in zip(paths, found, strict=True):
        for box in boxes:
            yield {
                "picture": path.name, "label": box.label, "score": round(box.score, 4), "left": round(box.left, 1),
                "top": round(box.top, 1), "width": round(box.width, 1), "height": round(box.height, 1),
                "mask": None if box.mask is None else int(box.mask.sum()),
            }  # fmt: skip


def picture_at(path: Path) -> Pixels:
    """The upright pixels of a picture file, as models take them."""
    readers = list(Formats().readers.of_kind(StreamKind.IMAGE))
    reader = open_stream([path], readers, options={}, context=OpenContext())
    try:
        if not isinstance(reader, ImageReader):
            raise DataError("is no picture", path=path)
        return plain_pixels(reader.picture())
    finally:
        reader.close()


def plain_pixels(picture: Picture) -> Pixels:
    """Three channels of eight bits, red first, whatever the file had."""
    pixels = picture.pixels
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        least, most = float(np.nanmin(pixels)), float(np.nanmax(pixels))
        spread = most - least
        scaled = np.zeros(pixels.shape) if spread <= 0 else (np.nan_to_num(pixels, nan=least) - least) / spread
        pixels = (scaled * 255).astype(np.uint8)
    if pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, :3])
