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
