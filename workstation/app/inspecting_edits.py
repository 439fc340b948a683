"""What a field of the inspector becomes when it was changed: commands on all that is selected, as one step.

Called inside ``Session.together``; a value of ``None`` takes it away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workstation.app.inspecting import NEW_ENTITY, NO_ENTITY, entities_of
from workstation.app.sample_view import SampleView
from workstation.app.session import Run
from workstation.app.shape_fields import with_number
from workstation.core.annotation import Annotation, Entity
from workstation.core.errors import UserError
from workstation.core.geometry import Cuboid
from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field that was given a value; ``now_ns`` is where the playhead stood."""

    view: SampleView
    ids: tuple[str, ...]
    key: str
    value: Any
    now_ns: int

    @property
    def annotations(self) -> list[Annotation]:
        return [self.view.annotations[each] for each in self.ids if each in self.view.annotations]

    @property
    def links(self) -> list[str]:
        return [each for each in self.ids if each in self.view.links]

    @property
    def name(self) -> str:
        """Behind the colon of the key."""
        return self.key.partition(":")[2]


def make_change(run: Run, change: Change) -> None:
    """Do it; ``UserError`` if it cannot be."""
    _ACTS[change.key.partition(":")[0]](run, change)


def _class(run: Run, change: Change) -> None:
    """The class lives on the thing where there is one."""
    things = list(dict.fromkeys(each.entity for each in change.annotations if each.entity is not None))
    loose = [each.id for each in change.annotations if each.entity is None]
    for thing in things:
        run("entity.relabel", entity=thing, class_id=change.value)
    if loose:
        run("annotation.relabel", annotations=loose, class_id=change.value)


def _state(run: Run, change: Change) -> None:
    run("annotation.set_state", annotations=[each.id for each in change.annotations], state=change.value)


def _confidence(run: Run, change: Change) -> None:
    """Each label's own; links have another command."""
    ids = [each.id for each in change.annotations]
    if ids:
        run("annotation.set_confidence", annotations=ids, confidence=change.value)
    for link in change.links:
        run("link.edit", link=link, confidence=change.value)


def _attribute(run: Run, change: Change) -> None:
    ids = [each.id for each in change.annotations]
    run("annotation.set_attributes", annotations=ids, attributes={change.name: change.value})


def _entity_attribute(run: Run, change: Change) -> None:
    for entity in _entities(change):
        run("entity.set", entity=entity.id, attributes={change.name: change.value})


def _entity_name(run: Run, change: Change) -> None:
    for entity in _entities(change):
        run("entity.set", entity=entity.id, name=change.value or "")


def _entity_class(run: Run, change: Change) -> None:
    for entity in _entities(change):
        run("entity.relabel", entity=entity.id, class_id=change.value)


def _entity(run: Run, change: Change) -> None:
    """Attach to a thing, to a new one, or to none."""
    annotations = change.annotations
    ids = [each.id for each in annotations]
    if change.value == NO_ENTITY:
        run("entity.detach", annotations=[each.id for each in annotations if each.entity is not None])
    elif change.value != NEW_ENTITY:
        run("entity.attach", entity=change.value, annotations=ids)
    elif len({each.entity for each in annotations}) == 1 and _is_part(change.view, annotations):
        run("entity.split", annotations=ids)
    else:
        classes = {change.view.class_of(each) for each in annotations}
        (class_id,) = classes if len(classes) == 1 else (None,)
        if class_id is None:
            raise UserError("a new thing needs one class; the selected labels have none or several")
        run("entity.add", class_id=class_id, annotations=ids)


def _is_part(view: SampleView, annotations: Sequence[Annotation]) -> bool:
    entity = annotations[0].entity
    return entity is not None and len(list(view.annotations_of_entity(entity))) > len(annotations)


def _start(run: Run, change: Change) -> None:
    run("annotation.set_interval", annotation=change.annotations[0].id, start_ns=_ns(change.value))


def _end(run: Run, change: Change) -> None:
    run("annotation.set_interval", annotation=change.annotations[0].id, end_ns=_ns(change.value))


def _ns(seconds: float) -> int:
    return round(seconds * 1_000_000_000)


def _shape(run: Run, change: Change) -> None:
    """The number of a shape; on a track, of the moment at the playhead, which becomes a keyframe."""
    annotation, view = change.annotations[0], change.view
    if annotation.track is None:
        assert annotation.shape is not None
        shape = with_number(annotation.shape, change.name, change.value)
        run("annotation.set_shape", annotation=annotation.id, shape=shape)
        return
    own_ns = view.own_ns(annotation, change.now_ns)
    shown = view.moment(annotation, own_ns)
    if shown.shape is None:
        raise UserError("the track shows nothing here; go to where it is seen")
    shape = with_number(shown.shape, change.name, change.value)
    if isinstance(shape, Cuboid):  # its size is the track's
        numbers = {"center": shape.center, "size": shape.size, "rotation": shape.rotation}
        run("cuboid.set", annotation=annotation.id, time_ns=own_ns, **numbers)
        return
    run("keyframe.set", annotation=annotation.id, time_ns=own_ns, shape=shape, presence=shown.presence.value)


def _interpolation(run: Run, change: Change) -> None:
    run("track.set_rule", annotation=change.annotations[0].id, interpolation=change.value)


def _static(run: Run, change: Change) -> None:
    run("track.set_rule", annotation=change.annotations[0].id, static=change.value)


def _link(argument: str) -> Callable[[Run, Change], None]:
    def edit(run: Run, change: Change) -> None:
        for link in change.links:
            run("link.edit", link=link, **{argument: change.value if change.value is not None else ""})

    return edit


def _link_state(run: Run, change: Change) -> None:
    run("link.set_state", links=change.links, state=change.value)


def _link_attribute(run: Run, change: Change) -> None:
    for link in change.links:
        run("link.edit", link=link, attributes={change.name: change.value})


def _stream(run: Run, change: Change) -> None:
    for stream in (each for each in change.ids if each in change.view.streams):
        run("stream.set", stream=stream, **{change.name: change.value or ""})


def _notes(run: Run, change: Change) -> None:
    run("sample.set", notes=change.value or "")


def _entities(change: Change) -> list[Entity]:
    return entities_of(change.view, change.ids)


_ACTS: dict[str, Callable[[Run, Change], None]] = {
    "class": _class, "state": _state, "attribute": _attribute, "entity_attribute": _entity_attribute,
    "entity_name": _entity_name, "entity_class": _entity_class, "entity": _entity, "start": _start, "end": _end,
    "shape": _shape, "interpolation": _interpolation, "static": _static, "link_type": _link("type_id"),
    "link_state": _link_state, "holds": _link("holds"), "reason": _link("reason"), "rationale": _link("rationale"),
    "link_attribute": _link_attribute, "stream": _stream, "notes": _notes, "confidence": _confidence,
}  # fmt: skip
"""By the part of a field's key before the colon."""
EDITABLE = frozenset(_ACTS)
