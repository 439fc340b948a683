"""Links proposed between a sound and what may make it: a horn and the nearest vehicle to be seen. Rule ``source``.

Nearest is measured from the microphone where the rig says where it is, else from the vehicle that carries the sensors.
A vehicle counts as seen where a camera shows it then; where nothing is calibrated, where it is not marked occluded.
That the nearest one sounded is a guess, and its confidence says so. A voice is left alone: who speaks is another
question, and no car answers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.app.sightings import Sightings
from workstation.app.transcript import SPEAKS
from workstation.core.annotation import Annotation, State, TargetKind
from workstation.core.described import SOUND_SOURCE
from workstation.core.geometry import ShapeKind
from workstation.core.ontology_links import EndView
from workstation.core.sample import Stream, StreamKind
from workstation.core.suggestion import SuggestedEnd, Suggestion

NAME = "source"
"""The link type that says what makes a sound; the starter for driving calls it so."""
_FARTHEST_M = 60.0
_SOUNDS = frozenset({ShapeKind.SPAN, ShapeKind.BAND})
_MADE_BY = {"horn": "vehicle", "siren": "emergency_vehicle"}
"""What alone can sound so, in ontologies that have both classes: a walker may stand nearer than the car that honks."""


@dataclass(frozen=True, slots=True)
class _Near:
    cuboid: str
    away_m: float
    camera: str
    """Key of a camera that shows it; empty where none is calibrated."""


def by_source(seen: Sightings) -> Iterator[Suggestion]:
    """Every sound without a source, with the nearest thing that may make it."""
    view, placed = seen.view, seen.placed
    if view.ontology is None or SOUND_SOURCE not in view.ontology.link_types or placed is None:
        return
    for sound in sorted(_sounds(view), key=lambda each: (each.start_ns or 0, each.id)):
        when = view.session_range(sound)
        if when is None or any(link.type_id == SOUND_SOURCE for link in view.links_of(sound.id) if link.holds):
            continue
        middle = (when.start_ns + when.end_ns) // 2
        near = _nearest(seen, placed, sound, middle)
        if near:
            yield _suggestion(view, sound, near, middle)


def _sounds(view: SampleView) -> Iterator[Annotation]:
    for each in view.annotations.values():
        stream = view.streams.get(each.stream or "")
        heard = stream is not None and stream.kind is StreamKind.AUDIO and each.kind in _SOUNDS
        if heard and each.state is not State.REJECTED and each.track is None and not _is_voice(view, each):
            yield each


def _is_voice(view: SampleView, sound: Annotation) -> bool:
    """What somebody says comes from a person, whom the rule ``voice`` looks for; a car near by did not say it."""
    assert view.ontology is not None
    end = EndView(
        role="", kind=TargetKind.ANNOTATION, target=sound.id, shape_kind=sound.kind, class_id=view.class_of(sound),
        stream_kind=StreamKind.AUDIO.value,
    )  # fmt: skip
    return sound.text is not None or any(each.id == SPEAKS for each in view.ontology.link_types_open_to((end,)))


def _nearest(seen: Sightings, placed: PlacedCuboids, sound: Annotation, session_ns: int) -> list[_Near]:
    """What may make the sound and can be seen, nearest first; one row a thing."""
    view = seen.view
    shown = {cuboid: view.streams[key].key for key in seen.cameras for cuboid in seen.cuboids_in(key, session_ns)[0]}
    found: dict[str, _Near] = {}
    for there in placed.at(session_ns):
        ear = _ear(seen, placed, view.streams[sound.stream or ""], there.root, session_ns)
        if ear is None:
            continue
        away = np.linalg.norm(there.centers - np.array(ear), axis=1)
        for row, cuboid in enumerate(there.ids):
            record = view.annotations.get(cuboid)
            visible = cuboid in shown if seen.cameras else not there.occluded[row]
            if record is None or record.state is State.REJECTED or not visible or away[row] > _FARTHEST_M:
                continue
            if _can_speak(view, record) or not _can_sound_so(view, sound, record):
                continue
            thing = record.entity or cuboid
            if thing not in found or found[thing].away_m > away[row]:
                found[thing] = _Near(cuboid, float(away[row]), shown.get(cuboid, ""))
    return sorted(found.values(), key=lambda each: (each.away_m, each.cuboid))


def _can_speak(view: SampleView, cuboid: Annotation) -> bool:
    """A person makes voices, and seldom the sound that is asked about: no siren or horn."""
    assert view.ontology is not None
    return any(each.id == SPEAKS for each in view.ontology.link_types_open_to((_thing(view, cuboid),)))


def _ear(
    seen: Sightings, placed: PlacedCuboids, stream: Stream, root: str, session_ns: int
) -> tuple[float, float, float] | None:  # fmt: skip
    """Where the sound is heard: its microphone, else a sensor of the same vehicle, in the root."""
    frames = [stream.frame or ""]
    frames += [each.frame or "" for each in seen.view.streams.values() if each.kind is StreamKind.CLOUD]
    frames += [each.camera.frame for each in seen.cameras.values()]
    for frame in filter(None, frames):
        if frame == root:
            return 0.0, 0.0, 0.0
        way = placed.transform(root, frame, session_ns)
        if way is not None:
            return way.translation
    return None


def _roles(view: SampleView, sound: Annotation, cuboid: Annotation) -> tuple[str, ...]:
    """The roles of sound and source, if the ontology lets them be related; else none."""
    if view.ontology is None:
        return ()
    ends = (
        EndView(
            role="", kind=TargetKind.ANNOTATION, target=sound.id, shape_kind=sound.kind, class_id=view.class_of(sound),
            stream_kind=StreamKind.AUDIO.value,
        ),
        _thing(view, cuboid),
    )  # fmt: skip
    legal = view.ontology.link_types_for(ends)
    return next((tuple(each.roles) for each in legal if each.link_type.id == SOUND_SOURCE), ())


def _can_sound_so(view: SampleView, sound: Annotation, cuboid: Annotation) -> bool:
    ontology, heard, seen = view.ontology, view.class_of(sound), view.class_of(cuboid)
    if ontology is None or heard not in ontology.classes or seen not in ontology.classes:
        return bool(_roles(view, sound, cuboid))
    makers = {_MADE_BY[each] for each in ontology.above(heard) if each in _MADE_BY} & ontology.classes.keys()
    return makers <= set(ontology.above(seen)) and bool(_roles(view, sound, cuboid))


def _thing(view: SampleView, cuboid: Annotation) -> EndView:
    entity = view.entities.get(cuboid.entity or "")
    if entity is not None:
        return EndView(role="", kind=TargetKind.ENTITY, target=entity.id, class_id=entity.class_id)
    stream = view.streams.get(cuboid.stream or "")
    return EndView(
        role="", kind=TargetKind.ANNOTATION, target=cuboid.id, shape_kind=cuboid.kind, class_id=view.class_of(cuboid),
        stream_kind=None if stream is None else stream.kind.value,
    )  # fmt: skip


def _suggestion(view: SampleView, sound: Annotation, near: list[_Near], middle: int) -> Suggestion:
    best = near[0]
    cuboid = view.annotations[best.cuboid]
    end, roles = _thing(view, cuboid), _roles(view, sound, cuboid)
    how = f"seen in {best.camera}" if best.camera else "not marked occluded"
    said = (
        f"at {middle / 1e9:.2f} s the nearest that can sound so is {view.name_of(end.target)}, "
        f"{best.away_m:.1f} m away ({how})"
    )
    share = 0.0
    if len(near) > 1:
        other = view.name_of(_thing(view, view.annotations[near[1].cuboid]).target)
        said += f"; the next, {other}, is {near[1].away_m:.1f} m away"
        share = best.away_m / max(near[1].away_m, 1e-6)
    else:
        said += "; no other is there"
    return Suggestion(
        rule=NAME, type_id=SOUND_SOURCE,
        ends=(
            SuggestedEnd(roles[0], TargetKind.ANNOTATION, sound.id), SuggestedEnd(roles[1], end.kind, end.target),
        ),
        evidence=said, confidence=round(0.6 - 0.35 * share, 2),
    )  # fmt: skip
