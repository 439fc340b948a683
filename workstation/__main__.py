"""``python -m workstation`` and the console script.

The only module that may know both the command line and the window, and hands one to the other.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workstation.app.playback_bench import PictureProbe
    from workstation.app.shots import Shot


def main() -> None:
    """Run the command line and leave with its exit code."""
    from workstation.cli.main import main as run_command_line

    sys.exit(run_command_line(sys.argv[1:], windows=_Windows()))


class _Windows:
    """The window as the command line sees it (``cli.windows.Windows``); Qt is imported when one is asked for."""

    def available(self) -> bool:
        from workstation.ui.display import has_display

        return has_display()

    def show(self, project: Path | None) -> int:
        if project is not None:
            from workstation.app.ahead import load_ahead

            load_ahead()  # before Qt, after which every import costs more
        from workstation.ui.application import run_window

        return run_window(project)

    def picture(self, shot: Shot) -> tuple[int, int]:
        from workstation.ui.screenshot import take_picture

        return take_picture(shot)

    def picture_probe(self) -> PictureProbe | None:
        if not self.available():
            return None
        from workstation.ui.picture_probe import FlashProbe

        return FlashProbe()


if __name__ == "__main__":
    main()
