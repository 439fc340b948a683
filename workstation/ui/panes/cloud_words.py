"""What the cloud pane says in words: its header's line, the note beside it, and what stands where no points are."""

from __future__ import annotations

from typing import NamedTuple

from workstation.app.cloud_view import CloudLayer, CloudLayers, correction_in_words
from workstation.ui.panes.cloud_look import CloudLook
from workstation.ui.panes.cloud_picture import CloudMoment
from workstation.ui.times import distance_text, seconds_text

NO_CLOUDS = "This sample has no point clouds."


class Line(NamedTuple):
    """As ``PaneHeader.say`` takes it."""

    item: str
    own: str
    distance: str


def header_line(moment: CloudMoment | None, lead: CloudLayer | None, time_ns: int) -> Line:
    """Which sweep is painted, its own time, how far that is from the playhead; or why none is."""
    if moment is not None and moment.lead is not None and moment.lead_sweep is not None:
        sweep = moment.lead_sweep
        item = moment.lead.stream.key + ("" if sweep.own_ns is None else f" sweep {sweep.index}")
        own = "" if sweep.own_ns is None else seconds_text(sweep.own_ns)
        return Line(item, own, "" if sweep.session_ns is None else distance_text(sweep.session_ns - time_ns))
    if lead is None:
        return Line("", "", "")
    if lead.trouble:
        return Line(lead.stream.key, "", "cannot be shown")
    if lead.now.index is None:
        return Line(lead.stream.key, "", "nothing here")
    if not lead.pending:
        return Line(lead.stream.key, "", "hidden")
    return Line(lead.stream.key, "", "reading" if lead.table is None else f"reading sweep {lead.now.index}")


def note(moment: CloudMoment | None, look: CloudLook, *, coarse: bool = False) -> tuple[str, str]:
    """What else is worth saying of the picture, and the long of it."""
    if moment is None:
        return "", ""
    said, more = [correction_in_words([sweep for _, sweep in moment.sweeps])], ""
    if coarse:
        said.append(f"coarse: {moment.points.count / 1e6:.1f} million points are being put in order")
    if look.before or look.after:
        said.append(f"−{look.before} +{look.after} sweeps")
    lead = moment.lead
    if lead is not None and lead.shown is not None and lead.shown.left_out:
        said.append("some cannot be read")
        more = lead.shown.left_out
    if lead is not None and lead.pending and lead.now.index is not None:
        said.append(f"reading sweep {lead.now.index}")
    return ", ".join(each for each in said if each), more


def empty_words(layers: CloudLayers, coming: CloudMoment | None = None) -> str:
    """What stands where no points are. ``coming`` is being drawn for the first time; few points come at once."""
    if coming is not None:
        millions = coming.points.count / 1e6
        return f"Drawing {millions:.1f} million points …" if millions >= 1 else ""
    troubles = [*layers.troubles.values(), *(each.trouble for each in layers.layers if each.trouble)]
    if troubles:
        return "This stream cannot be shown:\n" + "\n".join(troubles)
    lead = layers.lead
    if lead is None:
        return NO_CLOUDS
    if lead.pending:
        return f"Reading {lead.stream.key} …" if lead.table is None else ""  # a sweep comes before it could be read
    if lead.now.index is not None:
        return "The points of all streams are hidden."
    near = lead.now.nearest
    if near is None:
        return "nothing here"
    return f"nothing here; nearest sweep {near.index} at {seconds_text(near.session_ns)}"
