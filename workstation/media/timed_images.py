"""Pictures whose times a data set states elsewhere: the proposal carries them in an option, one for each file.

The plain ``image_sequence`` finds times itself in names, numbers or a list; this one is for layouts that keep them in
an index of their own. Opened through ``READERS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS, frame_table
from workstation.media.base import OpenContext, Options, ReaderSpec
from workstation.media.gaps import longest_step_ns
from workstation.media.image_sequence import ImageSequence
from workstation.media.proposal import TIMES_OPTION, times_of_option


def open_timed_images(paths: Sequence[Path], options: Options, context: OpenContext) -> ImageSequence:
    """The pictures in the order of their times."""
    if not paths:
        raise DataError("a sequence needs at least one picture")
    times = times_of_option(str(options.get(TIMES_OPTION, "")), place=f"option {TIMES_OPTION}")
    if len(times) != len(paths):
        raise DataError(f"{len(times)} times are given for {len(paths)} pictures", path=paths[0].parent)
    order = sorted(range(len(times)), key=lambda i: (times[i], i))
    units = np.array([times[i] for i in order], np.int64)
    table = frame_table(units, unit_num=1, unit_den=SECOND_NS, hold_ns=longest_step_ns(units))
    source = str(options.get("clock_source", "data set"))
    return ImageSequence([paths[i] for i in order], table, context, clock_source=source)


READERS = (
    ReaderSpec(
        name="timed_images",
        kind=StreamKind.VIDEO,
        title="Picture sequence with times of a data set",
        suffixes=(".png", ".jpg", ".jpeg"),
        probe=lambda path, head: 0.0,  # chosen by a data set, never by content
        open=open_timed_images,
        options={
            TIMES_OPTION: "nanoseconds of the first picture, then the step to each next one",
            "clock_source": "where the times come from, in words",
        },
        several=True,
    ),
)
