"""Motions from speed profiles: how fast, then where; sampled every millisecond."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workstation.synth.pose import Floats, Path6

STEP_S = 0.001
LEAD_S = 1.0
"""Every motion begins this long before session zero, so that a sweep around time zero has poses."""


def grid(end_s: float) -> Floats:
    """Sample times from ``-LEAD_S`` to a second after the end."""
    return np.arange(-LEAD_S, end_s + LEAD_S + STEP_S / 2, STEP_S)


def speed(times: Floats, knots: Sequence[tuple[float, float]]) -> Floats:
    """Speed through knots (second, m/s), cosine-eased between them."""
    knot_times = np.array([k[0] for k in knots])
    values = np.array([k[1] for k in knots])
    index = np.clip(np.searchsorted(knot_times, times, side="right") - 1, 0, len(knots) - 1)
    after = np.minimum(index + 1, len(knots) - 1)
    span = np.maximum(knot_times[after] - knot_times[index], 1e-9)
    share = np.clip((times - knot_times[index]) / span, 0.0, 1.0)
    eased: Floats = values[index] + (values[after] - values[index]) * (1 - np.cos(math.pi * share)) / 2
    return eased


def pulse(times: Floats, start: float, end: float, area: float) -> Floats:
    """A raised-cosine bump between two times whose integral is ``area``."""
    share = (times - start) / (end - start)
    inside = (share > 0) & (share < 1)
    bump: Floats = np.where(inside, (1 - np.cos(2 * math.pi * share)) * area / (end - start), 0.0)
    return bump


def integrate(rate: Floats, times: Floats, *, zero_at: float = 0.0) -> Floats:
    """Running integral by trapezoids, zero at ``zero_at``."""
    total = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(times))])
    shifted: Floats = total - np.interp(zero_at, times, total)
    return shifted


def along_line(start: tuple[float, float], heading: float, travelled: Floats) -> Path6:
    """A straight motion: ``travelled`` metres from ``start`` at each sample of ``grid``."""
    zero = np.zeros_like(travelled)
    x = start[0] + math.cos(heading) * travelled
    y = start[1] + math.sin(heading) * travelled
    return Path6(-LEAD_S, STEP_S, np.stack([x, y, zero, zero + heading, zero, zero]))


def along_heading(start: tuple[float, float], velocity: Floats, heading: Floats, times: Floats) -> Path6:
    """A turning motion: speed and heading per sample; pitch dips with the braking, roll leans with the turn."""
    x = start[0] + integrate(velocity * np.cos(heading), times)
    y = start[1] + integrate(velocity * np.sin(heading), times)
    push = np.gradient(velocity, times)
    lean = velocity * np.gradient(heading, times)
    soft = np.hanning(401) / np.hanning(401).sum()
    pitch = -0.0022 * np.convolve(np.pad(push, 200, mode="edge"), soft, mode="valid")
    roll = 0.0030 * np.convolve(np.pad(lean, 200, mode="edge"), soft, mode="valid")
    return Path6(-LEAD_S, STEP_S, np.stack([x, y, np.zeros_like(x), heading, pitch, roll]))
