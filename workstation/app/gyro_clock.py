"""How much later a gyro turns than the poses of the same vehicle. Asked by ``evidence.py`` for the check of clocks.

The same measurement as ``workstation sync imu`` between the two, without a person to look at it: poses are read and
nothing is decoded, so that it may run with every check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workstation.core.errors import DataError
from workstation.core.evidence import ClockOff, Unmeasured
from workstation.core.sample import Stream, StreamKind
from workstation.core.stopping import StopToken
from workstation.media.base import Reader, SeriesReader, TrajectoryReader

MOST_S = 1.0
"""As far as ``workstation sync imu`` looks unless it is told otherwise."""


def gyro_late(
    stream: Stream,
    streams: Sequence[Stream],
    reader: Callable[[Stream], Reader],
    *,
    most_s: float = MOST_S,
    stop: StopToken | None = None,
) -> ClockOff | None:
    """Against the first stream of poses; ``None`` where there are none, or where the series has no turning rate."""
    from workstation.app.sync_signals import turning_channel, turning_of
    from workstation.sync.curves import curve_drift

    stop = stop or StopToken()
    posed = next((each for each in streams if each.kind is StreamKind.TRAJECTORY), None)
    if posed is None:
        return None
    series, poses = reader(stream), reader(posed)
    if not isinstance(series, SeriesReader) or not isinstance(poses, TrajectoryReader):
        return None
    channel = turning_channel(series)
    if channel is None:
        return None
    try:
        stop.look()
        first = turning_of(posed, poses).curve
        stop.look()
        fit, _ = curve_drift(first, turning_of(stream, series, channel=channel).curve, most_s=most_s, stop=stop)
    except DataError as error:
        raise Unmeasured(f"{stream.key} and {posed.key} cannot be laid over each other: they hardly turn") from error
    return ClockOff(late_ns=-fit.offset_ns, half_width_ns=fit.half_width_ns, against=posed)
