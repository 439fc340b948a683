"""From the plain object of a YAML or JSON file to an ``Ontology``, and back.

Called with what ``store/yaml.py`` read; raises ``DataError`` naming the file and the place (``classes.car.name``).
The way back writes what a lead would write: classes nested, options by id, nothing that only repeats a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from workstation.core import ontology_form as form
from workstation.core.errors import DataError
from workstation.core.ontology import (
    Attribute,
    EdgeCase,
    EndRole,
    LinkType,
    Names,
    Ontology,
    OntologyClass,
    Option,
    Retired,
    Rule,
    Skeleton,
    Word,
    WordPolicy,
    WordRelation,
)
from workstation.core.ontology_check import Problem, ontology_problems
from workstation.core.ontology_place import place_of_error, plain_problems

USUAL_POLICY = {
    WordRelation.SYNONYMS: WordPolicy.SAME,
    WordRelation.NARROWER: WordPolicy.ALLOWED,
    WordRelation.BROADER: WordPolicy.WARN,
    WordRelation.RELATED: WordPolicy.WARN,
}
# Ids are unique in the tree, so a class is named without the ones above it, wherever the file puts it.
_NESTED = re.compile(r"^classes\..*\.children\.([^.]+)")
_VERSION_LINE = re.compile(r"^version[ \t]*:[^\n]*$", re.MULTILINE)
# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_LEARNT = msgspec.json.Decoder(form.OntologyForm)


def parse_ontology(plain: object, *, source: str | Path) -> Ontology:
    """The ontology of a parsed file, complete and consistent, or a ``DataError`` for its first fault."""
    ontology, problems = read_ontology(plain, source=source)
    if problems:
        first, more = problems[0], len(problems) - 1
        rest = f" (and {more} more)" if more else ""
        raise DataError(first.reason + rest, path=source, place=first.place)
    return ontology


def read_ontology(plain: object, *, source: str | Path) -> tuple[Ontology, list[Problem]]:
    """The ontology with every inconsistency found in it; a ``DataError`` if it has not even the right form."""
    for problem in plain_problems(plain):
        raise DataError(problem.reason, path=source, place=problem.place)
    try:
        parsed = msgspec.convert(plain, form.OntologyForm)
    except msgspec.ValidationError as error:
        place, reason = place_of_error(plain, form.OntologyForm, error)
        raise DataError(reason, path=source, place=_NESTED.sub(r"classes.\1", place)) from error
    reader = _Reader(parsed, source)
    ontology = reader.ontology()
    return ontology, [*reader.problems, *ontology_problems(ontology)]


class _Reader:
    """Turns the form into values; collects what is wrong but does not stop the reading."""

    def __init__(self, parsed: form.OntologyForm, source: str | Path) -> None:
        self.problems: list[Problem] = []
        self._form = parsed
        self._source = source
        self._extra_applies: dict[str, list[str]] = {}

    def ontology(self) -> Ontology:
        parsed = self._form
        classes = tuple(self._classes())
        return Ontology(
            name=parsed.name,
            language=parsed.language,
            version=parsed.version,
            description=parsed.description,
            modalities=tuple(parsed.modalities),
            shapes={surface: tuple(kinds) for surface, kinds in parsed.shapes.items()},
            classes=_from_the_top(classes),
            attributes=tuple(self._attribute(key, item) for key, item in parsed.attributes.items()),
            link_types=tuple(self._link_type(key, item) for key, item in parsed.link_types.items()),
            skeletons=tuple(_skeleton(key, item) for key, item in parsed.skeletons.items()),
            lexicon=tuple(_words(parsed.lexicon)),
            rules=tuple(_rule(key, item) for key, item in parsed.rules.items()),
            edge_cases=tuple(_edge_case(key, item) for key, item in parsed.edge_cases.items()),
            mappings={
                origin: {value: (ids,) if isinstance(ids, str) else tuple(ids) for value, ids in table.items()}
                for origin, table in parsed.mappings.items()
            },
        )

    def _names(self, given: str | dict[str, str] | None, key: str, place: str) -> Names:
        language = self._form.language
        if given is None:
            return {language: key.replace("_", " ").capitalize()}
        if isinstance(given, str):
            return {language: given}
        if language not in given:
            self.problems.append(Problem(f"{place}.name", f"lacks the name in {language!r}, the ontology's language"))
        return {code: given[code] for code in sorted(given, key=lambda code: code != language)}

    def _classes(self) -> Iterator[OntologyClass]:
        seen: dict[str, str | None] = {}
        pending = [(key, item, None) for key, item in reversed(self._form.classes.items())]
        stack: list[tuple[str, form.ClassForm | None, str | None]] = [*pending]
        while stack:
            key, found, above = stack.pop()
            item = found or form.ClassForm()
            place = f"classes.{key}"
            if key in seen:
                where = f"under {seen[key]!r}" if seen[key] else "at the top"
                raise DataError(f"the class is defined twice, first {where}", path=self._source, place=place)
            if above is not None and item.parent is not None and item.parent != above:
                self.problems.append(Problem(f"{place}.parent", f"says {item.parent!r} but stands below {above!r}"))
            parent = above if above is not None else item.parent
            seen[key] = parent
            for index, attribute in enumerate(item.attributes):
                if attribute not in self._form.attributes:
                    self.problems.append(
                        Problem(f"{place}.attributes[{index}]", f"there is no attribute {attribute!r}")
                    )
                self._extra_applies.setdefault(attribute, []).append(key)
            stack.extend((child, below, key) for child, below in reversed(item.children.items()))
            yield self._class(key, item, parent)

    def _class(self, key: str, item: form.ClassForm, parent: str | None) -> OntologyClass:
        return OntologyClass(
            id=key,
            names=self._names(item.name, key, f"classes.{key}"),
            parent=parent,
            definition=item.definition,
            colour=item.colour.lower() if item.colour else None,
            mark=item.mark,
            pattern=item.pattern,
            key=item.key,
            deformable=item.deformable,
            proposals=item.proposals,
            usual_size_m=item.usual_size_m,
            skeleton=item.skeleton,
            shapes={surface: tuple(kinds) for surface, kinds in item.shapes.items()},
            modalities=item.modalities,
            examples=item.examples,
            not_in=item.not_in,
            retired=_retired(item.retired),
        )

    def _attribute(self, key: str, item: form.AttributeForm) -> Attribute:
        place = f"attributes.{key}"
        options = item.options
        pairs = options.items() if isinstance(options, dict) else ((option, None) for option in options)
        applies = [*item.applies_to, *self._extra_applies.get(key, [])]
        return Attribute(
            id=key,
            names=self._names(item.name, key, place),
            type=item.type,
            definition=item.definition,
            options=tuple(self._option(option, found, place) for option, found in pairs),
            applies_to=tuple(dict.fromkeys(applies)),
            required=item.required,
            per_stream=item.per_stream,
            over_time=item.over_time,
            default=tuple(item.default) if isinstance(item.default, list) else item.default,
            min=item.min,
            max=item.max,
            unit=item.unit,
            retired=_retired(item.retired),
        )

    def _option(self, key: str, found: str | form.OptionForm | None, place: str) -> Option:
        item = found if isinstance(found, form.OptionForm) else form.OptionForm(name=found)
        names = self._names(item.name, key, f"{place}.options.{key}")
        return Option(id=key, names=names, definition=item.definition, retired=_retired(item.retired))

    def _link_type(self, key: str, item: form.LinkTypeForm) -> LinkType:
        place = f"link_types.{key}"
        reasons = item.reasons if isinstance(item.reasons, dict) else dict.fromkeys(item.reasons)
        return LinkType(
            id=key,
            names=self._names(item.name, key, place),
            roles=tuple(self._role(role, found or form.RoleForm(), place) for role, found in item.roles.items()),
            definition=item.definition,
            symmetric=item.symmetric,
            absence=item.absence,
            negatable=item.negatable,
            tolerance=item.tolerance,
            reasons={reason: name or reason.replace("_", " ").capitalize() for reason, name in reasons.items()},
            attributes=tuple(item.attributes),
            key=item.key,
            colour=item.colour.lower() if item.colour else None,
            retired=_retired(item.retired),
        )

    def _role(self, key: str, item: form.RoleForm, place: str) -> EndRole:
        return EndRole(
            id=key,
            names=self._names(item.name, key, f"{place}.roles.{key}"),
            min=item.min,
            max=item.max,
            targets=item.targets,
            classes=tuple(item.classes),
            shapes=tuple(item.shapes),
            streams=tuple(item.streams),
        )


def _from_the_top(classes: tuple[OntologyClass, ...]) -> tuple[OntologyClass, ...]:
    """Every class after the one above it, its own line together; however the file arranged them."""
    below: dict[str | None, list[OntologyClass]] = {}
    ids = {cls.id for cls in classes}
    for cls in classes:
        below.setdefault(cls.parent if cls.parent in ids else None, []).append(cls)
    ordered: list[OntologyClass] = []
    stack = list(reversed(below.get(None, [])))
    while stack:
        cls = stack.pop()
        ordered.append(cls)
        stack.extend(reversed(below.get(cls.id, [])))
    # A circle hangs from no top; it is kept, so that the check can name it.
    placed = {cls.id for cls in ordered}
    return (*ordered, *(cls for cls in classes if cls.id not in placed))


def _retired(item: form.RetiredForm | None) -> Retired | None:
    if item is None:
        return None
    return Retired(reason=item.reason, replacements=tuple(item.replacements), since=item.since)


def _skeleton(key: str, item: form.SkeletonForm) -> Skeleton:
    return Skeleton(id=key, points=tuple(item.points), edges=tuple(item.edges), mirror=tuple(item.mirror))


def _words(lexicon: Mapping[str, Mapping[str, form.WordsForm]]) -> Iterator[Word]:
    for class_id, languages in lexicon.items():
        for language, words in languages.items():
            for relation in WordRelation:
                for entry in getattr(words, relation.value):
                    plain = isinstance(entry, str)
                    yield Word(
                        class_id=class_id,
                        language=language,
                        word=entry if plain else entry.word,
                        relation=relation,
                        policy=USUAL_POLICY[relation] if plain else entry.policy,
                    )


def _rule(key: str, item: form.RuleForm) -> Rule:
    return Rule(
        id=key,
        title=item.title,
        text=item.text,
        error_type=item.error_type,
        severity=item.severity,
        limit=item.limit,
        unit=item.unit,
        classes=tuple(item.classes),
        link_types=tuple(item.link_types),
        retired=_retired(item.retired),
    )


def _edge_case(key: str, item: form.EdgeCaseForm) -> EdgeCase:
    return EdgeCase(
        id=key,
        text=item.text,
        title=item.title,
        classes=tuple(item.classes),
        rules=tuple(item.rules),
        retired=_retired(item.retired),
    )


def with_version(text: str, version: int) -> str:
    """The YAML text with its top-level ``version`` set, comments and everything else as it was."""
    line = f"version: {version}"
    changed, count = _VERSION_LINE.subn(line, text, count=1)
    return changed if count else f"{line}\n{text}"


def ontology_to_plain(ontology: Ontology) -> dict[str, Any]:
    """The plain object of ``ontology.yaml``; ``parse_ontology`` gives the same ontology back."""
    below: dict[str | None, list[OntologyClass]] = {}
    for cls in ontology.classes:
        below.setdefault(cls.parent, []).append(cls)
    lexicon: dict[str, Any] = {}
    for word in ontology.lexicon:
        usual = word.policy is USUAL_POLICY[word.relation]
        words = lexicon.setdefault(word.class_id, {}).setdefault(word.language, {})
        words.setdefault(word.relation.value, []).append(
            word.word if usual else {"word": word.word, "policy": word.policy.value}
        )
    return _without_empty(
        {
            "version": ontology.version,
            "name": ontology.name,
            "language": ontology.language,
            "description": ontology.description,
            "modalities": msgspec.to_builtins(ontology.modalities),
            "shapes": msgspec.to_builtins(ontology.shapes),
            "attributes": {item.id: _attribute_plain(item) for item in ontology.attributes},
            "skeletons": _by_id(ontology.skeletons),
            "link_types": {item.id: _link_type_plain(item) for item in ontology.link_types},
            "rules": _by_id(ontology.rules),
            "edge_cases": _by_id(ontology.edge_cases),
            "lexicon": lexicon,
            "mappings": {
                origin: {value: ids[0] if len(ids) == 1 else list(ids) for value, ids in table.items()}
                for origin, table in ontology.mappings.items()
            },
        }
    ) | {"classes": _class_tree(below)}


def _class_tree(below: Mapping[str | None, list[OntologyClass]]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    stack: list[tuple[str | None, dict[str, Any]]] = [(None, root)]
    while stack:
        parent, level = stack.pop()
        for cls in below.get(parent, []):
            item = _named(cls)
            item.pop("parent", None)
            level[cls.id] = item
            if cls.id in below:
                item["children"] = {}
                stack.append((cls.id, item["children"]))
    return root


def _named(item: msgspec.Struct) -> dict[str, Any]:
    """A part without its id, with ``names`` as the form writes it."""
    plain: dict[str, Any] = msgspec.to_builtins(item)
    plain.pop("id")
    names = plain.pop("names")
    return {"name": next(iter(names.values())) if len(names) == 1 else names, **plain}


def _by_id(items: Iterable[Any]) -> dict[str, Any]:
    plain = {item.id: msgspec.to_builtins(item) for item in items}
    for item in plain.values():
        item.pop("id")
    return plain


def _attribute_plain(attribute: Attribute) -> dict[str, Any]:
    plain = _named(attribute)
    if attribute.options:
        options = {option.id: _named(option) for option in attribute.options}
        plain["options"] = {
            key: item["name"] if set(item) == {"name"} and isinstance(item["name"], str) else item
            for key, item in options.items()
        }
    return plain


def _link_type_plain(link_type: LinkType) -> dict[str, Any]:
    return _named(link_type) | {"roles": {role.id: _named(role) for role in link_type.roles}}


def _without_empty(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if value not in ("", {}, [])}
