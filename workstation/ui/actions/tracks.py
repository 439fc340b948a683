"""Actions on tracks at the picture painted by the focused camera. Those with the id of a command stand for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from workstation.core.annotation import Presence
from workstation.ui.actions.action import Hands, action
from workstation.ui.actions.camera import SCOPE, canvas_of
from workstation.ui.actions.shapes import READ_ONLY
from workstation.ui.tools import track_edits
from workstation.ui.tools.canvas import Canvas

MENU = "Track"


def _why_not(least: int) -> Callable[[Hands], str | None]:
    def why_not(hands: Hands) -> str | None:
        if hands.bench.session.read_only:
            return READ_ONLY
        return track_edits.why_no_track(canvas_of(hands), least)

    return why_not


def _needs_loose(hands: Hands) -> str | None:
    if hands.bench.session.read_only:
        return READ_ONLY
    canvas = canvas_of(hands)
    if canvas is None or canvas.own_ns is None:
        return track_edits.why_no_track(canvas)
    return None if track_edits.loose_shapes(canvas) else "select a shape that is no track yet"


def _doing(
    action_id: str, title: str, help_text: str, act: Callable[[Canvas], object], keys: str, *, least: int = 1,
    why_not: Callable[[Hands], str | None] | None = None,
) -> Callable[[Hands], object]:  # fmt: skip
    def run(hands: Hands) -> None:
        canvas = canvas_of(hands)
        if canvas is not None:
            act(canvas)

    run.__doc__, run.__module__ = help_text, __name__
    enabled = why_not or _why_not(least)
    return action(action_id, title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=enabled)(run)


occluded = _doing(
    "track.occluded", "Occluded or visible", "Say that the selected tracks are occluded from this picture on, or seen.",
    partial(track_edits.turn_presence, wanted=Presence.OCCLUDED), "Shift+O",
)  # fmt: skip
absent = _doing(
    "track.absent", "Absent or visible", "Say that the selected tracks are not there from this picture on, or are.",
    partial(track_edits.turn_presence, wanted=Presence.ABSENT), "Shift+A",
)  # fmt: skip
gap = _doing(
    "track.add_gap", "Gap", "Say nothing of the selected tracks up to their next keyframe; on a gap: take it back.",
    track_edits.turn_gap, "Shift+G",
)  # fmt: skip
extend = _doing(
    "track.extend", "Extend track to here", "Let the selected tracks live up to this picture.", track_edits.extend_here,
    "Ctrl+E",
)  # fmt: skip
split = _doing(
    "track.split", "Split track here", "From this picture on the selected tracks are other things.",
    track_edits.split_here, "Ctrl+T",
)  # fmt: skip
join = _doing(
    "track.join", "Join tracks", "Make one track of the selected ones; the active one stays.", track_edits.join,
    "Ctrl+J", least=2,
)  # fmt: skip
swap = _doing(
    "track.swap", "Swap from here", "The two selected tracks exchange what they show from this picture on.",
    track_edits.swap_from_here, "Ctrl+W", least=2,
)  # fmt: skip
set_keyframe = _doing(
    "keyframe.set", "Set keyframe here", "What the selected tracks show at this picture becomes a keyframe.",
    track_edits.set_keyframes, "Shift+K",
)  # fmt: skip
delete_keyframe = _doing(
    "keyframe.delete", "Delete keyframe here", "Delete the selected tracks' keyframes at this picture.",
    track_edits.delete_keyframes, "Ctrl+Delete",
)  # fmt: skip
make = _doing(
    "track.make", "Make a track", "The selected shapes become tracks that begin at this picture.",
    track_edits.make_tracks, "Ctrl+M", why_not=_needs_loose,
)  # fmt: skip
