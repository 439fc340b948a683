"""Planes of volumes against geometry worked out by hand: sides, millimetres, oblique and tilted stacks, mirrored."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.volume_block import Greys, Slab, VolumeBlock
from workstation.app.volume_planes import PlaneName, planes_of, straight_planes
from workstation.core.sample import StreamKind
from workstation.media.base import MediaInfo, Window

SHAPE = (6, 8, 10)


def stack(column: tuple, row: tuple, step: tuple, first: tuple = (-10.0, -20.0, 30.0)) -> np.ndarray:
    """(slice, row, column) to patient from the vectors of one step each."""
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([step, row, column, first])
    return matrix


AXIAL = stack((1.5, 0, 0), (0, 2.0, 0), (0, 0, 4.0))


class Held:
    """A volume in memory."""

    def __init__(self, voxels: np.ndarray, matrix: np.ndarray) -> None:
        self.voxels = voxels
        self.shape = voxels.shape
        self.patient_from_voxel = matrix
        self.unit, self.windows, self.instances, self.paths = "HU", (), (), ()
        self.info = MediaInfo(kind=StreamKind.VOLUME, count=len(voxels))

    def slab(self, axis: int, index: int) -> np.ndarray:
        return self.voxels.take(index, axis).astype(np.float32)

    def value_at(self, k: int, row: int, column: int) -> float:
        return float(self.voxels[k, row, column])

    def close(self) -> None: ...


def by_name(shape: tuple, matrix: np.ndarray) -> dict:
    return {plane.name: plane for plane in planes_of(shape, matrix)}


def test_an_axial_stack_is_cut_as_radiologists_look_at_it() -> None:
    planes = by_name(SHAPE, AXIAL)
    assert [plane.axis for plane in planes_of(SHAPE, AXIAL)] == [0, 1, 2]
    assert planes[PlaneName.AXIAL].acquired
    assert planes[PlaneName.AXIAL].edges(planes[PlaneName.AXIAL].turn) == ("R", "L", "A", "P")
    assert planes[PlaneName.CORONAL].edges(planes[PlaneName.CORONAL].turn) == ("R", "L", "H", "F")
    assert planes[PlaneName.SAGITTAL].edges(planes[PlaneName.SAGITTAL].turn) == ("A", "P", "H", "F")
    assert planes[PlaneName.AXIAL].spacing_mm == pytest.approx((1.5, 2.0, 4.0))
    assert planes[PlaneName.CORONAL].spacing_mm == pytest.approx((1.5, 4.0, 2.0))
    assert planes[PlaneName.SAGITTAL].spacing_mm == pytest.approx((2.0, 4.0, 1.5))
    assert planes[PlaneName.CORONAL].size_px == (10, 6)
    # the centre of the first voxel is the centre of the first pixel
    assert planes[PlaneName.AXIAL].to_patient(0.5, 0.5, 0) == pytest.approx((-10, -20, 30))
    assert planes[PlaneName.SAGITTAL].to_patient(0.5, 1.5, 2) == pytest.approx((-7, -20, 34))
    assert planes[PlaneName.AXIAL].place_text((0, 0, -12.25)) == "F 12.2 mm"
    assert planes[PlaneName.SAGITTAL].place_text((-61.7, 0, 0)) == "R 61.7 mm"


def test_a_mirrored_stack_keeps_its_sides() -> None:
    mirrored = stack((-1.5, 0, 0), (0, 2.0, 0), (0, 0, 4.0), (3.5, -20, 30))
    axial = by_name(SHAPE, mirrored)[PlaneName.AXIAL]
    assert axial.edges(axial.turn) == ("R", "L", "A", "P")
    assert axial.turn.tolist() == [[-1, 0], [0, 1]], "it is turned to the patient's sides"
    flipped = np.array([[-1, 0], [0, 1]]) @ axial.turn
    assert axial.edges(flipped) == ("L", "R", "A", "P"), "flipping the display changes the letters"
    assert axial.to_patient(0.5, 0.5, 0)[0] == pytest.approx(3.5), "and nothing else"


def test_sagittal_slices_from_a_scanner_are_called_sagittal() -> None:
    sagittal = stack((0, 1.0, 0), (0, 0, -1.0), (3.0, 0, 0))
    planes = planes_of(SHAPE, sagittal)
    assert [plane.name for plane in planes] == [PlaneName.SAGITTAL, PlaneName.AXIAL, PlaneName.CORONAL]
    assert planes[0].edges(planes[0].turn) == ("A", "P", "H", "F")
    assert planes[0].turn.tolist() == [[1, 0], [0, 1]]
    assert planes[1].edges(planes[1].turn) == ("R", "L", "A", "P")
    assert planes[2].edges(planes[2].turn) == ("R", "L", "H", "F")


@given(st.floats(-40, 40), st.floats(0.3, 5), st.floats(0.3, 5), st.floats(0.5, 8))
def test_millimetres_are_true_however_the_stack_leans(lean: float, column: float, row: float, step: float) -> None:
    a = math.radians(lean)
    down, normal = np.array([0, math.cos(a), math.sin(a)]), np.array([0, -math.sin(a), math.cos(a)])
    for plane in planes_of(SHAPE, stack((column, 0, 0), tuple(down * row), tuple(normal * step))):
        start, end = plane.to_patient(0.5, 0.5, 1), plane.to_patient(4.5, 3.5, 1)
        across, below, _ = plane.spacing_mm
        assert math.dist(start, end) == pytest.approx(math.hypot(4 * across, 3 * below))
        back = plane.from_patient(end)
        assert back == pytest.approx((4.5, 3.5, 1))
        assert abs(plane.patient_from_plane[:3, 0] @ plane.patient_from_plane[:3, 1]) < 1e-9


def test_an_oblique_stack_says_so_and_names_both_sides() -> None:
    a = math.radians(25)
    oblique = stack((1, 0, 0), (0, math.cos(a), math.sin(a)), tuple(3 * np.array([0, -math.sin(a), math.cos(a)])))
    axial = planes_of(SHAPE, oblique)[0]
    assert axial.name is PlaneName.AXIAL
    assert axial.oblique
    assert axial.edges(axial.turn) == ("R", "L", "AF", "PH")
    assert not planes_of(SHAPE, AXIAL)[0].oblique


def test_a_tilted_gantry_is_cut_straight() -> None:
    tilted = stack((1.0, 0, 0), (0, math.cos(0.3), math.sin(0.3)), (0, 0, 2.0))
    planes = {plane.name: plane for plane in planes_of(SHAPE, tilted)}
    sagittal = planes[PlaneName.SAGITTAL]
    assert sagittal.axis is None
    assert abs(sagittal.patient_from_plane[:3, 0] @ sagittal.patient_from_plane[:3, 1]) < 1e-9
    assert planes[PlaneName.AXIAL].axis == 0
    assert planes[PlaneName.AXIAL].spacing_mm[2] == pytest.approx(2 * math.cos(0.3)), "along the normal"


def brought(block: VolumeBlock, plane: object, index: int) -> np.ndarray:
    return block.slab(plane, index).values()  # type: ignore[arg-type]


def test_cuts_hold_the_voxels_that_lie_there() -> None:
    voxels = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    block = VolumeBlock(Held(voxels, AXIAL))  # type: ignore[arg-type]
    while block.load_next(3):
        pass
    for plane in planes_of(SHAPE, AXIAL):
        found = brought(block, plane, 2)
        height, width = found.shape
        for y in range(height):
            for x in range(width):
                k, row, column = np.linalg.solve(AXIAL, (*plane.to_patient(x + 0.5, y + 0.5, 2), 1))[:3].round()
                assert found[y, x] == voxels[int(k), int(row), int(column)]


def test_straight_planes_of_a_leaning_stack_show_a_linear_field_where_it_is() -> None:
    a = 0.4
    oblique = stack((1, 0, 0), (0, math.cos(a), math.sin(a)), (0, -2 * math.sin(a), 2 * math.cos(a)))
    shape = (20, 24, 16)
    k, row, column = np.meshgrid(*(np.arange(size) for size in shape), indexing="ij")
    places = np.stack([k, row, column, np.ones_like(k)], -1) @ oblique.T
    field = (3 * places[..., 0] - 2 * places[..., 1] + 5 * places[..., 2]).astype(np.float32)
    block = VolumeBlock(Held(field, oblique))  # type: ignore[arg-type]
    while block.load_next(0):
        pass
    for plane in straight_planes(shape, oblique):
        assert not plane.oblique
        index = plane.count // 2
        found = brought(block, plane, index)
        ys, xs = np.nonzero(np.isfinite(found))
        assert len(ys) > 40
        worst = 0.0
        for y, x in list(zip(ys.tolist(), xs.tolist(), strict=True))[::7]:
            px, py, pz = plane.to_patient(x + 0.5, y + 0.5, index)
            voxel = np.linalg.solve(oblique, (px, py, pz, 1))[:3]
            if (voxel >= 0).all() and (voxel <= np.array(shape) - 1).all():
                worst = max(worst, abs(found[y, x] - (3 * px - 2 * py + 5 * pz)))
        assert worst < 0.01


def test_a_large_volume_is_held_thinned_and_its_slices_shown_in_full() -> None:
    voxels = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    block = VolumeBlock(Held(voxels, AXIAL), limit_bytes=voxels.nbytes // 3)  # type: ignore[arg-type]
    while block.load_next(0):
        pass
    assert block.thinned == 2
    assert block.held_bytes <= voxels.nbytes // 3
    axial, coronal, _ = planes_of(SHAPE, AXIAL)
    assert (brought(block, axial, 1) == voxels[1]).all()
    assert (brought(block, coronal, 4) == voxels[:, 4, ::2]).all()


def test_slices_that_were_not_read_yet_are_no_black() -> None:
    voxels = np.zeros(SHAPE, np.int16)
    block = VolumeBlock(Held(voxels, AXIAL))  # type: ignore[arg-type]
    block.load_next(2)
    slab = block.slab(planes_of(SHAPE, AXIAL)[1], 0)
    assert slab.known is not None
    assert slab.known.any(1).tolist() == [False, False, True, False, False, False]
    assert math.isnan(slab.value_at(0.1, 0.05))
    screen = Greys().screen(slab, Window("soft", 400, 400))
    assert len(set(screen[2].tolist())) == 1
    assert screen[2, 0] != screen[0, 0]


@given(st.integers(-2000, 3000), st.integers(2, 4000), st.sampled_from(["<i2", "<u2", "u1", "f4"]), st.booleans())
def test_the_table_of_greys_is_the_windows_own_arithmetic(centre: int, width: int, kind: str, inverted: bool) -> None:
    pixels = np.arange(0, 250, 10).astype(kind).reshape(5, 5)
    shown = Greys(inverted=inverted).screen(Slab(pixels=pixels, slope=2.0, intercept=-100.0),
                                            Window("w", centre, width)) & 0xFF  # fmt: skip
    for value, level in zip(pixels.ravel().tolist(), shown.ravel().tolist(), strict=True):
        share = (2.0 * value - 100 - (centre - 0.5)) / (width - 1) + 0.5  # DICOM PS3.3 C.11.2.1.2.1
        share = min(max(share, 0), 1)
        assert abs(level - 255 * (1 - share if inverted else share)) <= 1.01
