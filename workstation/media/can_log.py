"""Recognises raw CAN recordings, which hold frames and no signals, so that they are named and not shown as text.

Called by ``grouping.py`` before any reader is asked. What a frame means stands in a DBC file that belongs to the
vehicle; decoded signals come in as any table does (``series.py``).
"""

from __future__ import annotations

import re

_CANDUMP = re.compile(rb"\(\d+\.\d+\)\s+\S+\s+[0-9A-Fa-f]{3,8}##?[0-9A-Fa-f]*", re.ASCII)
_CANDUMP_SPACED = re.compile(
    rb"\s*(\(\d+\.\d+\)\s+)?\w+\s+[0-9A-Fa-f]{3,8}\s+\[\d+\](\s+[0-9A-Fa-f]{2})*\s*$", re.ASCII
)
_VECTOR_ASC = re.compile(rb"base\s+(hex|dec)\s+timestamps\s+(absolute|relative)", re.ASCII | re.IGNORECASE)
_DBC = re.compile(rb"^(BO_ \d+ \S+ ?: ?\d+ |BU_ ?:)", re.MULTILINE)
_LINES = 5


def can_log_reason(head: bytes) -> str | None:
    """Why a file with these first bytes cannot be shown, if it is a raw CAN log or its description."""
    form = _form(head)
    if form is not None:
        return (
            f"is a raw CAN log ({form}): its frames mean nothing without their DBC; decode it to a table with a time "
            "column (CSV or Parquet) and add that"
        )
    if _DBC.search(head) and b"SG_" in head:
        return "describes CAN messages (DBC) and holds no measurement; decode the log with it and add the table"
    return None


def _form(head: bytes) -> str | None:
    if head.startswith(b"LOGG"):
        return "Vector BLF"
    if head.startswith(b";$FILEVERSION"):
        return "PEAK TRC"
    lines = [line for line in head.split(b"\n")[:-1] if line.strip()][:_LINES] or [head]
    if all(_CANDUMP.match(line) for line in lines) or all(_CANDUMP_SPACED.match(line) for line in lines):
        return "candump"
    if any(_VECTOR_ASC.search(line) for line in lines):
        return "Vector ASC"
    return None
