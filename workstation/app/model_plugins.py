"""What plug-ins add to pre-labelling: families, tasks of their own, programs that models run in. One that is badly made
is left out with its reason. Called by whoever lists or runs models; ``plugins/README.md`` says how to write one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workstation.app.plugins import PluginProblem, PluginsLoaded
from workstation.prelabel.api import AdapterSpec, PictureFamily, TextTask

KIND = "model-family"


@dataclass(slots=True)
class ModelPlugins:
    """By name; the folder of a program's plug-in stands beside it."""

    families: dict[str, PictureFamily] = field(default_factory=dict)
    tasks: dict[str, TextTask] = field(default_factory=dict)
    adapters: dict[str, tuple[AdapterSpec, Path]] = field(default_factory=dict)
    versions: dict[Path, str] = field(default_factory=dict)
    """Of the plug-ins, by their folder."""
    homes: dict[str, Path] = field(default_factory=dict)
    """The folder of the plug-in that brings a task."""
    problems: list[PluginProblem] = field(default_factory=list)


def model_plugins(loaded: PluginsLoaded) -> ModelPlugins:
    """What the loaded plug-ins list in ``FAMILIES``, ``TASKS`` and ``ADAPTERS``."""
    found = ModelPlugins(problems=list(loaded.found.problems))
    for plugin in loaded.found.plugins:
        if KIND not in plugin.kinds:
            continue
        module = loaded.modules[plugin.id]
        found.versions[plugin.folder] = plugin.version
        listed = 0
        for name, kept in (("FAMILIES", found.families), ("TASKS", found.tasks), ("ADAPTERS", found.adapters)):
            for each in getattr(module, name, ()):
                listed += 1
                reason = _take(name, each, kept, plugin.folder)
                if not reason and name == "TASKS":
                    found.homes[each.name] = plugin.folder
                if reason:
                    found.problems.append(PluginProblem(folder=plugin.folder, reason=f"{name}: {reason}"))
        if not listed:
            reason = "it lists no FAMILIES, TASKS or ADAPTERS"
            found.problems.append(PluginProblem(folder=plugin.folder, reason=reason))
    return found


def _take(what: str, each: Any, kept: dict[str, Any], folder: Path) -> str:
    name = getattr(each, "name", None)
    if not isinstance(name, str) or not name:
        return f"{type(each).__name__} has no name"
    if name in kept:
        return f"{name!r} is there already"
    fits = {
        "FAMILIES": all(callable(getattr(each, part, None)) for part in ("prepare", "decode", "recognises")),
        "TASKS": isinstance(each, TextTask),
        "ADAPTERS": isinstance(each, AdapterSpec) and bool(each.command),
    }[what]
    if not fits:
        return f"{name!r} is not what workstation.prelabel.api describes"
    kept[name] = (each, folder) if what == "ADAPTERS" else each
    return ""
