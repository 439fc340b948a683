"""A copy of a project that is ready for work: copied as it stands, then given its own replica id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import Role
from workstation.store.project import copy_project, open_project_folder


def copy_folder(source: Path, destination: Path) -> dict[str, Any]:
    """Copy the project and say what came of it: folder, replica id, newest revision and its hash."""
    made = copy_project(source, destination)
    # The id is given at the first opening for writing; done here, two copies of one copy never share one.
    actor = Actor(name="copy", kind=ActorKind.SYSTEM, role=Role.AUDITOR, tool="copy")
    with open_project_folder(made, actor) as project:
        store = project.store
        return {
            "project": str(made),
            "replica": store.replica,
            "revision": store.head(),
            "head": store.head_hash(),
        }
