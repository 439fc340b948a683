"""A picture model tried on single pictures, for ``models try`` and for whoever brings a bare file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workstation.app.known_models import picture_families
from workstation.app.mask_proposals import FAMILY as U2NET
from workstation.app.models import try_on
from workstation.app.reading import Formats
from workstation.core.errors import DataError, UserError
from workstation.core.sample import StreamKind
from workstation.media.base import ImageReader, OpenContext, Picture
from workstation.media.probe import open_stream
from workstation.prelabel.api import BadOutput, Pixels
from workstation.prelabel.masks import box_to_mask, crop_of
from workstation.prelabel.providers import provider_called
from workstation.prelabel.shelf import ShelvedModel
from workstation.prelabel.worker import Worker


def rows_of_trial(model: ShelvedModel, paths: Sequence[Path], device: str) -> Iterator[dict[str, Any]]:
    """A row for each thing found; of a model that fills boxes, what it makes of the whole picture as one."""
    family = model.manifest.family
    if family != U2NET and family not in picture_families():
        raise UserError(
            f"{model.manifest.id} ({model.manifest.task.value}) does not look at single pictures; try it where its "
            f"data are: workstation prelabel PROJECT --models {model.manifest.id}"
        )
    if family == U2NET:
        yield from _filled(model, paths, device)
        return
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


def _filled(model: ShelvedModel, paths: Sequence[Path], device: str) -> Iterator[dict[str, Any]]:
    name = str(model.manifest.options.get("input_name", "input.1"))
    with Worker(model.file(), provider=provider_called(device)) as worker:
        for path in paths:
            pixels = picture_at(path)
            height, width = pixels.shape[:2]
            try:
                mask = box_to_mask(pixels, crop_of(pixels, (0.0, 0.0, float(width), float(height)), worker, name))
            except BadOutput as problem:
                raise UserError(f"{model.manifest.id} answers what cannot be read: {problem}") from problem
            if mask.empty:
                continue
            rows, columns = np.flatnonzero(mask.mask.any(axis=1)), np.flatnonzero(mask.mask.any(axis=0))
            yield {
                "picture": path.name, "label": "what stands out", "score": round(mask.score, 4),
                "left": float(mask.left + columns[0]), "top": float(mask.top + rows[0]),
                "width": float(columns[-1] - columns[0] + 1), "height": float(rows[-1] - rows[0] + 1),
                "mask": int(mask.mask.sum()),
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
