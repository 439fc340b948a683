"""The texts of a sample: transcripts, captions, reports, dialogues, notes; one at a time, or all below each other.

Two ways to hold a text: *Mark* (``text_reading.py``) shows spans and relations and makes them; *Type*
(``text_typing.py``) changes what turns and notes say. What was recorded as text can only be marked. Keys are in
``actions/text.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QAction, QFocusEvent
from PySide6.QtWidgets import QApplication, QComboBox, QMenu, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from workstation.app.media_shown import hidden_media, why_barred
from workstation.app.sample_view import SampleView
from workstation.app.text_review import Detail
from workstation.app.text_source import Choice, choices_of
from workstation.core.records import RecordKind
from workstation.core.selection import SelectionChanged
from workstation.store.changes import ChangeSet
from workstation.ui.key_tips import set_tip
from workstation.ui.keymap import keyless
from workstation.ui.panes.base import Pane
from workstation.ui.panes.text_reading import TextReading
from workstation.ui.panes.text_review import ReviewStrip
from workstation.ui.panes.text_typing import Typing
from workstation.ui.theme import Theme
from workstation.ui.tools.state import Sight
from workstation.ui.workbench import Workbench

_LANGUAGES = ("en", "hi", "ar", "he", "de", "fr", "es", "zh", "ja")


_WAYS = "Type in the text, or mark it (@text.type)"


class TextPane(Pane):
    """Chooses the text and how it is held."""

    kind = "text"
    title = "Text"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: SampleView | None = None
        self._choices: list[Choice] = []
        self._kept: frozenset[str] = frozenset()
        self._chosen = ""
        self._typing: dict[str, bool] = {}
        """By choice, whether it was typed in last."""
        self._filling = False
        self._build_body()
        self._build_controls()

    # --- building -----------------------------------------------------------------------------------------------

    def _build_body(self) -> None:
        self.reading = TextReading(self.header, self._set_gesture)
        self.typing = Typing(self.header)
        self.typing.list_changed.connect(self._list_texts)
        self.reading.deletion_wanted.connect(self._on_deletion)
        self.strip = ReviewStrip()
        self.strip.detail_shown.connect(self._on_detail)
        pages = QWidget()
        self._stack = QStackedLayout(pages)
        self._stack.addWidget(self.reading)
        self._stack.addWidget(self.typing)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(pages, 1)
        column.addWidget(self.strip)

    def _build_controls(self) -> None:
        self.texts = self._combo("text_stream", "Which text")
        self.texts.currentIndexChanged.connect(self._on_text)
        self.language = self._combo("text_language", "Language of spans")
        self.language.setEditable(True)
        self.language.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.language.setToolTip("Language of the selected span, or of the spans made next")
        self.language.setMaximumWidth(74)
        self.language.activated.connect(self._on_language)
        field = self.language.lineEdit()
        assert field is not None
        self.language_field = field
        field.setPlaceholderText("lang.")
        field.setAccessibleName("Language of spans")
        field.setObjectName("text_language_field")
        field.returnPressed.connect(self._on_language)
        self.type_in = self._button("text_type", "Type", _WAYS)
        self.type_in.toggled.connect(self._on_type)
        self.show_menu = QToolButton()
        self.show_menu.setObjectName("text_show")
        self.show_menu.setText("Show")
        self.show_menu.setAccessibleName("What is shown of the text")
        self.show_menu.setToolTip("Names of classes, relations, following playback")
        self.show_menu.setAutoRaise(True)
        self.show_menu.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.show_menu)
        self.names = self._entry(menu, "text_names", "Names of classes under spans", self._on_names)
        self.relations = self._entry(menu, "text_relations", "All relations, not only of the selection",
                                     self._on_relations)  # fmt: skip
        self.phrases = self._entry(menu, "text_phrases", "Phrases of captions without a region", self._on_phrases)
        self.follow = self._entry(menu, "text_follow", "Follow playback", self._on_follow)
        self.show_menu.setMenu(menu)
        for widget in (self.texts, self.language, self.show_menu, self.type_in):
            self.header.extra.addWidget(widget)

    def _entry(self, menu: QMenu, name: str, text: str, switched: Callable[[bool], None]) -> QAction:
        made = menu.addAction(text)
        made.setObjectName(name)
        made.setCheckable(True)
        made.setChecked(True)
        made.toggled.connect(switched)
        return made

    def _combo(self, name: str, spoken: str) -> QComboBox:
        made = QComboBox()
        made.setObjectName(name)
        made.setAccessibleName(spoken)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made

    def _button(self, name: str, text: str, tip: str) -> QToolButton:
        made = QToolButton()
        made.setObjectName(name)
        made.setText(text)
        made.setAccessibleName(text)
        made.setToolTip(tip)
        made.setCheckable(True)
        made.setAutoRaise(True)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made

    def _set_gesture(self, gesture: object) -> None:
        self.gesture = gesture  # type: ignore[assignment]

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.reading.bind(bench)
        self.typing.bind(bench)
        self.strip.bench = bench
        self.hear(bench.theme_changed, self._on_theme)
        self.hear(bench.panes_changed, self._on_panes)
        self.hear(bench.sight.changed, self._on_sight)
        self.hear(bench.hand.changed, self.reading.hand_changed)
        self.hear(bench.reveal_wanted, self.reading.reveal)

    def unbound(self, bench: Workbench) -> None:
        self.strip.begin(None)
        self.strip.bench = None
        self.typing.unbind(bench)
        self.reading.unbind()

    def sample_opened(self, view: SampleView | None) -> None:
        self._view = view  # none while nobody looks, though the workbench holds the next sample already
        self._list_texts()
        self._list_languages(view)
        self._show_choice()

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        canvas = self.reading.canvas
        if not canvas.isVisible():
            return []  # while turns are typed they are one field of text
        corner = QPointF(canvas.viewport().mapTo(self, QPoint()))
        return [(key, rect.translated(corner)) for key, rect in canvas.where(ids)]

    def label_at(self, place: QPoint) -> str | None:
        """The turn or note under the pointer while it is typed in; what is read tells what is pointed at by itself."""
        page = self.typing.page
        line = page.line_at(page.mapFrom(self, place)) if page.isVisible() else None
        turn = None if line is None else self.typing.turn_at(line)
        return None if turn is None else turn.id

    def menu_entries(self, menu: QMenu) -> None:
        if self.typing.isVisible():
            self.typing.page.menu_entries(menu)

    def show_time(self, time_ns: int) -> None:
        self._held.show_time(time_ns)
        page = self.typing.page if self._held is self.typing else self.reading.canvas
        if page.up_to_date:
            self.lag.painted(time_ns, time_ns)

    def show_selection(self, change: SelectionChanged) -> None:
        self._held.show_selection(change)
        self._show_language()

    def apply(self, changes: ChangeSet) -> None:
        before = [each.key for each in self._choices]
        view = self._view
        if view is not None and self._may_be_others(changes) and [each.key for each in choices_of(view)] != before:
            self._list_texts()
            if self.choice is None or self.choice.key not in before:
                self._show_choice()
                return
        self._held.apply(changes)
        self._show_language()
        if changes.touched(RecordKind.VERDICT) and self.strip.body is not None:
            self.strip.renew()
        if self.bench is not None:
            self.show_time(self.bench.clock.time_ns)

    def _may_be_others(self, changes: ChangeSet) -> bool:
        """Whether a text may have come or gone; a box that moves does not make us look through all labels."""
        view = self._view
        if view is None or changes.touched(RecordKind.STREAM):
            return view is not None
        found = (view.annotations.get(each) for each in changes.touched(RecordKind.ANNOTATION))
        return any(each is None or each.text is not None for each in found)

    def step_time(self, steps: int) -> int | None:
        return self._held.step_time(steps)

    def unit_name(self) -> str:
        return self.typing.unit_name() if self._held is self.typing else "word"

    # --- which text ---------------------------------------------------------------------------------------------

    @property
    def choice(self) -> Choice | None:
        """The text that is shown."""
        return next((each for each in self._choices if each.key == self._chosen), None)

    @property
    def _held(self) -> TextReading | Typing:
        return self.typing if self._stack.currentWidget() is self.typing else self.reading

    @property
    def marks_now(self) -> bool:
        """Whether the text is marked, not typed in."""
        return self._held is self.reading

    def _list_texts(self) -> None:
        self._choices = [] if self._view is None else choices_of(self._view)
        self._filling = True
        self.texts.clear()
        for each in self._choices:
            self.texts.addItem(each.title, each.key)
        keys = [each.key for each in self._choices]
        if self._chosen not in keys:
            self._chosen = next(iter(_first(self._choices)), "")
        self.texts.setCurrentIndex(keys.index(self._chosen) if self._chosen in keys else -1)
        self._filling = False

    def show_text(self, key: str) -> None:
        """Choose a text by the key of its choice."""
        if any(each.key == key for each in self._choices) and key != self._chosen:
            self._chosen = key
            self._filling = True
            self.texts.setCurrentIndex(self.texts.findData(key))
            self._filling = False
            self._show_choice()

    def _on_text(self, index: int) -> None:
        if not self._filling:
            self.typing.store_typed()
            self._chosen = self.texts.itemData(index) or ""
            self._show_choice()

    def _show_choice(self) -> None:
        choice = self.choice
        typed = choice is not None and choice.typed
        wants = choice is not None and self._typing.get(choice.key, choice.key.startswith("turns:"))
        self._filling = True
        self.type_in.setEnabled(typed)
        ways, never = _WAYS, "What was recorded as text is never changed; it can be marked"
        set_tip(self.type_in, ways if typed else never, keyless if self.bench is None else self.bench.spelled)
        self.type_in.setChecked(typed and wants)
        self._filling = False
        self._take_up(typing=typed and wants)

    def review(self) -> None:
        """Go through the text with the caret detail by detail; once more ends it."""
        if self.strip.body is not None:
            self.strip.begin(None)
            return
        self.type_in.setChecked(False)
        at = self.reading.marking.caret()
        sheet = self.reading.canvas.sheet
        body = None if at is None else sheet.bodies[sheet.passages[at.passage].body]
        self.strip.begin(body)
        if body is None and self.bench is not None:
            self.bench.tell("There is no text here to review.")

    def _on_detail(self, detail: Detail | None) -> None:
        """Mark the detail that is judged."""
        body, sheet = self.strip.body, self.reading.canvas.sheet
        number = None if body is None else sheet.body_of(body.anchor)
        if detail is None or number is None:
            self.reading.marking.forget()
            return
        self.reading.marking.take(number, detail.start, detail.end)
        self.reading.canvas.reveal(*sheet.place(number, detail.start))

    def _take_up(self, *, typing: bool) -> None:
        choice = self.choice
        self.strip.begin(None)
        if typing and choice is not None:
            self.reading.show_choice(None)
            self.typing.show_text(choice.stream, notes=choice.key.startswith("notes:"))
            self._stack.setCurrentWidget(self.typing)
        else:
            self.typing.show_text(None, notes=False)
            self._stack.setCurrentWidget(self.reading)
            self.reading.show_choice(choice)
        self.header.offer(self.language, offered=not typing)
        for each in (self.names, self.relations):
            each.setEnabled(not typing)
        self._on_panes(None)
        if self.bench is not None:
            self.show_time(self.bench.clock.time_ns)

    def turn_typing(self) -> None:
        """Type in the text instead of marking it, or the other way."""
        if self.type_in.isEnabled():
            self.type_in.toggle()
        elif self.bench is not None:
            self.bench.tell("What was recorded as text is never changed; it can be marked.")

    def _on_type(self, on: bool) -> None:
        if self._filling or self.choice is None:
            return
        focus: QWidget | None = QApplication.focusWidget()
        had_focus = focus is not None and (focus is self or self.isAncestorOf(focus))
        self.typing.store_typed()
        self._typing[self.choice.key] = on
        self._take_up(typing=on)
        if had_focus:
            (self.typing.page if on else self.reading.canvas).setFocus()

    def add_turn(self) -> None:
        """Add a turn where the selected span or the loop is, and let it be typed."""
        choice = self.choice
        made = self.typing.add_turn(None if choice is None else choice.stream)
        if made is None:
            return
        stream, turn = made
        self._list_texts()
        key = f"turns:{stream}"
        self._typing[key] = True
        if self._chosen != key or self.marks_now:
            self._chosen = key
            self._list_texts()
            self._show_choice()
        self.typing.edit_new(turn)

    # --- what is switched ---------------------------------------------------------------------------------------

    def _on_names(self, on: bool) -> None:
        self.reading.canvas.set_look(names=on)

    def _on_relations(self, on: bool) -> None:
        self.reading.canvas.set_look(relations=on)

    def _on_phrases(self, on: bool) -> None:
        self.reading.phrases.show(on)

    def _on_follow(self, on: bool) -> None:
        self.reading.follows = self.typing.follows = on

    def _on_theme(self, theme: Theme) -> None:
        self.reading.wear(theme)
        self.typing.wear(theme)

    def _on_sight(self, sight: Sight) -> None:
        """Something is hidden, shown alone or locked; proposals that stay out of sight have no line either."""
        kept, self._kept = self._kept, sight.kept
        if kept != sight.kept:
            self._held.reload()
        self.reading.canvas.relayout()
        self._on_panes(sight)

    def _on_panes(self, what: object) -> None:
        """Words are written beside their picture or clip: while it is hidden, nothing can be typed."""
        del what
        bench = self.bench
        if bench is None or bench.view is None or bench.panes is None:
            self.typing.bar("")
            self.strip.bar("")
            return
        reason = why_barred(hidden_media(bench.view, bench.panes, bench.sight.is_hidden))
        self.typing.bar(reason)
        self.strip.bar(reason)
        if not self.marks_now:
            self.typing.show_time(bench.clock.time_ns)

    def _on_deletion(self) -> None:
        if self.bench is not None:
            self.bench.wish("annotation.delete")

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.typing.store_typed()
        if self.marks_now and event.reason() is not Qt.FocusReason.BacktabFocusReason:
            self.reading.canvas.setFocus(event.reason())  # the caret is there; back again leads out of the pane

    # --- languages ----------------------------------------------------------------------------------------------

    def _list_languages(self, view: SampleView | None) -> None:
        found: dict[str, None] = {}
        if view is not None:
            found.update((each.language, None) for each in view.streams.values() if each.language)
            found.update((each.language, None) for each in view.annotations.values() if each.language)
        found.update(dict.fromkeys(_LANGUAGES))
        self.language.clear()
        self.language.addItem("")
        self.language.addItems(list(found))

    def _show_language(self) -> None:
        """The selected span's; without one that of the spans made next."""
        view = None if self.bench is None else self.bench.view
        mark = self.reading.chosen_mark()
        annotation = None if mark is None or view is None else view.annotations.get(mark.id)
        said = self.reading.language if annotation is None else annotation.language or ""
        if self.language.currentText() != said:
            self.language.setCurrentText(said)

    def _on_language(self, index: int = -1) -> None:
        """Chosen from the list, or typed and entered."""
        del index
        self.give_language(self.language.currentText().strip())
        self.reading.canvas.setFocus()

    def give_language(self, language: str) -> None:
        """The selected spans are in this language; without any, the spans made next are."""
        bench, marks = self.bench, self.reading.marks
        if bench is None or marks is None:
            return
        chosen = [each for each in bench.selected if each in marks.marks]
        if chosen:
            bench.run("annotation.set_language", annotations=chosen, language=language)
        else:
            self.reading.language = language
            bench.tell(
                f"The next spans are in {language}." if language else "The next spans have their text's language."
            )
        self._show_language()


def _first(choices: list[Choice]) -> list[str]:
    """What is shown of a sample at first: its transcript, else all its texts, else the only one."""
    turns = [
        each.key for each in choices if each.key.startswith("turns:") and not each.title.endswith("(no turns yet)")
    ]
    rest = [each.key for each in choices]
    return [*turns, *(each for each in rest if each == "all"), *rest]
