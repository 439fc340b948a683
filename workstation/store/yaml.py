"""The strict YAML loader and the one writer: every YAML file the program reads or writes goes through here.

Read as YAML 1.2 core, so ``no`` is a word (and Norway a country), ``010`` is ten and ``12:30`` is text; the library
below speaks 1.1, so only its scanner is used and the values are made here, one event at a time and within limits.
No tags, no merge keys, text keys only, every key once. The result is plain ``dict``, ``list``, ``str``, ``int``,
``float``, ``bool`` and ``None``, a tree even where the file used aliases.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from workstation.core.errors import DataError
from workstation.core.values import dataclass

YamlValue = dict[str, Any] | list[Any] | str | int | float | bool | None

_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_WORDS: dict[str, bool | float | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan,
}  # fmt: skip
_LONGEST_NUMBER = 400
# Everything Unicode calls a control, except tab and line feed; and halves of surrogate pairs, which UTF-8 cannot hold.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Some scanners of older YAML read these as line breaks; quoted, they survive everywhere.
_ODD_BREAKS = re.compile("[\u2028\u2029\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlLimits:
    """How much a file may hold. Aliases count with all they stand for."""

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 64
    max_nodes: int = 500_000
    max_aliases: int = 1_000


DEFAULT_LIMITS = YamlLimits()


def load_yaml(
    data: str | bytes, *, source: str | Path, limits: YamlLimits = DEFAULT_LIMITS, allow_nan: bool = False
) -> YamlValue:
    """The value in ``data``; an empty text is ``None``. Raises ``DataError`` naming ``source``, line and column."""
    text = _decoded(data, source, limits)
    builder = _Builder(source, limits, allow_nan)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        reason = " ".join(part for part in (error.context, error.problem) if part)
        raise DataError(f"not YAML: {reason}", path=source, place=_place(error.problem_mark)) from error
    except yaml.YAMLError as error:
        raise DataError(f"not YAML: {error}", path=source) from error
    return builder.value


def dump_yaml(value: YamlValue) -> str:
    """``value`` as block YAML in its own key order; ``load_yaml`` gives it back. Raises ``DataError`` for what it
    would refuse to read: control characters, NaN and infinity, keys that are not text."""
    return yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, default_flow_style=False, sort_keys=False, width=110, indent=2
    )


def _decoded(data: str | bytes, source: str | Path, limits: YamlLimits) -> str:
    if isinstance(data, bytes):
        _check_size(len(data), source, limits)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise DataError(
                "not UTF-8; save the file as UTF-8 and try again", path=source, place=f"line {line}"
            ) from error
    else:
        text = data
        _check_size(len(text), source, limits)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    unwanted = _UNWANTED.search(text)
    if unwanted:
        line = text.count("\n", 0, unwanted.start()) + 1
        column = unwanted.start() - text.rfind("\n", 0, unwanted.start())
        raise DataError(
            f"holds the control character U+{ord(unwanted.group()):04X}; remove it",
            path=source,
            place=f"line {line}, column {column}",
        )
    return text


def _check_size(size: int, source: str | Path, limits: YamlLimits) -> None:
    if size > limits.max_bytes:
        raise DataError(f"larger than the {limits.max_bytes:,} bytes allowed for such a file", path=source)


def _place(mark: Any) -> str | None:
    return None if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read. ``nodes`` and ``height`` measure it for aliases to come."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None
    nodes: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: YamlValue
    nodes: int
    height: int


class _Builder:
    """Makes the value out of the scanner's events, without recursion, and stops at the first limit reached."""

    def __init__(self, source: str | Path, limits: YamlLimits, allow_nan: bool) -> None:
        self.value: YamlValue = None
        self._source = source
        self._limits = limits
        self._allow_nan = allow_nan
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0
        self._aliases = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Handle one event of the scanner."""
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._stack.pop()
            self._finish(event, done.value, done.anchor, done.nodes, done.height)
        elif isinstance(event, yaml.AliasEvent):
            self._take_alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._take_document(event)

    def _fail(self, event: yaml.Event, reason: str) -> DataError:
        return DataError(reason, path=self._source, place=_place(event.start_mark))

    def _take_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._fail(event, "holds a second document; keep one document in a file")
        if event.tags or (event.version is not None and event.version != (1, 2)):
            raise self._fail(event, "uses a directive; files are read as YAML 1.2 without tags")

    def _check_node(self, event: yaml.NodeEvent, tag: str | None) -> None:
        self._count(event, 1)
        if tag is not None:
            raise self._fail(event, f"uses the tag {tag!r}; write the plain value instead")

    def _count(self, event: yaml.Event, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.max_nodes:
            raise self._fail(event, f"holds more than the {self._limits.max_nodes:,} values allowed")

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        self._check_node(event, event.tag)
        if len(self._stack) >= self._limits.max_depth:
            raise self._fail(event, f"is nested deeper than the {self._limits.max_depth} levels allowed")
        mapping = isinstance(event, yaml.MappingStartEvent)
        if self._stack and self._expects_key(self._stack[-1]):
            raise self._fail(event, "uses a list or mapping as a key; keys must be text")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Open({} if mapping else [], event.anchor))

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        self._check_node(event, event.tag)
        text: str = event.value
        unwanted = _UNWANTED.search(text)
        if unwanted:
            raise self._fail(event, f"holds the control character U+{ord(unwanted.group()):04X}; remove it")
        plain = bool(event.implicit[0])
        if plain and text == "<<" and self._stack and self._expects_key(self._stack[-1]):
            raise self._fail(event, "uses a merge key '<<'; write the values out")
        value = self._plain_value(event, text) if plain else text
        self._finish(event, value, event.anchor, 1, 0)

    def _plain_value(self, event: yaml.ScalarEvent, text: str) -> YamlValue:
        value = core_value(text)
        if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
            raise self._fail(event, "holds a whole number of more than 64 bits; put it in quotes")
        if isinstance(value, float) and not math.isfinite(value) and not self._allow_nan:
            raise self._fail(
                event, f"holds {text[:40]!r}, which is not a finite number; put it in quotes if it is text"
            )
        return value

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        self._aliases += 1
        if self._aliases > self._limits.max_aliases:
            raise self._fail(event, f"uses more than the {self._limits.max_aliases:,} aliases allowed")
        if event.anchor not in self._anchors:
            raise self._fail(event, f"uses the alias '*{event.anchor}' before anything is named '&{event.anchor}'")
        found = self._anchors[event.anchor]
        if found is None:
            raise self._fail(event, f"uses the alias '*{event.anchor}' inside itself")
        self._count(event, found.nodes)
        if len(self._stack) + found.height > self._limits.max_depth:
            raise self._fail(event, f"is nested deeper than the {self._limits.max_depth} levels allowed")
        self._finish(event, _copy(found.value), None, found.nodes, found.height)

    @staticmethod
    def _expects_key(parent: _Open) -> bool:
        return isinstance(parent.value, dict) and parent.key is None

    def _finish(self, event: yaml.Event, value: YamlValue, anchor: str | None, nodes: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, nodes, height)
        if not self._stack:
            self.value = value
            return
        parent = self._stack[-1]
        parent.nodes += nodes
        parent.height = max(parent.height, height + 1)
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = self._checked_key(event, parent.value, value)
        else:
            parent.value[parent.key] = value
            parent.key = None

    def _checked_key(self, event: yaml.Event, mapping: dict[str, Any], key: YamlValue) -> str:
        if not isinstance(key, str):
            raise self._fail(event, f"uses {_shown(key)} as a key; put it in quotes to make it text")
        if key in mapping:
            raise self._fail(event, f"names the key {_shown(key)} twice in one mapping")
        return key


def _shown(value: YamlValue) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _copy(value: YamlValue) -> YamlValue:
    """A tree of its own, so that changing one use of an alias does not change the others; depth is limited already."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def core_value(text: str) -> str | int | float | bool | None:
    """What an unquoted word means in YAML 1.2 core. Numbers of absurd length stay text."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first not in "0123456789+-." or len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return -math.inf if first == "-" else math.inf
    return text


class _Dumper(yaml.SafeDumper):
    """Block style, no aliases, quotes wherever YAML 1.1 or 1.2 would see something other than text."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    unwanted = _UNWANTED.search(text)
    if unwanted:
        raise DataError(f"text with the control character U+{ord(unwanted.group()):04X} cannot be written as YAML")
    style = None
    if _ODD_BREAKS.search(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    elif not isinstance(core_value(text), str) or text == "<<":
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_float(dumper: _Dumper, number: float) -> yaml.ScalarNode:
    if not math.isfinite(number):
        raise DataError(f"the number {number} cannot be written as YAML")
    text = repr(number)
    # YAML 1.1 needs a point and a signed exponent to see a number.
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


def _represent_mapping(dumper: _Dumper, mapping: dict[str, Any]) -> yaml.MappingNode:
    for key in mapping:
        if not isinstance(key, str):
            raise DataError(f"the key {key!r} is not text and cannot be written as YAML")
    return dumper.represent_mapping("tag:yaml.org,2002:map", mapping.items())


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_float)
_Dumper.add_representer(dict, _represent_mapping)
