"""The page of the transcript: one line a turn, speakers and times beside it, words marked by what is known of them.

Typing changes the page at once; the pane stores it. A line is a turn for good: nothing typed, pasted or deleted here
makes or merges lines. Carets, right-to-left lines and joined letters are Qt's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QMimeData, QPoint, QRect, QRectF, QSize, Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QTextEdit, QWidget

from workstation.app.transcript import DOUBTFUL, word_places
from workstation.core.annotation import State, Word
from workstation.ui.keys import UNDO_OF_WINDOW
from workstation.ui.scenes.letters import small_font
from workstation.ui.scenes.text_claims import paint_bar, paint_speaker
from workstation.ui.theme import DARK, Theme

GUTTER_PX = 176
BREAK = "\u2028"
"""A line break inside a note, which stays one line of the page."""
_LARGER_POINTS = 1.5
_OVER_LINES = "Words of several turns are edited turn by turn; join two (@text.join)."
"""A transcript is read and typed in all day."""


@dataclass(frozen=True, slots=True)
class Line:
    """What stands beside a line."""

    speaker: str
    colour: str
    when: str
    untimed: bool = False
    """Whether no word of the line has a time: said once here, so that the words need no marks."""
    state: State = State.DONE


class Page(QPlainTextEdit):
    """Lines that are turns."""

    clicked = QtSignal(int, int)
    """Line and place in it, after a click."""
    refused = QtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("text_page")
        self.setAccessibleName("Transcript")
        self.setUndoRedoEnabled(False)
        self.setProperty(UNDO_OF_WINDOW, True)
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the menu of labels holds its entries
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        larger = QFont(self.font())
        larger.setPointSizeF(larger.pointSizeF() + _LARGER_POINTS)
        self.document().setDefaultFont(larger)
        self.document().setDocumentMargin(6)
        self.theme: Theme = DARK
        self.lines: Sequence[Line] = ()
        self.now: int | None = None
        """The line that is said now."""
        self.chosen: frozenset[int] = frozenset()
        self._marked: tuple[int | None, int | None, str] = (None, None, "")
        self._painted: tuple[int | None, int | None, str] = self._marked
        self.notes = False
        self._barred = ""
        """Whether a line may hold breaks."""
        self._gutter = _Gutter(self)
        self.setViewportMargins(GUTTER_PX, 0, 0, 0)
        self.updateRequest.connect(self._scrolled)

    # --- what is shown ------------------------------------------------------------------------------------------

    def line_text(self, number: int) -> str:
        return self.document().findBlockByNumber(number).text()

    def set_line(self, number: int, text: str) -> None:
        """Put other words on a line, the caret as far in as it was."""
        caret = self.textCursor()
        inside = caret.blockNumber() == number
        at = caret.positionInBlock()
        block = self.document().findBlockByNumber(number)
        cursor = QTextCursor(block)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)
        if inside:
            self.put_caret(number, min(at, len(text)))

    def caret(self) -> tuple[int, int]:
        """Line and place in it, in Qt's units (UTF-16)."""
        cursor = self.textCursor()
        return cursor.blockNumber(), cursor.positionInBlock()

    def put_caret(self, line: int, at: int) -> None:
        block = self.document().findBlockByNumber(line)
        if block.isValid():
            cursor = QTextCursor(block)
            cursor.setPosition(block.position() + min(at, max(0, block.length() - 1)))
            self.setTextCursor(cursor)

    def line_at(self, place: QPoint) -> int | None:
        """The line at a place of the page; none below the last."""
        y = self.viewport().mapFrom(self, place).y()
        block = self.cursorForPosition(QPoint(0, y)).block()
        rect = self.blockBoundingGeometry(block).translated(self.contentOffset())
        return block.blockNumber() if rect.top() <= y < rect.bottom() else None

    def scroll_to(self, line: int) -> None:
        """Bring a line into view without moving the caret."""
        block = self.document().findBlockByNumber(line)
        if block.isValid():
            rect = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if rect.top() < 0 or rect.bottom() > self.viewport().height():
                self.verticalScrollBar().setValue(max(0, block.firstLineNumber() - 2))

    @property
    def up_to_date(self) -> bool:
        """Whether the word that is said now is painted as such."""
        return self._painted == self._marked

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._painted = self._marked

    def mark_word(self, line: int | None, word: int | None) -> None:
        """Highlight the word that is said now; nothing is painted again while it is the same one."""
        text = "" if line is None else self.line_text(line)
        if (line, word, text) == self._marked:
            return
        self._marked = (line, word, text)
        self.viewport().update(0, 0, 1, 1)  # painted, also where the line is scrolled away: ``up_to_date`` waits for it
        found = []
        places = word_places(text)
        if line is not None and word is not None and word < len(places):
            mark = QTextEdit.ExtraSelection()
            form = QTextCharFormat()
            form.setBackground(QColor(self.theme.accent))
            form.setForeground(QColor(self.theme.on_accent))
            mark.format = form
            cursor = QTextCursor(self.document().findBlockByNumber(line))
            begin = cursor.position()
            cursor.setPosition(begin + places[word][0])
            cursor.setPosition(begin + places[word][1], QTextCursor.MoveMode.KeepAnchor)
            mark.cursor = cursor
            found.append(mark)
        self.setExtraSelections(found)
        if line != self.now:
            self.now = line
            self._gutter.update()

    def refresh(self) -> None:
        """What stands beside the lines is other."""
        self._gutter.update()

    # --- typing -------------------------------------------------------------------------------------------------

    def bar(self, reason: str, read_only: bool) -> None:
        """Nothing may be written for now: letters say why, and are no keys of the window's meanwhile."""
        self.setReadOnly(read_only)
        self._barred = reason
        self.setProperty("edits_text", bool(reason))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.isReadOnly():
            if self._barred and event.text().isprintable() and event.text():
                self.refused.emit(f"Nothing can be written: {self._barred}.")
                return
            super().keyPressEvent(event)
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.notes:
                self.insertPlainText(BREAK)
            else:
                self.moveCursor(QTextCursor.MoveOperation.NextBlock)
            return
        reason = self._why_not(event)
        if reason:
            self.refused.emit(reason)
            return
        super().keyPressEvent(event)

    def menu_entries(self, menu: QMenu) -> None:
        """What a hand expects of a right click on words."""
        menu.addSeparator()
        chosen, writes = self.textCursor().hasSelection(), not self.isReadOnly()
        for name, words, act, may in (
            ("cut", "Cut words", self._cut_words, chosen and writes), ("copy", "Copy words", self.copy, chosen),
            ("paste", "Paste words", self.paste, writes and self.canPaste()),
        ):  # fmt: skip
            entry = menu.addAction(words)
            entry.setObjectName(f"text_{name}")
            entry.setEnabled(may)
            entry.triggered.connect(act)

    @Slot()
    def _cut_words(self) -> None:
        if self._over_lines(self.textCursor()):
            self.refused.emit(_OVER_LINES)
        else:
            self.cut()

    def _why_not(self, event: QKeyEvent) -> str:
        cursor = self.textCursor()
        removes = event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete) or event.matches(
            QKeySequence.StandardKey.Cut
        )
        edits = removes or event.matches(QKeySequence.StandardKey.Paste)
        edits = edits or (bool(event.text()) and event.text().isprintable())
        if edits and self._over_lines(cursor):
            return _OVER_LINES
        if removes and not cursor.hasSelection():
            if event.key() == Qt.Key.Key_Backspace and cursor.atBlockStart():
                return "This is the beginning of the turn; join it to another (@text.join)."
            if event.key() == Qt.Key.Key_Delete and cursor.atBlockEnd():
                return "This is the end of the turn; join the next one to it (@text.join)."
        return ""

    def _over_lines(self, cursor: QTextCursor) -> bool:
        if not cursor.hasSelection():
            return False
        find = self.document().findBlock
        return find(cursor.selectionStart()).blockNumber() != find(cursor.selectionEnd()).blockNumber()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Plain words; line ends become blanks."""
        text = source.text()
        if self._over_lines(self.textCursor()):
            self.refused.emit(_OVER_LINES)
        elif text:
            blank_before, blank_after = text[:1].isspace(), text[-1:].isspace()
            words = text.replace("\r\n", BREAK).replace("\n", BREAK) if self.notes else " ".join(text.split())
            if self.notes:
                self.insertPlainText(words)
                return
            self.insertPlainText(f"{' ' if blank_before else ''}{words}{' ' if blank_after else ''}")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() is Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            self.clicked.emit(*self.caret())

    # --- beside the lines ---------------------------------------------------------------------------------------

    def _scrolled(self, rect: QRect, by: int) -> None:
        if by:
            self._gutter.scroll(0, by)
        else:
            self._gutter.update(0, rect.y(), GUTTER_PX, rect.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inside = self.contentsRect()
        self._gutter.setGeometry(inside.left(), inside.top(), GUTTER_PX, inside.height())

    def paint_gutter(self, event: QPaintEvent) -> None:
        """Speaker and time of every line in view; the speaker's colour as a bar, thick where it is said now."""
        painter = QPainter(self._gutter)
        painter.fillRect(event.rect(), QColor(self.theme.raised))
        painter.setFont(small_font())
        block = self.firstVisibleBlock()
        while block.isValid():
            rect = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if rect.top() > event.rect().bottom():
                break
            if block.blockNumber() < len(self.lines):
                self._paint_line(painter, block.blockNumber(), rect)
            block = block.next()
        painter.end()

    def _paint_line(self, painter: QPainter, number: int, rect: QRectF) -> None:
        line = self.lines[number]
        if number in self.chosen:
            painter.fillRect(QRectF(0, rect.top(), GUTTER_PX, rect.height()), QColor(self.theme.line))
        wide = 7 if number == self.now else 3
        paint_bar(painter, QRectF(0, rect.top() + 1, wide, rect.height() - 2), line.colour, line.state)
        painter.setPen(QColor(self.theme.ink))
        metrics = painter.fontMetrics()
        time_px = metrics.horizontalAdvance(f"{line.when} untimed" if line.untimed else line.when) + 6
        name = metrics.elidedText(line.speaker, Qt.TextElideMode.ElideRight, GUTTER_PX - 16 - time_px)
        row = QRectF(11, rect.top(), GUTTER_PX - 16, min(rect.height(), self.fontMetrics().lineSpacing()))
        paint_speaker(painter, row, name, line.state)
        painter.setPen(QColor(self.theme.quiet))
        when = f"{line.when} untimed" if line.untimed else line.when
        painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, when)


class _Gutter(QWidget):
    """Speakers and times."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.setObjectName("text_gutter")
        self.setAccessibleName("Speakers and times")
        self._page = page

    def sizeHint(self) -> QSize:
        return QSize(GUTTER_PX, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._page.paint_gutter(event)


class WordMarks(QSyntaxHighlighter):
    """Doubtful words under a wave; untimed words among timed ones under dots."""

    def __init__(self, page: Page, words: Callable[[int], Sequence[Word]]) -> None:
        super().__init__(page.document())
        self._page = page
        self._words = words

    def highlightBlock(self, text: str) -> None:
        """Called by Qt for a line that changed. Marks only while the line says what is stored."""
        words = self._words(self.currentBlock().blockNumber())
        places = word_places(text)
        if len(words) != len(places):
            return
        timed = any(word.start_ns is not None for word in words)
        for word, (start, end) in zip(words, places, strict=True):
            form = QTextCharFormat()
            if word.start_ns is None and timed:
                form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
                form.setUnderlineColor(QColor(self._page.theme.quiet))
            elif word.probability is not None and word.probability < DOUBTFUL:
                form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
                form.setUnderlineColor(QColor(self._page.theme.warning))
                form.setFontWeight(QFont.Weight.Normal)
            else:
                continue
            self.setFormat(start, end - start, form)
