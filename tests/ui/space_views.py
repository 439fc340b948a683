"""Views into space for laws that must hold from anywhere."""

from __future__ import annotations

import math

from hypothesis import assume
from hypothesis import strategies as st

from workstation.ui.scenes.space_view import SpaceView

numbers = st.floats(-200, 200)
vectors = st.tuples(numbers, numbers, numbers)


@st.composite
def views(draw: st.DrawFn) -> SpaceView:
    eye, target = draw(vectors), draw(vectors)
    assume(math.dist(eye, target) > 0.1)
    fov = draw(st.one_of(st.none(), st.floats(10, 120)))
    size = draw(st.tuples(st.integers(1, 2000), st.integers(1, 2000)))
    return SpaceView(
        eye=eye,
        target=target,
        fov_deg=fov,
        height_m=draw(st.floats(0.1, 500)),
        width_px=size[0],
        height_px=size[1],
    )
