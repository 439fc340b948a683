"""Finds plug-ins, checks that they fit, and imports them; one bad plug-in never stops the program.

Called by the session when it starts and by ``doctor``. Plug-ins come with the program or lie in the user's own folder;
nothing is ever loaded from a project's folder, because opening somebody's project must not run somebody's code.
``plugins/README.md`` says how to write one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import re
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from workstation.app.folders import user_plugins_folder
from workstation.app.resources import bundled_plugins_folder
from workstation.core.errors import DataError
from workstation.core.values import dataclass
from workstation.store.yaml import load_yaml

API_VERSION = 1
MANIFEST = "plugin.yaml"
KINDS = ("reader", "format", "rule", "model-family")

_log = logging.getLogger(__name__)
_MOST_BYTES = 65_536
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One plug-in that fits this program."""

    id: str
    name: str
    version: str
    kinds: tuple[str, ...]
    module: str
    folder: Path
    bundled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginProblem:
    """A folder that should have been a plug-in, and why it is not used."""

    folder: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginsFound:
    """All that was found, the unusable ones with their reasons."""

    plugins: tuple[Plugin, ...]
    problems: tuple[PluginProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginsLoaded:
    """The imported modules by plug-in id; the ones that failed with their reasons."""

    modules: dict[str, ModuleType]
    found: PluginsFound


def find_plugins(bundled: Path | None = None, user: Path | None = None) -> PluginsFound:
    """Look through both folders without importing anything. Of two with the same id the bundled one counts."""
    plugins: dict[str, Plugin] = {}
    problems: list[PluginProblem] = []
    for parent, ours in ((bundled or bundled_plugins_folder(), True), (user or user_plugins_folder(), False)):
        for folder in _candidates(parent):
            try:
                plugin = read_manifest(folder, bundled=ours)
                if plugin.id in plugins:
                    raise DataError(f"its id {plugin.id!r} is taken by {plugins[plugin.id].folder}", path=folder)
                plugins[plugin.id] = plugin
            except (DataError, OSError) as problem:
                problems.append(PluginProblem(folder=folder, reason=str(problem)))
    return PluginsFound(plugins=tuple(plugins.values()), problems=tuple(problems))


def plugins_stamp(bundled: Path | None = None, user: Path | None = None) -> str:
    """Another text whenever a plug-in came, went or changed; nothing is read or imported."""
    seen = [
        f"{folder}:{file.name}:{file.lstat().st_mtime_ns}"
        for parent in (bundled or bundled_plugins_folder(), user or user_plugins_folder())
        for folder in _candidates(parent)
        for file in sorted(folder.glob("*.*"))
    ]
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()


def load_plugins(found: PluginsFound) -> PluginsLoaded:
    """Import what was found. This is one of the four places where any error is caught: it is somebody else's code."""
    modules: dict[str, ModuleType] = {}
    problems = list(found.problems)
    for plugin in found.plugins:
        try:
            modules[plugin.id] = _import(plugin)
        except Exception as error:  # noqa: BLE001 - the plug-in host is a border
            _log.exception("plug-in %s could not be loaded", plugin.id)
            reason = f"{plugin.folder / plugin.module}: {type(error).__name__}: {error}"
            problems.append(PluginProblem(folder=plugin.folder, reason=reason))
    usable = tuple(plugin for plugin in found.plugins if plugin.id in modules)
    return PluginsLoaded(modules=modules, found=PluginsFound(plugins=usable, problems=tuple(problems)))


def read_manifest(folder: Path, *, bundled: bool) -> Plugin:
    """The plug-in that ``folder/plugin.yaml`` describes, or a ``DataError`` that says what is wrong with it."""
    path = folder / MANIFEST
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise DataError(f"larger than {_MOST_BYTES} bytes", path=path)
    fields = load_yaml(data, source=path)
    if not isinstance(fields, dict):
        raise DataError("must be a list of keys and values", path=path)
    _check_keys(fields, path)
    api = fields["api"]
    if api != API_VERSION or isinstance(api, bool):
        raise DataError(
            f"is written for plug-in interface {api!r}; this program has {API_VERSION}", path=path, place="api"
        )
    identity = _text(fields, "id", path)
    if not _ID.fullmatch(identity):
        raise DataError("must be small letters, digits and single dashes", path=path, place="id")
    return Plugin(
        id=identity,
        name=_text(fields, "name", path),
        version=_text(fields, "version", path),
        kinds=_kinds(fields["kinds"], path),
        module=_module(_text(fields, "module", path), folder, path),
        folder=folder,
        bundled=bundled,
    )


def _candidates(parent: Path) -> Iterable[Path]:
    try:
        return sorted(folder for folder in parent.iterdir() if (folder / MANIFEST).is_file())
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        _log.warning("the plug-ins in %s cannot be listed: %s", parent, error)
        return ()


def _check_keys(fields: dict[str, Any], path: Path) -> None:
    wanted = {"id", "name", "version", "api", "kinds", "module"}
    if lacking := sorted(wanted - fields.keys()):
        raise DataError(f"lacks {', '.join(lacking)}", path=path)
    if strange := sorted(str(key) for key in fields.keys() - wanted - {"description", "licence"}):
        raise DataError(f"has unknown keys: {', '.join(strange)}", path=path)


def _text(fields: dict[str, Any], key: str, path: Path) -> str:
    value = fields[key]
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        raise DataError(f"must be text of 1 to {_LONGEST_TEXT} characters (put it in quotes)", path=path, place=key)
    return value


def _kinds(value: object, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(kind in KINDS for kind in value):
        raise DataError(f"must be a list of one or more of {', '.join(KINDS)}", path=path, place="kinds")
    return tuple(value)


def _module(name: str, folder: Path, path: Path) -> str:
    pure = PurePosixPath(name)
    if len(pure.parts) != 1 or pure.suffix != ".py" or "\\" in name or ":" in name:
        raise DataError("must be the name of a .py file in the plug-in's folder", path=path, place="module")
    if not (folder / name).is_file():
        raise DataError(f"there is no {name} in the plug-in's folder", path=path, place="module")
    return name


def _import(plugin: Plugin) -> ModuleType:
    name = f"workstation_plugin_{plugin.id.replace('-', '_')}"
    # A package, so that a plug-in too large for one module can part itself: ``from .records import …``.
    spec = importlib.util.spec_from_file_location(
        name, plugin.folder / plugin.module, submodule_search_locations=[str(plugin.folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{plugin.module} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        for known in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
            del sys.modules[known]
        raise
    return module
