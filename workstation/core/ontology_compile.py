"""One version of the ontology made fast: the gate's checks, the pickers, and the questions of rules and panes.

``compile_ontology`` is called once per version; a check of one record then costs a few microseconds.
Problems are sentences for a person and quote the rule. Nothing is corrected here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from workstation.core.annotation import Annotation, Attributes, Entity, Keyframe, Link, SourceKind, State, TargetKind
from workstation.core.geometry import Keypoints, Shape, ShapeKind, kind_of
from workstation.core.lexicon import Candidate, Lexicon
from workstation.core.ontology import (
    Attribute,
    ClassRelation,
    LinkType,
    Mark,
    Ontology,
    OntologyClass,
    Pattern,
    Skeleton,
    Surface,
    WordPolicy,
    ancestors,
    inherited_shapes,
    name_in,
    parents_of,
)
from workstation.core.ontology_attributes import AttributeSet, attribute_set, compile_attribute, value_problems
from workstation.core.ontology_links import EndView, compile_roles, could_join, link_problems, refusal, roles_for
from workstation.core.sample import StreamKind

_FINISHED = frozenset({State.DONE, State.APPROVED})
_GREY = "#808080"


class Look(NamedTuple):
    """How a class is drawn: colour, and two cues for those who cannot tell colours apart."""

    colour: str
    mark: Mark
    pattern: Pattern


class LinkChoice(NamedTuple):
    """A link type that may join some ends, with a role for each of them in their order."""

    link_type: LinkType
    roles: tuple[str, ...]


def compile_ontology(ontology: Ontology) -> CompiledOntology:
    """The checks and pickers of a consistent ontology (one that ``parse_ontology`` accepted)."""
    return CompiledOntology(ontology)


class CompiledOntology:
    """Answers for one version. Cheap to ask, never changed."""

    def __init__(self, ontology: Ontology) -> None:
        self.ontology = ontology
        self.number = ontology.version
        self.classes: dict[str, OntologyClass] = {cls.id: cls for cls in ontology.classes}
        self.link_types: dict[str, LinkType] = {item.id: item for item in ontology.link_types}
        self.attributes: dict[str, Attribute] = {item.id: item for item in ontology.attributes}
        self._above = {class_id: ancestors(class_id, parents_of(ontology)) for class_id in self.classes}
        self._looks = {class_id: self._look(class_id) for class_id in self.classes}  # asked of every label painted
        self._below = self._collect_below()
        self._lexicon = Lexicon(ontology)
        self._shapes = {
            class_id: {surface: frozenset(kinds) for surface, kinds in shapes.items()}
            for class_id, shapes in (
                (class_id, inherited_shapes(class_id, self.classes, ontology)) for class_id in self.classes
            )
        }
        self._allowed = frozenset(
            (class_id, surface.value, kind)
            for class_id, shapes in self._shapes.items()
            for surface, kinds in shapes.items()
            for kind in kinds
        )
        self._attribute_sets = self._compile_attributes()
        self._roles = {item.id: compile_roles(item, self._below) for item in ontology.link_types}
        self._modalities = frozenset(surface.value for surface in ontology.modalities)
        self._skeletons = {item.id: item for item in ontology.skeletons}

    def class_name(self, class_id: str) -> str:
        """A class as people read it; its id where it has no name here."""
        known = self.classes.get(class_id)
        return class_id if known is None else name_in(known.names, self.ontology.language) or class_id

    def _collect_below(self) -> dict[str, frozenset[str]]:
        below: dict[str, set[str]] = {class_id: set() for class_id in self.classes}
        for class_id, chain in self._above.items():
            for above in chain:
                below[above].add(class_id)
        return {class_id: frozenset(ids) for class_id, ids in below.items()}

    def _compile_attributes(self) -> dict[str | None, AttributeSet]:
        compiled = [compile_attribute(attribute) for attribute in self.ontology.attributes]
        sets: dict[str | None, AttributeSet] = {
            None: attribute_set(tuple(item for item in compiled if not item.attribute.applies_to))
        }
        for class_id, chain in self._above.items():
            mine = (
                item for item in compiled if not item.attribute.applies_to or set(item.attribute.applies_to) & {*chain}
            )
            sets[class_id] = attribute_set(tuple(mine))
        by_id = {item.attribute.id: item for item in compiled}
        for link_type in self.ontology.link_types:
            # Link types and classes may share an id; the colon keeps them apart.
            sets[f"link:{link_type.id}"] = attribute_set(tuple(by_id[name] for name in link_type.attributes))
        return sets

    # The gate's checks: what may be stored.

    def check_annotation(
        self,
        annotation: Annotation,
        stream_kind: StreamKind | None,
        entity_class: str | None = None,
        previous: Annotation | None = None,
    ) -> list[str]:
        """Why the annotation may not be stored. ``entity_class`` is its entity's class, ``previous`` what is stored.

        A retired class, attribute or option may stay where ``previous`` has it, so that old labels remain editable.
        Required attributes are asked of *done* and *approved* labels only; those of the thing itself are asked of the
        annotation only if it has no entity, and those that change over time are not asked of a track.
        """
        class_id = annotation.class_id or entity_class
        state = annotation.state
        if class_id is None:
            problems = ["a finished label needs a class"] if state in _FINISHED else []
        else:
            surface = "sample" if stream_kind is None else stream_kind.value
            if (class_id, surface, annotation.kind) in self._allowed and self.classes[class_id].retired is None:
                problems = []
            else:
                problems = self._class_problems(annotation, class_id, surface, previous)
                if class_id not in self.classes:
                    return problems
        guessed = state is State.PROPOSED and annotation.source.kind is SourceKind.MODEL
        if guessed and class_id is not None and not self.takes_proposals(class_id):
            problems = [*problems, f"class {class_id} takes no proposals: it is for a person to judge"]
        allowed = self._attribute_sets[class_id]
        if annotation.attributes:
            before: Attributes = previous.attributes if previous is not None else {}
            problems += value_problems(
                annotation.attributes, allowed, _owner(class_id), previous=before, known=self.attributes
            )
        if state in _FINISHED:
            problems += self._missing(annotation, allowed)
        if annotation.shape is not None and annotation.kind is ShapeKind.KEYPOINTS:
            problems += self._skeleton_problems(annotation.shape, class_id)
        return problems

    def check_keyframe(
        self,
        keyframe: Keyframe,
        kind: ShapeKind,
        stream_kind: StreamKind | None,
        class_id: str | None,
        previous: Keyframe | None = None,
    ) -> list[str]:
        """Why the keyframe may not be stored on a track of this shape, on this stream, of this (effective) class."""
        problems: list[str] = []
        if keyframe.attributes:
            allowed = self._attribute_sets.get(class_id, self._attribute_sets[None])
            before: Attributes = previous.attributes if previous is not None else {}
            problems += value_problems(
                keyframe.attributes, allowed, _owner(class_id), previous=before, known=self.attributes
            )
            problems += [
                f"attribute '{name}' does not change over time; set it on the track or the entity"
                for name in keyframe.attributes
                if name in allowed.by_id and not self.attributes[name].over_time
            ]
        if keyframe.shape is not None:
            if kind_of(keyframe.shape) is not kind:
                problems.append(f"holds a {kind_of(keyframe.shape).value}; its track is made of {kind.value}")
            surface = "sample" if stream_kind is None else stream_kind.value
            if class_id in self.classes and (class_id, surface, kind) not in self._allowed:
                problems.append(self._shape_problem(class_id, surface, kind))
            if kind is ShapeKind.KEYPOINTS:
                problems += self._skeleton_problems(keyframe.shape, class_id)
        return problems

    def check_entity(self, entity: Entity, previous: Entity | None = None) -> list[str]:
        """Why the entity may not be stored. Attributes that differ per stream belong to its annotations."""
        problem = self._class_problem(entity.class_id, None if previous is None else previous.class_id)
        if problem is not None:
            problems = [problem]
            if entity.class_id not in self.classes:
                return problems
        else:
            problems = []
        if entity.attributes:
            allowed = self._attribute_sets[entity.class_id]
            before: Attributes = previous.attributes if previous is not None else {}
            problems += value_problems(
                entity.attributes, allowed, f"class '{entity.class_id}'", previous=before, known=self.attributes
            )
            problems += [
                f"attribute '{name}' is judged in each stream; set it on the annotation, not on the entity"
                for name in entity.attributes
                if name in allowed.by_id and self.attributes[name].per_stream
            ]
        return problems

    def check_link(self, link: Link, ends: Sequence[EndView], previous: Link | None = None) -> list[str]:
        """Why the link may not be stored; ``ends`` describes its ends in their order."""
        link_type = self.link_types.get(link.type_id)
        if link_type is None:
            return [f"there is no link type '{link.type_id:.60}'; choose one of: {', '.join(self.link_types)}"]
        problems = link_problems(link, ends, link_type, self._roles[link.type_id])
        problems += [
            f"the ontology has no modality '{end.target:.60}'; choose one of: {', '.join(self.ontology.modalities)}"
            for end in ends
            if end.kind is TargetKind.MODALITY and end.target not in self._modalities
        ]
        if link_type.retired is not None and (previous is None or previous.type_id != link.type_id):
            instead = " or ".join(map(repr, link_type.retired.replacements)) or "no other"
            problems.append(f"link type '{link.type_id}' is retired; use {instead}")
        allowed = self._attribute_sets[f"link:{link.type_id}"]
        if link.attributes:
            before: Attributes = previous.attributes if previous is not None else {}
            problems += value_problems(
                link.attributes, allowed, f"'{link.type_id}'", previous=before, known=self.attributes
            )
        if link.state in _FINISHED:
            for name in (*allowed.required_of_thing, *allowed.required_per_stream):
                if name not in link.attributes:
                    problems.append(f"attribute '{name}' is required before the link is {link.state.value}")
        return problems

    def _class_problem(self, class_id: str, before: str | None) -> str | None:
        cls = self.classes.get(class_id)
        if cls is None:
            near = [item.class_id for item in self._lexicon.candidates(class_id)[:3] if not item.retired]
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else "; map it to a class of the ontology"
            return f"there is no class '{class_id:.60}'{hint}"
        if cls.retired is not None and before != class_id:
            instead = " or ".join(map(repr, cls.retired.replacements)) or "another class"
            return f"class '{class_id}' is retired; use {instead}"
        return None

    def _class_problems(
        self, annotation: Annotation, class_id: str, surface: str, previous: Annotation | None
    ) -> list[str]:
        problems = []
        # An entity's class was checked with the entity.
        if annotation.class_id is not None or class_id not in self.classes:
            problem = self._class_problem(class_id, None if previous is None else previous.class_id)
            if problem is not None:
                problems.append(problem)
        if class_id in self.classes and (class_id, surface, annotation.kind) not in self._allowed:
            problems.append(self._shape_problem(class_id, surface, annotation.kind))
        return problems

    def _shape_problem(self, class_id: str, surface: str, kind: ShapeKind) -> str:
        kinds = self._shapes[class_id].get(Surface(surface))
        if not kinds:
            return f"class '{class_id}' has no place on {surface}; its definition allows no shape there"
        listing = ", ".join(sorted(kinds))
        return f"class '{class_id}' may not be drawn as {kind.value} on {surface}; allowed there: {listing}"

    def _missing(self, annotation: Annotation, allowed: AttributeSet) -> list[str]:
        needed = allowed.required_per_stream
        if annotation.entity is None:
            needed += allowed.required_of_thing
        return [
            f"attribute '{name}' is required before the label is {annotation.state.value}"
            for name in needed
            if name not in annotation.attributes
            and not (annotation.track is not None and self.attributes[name].over_time)
        ]

    def _skeleton_problems(self, shape: Shape, class_id: str | None) -> list[str]:
        skeleton = self.skeleton_of(class_id) if class_id is not None else None
        if skeleton is None or not isinstance(shape, Keypoints):
            return []
        unknown = [point.name for point in shape.points if point.name not in skeleton.points]
        return [f"skeleton '{skeleton.id}' has no point '{name:.60}'" for name in unknown]

    # Pickers: what may be offered.

    def classes_for(self, stream_kind: StreamKind | None, shape_kind: ShapeKind | None = None) -> tuple[str, ...]:
        """The classes in use that may be drawn there (as that shape), in the order of the file."""
        surface = Surface.SAMPLE if stream_kind is None else Surface(stream_kind.value)
        found = []
        for class_id, cls in self.classes.items():
            kinds = self._shapes[class_id].get(surface, frozenset())
            if cls.retired is None and (shape_kind in kinds if shape_kind is not None else bool(kinds)):
                found.append(class_id)
        return tuple(found)

    def shapes_for(self, class_id: str, stream_kind: StreamKind | None) -> frozenset[ShapeKind]:
        """The shapes that the class may have there."""
        surface = Surface.SAMPLE if stream_kind is None else Surface(stream_kind.value)
        return self._shapes[class_id].get(surface, frozenset())

    def link_types_for(self, ends: Sequence[EndView]) -> tuple[LinkChoice, ...]:
        """The link types in use that may join exactly these ends, with a role for each end."""
        found = []
        for type_id, link_type in self.link_types.items():
            if link_type.retired is None:
                roles = roles_for(ends, self._roles[type_id], type_id)
                if roles is not None:
                    found.append(LinkChoice(link_type, roles))
        return tuple(found)

    def link_types_open_to(self, ends: Sequence[EndView]) -> tuple[LinkType, ...]:
        """The link types in use that may join these ends, alone or with others beside them."""
        return tuple(
            link_type
            for type_id, link_type in self.link_types.items()
            if link_type.retired is None and could_join(ends, self._roles[type_id], type_id)
        )

    def link_refusal(self, type_id: str, ends: Sequence[EndView]) -> str | None:
        """Why a link of this type may not join these ends in any order of roles, quoting the rule."""
        return refusal(ends, self._roles[type_id], type_id)

    def attributes_of(self, class_id: str | None) -> tuple[Attribute, ...]:
        """The attributes in use for the class, its parents' included, in the order of the file."""
        items = self._attribute_sets[class_id].by_id.values()
        return tuple(item.attribute for item in items if item.attribute.retired is None)

    def attributes_of_link(self, type_id: str) -> tuple[Attribute, ...]:
        """The attributes in use for the link type."""
        return self.attributes_of(f"link:{type_id}")

    def defaults_of(self, class_id: str, *, per_stream: bool) -> Attributes:
        """What a new annotation (``per_stream``) or entity of the class starts with; nothing else fills defaults in."""
        return {
            item.id: item.default
            for item in self.attributes_of(class_id)
            if item.default is not None and item.per_stream is per_stream
        }

    # Questions of rules and panes.

    def relation(self, a: str, b: str) -> ClassRelation:
        """How class ``a`` stands to class ``b``: same, coarser (above), finer (below) or conflict."""
        if a == b:
            return ClassRelation.SAME
        if a in self._above[b]:
            return ClassRelation.COARSER
        return ClassRelation.FINER if b in self._above[a] else ClassRelation.CONFLICT

    def below(self, class_id: str) -> frozenset[str]:
        """The class and all classes under it."""
        return self._below[class_id]

    def above(self, class_id: str) -> tuple[str, ...]:
        """The class and all classes over it, from below."""
        return self._above[class_id]

    def word_policy(self, class_id: str, word: str, language: str) -> WordPolicy | None:
        """How a word in a text goes with a thing of the class; ``None`` if the lexicon does not know."""
        return self._lexicon.policy(class_id, word, language)

    def match_value(self, raw: str, origin: str = "") -> tuple[Candidate, ...]:
        """The classes that a foreign value may mean, with the reason; a person or a mapping chooses."""
        return self._lexicon.candidates(raw, origin)

    def look(self, class_id: str) -> Look:
        """Colour, mark and pattern, each from the nearest class upward that says it."""
        return self._looks[class_id]

    def _look(self, class_id: str) -> Look:
        chain = [self.classes[item] for item in self._above[class_id]]
        return Look(
            next((cls.colour for cls in chain if cls.colour is not None), _GREY),
            next((cls.mark for cls in chain if cls.mark is not None), Mark.CIRCLE),
            next((cls.pattern for cls in chain if cls.pattern is not None), Pattern.SOLID),
        )

    def deformable(self, class_id: str) -> bool:
        """Whether the size of a cuboid may change along a track."""
        chain = (self.classes[item].deformable for item in self._above[class_id])
        return next((value for value in chain if value is not None), False)

    def takes_proposals(self, class_id: str) -> bool:
        """Whether a model may propose the class; it may unless the class or the nearest one above says no."""
        chain = (self.classes[item].proposals for item in self._above[class_id])
        return next((value for value in chain if value is not None), True)

    def usual_size(self, class_id: str) -> tuple[float, float, float] | None:
        """Length, width and height in metres, of the class or the nearest one above that states them."""
        chain = (self.classes[item].usual_size_m for item in self._above.get(class_id, ()))
        return next((value for value in chain if value is not None), None)

    def skeleton_of(self, class_id: str) -> Skeleton | None:
        """The skeleton of the class's keypoints."""
        chain = (self.classes[item].skeleton for item in self._above.get(class_id, ()))
        name = next((value for value in chain if value is not None), None)
        return None if name is None else self._skeletons[name]


def _owner(class_id: str | None) -> str:
    return "a label without a class" if class_id is None else f"class '{class_id}'"


def missing_attributes(compiled: CompiledOntology, entity: Entity) -> tuple[str, ...]:
    """Required attributes of the thing itself that an entity lacks; a finding, since an entity has no state."""
    required = (item.id for item in compiled.attributes_of(entity.class_id) if item.required and not item.per_stream)
    return tuple(name for name in required if name not in entity.attributes)
