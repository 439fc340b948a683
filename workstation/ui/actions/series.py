"""Actions of the series pane: marks, values, the channel in hand, scales, the view. Its keys work while it has the
focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from workstation.ui.actions.action import Hands, action, needs_sample, needs_selection

if TYPE_CHECKING:
    from workstation.ui.panes.series import SeriesPane

MENU = "Series"
SCOPE = "series"


def _series(hands: Hands) -> SeriesPane | None:
    """The series pane, by its kind: its module is imported when it is first shown."""
    found = hands.pane if hands.pane is not None and hands.pane.kind == SCOPE else hands.frame.pane(SCOPE)
    return cast("SeriesPane | None", found)


# --- marks and values ---------------------------------------------------------------------------------------------


@action("series.mark_in", title="Mark in on the channel", keys="I", scope=SCOPE, menu=MENU, enabled=needs_sample)
def mark_in(hands: Hands) -> None:
    """Mark at the playhead where a new span of the channel in hand begins."""
    pane = _series(hands)
    if pane is not None:
        pane.mark(out=False)


@action("series.mark_out", title="Mark out on the channel", keys="O", scope=SCOPE, menu=MENU, enabled=needs_sample)
def mark_out(hands: Hands) -> None:
    """Mark where the span ends and make it."""
    pane = _series(hands)
    if pane is not None:
        pane.mark(out=True)


@action("series.mark_moment", title="Mark a moment", keys="M", scope=SCOPE, menu=MENU, enabled=needs_sample)
def mark_moment(hands: Hands) -> None:
    """Mark an instant at the playhead on the channel in hand. A double click does it under the pointer."""
    pane = _series(hands)
    if pane is not None:
        pane.mark_moment()


@action("series.draw", title="Draw values", keys="D", scope=SCOPE, menu=MENU, enabled=needs_sample)
def draw(hands: Hands) -> None:
    """Let a drag draw values over time (arousal, pain, a felt force) in place of marking a span, or spans again."""
    pane = _series(hands)
    if pane is not None:
        pane.draw.toggle()


@action("series.type_value", title="Type a value", keys="V", scope=SCOPE, menu=MENU, enabled=needs_sample)
def type_value(hands: Hands) -> None:
    """Type a number with its unit: the value at the playhead of the selected curve, or the number of a label."""
    pane = _series(hands)
    if pane is not None:
        pane.ask_value()


# --- the channel in hand ------------------------------------------------------------------------------------------


@action("series.channels", title="Channels…", keys="C", scope=SCOPE, menu=MENU, enabled=needs_sample)
def channels(hands: Hands) -> None:
    """Choose which channels are shown, and in which order."""
    pane = _series(hands)
    if pane is not None:
        pane.choose_channels()


@action("series.lane_below", title="Channel below", keys="Down", scope=SCOPE, enabled=needs_sample, repeats=True)
def lane_below(hands: Hands) -> None:
    """Take the next lane in hand."""
    pane = _series(hands)
    if pane is not None:
        pane.take(1)


@action("series.lane_above", title="Channel above", keys="Up", scope=SCOPE, enabled=needs_sample, repeats=True)
def lane_above(hands: Hands) -> None:
    """Take the lane above in hand."""
    pane = _series(hands)
    if pane is not None:
        pane.take(-1)


@action("series.move_down", title="Move channel down", keys="Alt+Down", scope=SCOPE, menu=MENU, enabled=needs_sample)
def move_down(hands: Hands) -> None:
    """Put the channel in hand one place further down."""
    pane = _series(hands)
    if pane is not None:
        pane.move_lane(1)


@action("series.move_up", title="Move channel up", keys="Alt+Up", scope=SCOPE, menu=MENU, enabled=needs_sample)
def move_up(hands: Hands) -> None:
    """Put the channel in hand one place further up."""
    pane = _series(hands)
    if pane is not None:
        pane.move_lane(-1)


@action("series.hide", title="Hide channel", keys="H", scope=SCOPE, menu=MENU, enabled=needs_sample)
def hide(hands: Hands) -> None:
    """Hide the channel in hand; the list of channels brings it back."""
    pane = _series(hands)
    if pane is not None:
        pane.hide_lane()


@action("series.scale", title="Next scale", keys="S", scope=SCOPE, menu=MENU, enabled=needs_sample)
def scale(hands: Hands) -> None:
    """Scale the channel in hand to what is in view, to all of it, or in powers of ten."""
    pane = _series(hands)
    if pane is not None:
        pane.next_scale()


# --- the view -----------------------------------------------------------------------------------------------------


@action("series.zoom_in", title="Zoom into the series", keys=("+", "="), scope=SCOPE, menu=MENU, enabled=needs_sample,
        repeats=True)  # fmt: skip
def zoom_in(hands: Hands) -> None:
    """Show less time, around the playhead, down to single readings."""
    pane = _series(hands)
    if pane is not None:
        pane.zoom_in()


@action("series.zoom_out", title="Zoom out of the series", keys="-", scope=SCOPE, menu=MENU, enabled=needs_sample,
        repeats=True)  # fmt: skip
def zoom_out(hands: Hands) -> None:
    """Show more time."""
    pane = _series(hands)
    if pane is not None:
        pane.zoom_out()


@action("series.fit", title="Show the whole series", keys="Ctrl+0", scope=SCOPE, menu=MENU, enabled=needs_sample)
def fit(hands: Hands) -> None:
    """Show everything from the first reading to the last."""
    pane = _series(hands)
    if pane is not None:
        pane.fit()


@action("series.zoom_to_selection", title="Zoom the series to the selection", keys="Z", scope=SCOPE, menu=MENU,
        enabled=needs_selection)  # fmt: skip
def zoom_to_selection(hands: Hands) -> None:
    """Show what is selected, with a little around it."""
    pane = _series(hands)
    if pane is not None:
        pane.zoom_to_selection()


@action("series.snapping", title="Snap on the series", keys="Y", scope=SCOPE, menu=MENU)
def snapping(hands: Hands) -> None:
    """Draw dragged boundaries to rows, other boundaries and the playhead, or let them stand where they are left."""
    pane = _series(hands)
    if pane is not None:
        pane.snap.toggle()


@action("series.link_view", title="Link the series to the timeline's view", scope=SCOPE, menu=MENU,
        enabled=needs_sample)  # fmt: skip
def link_view(hands: Hands) -> None:
    """Let series and timeline show the same stretch of time, or each its own."""
    pane = _series(hands)
    if pane is not None:
        pane.linked.toggle()
