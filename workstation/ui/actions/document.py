"""Actions of the document pane: pages, zoom, and words taken by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from workstation.ui.actions.action import Hands, Run, action

if TYPE_CHECKING:
    from workstation.ui.panes.document import DocumentPane

SCOPE = "document"
MENU = "Text"


def _document(hands: Hands) -> DocumentPane | None:
    """The document pane, by its kind: its module is imported when it is first shown."""
    found = hands.pane if hands.pane is not None and hands.pane.kind == SCOPE else hands.frame.pane(SCOPE)
    return cast("DocumentPane | None", found)


def _needs_page(hands: Hands) -> str | None:
    pane = _document(hands)
    return None if pane is not None and pane.page.count else "open a sample with a document first"


def _has_taken(hands: Hands) -> str | None:
    pane = _document(hands)
    return None if pane is not None and pane.page.word_hand.taken else "take some words first"


def _pages(name: str, title: str, keys: str, by: int, words: str) -> Run:
    def run(hands: Hands) -> None:
        pane = _document(hands)
        if pane is not None:
            pane.step_page(by)

    run.__doc__ = words
    run.__module__ = __name__
    return action(f"document.{name}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=_needs_page,
                  repeats=True)(run)  # fmt: skip


next_page = _pages("next_page", "Next page", ".", 1, "Turn to the next page.")
previous_page = _pages("previous_page", "Previous page", ",", -1, "Turn to the page before.")
ten_on = _pages("ten_on", "Ten pages on", ">", 10, "Turn ten pages on.")
ten_back = _pages("ten_back", "Ten pages back", "<", -10, "Turn ten pages back.")


def _page(name: str, title: str, keys: str | tuple[str, ...], method: str, words: str, *arguments: float,
          repeats: bool = False) -> Run:  # fmt: skip
    def run(hands: Hands) -> None:
        pane = _document(hands)
        if pane is not None:
            getattr(pane.page, method)(*arguments)

    run.__doc__ = words
    run.__module__ = __name__
    return action(f"document.{name}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=_needs_page,
                  repeats=repeats)(run)  # fmt: skip


zoom_in = _page("zoom_in", "Zoom into the page", ("Ctrl++", "Ctrl+="), "zoom_by", "Show the page larger.", 1.0,
                repeats=True)  # fmt: skip
zoom_out = _page("zoom_out", "Zoom out of the page", "Ctrl+-", "zoom_by", "Show the page smaller.", -1.0, repeats=True)
fit_page = _page("fit_page", "Whole page", "Ctrl+0", "fit_page", "Show all of the page.")
fit_width = _page("fit_width", "Page as wide as the pane", "Z", "fit_width", "Show the page as wide as the pane.")
down = _page("down", "Scroll the page down", "Down", "scroll_by", "Scroll on; beyond the end comes the next page.",
             -60.0, repeats=True)  # fmt: skip
up = _page("up", "Scroll the page up", "Up", "scroll_by", "Scroll back; beyond the top comes the page before.", 60.0,
           repeats=True)  # fmt: skip


def _words(name: str, title: str, keys: str, by: int, words: str, *, extend: bool) -> Run:
    def run(hands: Hands) -> None:
        pane = _document(hands)
        if pane is not None:
            pane.page.word_hand.step(by, extend=extend)

    run.__doc__ = words
    run.__module__ = __name__
    return action(f"document.{name}", title=title, keys=keys, scope=SCOPE, enabled=_needs_page, repeats=True)(run)


right = _words("next_word", "Next word", "Right", 1, "Go to the next word of the page.", extend=False)
left = _words("previous_word", "Previous word", "Left", -1, "Go to the word before.", extend=False)
take_right = _words("take_next", "Take the next word", "Shift+Right", 1, "Take one more word.", extend=True)
take_left = _words("take_previous", "Take the word before", "Shift+Left", -1, "Take one word back.", extend=True)


@action("document.take_all", title="Take all words of the page", keys="Ctrl+A", scope=SCOPE, menu=MENU,
        enabled=_needs_page)  # fmt: skip
def take_all(hands: Hands) -> None:
    """Take every word of the page."""
    pane = _document(hands)
    if pane is not None:
        pane.page.word_hand.take_all()


@action("document.keep_part", title="Add to the selected span", keys=("+", "="), scope=SCOPE, menu=MENU,
        enabled=_has_taken)  # fmt: skip
def keep_part(hands: Hands) -> None:
    """What is taken becomes another part of the selected span."""
    pane = _document(hands)
    if pane is not None:
        pane.page.word_hand.add_to_selected()


@action("document.finish", title="Make the span", keys="Enter", scope=SCOPE, menu=MENU, enabled=_has_taken)
def finish(hands: Hands) -> None:
    """Make a span of what is taken with the class in the hand, or ask for its class."""
    pane = _document(hands)
    if pane is not None:
        pane.page.word_hand.offer(at_once=True)


@action("document.words", title="Boxes of words", keys="W", scope=SCOPE, menu=MENU, enabled=_needs_page)
def words(hands: Hands) -> None:
    """Show a box round every word of the page."""
    pane = _document(hands)
    if pane is not None:
        pane.tokens.toggle()
