"""Masks of a film carried over its next pictures, as tracks proposed beside them: the job behind ``carried_masks.py``.

What people have judged is carried, each mask of one picture once; what a model proposed is not, since its errors would
be carried as well. Where a model of the SAM class is installed, it draws each picture's border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from workstation.app.carried_masks import Carried, CarryWish, StartMask, as_arguments, carry
from workstation.app.label_records import labelled, looked_at
from workstation.app.labellers import Assignment, Call, Chunk
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.errors import DataError, UserError
from workstation.core.geometry import Mask, ShapeKind
from workstation.core.pixels import mask_pixels
from workstation.core.sample import StreamKind
from workstation.media.base import VideoReader
from workstation.prelabel.api import Task

FROM = "from_mask"
"""The parameter of a track's provenance that names the mask it began with."""
_JUDGED = frozenset({State.DRAFT, State.DONE, State.APPROVED})


class FlowLabeller:
    """Tracks of masks."""

    tasks = frozenset({Task.SEMANTIC_SEG})
    kinds = frozenset({StreamKind.VIDEO})
    follows_labels = True

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """Mask by mask."""
        with labelled(assignment) as view:
            begun = _begun(assignment, view)
            starts = [
                (each, StartMask(left=shape.x, top=shape.y, mask=_pixels(view, shape), score=1.0))
                for each in looked_at(assignment, view)
                if str(each.id) not in begun and (shape := _judged_mask(each)) is not None
            ]
        if not starts:
            yield Chunk(position=1, done=1, total=1)
            return
        for number, (label, mask) in enumerate(starts, start=1):
            if cancelled():
                return
            index = _index(assignment, label)
            wish = CarryWish(
                project=assignment.project, stream=assignment.stream, index=index, mask=mask,
                count=int(assignment.options.get("frames", 10)),
            )  # fmt: skip
            found = carry(wish, cancelled=cancelled)
            yield Chunk(
                position=number, done=number, total=len(starts), calls=tuple(_calls(label, found)),
                notes=tuple(each for each in (found.note,) if each),
            )  # fmt: skip


LABELLER = FlowLabeller()


def _judged_mask(label: Annotation) -> Mask | None:
    """The mask of a label of one picture that a person stands behind."""
    one = label.kind is ShapeKind.MASK and label.track is None and label.start_ns is not None
    return label.shape if one and label.state in _JUDGED and isinstance(label.shape, Mask) else None


def _begun(assignment: Assignment, view: SampleView) -> set[str]:
    """The masks that were carried before, whatever became of it."""
    return {
        str(each.source.parameters[FROM])
        for each in view.annotations_of(assignment.stream.id)
        if each.source.kind is SourceKind.MODEL and FROM in each.source.parameters
    }


def _pixels(view: SampleView, shape: Mask) -> NDArray[np.bool_]:
    blob = view.blob(shape.blob)
    if blob is None:
        raise DataError("the pixels of a mask are not in the project", path=shape.blob[:12])
    return mask_pixels(blob, shape.width, shape.height)


def _index(assignment: Assignment, label: Annotation) -> int:
    with OpenStreams(assignment.project, readers=Formats().readers) as readers:
        reader = readers.reader(assignment.stream)
        item = reader.item_at(label.start_ns or 0) if isinstance(reader, VideoReader) else None
    if item is None:
        raise UserError(f"{assignment.stream.key} shows no picture where the mask {label.id} lies")
    return item.index


def _calls(label: Annotation, found: Carried) -> Iterator[Call]:
    if found.masks:
        by = found.source
        how = {FROM: str(label.id), "carried_by": by.name, "carrier_sha256": by.weights_sha256, **by.parameters}
        yield Call("track.add", as_arguments(label, found.masks), parameters=how)
