"""Actions on what is heard: play what is selected, and the keys of the sound pane.

Playing a selection works wherever the focus is; the rest while the sound pane has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from workstation.ui.actions.action import Hands, action, needs_sample, needs_selection

if TYPE_CHECKING:
    from workstation.core.timebase import TimeRange
    from workstation.ui.panes.sound import SoundPane

MENU = "Sound"
SCOPE = "sound"


def _sound(hands: Hands) -> SoundPane | None:
    """The sound pane, by its kind: its module is imported when it is first shown."""
    found = hands.pane if hands.pane is not None and hands.pane.kind == SCOPE else hands.frame.pane(SCOPE)
    return cast("SoundPane | None", found)


# --- playing ------------------------------------------------------------------------------------------------------


@action("sound.play_selection", title="Play selection", keys="Shift+Space", menu="Play", enabled=needs_selection)
def play_selection(hands: Hands) -> None:
    """Play exactly what is selected, to the sample, and stop."""
    _play(hands, loop=False)


@action("sound.loop_selection", title="Loop selection", keys="Ctrl+L", menu="Play", enabled=needs_sample)
def loop_selection(hands: Hands) -> None:
    """Play what is selected over and over; once more ends the loop."""
    clock = hands.bench.clock
    if clock.loop is not None:
        clock.set_loop(None)
        clock.pause()
    else:
        _play(hands, loop=True)


def _play(hands: Hands, *, loop: bool) -> None:
    shown = _selected(hands)
    if shown is None or shown.is_instant:
        hands.bench.tell("Nothing selected has a duration that could be played.")
        return
    hands.bench.session.player.play_range(shown.start_ns, shown.end_ns, loop=loop)


def _selected(hands: Hands) -> TimeRange | None:
    from workstation.app.spans import selected_range

    view = hands.bench.view
    return None if view is None else selected_range(view, hands.bench.selected)


@action("sound.slower", title="Slower", keys="Shift+J", menu="Play", enabled=needs_sample, repeats=True)
def slower(hands: Hands) -> None:
    """Play at the next slower rate, down to 0.1×; the pitch stays."""
    _rate(hands, -1)


@action("sound.faster", title="Faster", keys="Shift+L", menu="Play", enabled=needs_sample, repeats=True)
def faster(hands: Hands) -> None:
    """Play at the next faster rate, up to 4×; the pitch stays."""
    _rate(hands, 1)


def _rate(hands: Hands, step: int) -> None:
    from fractions import Fraction

    rates = [Fraction(each) for each in ("1/10", "1/4", "1/2", "3/4", "1", "5/4", "3/2", "2", "3", "4")]
    now = hands.bench.clock.rate
    nearest = min(range(len(rates)), key=lambda at: abs(rates[at] - now))
    wanted = rates[min(max(nearest + step, 0), len(rates) - 1)]
    hands.bench.clock.set_rate(wanted)
    hands.bench.tell(f"Plays at {float(wanted):g}×.")


# --- the pane -----------------------------------------------------------------------------------------------------


@action("sound.mark_in", title="Mark in on the sound", keys="I", scope=SCOPE, menu=MENU, enabled=needs_sample)
def mark_in(hands: Hands) -> None:
    """Mark at the playhead where a new span of the sound begins."""
    pane = _sound(hands)
    if pane is not None:
        pane.mark(out=False)


@action("sound.mark_out", title="Mark out on the sound", keys="O", scope=SCOPE, menu=MENU, enabled=needs_sample)
def mark_out(hands: Hands) -> None:
    """Mark where the span ends and make it."""
    pane = _sound(hands)
    if pane is not None:
        pane.mark(out=True)


@action("sound.zoom_in", title="Zoom into the sound", keys=("+", "="), scope=SCOPE, menu=MENU, enabled=needs_sample,
        repeats=True)  # fmt: skip
def zoom_in(hands: Hands) -> None:
    """Show less time, around the playhead, down to single samples."""
    pane = _sound(hands)
    if pane is not None:
        pane.zoom_in()


@action("sound.zoom_out", title="Zoom out of the sound", keys="-", scope=SCOPE, menu=MENU, enabled=needs_sample,
        repeats=True)  # fmt: skip
def zoom_out(hands: Hands) -> None:
    """Show more time."""
    pane = _sound(hands)
    if pane is not None:
        pane.zoom_out()


@action("sound.fit", title="Show the whole sound", keys="Ctrl+0", scope=SCOPE, menu=MENU, enabled=needs_sample)
def fit(hands: Hands) -> None:
    """Show everything from the first sample to the last."""
    pane = _sound(hands)
    if pane is not None:
        pane.fit()


@action("sound.zoom_to_selection", title="Zoom the sound to the selection", keys="Z", scope=SCOPE, menu=MENU,
        enabled=needs_selection)  # fmt: skip
def zoom_to_selection(hands: Hands) -> None:
    """Show what is selected, with a little around it."""
    pane = _sound(hands)
    if pane is not None:
        pane.zoom_to_selection()


@action("sound.taller", title="Taller waveform", keys="Up", scope=SCOPE, menu=MENU, enabled=needs_sample, repeats=True)
def taller(hands: Hands) -> None:
    """Draw waveforms taller, for what is quiet; what is heard stays."""
    pane = _sound(hands)
    if pane is not None:
        pane.taller(2**0.5)


@action("sound.less_tall", title="Less tall waveform", keys="Down", scope=SCOPE, menu=MENU, enabled=needs_sample,
        repeats=True)  # fmt: skip
def less_tall(hands: Hands) -> None:
    """Draw waveforms less tall, down to full scale."""
    pane = _sound(hands)
    if pane is not None:
        pane.taller(2**-0.5)


@action("sound.next_speaker", title="Give the turn to the next speaker", keys="Alt+Down", scope=SCOPE, menu=MENU,
        enabled=needs_selection)  # fmt: skip
def next_speaker(hands: Hands) -> None:
    """Say that the speaker of the next row speaks the selected turns; their times stay."""
    pane = _sound(hands)
    if pane is not None:
        pane.give_turns(1)


@action("sound.speaker_before", title="Give the turn to the speaker before", keys="Alt+Up", scope=SCOPE, menu=MENU,
        enabled=needs_selection)  # fmt: skip
def speaker_before(hands: Hands) -> None:
    """Say that the speaker of the row above speaks the selected turns; their times stay."""
    pane = _sound(hands)
    if pane is not None:
        pane.give_turns(-1)


@action("sound.new_speaker", title="Give the turn to a new person", keys="Alt+Shift+Down", scope=SCOPE, menu=MENU,
        enabled=needs_selection)  # fmt: skip
def new_speaker(hands: Hands) -> None:
    """Say that somebody who was not there yet speaks the selected turns: the tier of speakers gets another row."""
    pane = _sound(hands)
    if pane is not None:
        pane.give_to_new()


def _flip(hands: Hands, name: str) -> None:
    pane = _sound(hands)
    if pane is not None:
        getattr(pane, name).toggle()


@action("sound.spectrogram", title="Spectrogram on or off", keys="W", scope=SCOPE, menu=MENU, enabled=needs_sample)
def spectrogram(hands: Hands) -> None:
    """Show the frequencies below the waveforms, or waveforms only."""
    _flip(hands, "spectrogram")


@action("sound.mel", title="Frequencies in mel", keys="E", scope=SCOPE, menu=MENU, enabled=needs_sample)
def mel(hands: Hands) -> None:
    """Space the frequencies as they are heard, or evenly."""
    _flip(hands, "mel")


@action("sound.snapping", title="Snap on the sound", keys="Y", scope=SCOPE, menu=MENU)
def snapping(hands: Hands) -> None:
    """Draw dragged boundaries to onsets, samples and other boundaries, or let them stand where they are left."""
    _flip(hands, "snap")


@action("sound.link_view", title="Link to the timeline's view", scope=SCOPE, menu=MENU, enabled=needs_sample)
def link_view(hands: Hands) -> None:
    """Let sound and timeline show the same stretch of time, or each its own."""
    _flip(hands, "linked")
