"""Reads what other people's files say: JSON within bounds, exact times, paths that must stay in their folder.

Called by readers, data set plug-ins and importers. Everything that is wrong is a ``DataError`` that names the file
and the place in it; nothing here follows a path out of the folder it was given or builds what a file only claims.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NoReturn

from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.timerange import LIMIT_NS, SECOND_NS

MOST_JSON_BYTES = 256 << 20
_MOST_DIGITS = 18
_DEEPEST = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A value of a foreign file and where it stands, for asking it to be what it should be."""

    value: object
    path: Path | str
    place: str = ""

    def __getitem__(self, key: str | int) -> Found:
        """The value under a key or at an index, which must be there."""
        inner = self.get(key)
        if inner is None:
            self.fail(f"lacks {key!r}" if isinstance(key, str) else f"has no item {key}")
        return inner

    def get(self, key: str | int) -> Found | None:
        """The value there; ``None`` if it is absent or null."""
        place = f"{self.place}.{key}".lstrip(".") if isinstance(key, str) else f"{self.place}[{key}]"
        if isinstance(key, str):
            inner = self.mapping().get(key)
        else:
            items = self.items()
            inner = items[key] if 0 <= key < len(items) else None
        return None if inner is None else Found(inner, self.path, place)

    def has(self, *keys: str) -> bool:
        """Whether this is an object with all these keys."""
        return isinstance(self.value, dict) and all(key in self.value for key in keys)

    def __iter__(self) -> Iterator[Found]:
        return (Found(inner, self.path, f"{self.place}[{i}]") for i, inner in enumerate(self.items()))

    def mapping(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            self.fail(f"must be an object, not {_word(self.value)}")
        return self.value

    def items(self) -> list[object]:
        if not isinstance(self.value, list):
            self.fail(f"must be a list, not {_word(self.value)}")
        return self.value

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.fail(f"must be text, not {_word(self.value)}")
        return self.value

    def number(self) -> float:
        """A finite number; text that holds one counts, as some recognisers write it."""
        number = self.decimal()
        value = float(number)
        if not math.isfinite(value):
            self.fail(f"{number} is no usable number")
        return value

    def whole(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.fail(f"must be a whole number, not {_word(self.value)}")
        return self.value

    def decimal(self) -> Decimal:
        """Exactly the number written there."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            self.fail(f"must be a number, not {_word(value)}")
        try:
            number = Decimal(value)
        except (InvalidOperation, ValueError):
            self.fail(f"must be a number, not {str(value)[:40]!r}")
        if not number.is_finite():
            self.fail(f"{number} is no usable number")
        return number

    def numbers(self, count: int | None = None) -> tuple[float, ...]:
        """A list of finite numbers, of that length if one is given."""
        values = tuple(inner.number() for inner in self)
        if count is not None and len(values) != count:
            self.fail(f"must be {count} numbers, not {len(values)}")
        return values

    def seconds_ns(self) -> int:
        """Seconds as nanoseconds, rounded once from exactly what is written."""
        return self._scaled_ns(SECOND_NS)

    def milliseconds_ns(self) -> int:
        """Milliseconds as nanoseconds."""
        return self._scaled_ns(1_000_000)

    def ticks_ns(self) -> int:
        """Units of 100 ns as nanoseconds."""
        return self._scaled_ns(100)

    def fail(self, reason: str) -> NoReturn:
        raise DataError(reason, path=self.path, place=self.place or None)

    def _scaled_ns(self, unit_ns: int) -> int:
        number = self.decimal()
        # The first test comes before a huge exponent becomes a huge integer.
        time_ns = LIMIT_NS if number.adjusted() > _MOST_DIGITS else int((number * unit_ns + Decimal("0.5")).__floor__())
        if abs(time_ns) >= LIMIT_NS:
            self.fail(f"{str(number)[:40]} is no usable time; check the unit and the clock's epoch")
        return time_ns


def _word(value: object) -> str:
    words = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return words.get(type(value), "a number")


def parse_json(data: bytes | str, *, path: Path | str, place: str = "") -> Found:
    """JSON with its numbers exactly as written (``Decimal`` for fractions). NaN is kept for ``number`` to refuse."""
    try:
        value = json.loads(data, parse_float=Decimal)
    except json.JSONDecodeError as error:
        where = place or f"line {error.lineno}"
        raise DataError(f"is not JSON: {error.msg}", path=path, place=where) from error
    except UnicodeDecodeError as error:
        raise DataError("is not JSON: it is not UTF-8", path=path, place=place or None) from error
    except (RecursionError, ValueError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"
        raise DataError(f"is not usable JSON: {reason}", path=path, place=place or None) from error
    _check_depth(value, path, place)
    return Found(value, path, place)


def read_json(path: Path, *, max_bytes: int = MOST_JSON_BYTES) -> Found:
    """The JSON of a plain file of at most ``max_bytes``."""
    return parse_json(read_bounded(path, max_bytes), path=path)


def parse_json_lines(data: bytes | str, *, path: Path | str) -> Iterator[Found]:
    """One JSON value a line; empty lines are passed over."""
    start, number = 0, 0
    while start < len(data):
        number += 1
        end = data.find(b"\n", start) if isinstance(data, bytes) else data.find("\n", start)
        line = data[start : end if end >= 0 else len(data)]
        start = start + len(line) + 1
        if line.strip():
            yield parse_json(line, path=path, place=f"line {number}")


def inside(folder: Path, relative: str, *, source: Path | str) -> Path:
    """The path that an index in ``folder`` names. Absolute paths, ``..`` and links that lead out are a ``DataError``.

    ``source`` is the index. Whether there is such a file is the caller's question.
    """
    pure = PurePosixPath(relative.replace("\\", "/"))
    if "\0" in relative or not relative or pure.is_absolute() or PureWindowsPath(relative).drive or ".." in pure.parts:
        raise DataError(f"names {relative[:200]!r}, which leads out of {folder}; nothing is read there", path=source)
    path = folder.joinpath(*pure.parts)
    try:
        leads_out = not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:  # a circle of links
        raise DataError(f"names {relative[:200]!r}, which cannot be followed: {error}", path=source) from error
    if leads_out:
        raise DataError(f"names {relative[:200]!r}, a link that leads out of {folder}; it is not followed", path=source)
    return path


def _check_depth(value: object, path: Path | str, place: str) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise DataError(f"is not usable JSON: it is nested more than {_DEEPEST} levels", path=path, place=place or None)
