"""Times as headers write them."""

from __future__ import annotations


def seconds_text(time_ns: int) -> str:
    """``14.333 s``."""
    return f"{time_ns / 1e9:.3f} s"


def distance_text(distance_ns: int) -> str:
    """``+6 ms``, ``−27 ms``; to a tenth where it is less than ten."""
    ms = distance_ns / 1e6
    text = f"{abs(ms):.1f}" if abs(ms) < 9.95 else f"{abs(ms):.0f}"
    if text in ("0.0", "0"):
        return "0 ms"
    return f"{'−' if ms < 0 else '+'}{text} ms"
