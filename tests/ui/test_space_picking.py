"""Which cuboid a ray meets, against points sampled inside it."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.geometry import Cuboid
from workstation.core.rotation import about_z, matrix_of
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.tools.space_picking import entry, under
from workstation.ui.tools.space_tool import SpacePointer

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


@given(st.lists(CUBOIDS, min_size=1, max_size=6), st.floats(100, 700), st.floats(100, 500))
def test_what_is_under_the_pointer_is_what_its_ray_enters(cuboids: list[Cuboid], x: float, y: float) -> None:
    """Nothing that the ray enters is left out because it seemed too far beside it."""
    look = SpaceView(eye=(-60.0, 5.0, 25.0), width_px=800, height_px=600)
    origin, direction = look.ray(x, y)
    event = SpacePointer(x_px=x, y_px=y, origin=origin, direction=direction, look=look)
    named = {str(number): each for number, each in enumerate(cuboids)}
    entered = {key for key, each in named.items() if entry(each, origin, direction) is not None}
    found = under(named, event, reach_px=0.0)
    assert entered <= set(found)
    depths = [entry(named[key], origin, direction) for key in found if key in entered]
    assert depths == sorted(depths, key=lambda each: each if each is not None else 0.0)
