"""What the tracker that compares looks is told of each box: by a model for re-identification, else by colours.

Used by ``label_pictures.py`` where a job asks for that tracker. Vectors are kept in eight bits a number from the
beginning, so that a job that goes on compares what one that was never stopped compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from workstation.app.label_options import BY_LOOKS, model_of_looks
from workstation.app.labellers import Assignment
from workstation.prelabel.api import FoundBox, Pixels
from workstation.prelabel.appearance import with_colours
from workstation.prelabel.reid import fixed_batch, with_looks
from workstation.prelabel.worker import CPU, Worker

Look = Callable[[Pixels, Sequence[FoundBox]], list[FoundBox]]
_STEPS = 127


@contextmanager
def looking(assignment: Assignment, sure: float, cancelled: Callable[[], bool]) -> Iterator[Look | None]:
    """Gives the boxes of a picture that are sure enough what they look like; ``None`` where no tracker asks."""
    if assignment.options.get("tracker") != BY_LOOKS:
        yield None
        return
    model = model_of_looks(assignment.beside)
    if model is None:
        yield lambda picture, boxes: _told(boxes, sure, partial(with_colours, picture))
        return
    card = model.manifest.card
    # On the processor: what was proven on a device is the detector, and a vector must not change with where it is made.
    with Worker(model.file(), provider=CPU, threads=assignment.threads, cancelled=cancelled) as worker:
        batch = fixed_batch(worker.inputs)
        yield lambda picture, boxes: _told(boxes, sure, partial(with_looks, worker, card, picture, batch=batch))


def packed_look(features: NDArray[np.float32] | None) -> bytes:
    """A vector as a row of eight-bit numbers; its length says nothing and is not kept."""
    if features is None:
        return b""
    most = float(np.abs(features).max(initial=0.0))
    steps = np.zeros(features.shape, np.int8) if most <= 0 else np.rint(features / most * _STEPS).astype(np.int8)
    return steps.tobytes()


def unpacked_look(data: bytes) -> NDArray[np.float32] | None:
    """The same back."""
    return np.frombuffer(data, np.int8).astype(np.float32) if data else None


def _told(boxes: Sequence[FoundBox], least: float, tell: Callable[[list[FoundBox]], list[FoundBox]]) -> list[FoundBox]:
    """Only boxes that are sure enough are matched by looks, so only they are looked at."""
    places = [place for place, each in enumerate(boxes) if each.score >= least]
    found = list(boxes)
    for place, seen in zip(places, tell([boxes[each] for each in places]), strict=True):
        found[place] = replace(seen, features=unpacked_look(packed_look(seen.features)))
    return found
