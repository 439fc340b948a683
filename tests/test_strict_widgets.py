"""What a test shows is taken apart after it, and nothing else."""

from __future__ import annotations

import shiboken6
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from strict_widgets import taken_apart


def test_windows_made_meanwhile_are_taken_apart_with_what_is_in_them(qapp: QApplication) -> None:
    assert qapp is not None
    stays = QWidget()
    with taken_apart():
        window = QWidget()
        inside = QLabel("inside", window)
        QVBoxLayout(window).addWidget(inside)
        window.show()
        gone = QWidget()
        shiboken6.delete(gone)
    assert not shiboken6.isValid(window)
    assert not shiboken6.isValid(inside)
    assert shiboken6.isValid(stays)
