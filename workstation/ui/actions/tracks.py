"""Actions on tracks at the picture painted by the focused camera. Those with the id of a command stand for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from workstation.ui.actions.action import READ_ONLY, Hands, action
from workstation.ui.actions.camera import SCOPE, canvas_of
from workstation.ui.actions.picture_acts import act_on_picture

if TYPE_CHECKING:
    from workstation.ui.tools.canvas import Canvas

MENU = "Track"


def _edits() -> ModuleType:
    """With the records of tracks: a start does not pay for what is done to them later."""
    from workstation.ui.tools import track_edits

    return track_edits


def _why_no_track(canvas: Canvas | None, least: int = 1) -> str | None:
    from workstation.ui.tools.track_edits import why_no_track

    return why_no_track(canvas, least)


def _why_not(least: int) -> Callable[[Hands], str | None]:
    def why_not(hands: Hands) -> str | None:
        if hands.bench.session.read_only:
            return READ_ONLY
        return _why_no_track(canvas_of(hands), least)

    return why_not


def _needs_loose(hands: Hands) -> str | None:
    if hands.bench.session.read_only:
        return READ_ONLY
    canvas = canvas_of(hands)
    if canvas is None or canvas.own_ns is None:
        return _why_no_track(canvas)
    return None if _edits().loose_shapes(canvas) else "select a shape that is no track yet"


_doing = partial(act_on_picture, enabled=_why_not(1), menu=MENU, module=__name__)


def _turning(wanted: str) -> Callable[[Canvas], object]:
    def turn(canvas: Canvas) -> None:
        from workstation.core.annotation import Presence

        _edits().turn_presence(canvas, wanted=Presence(wanted))

    return turn


occluded = _doing(
    "track.occluded", "Occluded or visible", "Say that the selected tracks are occluded from this picture on, or seen.",
    _turning("occluded"), "Shift+O",
)  # fmt: skip
absent = _doing(
    "track.absent", "Absent or visible", "Say that the selected tracks are not there from this picture on, or are.",
    _turning("absent"), "Shift+A",
)  # fmt: skip
gap = _doing(
    "track.add_gap", "Gap", "Say nothing of the selected tracks up to their next keyframe; on a gap: take it back.",
    lambda canvas: _edits().turn_gap(canvas), "Shift+G",
)  # fmt: skip
extend = _doing(
    "track.extend", "Extend track to here", "Let the selected tracks live up to this picture.",
    lambda canvas: _edits().extend_here(canvas), "Ctrl+E",
)  # fmt: skip
split = _doing(
    "track.split", "Split track here", "From this picture on the selected tracks are other things.",
    lambda canvas: _edits().split_here(canvas), "Ctrl+T",
)  # fmt: skip
join = _doing(
    "track.join", "Join tracks", "Make one track of the selected ones; the active one stays.",
    lambda canvas: _edits().join(canvas), "Ctrl+J", enabled=_why_not(2),
)  # fmt: skip
swap = _doing(
    "track.swap", "Swap from here", "The two selected tracks exchange what they show from this picture on.",
    lambda canvas: _edits().swap_from_here(canvas), "Ctrl+W", enabled=_why_not(2),
)  # fmt: skip
set_keyframe = _doing(
    "keyframe.set", "Set keyframe here", "What the selected tracks show at this picture becomes a keyframe.",
    lambda canvas: _edits().set_keyframes(canvas), "Shift+K",
)  # fmt: skip
delete_keyframe = _doing(
    "keyframe.delete", "Delete keyframe here", "Delete the selected tracks' keyframes at this picture.",
    lambda canvas: _edits().delete_keyframes(canvas), "Ctrl+Delete",
)  # fmt: skip
make = _doing(
    "track.make", "Make a track", "The selected shapes become tracks that begin at this picture.",
    lambda canvas: _edits().make_tracks(canvas), "Ctrl+M", enabled=_needs_loose,
)  # fmt: skip


def _no_mask(hands: Hands) -> str | None:
    from workstation.ui.tools.mask_carrying import why_not

    return READ_ONLY if hands.bench.session.read_only else why_not(canvas_of(hands))


@action("track.carry_mask", title="Carry the mask on…", keys="Ctrl+Shift+D", scope=SCOPE, menu=MENU, enabled=_no_mask)
def carry_mask(hands: Hands) -> None:
    """Carry the selected mask over the next pictures, look at what came, and keep it as one proposal."""
    hands.frame.open_dialog("carry_mask")
