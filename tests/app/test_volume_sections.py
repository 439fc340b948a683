"""Shapes in a patient where a plane cuts them, against sections worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workstation.app.picture_shapes import bounds_of
from workstation.app.volume_linking import VolumeLinks
from workstation.app.volume_planes import planes_of
from workstation.app.volume_sections import section_of
from workstation.app.volume_texts import length_text, measurement_text, value_text
from workstation.core.geometry import Box, Cuboid, Figure, Measured, Measurement, Point3D, Polyline3D

MATRIX = np.array([[0, 0, 2.0, -20], [0, 2.0, 0, -20], [4.0, 0, 0, 0], [0, 0, 0, 1]])
AXIAL, CORONAL, SAGITTAL = planes_of((10, 20, 20), MATRIX)


def test_a_cuboid_is_a_rectangle_where_it_is_cut_and_nothing_beyond() -> None:
    cuboid = Cuboid((0.0, 0.0, 20.0), (12.0, 8.0, 10.0))
    section = section_of(cuboid, AXIAL, 5)
    assert section is not None
    # left at −6 mm is (−6 + 20) / 2 pixels from the first one's centre, which is at 0.5
    assert bounds_of(section.lines.rings[0]) == pytest.approx((7.5, 8.5, 13.5, 12.5))
    assert section_of(cuboid, AXIAL, 7) is None
    assert section_of(cuboid, CORONAL, 10) is not None
    turned = Cuboid((0.0, 0.0, 20.0), (10.0, 10.0, 10.0), (math.cos(math.pi / 8), 0, 0, math.sin(math.pi / 8)))
    section = section_of(turned, AXIAL, 5)
    assert section is not None
    left, _, right, _ = bounds_of(section.lines.rings[0])
    assert right - left == pytest.approx(10 * math.sqrt(2) / 2)


def test_a_line_lies_on_its_slice_and_passes_through_others() -> None:
    line = Measurement("distance", 10.0, "mm", ((-5.0, 0.0, 12.0), (5.0, 0.0, 12.0)))
    on = section_of(line, AXIAL, 3)
    assert on is not None
    assert on.whole
    assert on.lines.open[0].tolist() == [[8.0, 10.5], [13.0, 10.5]]
    assert section_of(line, AXIAL, 4) is None
    through = section_of(line, SAGITTAL, 10)
    assert through is not None
    assert not through.whole
    steep = Polyline3D(((0.0, 0.0, 4.0), (0.0, 0.0, 20.0)))
    assert [section_of(steep, AXIAL, index) is not None for index in range(8)] == [False, *[True] * 5, False, False]
    assert section_of(Point3D(0.0, 0.0, 12.0), AXIAL, 3) is not None
    assert section_of(Box(0, 0, 1, 1), AXIAL, 3) is None


def test_an_ellipse_is_drawn_round_its_axes() -> None:
    ellipse = Measurement(
        "area", 1.0, "mm²", ((-6.0, 0.0, 12.0), (6.0, 0.0, 12.0), (0.0, -4.0, 12.0), (0.0, 4.0, 12.0)), Figure.ELLIPSE
    )
    section = section_of(ellipse, AXIAL, 3)
    assert section is not None
    assert bounds_of(section.lines.rings[0]) == pytest.approx((7.5, 8.5, 13.5, 12.5))


def test_values_are_said_as_readers_say_them() -> None:
    assert value_text(23.04, "mm") == "23.0 mm"
    assert value_text(99.94, "mm²") == "99.9 mm²"
    assert value_text(415.0, "mm²") == "4.15 cm²"
    assert value_text(41.25, "°") == "41.2°"
    assert length_text(23.0) == "23.0 mm (2.3 cm)"
    assert length_text(4.2) == "4.2 mm"
    area = Measurement(
        "area", 415.0, "mm²",
        also=(Measured("mean", -820.4, "HU"), Measured("standard deviation", 14.2, "HU")),
    )  # fmt: skip
    assert measurement_text(area) == "4.15 cm² · mean −820 ± 14 HU"


def test_volumes_of_one_frame_of_reference_go_together_and_others_by_hand() -> None:
    links = VolumeLinks()
    for stream, reference in (("now", "1.2.3"), ("before", "1.2.3"), ("elsewhere", "9.9"), ("unknown", "")):
        links.add(stream, reference)
    assert links.others("now", (1.0, 2.0, 3.0)) == {"before": (1.0, 2.0, 3.0)}
    assert links.others("elsewhere", (1.0, 2.0, 3.0)) == {}
    assert [links.said(each) for each in ("now", "before", "elsewhere")] == ["linked", "linked", "not linked"]
    links.lay_together({"now": (0.0, 0.0, 0.0), "elsewhere": (10.0, -5.0, 2.0)})
    assert links.others("now", (1.0, 1.0, 1.0))["elsewhere"] == (11.0, -4.0, 3.0)
    assert links.others("elsewhere", (11.0, -4.0, 3.0))["before"] == (1.0, 1.0, 1.0)
    assert links.said("elsewhere") == "linked by hand"
    links.part()
    assert links.others("now", (1.0, 1.0, 1.0)) == {}
    alone = VolumeLinks()
    alone.add("only", "")
    assert alone.said("only") == ""
    assert not alone.linked("only")
