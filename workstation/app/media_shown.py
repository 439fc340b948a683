"""Whether a person can see what a text is about: words are written and approved beside their picture or clip.

Asked by the text pane before it lets anybody type, and by the actions that approve. Without Qt: the window says which
panes are on the screen, and what is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from workstation.app.sample_view import SampleView
from workstation.core.sample import StreamKind

PANE_OF = {StreamKind.IMAGE: "camera", StreamKind.VIDEO: "camera", StreamKind.VOLUME: "volume"}
_NAMES = {"camera": "picture", "volume": "volume"}


def hidden_media(view: SampleView, panes: Collection[str], is_hidden: Callable[[str], bool]) -> str | None:
    """The pane that must be brought back before words may be written; ``None`` if all that is needed is seen.

    ``panes`` are the kinds of panes on the screen; ``is_hidden`` says of a stream whether the person hid it.
    """
    for pane in dict.fromkeys(PANE_OF.values()):
        streams = [each for each in view.streams.values() if PANE_OF.get(each.kind) == pane]
        if streams and (pane not in panes or all(is_hidden(each.id) for each in streams)):
            return pane
    return None


def why_barred(pane: str | None, act: str = "write") -> str:
    """The reason in words; empty where nothing bars."""
    return "" if pane is None else f"the {_NAMES[pane]} is hidden: show it to {act}"


def holds_words(view: SampleView) -> bool:
    """Whether there is a text to be approved: one that was recorded, or one that somebody wrote."""
    if any(each.kind in (StreamKind.TEXT, StreamKind.TURNS) for each in view.streams.values()):
        return True
    return any(each.text is not None for each in view.annotations.values())
