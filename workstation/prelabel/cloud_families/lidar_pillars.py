"""LiDAR detectors that take points sorted into cells of a grid (``sweep_cells.py``) and answer finished boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workstation.prelabel.api import Arrays, FoundCuboid, ModelCard, Prepared, SensorSweep, Task
from workstation.prelabel.sweep_cells import in_cells, takes_cells
from workstation.prelabel.sweep_tensors import cuboids_of


class LidarPillars:
    """Cells of points in, boxes out."""

    name = "lidar-pillars"
    tasks = frozenset({Task.LIDAR_DETECT})

    def prepare(self, card: ModelCard, sweep: SensorSweep) -> Prepared:
        return in_cells(card, sweep)

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[FoundCuboid]:
        return cuboids_of(card, outputs)

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        return 0.9 if takes_cells(inputs) and "boxes" in outputs else 0.0


FAMILY = LidarPillars()
