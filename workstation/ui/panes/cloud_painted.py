"""What a paint event of the cloud pane tells: how far behind the clock it is, and what has been seen. Called by it."""

from __future__ import annotations

from workstation.app.cloud_view import CloudLayer
from workstation.app.lag import Lag
from workstation.ui.panes.cloud_canvas import SpaceCanvas
from workstation.ui.panes.cloud_picture import CloudMoment
from workstation.ui.workbench import Workbench


def tell_painted(bench: Workbench | None, lag: Lag, moment: CloudMoment | None, canvas: SpaceCanvas | None) -> None:
    """This moment is on the screen. While some of its points are still to come it counts as not seen."""
    lead, sweep = (None, None) if moment is None else (moment.lead, moment.lead_sweep)
    shown = None if lead is None or sweep is None else _shown(lead, sweep.index)
    if shown is None or sweep is None:
        lag.nothing()
    else:
        lag.painted(*shown, sweep.index)
    seen = None if bench is None else bench.seen
    if seen is None or moment is None or canvas is None or canvas.pending:
        return
    for layer, each in moment.sweeps:
        when = _shown(layer, each.index)
        if when is None:
            seen.saw_item(layer.stream.id, each.index)
        else:
            seen.saw_time(layer.stream.id, *when)


def _shown(layer: CloudLayer, index: int) -> tuple[int, int] | None:
    """From when until when a sweep shows, in session time; ``None`` for a still cloud."""
    if layer.table is None:
        return None
    when, to_session = layer.table.shown(index), layer.stream.time_map.to_session
    return to_session(when.start_ns), to_session(when.end_ns)
