"""Wall-clock moments as text, for lists and reports; everywhere else they are Unix milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(ms: int) -> str:
    """The moment in UTC, to the millisecond."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
