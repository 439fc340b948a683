"""Actions of the timeline: marks, boundaries, splitting and joining, walking from label to label, the view.

What marks and moves boundaries works wherever the focus is, since a camera or a sound is looked at meanwhile; another
pane that uses such a key for itself gets it first. The rest works while the timeline has the focus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from workstation.ui.actions.action import Hands, action, needs_sample, needs_selection

if TYPE_CHECKING:
    from workstation.ui.panes.timeline import TimelinePane

MENU = "Timeline"
SCOPE = "timeline"


def _timeline(hands: Hands) -> TimelinePane | None:
    """The timeline, by its kind: its module is imported when it is first shown, not when the actions are listed."""
    found = hands.pane if hands.pane is not None and hands.pane.kind == SCOPE else hands.frame.pane(SCOPE)
    return cast("TimelinePane | None", found)


# --- marks and boundaries -----------------------------------------------------------------------------------------


@action("timeline.mark_in", title="Mark in", keys="I", menu=MENU, enabled=needs_sample)
def mark_in(hands: Hands) -> None:
    """Mark at the playhead where a new span begins."""
    pane = _timeline(hands)
    if pane is not None:
        pane.keys.mark(out=False)


@action("timeline.mark_out", title="Mark out", keys="O", menu=MENU, enabled=needs_sample)
def mark_out(hands: Hands) -> None:
    """Mark where the span ends and make it, on the stream that was worked on last."""
    pane = _timeline(hands)
    if pane is not None:
        pane.keys.mark(out=True)


@action("timeline.nudge_back", title="Boundary one unit earlier", keys="[", menu=MENU, enabled=needs_selection,
        repeats=True)  # fmt: skip
def nudge_back(hands: Hands) -> None:
    """Move the boundary of the selected label to the frame, sweep or sample before."""
    _nudge(hands, -1)


@action("timeline.nudge_forward", title="Boundary one unit later", keys="]", menu=MENU, enabled=needs_selection,
        repeats=True)  # fmt: skip
def nudge_forward(hands: Hands) -> None:
    """Move the boundary of the selected label to the next frame, sweep or sample."""
    _nudge(hands, 1)


def _nudge(hands: Hands, steps: int) -> None:
    pane = _timeline(hands)
    if pane is not None:
        pane.keys.nudge(steps)


@action("timeline.other_boundary", title="Other boundary", keys="\\", menu=MENU, enabled=needs_selection)
def other_boundary(hands: Hands) -> None:
    """Let nudges move the other end of the selected label."""
    pane = _timeline(hands)
    if pane is not None:
        pane.keys.other_boundary()


@action("timeline.loop_boundary", title="Loop around boundary", keys="B", scope=SCOPE, menu=MENU,
        enabled=needs_selection)  # fmt: skip
def loop_boundary(hands: Hands) -> None:
    """Play half a second before and after the boundary over and over; once more ends it."""
    pane = _timeline(hands)
    boundary = None if pane is None else pane.keys.active_boundary()
    if pane is not None and pane.edits is not None and boundary is not None:
        pane.edits.loop_around(boundary)


# --- whole labels -------------------------------------------------------------------------------------------------


@action("timeline.split", title="Split at playhead", keys="S", scope=SCOPE, menu=MENU, enabled=needs_selection)
def split(hands: Hands) -> None:
    """Cut the selected spans, turns and tracks in two where the playhead is."""
    pane = _timeline(hands)
    if pane is not None and pane.edits is not None:
        pane.edits.split(hands.bench.selected, hands.bench.clock.time_ns)


@action("timeline.join", title="Join selected", keys="Ctrl+J", scope=SCOPE, menu=MENU, enabled=needs_selection)
def join(hands: Hands) -> None:
    """Make one of the selected spans, turns or tracks of a lane."""
    pane = _timeline(hands)
    if pane is not None and pane.edits is not None:
        pane.edits.join(hands.bench.selected)


# --- walking ------------------------------------------------------------------------------------------------------


@action("timeline.next_label", title="Next label", keys="Right", scope=SCOPE, enabled=needs_sample, repeats=True)
def next_label(hands: Hands) -> None:
    """Select the next label of the lane."""
    _walk(hands, along=1)


@action("timeline.previous_label", title="Previous label", keys="Left", scope=SCOPE, enabled=needs_sample, repeats=True)
def previous_label(hands: Hands) -> None:
    """Select the label before it in the lane."""
    _walk(hands, along=-1)


@action("timeline.label_below", title="Label below", keys="Down", scope=SCOPE, enabled=needs_sample, repeats=True)
def label_below(hands: Hands) -> None:
    """Select the nearest label in the next row or lane."""
    _walk(hands, across=1)


@action("timeline.label_above", title="Label above", keys="Up", scope=SCOPE, enabled=needs_sample, repeats=True)
def label_above(hands: Hands) -> None:
    """Select the nearest label in the row or lane above."""
    _walk(hands, across=-1)


@action("timeline.add_next", title="Select the next one too", keys="Shift+Right", scope=SCOPE, enabled=needs_sample,
        repeats=True)  # fmt: skip
def add_next(hands: Hands) -> None:
    """Select the next label of the lane beside what is selected."""
    _walk(hands, along=1, extend=True)


@action("timeline.add_previous", title="Select the one before too", keys="Shift+Left", scope=SCOPE,
        enabled=needs_sample, repeats=True)  # fmt: skip
def add_previous(hands: Hands) -> None:
    """Select the label before beside what is selected."""
    _walk(hands, along=-1, extend=True)


def _walk(hands: Hands, *, along: int = 0, across: int = 0, extend: bool = False) -> None:
    pane = _timeline(hands)
    if pane is not None:
        pane.keys.walk(along, across, extend=extend)


@action("timeline.select_lane", title="Select all of the lane", keys="Ctrl+A", scope=SCOPE, enabled=needs_sample)
def select_lane(hands: Hands) -> None:
    """Select every label of the lane that holds the active one."""
    pane = _timeline(hands)
    if pane is not None:
        pane.keys.select_lane()


# --- the view -----------------------------------------------------------------------------------------------------


@action("timeline.zoom_in", title="Zoom in", keys=("+", "="), scope=SCOPE, menu=MENU, enabled=needs_sample,
        repeats=True)  # fmt: skip
def zoom_in(hands: Hands) -> None:
    """Show less time, around the playhead. Ctrl and the wheel zoom around the pointer."""
    pane = _timeline(hands)
    if pane is not None:
        pane.zoom_in()


@action("timeline.zoom_out", title="Zoom out", keys="-", scope=SCOPE, menu=MENU, enabled=needs_sample, repeats=True)
def zoom_out(hands: Hands) -> None:
    """Show more time."""
    pane = _timeline(hands)
    if pane is not None:
        pane.zoom_out()


@action("timeline.fit", title="Show the whole sample", keys="Ctrl+0", scope=SCOPE, menu=MENU, enabled=needs_sample)
def fit(hands: Hands) -> None:
    """Show everything from the first item to the last."""
    pane = _timeline(hands)
    if pane is not None:
        pane.fit()


@action("timeline.zoom_to_selection", title="Zoom to selection", keys="Z", scope=SCOPE, menu=MENU,
        enabled=needs_selection)  # fmt: skip
def zoom_to_selection(hands: Hands) -> None:
    """Show what is selected, with a little around it."""
    pane = _timeline(hands)
    if pane is not None:
        pane.zoom_to_selection()


@action("timeline.snapping", title="Snap", keys="Y", scope=SCOPE, menu=MENU)
def snapping(hands: Hands) -> None:
    """Draw dragged boundaries to frames, sweeps, onsets and other boundaries, or let them stand where they are left."""
    pane = _timeline(hands)
    if pane is not None:
        pane.toggle_snapping()


@action("timeline.spectrogram", title="Waveform or spectrogram", keys="W", scope=SCOPE, menu=MENU,
        enabled=needs_sample)  # fmt: skip
def spectrogram(hands: Hands) -> None:
    """Draw the sounds by their frequencies, or as waveforms."""
    pane = _timeline(hands)
    if pane is not None:
        pane.toggle_spectrograms()


@action("timeline.fold_all", title="Fold or unfold all lanes", keys="Shift+F", scope=SCOPE, menu=MENU,
        enabled=needs_sample)  # fmt: skip
def fold_all(hands: Hands) -> None:
    """Make every lane flat, or every lane as high as it was."""
    pane = _timeline(hands)
    if pane is not None:
        pane.fold_all()
