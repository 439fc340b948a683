"""Where small patches of a picture went in the next one, to a part of a pixel. Arrays in, shifts out.

Called by ``film_turns.py``'s callers: a film is followed picture by picture, and how the camera turned is worked out of
all of it together. Patches cover the picture, so that what moves by itself is only some of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workstation.sync.delay import Floats

PATCH_PX = 64
_STEP_PX = 32
_LEAST_TEXTURE = 2.0
"""Grey levels of deviation: a patch of sky says nothing."""
_INNER_PX = 8
_WINDOW: Floats = np.hanning(PATCH_PX)[:, None] * np.hanning(PATCH_PX)


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Patches of one picture that were found again in the next; as few as none."""

    before_px: Floats
    """(n, 2) their middles, x and y, in the one before."""
    after_px: Floats
    """(n, 2) in the one after."""
    sharpness: Floats
    """(n,) how much each one's match stands out of all other places, in standard deviations."""


class PatchFollower:
    """Follows a film: give it grey pictures (height, width) of one size, one after another."""

    def __init__(self) -> None:
        self._before: tuple[Floats, NDArray[np.complex128]] | None = None

    def follow(self, picture: NDArray[np.uint8]) -> Followed | None:
        """What went where since the picture before; ``None`` for the first, and where the size changed."""
        grey = picture.astype(np.float64)
        places = _places(grey.shape[0], grey.shape[1])
        patches = _patches(grey, places)
        spectra = np.fft.rfft2((patches - patches.mean(axis=(1, 2), keepdims=True)) * _WINDOW)
        before, self._before = self._before, (grey, spectra)
        if before is None or before[0].shape != grey.shape:
            return None
        rough, sharp = _whole_shifts(before[1], spectra)
        usable = (patches.std(axis=(1, 2)) > _LEAST_TEXTURE) & np.isfinite(sharp)
        shifts, sure = _refined_shifts(before[0], grey, places, rough)
        usable &= sure
        middles = places[usable] + PATCH_PX / 2
        return Followed(before_px=middles, after_px=middles + shifts[usable], sharpness=sharp[usable])


def _places(height: int, width: int) -> NDArray[np.intp]:
    """(n, 2) left and top of patches that cover the picture."""
    xs = np.arange(0, max(width - PATCH_PX, 0) + 1, _STEP_PX)
    ys = np.arange(0, max(height - PATCH_PX, 0) + 1, _STEP_PX)
    return np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)


def _patches(grey: Floats, places: NDArray[np.intp]) -> Floats:
    """(n, patch, patch)."""
    every = np.lib.stride_tricks.sliding_window_view(grey, (PATCH_PX, PATCH_PX))
    found: Floats = every[places[:, 1], places[:, 0]]
    return found


def _whole_shifts(before: NDArray[np.complex128], after: NDArray[np.complex128]) -> tuple[NDArray[np.intp], Floats]:
    """(n, 2) by how many whole pixels each patch went right and down, and how much its peak stands out."""
    cross = after * np.conj(before)
    cross /= np.maximum(np.abs(cross), 1e-9)
    peaks = np.fft.irfft2(cross, (PATCH_PX, PATCH_PX)).reshape(len(cross), -1)
    best = peaks.argmax(axis=1)
    sharp = peaks.max(axis=1) / np.maximum(peaks.std(axis=1), 1e-12)
    found = np.stack([best % PATCH_PX, best // PATCH_PX], 1)
    half = PATCH_PX // 2
    return np.where(found > half, found - PATCH_PX, found), sharp


def _refined_shifts(
    before: Floats, after: Floats, places: NDArray[np.intp], rough: NDArray[np.intp]
) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, 2) to a part of a pixel, by the slopes inside each patch; and which patches allow it.

    The middle of the patch is read in the picture before, and where it went to in the one after.
    """
    size = PATCH_PX - 2 * _INNER_PX
    start = places + _INNER_PX
    there = start + rough
    limit = np.array([before.shape[1], before.shape[0]]) - size
    inside = ((there >= 0) & (there <= limit)).all(axis=1)
    there = np.clip(there, 0, limit)
    (down, right), (after_down, after_right) = _slopes(before), _slopes(after)
    every = np.lib.stride_tricks.sliding_window_view

    def read(picture: Floats, at: NDArray[np.intp]) -> Floats:
        found: Floats = every(picture, (size, size))[at[:, 1], at[:, 0]].reshape(len(at), -1)
        return found

    x = (read(right, start) + read(after_right, there)) / 2
    y = (read(down, start) + read(after_down, there)) / 2
    apart = read(before, start) - read(after, there)
    xx, yy, xy = (x * x).sum(1), (y * y).sum(1), (x * y).sum(1)
    det = xx * yy - xy * xy
    sure: NDArray[np.bool_] = inside & (det > 1e-6 * np.maximum(xx, yy) ** 2) & (det > 0)
    safe = np.where(sure, det, 1.0)
    bx, by = (x * apart).sum(1), (y * apart).sum(1)
    part = np.stack([(yy * bx - xy * by) / safe, (xx * by - xy * bx) / safe], 1)
    sure &= (np.abs(part) <= 1.5).all(axis=1)
    found: Floats = rough.astype(np.float64) + np.where(sure[:, None], part, 0.0)
    return found, sure


def _slopes(picture: Floats) -> tuple[Floats, Floats]:
    """Downwards and to the right."""
    found = np.asarray(np.gradient(picture), np.float64)
    return found[0], found[1]
