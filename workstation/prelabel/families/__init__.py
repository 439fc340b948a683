"""Families of picture models, one a file. A module here with a ``FAMILY`` is registered by being here."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from workstation.core.errors import UserError
from workstation.prelabel.api import InputSpec, PictureFamily


@cache
def families() -> MappingProxyType[str, PictureFamily]:
    """Every family by its name, in the order of the names."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    known = [module.FAMILY for module in modules]
    return MappingProxyType({family.name: family for family in sorted(known, key=lambda family: family.name)})


def family_named(name: str) -> PictureFamily:
    """The family a manifest names."""
    try:
        return families()[name]
    except KeyError:
        raise UserError(f"No family of models is called {name!r}; known are {', '.join(families())}.") from None


def usual_input(name: str) -> InputSpec:
    """How most models of the family want their pictures: what a new manifest starts with."""
    spec: InputSpec = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").INPUT
    return spec
