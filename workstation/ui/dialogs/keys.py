"""The keys: the cheat sheet on ``?``, and the dialog that remaps them, shows conflicts, and carries them to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QTextBrowser, QTreeWidget, QTreeWidgetItem

from workstation.core.errors import UserError
from workstation.ui.actions.action import WINDOW, Action
from workstation.ui.chords import FIXED
from workstation.ui.class_keys import class_of_key
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.keymap import read_keys, write_keys
from workstation.ui.keys import texts_of
from workstation.ui.menus import ORDER

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_ID = Qt.ItemDataRole.UserRole


class CheatSheet(Sheet):
    """Every key as it is now: those of the focused pane first, then by menu; what is typed leaves what fits."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "cheat_sheet", "Keys")
        self.resize(760, 640)
        pane = window.focused_pane()
        self._near = "" if pane is None else pane.kind
        self.field = QLineEdit()
        named(self.field, "cheat_sheet_field", "Filter keys")
        self.field.setPlaceholderText("Part of a name, or a key as Ctrl+K")
        self.column.addWidget(self.field)
        self.page = QTextBrowser()
        named(self.page, "cheat_sheet_text", "All keys")
        self.column.addWidget(self.page, 1)
        self.field.textChanged.connect(self._show)
        change = self.button("change", "Change keys…")
        change.clicked.connect(self._change)
        close = self.button("close", "Close", default=True)
        close.clicked.connect(self.accept)
        self.buttons(change, close)
        self._show("")
        self.field.setFocus()

    @Slot(str)
    def _show(self, typed: str) -> None:
        found = _sheet_html(self.frame, self._near, typed)
        self.page.setHtml(found or "<p>No key is called so.</p>")

    @Slot()
    def _change(self) -> None:
        self.accept()
        self.frame.open_dialog("keys")


class KeyField(QLineEdit):
    """Shows the chord that was pressed last; letters are not typed."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            texts = texts_of(event)
            if texts and texts[0] not in FIXED:
                self.setText(texts[-1] if len(texts) > 1 and not texts[0][-1].isdigit() else texts[0])
                return True
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)


class KeyDialog(Sheet):
    """Remap, reset, export, import."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "keys", "Change keys")
        self.resize(820, 620)
        self._keymap = window.keymap
        self._build_filter()
        self._build_tree()
        self._build_field()
        self._build_buttons()
        self._words = self.say("", "warning")
        self._fill()
        self.filter.setFocus()

    def _build_filter(self) -> None:
        self.filter = QLineEdit()
        named(self.filter, "key_filter", "Filter actions")
        self.filter.setPlaceholderText("Part of a name, or a key as Ctrl+K")
        self.filter.textChanged.connect(self._sift)
        self.column.addWidget(self.filter)

    @Slot(str)
    def _sift(self, typed: str) -> None:
        """Only what fits; the first of it is the current one."""
        shown = []
        for row in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(row)
            if item is None:
                continue
            fits = _fits(typed, item.text(0), item.text(1).split())
            item.setHidden(not fits)
            if fits:
                shown.append(item)
        current = self.tree.currentItem()
        if shown and (current is None or current.isHidden()):
            self.tree.setCurrentItem(shown[0])

    def _build_tree(self) -> None:
        self.tree = QTreeWidget()
        named(self.tree, "key_tree", "Actions and their keys")
        self.tree.setToolTip("")
        self.tree.setHeaderLabels(["Action", "Keys", "Works in", "Conflict"])
        self.tree.setRootIsDecorated(False)
        self.tree.setSortingEnabled(True)
        self.tree.sortByColumn(2, Qt.SortOrder.AscendingOrder)
        self.tree.setColumnWidth(0, 280)
        self.tree.setColumnWidth(1, 160)
        self.tree.currentItemChanged.connect(self._on_current)
        self.column.addWidget(self.tree, 1)

    def _build_field(self) -> None:
        row = QHBoxLayout()
        self.field = KeyField()
        named(self.field, "key_field", "Press the new key")
        self.field.setPlaceholderText("Press the new key here")
        self.field.textChanged.connect(self._foretell)
        row.addWidget(self.field, 1)
        for name, text, slot in (
            ("set", "Use this key", self._set), ("add", "Add this key", self._add),
            ("take", "Take it from others", self._take), ("clear", "No key", self._clear),
            ("reset", "As it comes", self._reset),
        ):  # fmt: skip
            button = self.button(name, text)
            button.clicked.connect(slot)
            row.addWidget(button)
            if name == "take":
                self._takers = (button,)
        self.column.addLayout(row)

    def _build_buttons(self) -> None:
        made = []
        for name, text, slot in (
            ("import", "Import…", self._import), ("export", "Export…", self._export),
            ("reset_all", "All as they come", self._reset_all), ("close", "Close", self.accept),
        ):  # fmt: skip
            button = self.button(name, text)
            button.clicked.connect(slot)
            made.append(button)
        self.buttons(*made)

    def _fill(self) -> None:
        current = self._current()
        clashes = {(clash.scope, each): clash for clash in self._keymap.conflicts() for each in clash.actions}
        self.tree.clear()
        titles = self.frame.performing.table.actions
        for action in self.frame.performing.table:
            clash = clashes.get((action.scope, action.id))
            others = [] if clash is None else [titles[each].title for each in clash.actions if each != action.id]
            words = f"{clash.chord}: also {', '.join(others)}" if clash is not None else self._shadows(action)
            item = QTreeWidgetItem([action.title, "  ".join(self._keymap.keys_of(action.id)), action.scope, words])
            item.setData(0, _ID, action.id)
            if clash is not None:
                item.setForeground(3, QColor(self.frame.theme.error))
            self.tree.addTopLevelItem(item)
            if action.id == current:
                self.tree.setCurrentItem(item)
        count = len(self._keymap.conflicts())
        self._words.setText(_wanted_twice(count))
        self._sift(self.filter.text())
        self._on_current()

    def _shadows(self, action: Action) -> str:
        titles = [self.frame.performing.table.actions[each].title for each in self._keymap.shadows(action.id)]
        words = [f"here instead of {', '.join(titles)}"] if titles else []
        opened = self.frame.opened
        view = None if opened is None else opened.bench.view
        for key in self._keymap.keys_of(action.id):
            class_id = class_of_key(key, None if view is None else view.ontology)
            if view is not None and class_id is not None:
                name = view.class_name(class_id)
                everywhere = action.scope in (WINDOW, self.frame.workspace.scope)
                words.append(f"{key}: never the class {name}" if everywhere else f"with a selection {key}: {name}")
        return "; ".join(words)

    def _current(self) -> str:
        item = self.tree.currentItem()
        return "" if item is None else str(item.data(0, _ID))

    @Slot()
    def _on_current(self) -> None:
        self.field.setText("")
        clashes = [each for each in self._keymap.conflicts() if self._current() in each.actions]
        for each in self._takers:
            each.setEnabled(bool(clashes))

    @property
    def words_said(self) -> str:
        """What stands below: whose a key is, how many are wanted twice, why not."""
        return self._words.text()

    @Slot(str)
    def _foretell(self, chord: str) -> None:
        """Who has the key that was pressed, before it is given away."""
        action = self.frame.performing.table.actions.get(self._current())
        if not chord or action is None:
            return
        titles = self.frame.performing.table.actions
        here = self._keymap.action_for(chord, action.scope)
        wide = self._keymap.action_for(chord, WINDOW) if action.scope != WINDOW else None
        said = [f"{chord} is {titles[each].title}{where}." for each, where in ((here, ""), (wide, " elsewhere"))
                if each is not None and each != action.id and each in titles]  # fmt: skip
        self._words.setText(" ".join(said) or f"{chord} is free.")

    @Slot()
    def _take(self) -> None:
        given = self._keymap.take(self._current())
        self._changed()
        titles = self.frame.performing.table.actions
        names = ", ".join(titles[each].title for each in given if each in titles)
        self._words.setText(f"{names} gave it up." if names else "Nobody else has it.")

    @Slot()
    def _set(self) -> None:
        self._remap([self.field.text()])

    @Slot()
    def _add(self) -> None:
        self._remap([*self._keymap.keys_of(self._current()), self.field.text()])

    @Slot()
    def _clear(self) -> None:
        self._remap([])

    @Slot()
    def _reset(self) -> None:
        self._keymap.reset(self._current())
        self._changed()

    @Slot()
    def _reset_all(self) -> None:
        self._keymap.reset()
        self._changed()

    def _remap(self, keys: list[str]) -> None:
        try:
            self._keymap.remap(self._current(), keys)
        except UserError as problem:
            self._words.setText(str(problem))
        else:
            self._changed()

    def _changed(self) -> None:
        self.frame.keep_keys()
        self._fill()

    @Slot()
    def _import(self) -> None:
        dialog = QFileDialog(self, "Import keys", str(Path.home()), "Key maps (*.json)")
        dialog.fileSelected.connect(self._on_import)
        dialog.open()

    @Slot(str)
    def _on_import(self, path: str) -> None:
        try:
            unknown = read_keys(self._keymap, Path(path))
        except UserError as problem:
            self._words.setText(str(problem))
            return
        self._changed()
        if unknown:
            self._words.setText(f"{len(unknown)} actions in the file are not in this program and were left out.")

    @Slot()
    def _export(self) -> None:
        dialog = QFileDialog(self, "Export keys", str(Path.home() / "workstation-keys.json"), "Key maps (*.json)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(self._on_export)
        dialog.open()

    @Slot(str)
    def _on_export(self, path: str) -> None:
        try:
            write_keys(self._keymap, Path(path))
        except OSError as error:
            self._words.setText(f"{path} could not be written: {error.strerror}")


def _fits(typed: str, title: str, keys: Sequence[str]) -> bool:
    """Every word typed is part of the name, or it is the beginning of a key."""
    typed = typed.strip().casefold()
    return all(part in title.casefold() for part in typed.split()) or any(
        each.casefold().startswith(typed) for each in keys
    )


def _sheet_html(window: MainWindow, near: str, typed: str) -> str:
    """The keys of the focused pane, of the workspace, of the window by menu, of classes, of the other panes."""
    from html import escape

    groups: dict[str, list[str]] = {}
    first = [near, window.workspace.scope]
    for action in window.performing.table:
        keys = window.keymap.keys_of(action.id)
        if keys and _fits(typed, action.title, keys):
            menu = action.menu or "Other keys"
            group = menu if action.scope == WINDOW else action.scope
            groups.setdefault(group, []).append(_row(keys, action.title))
    opened = window.opened
    view = None if opened is None else opened.bench.view
    if view is not None and view.ontology is not None:
        for class_id, each in view.ontology.classes.items():
            name = view.class_name(class_id)
            if each.key and _fits(typed, name, [each.key]):
                groups.setdefault("classes", []).append(_row([each.key], name))
    menus = [*ORDER, "Other keys", "classes"]
    ordered = sorted(groups, key=lambda each: (each not in first, each not in menus, _place(menus, each), each))
    titles = {"classes": "Classes of this project", "review": "Workspace Review"}
    return "".join(
        f"<h3>{escape(titles.get(each) or (each if each in menus else f'Pane {each}'))}</h3>"
        f"<table>{''.join(groups[each])}</table>"
        for each in ordered
    )


def _place(menus: Sequence[str], group: str) -> int:
    return menus.index(group) if group in menus else 0


def _row(keys: Sequence[str], title: str) -> str:
    from html import escape

    shown = " &nbsp; ".join(f"<b>{escape(each)}</b>" for each in keys)
    return f"<tr><td width='150'>{shown}</td><td>{escape(title)}</td></tr>"


def _wanted_twice(count: int) -> str:
    if not count:
        return ""
    return f"▲ {'One key is' if count == 1 else f'{count} keys are'} wanted by more than one action."
