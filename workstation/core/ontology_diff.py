"""What changed between two versions of an ontology, in words.

Printed by ``workstation ontology diff``, shown before a version is locked, and listed with the guideline's changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from workstation.core.ontology import Attribute, LinkType, Ontology, OntologyClass, Retired


class DifferenceKind(StrEnum):
    """What happened to a part of the ontology."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    MOVED = "moved"
    RETIRED = "retired"
    CHANGED = "changed"


class Difference(NamedTuple):
    """One change: its kind, the place as in the file (``classes.car``), and the sentence."""

    kind: DifferenceKind
    place: str
    text: str


_TOP = ("name", "language", "description", "modalities", "shapes")
_LONGEST = 60


def diff_ontologies(old: Ontology, new: Ontology) -> list[Difference]:
    """Every difference, in the order of the file; the version number itself is none."""
    return [
        *_fields("", "the ontology", old, new, only=_TOP),
        *_items("classes", "class", old.classes, new.classes, _class_differences),
        *_items("attributes", "attribute", old.attributes, new.attributes, _attribute_differences),
        *_items("skeletons", "skeleton", old.skeletons, new.skeletons, None),
        *_items("link_types", "link type", old.link_types, new.link_types, _link_type_differences),
        *_items("rules", "rule", old.rules, new.rules, None),
        *_items("edge_cases", "edge case", old.edge_cases, new.edge_cases, None),
        *_lexicon_differences(old, new),
        *_mapping_differences(old, new),
    ]


def _items(place: str, what: str, old: Iterable[Any], new: Iterable[Any], deeper: Any) -> Iterator[Difference]:
    before = {item.id: item for item in old}
    after = {item.id: item for item in new}
    for item_id in before:
        if item_id not in after:
            yield Difference(DifferenceKind.REMOVED, f"{place}.{item_id}", f"{what} '{item_id}' removed")
    for item_id, item in after.items():
        where = f"{place}.{item_id}"
        if item_id not in before:
            yield Difference(DifferenceKind.ADDED, where, f"{what} '{item_id}' added{_position(item)}")
        elif before[item_id] != item:
            name = f"{what} '{item_id}'"
            yield from _common_differences(where, name, before[item_id], item)
            if deeper is not None:
                yield from deeper(where, name, before[item_id], item)
    stayed = {
        item_id for item_id, item in before.items() if item_id in after and _level(item) == _level(after[item_id])
    }
    for level in dict.fromkeys(_level(item) for item in after.values()):
        if _order(before, stayed, level) != _order(after, stayed, level):
            below = f" below '{level}'" if level else ""
            yield Difference(DifferenceKind.CHANGED, place, f"the order of {place.replace('_', ' ')}{below} changed")


def _level(item: Any) -> str | None:
    return item.parent if isinstance(item, OntologyClass) else None


def _order(items: Mapping[str, Any], stayed: set[str], level: str | None) -> list[str]:
    return [item_id for item_id, item in items.items() if item_id in stayed and _level(item) == level]


def _position(item: Any) -> str:
    if isinstance(item, OntologyClass):
        return f" below '{item.parent}'" if item.parent else " at the top"
    return f" to {', '.join(item.applies_to)}" if isinstance(item, Attribute) and item.applies_to else ""


def _common_differences(where: str, name: str, old: Any, new: Any) -> Iterator[Difference]:
    """Names and retirement first, since they have kinds of their own; then every other field."""
    if hasattr(new, "names"):
        for language in {**old.names, **new.names}:
            was, now = old.names.get(language), new.names.get(language)
            if was != now:
                text = f"{name} renamed ({language}): {_shown(was)} → {_shown(now)}"
                yield Difference(DifferenceKind.RENAMED, where, text)
    if hasattr(new, "retired") and old.retired != new.retired:
        yield _retired_difference(where, name, old.retired, new.retired)
    skip = {"id", "names", "retired", "parent", "options", "roles"}
    yield from _fields(where, name, old, new, only=tuple(f for f in new.__struct_fields__ if f not in skip))


def _retired_difference(where: str, name: str, old: Retired | None, new: Retired | None) -> Difference:
    if new is None:
        return Difference(DifferenceKind.CHANGED, where, f"{name} is no longer retired")
    if old is not None:
        return Difference(DifferenceKind.CHANGED, where, f"{name}: reason or replacements of its retirement changed")
    instead = f"; instead: {', '.join(new.replacements)}" if new.replacements else ""
    return Difference(DifferenceKind.RETIRED, where, f"{name} retired{instead}")


def _class_differences(where: str, name: str, old: OntologyClass, new: OntologyClass) -> Iterator[Difference]:
    if old.parent != new.parent:
        was, now = (f"below '{parent}'" if parent else "the top" for parent in (old.parent, new.parent))
        yield Difference(DifferenceKind.MOVED, where, f"{name} moved from {was} to {now}")


def _attribute_differences(where: str, name: str, old: Attribute, new: Attribute) -> Iterator[Difference]:
    yield from _parts(f"{where}.options", f"{name}: option", old.options, new.options)


def _link_type_differences(where: str, name: str, old: LinkType, new: LinkType) -> Iterator[Difference]:
    yield from _parts(f"{where}.roles", f"{name}: role", old.roles, new.roles)


def _parts(place: str, what: str, old: Iterable[Any], new: Iterable[Any]) -> Iterator[Difference]:
    yield from _items(place, what, old, new, None)


def _fields(where: str, name: str, old: Any, new: Any, *, only: Iterable[str]) -> Iterator[Difference]:
    for field in only:
        was, now = getattr(old, field), getattr(new, field)
        if was == now:
            # Mappings compare equal in any order; the order of shapes and names carries no meaning.
            continue
        yield Difference(DifferenceKind.CHANGED, where, f"{name}: {field.replace('_', ' ')} {_change(was, now)}")


def _change(was: Any, now: Any) -> str:
    if isinstance(was, tuple) and isinstance(now, tuple):
        gone = [_shown(item) for item in was if item not in now]
        come = [_shown(item) for item in now if item not in was]
        parts = [f"without {', '.join(gone)}"] * bool(gone) + [f"with {', '.join(come)}"] * bool(come)
        return f"now {' and '.join(parts)}" if parts else "in another order"
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        keys = [key for key in {**was, **now} if was.get(key) != now.get(key)]
        return "; ".join(f"{_shown(key)}: {_shown(was.get(key))} → {_shown(now.get(key))}" for key in keys)
    return f"{_shown(was)} → {_shown(now)}"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, tuple):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, StrEnum) or not isinstance(value, str):
        plain = msgspec.to_builtins(value)
        return str(plain) if not isinstance(plain, bool) else ("yes" if plain else "no")
    text = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
    return f"'{text}'"


def _lexicon_differences(old: Ontology, new: Ontology) -> Iterator[Difference]:
    before = {(word.class_id, word.language, word.word): word for word in old.lexicon}
    after = {(word.class_id, word.language, word.word): word for word in new.lexicon}
    for key, word in {**before, **after}.items():
        class_id, language, text = key
        where = f"lexicon.{class_id}.{language}"
        if key not in after:
            yield Difference(DifferenceKind.REMOVED, where, f"word '{text}' ({language}) removed from '{class_id}'")
        elif key not in before:
            what = f"word '{text}' ({language}) added to '{class_id}': {word.relation.value}, {word.policy.value}"
            yield Difference(DifferenceKind.ADDED, where, what)
        elif before[key] != word:
            was = before[key]
            change = f"{was.relation.value}, {was.policy.value} → {word.relation.value}, {word.policy.value}"
            yield Difference(DifferenceKind.CHANGED, where, f"word '{text}' ({language}) of '{class_id}': {change}")
    if set(before) == set(after) and list(before) != list(after):
        yield Difference(DifferenceKind.CHANGED, "lexicon", "the order of the lexicon changed")


def _mapping_differences(old: Ontology, new: Ontology) -> Iterator[Difference]:
    for origin in {**old.mappings, **new.mappings}:
        was, now = old.mappings.get(origin, {}), new.mappings.get(origin, {})
        for value in {**was, **now}:
            if was.get(value) == now.get(value):
                continue
            kind = DifferenceKind.ADDED if value not in was else (
                DifferenceKind.REMOVED if value not in now else DifferenceKind.CHANGED
            )  # fmt: skip
            text = f"{origin}: '{value}' is read as {_shown(now.get(value))}, before {_shown(was.get(value))}"
            yield Difference(kind, f"mappings.{origin}", text)
