"""Which dialogs there are, by name: what ``Frame.open_dialog`` opens. Each is imported when it is first opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from workstation.ui.workbench import Tone

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow


class Dialogs(QObject):
    """Opens them over the window, never modally to the event loop."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def open(self, name: str) -> None:
        """The dialog of that name."""
        match name:
            case "open_project":
                self._choose_project()
            case "demo":
                self._demo()
            case "close_project":
                self._window.close_project()
            case "quit":
                self._window.close()
            case "go_to":
                self._window.toolbar.time.setFocus()
                self._window.toolbar.time.selectAll()
            case _:
                self._window.tell(f"There is no dialog {name} yet.", Tone.REFUSED)

    def _choose_project(self) -> None:
        dialog = QFileDialog(self._window, "Open project", str(Path.home()))
        dialog.setObjectName("open_project")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._on_project)
        dialog.open()

    @Slot(str)
    def _on_project(self, path: str) -> None:
        if path:
            self._window.open_project(Path(path))

    def _demo(self) -> None:
        from workstation.app.demo import make_demo, usual_folder

        self._window.open_project(make_demo(usual_folder("drive")).folder)
