"""From one version of the ontology to the next: what becomes of the labels, as values that can be shown beforehand.

A migration is a list of steps. ``ontology_plan.py`` turns it into rewrites that leave no doubt (a merged class, a
merged option) and into questions for a person (a split or retired class, a label that no longer fits). Forecast and
application run the same plan, so that what was shown is what happens; nothing else is rewritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from workstation.core.errors import DataError
from workstation.core.ontology import Ontology, OntologyClass, Retired
from workstation.core.ontology_place import Problem


class _Step(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="step", omit_defaults=True, forbid_unknown_fields=True
):
    """Base of the steps; the tag in JSON is the field ``step``."""


class MergeClasses(_Step, frozen=True, kw_only=True, tag="merge_classes"):
    """Labels of ``sources`` become labels of ``into``; the sources retire."""

    sources: tuple[str, ...]
    into: str


class SplitClass(_Step, frozen=True, kw_only=True, tag="split_class"):
    """For each label of ``source`` a person chooses among ``into``; the source retires unless it is among them."""

    source: str
    into: tuple[str, ...]


class RetireClass(_Step, frozen=True, kw_only=True, tag="retire_class"):
    """The class is no longer offered; for each of its labels a person chooses a replacement or keeps it."""

    class_id: str
    replacements: tuple[str, ...] = ()


class MoveClass(_Step, frozen=True, kw_only=True, tag="move_class"):
    """The class stands below another one; only labels that no longer fit are looked at."""

    class_id: str
    parent: str | None


class AddClass(_Step, frozen=True, kw_only=True, tag="add_class"):
    """A new class; labels of the classes ``beside`` it may really be of this one, so a person looks at them."""

    class_id: str
    beside: tuple[str, ...] = ()


class RedefineClass(_Step, frozen=True, kw_only=True, tag="redefine_class"):
    """The definition changed so much that a person looks at every label of the class."""

    class_id: str


class AddAttribute(_Step, frozen=True, kw_only=True, tag="add_attribute"):
    """A new attribute; where it is required, finished labels without it are looked at."""

    attribute: str


class MergeOptions(_Step, frozen=True, kw_only=True, tag="merge_options"):
    """Values ``sources`` of an attribute become ``into``; the sources retire."""

    attribute: str
    sources: tuple[str, ...]
    into: str


class RetireOption(_Step, frozen=True, kw_only=True, tag="retire_option"):
    """A value is no longer offered; for each label with it a person chooses a replacement or keeps it."""

    attribute: str
    option: str
    replacements: tuple[str, ...] = ()


class RetireLinkType(_Step, frozen=True, kw_only=True, tag="retire_link_type"):
    """A link type is no longer offered; for each of its links a person chooses a replacement or keeps it."""

    type_id: str
    replacements: tuple[str, ...] = ()


Step = (
    MergeClasses
    | SplitClass
    | RetireClass
    | MoveClass
    | AddClass
    | RedefineClass
    | AddAttribute
    | MergeOptions
    | RetireOption
    | RetireLinkType
)


class Migration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The steps from one version to the next, kept with the version."""

    steps: tuple[Step, ...] = ()


def encode_migration(migration: Migration) -> str:
    """The JSON kept in the ontology version's record."""
    return msgspec.json.encode(migration).decode()


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Migration)


def decode_migration(text: str) -> Migration:
    """The migration of a record; an empty text is one without steps."""
    if not text:
        return Migration()
    try:
        return _READ.decode(text.encode())
    except msgspec.MsgspecError as error:
        raise DataError(f"not a migration: {error}") from error


def complete_migration(given: Sequence[Step], old: Ontology, new: Ontology) -> Migration:
    """The given steps and, for every change they do not speak of, the step that rewrites nothing.

    A class retired without a word becomes a question for each of its labels; a new or moved class is noted.
    """
    steps = list(given)
    before = {cls.id: cls for cls in old.classes}
    retired_by = {name for step in given for name in _classes_retired_by(step)}
    told = {step.class_id for step in given if isinstance(step, AddClass | MoveClass)}
    for cls in new.classes:
        was = before.get(cls.id)
        if was is None:
            steps += [AddClass(class_id=cls.id)] * (cls.id not in told and cls.retired is None)
            continue
        if cls.retired is not None and was.retired is None and cls.id not in retired_by:
            steps.append(RetireClass(class_id=cls.id, replacements=cls.retired.replacements))
        if cls.parent != was.parent and cls.id not in told:
            steps.append(MoveClass(class_id=cls.id, parent=cls.parent))
    steps += _derived_attribute_steps(given, old, new)
    for link_type in new.link_types:
        was_type = next((item for item in old.link_types if item.id == link_type.id), None)
        retired = link_type.retired
        newly = retired is not None and was_type is not None and was_type.retired is None
        if newly and retired and not any(isinstance(s, RetireLinkType) and s.type_id == link_type.id for s in given):
            steps.append(RetireLinkType(type_id=link_type.id, replacements=retired.replacements))
    return Migration(tuple(steps))


def _derived_attribute_steps(given: Sequence[Step], old: Ontology, new: Ontology) -> Iterator[Step]:
    before = {item.id: item for item in old.attributes}
    told = {step.attribute for step in given if isinstance(step, AddAttribute)}
    handled = {
        (step.attribute, name)
        for step in given
        if isinstance(step, MergeOptions | RetireOption)
        for name in (step.sources if isinstance(step, MergeOptions) else (step.option,))
    }
    for attribute in new.attributes:
        was = before.get(attribute.id)
        if was is None:
            if attribute.id not in told:
                yield AddAttribute(attribute=attribute.id)
            continue
        alive = {option.id for option in was.options if option.retired is None}
        for option in attribute.options:
            if option.retired and option.id in alive and (attribute.id, option.id) not in handled:
                yield RetireOption(attribute=attribute.id, option=option.id, replacements=option.retired.replacements)


def _classes_retired_by(step: Step) -> tuple[str, ...]:
    if isinstance(step, MergeClasses):
        return step.sources
    if isinstance(step, SplitClass):
        return () if step.source in step.into else (step.source,)
    return (step.class_id,) if isinstance(step, RetireClass) else ()


def migration_problems(migration: Migration, old: Ontology, new: Ontology) -> list[Problem]:
    """Where steps and versions disagree: a merged class that is not retired, a target that does not exist."""
    return [
        Problem(f"migration.steps[{index}]", reason)
        for index, step in enumerate(migration.steps)
        for reason in _step_problems(step, old, new)
    ] + _doubled_problems(migration)


def _doubled_problems(migration: Migration) -> list[Problem]:
    seen: set[tuple[str, str]] = set()
    problems = []
    for index, step in enumerate(migration.steps):
        for source in _sources(step):
            if source in seen:
                problems.append(Problem(f"migration.steps[{index}]", f"{source[1]!r} is the subject of two steps"))
            seen.add(source)
    return problems


def _sources(step: Step) -> list[tuple[str, str]]:
    """What a step takes labels away from; only one step may."""
    if isinstance(step, MergeOptions):
        return [(f"option {step.attribute}", name) for name in step.sources]
    if isinstance(step, RetireOption):
        return [(f"option {step.attribute}", step.option)]
    if isinstance(step, RetireLinkType):
        return [("link type", step.type_id)]
    if isinstance(step, SplitClass):
        return [("class", step.source)]
    return [("class", name) for name in _classes_retired_by(step)]


def _step_problems(step: Step, old: Ontology, new: Ontology) -> Iterator[str]:
    before = {cls.id for cls in old.classes}
    after = {cls.id: cls for cls in new.classes}
    for name in _classes_retired_by(step):
        if name not in before:
            yield f"there was no class {name!r} in version {old.version}"
        elif name in after and after[name].retired is None:
            yield f"class {name!r} must be marked as retired in the new version"
    for name in _targets(step):
        if name not in after:
            yield f"there is no class {name!r} in the new version"
        elif after[name].retired is not None:
            yield f"class {name!r} is retired in the new version"
    yield from _placement_problems(step, after)
    if isinstance(step, AddAttribute | MergeOptions | RetireOption):
        yield from _attribute_step_problems(step, new)
    if isinstance(step, RetireLinkType) and step.type_id not in {item.id for item in new.link_types if item.retired}:
        yield f"link type {step.type_id!r} must be marked as retired in the new version"


def _placement_problems(step: Step, after: Mapping[str, OntologyClass]) -> Iterator[str]:
    if isinstance(step, MergeClasses) and step.into in step.sources:
        yield f"class {step.into!r} cannot be merged into itself"
    if isinstance(step, AddClass | RedefineClass) and step.class_id not in after:
        yield f"there is no class {step.class_id!r} in the new version"
    if isinstance(step, MoveClass):
        moved = after.get(step.class_id)
        if moved is None or moved.parent != step.parent:
            yield f"class {step.class_id!r} does not stand there in the new version"


def _targets(step: Step) -> tuple[str, ...]:
    if isinstance(step, MergeClasses):
        return (step.into,)
    if isinstance(step, SplitClass):
        return step.into
    return step.replacements if isinstance(step, RetireClass) else ()


def _attribute_step_problems(step: AddAttribute | MergeOptions | RetireOption, new: Ontology) -> Iterator[str]:
    attribute = next((item for item in new.attributes if item.id == step.attribute), None)
    if attribute is None:
        yield f"there is no attribute {step.attribute!r} in the new version"
        return
    options = {option.id: option.retired for option in attribute.options}
    if isinstance(step, AddAttribute):
        return
    gone = step.sources if isinstance(step, MergeOptions) else (step.option,)
    for name in gone:
        if options.get(name) is None:
            yield f"option {name!r} of {step.attribute!r} must be marked as retired in the new version"
    for name in (step.into,) if isinstance(step, MergeOptions) else step.replacements:
        if name not in options or options[name] is not None:
            yield f"attribute {step.attribute!r} has no option {name!r} in use"


def with_steps(ontology: Ontology, steps: Sequence[Step], *, version: int, reason: str = "") -> Ontology:
    """The ontology after steps that merge, split, retire or move; what is new is written by hand, into the text."""
    classes = {cls.id: cls for cls in ontology.classes}
    attributes = {item.id: item for item in ontology.attributes}
    link_types = {item.id: item for item in ontology.link_types}
    for step in steps:
        for name in _classes_retired_by(step):
            replacements = _targets(step)
            if name in classes:
                retired = Retired(reason=reason, replacements=replacements, since=version)
                classes[name] = msgspec.structs.replace(classes[name], retired=retired, key=None)
        if isinstance(step, MoveClass) and step.class_id in classes:
            classes[step.class_id] = msgspec.structs.replace(classes[step.class_id], parent=step.parent)
        if isinstance(step, RetireLinkType) and step.type_id in link_types:
            retired = Retired(reason=reason, replacements=step.replacements, since=version)
            link_types[step.type_id] = msgspec.structs.replace(link_types[step.type_id], retired=retired, key=None)
        if isinstance(step, MergeOptions | RetireOption) and step.attribute in attributes:
            gone = step.sources if isinstance(step, MergeOptions) else (step.option,)
            instead = (step.into,) if isinstance(step, MergeOptions) else step.replacements
            retired = Retired(reason=reason, replacements=instead, since=version)
            attribute = attributes[step.attribute]
            options = tuple(
                msgspec.structs.replace(option, retired=retired) if option.id in gone else option
                for option in attribute.options
            )
            attributes[step.attribute] = msgspec.structs.replace(attribute, options=options)
    return msgspec.structs.replace(
        ontology,
        version=version,
        classes=_children_of_retired_moved_up(classes),
        attributes=tuple(attributes.values()),
        link_types=tuple(link_types.values()),
    )


def _children_of_retired_moved_up(classes: dict[str, OntologyClass]) -> tuple[OntologyClass, ...]:
    """A class in use may not hang from a retired one; it goes to the next one above that is in use."""
    moved = []
    for cls in classes.values():
        parent = cls.parent
        passed: set[str] = set()
        while (
            cls.retired is None and parent in classes and classes[parent].retired is not None and parent not in passed
        ):
            passed.add(parent)
            parent = classes[parent].parent
        moved.append(msgspec.structs.replace(cls, parent=parent))
    return tuple(moved)
