"""The Qt application: one per process, with our fonts, colours and icon; and running the window in it.

Called by ``__main__``, which the command line asks for a window. Nothing heavy is imported before it
is painted.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtWidgets import QApplication

from workstation.ui.collecting import begin_collecting
from workstation.ui.icons import icon
from workstation.ui.style import palette_of, style_sheet
from workstation.ui.theme import Theme

_SWITCH_S = 0.0005
"""How long a thread that works in Python may make the window's thread wait for its turn. Qt gives the turn away with
nearly every call, so that at Python's usual 5 ms a paint beside a busy thread waits dozens of times.
"""


def make_application() -> QApplication:
    """The application, made if there is none yet."""
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    QCoreApplication.setApplicationName("workstation")
    QGuiApplication.setApplicationDisplayName("Workstation")
    QGuiApplication.setDesktopFileName("workstation")
    application = QApplication(["workstation"])
    begin_collecting(application)
    sys.setswitchinterval(_SWITCH_S)
    application.setStyle("Fusion")  # the one style that takes our palette whole, on every system
    return application


def wear(application: QApplication, theme: Theme, font_points: float = 0.0) -> None:
    """Paint everything in this theme; ``font_points`` 0 is the system's own size.

    What it wears already is not put on again: Qt would go through every widget of every window for each.
    """
    palette, font, sheet = palette_of(theme), QFont(application.font()), style_sheet(theme)
    if application.palette() != palette:
        application.setPalette(palette)
    font.setPointSizeF(font_points or max(9.0, min(11.0, font.pointSizeF())))
    if application.font() != font:
        application.setFont(font)
    if application.styleSheet() != sheet:
        application.setStyleSheet(sheet)
    application.setWindowIcon(icon("app", theme))


def run_window(project: Path | None) -> int:
    """Open the window, on a project or on the welcome page, and stay until it is closed."""
    application = make_application()
    from workstation.app.settings import settings_or_usual
    from workstation.ui.main_window import MainWindow

    window = MainWindow(settings_or_usual())
    window.show()
    if project is not None:
        window.open_project(project)
    code = application.exec()
    window.deleteLater()
    return code
