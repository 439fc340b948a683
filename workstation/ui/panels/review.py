"""The panel of review: approve the sample, return it with a reason of one key, and its comments and questions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from workstation.app.comment_rows import COLUMNS, comment_rows
from workstation.app.rows import Row
from workstation.app.sample_view import SampleView
from workstation.app.seen import SeenRow, seen_rows
from workstation.ui.panels.listed import Choice, Entry, ListPanel
from workstation.ui.panels.seen_bar import SeenBar
from workstation.ui.workbench import Workbench

_LOOK_MS = 500
REASONS = (
    "class is wrong", "box or boundary is off", "time is off", "something is missing", "link is wrong",
    "words are wrong", "against the guideline",
)  # fmt: skip
"""What ``X`` offers; the keys 1 to 7."""


class ReviewPanel(ListPanel):
    """Comments below two buttons. The keys work in the workspace Review."""

    kind = "review"
    title = "Review"
    columns = COLUMNS
    hint = "Filter comments"
    empty = "No comments. U asks a question about the selection."
    choices = (
        Choice(name="which", spoken="Show comments or questions", entries=(
            ("", "All"), ("open", "Open"), ("question", "Questions"), ("edge_case", "Edge cases"),
            ("resolved", "Resolved"),
        )),
    )  # fmt: skip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = QLabel()
        self._state.setObjectName("review_state")
        self.approve = self._button("approve", "Approve", "sample.approve", "Approve and go on (@sample.approve)")
        self.give_back = self._button("return", "Return…", "sample.return", "Return with a reason (@sample.return)")
        row = QHBoxLayout()
        row.setContentsMargins(6, 6, 6, 2)
        row.addWidget(self._state, 1)
        row.addWidget(self.approve)
        row.addWidget(self.give_back)
        self.column.insertLayout(0, row)
        self.seen = SeenBar()
        self.seen.wanted.connect(self._go_to)
        self.column.insertWidget(1, self.seen)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._show_seen)
        self._shown_news: object = None

    def _button(self, name: str, text: str, action_id: str, tip: str) -> QPushButton:
        made = QPushButton(text)
        made.setObjectName(f"review_{name}")
        made.setAccessibleName(text)
        made.setToolTip(tip)
        made.setProperty("wish", action_id)
        made.clicked.connect(self._on_wish)
        return made

    @Slot()
    def _on_wish(self) -> None:
        button: QObject | None = self.sender()
        if self.bench is not None and isinstance(button, QPushButton):
            self.bench.wish(str(button.property("wish")))

    def woken(self) -> None:
        super().woken()
        self._look.start()

    def laid_aside(self) -> None:
        self._look.stop()
        super().laid_aside()

    def bound(self, bench: Workbench) -> None:
        super().bound(bench)
        if self.awake:
            self._look.start()

    def unbound(self, bench: Workbench) -> None:
        self._look.stop()
        super().unbound(bench)

    @Slot()
    def _show_seen(self) -> None:
        self.guard(self._count_seen)

    def _count_seen(self) -> None:
        """What has been painted and heard since; counted again only when there is news."""
        bench = self.bench
        if bench is None or bench.view is None or bench.seen is None or bench.readers is None:
            self.seen.show_rows([], self.seen.theme)
            return
        opened = sum(bench.readers.opened(each) is not None for each in bench.view.streams.values())
        news = (bench.seen, bench.seen.news, opened, bench.theme)
        if news != self._shown_news:
            self._shown_news = news
            self.seen.show_rows(seen_rows(bench.seen, bench.view, bench.readers), bench.theme)

    @Slot(object, int)
    def _go_to(self, row: SeenRow, at: int) -> None:
        if self.bench is not None and row.timed:
            self.bench.clock.seek(at)

    def refresh(self) -> None:
        super().refresh()
        self._count_seen()
        view: SampleView | None = None if self.bench is None else self.bench.view
        self._state.setText("" if view is None else f"{view.sample.key}: {view.sample.state.value.replace('_', ' ')}")
        read_only = self.bench is None or self.bench.session.read_only
        for button in (self.approve, self.give_back):
            button.setEnabled(view is not None and not read_only)

    def all_rows(self) -> list[Row]:
        assert self.bench is not None
        assert self.bench.view is not None
        return comment_rows(self.bench.session.store, self.bench.view)

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        bench = self.bench
        if bench is None:
            return []
        read_only = "the project is open to look at only" if bench.session.read_only else ""
        one = read_only or ("" if len(rows) == 1 else "select one comment")
        key = rows[0].key if rows else ""
        return [
            Entry(text="Resolve", act=partial(bench.run, "comment.resolve", comment=key), why_not=one),
            Entry(text="Reply…", act=partial(bench.wish, "comment.reply"), why_not=one),
            Entry(text="New comment…", act=partial(bench.wish, "comment.add"), why_not=read_only),
            Entry(text="Tag as an edge case…", act=partial(bench.wish, "edge_case.tag"), why_not=read_only),
            Entry(text="Ask a question…", act=partial(bench.wish, "question.ask"), why_not=read_only),
        ]

    def ask_reason(self) -> None:
        """The reasons to return the sample, each under a digit; the last asks for other words."""
        menu = QMenu(self)
        menu.setObjectName("review_reasons")
        for number, reason in enumerate(REASONS, start=1):
            action = menu.addAction(f"&{number}  {reason.capitalize()}")
            action.setData(reason)
        menu.addAction("&Other words…").setData("")
        menu.triggered.connect(self._on_reason)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.give_back.mapToGlobal(self.give_back.rect().bottomLeft()))

    @Slot(QAction)
    def _on_reason(self, action: QAction) -> None:
        bench, reason = self.bench, str(action.data())
        if bench is None:
            return
        if not reason:
            bench.wish("sample.return_in_words")
            return
        head, view = bench.session.store.head(), bench.view
        bench.run("sample.return", reason=reason)
        if bench.session.store.head() > head:
            bench.tell(f"Returned: {reason}.")
            bench.wish("sample.next")
            if bench.view is view:
                bench.tell(f"Returned: {reason}. This is the last sample.")
