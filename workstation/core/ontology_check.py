"""Whether one version of an ontology is consistent in itself; every fault with its place.

Called when a version is parsed. What only shows beside earlier versions is in ``ontology_history.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from workstation.core.annotation import TargetKind
from workstation.core.ontology import (
    Attribute,
    AttributeType,
    LinkType,
    Names,
    Ontology,
    OntologyClass,
    Retired,
    Surface,
)
from workstation.core.ontology_place import Problem, shown

__all__ = ["RESERVED_KEYS", "Problem", "ontology_problems"]

MAX_TREE_DEPTH = 32
# Letters that drawing, playing and moving about use while a class key may be pressed; Shift+digit picks a camera.
RESERVED_KEYS = frozenset("iorjklgfnmqeu") | {f"Shift+{digit}" for digit in range(1, 10)}
_CODE = re.compile(r"[A-Z][A-Z0-9]{0,11}-[0-9]{1,6}")
_ID = re.compile(r"[a-z][a-z0-9_]*")


def ontology_problems(ontology: Ontology) -> list[Problem]:
    """Everything that is wrong with one version, in the order of the file."""
    return [
        *_id_problems(ontology),
        *_tree_problems(ontology),
        *_class_problems(ontology),
        *_attribute_problems(ontology),
        *_link_type_problems(ontology),
        *_skeleton_problems(ontology),
        *_lexicon_problems(ontology),
        *_rule_problems(ontology),
        *_key_problems(ontology),
    ]


def _repeated(values: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            yield value
        seen.add(value)


def _unknown(place: str, wanted: Sequence[str], known: Collection[str], what: str) -> Iterator[Problem]:
    for index, name in enumerate(wanted):
        if name not in known:
            yield Problem(f"{place}[{index}]", f"there is no {what} {shown(name)}")
    for name in _repeated(wanted):
        yield Problem(place, f"names {shown(name)} twice")


def _name_problems(place: str, names: Names) -> Iterator[Problem]:
    for language, name in names.items():
        if name != name.strip() or "\n" in name or "\t" in name:
            yield Problem(f"{place}.name", f"the name in {language!r} must be one line without blanks around it")


def _retired_problems(
    place: str, own: str, retired: Retired | None, alive: Mapping[str, Retired | None], what: str
) -> Iterator[Problem]:
    if retired is None:
        return
    yield from _unknown(f"{place}.retired.replacements", retired.replacements, alive, what)
    for index, replacement in enumerate(retired.replacements):
        if replacement == own or alive.get(replacement) is not None:
            yield Problem(f"{place}.retired.replacements[{index}]", f"{shown(replacement)} is retired itself")


def _id_problems(ontology: Ontology) -> Iterator[Problem]:
    lists: tuple[tuple[str, Sequence[str]], ...] = (
        ("classes", [item.id for item in ontology.classes]),
        ("attributes", [item.id for item in ontology.attributes]),
        ("link_types", [item.id for item in ontology.link_types]),
        ("skeletons", [item.id for item in ontology.skeletons]),
    )
    for place, ids in lists:
        for item in _repeated(ids):
            yield Problem(f"{place}.{item}", "is defined twice")
        for item in ids:
            # The schema's pattern ends in "$", which lets a final line break through.
            if not _ID.fullmatch(item) or len(item) > 64:
                yield Problem(place, f"{shown(item)} is no id; use small letters, digits and '_', at most 64")
    codes = [item.id for item in ontology.rules] + [item.id for item in ontology.edge_cases]
    for code in _repeated(codes):
        yield Problem(f"edge_cases.{code}", "is defined twice, or is the code of a rule as well")
    for code in codes:
        if not _CODE.fullmatch(code):
            yield Problem("rules", f"{shown(code)} is no code like 'G-12'")


def _tree_problems(ontology: Ontology) -> Iterator[Problem]:
    parents = {cls.id: cls.parent for cls in ontology.classes}
    depth: dict[str, int] = {}
    for start in parents:
        path: list[str] = []
        current: str | None = start
        while current is not None and current not in depth and current not in path:
            path.append(current)
            above = parents[current]
            if above is not None and above not in parents:
                yield Problem(f"classes.{current}.parent", f"there is no class {shown(above)}")
                above = None
            current = above
        if current in path:
            circle = " → ".join([*path[path.index(current) :], current])
            yield Problem(f"classes.{current}.parent", f"the classes run in a circle: {circle}")
            depth.update(dict.fromkeys(path, 0))
            continue
        base = depth[current] if current is not None else 0
        for offset, item in enumerate(reversed(path), 1):
            depth[item] = base + offset
        if path and depth[path[0]] > MAX_TREE_DEPTH:
            yield Problem(f"classes.{path[0]}", f"stands more than {MAX_TREE_DEPTH} classes deep")


def _class_problems(ontology: Ontology) -> Iterator[Problem]:
    alive = {cls.id: cls.retired for cls in ontology.classes}
    skeletons = {item.id for item in ontology.skeletons}
    surfaces = {*ontology.modalities, Surface.SAMPLE}
    if Surface.SAMPLE in ontology.modalities:
        yield Problem("modalities", "'sample' is always there and is no modality")
    yield from _surface_problems("shapes", ontology.shapes, surfaces)
    for cls in ontology.classes:
        place = f"classes.{cls.id}"
        yield from _name_problems(place, cls.names)
        if cls.skeleton is not None and cls.skeleton not in skeletons:
            yield Problem(f"{place}.skeleton", f"there is no skeleton {shown(cls.skeleton)}")
        for field in ("shapes", "modalities", "examples", "not_in"):
            yield from _surface_problems(f"{place}.{field}", getattr(cls, field), surfaces)
        yield from _retired_problems(place, cls.id, cls.retired, alive, "class")
        if cls.retired is None and cls.parent is not None and alive.get(cls.parent) is not None:
            yield Problem(f"{place}.parent", f"{shown(cls.parent)} is retired; move the class first")


def _surface_problems(place: str, table: Mapping[Surface, object], surfaces: Collection[Surface]) -> Iterator[Problem]:
    for surface in table:
        if surface not in surfaces:
            yield Problem(f"{place}.{surface.value}", "is not among the ontology's modalities")


def _attribute_problems(ontology: Ontology) -> Iterator[Problem]:
    classes = {cls.id for cls in ontology.classes}
    for attribute in ontology.attributes:
        place = f"attributes.{attribute.id}"
        yield from _name_problems(place, attribute.names)
        yield from _unknown(f"{place}.applies_to", attribute.applies_to, classes, "class")
        yield from _option_problems(place, attribute)
        yield from _range_problems(place, attribute)
        if attribute.default is not None and not _default_fits(attribute):
            yield Problem(f"{place}.default", "is not a value that the attribute allows")


def _option_problems(place: str, attribute: Attribute) -> Iterator[Problem]:
    choice = attribute.type in (AttributeType.CHOICE, AttributeType.CHOICES)
    alive = {option.id: option.retired for option in attribute.options}
    if choice and all(alive.values()):
        yield Problem(f"{place}.options", "a choice needs at least one option that is in use")
    if not choice and attribute.options:
        yield Problem(f"{place}.options", f"type {attribute.type.value} takes no options")
    for name in _repeated(option.id for option in attribute.options):
        yield Problem(f"{place}.options", f"names {shown(name)} twice")
    for option in attribute.options:
        where = f"{place}.options.{option.id}"
        yield from _name_problems(where, option.names)
        yield from _retired_problems(where, option.id, option.retired, alive, "option")
        if not _ID.fullmatch(option.id):
            yield Problem(f"{place}.options", f"{shown(option.id)} is no id")


def _range_problems(place: str, attribute: Attribute) -> Iterator[Problem]:
    limits = [limit for limit in (attribute.min, attribute.max) if limit is not None]
    if limits and attribute.type not in (AttributeType.INTEGER, AttributeType.NUMBER):
        yield Problem(place, f"type {attribute.type.value} takes no min and max")
    if not all(math.isfinite(limit) for limit in limits):
        yield Problem(place, "min and max must be finite")
    elif len(limits) == 2 and limits[0] > limits[1]:
        yield Problem(place, "min is larger than max")


def _default_fits(attribute: Attribute) -> bool:
    value = attribute.default
    options = {option.id for option in attribute.options if option.retired is None}
    match attribute.type:
        case AttributeType.CHOICE:
            return isinstance(value, str) and value in options
        case AttributeType.CHOICES:
            return isinstance(value, tuple) and options.issuperset(value) and len(set(value)) == len(value)
        case AttributeType.FLAG:
            return isinstance(value, bool)
        case AttributeType.TEXT:
            return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    if attribute.type is AttributeType.INTEGER and not isinstance(value, int):
        return False
    low, high = attribute.min, attribute.max
    return (low is None or value >= low) and (high is None or value <= high)


def _link_type_problems(ontology: Ontology) -> Iterator[Problem]:
    classes = {cls.id for cls in ontology.classes}
    attributes = {attribute.id for attribute in ontology.attributes}
    surfaces = {*ontology.modalities, Surface.SAMPLE}
    alive = {item.id: item.retired for item in ontology.link_types}
    for link_type in ontology.link_types:
        place = f"link_types.{link_type.id}"
        yield from _name_problems(place, link_type.names)
        yield from _unknown(f"{place}.attributes", link_type.attributes, attributes, "attribute")
        yield from _retired_problems(place, link_type.id, link_type.retired, alive, "link type")
        for role in link_type.roles:
            where = f"{place}.roles.{role.id}"
            yield from _unknown(f"{where}.classes", role.classes, classes, "class")
            for index, surface in enumerate(role.streams):
                if surface not in surfaces:
                    yield Problem(f"{where}.streams[{index}]", f"{surface.value!r} is not among the modalities")
            if role.max is not None and role.max < role.min:
                yield Problem(where, "max is smaller than min")
            if not role.targets:
                yield Problem(f"{where}.targets", "names nothing that may fill the role")
        yield from _arity_problems(place, link_type)


def _arity_problems(place: str, link_type: LinkType) -> Iterator[Problem]:
    roles = link_type.roles
    most = sum(1000 if role.max is None else role.max for role in roles)
    if most < 2:
        yield Problem(f"{place}.roles", "a link joins at least two ends")
    if link_type.symmetric and len(roles) != 1:
        yield Problem(f"{place}.symmetric", "a symmetric link has one role that all its ends fill")
    empty_side = [role for role in roles if set(role.targets) <= {TargetKind.STREAM, TargetKind.MODALITY}]
    if link_type.absence and (len(empty_side) != 1 or len(roles) != 2):
        yield Problem(place, "an absence has two roles: what is there, and the stream or modality it is missing from")
    if link_type.absence and link_type.negatable:
        yield Problem(f"{place}.negatable", "an absence cannot be negated")
    if not all(math.isfinite(value) for value in link_type.tolerance.values()):
        yield Problem(f"{place}.tolerance", "must be finite")


def _skeleton_problems(ontology: Ontology) -> Iterator[Problem]:
    for skeleton in ontology.skeletons:
        place = f"skeletons.{skeleton.id}"
        for name in _repeated(skeleton.points):
            yield Problem(f"{place}.points", f"names {shown(name)} twice")
        for field, pairs in (("edges", skeleton.edges), ("mirror", skeleton.mirror)):
            for index, pair in enumerate(pairs):
                if not set(pair) <= set(skeleton.points) or pair[0] == pair[1]:
                    yield Problem(f"{place}.{field}[{index}]", "must join two different points of the skeleton")


def _lexicon_problems(ontology: Ontology) -> Iterator[Problem]:
    classes = {cls.id for cls in ontology.classes}
    seen: set[tuple[str, str, str]] = set()
    for word in ontology.lexicon:
        place = f"lexicon.{word.class_id}.{word.language}"
        if word.class_id not in classes:
            yield Problem(f"lexicon.{word.class_id}", f"there is no class {shown(word.class_id)}")
        if not word.word.strip() or "\n" in word.word or "\t" in word.word:
            yield Problem(f"{place}.{word.relation.value}", "a word must be one line and not blank")
        key = (word.class_id, word.language, " ".join(word.word.casefold().split()))
        if key in seen:
            yield Problem(f"{place}.{word.relation.value}", f"lists {shown(word.word)} twice for the class")
        seen.add(key)
    for origin, table in ontology.mappings.items():
        for value, ids in table.items():
            yield from _unknown(f"mappings.{origin}.{value}", ids, classes, "class")


def _rule_problems(ontology: Ontology) -> Iterator[Problem]:
    classes = {cls.id for cls in ontology.classes}
    link_types = {item.id for item in ontology.link_types}
    rules = {rule.id for rule in ontology.rules}
    for rule in ontology.rules:
        place = f"rules.{rule.id}"
        yield from _unknown(f"{place}.classes", rule.classes, classes, "class")
        yield from _unknown(f"{place}.link_types", rule.link_types, link_types, "link type")
        if rule.limit is not None and not math.isfinite(rule.limit):
            yield Problem(f"{place}.limit", "must be finite")
    for case in ontology.edge_cases:
        place = f"edge_cases.{case.id}"
        yield from _unknown(f"{place}.classes", case.classes, classes, "class")
        yield from _unknown(f"{place}.rules", case.rules, rules, "rule")


def _key_problems(ontology: Ontology) -> Iterator[Problem]:
    groups: tuple[tuple[str, Sequence[OntologyClass | LinkType]], ...] = (
        ("classes", ontology.classes),
        ("link_types", ontology.link_types),
    )
    for place, items in groups:
        taken: dict[str, str] = {}
        for item in items:
            if item.key is None or item.retired is not None:
                continue
            if item.key in RESERVED_KEYS and place == "classes":
                yield Problem(f"{place}.{item.id}.key", f"the key {item.key!r} is taken by the program")
            if item.key in taken:
                yield Problem(f"{place}.{item.id}.key", f"the key {item.key!r} belongs to {taken[item.key]!r} already")
            taken[item.key] = item.id
