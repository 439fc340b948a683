"""What can be run here: families of the program and of plug-ins, models on the shelf, and models that need no file.

Asked by whoever plans, runs or lists models. The program's own come first: a plug-in cannot take over a family's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from workstation.app.builtin_models import built_in
from workstation.app.model_plugins import ModelPlugins, model_plugins
from workstation.app.plugins import find_plugins, load_plugins, plugins_stamp
from workstation.core.errors import UserError
from workstation.prelabel.api import CloudFamily, InputSpec, PictureFamily, Task
from workstation.prelabel.cloud_families import cloud_families
from workstation.prelabel.families import families, usual_input
from workstation.prelabel.manifest import Manifest
from workstation.prelabel.shelf import Shelf, ShelvedModel

OUTSIDE = "outside"
"""The family of models that run in a program of a plug-in; the model has the name of the adapter."""
TEXT_TASK = "text-task"
"""The family of tasks that a plug-in brings for texts; the model has the name of the task."""
_OUTSIDE_TASKS = frozenset({Task.DETECT, Task.INSTANCE_SEG})


def plugins_of_models() -> ModelPlugins:
    """What plug-ins bring; read again when one came, went or changed."""
    return _plugins(plugins_stamp())


def picture_families() -> Mapping[str, PictureFamily]:
    """Every family of picture models by its name."""
    return MappingProxyType({**plugins_of_models().families, **families()})


def picture_family(name: str) -> PictureFamily:
    """The family a manifest names."""
    own = families().get(name)
    if own is not None:
        return own  # no plug-in is imported for it
    known = picture_families()
    if name not in known:
        raise UserError(f"No family of models is called {name!r}; known are {', '.join(sorted(known))}.")
    return known[name]


def usual_input_of(name: str) -> InputSpec:
    """What a new manifest of the family starts with; a plug-in's family says it in ``input`` or leaves it open."""
    if name in families():
        return usual_input(name)
    if name in cloud_families():
        return InputSpec()
    said = getattr(picture_family(name), "input", None)
    return said if isinstance(said, InputSpec) else InputSpec()


def cloud_family(name: str) -> CloudFamily:
    """The family of LiDAR detectors that a manifest names."""
    found = cloud_families().get(name)
    if found is None:
        raise UserError(f"No family of LiDAR detectors is called {name!r}; known are {', '.join(cloud_families())}.")
    return found


def graph_families() -> Mapping[str, PictureFamily | CloudFamily]:
    """Every family that may read a bare graph, by its name."""
    return MappingProxyType({**picture_families(), **cloud_families()})


def graph_family(name: str) -> PictureFamily | CloudFamily:
    """The same, one of them."""
    return cloud_families().get(name) or picture_family(name)


def fileless_models() -> dict[str, ShelvedModel]:
    """Models that are there without a file, by name: the program's own arithmetic, programs of plug-ins that look at
    pictures, and their tasks for texts."""
    loaded = plugins_of_models()
    found = dict(built_in())
    for name, (spec, folder) in loaded.adapters.items():
        if spec.task in _OUTSIDE_TASKS:
            manifest = Manifest(
                id=name, task=Task(spec.task), family=OUTSIDE, version=loaded.versions.get(folder, ""),
                origin=f"plug-in {folder.name}",
            )  # fmt: skip
            found[name] = ShelvedModel(folder=folder, manifest=manifest)
    for name, task in loaded.tasks.items():
        folder = loaded.homes.get(name, Path())
        manifest = Manifest(
            id=name, name=task.title, task=Task.NER, family=TEXT_TASK, version=loaded.versions.get(folder, ""),
            labels=task.labels, origin=f"plug-in {folder.name}",
        )  # fmt: skip
        found[name] = ShelvedModel(folder=folder, manifest=manifest)
    return found


def model_called(shelf: Shelf, name: str) -> ShelvedModel:
    """The model of that name: on the shelf, or one that needs no file."""
    if all(each.manifest.id != name for each in shelf.models()[0]):
        found = fileless_models().get(name)
        if found is not None:
            return found
    return shelf.find(name)


def runnable_models(shelf: Shelf) -> list[ShelvedModel]:
    """All of them by name; of two with one name that on the shelf."""
    known = {**fileless_models(), **{each.manifest.id: each for each in shelf.models()[0]}}
    return [known[name] for name in sorted(known)]


@lru_cache(maxsize=1)
def _plugins(_stamp: str) -> ModelPlugins:
    return model_plugins(load_plugins(find_plugins()))
