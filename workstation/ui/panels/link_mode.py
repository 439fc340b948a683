"""Link mode: two calm lines over the panes that say what is picked and which relations may join it, each with its key.

It is a ``Pane`` without a dock, so that its gesture hears keys first wherever the focus is. Seeking, playing, scrolling
and going from pane to pane leave it alone; ``Esc``, another sample or a link made end it. The same lines move an end of
a link (``begin_move``): pick what it shall stand on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from workstation.ui.panes.base import Pane
from workstation.ui.told import Tone

if TYPE_CHECKING:  # made with the window: nothing that only a project needs is loaded with it
    from workstation.app.linking import Move, Offer, Refusal
    from workstation.app.sample_view import SampleView
    from workstation.core.selection import SelectionChanged
    from workstation.ui.workbench import Workbench

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_MOST_CHIPS = 8
_NOT, _WHY = "-", "?"
_NARROW_WHY, _WIDE_WHY = 190, 420


class LinkMode(Pane):
    """``begin`` with what is selected; every further pick is one more end; then the key of a relation."""

    kind = "link_mode"
    title = "Link"
    active_changed = QtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.header.hide()
        self.picks: list[str] = []
        self._gone: list[str] = []
        """Picks that were taken back, until another is made."""
        self.offered: list[Offer] = []
        self.refused: list[Refusal] = []
        self.moving: str | None = None
        """The link of which an end is being moved."""
        self.choices: list[Move] = []
        """Which of its ends may come to stand on what was picked."""
        self.waiting: Offer | None = None
        """What is made as soon as the sentence it needs is written."""
        self._dead = False
        """No relation joins what is picked, whatever comes beside it: the next pick takes the place of the last."""
        self._chips: list[QPushButton] = []
        self._buttons: list[QPushButton] = []
        self._build_rows()

    @property
    def active(self) -> bool:
        return self.gesture is not None

    def begin(self) -> None:
        """Start with what is selected; what is picked next is one more end."""
        bench = self.bench
        if bench is None or bench.view is None:
            return
        self.moving = None
        self.picks = [each for each in bench.selected if self._may_be_end(each)]
        self._start()

    def begin_move(self, link: str) -> None:
        """Move an end of a link: the next pick says where to, and which end if only one can stand there."""
        bench = self.bench
        if bench is None or bench.view is None or link not in bench.view.links:
            return
        self.moving, self.picks = link, []
        self._start()

    def _start(self) -> None:
        self.gesture = _Keys(self)
        self._gone = []
        self.active_changed.emit(True)
        self._show()

    def end(self) -> None:
        """Leave everything as it was."""
        if self.active:
            self.gesture = None
            self.moving = self.waiting = None
            self.picks, self.offered, self.refused, self.choices = [], [], [], []
            self.negative.setChecked(False)
            self.why.clear()
            self._clear(self._chips)
            self._clear(self._buttons)
            self.active_changed.emit(False)
            if self.bench is not None:
                self.bench.picked.emit(())

    def take(self, offer: Offer) -> None:
        """Make the link, and leave it selected so that what it says further can be written beside it."""
        bench = self.bench
        if bench is None or bench.view is None:
            return
        if offer.absence:
            bench.select(self.picks[:1], cause=self.kind)
            self.end()
            bench.wish("link.absent")  # where it is missing, and why, a dialog asks
            return
        names = " – ".join(bench.view.name_of(each) for each in self.picks)
        holds = not self.negative.isChecked()
        said = self.why.text().strip()
        if offer.described and not said:
            self._ask_sentence(offer)
            return
        made = bench.run("link.add", type_id=offer.type_id, ends=offer.ends, holds=holds, rationale=said)
        if made is not None:
            self.end()
            bench.select([made], cause=self.kind)
            bench.tell(f"Linked: {'' if holds else 'not '}{offer.name}, {names}.")

    def _ask_sentence(self, offer: Offer) -> None:
        """The relation needs words: the field has the focus, and Enter in it makes the link."""
        self.waiting = offer
        self._show()
        self.why.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def move_end(self, choice: Move) -> None:
        """Let that end of the link stand on what was picked."""
        bench, link = self.bench, self.moving
        if bench is None or bench.view is None or link is None:
            return
        old = bench.view.name_of(choice.old)
        if bench.attempt(lambda: self._moved(link, choice)):
            self.end()
            bench.select([link], cause=self.kind)
            new = bench.view.name_of(choice.new.partition(":")[2])
            bench.tell(f"Moved the end {choice.role} from {old} to {new}.")

    def _moved(self, link: str, choice: Move) -> bool:
        assert self.bench is not None
        self.bench.session.run("link.retarget", link=link, old=choice.old, new=choice.new)
        return True

    def take_back(self, number: int = -1) -> None:
        """Forget a pick, the last unless told."""
        self.waiting = None
        if self.picks:
            self._gone.append(self.picks.pop(number))
        self._show()

    @property
    def may_pick_again(self) -> bool:
        """Whether a pick was taken back."""
        return bool(self._gone)

    def pick_again(self) -> None:
        """The pick that was taken back last."""
        if self._gone:
            self._take_pick(self._gone.pop(), fresh=False)
            self._show()

    def turn_negative(self) -> None:
        """These are stated not to be related so, or the other way round again."""
        self.waiting = None
        self.negative.setChecked(not self.negative.isChecked())

    def refuse(self, key: str) -> bool:
        """Say why the relation of that key may not join these; whether it is the key of one."""
        bench = self.bench
        ontology = None if bench is None or bench.view is None else bench.view.ontology
        if bench is None or ontology is None:
            return False
        found = next((each for each in self.refused if each.key.casefold() == key), None)
        if found is not None:
            bench.tell(f"{found.text}.", Tone.REFUSED)
        elif any(each.key and each.key.casefold() == key for each in ontology.link_types.values()):
            bench.tell("A relation needs two ends: pick another first.", Tone.REFUSED)
        else:
            return False
        return True

    # --- from the workbench -------------------------------------------------------------------------------------

    def unbound(self, bench: Workbench) -> None:
        self.end()

    def sample_opened(self, view: SampleView | None) -> None:
        self.end()

    def apply(self, changes: object) -> None:
        if self.active:
            self._show()

    def show_selection(self, change: SelectionChanged) -> None:
        """Whatever is picked in any pane, one after the other or several at once, becomes an end."""
        if not self.active or not change.ids_changed or change.cause in ("session", self.kind):
            return
        fresh = [each for each in change.after.ids if each not in change.before.ids]
        active = change.after.active
        if active is not None and active not in fresh and len(change.after.ids) == 1:
            fresh.append(active)
        for each in fresh:
            if self._may_be_end(each) and each not in self.picks:
                self._take_pick(each)
        self._show()

    def _take_pick(self, record_id: str, *, fresh: bool = True) -> None:
        self.waiting = None
        if fresh:
            self._gone = []
        if self.moving is not None:
            self.picks = [record_id]
        elif self._dead and len(self.picks) > 1:
            self.picks = [*self.picks[:-1], record_id]
        else:
            self.picks.append(record_id)
        self._judge()

    def _may_be_end(self, record_id: str) -> bool:
        view = None if self.bench is None else self.bench.view
        return view is not None and view.exists(record_id) and record_id != self.moving

    # --- what is shown ------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        """What may be made of the picks."""
        from workstation.app import linking

        assert self.bench is not None
        assert self.bench.view is not None
        view = self.bench.view
        self.offered, self.refused, self.choices, self._dead = [], [], [], False
        if self.moving is not None:
            return
        holds = not self.negative.isChecked()
        self.offered = linking.offers(view, *self.picks, holds=holds)
        self.refused = linking.refusals(view, *self.picks, holds=holds)
        self._dead = len(self.picks) > 1 and not self.offered and not linking.may_grow(view, *self.picks)

    def _show(self) -> None:
        bench = self.bench
        if bench is None or bench.view is None:
            return
        if self.moving is not None and self.moving not in bench.view.links:
            self.end()
            return
        self.picks = [each for each in self.picks if bench.view.exists(each)]
        self._gone = [each for each in self._gone if bench.view.exists(each)]
        self._judge()
        words = self._words_of_move(bench.view) if self.moving is not None else self._words_of_picks()
        bench.picked.emit((*self._ends_now(bench.view), *self.picks))
        self.words.setText(words)
        self.words.setToolTip(words)
        names = ", ".join(bench.view.name_of(each) for each in self.picks)
        self.setAccessibleName(f"{words} Picked: {names}" if names else words)
        self.negative.setVisible(self.moving is None)
        self.why.setVisible(self.moving is None)
        self._show_why()
        self._show_chips(bench.view)
        self._show_buttons()

    def _show_why(self) -> None:
        needed = self.waiting is not None
        self.why.setPlaceholderText("In a sentence, then Enter" if needed else f"Why (optional)  {_WHY}")
        self.why.setFixedWidth(_WIDE_WHY if needed else _NARROW_WHY)

    def _ends_now(self, view: SampleView) -> tuple[str, ...]:
        """The ends of the link of which one is being moved: they are looked at beside what is picked."""
        link = view.links.get(self.moving or "")
        return () if link is None else tuple(end.target for end in link.ends if end.target not in self.picks)

    def _words_of_picks(self) -> str:
        count = len(self.picks)
        if self.waiting is not None:
            return f"{self.waiting.name}: say how the sound comes from it."
        if not count:
            return "Link: pick the first, in any pane."
        if count == 1:
            return "… with: pick another, in any pane."
        if any(not each.absence for each in self.offered):
            return "… as (or pick one more):"
        if self.negative.isChecked():
            return "None of the relations that may join these can be said not to hold."
        if self._dead:
            why = self.refused[0].text if len(self.refused) == 1 else "no relation of the ontology joins these"
            return f"Not so: {why}; pick another in its place."
        return "… and: pick one more; these alone no relation joins."

    def _words_of_move(self, view: SampleView) -> str:
        from workstation.app import linking
        from workstation.app.link_rows import link_type_name

        assert self.moving is not None
        link = view.links[self.moving]
        name = link_type_name(view, link.type_id)
        if not self.picks:
            ends = ", ".join(f"{end.role}: {view.name_of(end.target)}" for end in link.ends[:_MOST_CHIPS])
            return f"Move an end of “{name}” ({ends}): pick where it shall stand."
        self.choices, why = linking.moves(view, link, self.picks[0])
        if not self.choices:
            return f"Not so: {why}; pick another."
        if len(self.choices) == 1:
            return f"– Enter moves the end {self.choices[0].role} here from {view.name_of(self.choices[0].old)}."
        return "– which end shall stand here?"

    def _show_chips(self, view: SampleView) -> None:
        """Each pick by its name; a click takes it away."""
        self._clear(self._chips)
        for number, each in enumerate(self.picks[:_MOST_CHIPS]):
            chip = self._button(f"pick_{number}", _chip_text(view, each), self._picks_row, number)
            chip.setToolTip(f"{view.name_of(each)} {_where(view, each)}; a click takes it away (Backspace: the last)")
            chip.setAccessibleName(f"Take away {view.name_of(each)} {_where(view, each)}")
            chip.setProperty("number", number)
            chip.clicked.connect(self._on_chip)
            self._chips.append(chip)
        if len(self.picks) > _MOST_CHIPS:
            text = f"and {len(self.picks) - _MOST_CHIPS} more"
            more = self._button("pick_more", text, self._picks_row, _MOST_CHIPS)
            more.setEnabled(False)
            self._chips.append(more)

    def _show_buttons(self) -> None:
        self._clear(self._buttons)
        view = None if self.bench is None else self.bench.view
        if view is None:
            return
        for number, offer in enumerate(self.offered):
            negated = "not " if self.negative.isChecked() else ""
            dots = "…" if offer.absence else ""
            button = self._button(offer.type_id, f"{negated}{offer.name}{dots}  {offer.key.upper()}".strip(),
                                  self._offers_row, number)  # fmt: skip
            button.setProperty("number", number)
            button.clicked.connect(self._on_offer)
            self._buttons.append(button)
        for number, choice in enumerate(self.choices):
            text = f"{choice.role}: {_short(view.name_of(choice.old))}  {number + 1}"
            button = self._button(f"move_{number}", text, self._offers_row, number)
            button.setProperty("number", number)
            button.clicked.connect(self._on_move)
            self._buttons.append(button)
        if self.refused and not self._dead:
            count = len(self.refused)
            text = f"{count} refused" if self.offered else f"all {count} refused"
            why = self._button("refused", text, self._offers_row, len(self._buttons))
            why.setToolTip("\n".join(f"{each.name}: {each.text}" for each in self.refused))
            why.setAccessibleDescription(why.toolTip())
            why.setFlat(True)
            why.clicked.connect(self._on_refused)
            self._buttons.append(why)

    # --- making -------------------------------------------------------------------------------------------------

    def _build_rows(self) -> None:
        rows = QVBoxLayout(self.body)
        rows.setContentsMargins(8, 3, 8, 3)
        rows.setSpacing(3)
        self._picks_row, self._offers_row = QHBoxLayout(), QHBoxLayout()
        for row in (self._picks_row, self._offers_row):
            row.setSpacing(4)
            rows.addLayout(row)
        self.words = QLabel()
        self.words.setObjectName("link_mode_words")
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._picks_row.addWidget(self.words, 1)
        self.negative = self._button("not", f"Not so  {_NOT}", self._picks_row, 1)
        self.negative.setCheckable(True)
        self.negative.setToolTip("State that these are not related so: a negative link (-)")
        self.negative.setAccessibleName("Not related so")
        self.negative.toggled.connect(self._on_negative)
        self.why = QLineEdit()
        self.why.setObjectName("link_mode_why")
        self.why.setAccessibleName("Why: the rationale of the link")
        self.why.setToolTip("The rationale that the link will carry; ? comes here, Esc goes back")
        self.why.returnPressed.connect(self._on_why)
        self._picks_row.addWidget(self.why)
        self._show_why()
        self._cancel = self._button("cancel", "Cancel (Esc)", self._picks_row, 3)
        self._cancel.clicked.connect(self._on_cancel)
        self._offers_row.addStretch(1)
        self.setFixedHeight(2 * self._cancel.sizeHint().height() + 12)

    def _button(self, name: str, text: str, row: QHBoxLayout, at: int) -> QPushButton:
        made = QPushButton(text)
        made.setObjectName(f"link_mode_{name}")
        made.setAccessibleName(text)
        made.setToolTip(text)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus where the hand was
        row.insertWidget(at, made)
        return made

    @staticmethod
    def _clear(buttons: list[QPushButton]) -> None:
        for button in buttons:
            button.hide()
            button.deleteLater()
        buttons.clear()

    # --- Qt -----------------------------------------------------------------------------------------------------

    def _number(self) -> int:
        return int(self.sender().property("number"))

    @Slot()
    def _on_offer(self) -> None:
        self.guard(partial(self.take, self.offered[self._number()]))

    @Slot()
    def _on_move(self) -> None:
        self.guard(partial(self.move_end, self.choices[self._number()]))

    @Slot()
    def _on_chip(self) -> None:
        self.guard(partial(self.take_back, self._number()))

    @Slot()
    def _on_refused(self) -> None:
        """All reasons, where they can be read at leisure."""
        if self.bench is not None:
            self.bench.tell(" ".join(f"{each.text}." for each in self.refused), Tone.REFUSED)

    @Slot()
    def _on_why(self) -> None:
        self.setFocus(Qt.FocusReason.OtherFocusReason)  # or the next keys would be typed into a line that is gone
        if self.waiting is not None:
            self.guard(partial(self.take, self.waiting))  # which asks again where there is still no sentence

    @Slot(bool)
    def _on_negative(self, _on: bool) -> None:
        if self.active:
            self.guard(self._show)

    @Slot()
    def _on_cancel(self) -> None:
        self.end()


def _short(name: str) -> str:
    return name if len(name) <= 26 else f"{name[:25]}…"


def _chip_text(view: SampleView, record_id: str) -> str:
    annotation = view.annotations.get(record_id)
    stream = None if annotation is None else view.streams.get(annotation.stream or "")
    where = "" if stream is None else f" · {stream.key}"
    return f"{_short(view.name_of(record_id))}{where}  ✕"


def _where(view: SampleView, record_id: str) -> str:
    """On which stream it lies, since a class names many labels."""
    annotation = view.annotations.get(record_id)
    if annotation is None:
        return ""
    stream = view.streams.get(annotation.stream or "")
    return f"on {stream.key}" if stream is not None else "on the whole sample"


class _Keys:
    """The gesture: keys of relations, Enter for the only one, Backspace for the last pick."""

    def __init__(self, mode: LinkMode) -> None:
        self._mode = mode

    def key(self, event: QKeyEvent) -> bool:
        if event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier):
            return False
        mode, text = self._mode, event.text().casefold()
        if event.key() == Qt.Key.Key_Backspace or (event.key() == Qt.Key.Key_Undo and mode.picks):
            mode.take_back()
            return True
        if event.key() == Qt.Key.Key_Redo and (mode.picks or mode.may_pick_again):
            mode.pick_again()
            return True
        if mode.moving is not None:
            return self._move(event.key(), text)
        if text == _NOT:
            mode.turn_negative()
            return True
        if text == _WHY:
            mode.why.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return True
        found = next((each for each in mode.offered if each.key and each.key.casefold() == text), None)
        whole = [each for each in mode.offered if not each.absence]
        if event.key() in _ENTER and len(whole) == 1:
            found = whole[0]
        if found is not None:
            mode.take(found)
            return True
        return event.key() in _ENTER or (bool(text) and mode.refuse(text))

    def _move(self, key: int, text: str) -> bool:
        choices = self._mode.choices
        if key in _ENTER and len(choices) == 1:
            self._mode.move_end(choices[0])
            return True
        if text.isdecimal() and 1 <= int(text) <= len(choices):
            self._mode.move_end(choices[int(text) - 1])
            return True
        return key in _ENTER

    def cancel(self) -> None:
        self._mode.end()
