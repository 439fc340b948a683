"""What presses, drags and keys do to the sheet of texts: carets, stretches, spans made, drawn out, cut and picked.

Everything is kept as offsets of one body's text, in code points. A drag takes words and with Alt single characters,
also parts of those that are several code points; Ctrl keeps what was taken before as another part. What is taken waits
for its class as any drawn shape does; one command makes or changes a span.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from workstation.app.text_marks import Mark
from workstation.app.text_source import Kind, Place, Sheet
from workstation.app.text_words import next_character, next_word, snapped, word_around
from workstation.core.geometry import ShapeKind
from workstation.core.selection import replace, toggle
from workstation.core.text_edits import quote, united, without
from workstation.ui.panes.text_canvas import Hit

if TYPE_CHECKING:
    from workstation.ui.panes.text_reading import TextReading

Parts = tuple[tuple[int, int], ...]
_CTRL, _ALT, _SHIFT = (
    Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier,
)  # fmt: skip
_CLICK_PX = 3.0


class Marking:
    """The hand on one sheet. ``reading`` owns canvas and sheet and knows the workbench."""

    def __init__(self, reading: TextReading) -> None:
        self._reading = reading
        self.body: int | None = None
        self.kept: Parts = ()
        """Parts taken before the one that is being drawn."""
        self.active: tuple[int, int] | None = None
        self.whole = False
        self._tail: Place | None = None
        self._head: Place | None = None
        self._column: float | None = None
        self._asked: Callable[[str], None] | None = None
        self._drag: _Taking | _Bounding | None = None
        self.boundary_is_start = False
        """Which boundary of the selected span the keys move."""

    # --- what is taken ------------------------------------------------------------------------------------------

    @property
    def sheet(self) -> Sheet:
        return self._reading.canvas.sheet

    @property
    def parts(self) -> Parts:
        """All that is taken, in the body's code points."""
        return united((*self.kept, self.active)) if self.active is not None else self.kept

    @property
    def quote(self) -> str:
        """What is taken, as text."""
        return "" if self.body is None else quote(self.sheet.bodies[self.body].text, self.parts)

    def forget(self) -> None:
        """Nothing is taken any longer; the caret stays."""
        self.kept, self.active, self.whole, self.body = (), None, False, None
        self._show()

    def asked_in_vain(self) -> None:
        """The question for the class was answered, given up, or another shape took its place."""
        bench = self._reading.bench
        if self._asked is not None and (bench is None or not bench.hand.waits_for(self._asked)):
            self._asked = None
            self.forget()

    def _show(self) -> None:
        canvas = self._reading.canvas
        self._preview(self.body, self.parts)
        canvas.caret = self._head
        canvas.viewport().update()

    def _preview(self, body: int | None, parts: Parts) -> None:
        canvas = self._reading.canvas
        canvas.pending = () if body is None else tuple(each for part in parts for each in self.sheet.over(body, *part))
        canvas.viewport().update()

    def take(self, body: int, start: int, end: int, *, keep: bool = False) -> None:
        """Take a stretch; ``keep``: besides what was taken before of the same text."""
        if self.body != body or not keep:
            self.kept = ()
        self.body, self.active, self.whole = body, (start, end), False
        self._show()

    def offer(self, *, at_once: bool) -> None:
        """Make a span of what is taken: with the class in the hand if it fits and the hand let go, else it is asked."""
        bench, view = self._reading.bench, self._reading.view
        body, parts, whole = self.body, self.parts, self.whole
        if bench is None or view is None or body is None or not parts or bench.session.read_only:
            return
        anchor = self.sheet.bodies[body].anchor
        tags = whole and anchor.of is None

        def fits(class_id: str) -> bool:
            kinds = frozenset((ShapeKind.TAG, ShapeKind.TEXT_SPAN) if tags else (ShapeKind.TEXT_SPAN,))
            return view.may_be_drawn(class_id, anchor.stream, kinds)

        def make(class_id: str) -> None:
            self._asked = None
            self._reading.make_span(body, parts, class_id, whole=tags)

        if anchor.stream is not None:
            bench.focus_on(anchor.stream)
        chosen = bench.hand.class_id
        if at_once and chosen is not None and fits(chosen):
            make(chosen)
            return
        first = self._asked is None
        self._asked = make
        bench.hand.ask_class(make, fits=fits)
        if first or at_once:
            bench.tell("Which class? Press its key, or 0 to search.")

    # --- the mouse ----------------------------------------------------------------------------------------------

    def press(self, hit: Hit, event: QMouseEvent) -> None:
        held = event.modifiers()
        bench = self._reading.bench
        if bench is None:
            return
        band = None if hit.boundary is None else hit.boundary[0]
        if hit.boundary is not None and band is not None and self._reading.may_edit(band.mark) and not held & _CTRL:
            self._drag = _Bounding(self, band.mark, band.part, hit.boundary[1])
        elif hit.over is None and hit.bands:
            self._pick([each.mark for each in hit.bands], held)
        elif hit.over is None and hit.edge is not None:
            bench.select([hit.edge.link], cause="text", mode=toggle if held & _CTRL else replace)
        else:
            self._drag = _Taking(self, hit, event)
        self._reading.set_gesture(self._drag)

    def move(self, hit: Hit, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag.move(hit, event)

    def release(self, event: QMouseEvent) -> None:
        drag, self._drag = self._drag, None
        self._reading.set_gesture(None)
        if drag is not None:
            drag.done(event)

    def cancel_drag(self) -> None:
        """``Esc`` while the button is down."""
        self._drag = None
        self._reading.set_gesture(None)
        self.forget()

    def double(self, hit: Hit, event: QMouseEvent) -> None:
        """Two clicks take the word, as everywhere."""
        place = hit.place if hit.over is None else Place(hit.place.passage, hit.over)
        passage = self.sheet.passages[place.passage]
        start, end = word_around(passage.text, place.offset)
        if start < end:
            self._tail, self._head = Place(place.passage, start), Place(place.passage, end)
            self.take(passage.body, passage.start + start, passage.start + end, keep=bool(event.modifiers() & _CTRL))
            self.offer(at_once=True)

    def _pick(self, marks: Sequence[Mark], held: Qt.KeyboardModifier) -> None:
        """Select the first of these; the next one where it is selected already."""
        bench = self._reading.bench
        if bench is None or not marks:
            return
        ids = list(dict.fromkeys(each.id for each in marks))
        if held & _CTRL:
            bench.select([ids[0]], cause="text", mode=toggle)
            return
        now = next((at for at, each in enumerate(ids) if each in bench.selected), None)
        bench.select([ids[0 if now is None else (now + 1) % len(ids)]], cause="text")

    def clicked(self, hit: Hit, held: Qt.KeyboardModifier) -> None:
        """A press and release without a drag: the caret goes there, the playhead to the word, spans are picked."""
        bench = self._reading.bench
        if bench is None:
            return
        self._head = self._tail = hit.exact if held & _ALT else hit.place
        self._column = None
        self.forget()
        bench.hand.forget_drawn()
        if hit.over is None:
            return
        self._reading.go_to(Place(hit.place.passage, hit.over))
        if hit.bands:
            self._pick([each.mark for each in hit.bands], held)
        else:
            body = self.sheet.passages[hit.place.passage].body
            of = self.sheet.bodies[body].anchor.of
            bench.select([of] if of is not None else [], cause="text")

    def drawn_to(self, start: Place, hit: Hit, held: Qt.KeyboardModifier, over: int | None, *, keep: bool) -> None:
        """A drag has come here: from the character it began at to the one under it, in words unless Alt is held."""
        first = self.sheet.passages[start.passage]
        now = hit.exact if held & _ALT else hit.place
        if self.sheet.passages[now.passage].body != first.body:
            return
        tail, head = sorted((start, now))
        if not held & _ALT:
            tail, head = self._to_words(start, over, hit)
        self._tail, self._head = tail, head
        self.take(first.body, self.sheet.offset(tail), self.sheet.offset(head), keep=keep)

    def _to_words(self, start: Place, over: int | None, hit: Hit) -> tuple[Place, Place]:
        """Whole words from the one where the drag began to the one it is over."""
        begin = Place(start.passage, start.offset if over is None else over)
        here = Place(hit.place.passage, hit.place.offset if hit.over is None else hit.over)
        low, high = sorted((begin, here))
        first, last = self.sheet.passages[low.passage].text, self.sheet.passages[high.passage].text
        if low.passage == high.passage:
            a, b = snapped(first, low.offset, high.offset + 1)
            return Place(low.passage, a), Place(low.passage, min(b, len(first)))
        a = snapped(first, low.offset, len(first))[0] if low.offset < len(first) else len(first)
        b = snapped(last, 0, high.offset + 1)[1] if last else 0
        return Place(low.passage, a), Place(high.passage, min(b, len(last)))

    # --- keys ---------------------------------------------------------------------------------------------------

    def caret(self) -> Place | None:
        """Where the caret is; at first where the sheet begins."""
        passages = self.sheet.passages
        if self._head is not None and self._head.passage < len(passages):
            return self._head
        return next((Place(at, 0) for at, each in enumerate(passages) if each.kind is not Kind.TITLE), None)

    def put_no_caret(self) -> None:
        """Another sheet: the caret begins anew."""
        self._head = self._tail = self._column = None
        self._reading.canvas.caret = None

    def put_caret(self, place: Place) -> None:
        """Put it somewhere; nothing is taken."""
        self._head = self._tail = place
        self._column = None
        self.forget()
        self._reading.canvas.reveal(place.passage, place.offset)

    def step(self, unit: str, by: int, *, extend: bool) -> None:
        """Move the caret: by ``character``, ``code_point``, ``word``, ``row``, or to an ``edge`` of the passage."""
        at = self.caret()
        if at is None:
            return
        column = None
        if unit == "row":
            to, column = self._reading.canvas.row_step(at, by, self._column)
        else:
            to = self._stepped(at, unit, by)
        self._column = column
        if not extend:
            if self._asked is not None and self._reading.bench is not None:
                self._reading.bench.hand.forget_drawn()
            self.put_caret(to)
            self._column = column
            return
        if self._tail is None or self._head is None or self.active is None:
            self._tail = at
        same = self.sheet.passages[to.passage].body == self.sheet.passages[self._tail.passage].body
        if not same:
            return
        self._head = to
        body = self.sheet.passages[to.passage].body
        low, high = sorted((self._tail, to))
        self.take(body, self.sheet.offset(low), self.sheet.offset(high), keep=True)
        self._reading.canvas.reveal(to.passage, to.offset)
        self._head = to
        if self.parts:
            self.offer(at_once=False)

    def _stepped(self, at: Place, unit: str, by: int) -> Place:
        text = self.sheet.passages[at.passage].text
        if unit == "edge":
            return Place(at.passage, len(text) if by > 0 else 0)
        if unit != "line" and self._runs_back(at):
            by = -by
        edge = at.offset >= len(text) if by > 0 else at.offset <= 0
        if edge:
            return self._over_edge(at, by)
        if unit == "code_point":
            return Place(at.passage, at.offset + by)
        go = next_word if unit == "word" else next_character
        return Place(at.passage, go(text, at.offset, by))

    def _runs_back(self, at: Place) -> bool:
        """Whether the letters at a caret run from right to left, so that the arrow to the left goes on in the text."""
        laid = self._reading.canvas.scene(at.passage).laid
        return laid.right_to_left and laid.runs_back(at.offset, laid.line_of(at.offset))

    def _over_edge(self, at: Place, by: int) -> Place:
        passages = self.sheet.passages
        passage = at.passage + by
        while 0 <= passage < len(passages) and passages[passage].kind is Kind.TITLE:
            passage += by
        if not 0 <= passage < len(passages):
            return at
        return Place(passage, 0 if by > 0 else len(passages[passage].text))

    def select_more(self) -> None:
        """The passage with the caret; once more: the whole text."""
        at = self.caret()
        if at is None:
            return
        held = self.sheet.passages[at.passage]
        body = self.sheet.bodies[held.body]
        line = (held.start, held.end)
        all_of_it = (0, len(body.text.rstrip()))
        again = self.body == held.body and self.active in (line, all_of_it)
        start, end = all_of_it if again else line
        if start < end:
            self._tail, self._head = Place(at.passage, 0), Place(at.passage, len(held.text))
            self.take(held.body, start, end)
            self.whole = again or line == all_of_it
            self.offer(at_once=False)

    def finish(self) -> None:
        """Enter: make the span with the class in the hand, or pick the span at the caret."""
        bench = self._reading.bench
        if bench is None:
            return
        if self.parts:
            self.offer(at_once=True)
            return
        at = self.caret()
        found = [] if at is None or self._reading.marks is None else self._reading.marks.at(*at)
        if not found and at is not None and self._reading.marks is not None and at.offset > 0:
            found = self._reading.marks.at(at.passage, at.offset - 1)
        self._pick(found, Qt.KeyboardModifier.NoModifier)

    def keep_part(self) -> None:
        """What is taken becomes a part of the selected span; without one it is kept, and another part can be taken."""
        mark = self._reading.chosen_mark()
        if mark is not None and self.parts and self.body == mark.body:
            self._reading.reshape(mark, united((*mark.parts, *self.parts)))
            self.drop()
        elif self.parts:
            self.kept, self.active = self.parts, None
            self._tail = self._head
            self._show()
            self._reading.say("Kept. Take the next part with Shift and the arrows, then press the key of its class.")

    def take_out(self) -> None:
        """What is taken is no part of the selected span any longer."""
        mark = self._reading.chosen_mark()
        if mark is None or not self.parts or self.body != mark.body:
            self._reading.say("Select a span, take the words to leave out, and press the key again.")
            return
        self._reading.reshape(mark, without(mark.parts, self.parts))
        self.drop()

    def drop(self) -> None:
        """Give up what is taken and the question for its class."""
        if self._reading.bench is not None:
            self._reading.bench.hand.forget_drawn()
        self.forget()

    def nudge(self, by: int, *, exact: bool) -> None:
        """Move a boundary of the selected span by a word, or by one code point."""
        mark = self._reading.chosen_mark()
        if mark is None:
            return
        parts = list(mark.parts)
        at = 0 if self.boundary_is_start else len(parts) - 1
        start, end = parts[at]
        offset = start if self.boundary_is_start else end
        place = self.sheet.place(mark.body, offset, ends=not self.boundary_is_start)
        text = self.sheet.passages[place.passage].text
        to = place.offset + by if exact else next_word(text, place.offset, by)
        moved = offset + min(max(to, 0), len(text)) - place.offset
        parts[at] = (moved, end) if self.boundary_is_start else (start, moved)
        self._reading.reshape(mark, united(parts))


class _Taking:
    """A drag over words."""

    def __init__(self, marking: Marking, hit: Hit, event: QMouseEvent) -> None:
        self._marking = marking
        self._hit = hit
        self._from = event.position()
        self._moved = False
        self._held = event.modifiers() & _ALT
        """Alt at the press counts for the whole drag: whoever lets it go first keeps the characters."""
        self._keep = bool(event.modifiers() & _CTRL)
        self._start = hit.exact if event.modifiers() & _ALT else hit.place
        self._before = marking.parts if self._keep and marking.body is not None else ()
        self._over = hit.over
        tail = marking._tail
        if event.modifiers() & _SHIFT and tail is not None:
            self._start, self._over = tail, None
            self._moved = True
            marking.drawn_to(self._start, hit, event.modifiers(), self._over, keep=False)

    def move(self, hit: Hit, event: QMouseEvent) -> None:
        if not self._moved and (event.position() - self._from).manhattanLength() < _CLICK_PX:
            return
        if not self._moved:
            self._moved = True
            self._marking.kept = self._before
        self._marking.drawn_to(self._start, hit, event.modifiers() | self._held, self._over, keep=self._keep)

    def done(self, event: QMouseEvent) -> None:
        mark = self._marking._reading.chosen_mark()
        if self._moved and self._keep and not self._before and mark is not None and mark.body == self._marking.body:
            self._marking.keep_part()  # another part of the span that is selected
        elif self._moved:
            self._marking.offer(at_once=not self._keep)
        else:
            self._marking.clicked(self._hit, event.modifiers())

    def key(self, event: QKeyEvent) -> bool:
        del event
        return False

    def cancel(self) -> None:
        self._marking.cancel_drag()


class _Bounding:
    """A boundary of a span that is drawn to another place."""

    def __init__(self, marking: Marking, mark: Mark, part: int, begins: bool) -> None:
        self._marking = marking
        self._mark = mark
        self._part = part
        self._begins = begins
        self._parts: Parts = mark.parts

    def move(self, hit: Hit, event: QMouseEvent) -> None:
        marking = self._marking
        sheet = marking.sheet
        place = hit.exact if event.modifiers() & _ALT else hit.place
        passage = sheet.passages[place.passage]
        if passage.body != self._mark.body:
            return
        if not event.modifiers() & _ALT and passage.text:
            over = place.offset if hit.over is None else hit.over
            start, end = word_around(passage.text, min(over, len(passage.text) - 1))
            nearer_end = hit.exact.offset - start > end - hit.exact.offset
            place = Place(place.passage, end if nearer_end else start)
        offset = sheet.offset(place)
        parts = list(self._mark.parts)
        start, end = parts[self._part]
        parts[self._part] = (min(offset, end), end) if self._begins else (start, max(offset, start))
        self._parts = united(parts)
        marking._preview(self._mark.body, self._parts)

    def done(self, event: QMouseEvent) -> None:
        del event
        self._marking._preview(None, ())
        if self._parts != self._mark.parts:
            self._marking._reading.reshape(self._mark, self._parts)

    def key(self, event: QKeyEvent) -> bool:
        del event
        return False

    def cancel(self) -> None:
        self._marking.cancel_drag()
