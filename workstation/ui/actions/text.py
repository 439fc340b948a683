"""Actions of the text pane: turns and words while typing; carets, stretches and spans while marking."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from workstation.ui.actions.action import READ_ONLY, Hands, Run, WhyNot, action, needs_sample

if TYPE_CHECKING:
    from workstation.ui.panes.text import TextPane

MENU = "Text"
SCOPE = "text"
_TYPE_FIRST = "type in a transcript first (@text.type)"
_MARK_FIRST = "show the spans of a text first (@text.type)"


def _text(hands: Hands) -> TextPane | None:
    """The text pane, by its kind: its module is imported when it is first shown."""
    found = hands.pane if hands.pane is not None and hands.pane.kind == SCOPE else hands.frame.pane(SCOPE)
    return cast("TextPane | None", found)


def _types(hands: Hands) -> str | None:
    """Greyed unless the text pane is typed in."""
    pane = _text(hands)
    if pane is None or pane.marks_now:
        return _TYPE_FIRST
    return needs_sample(hands) or pane.typing.barred or None


def _listens(hands: Hands) -> str | None:
    pane = _text(hands)
    return needs_sample(hands) or (_TYPE_FIRST if pane is None or pane.marks_now else None)


def _marks(hands: Hands) -> str | None:
    """Greyed unless the text pane shows spans."""
    pane = _text(hands)
    return needs_sample(hands) or (_MARK_FIRST if pane is None or not pane.marks_now else None)


def _marks_span(hands: Hands) -> str | None:
    pane = _text(hands)
    if pane is None or not pane.marks_now or pane.reading.chosen_mark() is None:
        return "select a span of the text first"
    return READ_ONLY if hands.bench.session.read_only else None


def _has_taken(hands: Hands) -> str | None:
    pane = _text(hands)
    return None if pane is not None and pane.marks_now and pane.reading.marking.parts else "take some words first"


def _finishes(hands: Hands) -> str | None:
    """Enter is for proposals when one is selected and nothing is taken."""
    pane = _text(hands)
    view = hands.bench.view
    if pane is None or not pane.marks_now or view is None:
        return _MARK_FIRST
    chosen = [view.annotations[each] for each in hands.bench.selected if each in view.annotations]
    proposed = any(each.state == "proposed" for each in chosen)
    return "a proposal is selected" if proposed and not pane.reading.marking.parts else None


# --- typing -------------------------------------------------------------------------------------------------------


@action("text.split", title="Split turn at the caret", keys="Ctrl+Enter", scope=SCOPE, menu=MENU, enabled=_types)
def split(hands: Hands) -> None:
    """Cut the turn before the word at the caret; words keep their times."""
    pane = _text(hands)
    if pane is not None:
        pane.typing.split()


@action("text.join", title="Join with the next turn", keys="Ctrl+J", scope=SCOPE, menu=MENU, enabled=_types)
def join(hands: Hands) -> None:
    """Make one turn of the one with the caret and the next of the same speaker."""
    pane = _text(hands)
    if pane is not None:
        pane.typing.join()


@action("text.play_turn", title="Play the turn", keys="Ctrl+Space", scope=SCOPE, menu=MENU, enabled=_listens)
def play_turn(hands: Hands) -> None:
    """Play exactly the turn with the caret, and stop."""
    pane = _text(hands)
    if pane is not None:
        pane.typing.play_turn()


@action("text.place_word", title="Place the word at the playhead", keys="Ctrl+T", scope=SCOPE, menu=MENU,
        enabled=_types)  # fmt: skip
def place_word(hands: Hands) -> None:
    """Give the word at the caret its time, from the playhead on, between its neighbours."""
    pane = _text(hands)
    if pane is not None:
        pane.typing.place_word()


@action("text.add_turn", title="Add a turn here", keys="Ctrl+Shift+T", menu=MENU, enabled=needs_sample)
def add_turn(hands: Hands) -> None:
    """Add a turn where the selected span or the loop is, and type what is said."""
    if hands.frame.pane(SCOPE) is None:
        hands.frame.show_pane(SCOPE)
    pane = _text(hands)
    if pane is not None:
        pane.add_turn()


@action("text.type", title="Type or mark", keys="Ctrl+M", scope=SCOPE, menu=MENU, enabled=needs_sample)
def type_or_mark(hands: Hands) -> None:
    """Type in the text, or see and make its spans."""
    pane = _text(hands)
    if pane is not None:
        pane.turn_typing()


# --- the caret ----------------------------------------------------------------------------------------------------


def _move(name: str, title: str, keys: str, unit: str, by: int, *, extend: bool, words: str) -> Run:
    def run(hands: Hands) -> None:
        pane = _text(hands)
        if pane is not None:
            pane.reading.marking.step(unit, by, extend=extend)

    run.__doc__ = words
    run.__module__ = __name__
    return action(f"text.{name}", title=title, keys=keys, scope=SCOPE, enabled=_marks, repeats=True)(run)


right = _move("right", "Caret right", "Right", "character", 1, extend=False, words="Move the caret a character on.")
left = _move("left", "Caret left", "Left", "character", -1, extend=False, words="Move the caret a character back.")
down = _move("down", "Caret down", "Down", "row", 1, extend=False, words="Move the caret a row down.")
up = _move("up", "Caret up", "Up", "row", -1, extend=False, words="Move the caret a row up.")
word_on = _move("word_right", "Caret a word right", "Ctrl+Right", "word", 1, extend=False,
                words="Move the caret a word on.")  # fmt: skip
word_back = _move("word_left", "Caret a word left", "Ctrl+Left", "word", -1, extend=False,
                  words="Move the caret a word back.")  # fmt: skip
take_right = _move("take_right", "Take a character right", "Shift+Right", "character", 1, extend=True,
                   words="Take one more character, or one less.")  # fmt: skip
take_left = _move("take_left", "Take a character left", "Shift+Left", "character", -1, extend=True,
                  words="Take one more character back, or one less.")  # fmt: skip
take_down = _move("take_down", "Take a row down", "Shift+Down", "row", 1, extend=True, words="Take a row more.")
take_up = _move("take_up", "Take a row up", "Shift+Up", "row", -1, extend=True, words="Take a row more, upward.")
take_word = _move("take_word_right", "Take a word right", "Ctrl+Shift+Right", "word", 1, extend=True,
                  words="Take one more word.")  # fmt: skip
take_word_back = _move("take_word_left", "Take a word left", "Ctrl+Shift+Left", "word", -1, extend=True,
                       words="Take one more word back.")  # fmt: skip
take_point = _move("take_point_right", "Take a code point right", "Alt+Shift+Right", "code_point", 1, extend=True,
                   words="Take one code point more, also inside a character.")  # fmt: skip
take_point_back = _move("take_point_left", "Take a code point left", "Alt+Shift+Left", "code_point", -1, extend=True,
                        words="Take one code point more back, also inside a character.")  # fmt: skip
take_end = _move("take_end", "Take to the end of the line", "Shift+End", "edge", 1, extend=True,
                 words="Take everything to the end of the line or turn.")  # fmt: skip
take_start = _move("take_start", "Take to the beginning of the line", "Shift+Home", "edge", -1, extend=True,
                   words="Take everything back to the beginning of the line or turn.")  # fmt: skip


# --- spans --------------------------------------------------------------------------------------------------------


def _do(name: str, title: str, keys: str | tuple[str, ...], method: str, words: str, *, enabled: WhyNot = _marks,
        repeats: bool = False, **arguments: object) -> Run:  # fmt: skip
    def run(hands: Hands) -> None:
        pane = _text(hands)
        if pane is not None:
            getattr(pane.reading.marking, method)(**arguments)

    run.__doc__ = words
    run.__module__ = __name__
    return action(f"text.{name}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=enabled, repeats=repeats)(run)


select_more = _do("select_more", "Take the line, then the text", "Ctrl+A", "select_more",
                  "Take the line or turn with the caret; once more the whole text, to classify it.")  # fmt: skip
finish = _do("finish", "Make the span, or select the one at the caret", "Enter", "finish",
             "Make a span of what is taken with the class in the hand; with nothing taken, select the span at the "
             "caret, and the next one over it.", enabled=_finishes)  # fmt: skip
keep_part = _do("keep_part", "Keep as a part", ("+", "="), "keep_part",
                "Add what is taken to the selected span as another part; with no span selected keep it and take the "
                "next part.", enabled=_has_taken)  # fmt: skip
take_out = _do("take_out", "Take out of the span", "-", "take_out",
               "Leave what is taken out of the selected span.", enabled=_has_taken)  # fmt: skip
back = _do("nudge_back", "Boundary one word back", "[", "nudge", "Move the end of the selected span back by a word.",
           enabled=_marks_span, repeats=True, by=-1, exact=False)  # fmt: skip
on = _do("nudge_on", "Boundary one word on", "]", "nudge", "Move the end of the selected span on by a word.",
         enabled=_marks_span, repeats=True, by=1, exact=False)  # fmt: skip
point_back = _do("nudge_point_back", "Boundary one code point back", "Alt+[", "nudge",
                 "Move the end of the selected span back by one code point.", enabled=_marks_span, repeats=True,
                 by=-1, exact=True)  # fmt: skip
point_on = _do("nudge_point_on", "Boundary one code point on", "Alt+]", "nudge",
               "Move the end of the selected span on by one code point.", enabled=_marks_span, repeats=True,
               by=1, exact=True)  # fmt: skip


@action("text.other_boundary", title="Other boundary of the span", keys="\\", scope=SCOPE, menu=MENU,
        enabled=_marks_span)  # fmt: skip
def other_boundary(hands: Hands) -> None:
    """Let the keys move the beginning of the selected span, or its end again."""
    pane = _text(hands)
    if pane is not None:
        marking = pane.reading.marking
        marking.boundary_is_start = not marking.boundary_is_start
        hands.bench.tell(f"[ and ] move the {'beginning' if marking.boundary_is_start else 'end'} of the span.")


@action("text.next_span", title="Next span", keys="Ctrl+Down", scope=SCOPE, menu=MENU, enabled=_marks, repeats=True)
def next_span(hands: Hands) -> None:
    """Select the next span in the order of the text."""
    pane = _text(hands)
    if pane is not None:
        pane.reading.walk(1)


@action("text.previous_span", title="Previous span", keys="Ctrl+Up", scope=SCOPE, menu=MENU, enabled=_marks,
        repeats=True)  # fmt: skip
def previous_span(hands: Hands) -> None:
    """Select the span before in the order of the text."""
    pane = _text(hands)
    if pane is not None:
        pane.reading.walk(-1)


@action("text.next_phrase", title="Next phrase without a region", keys="Alt+Down", scope=SCOPE, menu=MENU,
        enabled=_marks, repeats=True)  # fmt: skip
def next_phrase(hands: Hands) -> None:
    """Take the next underlined phrase of a caption, which no region is linked to yet; a class key marks it."""
    pane = _text(hands)
    if pane is not None:
        pane.reading.phrases.walk(1)


@action("text.previous_phrase", title="Previous phrase without a region", keys="Alt+Up", scope=SCOPE, menu=MENU,
        enabled=_marks, repeats=True)  # fmt: skip
def previous_phrase(hands: Hands) -> None:
    """Take the underlined phrase before."""
    pane = _text(hands)
    if pane is not None:
        pane.reading.phrases.walk(-1)


@action("text.not_seen", title="Nothing to be seen", keys="Alt+X", scope=SCOPE, menu=MENU, enabled=_has_taken)
def not_seen(hands: Hands) -> None:
    """Declare that nothing in the picture shows the words that are taken, so that they are underlined no longer."""
    pane = _text(hands)
    if pane is not None and not hands.bench.session.read_only:
        pane.reading.phrases.declare()


@action("text.review", title="Review the text detail by detail", keys="Ctrl+Shift+D", scope=SCOPE, menu="Review",
        enabled=needs_sample)  # fmt: skip
def review(hands: Hands) -> None:
    """Confirm each detail of the text beside its picture, or flag it as one that cannot be seen; then the verdict."""
    pane = _text(hands)
    if pane is not None:
        pane.review()


@action("text.copy", title="Copy the words", keys="Ctrl+C", scope=SCOPE, enabled=_has_taken)
def copy(hands: Hands) -> None:
    """Put the words that are taken on the clipboard."""
    from PySide6.QtGui import QGuiApplication

    pane = _text(hands)
    if pane is not None:
        QGuiApplication.clipboard().setText(pane.reading.marking.quote)
        hands.bench.tell("Copied the words.")


@action("text.next_text", title="Next text", keys="Ctrl+PgDn", scope=SCOPE, menu=MENU, enabled=needs_sample)
def next_text(hands: Hands) -> None:
    """Show the next text of the sample."""
    pane = _text(hands)
    if pane is not None and pane.texts.count():
        pane.texts.setCurrentIndex((pane.texts.currentIndex() + 1) % pane.texts.count())


@action("text.language", title="Language of the span…", keys="Shift+G", scope=SCOPE, menu=MENU, enabled=_marks)
def language(hands: Hands) -> None:
    """Go to the field for the language of the selected span, or of the spans made next."""
    pane = _text(hands)
    if pane is not None:
        pane.language.setFocus()
        pane.language_field.selectAll()
