"""All readers and data set layouts there are: the program's own and those of plug-ins. Asked by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType

from workstation.app.plugins import PluginProblem, PluginsLoaded, find_plugins, load_plugins
from workstation.media.base import ReaderSpec
from workstation.media.probe import built_in_readers
from workstation.media.proposal import DatasetSpec


@dataclass(frozen=True)
class Formats:
    """What can be read. Plug-ins are imported when first asked for."""

    @cached_property
    def _loaded(self) -> PluginsLoaded:
        return load_plugins(find_plugins())

    @property
    def _modules(self) -> Iterator[ModuleType]:
        yield from self._loaded.modules.values()

    @cached_property
    def readers(self) -> tuple[ReaderSpec, ...]:
        """Every reader; of two with one name the program's own counts."""
        found = {spec.name: spec for spec in built_in_readers()}
        for module in self._modules:
            for spec in getattr(module, "READERS", ()):
                found.setdefault(spec.name, spec)
        return tuple(found.values())

    @cached_property
    def datasets(self) -> tuple[DatasetSpec, ...]:
        """Every layout of folders."""
        return tuple(spec for module in self._modules for spec in getattr(module, "DATASETS", ()))

    @property
    def problems(self) -> tuple[PluginProblem, ...]:
        """Plug-ins that could not be used."""
        return self._loaded.found.problems
