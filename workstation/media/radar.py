"""Radar cycles in files of points: nuScenes' PCD and whatever else has places, as PCD, PLY, NPY/NPZ or ``.bin``.

Used through ``READERS`` for streams of the kind radar, and by ``timed_files.py``. The formats are those of
``cloud.py``; here is what is said of radar alone.

nuScenes writes a PCD (binary) a cycle with 18 fields a return, in the sensor's axes, x ahead and y to the left:
``x y z`` in metres (``z`` is always 0), ``dyn_prop`` (0 moving, 1 stationary, 2 oncoming, 3 stationary candidate,
4 unknown, 5 crossing stationary, 6 crossing moving, 7 stopped), ``id``, ``rcs`` in dBsm, ``vx vy`` in m/s as measured
(``velocity`` here), ``vx_comp vy_comp`` with the vehicle's own motion taken off, ``is_quality_valid``,
``ambig_state`` (3 is unambiguous), ``x_rms y_rms``, ``invalid_state`` (0 is valid), ``pdh0`` (chance that it is none)
and ``vx_rms vy_rms``. A cycle without returns is written as one whose first place is NaN. Nothing is filtered: what
the data set's own tools leave out is told in a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workstation.core.sample import StreamKind
from workstation.media.base import OpenContext, Options, ReaderSpec, check_options
from workstation.media.cloud import FORMATS, CloudFiles, files_in
from workstation.media.cloud import READERS as _CLOUD_READERS
from workstation.media.cloud_columns import RawCloud, names_radar

if TYPE_CHECKING:
    from workstation.media.sweep_times import SweepTimes

_STATES = ("dyn_prop", "ambig_state", "invalid_state")
_MOST_DYN_PROP = 6
_UNAMBIGUOUS = 3
_UNSAID = 0.9


class RadarFiles(CloudFiles):
    """Cycles in files, one a moment, with every return that the file has."""

    def __init__(
        self, paths: Sequence[Path], options: Options, context: OpenContext, *, times: SweepTimes | None = None
    ) -> None:
        """``times`` as for clouds."""
        super().__init__(paths, options, context, times=times, kind=StreamKind.RADAR)

    def _load(self, index: int) -> RawCloud:
        return _told(super()._load(index))


def _told(raw: RawCloud) -> RawCloud:
    """A cycle that says it is empty, empty; and what others would leave out, said."""
    if len(raw) and np.isnan(raw.columns["x"][:1].astype(np.float64)).any():
        columns = {name: values[:0] for name, values in raw.columns.items()}
        return replace(raw, columns=columns, notes=(*raw.notes, "the first cycle is empty: its first place is NaN"))
    if len(raw) and all(name in raw.columns and raw.columns[name].ndim == 1 for name in _STATES):
        odd = int(_left_out(raw).sum())
        if odd:
            note = (
                f"{odd} of {len(raw)} returns of the first cycle are marked invalid, ambiguous or stopped"
                f" ({', '.join(_STATES)}), which nuScenes' own tools leave out; they are kept"
            )
            return replace(raw, notes=(*raw.notes, note))
    return raw


def _left_out(raw: RawCloud) -> NDArray[np.bool_]:
    moving, clear, invalid = (raw.columns[name] for name in _STATES)
    kept = (invalid == 0) & (clear == _UNAMBIGUOUS) & (moving >= 0) & (moving <= _MOST_DYN_PROP)
    found: NDArray[np.bool_] = ~kept
    return found


def _probe(path: Path, head: bytes) -> float:
    known = max(each.probe(path, head) for each in FORMATS)
    # Without a word about the kind a cloud is a LiDAR's, unless its fields say otherwise: then ``cloud`` says less.
    return known if names_radar(head) else _UNSAID * known


def _open(paths: Sequence[Path], options: Options, context: OpenContext) -> RadarFiles:
    check_options(READERS[0], options)
    return RadarFiles(files_in(paths, READERS[0].suffixes), options, context)


READERS = (
    ReaderSpec(
        name="radar",
        kind=StreamKind.RADAR,
        title="Radar cycles in files of points",
        suffixes=tuple(suffix for suffix in _CLOUD_READERS[0].suffixes if suffix not in (".las", ".laz")),
        probe=_probe,
        open=_open,
        several=True,
        options=_CLOUD_READERS[0].options,
    ),
)
