"""What a migration does to the labels of one sample: rewrites that leave no doubt, and questions for a person.

``forecast`` adds the plans up; ``commands/ontology.py`` carries the same plans out in the transaction that locks the
version. A label is rewritten only if the new version accepts it as rewritten; otherwise a person is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec.structs import replace

from workstation.core.annotation import (
    Annotation,
    Attributes,
    AttributeValue,
    Entity,
    Keyframe,
    Link,
    LinkEnd,
    Record,
    State,
    TargetKind,
    effective_class,
)
from workstation.core.ids import AnnotationId, SampleId
from workstation.core.ontology import AttributeType
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.ontology_forecast import Decision, Forecast, SamplePlan
from workstation.core.ontology_links import EndView
from workstation.core.ontology_migration import (
    AddAttribute,
    AddClass,
    MergeClasses,
    MergeOptions,
    Migration,
    RedefineClass,
    RetireClass,
    RetireLinkType,
    RetireOption,
    SplitClass,
)
from workstation.core.sample import Sample, Stream, StreamKind

_FINISHED = (State.DONE, State.APPROVED)


R = TypeVar("R", bound=Record)


class LabelReads(Protocol):
    """The reads a migration needs; a store, a snapshot and a transaction have them."""

    def samples(self) -> Iterable[Sample]: ...
    def streams(self, sample: SampleId) -> Iterable[Stream]: ...
    def entities(self, sample: SampleId) -> Iterable[Entity]: ...
    def annotations(self, sample: SampleId) -> Iterable[Annotation]: ...
    def keyframes(self, annotation: AnnotationId) -> Iterable[Keyframe]: ...
    def links(self, sample: SampleId) -> Iterable[Link]: ...


class Question(NamedTuple):
    """What is asked of every label of a class, link type or option."""

    text: str
    options: tuple[str, ...]


class Planner:
    """Plans sample after sample for one migration."""

    def __init__(self, old: CompiledOntology, new: CompiledOntology, migration: Migration) -> None:
        self._old = old
        self._new = new
        self._merged: dict[str, str] = {}
        self._asked: dict[str, Question] = {}
        self._merged_options: dict[str, dict[str, str]] = {}
        self._asked_options: dict[str, dict[str, Question]] = {}
        self._asked_links: dict[str, Question] = {}
        self._required: list[str] = []
        for step in migration.steps:
            self._take(step)

    def _take(self, step: Any) -> None:
        match step:
            case MergeClasses():
                self._merged.update(dict.fromkeys(step.sources, step.into))
            case SplitClass():
                self._ask(step.source, f"'{step.source}' was split", step.into)
            case RetireClass():
                self._ask(step.class_id, f"'{step.class_id}' was retired", step.replacements)
            case RedefineClass():
                self._ask(step.class_id, f"the definition of '{step.class_id}' changed", ())
            case AddClass():
                for beside in step.beside:
                    self._ask(beside, f"'{step.class_id}' is new beside '{beside}'", (step.class_id,))
            case AddAttribute():
                if self._new.attributes[step.attribute].required:
                    self._required.append(step.attribute)
            case MergeOptions():
                merges = self._merged_options.setdefault(step.attribute, {})
                merges.update(dict.fromkeys(step.sources, step.into))
            case RetireOption():
                question = Question(f"'{step.option}' of '{step.attribute}' was retired", step.replacements)
                self._asked_options.setdefault(step.attribute, {})[step.option] = question
            case RetireLinkType():
                self._asked_links[step.type_id] = Question(f"'{step.type_id}' was retired", step.replacements)

    def _ask(self, class_id: str, text: str, options: tuple[str, ...]) -> None:
        before = self._asked.get(class_id, Question("", ()))
        whole = f"{before.text}; {text}" if before.text else text
        self._asked[class_id] = Question(whole, tuple(dict.fromkeys((*before.options, *options))))

    def plan(self, reads: LabelReads, sample: SampleId) -> SamplePlan:
        """What happens to the labels of one sample."""
        plan = SamplePlan(sample)
        kinds = {stream.id: stream.kind for stream in reads.streams(sample)}
        entities = {entity.id: entity for entity in reads.entities(sample)}
        annotations = list(reads.annotations(sample))
        shown: dict[str, list[Annotation]] = {}
        for annotation in annotations:
            if annotation.entity is not None:
                shown.setdefault(annotation.entity, []).append(annotation)
        after: dict[str, Entity] = {}
        for entity in entities.values():
            after[entity.id] = self._plan_entity(plan, entity, shown.get(entity.id, []), kinds)
        later: dict[str, Annotation] = {}
        for annotation in annotations:
            was = entities.get(annotation.entity) if annotation.entity is not None else None
            now = after.get(annotation.entity) if annotation.entity is not None else None
            kind = kinds.get(annotation.stream) if annotation.stream is not None else None
            later[annotation.id] = self._plan_annotation(plan, annotation, kind, was, now)
            if annotation.track is not None and (self._merged_options or self._asked_options):
                self._plan_keyframes(plan, reads.keyframes(annotation.id), annotation, kind)
        before = {annotation.id: annotation for annotation in annotations}
        views = _Views(before, entities, kinds), _Views(later, after, kinds)
        for link in reads.links(sample):
            self._plan_link(plan, link, *views)
        return plan

    def _plan_entity(
        self, plan: SamplePlan, entity: Entity, shown: list[Annotation], kinds: Mapping[Any, StreamKind]
    ) -> Entity:
        modalities = [_modality(annotation, kinds) for annotation in shown]
        into = self._merged.get(entity.class_id)
        asked: list[Decision] = []
        changed = replace(entity, attributes=self._merged_values(entity.attributes))
        if into is not None:
            merged = replace(changed, class_id=into)
            reason = self._why_not_merged(entity, merged, shown, kinds)
            if reason is None:
                changed = merged
            else:
                question = f"'{entity.class_id}' was merged into '{into}', but {reason}"
                asked.append(Decision(TargetKind.ENTITY, entity.id, "class", question, (into,)))
        asked += self._class_question(TargetKind.ENTITY, entity.id, entity.class_id)
        asked += self._value_questions(TargetKind.ENTITY, entity.id, entity.attributes)
        for name in self._required:
            attribute = self._new.attributes[name]
            if not attribute.per_stream and name not in entity.attributes and self._has(changed.class_id, name):
                asked.append(self._missing(TargetKind.ENTITY, entity.id, name))
        if changed.class_id != entity.class_id or any(decision.aspect == "class" for decision in asked):
            for annotation, modality in zip(shown, modalities, strict=True):
                if annotation.class_id is None:
                    plan.count("annotation", "following", [modality])
        return self._record(plan, "entity", entity, changed, asked, modalities)

    def _why_not_merged(
        self, entity: Entity, merged: Entity, shown: list[Annotation], kinds: Mapping[Any, StreamKind]
    ) -> str | None:
        problems = self._new.check_entity(merged, entity)
        for annotation in shown:
            if annotation.class_id is None and not problems:
                kind = kinds.get(annotation.stream)
                rewritten = replace(annotation, attributes=self._merged_values(annotation.attributes))
                problems = self._new.check_annotation(rewritten, kind, merged.class_id, annotation)
        return problems[0] if problems else None

    def _plan_annotation(
        self, plan: SamplePlan, annotation: Annotation, kind: StreamKind | None, was: Entity | None, now: Entity | None
    ) -> Annotation:
        entity_class = None if now is None else now.class_id
        changed = replace(annotation, attributes=self._merged_values(annotation.attributes))
        asked: list[Decision] = []
        own = annotation.class_id
        if own is not None:
            into = self._merged.get(own)
            if into is not None:
                merged = replace(changed, class_id=into)
                problems = self._new.check_annotation(merged, kind, entity_class, annotation)
                if problems:
                    question = f"'{own}' was merged into '{into}', but {problems[0]}"
                    asked.append(Decision(TargetKind.ANNOTATION, annotation.id, "class", question, (into,)))
                else:
                    changed = merged
            asked += self._class_question(TargetKind.ANNOTATION, annotation.id, own)
        asked += self._value_questions(TargetKind.ANNOTATION, annotation.id, annotation.attributes)
        asked += self._missing_values(annotation, changed, now)
        if not asked:
            problems = self._new.check_annotation(changed, kind, entity_class, annotation)
            old_class = None if was is None else was.class_id
            if problems and not self._old.check_annotation(annotation, kind, old_class, annotation):
                asked.append(Decision(TargetKind.ANNOTATION, annotation.id, "", f"no longer fits: {problems[0]}", ()))
        return self._record(plan, "annotation", annotation, changed, asked, [kind.value if kind else "sample"])

    def _missing_values(self, before: Annotation, changed: Annotation, entity: Entity | None) -> Iterator[Decision]:
        if before.state not in _FINISHED:
            return
        class_id = effective_class(changed, entity)
        for name in self._required:
            attribute = self._new.attributes[name]
            mine = attribute.per_stream or before.entity is None
            later = before.track is not None and attribute.over_time
            if mine and not later and name not in before.attributes and self._has(class_id, name):
                yield self._missing(TargetKind.ANNOTATION, before.id, name)

    def _has(self, class_id: str | None, attribute: str) -> bool:
        if class_id is not None and class_id not in self._new.classes:
            return False
        return any(item.id == attribute for item in self._new.attributes_of(class_id))

    def _missing(self, kind: TargetKind, target: str, name: str) -> Decision:
        attribute = self._new.attributes[name]
        options = tuple(option.id for option in attribute.options if option.retired is None)
        if attribute.type is AttributeType.FLAG:
            options = ("true", "false")
        return Decision(kind, target, f"attribute:{name}", f"the required attribute '{name}' is new", options)

    def _plan_keyframes(
        self, plan: SamplePlan, keyframes: Iterable[Keyframe], track: Annotation, kind: StreamKind | None
    ) -> None:
        modality = [kind.value if kind else "sample"]
        for keyframe in keyframes:
            changed = replace(keyframe, attributes=self._merged_values(keyframe.attributes))
            asked = [
                decision._replace(question=f"at {keyframe.time_ns} ns: {decision.question}", aspect="")
                for decision in self._value_questions(TargetKind.ANNOTATION, track.id, keyframe.attributes)
            ]
            self._record(plan, "keyframe", keyframe, changed, asked, modality)

    def _plan_link(self, plan: SamplePlan, link: Link, old_views: _Views, new_views: _Views) -> None:
        ends = tuple(self._merged_end(end) for end in link.ends)
        changed = replace(link, ends=ends, attributes=self._merged_values(link.attributes))
        asked: list[Decision] = []
        question = self._asked_links.get(link.type_id)
        if question is not None:
            asked.append(Decision(TargetKind.LINK, link.id, "link_type", question.text, question.options))
        asked += self._value_questions(TargetKind.LINK, link.id, link.attributes)
        if not asked:
            problems = self._new.check_link(changed, new_views.of(link), link)
            if problems and not self._old.check_link(link, old_views.of(link), link):
                asked.append(Decision(TargetKind.LINK, link.id, "", f"no longer fits: {problems[0]}", ()))
                changed = link
        self._record(plan, "link", link, changed, asked, old_views.modalities(link) or ["sample"])

    def _merged_end(self, end: LinkEnd) -> LinkEnd:
        """What a person confirmed of a merged class stays confirmed: the merge says that both are one."""
        confirmed = end.confirmed
        if confirmed is None or confirmed.class_id not in self._merged:
            return end
        return replace(end, confirmed=replace(confirmed, class_id=self._merged[confirmed.class_id]))

    def _class_question(self, kind: TargetKind, target: str, class_id: str) -> Iterator[Decision]:
        question = self._asked.get(class_id)
        if question is not None:
            yield Decision(kind, target, "class", question.text, question.options)

    def _value_questions(self, kind: TargetKind, target: str, given: Attributes) -> Iterator[Decision]:
        for name, asked in self._asked_options.items():
            value = given.get(name)
            chosen = value if isinstance(value, tuple) else (value,)
            for option, question in asked.items():
                if option in chosen:
                    yield Decision(kind, target, f"attribute:{name}", question.text, question.options)

    def _merged_values(self, given: Attributes) -> Attributes:
        if not given or not any(name in given for name in self._merged_options):
            return given
        return {name: _merged_value(value, self._merged_options.get(name, {})) for name, value in given.items()}

    def _record(
        self, plan: SamplePlan, kind: str, before: R, changed: R, asked: list[Decision], modalities: Iterable[str]
    ) -> R:
        if changed != before:
            if isinstance(changed, Entity | Annotation | Link):
                changed = replace(changed, ontology_version=self._new.number)
            plan.rewrites.append(changed)
            plan.count(kind, "rewritten", modalities)
        if asked:
            plan.decisions += asked
            plan.count(kind, "queued", modalities)
        return changed


def _merged_value(value: AttributeValue, merges: Mapping[str, str]) -> AttributeValue:
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(merges.get(item, item) for item in value))
    return merges.get(value, value) if isinstance(value, str) else value


def _modality(annotation: Annotation, kinds: Mapping[Any, StreamKind]) -> str:
    kind = kinds.get(annotation.stream)
    return kind.value if kind is not None else "sample"


class _Views:
    """Describes the ends of links, before or after the migration."""

    def __init__(
        self,
        annotations: Mapping[Any, Annotation],
        entities: Mapping[Any, Entity],
        kinds: Mapping[Any, StreamKind],
    ) -> None:
        self._annotations = annotations
        self._entities = entities
        self._kinds = kinds

    def of(self, link: Link) -> list[EndView]:
        """The ends in their order."""
        return [self._view(end) for end in link.ends]

    def modalities(self, link: Link) -> list[str]:
        """The modalities its ends lie in."""
        found = []
        for end in link.ends:
            if end.kind is TargetKind.MODALITY:
                found.append(end.target)
            elif end.kind is TargetKind.ANNOTATION and end.target in self._annotations:
                found.append(_modality(self._annotations[end.target], self._kinds))
            elif end.kind is TargetKind.STREAM and end.target in self._kinds:
                found.append(self._kinds[end.target].value)
        return found

    def _view(self, end: LinkEnd) -> EndView:
        if end.kind is TargetKind.ANNOTATION and end.target in self._annotations:
            annotation = self._annotations[end.target]
            entity = self._entities.get(annotation.entity) if annotation.entity is not None else None
            class_id = effective_class(annotation, entity)
            return EndView(
                end.role, end.kind, end.target, annotation.kind, class_id, self._kinds.get(annotation.stream)
            )
        if end.kind is TargetKind.ENTITY and end.target in self._entities:
            return EndView(end.role, end.kind, end.target, None, self._entities[end.target].class_id)
        return EndView(end.role, end.kind, end.target, stream_kind=self._kinds.get(end.target))


def forecast(reads: LabelReads, old: CompiledOntology, new: CompiledOntology, migration: Migration) -> Forecast:
    """What the migration would do to every label of the project, without doing it."""
    planner = Planner(old, new, migration)
    found = Forecast()
    for sample in reads.samples():
        found.add(planner.plan(reads, sample.id))
    return found
