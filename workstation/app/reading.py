"""All readers and data set layouts there are: the program's own and those of plug-ins. Asked by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from types import ModuleType

from workstation.app.plugins import PluginProblem, PluginsLoaded, find_plugins, load_plugins, plugins_stamp
from workstation.core.values import dataclass
from workstation.media.base import ReaderSpec
from workstation.media.probe import ReaderShelf
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
    def readers(self) -> ReaderShelf:
        """Every reader, imported when it is asked for; of two with one name the program's own counts."""
        return ReaderShelf(self._plugin_readers, plugins_stamp())

    def _plugin_readers(self) -> Iterator[ReaderSpec]:
        for module in self._modules:
            yield from getattr(module, "READERS", ())

    @cached_property
    def datasets(self) -> tuple[DatasetSpec, ...]:
        """Every layout of folders."""
        return tuple(spec for module in self._modules for spec in getattr(module, "DATASETS", ()))

    @property
    def problems(self) -> tuple[PluginProblem, ...]:
        """Plug-ins that could not be used."""
        return self._loaded.found.problems
