"""Pixels beside names of colours: CSS colours bear their own names out, in light and in shade."""

from __future__ import annotations

import numpy as np
import pytest

from workstation.core.colour_names import CENTRES, borne_out, lab, measurable, shares, swatch

NAMES = tuple(CENTRES)


def patch(*rgb: int) -> np.ndarray:
    return np.tile(np.array(rgb, np.uint8), (50, 1))


def test_lab_of_known_colours() -> None:
    found = lab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [65, 105, 225]], np.uint8))
    # Published values for sRGB under D65.
    assert found == pytest.approx(
        np.array([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.2], [47.83, 26.26, -65.26]]), abs=0.1
    )


@pytest.mark.parametrize(
    ("rgb", "name"),
    [((178, 34, 34), "red"), ((0, 0, 110), "navy"), ((70, 110, 215), "blue"), ((34, 139, 34), "green"),
     ((245, 245, 245), "white"), ((20, 20, 22), "black"), ((128, 128, 130), "grey"), ((255, 140, 0), "orange"),
     ((110, 60, 20), "brown"), ((120, 50, 140), "purple"), ((250, 210, 40), "yellow")],
)  # fmt: skip
def test_a_patch_bears_its_name_out(rgb: tuple[int, int, int], name: str) -> None:
    found = shares(patch(*rgb), NAMES)
    assert borne_out(found, name) == 1.0
    assert sum(found.values()) == pytest.approx(1.0)


def test_navy_and_royal_blue_are_two_colours() -> None:
    royal, navy = shares(patch(65, 105, 225), NAMES), shares(patch(0, 0, 128), NAMES)
    assert (borne_out(royal, "navy"), borne_out(navy, "blue")) == (0.0, 0.0)


def test_nothing_is_said_of_no_pixels_or_unknown_names() -> None:
    assert shares(np.zeros((0, 3), np.uint8), NAMES) == {}
    assert shares(patch(1, 2, 3), ["mauve"]) == {}
    assert not measurable("transparent")
    assert swatch(patch(65, 105, 225)) == "#4169e1"
