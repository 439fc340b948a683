"""How cameras are looked at: what a person has switched on, for all cameras of the pane."""

from __future__ import annotations

from dataclasses import dataclass, field

from workstation.ui.scenes.overlays import OverlayLook


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLook:
    """One for all cameras; zoom and tone are each camera's own."""

    overlay: OverlayLook = field(default_factory=OverlayLook)
    overlays: bool = True
    cuboids: bool = True
    points: bool = False
    motion: bool = True
    """Each point of a sweep where it would have been seen at the sweep's time."""
    cross_hair: bool = False
    magnifier: bool = False
    linked_zoom: bool = False


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
