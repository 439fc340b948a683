"""Laws that Hypothesis tries are judged by what it finds, never by how busy the machine is.

Loaded by ``strict_plugin`` before any test is defined: ``@settings`` starts from the profile of that moment.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def forget_the_clock() -> None:
    """No deadline for an example and none for making it; a hang is still ended by pytest's own limit."""
    settings.register_profile("strict", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("strict")
