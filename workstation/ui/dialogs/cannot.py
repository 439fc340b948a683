"""In place of a dialog that has nothing to work on: why, and what to do first."""

from __future__ import annotations

from workstation.ui.dialogs.sheet import Sheet
from workstation.ui.main_window import MainWindow


class Cannot(Sheet):
    """One sentence and a button."""

    def __init__(self, window: MainWindow, name: str, title: str, why: str) -> None:
        super().__init__(window, name, title)
        self.words = self.say(f"{why[0].upper()}{why[1:].rstrip('.')}.")
        close = self.button("close", "Close", default=True)
        close.clicked.connect(self.reject)
        self.buttons(close)
        self.setMinimumWidth(380)
