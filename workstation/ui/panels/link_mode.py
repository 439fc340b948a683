"""Link mode: a calm line over the panes that says what is picked and which relations may join it, each with its key.

It is a ``Pane`` without a dock, so that its gesture hears keys first wherever the focus is. Seeking, playing and going
from pane to pane leave it alone; ``Esc``, another sample or a link made end it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from workstation.ui.panes.base import Pane

if TYPE_CHECKING:  # made with the window: nothing that only a project needs is loaded with it
    from workstation.app.linking import Offer
    from workstation.app.sample_view import SampleView
    from workstation.core.selection import SelectionChanged
    from workstation.ui.workbench import Workbench

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class LinkMode(Pane):
    """``begin`` with what is selected; two picks, then the key of a relation."""

    kind = "link_mode"
    title = "Link"
    active_changed = QtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.header.hide()
        self.picks: list[str] = []
        self.offered: list[Offer] = []
        self.words = QLabel()
        self.words.setObjectName("link_mode_words")
        self._buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self.body)
        self._row.setContentsMargins(8, 3, 8, 3)
        self._row.addWidget(self.words)
        self._row.addStretch(1)
        self._cancel = self._button("cancel", "Cancel (Esc)")
        self._cancel.clicked.connect(self._on_cancel)
        self._row.addWidget(self._cancel)
        self.setFixedHeight(self._cancel.sizeHint().height() + 8)

    @property
    def active(self) -> bool:
        return self.gesture is not None

    def begin(self) -> None:
        """Start with what is selected; what is picked next is the other end."""
        bench = self.bench
        if bench is None or bench.view is None:
            return
        self.picks = [each for each in bench.selected if self._may_be_end(each)][:2]
        self.gesture = _Keys(self)
        self.active_changed.emit(True)
        self._show()

    def end(self) -> None:
        """Leave everything as it was."""
        if self.active:
            self.gesture = None
            self.picks, self.offered = [], []
            self._show_buttons()
            self.active_changed.emit(False)

    def take(self, offer: Offer) -> None:
        """Make the link."""
        bench = self.bench
        if bench is None or bench.view is None:
            return
        names = " → ".join(bench.view.name_of(each) for each in self.picks)
        made = bench.run("link.add", type_id=offer.type_id, ends=offer.ends)
        if made is not None:
            self.end()
            bench.tell(f"Linked: {offer.name}, {names}.")

    def take_back(self) -> None:
        """Forget the last pick."""
        if self.picks:
            self.picks.pop()
        self._show()

    # --- from the workbench -------------------------------------------------------------------------------------

    def unbound(self, bench: Workbench) -> None:
        self.end()

    def sample_opened(self, view: SampleView | None) -> None:
        self.end()

    def show_selection(self, change: SelectionChanged) -> None:
        active = change.after.active
        if not self.active or not change.ids_changed or active is None or change.cause == "session":
            return
        if self._may_be_end(active) and active not in self.picks:
            self.picks = [*self.picks[:1], active]
            self._show()

    def _may_be_end(self, record_id: str) -> bool:
        view = None if self.bench is None else self.bench.view
        return view is not None and view.exists(record_id)

    # --- what is shown ------------------------------------------------------------------------------------------

    def _show(self) -> None:
        from workstation.app.linking import offers

        bench = self.bench
        if bench is None or bench.view is None:
            return
        view = bench.view
        self.picks = [each for each in self.picks if view.exists(each)]
        names = [view.name_of(each) for each in self.picks]
        self.offered = offers(view, *self.picks) if len(self.picks) == 2 else []
        if not names:
            words = "Link: pick the first, in any pane."
        elif len(names) == 1:
            words = f"Link {names[0]} with …: pick the second, in any pane."
        elif self.offered:
            words = f"Link {names[0]} → {names[1]} as:"
        else:
            words = f"No relation of the ontology may join {names[0]} and {names[1]}; pick another second."
        self.words.setText(words)
        self.setAccessibleName(words)
        self._show_buttons()

    def _show_buttons(self) -> None:
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = []
        for number, offer in enumerate(self.offered):
            button = self._button(offer.type_id, f"{offer.name}  {offer.key}".strip())
            button.setProperty("number", number)
            button.clicked.connect(self._on_offer)
            self._row.insertWidget(1 + number, button)
            self._buttons.append(button)

    def _button(self, name: str, text: str) -> QPushButton:
        made = QPushButton(text)
        made.setObjectName(f"link_mode_{name}")
        made.setAccessibleName(text)
        made.setToolTip(text)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus where the hand was
        return made

    @Slot()
    def _on_offer(self) -> None:
        number = int(self.sender().property("number"))
        self.guard(partial(self.take, self.offered[number]))

    @Slot()
    def _on_cancel(self) -> None:
        self.end()


class _Keys:
    """The gesture: keys of relations, Enter for the only one, Backspace for the last pick."""

    def __init__(self, mode: LinkMode) -> None:
        self._mode = mode

    def key(self, event: QKeyEvent) -> bool:
        if event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier):
            return False
        mode = self._mode
        text = event.text().casefold()
        found = next((each for each in mode.offered if each.key and each.key.casefold() == text), None)
        if event.key() in _ENTER and len(mode.offered) == 1:
            found = mode.offered[0]
        if found is not None:
            mode.take(found)
            return True
        if event.key() == Qt.Key.Key_Backspace and mode.picks:
            mode.take_back()
            return True
        return False

    def cancel(self) -> None:
        self._mode.end()
