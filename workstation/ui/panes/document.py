"""The documents of a sample: pages of PDFs drawn sharp, words with boxes, spans on words and shapes on the page.

One page at a time; the header says which. A document has no times: the playhead leaves it where it is. The page itself
is ``document_view.py``; keys are in ``actions/document.py``.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QToolButton, QVBoxLayout, QWidget

from workstation.app.page_words import page_of
from workstation.app.sample_view import SampleView
from workstation.core.errors import DataError
from workstation.core.geometry import TextSpan
from workstation.core.records import RecordKind
from workstation.core.sample import Stream, StreamKind
from workstation.core.selection import SelectionChanged
from workstation.media.base import DocumentReader
from workstation.store.changes import ChangeSet
from workstation.ui.panes.base import Pane
from workstation.ui.panes.document_view import PageView
from workstation.ui.pointing import key_of
from workstation.ui.scenes.text_scene import Standing
from workstation.ui.theme import Theme
from workstation.ui.workbench import Workbench


class DocumentPane(Pane):
    """Chooses the document; says the page."""

    kind = "document"
    title = "Document"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filling = False
        self.page = PageView()
        self.page.page_changed.connect(self._say)
        self.page.gesture_changed.connect(self._on_gesture)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.page)
        self.setFocusProxy(self.page)
        self.page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._build_controls()

    def _build_controls(self) -> None:
        self.documents = QComboBox()
        self.documents.setObjectName("document_stream")
        self.documents.setAccessibleName("Which document")
        self.documents.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.documents.currentIndexChanged.connect(self._on_document)
        self.header.extra.addWidget(self.documents)
        self.back = self._button("document_back", "◂", "Previous page", "Previous page (@document.previous_page)")
        self.back.clicked.connect(self._on_back)
        self.on = self._button("document_on", "▸", "Next page", "Next page (@document.next_page)")
        self.on.clicked.connect(self._on_next)
        boxes = "A box round every word (@document.words)"
        self.tokens = self._button("document_words", "Words", "Boxes of words", boxes)
        self.tokens.setCheckable(True)
        self.tokens.toggled.connect(self._on_tokens)
        self.width_button = self._button("document_width", "Width", "Page as wide as the pane", "As wide as the pane")
        self.width_button.clicked.connect(self.page.fit_width)

    def _button(self, name: str, text: str, spoken: str, tip: str) -> QToolButton:
        made = QToolButton()
        made.setObjectName(name)
        made.setText(text)
        made.setAccessibleName(spoken)
        made.setToolTip(tip)
        made.setAutoRaise(True)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.header.extra.addWidget(made)
        return made

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.page.bench = bench
        self.hear(bench.hand.changed, self._on_hand)
        self.hear(bench.sight.changed, self._on_sight)
        self.hear(bench.theme_changed, self._on_theme)
        self.hear(bench.reveal_wanted, self._on_reveal)
        self.page.hand_changed()

    def unbound(self, bench: Workbench) -> None:
        del bench
        self.page.close_document()
        self.page.bench = None

    def sample_opened(self, view: SampleView | None) -> None:
        self.page.close_document()
        self._filling = True
        self.documents.clear()
        streams = [] if view is None else [each for each in view.streams.values() if each.kind is StreamKind.DOCUMENT]
        for each in sorted(streams, key=lambda each: each.key):
            self.documents.addItem(each.key, each.id)
        self.header.offer(self.documents, offered=len(streams) > 1)
        self._filling = False
        self._open(self.documents.currentData())
        self._stand()
        if self.bench is not None:
            self._reveal(self.bench.selected)

    def _open(self, stream_id: str | None) -> None:
        bench = self.bench
        stream: Stream | None = None
        if bench is not None and bench.view is not None and stream_id is not None:
            stream = bench.view.streams.get(stream_id)
        if bench is not None and stream is not None and bench.readers is not None:
            try:
                reader = bench.readers.reader(stream)
            except DataError as problem:
                self.page.close_document()
                bench.tell(str(problem))
                self.header.say(item=f"{stream.key} cannot be opened")
                return
            if isinstance(reader, DocumentReader):
                self.page.open(stream, reader)
        self._say()

    def show_time(self, time_ns: int) -> None:
        del time_ns

    def show_selection(self, change: SelectionChanged) -> None:
        self._stand()
        if change.ids_changed and change.cause != self.kind:
            self._reveal(change.after.ids)

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        corner = QPointF(self.page.mapTo(self, QPoint()))
        return [(key, rect.translated(corner)) for key, rect in self.page.where(ids)]

    def label_at(self, place: QPoint) -> str | None:
        """The smallest there: pages tell nobody what is pointed at."""
        view = None if self.bench is None else self.bench.view
        sights = [] if view is None else self.where(frozenset(view.annotations))
        found = [(rect.width() * rect.height(), key) for key, rect in sights if rect.contains(place)]
        return min(found)[1] if found else None

    def _stand(self) -> None:
        bench = self.bench
        if bench is None or bench.view is None:
            self.page.stand(Standing())
            return
        chosen = frozenset(bench.selected)
        hovered = bench.selection.state.hovered
        self.page.stand(Standing(chosen, bench.view.marked(chosen) - chosen, hovered))

    def _reveal(self, ids: tuple[str, ...]) -> None:
        """Turn to the page of the first of these, or of what belongs to them; stay if it is this one."""
        bench, stream = self.bench, self.page.stream
        if bench is None or bench.view is None or stream is None:
            return
        wanted = bench.view.to_show(ids)
        held = [bench.view.annotations[each] for each in wanted if each in bench.view.annotations]
        record = next((each for each in held if each.stream == stream.id and page_of(each.item) is not None), None)
        page = None if record is None else page_of(record.item)
        if record is None or page is None:
            return
        if page != self.page.page:
            self.page.show_page(page)
        words = self.page.words
        if isinstance(record.shape, TextSpan) and words is not None:
            for rect in words.rects(record.shape.parts)[:1]:
                self.page.show_rect(rect)

    def apply(self, changes: ChangeSet) -> None:
        kinds = (RecordKind.ANNOTATION, RecordKind.ENTITY, RecordKind.ONTOLOGY)
        if any(changes.touched(kind) for kind in kinds):
            self.page.renew()
            self._stand()

    def settled(self) -> bool:
        return self.page.sharp

    def step_page(self, by: int) -> None:
        """So many pages on."""
        self.page.show_page(self.page.page + by, top=True)

    # --- what is said and switched ------------------------------------------------------------------------------

    def _say(self) -> None:
        page = self.page
        if not page.count:
            self.header.say(item="no document")
            return
        words = page.words
        said = ""
        if page.painted and words is not None:
            count = len(words.tokens)
            said = f"{count} word{'s' * (count != 1)}" if count else "scanned, no words"
        self.header.say(item=said, own=f"page {page.page + 1} of {page.count}")
        self.back.setEnabled(page.page > 0)
        self.on.setEnabled(page.page < page.count - 1)

    def _on_document(self, index: int) -> None:
        if not self._filling:
            self._open(self.documents.itemData(index))

    def _on_back(self) -> None:
        self.step_page(-1)

    def _on_next(self) -> None:
        self.step_page(1)

    def _on_tokens(self, on: bool) -> None:
        self.page.with_tokens = on
        self.page.update()

    def _on_hand(self, hand: object) -> None:
        del hand
        self.page.hand_changed()

    def _on_sight(self, sight: object) -> None:
        del sight
        self.page.renew()

    def _on_theme(self, theme: Theme) -> None:
        del theme
        self.page.update()

    def _on_reveal(self, ids: tuple[str, ...]) -> None:
        self._reveal(ids)

    def _on_gesture(self) -> None:
        self.gesture = _Begun(self.page) if self.page.busy else None


class _Begun:
    """Something begun on the page: its tool hears keys, ``Esc`` leaves everything as it was."""

    def __init__(self, page: PageView) -> None:
        self._page = page

    def key(self, event: QKeyEvent) -> bool:
        return not self._page.word_hand.busy and self._page.tool.key(key_of(event))

    def cancel(self) -> None:
        self._page.cancel()
