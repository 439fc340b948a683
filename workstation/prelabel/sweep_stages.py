"""A LiDAR detector in two files: one graph makes a row of numbers of each cell of points, the other sees them laid out
as a map. What lies between, telling points apart within their cell and laying rows out, is done here.

Roles in ``model.yaml``: ``encoder`` and ``model``. An encoder takes the three tensors of ``sweep_cells.py`` (or some of
them), or one of points with what they are to their cell, (cells, points, columns) or (1, columns, cells, points), whose
columns the option ``encoder_columns`` names. Cells are filled up with zeros where the graph fixes their number. The
map is (1, numbers, rows, columns), rows along y. Called by ``app/label_lidar.py`` and ``app/model_devices.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.prelabel.api import Arrays, BadOutput, ModelCard
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.sweep_cells import MOST_CELLS, cell_of
from workstation.prelabel.sweep_tensors import FEATURES, SweepInput, input_name, wrong

ENCODER = "encoder"
"""The role of the first file."""
_MEAN = ("mean_x", "mean_y", "mean_z")
_CENTER = ("center_x", "center_y", "center_z")
COLUMNS = (*FEATURES, *_MEAN, *_CENTER)
"""A point's own numbers, how far it is from the mean of its cell's points, and from the middle of its cell."""
_LONGEST_SIDE = 4096


class Graph(Protocol):
    """One of the two, started."""

    @property
    def inputs(self) -> tuple[Port, ...]: ...
    def run(self, feeds: Arrays) -> Arrays: ...


class TwoStages:
    """Both graphs as one: takes what the family prepares and answers what the second graph answers."""

    def __init__(self, card: ModelCard, encoder: Graph, head: Graph) -> None:
        self._card, self._encoder, self._head = card, encoder, head
        self._columns, self._size = columns_of(card), map_size(card)

    def run(self, feeds: Arrays) -> Arrays:
        """One sweep."""
        return self._head.run(self.laid_out(feeds))

    def laid_out(self, feeds: Arrays) -> dict[str, NDArray[Any]]:
        """What the second graph is given: for each cell what the first made of it, at its place on the map."""
        places = feeds[input_name(self._card, "coors")]
        rows = self._encoded(feeds)
        port = self._only(self._head, "grid")
        told = (1, rows.shape[1], *self._size)
        if any(isinstance(side, int) and side != here for side, here in zip(port.shape, told, strict=False)):
            raise DataError(
                f"the second graph takes a map of {_shape(port.shape)}; the first one, range and cell make "
                f"{_shape(told)}", path="model.yaml", place="options",
            )  # fmt: skip
        found = np.zeros(told, np.float32)
        # Where the range is no multiple of a cell, a last point may lie beyond the map.
        on = (places[:, 2] < self._size[0]) & (places[:, 3] < self._size[1])
        found[0][:, places[on, 2], places[on, 3]] = rows[on].T
        return {port.name: found}

    def _encoded(self, feeds: Arrays) -> NDArray[np.float32]:
        """(cells, numbers) of the first graph."""
        ports = {port.name: port for port in self._encoder.inputs}
        taken = {name: values for name, values in feeds.items() if name in ports}
        cells = len(feeds[input_name(self._card, "voxels")])
        if not taken:
            port = self._only(self._encoder, "points")
            points = decorated(self._card, feeds, self._columns)
            return self._first(port.name, points, cells, across=len(port.shape) == 4, fixed=_fixed(port))
        most = max(_filled_to(ports[name].shape[:1], cells) for name in taken)
        fed = {name: _filled(values, most) for name, values in taken.items()}
        return _rows_of(self._encoder.run(fed), most)[:cells]

    def _first(
        self, name: str, points: NDArray[np.float32], cells: int, *, across: bool, fixed: int
    ) -> NDArray[np.float32]:  # fmt: skip
        """Of one that takes points with what they are to their cell."""
        filled = _filled(points, _filled_to((fixed,) if fixed else (), cells))
        fed = np.ascontiguousarray(filled.transpose(2, 0, 1)[None]) if across else filled
        return _rows_of(self._encoder.run({name: fed}), len(filled), across=across)[:cells]

    def _only(self, graph: Graph, name: str) -> Port:
        wanted = input_name(self._card, name)
        found = [port for port in graph.inputs if port.name == wanted] or list(graph.inputs)
        if len(found) != 1:
            takes = ", ".join(port.name for port in graph.inputs) or "nothing"
            raise wrong("inputs", f"must say which input {name} goes to; the graph takes {takes}")
        return found[0]


def columns_of(card: ModelCard) -> tuple[str, ...]:
    """What each point is told as to an encoder of points; each row of the usual ones where the manifest says none."""
    usual = (*SweepInput.of(card).features, *_MEAN, *_CENTER[:2])
    listed = card.options.get("encoder_columns", usual)
    if not isinstance(listed, list | tuple) or not listed or not set(listed) <= set(COLUMNS):
        raise wrong("encoder_columns", f"must list some of {', '.join(COLUMNS)}")
    missing = [each for each in listed if each in FEATURES and each not in SweepInput.of(card).features]
    if missing:
        raise wrong("encoder_columns", f"names {missing[0]}, which the option features leaves out")
    return tuple(str(each) for each in listed)


def map_size(card: ModelCard) -> tuple[int, int]:
    """Rows and columns of the map. Cells stand in one layer."""
    reach = SweepInput.of(card)
    wide, rows, layers = np.rint((reach.high - reach.low) / cell_of(card)).astype(np.int64).tolist()
    if layers != 1:
        raise wrong("cell", "must be as high as the range: a map has one layer of cells")
    if not (0 < rows <= _LONGEST_SIDE and 0 < wide <= _LONGEST_SIDE):
        raise wrong("cell", f"makes a map of {rows} × {wide}; at most {_LONGEST_SIDE} a side")
    return rows, wide


def decorated(card: ModelCard, feeds: Arrays, columns: Sequence[str]) -> NDArray[np.float32]:
    """(cells, points, columns), zeros where a cell holds fewer points."""
    voxels, counts, places = (feeds[input_name(card, name)] for name in ("voxels", "num_points", "coors"))
    reach, cell = SweepInput.of(card), cell_of(card)
    held = np.arange(voxels.shape[1]) < counts[:, None]
    own = voxels.astype(np.float64)
    mean = own[..., :3].sum(axis=1) / np.maximum(counts, 1)[:, None]
    middle = reach.low + (places[:, :0:-1] + 0.5) * cell
    known = dict(zip(reach.features, np.moveaxis(own, 2, 0), strict=True))
    known |= dict(zip(_MEAN, np.moveaxis(own[..., :3] - mean[:, None], 2, 0), strict=True))
    known |= dict(zip(_CENTER, np.moveaxis(own[..., :3] - middle[:, None], 2, 0), strict=True))
    found: NDArray[np.float32] = np.stack([known[each] * held for each in columns], axis=2).astype(np.float32)
    return found


def _fixed(port: Port) -> int:
    """How many cells a graph of points wants, where it wants a certain number."""
    place = 2 if len(port.shape) == 4 else 0
    side = port.shape[place] if place < len(port.shape) else ""
    return side if isinstance(side, int) else 0


def _filled_to(sides: Sequence[int | str], cells: int) -> int:
    wanted = sides[0] if sides and isinstance(sides[0], int) else cells
    if not cells <= wanted <= MOST_CELLS:
        raise wrong("max_cells", f"must be no more than the {wanted:,} that the first graph takes")
    return wanted


def _filled(values: NDArray[Any], cells: int) -> NDArray[Any]:
    return np.pad(values, ((0, cells - len(values)), *((0, 0),) * (values.ndim - 1)))


def _rows_of(outputs: Arrays, cells: int, *, across: bool = False) -> NDArray[np.float32]:
    """(cells, numbers), whichever way round the graph answers them; one that takes cells behind its columns answers
    them so."""
    answer = next(iter(outputs.values()), np.zeros(0))
    places = [place for place, side in enumerate(answer.shape) if side == cells]
    moved = np.moveaxis(answer, places[-1 if across else 0], 0) if places else answer
    if len(outputs) != 1 or not places or not answer.size or sum(side != 1 for side in moved.shape[1:]) > 1:
        shapes = ", ".join(f"{name} {np.shape(each)}" for name, each in outputs.items()) or "nothing"
        raise BadOutput(f"the first graph answers {shapes} and not one row for each of {cells:,} cells")
    found = moved.reshape(cells, -1)
    if not np.isfinite(found).all():
        raise BadOutput("the first graph answers what is not a number")
    return found.astype(np.float32)


def _shape(sides: Sequence[int | str]) -> str:
    return " × ".join(str(side or "any") for side in sides)
