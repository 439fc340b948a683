"""What takes long to generate is generated once a run, by the process that asks first; every process gets a copy.

Loaded by ``strict_plugin``. Media, which nobody writes to, are hard links in a copy; the rest is the process's own.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from strict_windows import copy_of

if TYPE_CHECKING:
    from workstation.synth.truth import Truth


def made_for_the_run(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A copy of the folder that ``make`` has filled: the same for all processes of the run, told apart by ``name``."""
    place = folder_of_the_run(factory) / "made-once"
    place.mkdir(exist_ok=True)
    made = place / name
    with _alone(place / f"{name}.lock"):
        if not made.exists():
            unfinished = place / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(made)
    return copy_of(made, factory.mktemp(name) / name)


def folder_of_the_run(factory: pytest.TempPathFactory) -> Path:
    """The run's folder: the one above those of its processes, where it has many and they can wait for one another."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ and sys.platform != "win32" else own


@contextmanager
def _alone(lock: Path) -> Generator[None, None, None]:
    """One process at a time; a process that dies lets the next one in."""
    if sys.platform == "win32":  # each process makes its own there
        yield
        return
    import fcntl

    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Truth]:
    """``made_once(make, **options)``: the clean fixture of a generator.

    Its media are everybody's: variants may be planted beside them, nothing else may be written there.
    """
    made: dict[str, Truth] = {}

    def once(make: Callable[..., Truth], **options: Any) -> Truth:
        key = f"{make.__module__}.{make.__name__}({options})"
        if key not in made:
            name = f"{make.__name__}-{sha256(key.encode()).hexdigest()[:10]}"
            folder = made_for_the_run(tmp_path_factory, name, lambda into: make(into, **options))
            made[key] = make(folder, **options)  # finds its media, and says what they hold
        return made[key]

    return once


@pytest.fixture(scope="session")
def demo_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``demo_once(scene)``: the project of a demo; to be read only, or copied by ``strict_windows.copy_of``."""
    made: dict[str, Path] = {}

    def once(scene: str) -> Path:
        from workstation.app.demo import make_demo

        if scene not in made:
            made[scene] = made_for_the_run(tmp_path_factory, f"demo-{scene}", lambda into: make_demo(into, scene=scene))
        return made[scene]

    return once
