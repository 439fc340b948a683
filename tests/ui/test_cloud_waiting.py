"""What the cloud pane says of cuboids while the first sweep of a stream is still being read."""

from __future__ import annotations

from typing import Any, cast

from test_cloud_pane import bench, ids, opened, pane

from strict_turn import PARKED
from workstation.app.cloud_view import CloudLayer
from workstation.ui.panes.cloud import CloudPane
from workstation.ui.workbench import Workbench

__all__ = ["bench", "ids", "opened", "pane"]


class Awaited:
    """A layer whose first sweep is still being read."""

    def __init__(self, like: CloudLayer) -> None:
        self.stream, self.shown, self.pending = like.stream, None, True


def test_no_cuboid_is_called_empty_while_the_first_sweep_of_a_stream_is_read(
    pane: CloudPane, bench: Workbench, ids: dict[str, str]
) -> None:
    assert pane.moment is not None
    assert pane._picture is not None
    row = pane.moment.cuboids.ids.index(ids[PARKED])
    assert "points" in pane.over.described(pane.moment, row)
    layers = pane.layers.layers
    try:
        pane.layers.layers = [*layers, cast("Any", Awaited(layers[0]))]
        early = pane._picture.at(bench.clock.time_ns, pane.look)
    finally:
        pane.layers.layers = layers
    assert early is not None
    assert early.being_read
    pane.over.forget()
    assert "points" not in pane.over.described(early, row)
    assert not any("points" in each.text for each in pane.over._named(early))
    pane.over.forget()
    now = pane._picture.at(bench.clock.time_ns, pane.look)
    assert now is not None
    assert not now.being_read
