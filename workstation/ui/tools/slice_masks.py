"""Painting masks over the slices of a volume: what a canvas of slices answers so that brush, eraser and fill go on with
the thing that is selected, from slice to slice.

On a slice between two keys the interpolated shape is what is painted into; the release makes it a key of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class SliceCanvas(Protocol):
    """A canvas whose selected mask goes on over the slices."""

    def slice_target(self) -> str | None:
        """Under which id the selected thing's mask of the painted slice is shown and painted into; ``None``: there is
        none here yet."""
        ...

    def keep_slice(self, given: Mapping[str, object], *, fresh: bool, also: Mapping[str, object]) -> bool:
        """Store painted pixels as the selected thing's mask of this slice; false: no thing is selected that goes on
        here, or (``fresh``) another one is wanted. ``also``: what changes on other masks in the same step."""
        ...
