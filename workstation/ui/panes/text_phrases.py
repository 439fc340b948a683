"""Phrases of captions without a region: underlined in the text pane until linked, or declared not to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QTextCharFormat

from workstation.app.open_phrases import Phrases, not_seen, open_phrases
from workstation.app.text_source import Sheet
from workstation.core.text_edits import quote

if TYPE_CHECKING:
    from workstation.ui.panes.text_reading import TextReading

Key = tuple[int, int, int]
"""Body, start and end: as they are read."""


class OpenPhrases:
    """What the canvas underlines, and the walk from one to the next."""

    def __init__(self, reading: TextReading) -> None:
        self._reading = reading
        self.shown = True
        self.phrases = Phrases()

    def begin(self, sheet: Sheet | None) -> None:
        """Another sheet, or none."""
        view = self._reading.view
        self.phrases = Phrases() if view is None or sheet is None else open_phrases(view, sheet)

    def renew(self) -> None:
        """Labels or links changed: what is open now, underlined anew where that differs."""
        before, canvas = self.phrases, self._reading.canvas
        self.begin(canvas.sheet)
        changed = set(before.found) ^ set(self.phrases.found)
        if changed and self.shown:
            canvas.relayout({canvas.sheet.place(each.body, each.start).passage for each in changed})
        if before != self.phrases:
            self._reading.tell_again()

    def show(self, on: bool) -> None:
        """Underline them, or not."""
        self.shown = on
        self._reading.canvas.relayout()
        self._reading.tell_again()

    def words(self) -> str:
        """For the header; empty while nothing is underlined."""
        return self.phrases.words() if self.shown else ""

    def formats(self, passage: int) -> list[tuple[int, int, QTextCharFormat]]:
        """The dotted lines on a passage."""
        bench, each = self._reading.bench, self._reading.canvas.sheet.passages[passage]
        if bench is None or not self.shown:
            return []
        look = QTextCharFormat()
        look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        look.setUnderlineColor(QColor(bench.theme.warning))
        return [
            (max(0, one.start - each.start), min(one.end, each.end) - each.start, look)
            for one in self.phrases.found
            if one.body == each.body and one.start < each.end and each.start < one.end
        ]

    def walk(self, by: int) -> None:
        """Take the next one from the caret on, so that a class key marks it."""
        reading, found = self._reading, self.phrases.found
        if not found:
            unknown = self.phrases.words() if self.phrases.unknown else ""
            reading.say(f"{unknown[0].upper()}{unknown[1:]}." if unknown else "No phrase waits for a region.")
            return
        here = self._here()
        keys: list[Key] = [(each.body, each.start, each.end) for each in found]
        if here is None:
            number = 0 if by > 0 else len(found) - 1
        elif by > 0:
            number = next((n for n, key in enumerate(keys) if key > here), 0)
        else:
            number = next((n for n in reversed(range(len(keys))) if keys[n] < here), len(keys) - 1)
        one = found[number]
        place = reading.canvas.sheet.place(one.body, one.start)
        reading.marking.put_caret(place)
        reading.marking.take(one.body, one.start, one.end)
        reading.canvas.reveal(place.passage, place.offset)
        count = f"{number + 1} of {len(found)} without a region"
        ways = "mark it with the key of a class, then link it (@link.add); or nothing is to be seen (@text.not_seen)"
        reading.say(f"“{one.quote}”, {count}: {ways}.")

    def _here(self) -> Key | None:
        marking, sheet = self._reading.marking, self._reading.canvas.sheet
        if marking.body is not None and marking.parts:
            return marking.body, *marking.parts[0]
        caret = self._reading.canvas.caret
        if caret is None:
            return None
        passage = sheet.passages[caret.passage]
        at = passage.start + caret.offset
        return passage.body, at, at

    def declare(self) -> None:
        """Say of the words that are taken that nothing in the picture shows them; and on to the next."""
        reading = self._reading
        bench, view, marking = reading.bench, reading.view, reading.marking
        if bench is None or view is None or marking.body is None or not marking.parts:
            reading.say("Take a phrase first.")
            return
        absence = not_seen(view)
        if absence is None:
            reading.say("The ontology has no absence that says that words cannot be seen.")
            return
        type_id, where, reason = absence
        body, parts = reading.canvas.sheet.bodies[marking.body], marking.parts
        shape: dict[str, object] = {"kind": "text_span", "parts": parts, "quote": quote(body.text, parts)}
        if body.anchor.of is not None:
            shape["of"] = body.anchor.of

        def act() -> bool:
            with bench.together("Nothing to be seen") as run:
                made = run("annotation.add", stream=body.anchor.stream, shape=shape)
                run("link.absent", of=f"annotation:{made}", missing_in=where, reason=reason, type_id=type_id)
            return True

        if bench.attempt(act):
            self.walk(1)
