"""Masks and point sets come in written out, and their content is stored in the same step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from command_work import MS, Work
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workstation.core.errors import UserError
from workstation.core.geometry import Mask, PointSet
from workstation.core.pixels import mask_area, mask_blob, mask_pixels, point_indices, points_blob, runs_of_mask

# Three rows of four: the second pixel of the first row to the first of the second, and the last pixel of all.
MASK = {"kind": "mask_rle", "x": 5, "y": 7, "width": 4, "height": 3, "counts": [1, 4, 6, 1]}
PICTURE = [[0, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1]]


def add(work: Work, stream: str, shape: Any, **more: Any) -> str:
    given = {"class_id": "car", "stream": stream, "shape": shape, **more}
    return str(work.run("annotation.add", sample="drive-1", **given))


def pixels(work: Work, shape: object) -> list[list[int]]:
    assert isinstance(shape, Mask)
    blob = work.store.blob(shape.blob)
    assert blob is not None
    found: list[list[int]] = mask_pixels(blob, shape.width, shape.height).astype(int).tolist()
    return found


def test_a_mask_written_out_is_stored_with_its_pixels(work: Work) -> None:
    shape = work.annotation(add(work, "front", MASK, start_ns=0)).shape
    assert isinstance(shape, Mask)
    assert (shape.x, shape.y, shape.width, shape.height, shape.area_px) == (5, 7, 4, 3, 5)
    assert pixels(work, shape) == PICTURE
    assert work.store.verify().intact


def test_points_written_out_are_stored_in_order(work: Work) -> None:
    given = {"kind": "point_indices", "indices": [70_000, 3, 9]}
    shape = work.annotation(add(work, "lidar", given, frame="lidar")).shape
    assert isinstance(shape, PointSet)
    assert shape.count == 3
    blob = work.store.blob(shape.blob)
    assert blob is not None
    assert point_indices(blob).tolist() == [3, 9, 70_000]


def test_masks_of_tracks_and_new_shapes(work: Work) -> None:
    other = {**MASK, "counts": [0, 12]}
    keyframes = [{"time_ns": 0, "shape": MASK}, {"time_ns": 10 * MS, "shape": MASK}]
    track = str(work.run("track.add", sample="drive-1", stream="front", class_id="car", keyframes=keyframes))
    work.run("keyframe.set", annotation=track, time_ns=5 * MS, shape=other)
    work.run("track.extend", annotation=track, to_ns=20 * MS, shape=other)
    assert [pixels(work, each.shape)[2][0] for each in work.keyframes(track)] == [0, 1, 0, 1]
    single = add(work, "front", MASK, start_ns=0)
    work.run("annotation.set_shape", annotation=single, shape=other)
    assert work.annotation(single).shape == work.keyframes(track)[1].shape, "the same pixels are the same blob"
    work.store.undo(work.lead)
    assert pixels(work, work.annotation(single).shape) == PICTURE


@pytest.mark.parametrize(
    ("stream", "shape", "words"),
    [
        ("front", {**MASK, "counts": [1, 4]}, "add up to 5; 4 × 3 pixels are 12"),
        ("front", {**MASK, "counts": [12]}, "at least one pixel inside"),
        ("front", {**MASK, "counts": [-1, 13]}, "not negative"),
        ("front", {**MASK, "counts": []}, "add up to 0"),
        ("front", {**MASK, "counts": [0, 1.5]}, "int"),
        ("front", {**MASK, "width": 0, "counts": []}, "at least 1"),
        ("front", {**MASK, "width": 1 << 20, "height": 1 << 20, "counts": [0, 1 << 40]}, "at most 1,073,741,824"),
        ("lidar", {"kind": "point_indices", "indices": []}, "at least one point"),
        ("lidar", {"kind": "point_indices", "indices": [1, 1]}, "once"),
        ("lidar", {"kind": "point_indices", "indices": [1 << 32]}, "between 0 and 4,294,967,295"),
    ],
)
def test_what_is_no_mask_is_refused_and_leaves_nothing(work: Work, stream: str, shape: Any, words: str) -> None:
    before = work.store.head()
    with pytest.raises(UserError, match=words):
        add(work, stream, shape)
    assert work.store.head() == before
    assert list(work.store.raw_blobs()) == []


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(np.any))
def test_every_picture_comes_back_and_has_one_form(picture: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    runs = runs_of_mask(picture)
    blob = mask_blob(runs)
    assert np.array_equal(mask_pixels(blob, picture.shape[1], picture.shape[0]), picture)
    assert mask_area(runs) == picture.sum()
    cut: list[int] = [piece for run in runs for piece in ((run, 0, 0) if run < 2 else (1, 0, run - 1))]
    assert mask_blob(cut) == blob, "however the runs were cut up"


@pytest.mark.parametrize("blob", [b"", b"\0", b"\1\0\0\0", b"\xff" * 8])
def test_a_damaged_blob_is_told(blob: bytes) -> None:
    with pytest.raises(UserError):
        mask_pixels(blob, 4, 3)


def test_a_damaged_point_set_is_told() -> None:
    assert point_indices(points_blob([5])).tolist() == [5]
    for blob in (b"", b"abc"):
        with pytest.raises(UserError, match="cut off"):
            point_indices(blob)
