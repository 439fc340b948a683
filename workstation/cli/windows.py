"""The window as the command line sees it: ``__main__`` hands one over, so that nothing here imports Qt."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Windows(Protocol):
    """Opens windows; every call returns an exit code when the window is closed."""

    def available(self) -> bool:
        """Whether a window could be seen."""
        ...

    def show(self, project: Path | None) -> int:
        """A window on a project, or on the welcome page."""
        ...
