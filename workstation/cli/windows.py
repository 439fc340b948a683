"""The window as the command line sees it: ``__main__`` hands one over, so that nothing here imports Qt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from workstation.app.playback_bench import PictureProbe
    from workstation.app.shots import Shot


@runtime_checkable
class Windows(Protocol):
    """Opens windows; every call returns an exit code when the window is closed."""

    def available(self) -> bool:
        """Whether a window could be seen."""
        ...

    def show(self, project: Path | None) -> int:
        """A window on a project, or on the welcome page."""
        ...

    def picture(self, shot: Shot) -> tuple[int, int]:
        """A picture of the window, written to a file, with no display needed; its size in pixels."""
        ...

    def picture_probe(self) -> PictureProbe | None:
        """What times flashes on a real screen for ``bench playback``; ``None`` where nothing could be seen."""
        ...
