"""Actions on the session: samples, going to a place."""

from __future__ import annotations

from workstation.ui.actions.action import Hands, action, needs_sample
from workstation.ui.workbench import Tone, Workbench

SAMPLE, PLAY = "Sample", "Play"


def _neighbour(bench: Workbench, step: int) -> str | None:
    keys = [sample.key for sample in bench.session.store.samples()]
    here = bench.view.sample.key if bench.view is not None else None
    if here not in keys:
        return keys[0] if keys else None
    index = keys.index(here) + step
    return keys[index] if 0 <= index < len(keys) else None


def _go(hands: Hands, step: int) -> None:
    key = _neighbour(hands.bench, step)
    if key is None:
        hands.bench.tell("This is the last sample." if step > 0 else "This is the first sample.", Tone.NOTE)
    else:
        hands.bench.open_sample(key)


@action("sample.previous", title="Previous sample", keys="PgUp", menu=SAMPLE, icon="previous")
def previous_sample(hands: Hands) -> None:
    """Open the sample before this one."""
    _go(hands, -1)


@action("sample.next", title="Next sample", keys="PgDn", menu=SAMPLE, icon="next")
def next_sample(hands: Hands) -> None:
    """Open the sample after this one."""
    _go(hands, 1)


@action("transport.go_to", title="Go to…", keys="G", menu=PLAY, enabled=needs_sample)
def go_to(hands: Hands) -> None:
    """Type a time, a frame or a sweep: 14.327, frame 430, sweep 143."""
    hands.frame.open_dialog("go_to")
