"""The transcript to be typed in: turns with their words, which follow playback; also captions and reports of people.

Typing never moves times. What is typed is stored after a pause of a second, at a word's end, and before anything else
is done; each is one step to undo. What is known of turns and words is asked of ``app/transcript.py``; the page itself
is ``text_editor.py``; the text pane holds it and says which text; keys are in ``actions/text.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workstation.app.looks import claimed_name
from workstation.app.sample_view import SampleView
from workstation.app.spans import selected_range
from workstation.app.text_source import notes_of
from workstation.app.transcript import (
    cut_at,
    losses,
    normal,
    said_by,
    speaker_paint,
    turns_of,
    word_at,
    word_now,
    word_places,
)
from workstation.core.annotation import Annotation, Word
from workstation.core.records import RecordKind
from workstation.core.sample import StreamKind
from workstation.core.selection import SelectionChanged
from workstation.store.changes import ChangeSet
from workstation.ui.pane_header import PaneHeader
from workstation.ui.panes.text_editor import BREAK, Line, Page, WordMarks
from workstation.ui.panes.text_question import Question
from workstation.ui.scenes.ruler import in_words
from workstation.ui.theme import Theme

if TYPE_CHECKING:
    from workstation.ui.workbench import Workbench

PAUSE_MS = 1000
_NEW_WORD_NS = 300_000_000
_EMPTY_TURN = "…"


class Typing(QWidget):
    """One transcript at a time, or the notes on one stream."""

    kind = "text"
    list_changed = QtSignal()
    """A turn or note was made or taken away."""

    def __init__(self, header: PaneHeader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("text_typing")
        self.header = header
        self.bench: Workbench | None = None
        self.follows = True
        self.barred = ""
        """Why nothing may be written now; empty while it may."""
        self._stream: str | None = None
        self._notes = False
        self._turns: list[str] = []
        self._starts = np.zeros(0, np.int64)
        self._ends = np.zeros(0, np.int64)
        self._pending: int | None = None
        """The line that was typed in and is not stored yet."""
        self._showing = False
        self._untimed = False
        """Whether no word of any turn has a time: said once in the header."""
        self._ended_word = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.store_typed)
        self._build_body()

    # --- building -----------------------------------------------------------------------------------------------

    def _build_body(self) -> None:
        self.page = Page()
        self._marks = WordMarks(self.page, self._words_of_line)
        self.page.document().contentsChange.connect(self._changed)
        self.page.textChanged.connect(self._typed)
        self.page.cursorPositionChanged.connect(self._caret_moved)
        self.page.clicked.connect(self._clicked)
        self.page.refused.connect(self._refused)
        self.question = Question()
        self.question.answered.connect(self._answered)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.question)
        column.addWidget(self.page, 1)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bind(self, bench: Workbench) -> None:
        """Begin to work at a workbench; the pane says what is to be shown."""
        self.bench = bench
        bench.settled.connect(self._on_settled)
        self.wear(bench.theme)

    def unbind(self, bench: Workbench) -> None:
        self.store_typed()
        bench.settled.disconnect(self._on_settled)
        self._pause.stop()
        self.bench = None

    def show_text(self, stream: str | None, *, notes: bool) -> None:
        """The turns of a stream, or the notes on it."""
        if (stream, notes) != (self._stream, self._notes):
            self.store_typed()
        self._pause.stop()
        self._pending = None
        self.question.hide()
        self._stream, self._notes = stream, notes
        self._load()

    def bar(self, reason: str) -> None:
        """Nothing may be written, for this reason; empty: it may again."""
        if reason != self.barred:
            if reason:
                self.store_typed()
            self.barred = reason
            self.page.bar(reason, self._read_only())

    def _read_only(self) -> bool:
        return not self._turns or bool(self.barred) or self.bench is None or self.bench.session.read_only

    # --- what is shown ------------------------------------------------------------------------------------------

    @property
    def _view(self) -> SampleView | None:
        return None if self.bench is None else self.bench.view

    def turn_at(self, line: int) -> Annotation | None:
        """The turn on a line."""
        view = self._view
        return view.annotations.get(self._turns[line]) if view is not None and 0 <= line < len(self._turns) else None

    def _words_of_line(self, line: int) -> Sequence[Word]:
        view = self._view
        return view.words(self._turns[line]) if view is not None and 0 <= line < len(self._turns) else ()

    def _records(self) -> list[Annotation]:
        view = self._view
        if view is None:
            return []
        if self._notes:
            return [each for each in notes_of(view, self._stream) if not set(each.text or "") & _NOT_TYPED]
        kept: frozenset[str] = frozenset() if self.bench is None else self.bench.sight.kept
        return [] if self._stream is None else turns_of(view, self._stream, kept)

    def _load(self) -> None:
        """Put the whole text on the page."""
        view, turns = self._view, self._records()
        self._turns = [each.id for each in turns]
        self._showing = True
        self.page.notes = self._notes
        self.page.setReadOnly(self._read_only())
        self.page.setPlainText("\n".join(_on_page(each) for each in turns))
        self._showing = False
        self._place()
        if view is None or not turns:
            self.header.say(item="nothing here")
            self.page.setPlaceholderText("" if view is None or self.bench is None else self.bench.spelled(
                "Nothing is transcribed here. Select a span and add a turn (@text.add_turn)."))  # fmt: skip

    def _place(self) -> None:
        """When the lines are said, by whom."""
        view = self._view
        turns = [turn for line in range(len(self._turns)) if (turn := self.turn_at(line)) is not None]
        shown = [] if view is None else [view.session_range(each) for each in turns]
        self._starts = np.array([0 if each is None else each.start_ns for each in shown], np.int64)
        self._ends = np.array([0 if each is None else each.end_ns for each in shown], np.int64)
        lines = []
        without = set() if view is None or self._notes else {each.id for each in turns if _is_untimed(view, each)}
        self._untimed = bool(turns) and len(without) == len(turns)
        for at, turn in enumerate(turns):
            assert view is not None
            if self._notes:
                name = claimed_name(view.name_of(turn.id), turn.state, turn.confidence)
                lines.append(Line(name, view.paint_of(turn).colour, turn.item or "", state=turn.state))
                continue
            untimed, colour = turn.id in without and not self._untimed, speaker_paint(view, turn).colour
            lines.append(Line(said_by(view, turn), colour, in_words(int(self._starts[at])), untimed, turn.state))
        self.page.lines = lines
        self.page.chosen = frozenset() if self.bench is None else self._lines_of(self.bench.selected)
        self.page.refresh()

    def _lines_of(self, ids: tuple[str, ...]) -> frozenset[int]:
        """Where the turns are that are marked while these are selected."""
        marked = frozenset() if self._view is None else self._view.marked(ids)
        return frozenset(at for at, turn in enumerate(self._turns) if turn in marked)

    def show_time(self, time_ns: int) -> None:
        line = self.line_at(time_ns)
        if line is None:
            self.page.mark_word(None, None)
            self.header.say(item=self.barred or self._summary(), own="" if self._notes else in_words(time_ns))
            return
        turn, view = self.turn_at(line), self._view
        word = None
        if turn is not None and view is not None:
            own_ns = view.own_ns(turn, time_ns)
            word = word_now(view.words(turn.id), own_ns)
        else:
            own_ns = time_ns
        self.page.mark_word(line, word)
        if self.bench is not None and self.bench.clock.playing and self.follows:
            self.page.scroll_to(line)
        away = (int(self._starts[line]) - time_ns) / 1e6
        count = len(self._starts)
        item = self.barred or f"turn {line + 1} of {count}{', words untimed' if self._untimed else ''}"
        self.header.say(item=item, own=f"{own_ns / 1e9:.3f} s", distance=f"{away:+.0f} ms")

    def _summary(self) -> str:
        count = len(self._turns)
        if not count:
            return "nothing here"
        if self._notes:
            return f"{count} note{'s' if count > 1 else ''}"
        return f"between turns, {count} in all{', words untimed' if self._untimed else ''}"

    def line_at(self, time_ns: int) -> int | None:
        """The line that is said at a time; of several at once the one that began last."""
        inside = np.flatnonzero((self._starts <= time_ns) & (time_ns < self._ends))
        return int(inside[-1]) if len(inside) else None

    def show_selection(self, change: SelectionChanged) -> None:
        if not change.ids_changed:
            return
        self.page.chosen = self._lines_of(change.after.ids)
        self.page.refresh()
        if change.cause != self.kind and self.page.chosen:
            self.page.scroll_to(min(self.page.chosen))

    def apply(self, changes: ChangeSet) -> None:
        kinds = (RecordKind.ANNOTATION, RecordKind.WORD, RecordKind.ENTITY, RecordKind.LINK, RecordKind.STREAM)
        view = self._view
        if view is None or not any(changes.touched(kind) for kind in kinds):
            return
        turns = self._records()
        if [each.id for each in turns] != self._turns:
            self.list_changed.emit()
            self.reload()
        else:
            self._showing = True
            for line, turn in enumerate(turns):
                if line != self._pending and self._typed_text(line, turn) != (turn.text or ""):
                    self.page.set_line(line, _on_page(turn))
            self._showing = False
            self._place()
        if changes.touched(RecordKind.WORD):
            self._showing = True
            self._marks.rehighlight()
            self._showing = False
        if self.bench is not None:
            self.show_time(self.bench.clock.time_ns)

    def reload(self) -> None:
        line, at = self.page.caret()
        turn = self._turns[line] if line < len(self._turns) else None
        self._pending = None
        self._load()
        if turn in self._turns:
            self.page.put_caret(self._turns.index(turn), at)

    def step_time(self, steps: int) -> int | None:
        """To the beginning of the word so many words on."""
        view, bench = self._view, self.bench
        if view is None or bench is None or not self._turns:
            return None
        starts = [
            view.streams[self._stream or ""].time_map.to_session(word.start_ns)
            for turn in self._turns
            for word in view.words(turn)
            if word.start_ns is not None
        ]
        if not starts:
            return None
        times = np.unique(np.array(starts, np.int64))
        at = int(times.searchsorted(bench.clock.time_ns, side="right")) - 1 + steps
        return int(times[min(max(at, 0), len(times) - 1)])

    def unit_name(self) -> str:
        return "word" if self._turns and not self._notes else ""

    # --- typing -------------------------------------------------------------------------------------------------

    def _changed(self, at: int, removed: int, added: int) -> None:
        """What was put in last ends a word if it is a blank; taking out never does."""
        del removed
        self._ended_word = added > 0 and str(self.page.document().characterAt(at + added - 1)).isspace()

    def _typed(self) -> None:
        if self._showing or not self._turns:
            return
        line, _ = self.page.caret()
        if self.page.document().blockCount() != len(self._turns):
            self.reload()  # a line is a turn: what made or merged one is taken back
            return
        if self._pending is not None and self._pending != line:
            self.store_typed()
        turn = self.turn_at(line)
        if turn is None or self._typed_text(line, turn) == (turn.text or ""):
            return
        self._pending = line
        self._pause.start()
        if self._ended_word and not self.question.isVisible():
            self.store_typed()

    def _caret_moved(self) -> None:
        if self._showing:
            return
        line, _ = self.page.caret()
        if self._pending is not None and line != self._pending:
            self.store_typed()
        turn = self.turn_at(line)
        if turn is not None and self.bench is not None and self.page.hasFocus():
            self.bench.focus_on(turn.stream)
            self.bench.select([turn.id], cause=self.kind)

    def store_typed(self) -> None:
        """Store what was typed as one step; a question to be answered first is asked beside the page."""
        line = self._pending
        turn = None if line is None else self.turn_at(line)
        if line is None or turn is None or self.bench is None or self._view is None:
            return
        text = self._typed_text(line, turn)
        if text == (turn.text or ""):
            self._let_be()
            return
        lost = losses(self._view, turn, text)
        if not text:
            self._pause.stop()
            self.question.ask(f"This {self._word} has no word left.", (("delete", f"Delete the {self._word}"), _BACK))
        elif lost:
            self._pause.stop()
            links = sum(len(each.links) for each in lost)
            text_of = f"{links} links lead to “{lost[0].quote}”, which is gone." if links > 1 else (
                f"A link leads to “{lost[0].quote}”, which is gone.")  # fmt: skip
            self.question.ask(
                text_of, (("remove", "Remove what leads there"), ("retarget", f"Lead it to the {self._word}"), _BACK)
            )
        else:
            self._write(turn, text, {})

    @property
    def _word(self) -> str:
        return "note" if self._notes else "turn"

    def _typed_text(self, line: int, turn: Annotation) -> str:
        """What a line says as the record would hold it: words with a blank between, or a note's own line breaks."""
        view, said = self._view, self.page.line_text(line)
        if view is not None and (not self._notes or view.words(turn.id)):
            return normal(said)
        return said.replace(BREAK, "\n")

    def _write(self, turn: Annotation, text: str, more: dict[str, object]) -> None:
        assert self.bench is not None
        bench = self.bench

        def act() -> bool:
            with bench.together("Type") as run:
                run("text.edit", annotation=turn.id, text=text, **more)
            return True

        line, self._pending = self._pending, None
        self._pause.stop()
        self.question.hide()
        if not bench.attempt(act) and line is not None:
            self._showing = True
            self.page.set_line(line, _on_page(turn))
            self._showing = False

    def _let_be(self) -> None:
        self._pending = None
        self._pause.stop()
        self.question.hide()

    def _answered(self, answer: str) -> None:
        """What becomes of a turn without words, or of links to words that are gone."""
        line = self._pending
        turn = None if line is None else self.turn_at(line)
        if line is None or turn is None or self.bench is None:
            self.question.hide()
            return
        text = self._typed_text(line, turn)
        if answer == "delete":
            self._let_be()
            if self.bench.run("annotation.delete", annotations=[turn.id]) is None and self.turn_at(line) == turn:
                self._restore(line, turn)
        elif answer in ("remove", "retarget") and text:
            more: dict[str, object] = {"links": answer}
            if answer == "retarget":
                more["to"] = f"annotation:{turn.id}"
            self._write(turn, text, more)
        else:
            self._let_be()
            self._restore(line, turn)
        self.page.setFocus()

    def _restore(self, line: int, turn: Annotation) -> None:
        self._showing = True
        self.page.set_line(line, _on_page(turn))
        self._showing = False

    def _on_settled(self, nothing: None) -> None:
        del nothing
        if not self.question.isVisible():
            self.store_typed()

    # --- what keys do -------------------------------------------------------------------------------------------

    def current(self) -> Annotation | None:
        """The turn with the caret."""
        return self.turn_at(self.page.caret()[0])

    def split(self) -> None:
        """Cut the turn at the caret, before the word it stands in front of or in."""
        self.store_typed()
        turn, view, bench = self.current(), self._view, self.bench
        line, at = self.page.caret()
        if turn is None or view is None or bench is None:
            return
        words, text = view.words(turn.id), self.page.line_text(line)
        number = word_at(text, at)
        places = word_places(text)
        if number < len(places) and at > places[number][0]:
            number += 1  # the caret is inside a word, which is not torn
        if not 0 < number < len(words):
            bench.tell("Put the caret between two words: the turn is split there.")
            return
        made = bench.run("turn.split", word=words[number].id, at_ns=cut_at(turn, words, number))
        if made in self._turns:
            self.page.put_caret(self._turns.index(made), 0)

    def join(self) -> None:
        """Join the next turn to the one with the caret."""
        self.store_typed()
        line, at = self.page.caret()
        first, second = self.turn_at(line), self.turn_at(line + 1)
        if self.bench is None or first is None or second is None:
            if self.bench is not None:
                self.bench.tell("There is no turn after this one to join.")
            return
        self.bench.run("turn.join", first=first.id, second=second.id)
        self.page.put_caret(line, at)

    def play_turn(self) -> None:
        """Play exactly the turn with the caret."""
        turn, view = self.current(), self._view
        shown = None if turn is None or view is None else view.session_range(turn)
        if shown is not None and self.bench is not None and not shown.is_instant:
            self.bench.session.player.play_range(shown.start_ns, shown.end_ns)

    def place_word(self) -> None:
        """Give the word at the caret its time: from the playhead, as far as its neighbours leave room."""
        turn, view, bench = self.current(), self._view, self.bench
        if turn is None or view is None or bench is None:
            return
        line, at = self.page.caret()
        words = view.words(turn.id)
        number = min(word_at(self.page.line_text(line), at), len(words) - 1)
        if number < 0:
            return
        start = view.own_ns(turn, bench.clock.time_ns)
        later = [word.start_ns for word in words[number + 1 :] if word.start_ns is not None]
        end = min([start + _NEW_WORD_NS, *later[:1], turn.end_ns or start + _NEW_WORD_NS])
        bench.run("word.place", word=words[number].id, start_ns=start, end_ns=end)

    def add_turn(self, nearest: str | None) -> tuple[str, str] | None:
        """Add a turn where the selected span is, or the loop, on its sound or else the nearest stream: (stream, turn).

        ``edit_new`` lets its words be typed over the dots.
        """
        view, bench = self._view, self.bench
        if view is None or bench is None:
            return None
        if self.barred:
            bench.tell(f"Nothing can be written now: {self.barred}.")
            return None
        shown = selected_range(view, bench.selected) or bench.clock.loop
        stream = self._stream_for_turn(view, bench) or nearest
        if shown is None or shown.is_instant or stream is None:
            bench.tell("Select a span on a sound, or set a loop: the new turn lies there.")
            return None
        known = turns_of(view, stream)
        class_id = known[-1].class_id if known else bench.hand.class_id
        time_map = view.streams[stream].time_map
        made = bench.run(
            "turn.add", stream=stream, class_id=class_id, text=_EMPTY_TURN,
            start_ns=time_map.first_stream_at(shown.start_ns), end_ns=time_map.first_stream_at(shown.end_ns),
        )  # fmt: skip
        return None if made is None else (stream, made)

    def edit_new(self, made: str) -> None:
        """The caret into a turn just made, its dots selected."""
        if made in self._turns:
            line = self._turns.index(made)
            self.page.setFocus()
            self.page.put_caret(line, 0)
            cursor = self.page.textCursor()
            cursor.movePosition(cursor.MoveOperation.EndOfBlock, cursor.MoveMode.KeepAnchor)
            self.page.setTextCursor(cursor)

    def _stream_for_turn(self, view: SampleView, bench: Workbench) -> str | None:
        for each in bench.selected:
            annotation = view.annotations.get(each)
            stream = None if annotation is None else view.streams.get(annotation.stream or "")
            if stream is not None and stream.kind is StreamKind.AUDIO:
                return stream.id
        return None if self._notes else self._stream

    # --- what is told -------------------------------------------------------------------------------------------

    def _clicked(self, line: int, at: int) -> None:
        """A click on a word goes to its time."""
        view, bench = self._view, self.bench
        if view is None or bench is None or not 0 <= line < len(self._starts):
            return
        turn = self.turn_at(line)
        target = int(self._starts[line])
        if turn is not None:
            number = word_at(self.page.line_text(line), at)
            time_map = view.time_map(turn)
            placed = [word.start_ns for word in view.words(turn.id)[: number + 1] if word.start_ns is not None]
            if placed:
                target = placed[-1] if time_map is None else time_map.to_session(placed[-1])
        bench.clock.seek(target)

    def _refused(self, reason: str) -> None:
        if self.bench is not None:
            self.bench.tell(reason)

    def wear(self, theme: Theme) -> None:
        """Paint in other colours."""
        self.page.theme = theme
        self._showing = True
        self._marks.rehighlight()
        self._showing = False
        self.page.refresh()


_NOT_TYPED = frozenset("\r\u2028\u2029\ufdd0\ufdd1")
"""A field of Qt makes line ends of these: a note that holds one is read, and edited by scripts."""


def _is_untimed(view: SampleView, turn: Annotation) -> bool:
    return all(word.start_ns is None for word in view.words(turn.id))


def _on_page(turn: Annotation) -> str:
    return (turn.text or "").replace("\n", BREAK)


_BACK = ("back", "Bring the words back")
