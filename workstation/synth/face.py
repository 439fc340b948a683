"""A drawn face: mouth opening, frown, smile, blink, gaze and sway as numbers; flat shapes with soft shading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workstation.media.opencv import cv2
from workstation.synth.lettering import Picture
from workstation.synth.mesh import Color


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What does not change: colours and hair."""

    skin: Color
    hair: Color
    shirt: Color
    long_hair: bool
    glasses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """What changes from frame to frame; all from 0 to 1 but ``gaze`` and ``sway`` (−1 to 1)."""

    mouth: float = 0.0
    frown: float = 0.0
    smile: float = 0.0
    blink: float = 0.0
    gaze: float = 0.0
    sway: float = 0.0


def draw_face(
    image: Picture, center: tuple[float, float], size: float, look: Look, e: Expression
) -> tuple[float, float, float, float]:
    """Draws head and shoulders; ``size`` is the head's height in px. Returns the face's box x, y, width, height:
    from ear to ear and from hairline to chin.
    """
    x, y = center[0] + e.sway * size * 0.03, center[1]
    _shoulders(image, center, size, look)
    if look.long_hair:
        _ellipse(image, x, y + 0.08 * size, 0.44 * size, 0.62 * size, look.hair)
    _ellipse(image, x, y + 0.5 * size, 0.15 * size, 0.22 * size, _tone(look.skin, 0.84))
    for side in (-1, 1):
        _ellipse(image, x + side * 0.36 * size, y + 0.02 * size, 0.06 * size, 0.1 * size, _tone(look.skin, 0.9))
    _ellipse(image, x, y, 0.36 * size, 0.5 * size, _tone(look.skin, 0.93))
    _ellipse(image, x - 0.03 * size, y - 0.03 * size, 0.32 * size, 0.45 * size, look.skin)
    _hair(image, x, y, size, look)
    for side in (-1, 1):
        _eye(image, x + side * 0.145 * size, y - 0.06 * size, size, look, e, side)
    _ellipse(image, x + 0.01 * size, y + 0.1 * size, 0.045 * size, 0.075 * size, _tone(look.skin, 0.86))
    _mouth(image, x, y + 0.28 * size, size, e)
    top = y - (0.4 if look.long_hair else 0.38) * size
    return x - 0.42 * size, top, 0.84 * size, y + 0.5 * size - top


def draw_hand(image: Picture, wrist: tuple[float, float], tip: tuple[float, float], size: float, look: Look) -> None:
    """A forearm in its sleeve with a pointing hand at ``tip``."""
    a, b = np.array(wrist), np.array(tip)
    middle = a + (b - a) * 0.72
    _bar(image, a, middle, size * 0.17, _tone(look.shirt, 0.9))
    _bar(image, middle, b, size * 0.09, look.skin)
    _ellipse(image, float(b[0]), float(b[1]), size * 0.07, size * 0.07, look.skin)


def _shoulders(image: Picture, center: tuple[float, float], size: float, look: Look) -> None:
    x, y = center[0], center[1] + 0.62 * size
    ring = [(-0.2, 0.0), (0.2, 0.0), (0.62, 0.18), (0.78, 0.5), (0.84, 1.6), (-0.84, 1.6), (-0.78, 0.5), (-0.62, 0.18)]
    points = np.array([[x + px * size, y + py * size] for px, py in ring])
    cv2.fillPoly(image, [np.round(points * 16).astype(np.int32)], look.shirt, cv2.LINE_AA, 4)
    collar = np.array([[x - 0.2 * size, y], [x, y + 0.24 * size], [x + 0.2 * size, y]])
    cv2.fillPoly(image, [np.round(collar * 16).astype(np.int32)], _tone(look.shirt, 0.75), cv2.LINE_AA, 4)


def _hair(image: Picture, x: float, y: float, size: float, look: Look) -> None:
    angles = np.radians(np.arange(185, 356, 5))
    outer = np.stack([x + 0.385 * size * np.cos(angles), y - 0.02 * size + 0.53 * size * np.sin(angles)], axis=1)
    wave = 0.30 + (0.02 if look.long_hair else 0.05) * np.sin(np.linspace(0, 9, len(angles)))
    inner = np.stack([x + 0.34 * size * np.cos(angles), y - 0.1 * size + wave * size * np.sin(angles)], axis=1)[::-1]
    cv2.fillPoly(image, [np.round(np.concatenate([outer, inner]) * 16).astype(np.int32)], look.hair, cv2.LINE_AA, 4)


def _eye(image: Picture, x: float, y: float, size: float, look: Look, e: Expression, side: int) -> None:
    open_px = 0.052 * size * (1 - e.blink) * (1 - 0.35 * e.frown)
    if open_px > 0.008 * size:
        _ellipse(image, x, y, 0.075 * size, open_px, (246, 246, 244))
        _ellipse(image, x + e.gaze * 0.03 * size, y, 0.032 * size, min(0.034 * size, open_px), (70, 52, 38))
        _ellipse(image, x + e.gaze * 0.03 * size, y, 0.015 * size, min(0.016 * size, open_px), (10, 10, 12))
    else:
        _line(image, [(x - 0.07 * size, y), (x + 0.07 * size, y)], 0.014 * size, _tone(look.skin, 0.5))
    lift = -0.115 * size
    inner, outer = lift + 0.055 * size * e.frown, lift - 0.02 * size * e.frown - 0.012 * size * e.smile
    _line(
        image,
        [(x - side * 0.075 * size + -side * 0.01 * size * e.frown, y + inner), (x + side * 0.085 * size, y + outer)],
        0.026 * size,
        _tone(look.hair, 0.85),
    )
    if e.frown > 0.4 and side > 0:
        for gap in (-0.016, 0.016):
            at = x - 0.145 * size + gap * size
            _line(image, [(at, y - 0.1 * size), (at, y - 0.04 * size)], 0.008 * size, _tone(look.skin, 0.68))
    if look.glasses:
        cv2.ellipse(
            image,
            (round(x), round(y)),
            (round(0.11 * size), round(0.09 * size)),
            0,
            0,
            360,
            (40, 40, 46),
            max(1, round(size * 0.014)),
            cv2.LINE_AA,
        )


def _mouth(image: Picture, x: float, y: float, size: float, e: Expression) -> None:
    wide, high = (0.125 - 0.025 * e.mouth) * size, (0.008 + 0.085 * e.mouth) * size
    bend = (e.smile - e.frown) * 0.035 * size
    across = np.linspace(-1, 1, 13)
    upper = np.stack(
        [x + wide * across, y - high * np.sqrt(1 - across**2) - bend * across**2 - 0.012 * size * (1 - across**2)],
        axis=1,
    )
    lower = np.stack(
        [x + wide * across, y + high * np.sqrt(1 - across**2) - bend * across**2 + 0.016 * size * (1 - across**2)],
        axis=1,
    )[::-1]
    cv2.fillPoly(image, [np.round(np.concatenate([upper, lower]) * 16).astype(np.int32)], (172, 84, 80), cv2.LINE_AA, 4)
    if e.mouth > 0.06:
        _ellipse(image, x, y - bend * 0.3, wide * 0.84, high * 0.92, (64, 18, 22))
        if e.mouth > 0.25:
            _ellipse(image, x, y - bend * 0.3 - high * 0.55, wide * 0.62, high * 0.24, (240, 238, 230))


def _ellipse(image: Picture, x: float, y: float, a: float, b: float, color: Color) -> None:
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = np.stack([x + a * np.cos(angles), y + b * np.sin(angles)], axis=1)
    cv2.fillPoly(image, [np.round((ring - 0.5) * 16).astype(np.int32)], color, cv2.LINE_AA, 4)


def _line(image: Picture, points: list[tuple[float, float]], thick: float, color: Color) -> None:
    (ax, ay), (bx, by) = points
    _bar(image, np.array([ax, ay]), np.array([bx, by]), thick, color)


def _bar(image: Picture, a: np.ndarray, b: np.ndarray, thick: float, color: Color) -> None:
    along = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
    side = np.array([-along[1], along[0]]) * thick / 2
    cv2.fillPoly(
        image,
        [np.round(np.array([a + side, b + side, b - side, a - side]) * 16).astype(np.int32)],
        color,
        cv2.LINE_AA,
        4,
    )


def _tone(color: Color, factor: float) -> Color:
    r, g, b = (min(255, int(c * factor)) for c in color)
    return r, g, b
