"""The options that many verbs share: the project, who acts, in which role; and opening with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from workstation.app.session import Session

F = TypeVar("F", bound=Callable[..., Any])
ROLES = ("annotator", "expert", "reviewer", "qa_lead", "auditor", "lead", "ml_engineer", "compliance")
KINDS = ("person", "script", "import", "model")

project_argument = click.argument("project", type=click.Path(path_type=Path, exists=True))


def acting(function: F) -> F:
    """``--person`` and ``--role``, for verbs that change something."""
    for option in (
        click.option("--role", type=click.Choice(ROLES), help="The role to act in; your first one when left out."),
        click.option("--person", metavar="NAME", help="Who you are; needed when the project knows several people."),
    ):
        function = option(function)
    return function


def to_write(project: Path, person: str | None, role: str | None, *, kind: str = "person", tool: str) -> Session:
    """Open for a change."""
    from workstation.app.opening import open_project

    return open_project(project, person=person, role=role, kind=kind, tool=tool)


def to_read(project: Path) -> Session:
    """Open to look, beside a writer if there is one."""
    from workstation.app.opening import open_project

    return open_project(project, read_only=True)
