"""Texts to be read and marked: the canvas with its hand, what is said now, the spans' commands. Held by the text pane.

Everything that is written goes through a command of the registry; nothing here changes a text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workstation.app.sample_view import SampleView
from workstation.app.text_marks import Mark, Marks
from workstation.app.text_source import Choice, Place, Sheet, sheet_of
from workstation.app.text_times import TextTimes
from workstation.core.errors import DataError
from workstation.core.geometry import ShapeKind
from workstation.core.records import RecordKind
from workstation.core.sample import Stream
from workstation.core.selection import SelectionChanged
from workstation.core.text_edits import quote
from workstation.media.base import Reader
from workstation.store.changes import ChangeSet
from workstation.ui.pane_header import PaneHeader
from workstation.ui.panes.base import Gesture
from workstation.ui.panes.text_canvas import TextCanvas
from workstation.ui.panes.text_marking import Marking, Parts
from workstation.ui.panes.text_phrases import OpenPhrases
from workstation.ui.scenes.ruler import in_words
from workstation.ui.scenes.text_scene import Standing
from workstation.ui.theme import Theme
from workstation.ui.tools.state import Hand

if TYPE_CHECKING:
    from workstation.ui.workbench import Workbench

_OWN = "text"


class TextReading(QWidget):
    """Shows one choice of texts."""

    deletion_wanted = QtSignal()
    """The last character of the selected span is taken away: what becomes of its links is to be asked."""

    def __init__(
        self, header: PaneHeader, set_gesture: Callable[[Gesture | None], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("text_reading")
        self.header = header
        self.set_gesture = set_gesture
        self.bench: Workbench | None = None
        self.follows = True
        self.language = ""
        """Of the spans that are made next; empty: the text's own."""
        self.choice: Choice | None = None
        self.marks: Marks | None = None
        self.times: TextTimes | None = None
        self._told: str | None = None
        """What the header says of the whole; made again after changes."""
        self._readers: dict[str, Reader] = {}
        self.canvas = TextCanvas()
        self.marking = Marking(self)
        self.phrases = OpenPhrases(self)
        self.canvas.hand = self.marking
        self.canvas.visible = self._is_visible
        self.canvas.formats = self.phrases.formats
        self.canvas.hovered.connect(self._on_hover)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvas)
        self.setFocusProxy(self.canvas)

    # --- the workbench ------------------------------------------------------------------------------------------

    def tell_again(self) -> None:
        """What the header says of the whole is something else now."""
        self._told = None
        if self.bench is not None:
            self.show_time(self.bench.clock.time_ns)

    @property
    def view(self) -> SampleView | None:
        return None if self.bench is None else self.bench.view

    def bind(self, bench: Workbench) -> None:
        self.bench = bench
        self.canvas.wear(bench.theme)

    def unbind(self) -> None:
        self.bench = None
        self.show_choice(None)

    def wear(self, theme: Theme) -> None:
        """Paint in other colours."""
        self.canvas.wear(theme)

    def show_choice(self, choice: Choice | None) -> None:
        """Other texts."""
        self.marking.forget()
        self.marking.put_no_caret()
        self.choice = choice
        self._readers = {}
        self._load(keep_place=False)

    def _load(self, *, keep_place: bool) -> None:
        self._told = None
        view, choice = self.view, self.choice
        if view is None or choice is None:
            self.marks = self.times = None
            self.phrases.begin(None)
            self.canvas.placeholder = ""
            self.canvas.show_sheet(Sheet(), None)
            return
        sheet, problems = sheet_of(
            view, choice, self._reader, frozenset() if self.bench is None else self.bench.sight.kept
        )
        self.marks = Marks(view, sheet)
        self.phrases.begin(sheet)
        self.times = TextTimes(view, sheet, self._readers)
        self.canvas.placeholder = " ".join(problems) or "There is no text here."
        if problems and sheet.passages and not keep_place:
            self.say(" ".join(problems))  # among others that can be read nothing else would tell
        self._stand()
        self.canvas.show_sheet(sheet, self.marks, keep_place=keep_place)

    def reload(self) -> None:
        """Other passages are in sight."""
        self._load(keep_place=True)

    def _reader(self, stream: Stream) -> Reader:
        if self.bench is None or self.bench.readers is None:
            raise DataError("no sample is open", path=stream.key)
        reader = self._readers[stream.id] = self.bench.readers.reader(stream)
        return reader

    # --- what is shown ------------------------------------------------------------------------------------------

    def show_time(self, time_ns: int) -> None:
        times, sheet = self.times, self.canvas.sheet
        if times is None or not sheet.passages:
            self.header.say(item="nothing here")
            return
        said = times.stretch_at(time_ns)
        if said != self.canvas.said:
            self.canvas.said = said
            self.canvas.viewport().update()
            if said is not None and self.follows and self.bench is not None and self.bench.clock.playing:
                self.canvas.reveal(said[0], said[1])
        if self._told is None:
            self._told = self._summary()
        item = self._told
        if said is None:
            self.header.say(item=item, own=in_words(time_ns) if times.timed else "")
            return
        shown = sheet.passages[said[0]].shown
        away = 0.0 if shown is None else (shown.start_ns - time_ns) / 1e6
        body = sheet.bodies[sheet.passages[said[0]].body]
        own_ns = times.own_ns(body, time_ns)
        self.header.say(item=item, own=f"{own_ns / 1e9:.3f} s", distance=f"{away:+.0f} ms")

    def _summary(self) -> str:
        """How many spans lie on what is shown, and what it is classified as."""
        view, marks = self.view, self.marks
        if view is None or marks is None or self.choice is None:
            return ""
        count = len(marks.marks)
        said = [f"{count} span{'' if count == 1 else 's'}"]
        if self.times is not None and not self.times.timed:
            said.append("untimed")
        if self.phrases.words():
            said.insert(0, self.phrases.words())
        whole = [
            view.name_of(each.id) for each in view.annotations_of(self.choice.stream)
            if each.kind is ShapeKind.TAG and self.choice.stream is not None
        ]  # fmt: skip
        return " · ".join([*said, *(f"as a whole: {name}" for name in whole[:3])])

    def show_selection(self, change: SelectionChanged) -> None:
        before = self.canvas.standing
        self._stand()
        if before == self.canvas.standing:
            return
        if not self.canvas.look.relations:
            self.canvas.edges_changed()
        self.canvas.viewport().update()
        if change.cause != _OWN and change.ids_changed:
            self.reveal(change.after.ids)

    def _stand(self) -> None:
        view, bench = self.view, self.bench
        if view is None or bench is None:
            self.canvas.standing = Standing()
            return
        chosen = frozenset(bench.selected)
        hovered = bench.selection.state.hovered
        self.canvas.standing = Standing(chosen, view.marked(chosen) - chosen, hovered)

    def reveal(self, ids: tuple[str, ...]) -> None:
        """Bring the first of these, or of what belongs to them, into view."""
        if self.marks is None or self.view is None:
            return
        wanted = [*(each for each in ids if each in self.marks.marks), *self.view.to_show(ids)]
        found = next((each for each in wanted if each in self.marks.marks), None)
        if found is not None:
            mark = self.marks.marks[found]
            place = self.canvas.sheet.place(mark.body, mark.parts[0][0])
            self.canvas.reveal(place.passage, place.offset)
            return
        anchors = {body.anchor.of: body.first for body in self.canvas.sheet.bodies if body.anchor.of is not None}
        passage = next((anchors[each] for each in wanted if each in anchors), None)
        if passage is not None:
            self.canvas.reveal(passage)

    def apply(self, changes: ChangeSet) -> None:
        view, marks = self.view, self.marks
        if view is None or marks is None or self.choice is None:
            return
        self._told = None
        touched = changes.touched(RecordKind.ANNOTATION)
        if changes.touched(RecordKind.ONTOLOGY) or changes.touched(RecordKind.STREAM) or self._texts_changed(touched):
            self._load(keep_place=True)
            return
        if changes.touched(RecordKind.ENTITY):
            marks.renew(list(marks.marks))
            self.canvas.relayout()
        elif touched:
            passages = marks.renew(touched)
            if marks.linked(touched):
                self.canvas.edges_changed()
            else:
                self.canvas.relayout(passages)
        if changes.touched(RecordKind.LINK):
            marks.forget_edges()
            self.canvas.edges_changed()
        if touched or changes.touched(RecordKind.LINK):
            self.phrases.renew()
        if changes.touched(RecordKind.WORD):
            self.times = TextTimes(view, self.canvas.sheet, self._readers)

    def _texts_changed(self, touched: frozenset[str] | set[str]) -> bool:
        """Whether a turn or note came, went, or says or is something else."""
        view = self.view
        assert view is not None
        anchors = {body.anchor.of: body.text for body in self.canvas.sheet.bodies if body.anchor.of is not None}
        for each in touched:
            now = view.annotations.get(each)
            if each in anchors or (now is not None and now.text is not None):
                return True
        return False

    def step_time(self, steps: int) -> int | None:
        """To the beginning of the word so many words on."""
        if self.times is None or self.bench is None:
            return None
        starts = self.times.starts()
        if not len(starts):
            return None
        at = int(starts.searchsorted(self.bench.clock.time_ns, side="right")) - 1 + steps
        return int(starts[min(max(at, 0), len(starts) - 1)])

    # --- what is done -------------------------------------------------------------------------------------------

    def make_span(self, body: int, parts: Parts, class_id: str, *, whole: bool) -> None:
        """Keep a stretch as a span of a class; all of a text that may be classified as a whole, as its tag."""
        bench, view, times = self.bench, self.view, self.times
        if bench is None or view is None or times is None:
            return
        held = self.canvas.sheet.bodies[body]
        tag = whole and view.may_be_drawn(class_id, held.anchor.stream, frozenset((ShapeKind.TAG,)))
        arguments: dict[str, object] = {"stream": held.anchor.stream, "class_id": class_id}
        if tag:
            arguments["kind"] = "tag"
        else:
            shape: dict[str, object] = {"kind": "text_span", "parts": parts, "quote": quote(held.text, parts)}
            arguments["shape"] = shape if held.anchor.of is None else {**shape, "of": held.anchor.of}
            said = times.interval(body, parts)
            if said is not None:
                arguments |= {"start_ns": said.start_ns, "end_ns": said.end_ns}
        if self.language:
            arguments["language"] = self.language
        made = bench.run("annotation.add", **arguments)
        self.marking.forget()
        if made is not None:
            bench.select([made], cause=_OWN)

    def reshape(self, mark: Mark, parts: Parts) -> None:
        """Other parts for a span; without any, it is asked what becomes of it."""
        bench = self.bench
        if bench is None or not self.may_edit(mark) or parts == mark.parts:
            return
        if not parts:
            bench.select([mark.id], cause=_OWN)
            self.deletion_wanted.emit()
            return
        body = self.canvas.sheet.bodies[mark.body]
        shape = {"kind": "text_span", "parts": parts, "quote": quote(body.text, parts)}
        if body.anchor.of is not None:
            shape["of"] = body.anchor.of
        bench.run("annotation.set_shape", annotation=mark.id, shape=shape)

    def may_edit(self, mark: Mark) -> bool:
        """Whether gestures may change a span."""
        bench = self.bench
        return bench is not None and not bench.session.read_only and not bench.sight.locked(mark.keys)

    def chosen_mark(self) -> Mark | None:
        """The span of this sheet that is selected, the active one first."""
        if self.bench is None or self.marks is None:
            return None
        active = self.bench.selection.state.active
        found = [each for each in (active, *self.bench.selected) if each is not None and each in self.marks.marks]
        return self.marks.marks[found[0]] if found else None

    def walk(self, by: int) -> None:
        """Select the next or previous span in the order of the text."""
        if self.marks is None or self.bench is None:
            return
        order = [each for each in self.marks.in_order() if self._is_visible(each)]
        if not order:
            self.say("No span lies on this text.")
            return
        chosen = self.chosen_mark()
        ids = [each.id for each in order]
        at = ids.index(chosen.id) + by if chosen is not None and chosen.id in ids else (0 if by > 0 else -1)
        mark = order[at % len(order)]
        place = self.canvas.sheet.place(mark.body, mark.parts[0][0])
        self.marking.put_caret(place)
        self.bench.select([mark.id], cause=_OWN)

    def go_to(self, place: Place) -> None:
        """Move the playhead to the word at a place."""
        found = None if self.times is None else self.times.when(place)
        if found is not None and self.bench is not None:
            self.bench.clock.seek(found)

    def say(self, text: str) -> None:
        if self.bench is not None:
            self.bench.tell(text)

    # --- what is told -------------------------------------------------------------------------------------------

    def _is_visible(self, mark: object) -> bool:
        return self.bench is None or not isinstance(mark, Mark) or self.bench.sight.visible(mark.keys)

    def _on_hover(self, record_id: str) -> None:
        if self.bench is not None:
            self.bench.selection.hover(record_id or None, cause=_OWN)

    def hand_changed(self, hand: Hand) -> None:
        """The question for a class was answered or given up."""
        del hand
        self.marking.asked_in_vain()
