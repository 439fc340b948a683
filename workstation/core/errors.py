"""The two kinds of failure that are not our bug, worded for the person who can mend them.

Everything that is neither a ``UserError`` nor a ``DataError`` is a defect of the program and keeps its traceback.
"""

from __future__ import annotations

from pathlib import Path


class UserError(Exception):
    """Something the person asked for cannot be done; the message says why and what to do instead."""


class DataError(UserError):
    """A file holds something we cannot use: names the file, the place in it and the reason."""

    def __init__(self, reason: str, *, path: Path | str | None = None, place: str | None = None) -> None:
        self.reason = reason
        self.path = None if path is None else str(path)
        self.place = place
        where = ", ".join(part for part in (self.path, place) if part)
        super().__init__(f"{where}: {reason}" if where else reason)


class Refused(UserError):
    """The gate said no. ``problems`` holds one sentence per reason."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class StoppedError(UserError):
    """Somebody asked for long work to stop; what it was making was thrown away."""
