"""Families of models that look at sweeps of a LiDAR, one a file. A module here with a ``FAMILY`` is registered by being
here. How their manifests are written stands in the manual under *Models*."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from workstation.prelabel.api import CloudFamily


@cache
def cloud_families() -> MappingProxyType[str, CloudFamily]:
    """Every family by its name, in the order of the names."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    known = [module.FAMILY for module in modules if hasattr(module, "FAMILY")]
    return MappingProxyType({family.name: family for family in sorted(known, key=lambda family: family.name)})
