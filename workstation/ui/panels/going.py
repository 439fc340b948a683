"""Going to records from a list: selected, with the playhead where they are, brought into view by every pane."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.app.walking import shows_at, when
from workstation.ui.workbench import Workbench


def go_to(bench: Workbench, ids: Sequence[str], *, cause: str, time_ns: int | None = None) -> None:
    """Select these and go to them; to ``time_ns`` where it is given, else to their beginning if they are not shown."""
    view = bench.view
    if view is None:
        return
    there = [each for each in ids if view.exists(each)]
    if there and set(bench.selected) != set(there):
        bench.select(there, cause=cause)
    seek_to(bench, there, time_ns)
    if there:
        bench.reveal(there)


def seek_to(bench: Workbench, ids: Sequence[str], time_ns: int | None = None) -> None:
    """Move the playhead to where these are, if they are not shown now."""
    view = bench.view
    if view is None:
        return
    if time_ns is None and not any(shows_at(view, each, bench.clock.time_ns) for each in ids):
        starts = [when(view, each) for each in ids]
        time_ns = min((each for each in starts if each is not None), default=None)
    if time_ns is not None:
        bench.clock.pause()
        bench.clock.seek(time_ns)
