"""When every label is: JSON Lines with each stream's clock and map, then each record's times in every unit there is.

The manual's ``times-format.md`` describes every field. It is for whoever works with the media themselves: nothing has
to be computed from a nominal rate, and everything can be recomputed from the maps in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import BinaryIO

import msgspec

from workstation.formats.api import Format

FORMAT = "workstation-times"
VERSION = 1


def write_times(rows: Iterable[Mapping[str, object]], out: BinaryIO) -> None:
    """One row a line, after a line that names the form."""
    encoder = msgspec.json.Encoder()
    out.write(encoder.encode({"t": "header", "format": FORMAT, "version": VERSION}) + b"\n")
    for row in rows:
        out.write(encoder.encode(row) + b"\n")


TIMES = Format(
    name="times",
    title="When every label is: in its stream's units and in session time, with the map between, as JSON Lines",
    extensions=(".jsonl",),
    write_times=write_times,
)
