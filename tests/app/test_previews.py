"""Dragged shapes: each gesture holds its own, one signal tells what differs, and nothing else is ever told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workstation.app.previews import NEW, Dragged, Previews, PreviewsChanged
from workstation.core.geometry import Cuboid

_IDS = st.sampled_from(["a", "b", NEW])
_DRAGS = st.dictionaries(_IDS, st.integers(0, 2), max_size=3)
_ACTS = st.lists(st.tuples(st.sampled_from(["cloud", "sides"]), st.none() | _DRAGS), max_size=12)


class Ear:
    """Hears changes, as a pane does."""

    def __init__(self) -> None:
        self.heard: list[PreviewsChanged] = []

    def hear(self, change: PreviewsChanged) -> None:
        self.heard.append(change)


def dragged(annotation: str, metres: int) -> Dragged:
    cuboid = Cuboid(center=(float(metres), 0.0, 0.0), size=(4.0, 2.0, 1.5))
    return Dragged(annotation=annotation, shape=cuboid, stream="lidar", own_ns=5)


@given(_ACTS)
def test_what_is_told_adds_up_to_what_is_dragged(acts: list[tuple[str, dict[str, int] | None]]) -> None:
    previews, ear = Previews(), Ear()
    previews.changed.connect(ear.hear)
    model: dict[str, dict[str, int]] = {}
    for cause, drags in acts:
        told = len(ear.heard)
        if drags is None:
            previews.clear(cause=cause)
            model.pop(cause, None)
        else:
            previews.show([dragged(key, at) for key, at in drags.items()], cause=cause)
            model[cause] = drags
        wanted = {key: dragged(key, at) for held in model.values() for key, at in held.items()}
        assert dict(previews.shapes) == wanted
        assert len(ear.heard) - told <= 1
        for change in ear.heard[told:]:
            assert change.touched
            assert change.cause == cause
            assert dict(change.after) == wanted
    replayed: dict[str, Dragged] = {}
    for change in ear.heard:
        assert dict(change.before) == replayed
        replayed = dict(change.after)
    assert replayed == dict(previews.shapes)


def test_a_move_of_the_same_shapes_touches_them_and_keeps_the_set() -> None:
    previews, ear = Previews(), Ear()
    previews.show([dragged("a", 0), dragged("b", 0)], cause="cloud")
    previews.changed.connect(ear.hear)
    previews.show([dragged("a", 1), dragged("b", 0)], cause="cloud")
    assert [change.touched for change in ear.heard] == [{"a"}]
    assert not ear.heard[0].ids_changed
    moved = previews.get("a")
    assert moved is not None
    assert moved.shape == Cuboid(center=(1.0, 0.0, 0.0), size=(4.0, 2.0, 1.5))
    previews.end()
    assert ear.heard[1].ids_changed
    assert not previews.shapes
