"""The plan: what was planted where, of which kind, how big, and whether a check has to see it. A file beside the copy.

Read by ``validate --score`` and by nothing that looks for errors.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from workstation.core.errors import DataError

FORMAT = "workstation-planted"
VERSION = 1
_LARGEST = 256 * 1024 * 1024


class Target(NamedTuple):
    """A record that something was done to."""

    kind: str
    id: str


class Planted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One planted error. ``expected`` is false where it is so small that checks must stay silent."""

    sample: str
    kind: str
    error_type: str
    items: tuple[Target, ...]
    expected: bool = True
    size: float | None = None
    unit: str = ""
    limit: float | None = None
    """What its size is usually judged by; at or below it nothing is to be found."""
    band: tuple[float, float] = (0.8, 1.25)
    """In limits: between these it is near the limit, and the untidiness of labels decides."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How big it is in limits."""
        return None if self.size is None or not self.limit else abs(self.size) / self.limit

    @property
    def near(self) -> bool:
        """Whether it is near its limit."""
        return self.ratio is not None and self.band[0] <= self.ratio <= self.band[1]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was planted into one project."""

    format: str = FORMAT
    version: int = VERSION
    project: str = ""
    seed: int = 0
    samples: int = 0
    """How many samples there were to plant into."""
    baseline: tuple[str, ...] = ()
    """Fingerprints of what was found before anything was planted; nobody is blamed for them."""
    planted: tuple[Planted, ...] = ()


def encoded(plan: Plan) -> bytes:
    """The plan as a file."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=1)


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Plan)


def decoded(data: bytes, path: object) -> Plan:
    """The plan that a file holds; ``DataError`` names what is wrong with it."""
    if len(data) > _LARGEST:
        raise DataError(f"{len(data)} bytes are too many for a plan", path=str(path))
    try:
        plan = _READ.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DataError(f"not a plan of planted errors: {error}", path=str(path)) from error
    if plan.format != FORMAT:
        raise DataError(f"its format is {plan.format[:40]!r}, not {FORMAT}", path=str(path), place="format")
    if plan.version > VERSION:
        raise DataError(f"it was written by a newer program (version {plan.version})", path=str(path), place="version")
    return plan
