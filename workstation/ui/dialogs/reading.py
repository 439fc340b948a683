"""The manual and what is new, shown in the program: the pages lie in ``resources``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QListWidget, QSplitter, QTextBrowser

from workstation import __version__
from workstation.app.resources import resource
from workstation.ui.dialogs.sheet import Sheet, named

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow


class Manual(Sheet):
    """Pages to the left, the page to the right; opens on what is asked for."""

    def __init__(self, window: MainWindow, page: str = "index") -> None:
        super().__init__(window, "manual", "Manual")
        self.resize(980, 720)
        self._pages = QListWidget()
        named(self._pages, "manual_pages", "Pages")
        self._text = QTextBrowser()
        named(self._text, "manual_text", "The page")
        self._text.setToolTip("")
        self._text.setOpenLinks(False)
        self._text.anchorClicked.connect(self._on_link)
        self._pages.currentTextChanged.connect(self._show)
        names = sorted(each.stem for each in resource("manual").glob("*.md"))
        self._pages.addItems(["what is new", *names])
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self._pages)
        split.addWidget(self._text)
        split.setStretchFactor(1, 1)
        split.setSizes([180, 800])
        self.column.addWidget(split, 1)
        self.say(f"Workstation {__version__}", "quiet")
        close = self.button("close", "Close", default=True)
        close.clicked.connect(self.accept)
        self.buttons(close)
        found = self._pages.findItems(page, Qt.MatchFlag.MatchExactly)
        self._pages.setCurrentItem(found[0] if found else self._pages.item(0))

    @Slot(str)
    def _show(self, name: str) -> None:
        path = resource("changelog.md") if name == "what is new" else resource("manual", f"{name}.md")
        self._text.setMarkdown(path.read_text(encoding="utf-8"))

    @Slot("QUrl")
    def _on_link(self, url: object) -> None:
        name = str(getattr(url, "fileName", lambda: "")()).removesuffix(".md")
        found = self._pages.findItems(name, Qt.MatchFlag.MatchExactly)
        if found:
            self._pages.setCurrentItem(found[0])
