"""Workstation: an offline desktop workstation for multimodal annotation.

Scripts start with ``from workstation import open_project``; the manual's ``scripting.md`` shows how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.core.version import __version__

if TYPE_CHECKING:
    from workstation.app.opening import open_project as open_project

__all__ = ["__version__", "open_project"]


def __getattr__(name: str) -> object:
    """Imports the program only when a script asks for it, so that ``--version`` and ``--help`` stay fast."""
    if name == "open_project":
        from workstation.app.opening import open_project

        return open_project
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
