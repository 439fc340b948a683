"""The menus, built from the action table. A greyed entry says why, and offers the act that unlocks it.

Entries carry no shortcut of Qt's: their keys are only written beside them, and ``keys.py`` alone acts on keys.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from workstation.ui.actions.action import Action
from workstation.ui.icons import icon
from workstation.ui.keymap import KeyMap
from workstation.ui.performing import Performing
from workstation.ui.theme import Theme

ORDER = (
    "Project", "Edit", "View", "Sample", "Play", "Camera", "Cloud", "Cuboid", "Text", "Tools", "Label", "Track", "Link",
    "Sync", "Review", "Help",
)  # fmt: skip
"""Menus from left to right."""


class Menus(QObject):
    """One menu per name; its entries are made when it first opens, and renewed whenever it opens."""

    performed = QtSignal(str)

    def __init__(self, bar: QMenuBar, performing: Performing, keymap: KeyMap, parent: QObject) -> None:
        super().__init__(parent)
        self._performing = performing
        self._keymap = keymap
        self.theme: Theme | None = None
        self.menus: dict[str, QMenu] = {}
        self._filled: set[str] = set()
        """Menus whose entries are those of the table as it is now."""
        bar.setObjectName("menu_bar")
        bar.setAccessibleName("Menus")
        for name in ORDER:
            menu = bar.addMenu(f"&{name}")
            menu.setObjectName(f"menu_{name.casefold()}")
            menu.setAccessibleName(name)
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(self._renew)
            self.menus[name] = menu

    @Slot()
    def fill(self) -> None:
        """The table is another one: hundreds of entries, made when somebody looks."""
        self._filled.clear()
        for menu in self.menus.values():
            menu.clear()

    def _fill(self, menu: QMenu) -> None:
        """One entry per action of the table as it is now; a command that needs more than a selection stands below."""
        for action in self._performing.table:
            if action.menu and self._menu(action.menu) is menu:
                self._add(menu, action)

    def _menu(self, name: str) -> QMenu:
        """A menu nobody thought of stands under Tools."""
        return self.menus.get(name) or self.menus["Tools"]

    def _add(self, menu: QMenu, action: Action) -> None:
        entry = QAction(action.title, menu)
        entry.setObjectName(f"entry_{action.id}")
        entry.setData(action.id)
        entry.triggered.connect(self._on_triggered)
        menu.addAction(entry)

    @Slot()
    def _renew(self) -> None:
        menu = self.sender()
        if isinstance(menu, QMenu):
            self.renew(menu)

    def renew(self, menu: QMenu) -> None:
        """Words, keys and greying as they are now."""
        if menu.objectName() not in self._filled:
            self._filled.add(menu.objectName())
            self._fill(menu)
        for entry in menu.actions():
            action = self._performing.table.actions.get(str(entry.data()))
            if action is None:
                continue
            reason = self._performing.why_not(action, None)
            keys: Sequence[str] = self._keymap.keys_of(action.id)
            unlock = self._performing.unlock(action, None)
            text = (
                action.title
                if reason is None or unlock is None
                else f"{action.title} ({unlock.title.casefold()} first)"
            )
            entry.setText(text + (f"\t{keys[0]}" if keys else ""))
            entry.setEnabled(reason is None or unlock is not None)
            entry.setToolTip(self._performing.help_of(action) if reason is None else f"Not now: {reason}.")
            entry.setStatusTip(entry.toolTip())
            if self.theme is not None and action.icon:
                entry.setIcon(icon(action.icon, self.theme))

    @Slot()
    def _on_triggered(self) -> None:
        entry = self.sender()
        if not isinstance(entry, QAction):
            return
        action = self._performing.table.actions.get(str(entry.data()))
        if action is not None:
            self.performed.emit((self._performing.unlock(action, None) or action).id)
