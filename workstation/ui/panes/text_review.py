"""The strip under a text that is reviewed: one detail after the other, an answer each, and the verdict at the end.

Held by the text pane, which says which text it is and where the details stand. The verdict can be given only when every
detail was answered, and nothing can be answered while the picture is hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from workstation.app.text_review import Answer, Detail, answering, answers_in, details_of, first_open, judging
from workstation.app.text_source import Body

if TYPE_CHECKING:
    from workstation.ui.workbench import Workbench

_TITLES = {
    Answer.CONFIRMED: ("confirmed", "Confirmed"), Answer.UNCONFIRMABLE: ("unconfirmable", "Cannot be seen"),
    Answer.WRONG: ("wrong", "Not so"),
}  # fmt: skip


class ReviewStrip(QWidget):
    """``begin`` with a body; ``detail_shown`` says what to mark in the text."""

    detail_shown = QtSignal(object)
    """A ``Detail``, or ``None`` when all are answered or the strip is closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("text_review")
        self.bench: Workbench | None = None
        self.barred = ""
        self.body: Body | None = None
        self.details: list[Detail] = []
        self.answers: dict[Detail, Answer] = {}
        self.at: int | None = None
        self._words = QLabel()
        self._words.setObjectName("text_review_words")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.addWidget(self._words, 1)
        self._back = self._button("text_review_back", "◂", "Previous detail", self._on_back)
        self._on = self._button("text_review_on", "▸", "Next detail", self._on_next)
        self._buttons = {
            answer: self._button(f"text_review_{name}", title, title, self._on_answer)
            for answer, (name, title) in _TITLES.items()
        }
        self.verdict = self._button("text_review_verdict", "Verdict", "Verdict on the text", self._on_verdict)
        for each in (self._back, self._on, *self._buttons.values(), self.verdict):
            row.addWidget(each)
        self.hide()

    def _button(self, name: str, text: str, spoken: str, clicked: object) -> QPushButton:
        made = QPushButton(text)
        made.setObjectName(name)
        made.setAccessibleName(spoken)
        made.clicked.connect(clicked)
        return made

    def begin(self, body: Body | None) -> None:
        """Review another text; ``None`` ends it."""
        self.body = body
        self.details = [] if body is None else details_of(body.text)
        self.setVisible(body is not None)
        self.renew()
        self.at = first_open(self.details, self.answers)
        self._show()

    def bar(self, reason: str) -> None:
        """Nothing may be answered, for this reason; empty: it may."""
        if reason != self.barred:
            self.barred = reason
            self._show()

    def renew(self) -> None:
        """Verdicts may have come or gone."""
        bench, body = self.bench, self.body
        self.answers = {}
        if bench is not None and bench.view is not None and body is not None:
            target = body.anchor.of or body.anchor.stream or ""
            self.answers = answers_in(bench.session.store, bench.view.id, target, self.details)
        self._show()

    def _show(self) -> None:
        detail = None if self.at is None or self.at >= len(self.details) else self.details[self.at]
        done, count = len(self.answers), len(self.details)
        if self.barred:
            said = f"▲ {self.barred[0].upper()}{self.barred[1:]}."
        elif not count:
            said = "This text holds nothing to confirm."
        elif detail is None:
            said = f"All {count} details are answered."
        else:
            known = self.answers.get(detail)
            said = f"Detail {(self.at or 0) + 1} of {count}: “{detail.words}”" + (f" – {known.value}" if known else "")
        self._words.setText(f"{said}  ({done} answered)" if detail is not None and not self.barred else said)
        self.setAccessibleName(said)
        for button in (self._back, self._on, *self._buttons.values()):
            button.setEnabled(detail is not None and not self.barred)
        for button in (self._back, self._on):
            button.setEnabled(bool(count))
        self.verdict.setEnabled(bool(count) and done == count and not self.barred)
        self.verdict.setToolTip("" if self.verdict.isEnabled() else f"Answer every detail first: {done} of {count} are")
        self.detail_shown.emit(detail if self.body is not None else None)

    def _on_back(self) -> None:
        self._step(-1)

    def _on_next(self) -> None:
        self._step(1)

    def _step(self, by: int) -> None:
        if self.details:
            self.at = by % len(self.details) if self.at is None else (self.at + by) % len(self.details)
            self._show()

    def _on_answer(self) -> None:
        sender = self.sender()
        answer = next(each for each, button in self._buttons.items() if button is sender)
        self.answer(answer)

    def answer(self, answer: Answer) -> None:
        """Keep the answer for the detail that is shown, and go on to the next open one."""
        bench, body, at = self.bench, self.body, self.at
        if bench is None or body is None or at is None or self.barred:
            return
        if bench.run("verdict.add", **answering(body.anchor, self.details[at], answer)) is None:
            return
        self.renew()
        self.at = first_open(self.details, self.answers, at)
        self._show()

    def _on_verdict(self) -> None:
        bench, body = self.bench, self.body
        if bench is None or body is None:
            return
        given = judging(body.anchor, self.answers.values())
        if bench.run("verdict.add", **given) is not None:
            bench.tell(f"The text is {given['value']}: {given['reason']}.")
