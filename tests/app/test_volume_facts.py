"""What the inspector says of marks in a scan, against the sphere's own truth."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest

from workstation.app.sample_view import SampleView
from workstation.app.volume_facts import patient_section
from workstation.app.volume_feed import Brought, Reading, VolumeFeed
from workstation.app.volume_planes import PlaneName, planes_of
from workstation.core.annotation import Annotation
from workstation.core.geometry import Cuboid, Figure, Measurement, Polygon, Shape, kind_of
from workstation.core.ids import AnnotationId, SampleId
from workstation.media.base import OpenContext, Window
from workstation.media.dicom import open_volume
from workstation.media.volume import StackVolume
from workstation.synth.ct import CtOptions, write_series

OPTIONS = CtOptions(size=64, slices=36, spacing_mm=5.25, slice_mm=6.0)
CENTER, ACROSS = (-62.0, -18.0, 58.0), 23.0


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> StackVolume:
    folder = tmp_path_factory.mktemp("facts")
    write_series(folder, OPTIONS, 5)
    return open_volume(sorted(folder.glob("*.dcm")), {}, OpenContext())


def said(volume: StackVolume, shape: Shape, item: str | None = None) -> dict[str, str]:
    mark = Annotation(id=AnnotationId("0" * 26), sample=SampleId("0" * 26), kind=kind_of(shape), shape=shape, item=item)
    nothing: SampleView = None  # type: ignore[assignment] - only masks are looked up
    section = patient_section(nothing, mark, volume)
    return {field.key.removeprefix("patient:"): field.value for field in section.fields}


def test_the_nodule_is_23_mm_on_the_right(volume: StackVolume) -> None:
    found = said(volume, Cuboid(CENTER, (ACROSS,) * 3))
    assert found["size"] == "23.0 × 23.0 × 23.0 mm (2.3 cm)"
    assert found["side"] == "right"
    assert found["place"] == "R 62.0, A 18.0, H 58.0 mm"
    assert found["voxel"] == "5.25 × 5.25 × 6 mm"


def test_an_outline_on_a_slice_has_a_diameter_and_an_area(volume: StackVolume) -> None:
    first = -(OPTIONS.size - 1) * OPTIONS.spacing_mm / 2
    column = (CENTER[0] - first) / OPTIONS.spacing_mm + 0.5
    row = (CENTER[1] - first) / OPTIONS.spacing_mm + 0.5
    turn = 2 * np.pi * np.arange(64) / 64
    radius = ACROSS / 2 / OPTIONS.spacing_mm
    ring = tuple((column + radius * math.cos(a), row + radius * math.sin(a)) for a in turn.tolist())
    found = said(volume, Polygon(ring), volume.instances[27])
    assert found["slice"] == "28 of 36, axial, H 57.0 mm"
    assert found["size"] == "23.0 mm (2.3 cm)"
    assert found["area"] == f"{64 / 2 * (11.5**2) * math.sin(2 * math.pi / 64) / 100:.2f} cm²"
    assert found["side"] == "right"
    mirrored = tuple((OPTIONS.size - x, y) for x, y in ring)
    assert said(volume, Polygon(mirrored), volume.instances[27])["side"] == "left"
    assert said(volume, Polygon(ring), "an image of another series") == {}


def test_a_measurement_says_its_quantity(volume: StackVolume) -> None:
    line = Measurement("long axis", 23.0, "mm", ((50.0, 0.0, 0.0), (73.0, 0.0, 0.0)), Figure.LINE)
    assert said(volume, line)["size"] == "23.0 mm (2.3 cm)"
    assert said(volume, line)["side"] == "left"


def test_what_is_looked_at_comes_before_the_rest_of_the_volume(volume: StackVolume) -> None:
    came: list[Brought | Reading] = []
    changed = threading.Condition()

    def deliver(brought: Brought | Reading) -> None:
        with changed:
            came.append(brought)
            changed.notify_all()

    planes = {plane.name: plane for plane in planes_of(volume.shape, volume.patient_from_voxel)}
    calm = threading.Event()
    feed = VolumeFeed("scan", volume, deliver, calm=calm)
    window = Window("all", 0, 4000)
    number = feed.show(planes[PlaneName.AXIAL], 20, window)
    with changed:
        assert changed.wait_for(lambda: bool(came), 20)
    (first,) = came
    assert isinstance(first, Brought)
    assert first.wish.number == number
    assert first.slab is not None
    assert np.array_equal(first.slab.values(), volume.slab(0, 20))
    calm.set()
    with changed:
        assert changed.wait_for(lambda: any(isinstance(e, Reading) and e.complete for e in came), 20)
    for index in range(30):
        feed.show(planes[PlaneName.SAGITTAL], index, window)
    last = feed.show(planes[PlaneName.SAGITTAL], 31, window)
    with changed:
        assert changed.wait_for(lambda: isinstance(came[-1], Brought) and came[-1].wish.number == last, 20)
    answer = came[-1]
    assert isinstance(answer, Brought)
    assert answer.slab is not None
    assert np.array_equal(answer.slab.values(), volume.slab(2, 31))
    feed.close()
    feed.close()


def test_a_slice_that_cannot_be_read_is_told_and_the_others_come(tmp_path: Path) -> None:
    write_series(tmp_path, OPTIONS, 6)
    paths = sorted(tmp_path.glob("*.dcm"))
    whole = open_volume(paths, {}, OpenContext())
    paths[3].write_bytes(paths[3].read_bytes()[:-40])
    came: list[Brought | Reading] = []
    changed = threading.Condition()

    def deliver(brought: Brought | Reading) -> None:
        with changed:
            came.append(brought)
            changed.notify_all()

    feed = VolumeFeed("scan", whole, deliver)
    plane = planes_of(whole.shape, whole.patient_from_voxel)[0]
    for index, broken in ((3, True), (4, False)):
        number = feed.show(plane, index, Window("all", 0, 4000))
        with changed:
            assert changed.wait_for(
                lambda number=number: any(isinstance(e, Brought) and e.wish.number == number for e in came), 20
            )
        (answer,) = [each for each in came if isinstance(each, Brought) and each.wish.number == number]
        assert (answer.error is not None) == broken
    with changed:
        assert changed.wait_for(lambda: any(isinstance(e, Reading) and e.complete for e in came), 20)
    feed.close()


def test_what_nobody_sees_is_not_read(volume: StackVolume) -> None:
    came: list[Brought | Reading] = []
    changed = threading.Condition()

    def deliver(brought: Brought | Reading) -> None:
        with changed:
            came.append(brought)
            changed.notify_all()

    calm = threading.Event()
    feed = VolumeFeed("scan", volume, deliver, calm=calm)
    feed.rest(resting=True)
    calm.set()
    plane = planes_of(volume.shape, volume.patient_from_voxel)[0]
    for index in (3, 4):
        number = feed.show(plane, index, Window("all", 0, 4000))
        with changed:
            assert changed.wait_for(
                lambda n=number: any(isinstance(e, Brought) and e.wish.number == n for e in came), 20
            )
    assert not any(isinstance(each, Reading) for each in came)
    feed.rest(resting=False)
    with changed:
        assert changed.wait_for(lambda: any(isinstance(e, Reading) and e.complete for e in came), 20)
    feed.close()
