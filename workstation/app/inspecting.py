"""What the inspector shows of a selection, as values: sections of fields with the editor each needs. Without Qt.

One record, or many with *mixed* where they differ. What a changed field becomes is in ``inspecting_edits.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from workstation.app.class_rows import class_name, person_language
from workstation.app.link_rows import end_name, link_type_name
from workstation.app.sample_view import SampleView
from workstation.app.shape_fields import shape_fields
from workstation.core.annotation import Annotation, Entity, Interpolation, Link, Source, SourceKind, State
from workstation.core.ids import millisecond_of
from workstation.core.moments import moment
from workstation.core.ontology import Attribute, AttributeType, name_in
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.proposals import CALLED
from workstation.core.sample import StreamKind
from workstation.core.space import FrameTree
from workstation.core.tracks import MomentKind
from workstation.core.values import dataclass


class Editor(StrEnum):
    """What a value is changed with; ``PLAIN`` is only read."""

    PLAIN = "plain"
    CHOICE = "choice"
    CHOICES = "choices"
    FLAG = "flag"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    LONG = "long"


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectorField:
    """``value`` is ``None`` where nothing is said; ``mixed`` where the selected ones differ."""

    key: str
    title: str
    editor: Editor = Editor.PLAIN
    value: Any = None
    mixed: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    help: str = ""
    missing: bool = False
    """Required, and not said."""
    wrong: bool = False
    """What is said in it speaks against the label."""
    may_be_empty: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Fields that belong together."""

    title: str
    fields: tuple[InspectorField, ...]


_EDITORS = {
    AttributeType.CHOICE: Editor.CHOICE, AttributeType.CHOICES: Editor.CHOICES, AttributeType.FLAG: Editor.FLAG,
    AttributeType.INTEGER: Editor.INTEGER, AttributeType.NUMBER: Editor.NUMBER, AttributeType.TEXT: Editor.TEXT,
}  # fmt: skip
NEW_ENTITY, NO_ENTITY = "new", "none"
_MOST_ENTITIES = 2000


def heading(view: SampleView, ids: Sequence[str]) -> str:
    """What is shown, in one line."""
    if not ids:
        return f"Sample {view.sample.key}"
    if len(ids) > 1:
        return f"{len(ids)} selected"
    link = view.links.get(ids[0])
    if link is not None:
        return link_type_name(view, link.type_id)
    return view.name_of(ids[0])


def sections_of(view: SampleView, ids: Sequence[str], now_ns: int, tree: FrameTree | None = None) -> list[Section]:
    """The form for a selection; for nothing selected the sample's own. ``tree`` says how headings are judged."""
    annotations = [view.annotations[each] for each in ids if each in view.annotations]
    entities = [view.entities[each] for each in ids if each in view.entities]
    links = [view.links[each] for each in ids if each in view.links]
    if annotations:
        return _of_annotations(view, annotations, now_ns, tree)
    if entities:
        return [section for section in (_thing(view, entities), _thing_attributes(view, entities)) if section.fields]
    if links:
        return _of_links(view, links)
    streams = [view.streams[each] for each in ids if each in view.streams]
    if streams:
        texts = ("language", "role", "licence", "consent", "recording")
        fields = [
            _merged(f"stream:{name}", name.capitalize(), Editor.TEXT, [getattr(s, name) for s in streams])
            for name in texts
        ]
        kinds = _merged("stream_kind", "Kind", Editor.PLAIN, [each.kind.value for each in streams])
        return [Section(title="Stream", fields=(kinds, *fields))]
    return [_sample(view)]


def entities_of(view: SampleView, ids: Iterable[str]) -> list[Entity]:
    """The things that are selected, themselves or by what shows them."""
    found: dict[str, Entity] = {}
    for each in ids:
        annotation = view.annotations.get(each)
        entity = view.entities.get(each) if annotation is None else view.entity_of(annotation)
        if entity is not None:
            found[entity.id] = entity
    return list(found.values())


def _of_annotations(
    view: SampleView, annotations: list[Annotation], now_ns: int, tree: FrameTree | None
) -> list[Section]:
    entities = entities_of(view, [each.id for each in annotations])
    sections = [_label(view, annotations), _label_attributes(view, annotations)]
    sections.append(_showing(view, annotations, entities))
    if entities:
        sections.append(_thing_attributes(view, entities))
    if len(entities) == 1:
        sections.append(_parts(view, entities[0], now_ns, tree))
    if len(annotations) == 1:
        sections += _place_and_time(view, annotations[0], now_ns)
    sections.append(_origin(annotations))
    return [section for section in sections if section.fields]


def _label(view: SampleView, annotations: list[Annotation]) -> Section:
    classes = [view.class_of(each) for each in annotations]
    fields = [
        _merged("class", "Class", Editor.CHOICE, classes, choices=legal_classes(view, annotations),
                help="Only classes that may be drawn so on this stream; it is changed on the thing where there is one",
                missing=None in classes, may_be_empty=False),
        _merged("state", "State", Editor.CHOICE, [each.state.value for each in annotations],
                choices=tuple((each.value, each.value) for each in State), may_be_empty=False),
        _merged("kind", "Drawn as", Editor.PLAIN, [each.kind.value.replace("_", " ") for each in annotations]),
        _merged("on", "On", Editor.PLAIN, [_stream_name(view, each) for each in annotations]),
        _merged("layer", "Layer", Editor.PLAIN, [each.layer for each in annotations]),
    ]  # fmt: skip
    texts = [each.text for each in annotations]
    if any(texts):
        fields.append(_merged("text", "Text", Editor.PLAIN, texts))
        fields.append(_merged("language", "Language", Editor.PLAIN, [each.language or "" for each in annotations]))
    return Section(title="Label", fields=tuple(fields))


def legal_classes(view: SampleView, annotations: Iterable[Annotation]) -> tuple[tuple[str, str], ...]:
    """The classes that all of these may have, by name in the person's language."""
    ontology = view.ontology
    if ontology is None:
        return ()
    legal: list[str] | None = None
    for kind, shape in {(_stream_kind(view, each), each.kind) for each in annotations}:
        here = ontology.classes_for(kind, shape)
        legal = list(here) if legal is None else [each for each in legal if each in here]
    language = person_language(ontology)
    return tuple((each, class_name(ontology, each, language)) for each in legal or ())


def _label_attributes(view: SampleView, annotations: list[Annotation]) -> Section:
    """Those judged on each stream, and for a label without a thing all of them."""
    ontology = view.ontology
    if ontology is None:
        return Section(title="", fields=())
    groups = [
        [
            attribute
            for attribute in ontology.attributes_of(_known(ontology, view.class_of(each)))
            if attribute.per_stream or each.entity is None
        ]
        for each in annotations
    ]
    fields = _attribute_fields(ontology, "attribute", groups, [each.attributes for each in annotations])
    return Section(title="Attributes of the label", fields=fields)


def _thing_attributes(view: SampleView, entities: list[Entity]) -> Section:
    ontology = view.ontology
    if ontology is None:
        return Section(title="", fields=())
    groups = [
        [a for a in ontology.attributes_of(_known(ontology, each.class_id)) if not a.per_stream] for each in entities
    ]
    fields = _attribute_fields(ontology, "entity_attribute", groups, [each.attributes for each in entities])
    return Section(title="Attributes of the thing, on all streams", fields=fields)


def _attribute_fields(
    ontology: CompiledOntology,
    prefix: str,
    groups: list[list[Attribute]],
    values: Sequence[Mapping[str, Any]],
) -> tuple[InspectorField, ...]:
    """Those that all of the selected may have."""
    common = [each for each in groups[0] if all(each in group for group in groups)]
    language = person_language(ontology)
    fields = []
    for attribute in common:
        limits = [f"at least {attribute.min:g}"] if attribute.min is not None else []
        limits += [f"at most {attribute.max:g}"] if attribute.max is not None else []
        help_text = " ".join(filter(None, (attribute.definition, ", ".join(limits))))
        made = _merged(
            f"{prefix}:{attribute.id}", name_in(attribute.names, language), _EDITORS[attribute.type],
            [each.get(attribute.id) for each in values], unit=attribute.unit, help=help_text,
            choices=tuple((o.id, name_in(o.names, language)) for o in attribute.options if o.retired is None),
        )  # fmt: skip
        absent = any(attribute.id not in each for each in values)
        fields.append(replace(made, missing=attribute.required and absent))
    return tuple(fields)


def _showing(view: SampleView, annotations: list[Annotation], entities: list[Entity]) -> Section:
    """Which thing the labels show, and its name."""
    values = [each.entity or NO_ENTITY for each in annotations]
    own = {view.class_of(each) for each in annotations}
    near = [each for each in view.entities.values() if each.class_id in own or each.id in values]
    near.sort(key=lambda each: (view.class_name(each.class_id), each.number))
    choices = [(NO_ENTITY, "no thing"), (NEW_ENTITY, "a new thing")]
    choices += [(each.id, view.name_of(each.id)) for each in near[:_MOST_ENTITIES]]
    thing = _merged("entity", "Shows", Editor.CHOICE, values, choices=tuple(choices), may_be_empty=False,
                    help="The one real thing that labels on several streams show")  # fmt: skip
    return Section(title="Thing", fields=(thing, *_thing(view, entities).fields) if entities else (thing,))


def _thing(view: SampleView, entities: list[Entity]) -> Section:
    classes = tuple((each, view.class_name(each)) for each in (view.ontology.classes if view.ontology else ()))
    fields = [
        _merged("entity_name", "Name", Editor.TEXT, [each.name for each in entities], help="What people call it"),
        _merged("entity_number", "Number", Editor.PLAIN, [str(each.number) for each in entities]),
    ]
    if classes:
        fields.append(
            _merged("entity_class", "Class of the thing", Editor.CHOICE, [each.class_id for each in entities],
                    choices=classes, may_be_empty=False)
        )  # fmt: skip
    return Section(title="Thing", fields=tuple(fields))


def _parts(view: SampleView, entity: Entity, now_ns: int, tree: FrameTree | None) -> Section:
    """What one thing has in space and in pictures at this moment."""
    from workstation.app.three_parts import three_parts  # with the arithmetic of cuboids: a start goes without

    fields = [
        InspectorField(key=f"part:{number}", title=f"{'✓' if part.fits else '✗'} {part.title}", value=part.text,
                       wrong=not part.fits)
        for number, part in enumerate(three_parts(view, entity, now_ns, tree))
    ]  # fmt: skip
    return Section(title="This thing, at this moment", fields=tuple(fields))


def _place_and_time(view: SampleView, annotation: Annotation, now_ns: int) -> list[Section]:
    found = []
    if annotation.track is not None:
        rule = annotation.track
        found.append(
            Section(title="Track", fields=(
                InspectorField(key="interpolation", title="Between keyframes", editor=Editor.CHOICE,
                               value=rule.interpolation.value, may_be_empty=False,
                               choices=tuple((each.value, each.value) for each in Interpolation)),
                InspectorField(key="static", title="Static", editor=Editor.FLAG, value=rule.static,
                               may_be_empty=False, help="It stands still: one pose for all its life"),
            ))
        )  # fmt: skip
    elif annotation.start_ns is not None and annotation.end_ns is not None:
        found.append(_times(view, annotation))
    shown = view.moment(annotation, view.own_ns(annotation, now_ns))
    shape = annotation.shape if annotation.track is None else shown.shape
    if shape is not None:
        fields = tuple(
            InspectorField(key=f"shape:{each.key}", title=each.title, value=each.value, unit=each.unit,
                           editor=Editor.NUMBER if each.editable else Editor.PLAIN, may_be_empty=False)
            for each in shape_fields(shape, length="mm" if _stream_kind(view, annotation) is StreamKind.VOLUME else "m")
        )  # fmt: skip
        which = "" if annotation.track is None else f": {_MOMENTS.get(shown.kind, 'between keyframes')} here"
        found.append(Section(title=f"Geometry{which}", fields=fields))
    return found


_MOMENTS = {MomentKind.KEYFRAME: "a keyframe"}


def _times(view: SampleView, annotation: Annotation) -> Section:
    assert annotation.start_ns is not None
    assert annotation.end_ns is not None
    session = view.session_range(annotation)
    there = "" if session is None else f"In session time {session.start_ns / 1e9:.6f} to {session.end_ns / 1e9:.6f} s"
    return Section(
        title="Time on its stream",
        fields=(
            InspectorField(key="start", title="Begins", editor=Editor.NUMBER, value=annotation.start_ns / 1e9, unit="s",
                           help=there, may_be_empty=False),
            InspectorField(key="end", title="Ends", editor=Editor.NUMBER, value=annotation.end_ns / 1e9, unit="s",
                           help=there, may_be_empty=False),
            InspectorField(key="duration", title="Lasts", unit="s",
                           value=f"{(annotation.end_ns - annotation.start_ns) / 1e9:.6g}"),
        ),
    )  # fmt: skip


def _origin(annotations: Sequence[Annotation | Link]) -> Section:
    return Section(
        title="Where it comes from",
        fields=(
            _merged("source", "Made by", Editor.PLAIN, [source_in_words(each.source) for each in annotations]),
            _merged("confidence", "Confidence", Editor.NUMBER, [each.confidence for each in annotations],
                    help="How sure this label is, 0 to 1; each stream's label has its own"),
            _merged("ontology", "Ontology version", Editor.PLAIN, [str(each.ontology_version) for each in annotations]),
            *_of_a_model(annotations),
        ),
    )  # fmt: skip


def _of_a_model(annotations: Sequence[Annotation | Link]) -> list[InspectorField]:
    """Which model proposed it, when, with which weights, thresholds and device, and what it called it itself; nothing
    where several models did, or none."""
    sources = {(each.source.name, each.source.weights_sha256): each.source for each in annotations}
    source = next(iter(sources.values()))
    if len(sources) > 1 or source.kind is not SourceKind.MODEL:
        return []
    said = {
        "Model": f"{source.name} {source.version}".strip(),
        "Called there": _common({str(each.source.parameters.get(CALLED, "")) for each in annotations}),
        "Proposed": _common({moment(millisecond_of(each.id)) for each in annotations}),
        "Weights": source.weights_sha256,
        "Parameters": ", ".join(f"{name} {value}" for name, value in source.parameters.items() if name != CALLED),
        "Device": source.device,
    }
    return [
        InspectorField(key=f"model:{name.lower()}", title=name, value=value or "not said", help=_HELP.get(name, ""))
        for name, value in said.items()
    ]


_HELP = {
    "Weights": "SHA-256 of the weights",
    "Called there": "The model's own label; the class map says which class here stands for it",
    "Parameters": "Thresholds and what else the model was run with",
}


def _common(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else "several"


def source_in_words(source: Source) -> str:
    """Who or what made a value, with what is needed to make it again."""
    said = " ".join(filter(None, (source.kind.value, source.name, source.version)))
    also = [f"{name} {value}" for name, value in source.parameters.items()]
    also += [f"weights {source.weights_sha256[:12]}"] if source.weights_sha256 else []
    also += [f"on {source.device}"] if source.device else []
    return f"{said} ({', '.join(also)})" if also else said


def _of_links(view: SampleView, links: list[Link]) -> list[Section]:
    ontology = view.ontology
    types: tuple[tuple[str, str], ...] = ()
    if ontology is not None:
        roles = {role.role for link in links for role in link.ends}
        types = tuple(
            (each, link_type_name(view, each))
            for each, made in ontology.link_types.items()
            if made.retired is None and roles <= {role.id for role in made.roles}
        )
    fields = [
        _merged("link_type", "Type", Editor.CHOICE, [each.type_id for each in links], choices=types,
                may_be_empty=False),
        _merged("link_state", "State", Editor.CHOICE, [each.state.value for each in links],
                choices=tuple((each.value, each.value) for each in State), may_be_empty=False),
        _merged("holds", "Holds", Editor.FLAG, [each.holds for each in links], may_be_empty=False,
                help="No: these are not related so"),
        _merged("reason", "Reason", Editor.TEXT, [each.reason for each in links]),
        _merged("rationale", "Rationale", Editor.LONG, [each.rationale for each in links]),
        _merged("layer", "Layer", Editor.PLAIN, [each.layer for each in links]),
    ]  # fmt: skip
    sections = [Section(title="Link", fields=tuple(fields))]
    if len(links) == 1:
        ends = tuple(
            InspectorField(key=f"end:{number}", title=end.role.capitalize(), value=end_name(view, end))
            for number, end in enumerate(links[0].ends)
        )
        sections.append(Section(title="Ends", fields=ends))
    if ontology is not None:
        groups = [
            list(ontology.attributes_of_link(each.type_id)) for each in links if each.type_id in ontology.link_types
        ]
        if len(groups) == len(links):
            made = _attribute_fields(ontology, "link_attribute", groups, [each.attributes for each in links])
            sections.append(Section(title="Attributes of the link", fields=made))
    sections.append(_origin(links))
    return [section for section in sections if section.fields]


def _sample(view: SampleView) -> Section:
    sample = view.sample
    gates = [
        InspectorField(key=f"gate:{name}", title=f"Gate {name}", help=gate.reason,
                       value=f"{gate.state.value.replace('_', ' ')}{': ' + gate.reason if gate.reason else ''}")
        for name, gate in sample.gates.items()
    ]  # fmt: skip
    version = "" if view.ontology is None else f"{view.ontology.ontology.name}, version {view.ontology.number}"
    return Section(
        title="Sample",
        fields=(
            InspectorField(key="sample_key", title="Name", value=sample.key),
            InspectorField(key="sample_state", title="State", value=sample.state.value.replace("_", " ")),
            InspectorField(key="sample_profile", title="Profile", value=sample.profile or "the project's"),
            InspectorField(key="sample_ontology", title="Ontology", value=version,
                           help="One ontology for the whole project"),
            *gates,
            InspectorField(key="notes", title="Notes", editor=Editor.LONG, value=sample.notes),
        ),
    )  # fmt: skip


def _merged(key: str, title: str, editor: Editor, values: Sequence[Any], **more: Any) -> InspectorField:
    """One field for all: their common value, or mixed."""
    mixed = any(each != values[0] for each in values)
    return InspectorField(key=key, title=title, editor=editor, value=None if mixed else values[0], mixed=mixed, **more)


def _known(ontology: CompiledOntology, class_id: str | None) -> str | None:
    return class_id if class_id in ontology.classes else None


def _stream_kind(view: SampleView, annotation: Annotation) -> Any:
    stream = view.streams.get(annotation.stream or "")
    return None if stream is None else stream.kind


def _stream_name(view: SampleView, annotation: Annotation) -> str:
    stream = view.streams.get(annotation.stream or "")
    return "the whole sample" if stream is None else stream.key
