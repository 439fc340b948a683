"""A mark whose class cannot be marked there goes on waiting, and says so; the next class makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.core.geometry import ShapeKind
from workstation.ui.class_keys import give_class

if TYPE_CHECKING:
    from workstation.ui.told import Told
    from workstation.ui.workbench import Workbench


class Ear:
    """Hears what is told."""

    def __init__(self) -> None:
        self.heard: list[Told] = []

    def hear(self, told: Told) -> None:
        self.heard.append(told)


def test_a_class_that_does_not_fit_leaves_the_mark_waiting(bench: Workbench) -> None:
    view, ear = bench.view, Ear()
    assert view is not None
    camera = view.stream_by_key("front_camera")
    assert camera is not None
    bench.told.connect(ear.hear)
    kinds = frozenset({ShapeKind.SPAN})
    before = bench.session.store.head()

    def make(class_id: str) -> None:
        bench.run("annotation.add", stream=camera.id, class_id=class_id, kind="span", start_ns=0, end_ns=1_000)

    bench.hand.ask_class(make, fits=lambda class_id: view.may_be_drawn(class_id, camera.id, kinds))
    give_class(bench, "pedestrian")
    assert bench.hand.waiting
    assert "Pedestrian" in ear.heard[-1].text
    assert bench.session.store.head() == before
    give_class(bench, "braking")
    assert not bench.hand.waiting
    assert bench.session.store.head() == before + 1
