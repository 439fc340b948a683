"""Whether picture and sound of this machine are near enough for what a project judges (COMP-04).

``bench playback`` measures and keeps a compensation and what is left with it (``playing.keep_offset``); the verb and
the window ask here what that means for the project at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workstation.app.session import Session
from workstation.app.settings import Settings
from workstation.core.tolerances import tightest_limit_ms

if TYPE_CHECKING:  # the window opens before anything can sound
    from workstation.media.playback import OutputStatus, PlayerStatus

MEASURE = "workstation bench playback --apply"


def tightest_of(session: Session) -> tuple[float, str]:
    """The tightest tolerance in use in a project, in milliseconds, and whose it is."""
    store, ontology = session.store, session.store.ontology()
    links: Mapping[str, Mapping[str, float]] = (
        {} if ontology is None else {name: each.tolerance for name, each in ontology.link_types.items()}
    )
    return tightest_limit_ms(store.project(), store.samples(), links)


def is_heard(device: OutputStatus) -> bool:
    """Whether sound comes out of it."""
    from workstation.media.playback import OutputState

    return device.state is OutputState.WORKS


def follows_sound(player: PlayerStatus) -> bool:
    """Whether the sound card's position is the time now."""
    from workstation.media.playback import PositionSource

    return player.source is PositionSource.SOUND


def skew_warning(device: OutputStatus, settings: Settings, tightest: tuple[float, str]) -> str:
    """What is wrong with what was measured on this device, in a sentence; empty if nothing is, or nothing is known."""
    residual_ns = settings.sound_residuals_ns.get(device.device)
    limit_ms, whose = tightest
    if not is_heard(device) or residual_ns is None or abs(residual_ns) <= limit_ms * 1e6:
        return ""
    return (
        f"Picture and sound are {abs(residual_ns) / 1e6:.1f} ms apart on {device.device}, compensation included: more "
        f"than the {limit_ms:g} ms of {whose}. Measure again with {MEASURE}, or use another device."
    )


def skew_in_words(device: OutputStatus, settings: Settings) -> str:
    """What is known of picture and sound on this device, for whoever points there."""
    if not is_heard(device):
        return ""
    residual_ns = settings.sound_residuals_ns.get(device.device)
    offset_ns = settings.sound_offsets_ns.get(device.device, 0)
    said = f"compensation {offset_ns / 1e6:+.1f} ms" if offset_ns else "no compensation"
    if residual_ns is None:
        return f"Picture to sound: not measured on this device, {said}; {MEASURE} measures it."
    return f"Picture to sound: {abs(residual_ns) / 1e6:.1f} ms apart when measured, {said}."
