"""Integer nanoseconds and the maps between a stream's clock and session time."""

from __future__ import annotations

import msgspec


class TimeMap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """From stream time to session time; without arguments, the identity."""

    method: str = "identity"
