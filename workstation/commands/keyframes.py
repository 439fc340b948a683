"""The keyframes of a track: setting, moving and deleting one. What concerns whole tracks is in ``tracks.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from workstation.commands.arguments import AnnotationRef, KeyframeRef
from workstation.commands.given_shapes import GivenShape, stored_shape
from workstation.commands.reading import fetch, keyframes_of, ontology_number, source_of, state_after_edit
from workstation.commands.registry import command, needs_selection
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, AttributeValue, Keyframe, Presence, Source, State
from workstation.core.errors import UserError
from workstation.core.geometry import Shape, kind_of
from workstation.core.ids import AnnotationId, RecordId
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.tracks import life, moment


@command("keyframe.set", title="Set keyframe", right=Right.LABEL, enabled=needs_selection)
def set_keyframe(
    tx: Transaction,
    *,
    annotation: AnnotationRef,
    time_ns: int,
    shape: GivenShape | None = None,
    presence: Presence = Presence.VISIBLE,
    attributes: Mapping[str, AttributeValue] = {},
) -> RecordId:
    """Say what a track shows at a moment of its life. The keyframe there is replaced, its neighbours stay.

    time_ns: the moment, in the stream's own time; outside the track's life it is refused (track.extend)
    shape: the shape; left out, what the track shows there now
    presence: visible, occluded, or absent from here to the next keyframe
    attributes: what holds from here on, such as occlusion
    """
    track = fetch(tx, Annotation, annotation)
    keyframes = keyframes_of(tx, track)
    lived = life(keyframes)
    if lived is not None and not lived[0] <= time_ns < lived[1]:
        raise UserError(
            f"{time_ns} ns is outside the track's life ({lived[0]} to {lived[1] - 1} ns); extend it with track.extend"
        )
    drawn = stored_shape(tx, shape)
    if drawn is None and presence is not Presence.ABSENT:
        drawn = _shown(track, keyframes, time_ns)
    refuse_other_kind(track, drawn)
    same = [keyframe for keyframe in keyframes if keyframe.time_ns == time_ns]
    made = Keyframe(
        id=same[0].id if same else RecordId(tx.new_id()),
        annotation=track.id,
        time_ns=time_ns,
        shape=drawn,
        presence=presence,
        attributes=attributes,
        source=source_of(tx),
    )
    tx.put(made)
    store_life(tx, track)
    return made.id


def _shown(track: Annotation, keyframes: list[Keyframe], time_ns: int) -> Shape:
    shown = None if track.track is None else moment(track.track, keyframes, time_ns).shape
    if shown is None:
        raise UserError(f"track {track.id} shows nothing at {time_ns} ns: give the shape")
    return shown


@command("keyframe.move", title="Move keyframe", right=Right.LABEL, enabled=needs_selection)
def move(tx: Transaction, *, keyframe: KeyframeRef, time_ns: int) -> None:
    """Move a keyframe to another moment.

    keyframe: the keyframe: its id or the beginning of it
    time_ns: the new moment; refused where the track already has a keyframe
    """
    old = fetch(tx, Keyframe, keyframe)
    track = fetch(tx, Annotation, old.annotation)
    if any(each.time_ns == time_ns and each.id != old.id for each in keyframes_of(tx, track)):
        raise UserError(f"track {track.id} already has a keyframe at {time_ns} ns")
    tx.put(replace(old, time_ns=time_ns))
    store_life(tx, track)


@command("keyframe.delete", title="Delete keyframe", right=Right.LABEL, enabled=needs_selection)
def delete(tx: Transaction, *, keyframe: KeyframeRef) -> None:
    """Delete a keyframe; between its neighbours the track is interpolated again. The last one cannot go.

    keyframe: the keyframe: its id or the beginning of it
    """
    old = fetch(tx, Keyframe, keyframe)
    track = fetch(tx, Annotation, old.annotation)
    if len(keyframes_of(tx, track)) == 1:
        raise UserError(f"this is the only keyframe of track {track.id}; delete the annotation instead")
    tx.delete(RecordKind.KEYFRAME, old.id)
    store_life(tx, track)


def store_life(tx: Transaction, track: Annotation, *, state: State | None = None) -> None:
    """Write the annotation of a track with the interval its keyframes give it, after they changed."""
    lived = life(keyframes_of(tx, track))
    start_ns, end_ns = lived if lived is not None else (None, None)
    tx.put(
        replace(
            track,
            start_ns=start_ns,
            end_ns=end_ns,
            state=state or state_after_edit(tx, track.state),
            ontology_version=ontology_number(tx),
        )
    )


def new_keyframes(
    tx: Transaction, annotation: AnnotationId, moments: Sequence[tuple[int, Shape | None, Presence]], source: Source
) -> None:
    """Write keyframes for a track that has none at these moments."""
    tx.put_many(
        [
            Keyframe(
                id=RecordId(tx.new_id()),
                annotation=annotation,
                time_ns=time_ns,
                shape=shape,
                presence=presence,
                source=source,
            )
            for time_ns, shape, presence in moments
        ]
    )


def refuse_other_kind(track: Annotation, shape: Shape | None) -> None:
    """A track's keyframes all have its kind."""
    if shape is not None and kind_of(shape) is not track.kind:
        raise UserError(f"track {track.id} is of {track.kind.value} shapes; a {kind_of(shape).value} does not fit")
