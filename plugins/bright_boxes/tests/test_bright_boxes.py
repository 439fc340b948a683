"""The adapter's program, started as the workstation starts it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workstation.app.model_plugins import model_plugins
from workstation.app.plugins import find_plugins, load_plugins
from workstation.prelabel.outside import Outside


def test_the_bright_part_of_a_picture_is_boxed_by_a_program_of_its_own() -> None:
    here = Path(__file__).parents[2]
    spec, folder = model_plugins(load_plugins(find_plugins(bundled=here, user=here / "none"))).adapters["bright-boxes"]
    dark, bright = np.zeros((20, 30, 3), np.uint8), np.zeros((20, 30, 3), np.uint8)
    bright[5:9, 10:16] = 255
    with Outside(spec, folder) as program:
        assert (program.hello.name, program.hello.labels) == ("bright-boxes", ("bright",))
        none, (one,) = program.pictures([dark, bright])
    assert none == []
    assert (one.left, one.top, one.width, one.height, one.score) == (10, 5, 6, 4, 1.0)
