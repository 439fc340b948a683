"""What a kind of error is: where it can be planted in a sample, and what is done there. Modules of ``kinds`` use this.

A kind looks at the records through the read-only snapshot and answers edits by name, which whoever plants runs as
commands. It knows nothing of the rules: not their names, not their limits, not their code.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.inject.plan import Target


@dataclass(frozen=True, slots=True)
class Edit:
    """A command of the registry with its arguments."""

    command: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """What to do and to which records. ``text`` replaces the text of a stream's file in the copy: (stream, words)."""

    edits: tuple[Edit, ...] = ()
    items: tuple[Target, ...]
    note: str = ""
    text: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Sizes:
    """From how much to how much, and the limit in between; what is below it must not be found."""

    least: float
    limit: float
    most: float
    unit: str
    band: tuple[float, float] = (0.8, 1.25)
    """In limits: where labels as untidy as people's may be judged either way."""


Place = Callable[[np.random.Generator, float], Plant]
"""Plants an error of a size at one place; kinds without a size get 1."""
Find = Callable[[Snapshot, Sample], Iterable[Place]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of error and how to plant it."""

    id: str
    error_type: str
    find: Find
    help: str
    sizes: Sizes | None = None


def kind(kind_id: str, *, error_type: str, sizes: Sizes | None = None) -> Callable[[Find], Find]:
    """Mark a function as a kind; its docstring is what people read."""

    def mark(find: Find) -> Find:
        said = " ".join((find.__doc__ or "").split())
        made = Kind(id=kind_id, error_type=error_type, find=find, help=said, sizes=sizes)
        find.__kind__ = made  # type: ignore[attr-defined]
        return find

    return mark


@cache
def load_kinds() -> Sequence[Kind]:
    """Every kind, by module: a new one in ``kinds/`` is found by itself."""
    package = importlib.import_module("workstation.inject.kinds")
    found: dict[str, Kind] = {}
    for module_info in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        for value in vars(module).values():
            made = getattr(value, "__kind__", None)
            if isinstance(made, Kind) and made.find.__module__ == module.__name__:
                if made.id in found:
                    raise ValueError(f"two kinds are called {made.id}")
                found[made.id] = made
    return tuple(found.values())
