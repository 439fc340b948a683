"""The person's own choices: colours, letters, name. Kept for all projects of this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QLineEdit

from workstation.app.settings import settings_or_usual
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.theme import THEMES

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_SMALLEST_PT, _LARGEST_PT = 8.0, 24.0


class SettingsDialog(Sheet):
    """Takes effect at once; Cancel puts it back."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "settings", "Settings")
        self._before = settings_or_usual()
        self._worn = window.theme
        form = QFormLayout()
        self.theme = QComboBox()
        named(self.theme, "settings_theme", "Colours")
        for name in THEMES:
            self.theme.addItem(name.capitalize(), name)
        self.theme.setCurrentIndex(max(0, self.theme.findData(window.theme.name)))
        self.points = QDoubleSpinBox()
        named(self.points, "settings_points", "Size of letters in points")
        self.points.setRange(_SMALLEST_PT, _LARGEST_PT)
        self.points.setSingleStep(0.5)
        self.points.setDecimals(1)
        self.points.setValue(self._before.font_points or window.font().pointSizeF())
        self.person = QLineEdit(self._before.person)
        named(self.person, "settings_person", "Your name in projects that know several people")
        form.addRow("Colours", self.theme)
        form.addRow("Letters (pt)", self.points)
        form.addRow("Your name", self.person)
        self.column.addLayout(form)
        done = self.button("done", "Done", default=True)
        done.clicked.connect(self._done)
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, done)
        self.theme.currentIndexChanged.connect(self._try)
        self.points.valueChanged.connect(self._try)

    @Slot()
    def _try(self) -> None:
        self.frame.wear(THEMES[str(self.theme.currentData())], self.points.value())

    @Slot()
    def _done(self) -> None:
        chosen = msgspec.structs.replace(
            settings_or_usual(),
            theme=str(self.theme.currentData()),
            font_points=self.points.value(),
            person=self.person.text().strip(),
        )
        self.frame.keep_settings(chosen)
        self.accept()

    def reject(self) -> None:
        """Back to what was."""
        self.frame.wear(self._worn, self._before.font_points)
        super().reject()
