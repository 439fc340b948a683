"""Which cuboid a ray meets, against points sampled inside it."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.geometry import Cuboid
from workstation.core.rotation import about_z, matrix_of
from workstation.ui.tools.space_picking import entry

NUMBER = st.floats(-20, 20)
CUBOIDS = st.builds(
    Cuboid,
    center=st.tuples(NUMBER, NUMBER, NUMBER),
    size=st.tuples(st.floats(0.2, 6), st.floats(0.2, 6), st.floats(0.2, 6)),
    rotation=st.floats(-math.pi, math.pi).map(about_z),
)


@given(CUBOIDS, st.tuples(*[st.floats(-0.49, 0.49)] * 3), st.tuples(NUMBER, NUMBER, NUMBER))
def test_a_ray_through_a_point_inside_enters_before_it(
    cuboid: Cuboid, share: tuple[float, float, float], eye: tuple[float, float, float]
) -> None:
    place = matrix_of(cuboid.rotation) @ (np.array(share) * cuboid.size) + np.array(cuboid.center)
    way = place - np.array(eye)
    length = float(np.linalg.norm(way))
    if length < 1e-6:
        return
    found = entry(cuboid, eye, tuple((way / length).tolist()))
    assert found is not None
    assert found <= length + 1e-6


@given(CUBOIDS)
def test_a_ray_past_it_misses(cuboid: Cuboid) -> None:
    beyond = np.array(cuboid.center) + np.array((0.0, 0.0, 30.0))
    assert entry(cuboid, tuple(beyond.tolist()), (1.0, 0.0, 0.0)) is None
    assert entry(cuboid, tuple(beyond.tolist()), (0.0, 0.0, 1.0)) is None  # it lies behind the eye
