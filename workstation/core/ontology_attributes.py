"""Whether the attribute values of a record are ones that its class allows. Used by ``ontology_compile.py``.

One small function per attribute is made beforehand, because the gate asks tens of thousands of times a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from workstation.core.annotation import Attributes, AttributeValue
from workstation.core.ontology import Attribute, AttributeType

ValueCheck = Callable[[AttributeValue], str | None]
_LONGEST_TEXT = 20_000
_NOTHING: Attributes = {}


class CompiledAttribute(NamedTuple):
    """An attribute with its ready-made check; ``check`` gives the reason why a value does not fit, or nothing."""

    attribute: Attribute
    check: ValueCheck
    retired_options: frozenset[str]


class AttributeSet(NamedTuple):
    """The attributes of one class (or link type): all of them, and those that a finished label must have."""

    by_id: Mapping[str, CompiledAttribute]
    required_per_stream: tuple[str, ...]
    required_of_thing: tuple[str, ...]


def compile_attribute(attribute: Attribute) -> CompiledAttribute:
    """The attribute with a check of its type, options and limits."""
    retired = frozenset(option.id for option in attribute.options if option.retired is not None)
    return CompiledAttribute(attribute, _value_check(attribute), retired)


def attribute_set(attributes: tuple[CompiledAttribute, ...]) -> AttributeSet:
    """What a class or link type that has these attributes may and must carry."""
    required = [item.attribute for item in attributes if item.attribute.required and not item.attribute.retired]
    return AttributeSet(
        {item.attribute.id: item for item in attributes},
        tuple(item.id for item in required if item.per_stream),
        tuple(item.id for item in required if not item.per_stream),
    )


def value_problems(
    given: Attributes,
    allowed: AttributeSet,
    owner: str,
    *,
    previous: Attributes = _NOTHING,
    known: Mapping[str, object],
) -> list[str]:
    """One sentence per value that does not fit. Retired attributes and options may stay where they already are."""
    problems = []
    for name, value in given.items():
        item = allowed.by_id.get(name)
        if item is None:
            what = f"{owner} has no attribute '{name}'" if name in known else f"there is no attribute '{name}'"
            problems.append(f"{what}; choose one of: {', '.join(allowed.by_id) or 'none'}")
            continue
        reason = item.check(value)
        if reason is not None:
            problems.append(f"attribute '{name}' {reason}")
        elif (item.attribute.retired or item.retired_options) and previous.get(name) != value:
            problems.extend(_retired_problems(name, value, item, previous.get(name)))
    return problems


def _retired_problems(
    name: str, value: AttributeValue, item: CompiledAttribute, before: AttributeValue | None
) -> list[str]:
    if item.attribute.retired:
        return [f"attribute '{name}' is retired; {_instead(item.attribute.retired.replacements)}"]
    chosen = {value} if isinstance(value, str) else set(value) if isinstance(value, tuple) else set()
    kept = {before} if isinstance(before, str) else set(before) if isinstance(before, tuple) else set()
    options = {option.id: option.retired for option in item.attribute.options}
    problems = []
    for option in sorted((chosen & item.retired_options) - kept):
        retired = options[option]
        instead = _instead(retired.replacements if retired else ())
        problems.append(f"option '{option}' of attribute '{name}' is retired; {instead}")
    return problems


def _instead(replacements: tuple[str, ...]) -> str:
    return f"use {' or '.join(map(repr, replacements))}" if replacements else "leave it out"


def _value_check(attribute: Attribute) -> ValueCheck:
    match attribute.type:
        case AttributeType.CHOICE:
            return _choice_check(attribute)
        case AttributeType.CHOICES:
            return _choices_check(attribute)
        case AttributeType.FLAG:
            return lambda value: None if isinstance(value, bool) else f"is true or false, not {value!r:.60}"
        case AttributeType.TEXT:
            return _text_problem
        case AttributeType.INTEGER | AttributeType.NUMBER:
            return _number_check(attribute)


def _choice_check(attribute: Attribute) -> ValueCheck:
    options = frozenset(option.id for option in attribute.options)
    listing = ", ".join(option.id for option in attribute.options if option.retired is None)

    def check(value: AttributeValue) -> str | None:
        if isinstance(value, str) and value in options:
            return None
        return f"has no option {value!r:.60}; choose one of: {listing}"

    return check


def _choices_check(attribute: Attribute) -> ValueCheck:
    options = frozenset(option.id for option in attribute.options)
    listing = ", ".join(option.id for option in attribute.options if option.retired is None)

    def check(value: AttributeValue) -> str | None:
        if not isinstance(value, tuple):
            return f"is a list of options, not {value!r:.60}"
        if len(set(value)) != len(value):
            return "names one option twice"
        wrong = [item for item in value if item not in options]
        return f"has no option {wrong[0]!r:.60}; choose among: {listing}" if wrong else None

    return check


def _text_problem(value: AttributeValue) -> str | None:
    if not isinstance(value, str):
        return f"is text, not {value!r:.60}"
    return f"is longer than {_LONGEST_TEXT:,} characters" if len(value) > _LONGEST_TEXT else None


def _number_check(attribute: Attribute) -> ValueCheck:
    whole = attribute.type is AttributeType.INTEGER
    low = -math.inf if attribute.min is None else attribute.min
    high = math.inf if attribute.max is None else attribute.max
    unit = f" {attribute.unit}" if attribute.unit else ""

    def check(value: AttributeValue) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            return f"is a {'whole ' if whole else ''}number, not {value!r:.60}"
        if not math.isfinite(value):
            return "must be finite"
        if low <= value <= high:
            return None
        return f"is {value:g}{unit}, outside of {low:g} to {high:g}{unit}"

    return check
