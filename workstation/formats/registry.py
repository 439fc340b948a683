"""From a format's name to the format: the built-in ones, and those that plug-ins bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workstation.core.errors import UserError
from workstation.formats.api import Format
from workstation.formats.native import NATIVE
from workstation.formats.times import TIMES

BUILT_IN = (NATIVE, TIMES)


@dataclass(frozen=True, slots=True)
class FormatRegistry:
    """Every format by name."""

    formats: Mapping[str, Format]

    def find(self, name: str) -> Format:
        """The format of that name."""
        found = self.formats.get(name)
        if found is None:
            raise UserError(f"there is no format {name!r}; there are {', '.join(sorted(self.formats))}")
        return found


def load_formats(extra: Iterable[Format] = ()) -> FormatRegistry:
    """The built-in formats and ``extra``; one that takes a taken name is refused."""
    formats: dict[str, Format] = {}
    for each in (*BUILT_IN, *extra):
        if each.name in formats:
            raise UserError(f"two formats are called {each.name!r}")
        formats[each.name] = each
    return FormatRegistry(formats)
