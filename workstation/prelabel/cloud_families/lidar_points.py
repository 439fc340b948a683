"""LiDAR detectors that take the points themselves: ``points`` (n, features) in, finished boxes out.

Option ``batch: true``: the graph wants (1, n, features). ``max_points``: so many at most, every so manieth of a sweep
that has more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workstation.prelabel.api import Arrays, FoundCuboid, ModelCard, Prepared, SensorSweep, Task
from workstation.prelabel.sweep_tensors import SweepInput, cuboids_of, input_name, whole

_MOST_POINTS = 10_000_000


class LidarPoints:
    """Points in, boxes out."""

    name = "lidar-points"
    tasks = frozenset({Task.LIDAR_DETECT})

    def prepare(self, card: ModelCard, sweep: SensorSweep) -> Prepared:
        rows = SweepInput.of(card).rows(sweep)
        most = whole(card, "max_points", _MOST_POINTS, _MOST_POINTS)
        if len(rows) > most:
            rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
        if card.options.get("batch") is True:
            rows = rows[None]
        return Prepared({input_name(card, "points"): rows}, None)

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[FoundCuboid]:
        return cuboids_of(card, outputs)

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        shapes = [tuple(shape) for shape in inputs.values()]
        one = len(shapes) == 1 and shapes[0][-1:] in ((4,), (5,))
        return 0.8 if one and {"boxes", "scores", "labels"} <= outputs.keys() else 0.0


FAMILY = LidarPoints()
