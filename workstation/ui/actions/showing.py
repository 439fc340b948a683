"""Actions that bring a pane to the front, one for each; lists use them to go where something is."""

from __future__ import annotations

from collections.abc import Callable

from workstation.core.sample import StreamKind
from workstation.ui.actions.action import Hands, action

_PANES = (
    ("camera", "Cameras"), ("cloud", "Cloud"), ("volume", "Volume"), ("sound", "Sound"), ("text", "Text"),
    ("document", "Document"), ("series", "Series"), ("timeline", "Timeline"), ("entities", "Entities"),
    ("sync", "Synchronise"),
)  # fmt: skip
_SHOWN_IN = {
    StreamKind.IMAGE: "camera",
    StreamKind.VIDEO: "camera",
    StreamKind.CLOUD: "cloud",
    StreamKind.RADAR: "cloud",
    StreamKind.VOLUME: "volume",
    StreamKind.AUDIO: "sound",
    StreamKind.TEXT: "text",
    StreamKind.TURNS: "text",
    StreamKind.DOCUMENT: "document",
    StreamKind.SERIES: "series",
}


def action_showing(kind: StreamKind) -> str | None:
    """The action that brings the pane of such a stream to the front."""
    pane = _SHOWN_IN.get(kind)
    return None if pane is None else f"pane.show_{pane}"


def _showing(kind: str, title: str) -> Callable[[Hands], object]:
    def show(hands: Hands) -> None:
        hands.frame.show_pane(kind)

    show.__doc__, show.__module__ = f"Bring the pane {title} to the front and give it the focus.", __name__
    return action(f"pane.show_{kind}", title=f"Show pane: {title}")(show)


camera, cloud, volume, sound, text, document, series, timeline, entities, sync = (_showing(*each) for each in _PANES)
