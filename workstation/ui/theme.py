"""Colours, sizes and letters of the window, dark and light, as values that every pane paints with.

One ``Theme`` is in force; whoever paints asks ``bench.theme`` for it each time and repaints on ``theme_changed``.
"""

from __future__ import annotations

from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours are ``#rrggbb``; text on ``panel`` and ``paper`` keeps a contrast of 7:1, quiet text 4.5:1."""

    name: str
    paper: str
    """Behind everything."""
    panel: str
    """Panes, lists, bars."""
    raised: str
    """Headers, buttons, what lies above a panel."""
    line: str
    """Borders and grids."""
    ink: str
    quiet: str
    """Text of less weight."""
    accent: str
    """Focus, selection, the pressed tool."""
    on_accent: str
    playhead: str
    wave: str
    """Waveforms."""
    warning: str
    error: str
    good: str
    missing: str
    """Gaps: where a stream has nothing."""
    picture: str
    """Around pictures."""


DARK = Theme(
    name="dark", paper="#16181c", panel="#1e2126", raised="#292d34", line="#3a3f48", ink="#e8eaee", quiet="#a3a9b5",
    accent="#4f9cf0", on_accent="#06121f", playhead="#ff5c5c", wave="#6ea8e0", warning="#e0b040", error="#ff7a6b",
    good="#5fc08a", missing="#d67030", picture="#0d0e11",
)  # fmt: skip
LIGHT = Theme(
    name="light", paper="#eef0f3", panel="#fafbfc", raised="#e3e6eb", line="#c3c8d0", ink="#16191e", quiet="#545b67",
    accent="#0b62c4", on_accent="#ffffff", playhead="#d42020", wave="#2a6db0", warning="#8a6100", error="#b3261e",
    good="#1c7a46", missing="#a84e10", picture="#c9cdd4",
)  # fmt: skip
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}
