"""Actions on the clock: play, shuttle, step, go to the ends."""

from __future__ import annotations

from workstation.ui.actions.action import Hands, action, needs_sample

MENU = "Play"
_STEPS = (1, 2, 3, 5, 10, 15, 25, 30, 50, 100)


@action("transport.play", title="Play or pause", keys="Space", menu=MENU, icon="play", enabled=needs_sample)
def play(hands: Hands) -> None:
    """Play from the playhead at the set rate, or stop there."""
    hands.bench.clock.toggle()


@action("transport.forward", title="Shuttle forward", keys="L", menu=MENU, enabled=needs_sample)
def forward(hands: Hands) -> None:
    """Forward at 1, then 2, then 4 times."""
    hands.bench.clock.shuttle_forward()


@action("transport.back", title="Shuttle back", keys="J", menu=MENU, enabled=needs_sample)
def back(hands: Hands) -> None:
    """Back at 1, then 2, then 4 times."""
    hands.bench.clock.shuttle_back()


@action("transport.stop", title="Stop", keys="K", menu=MENU, enabled=needs_sample)
def stop(hands: Hands) -> None:
    """Stop where it is."""
    hands.bench.clock.shuttle_stop()


@action("transport.start", title="Go to start", keys="Home", menu=MENU, icon="to_start", enabled=needs_sample)
def to_start(hands: Hands) -> None:
    """To the first moment of the sample."""
    hands.bench.clock.seek(hands.bench.clock.span.start_ns)


@action("transport.end", title="Go to end", keys="End", menu=MENU, icon="to_end", enabled=needs_sample)
def to_end(hands: Hands) -> None:
    """To the last moment of the sample."""
    hands.bench.clock.seek(hands.bench.clock.span.end_ns - 1)


def _step(hands: Hands, steps: int) -> None:
    from workstation.app.units import stepped, units_at_hand

    bench = hands.bench
    steps *= bench.step_every
    target = None if hands.pane is None else hands.pane.step_time(steps)
    if target is None and bench.view is not None and bench.readers is not None:
        units = units_at_hand(bench.view.streams, bench.readers, bench.focused_stream)
        target = None if units is None else stepped(units, bench.clock.time_ns, steps)
    if target is not None:
        bench.clock.pause()
        bench.clock.seek(target)


def _change_step(hands: Hands, by: int) -> None:
    bench = hands.bench
    near = min(_STEPS, key=lambda step: abs(step - bench.step_every))
    bench.step_every = _STEPS[min(max(_STEPS.index(near) + by, 0), len(_STEPS) - 1)]
    how = "one by one" if bench.step_every == 1 else f"over {bench.step_every} at once"
    bench.tell(f"The step keys go {how}: frames, sweeps, samples or words, whatever the focused pane has.")


@action("transport.step_back", title="One unit back", keys=",", menu=MENU, icon="step_back", enabled=needs_sample,
        repeats=True)  # fmt: skip
def step_back(hands: Hands) -> None:
    """One frame, sweep, sample or word of the focused pane back."""
    _step(hands, -1)


@action("transport.step_forward", title="One unit forward", keys=".", menu=MENU, icon="step_forward",
        enabled=needs_sample, repeats=True)  # fmt: skip
def step_forward(hands: Hands) -> None:
    """One frame, sweep, sample or word of the focused pane forward."""
    _step(hands, 1)


@action("transport.ten_back", title="Ten units back", keys="<", menu=MENU, enabled=needs_sample, repeats=True)
def ten_back(hands: Hands) -> None:
    """Ten units of the focused pane back (Shift with the comma key)."""
    _step(hands, -10)


@action("transport.ten_forward", title="Ten units forward", keys=">", menu=MENU, enabled=needs_sample, repeats=True)
def ten_forward(hands: Hands) -> None:
    """Ten units of the focused pane forward (Shift with the full stop key)."""
    _step(hands, 10)


@action("transport.larger_step", title="Larger step", menu=MENU, enabled=needs_sample)
def larger_step(hands: Hands) -> None:
    """Let the step keys go over more units at once, in every pane: each 2nd, 3rd, 5th, 10th…"""
    _change_step(hands, 1)


@action("transport.smaller_step", title="Smaller step", menu=MENU, enabled=needs_sample)
def smaller_step(hands: Hands) -> None:
    """Let the step keys go over fewer units at once, down to each."""
    _change_step(hands, -1)
