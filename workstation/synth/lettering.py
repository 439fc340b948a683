"""Small pictures with writing: number plates, road signs, shop fronts. OpenCV's own strokes, no font files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.synth.mesh import Color
from workstation.synth.opencv import cv2

Picture = NDArray[Any]
"""Height×width×3 uint8, RGB. (OpenCV's types do not say uint8, so neither can this.)"""


def panel(width: int, height: int, color: Color) -> Picture:
    """An evenly coloured RGB picture."""
    return np.full((height, width, 3), color, dtype=np.uint8)


def write(image: Picture, text: str, color: Color, *, box: tuple[int, int, int, int], weight: int = 2) -> None:
    """Writes ``text`` as large as fits into ``box`` (x, y, width, height), centred."""
    x, y, width, height = box
    face = cv2.FONT_HERSHEY_SIMPLEX
    (w, h), _ = cv2.getTextSize(text, face, 1.0, weight)
    scale = min(width / max(w, 1), height / max(h, 1))
    (w, h), _ = cv2.getTextSize(text, face, scale, weight)
    place = (int(x + (width - w) / 2), int(y + (height + h) / 2))
    cv2.putText(image, text, place, face, scale, color, weight, cv2.LINE_AA)


def plate(text: str) -> Picture:
    """A number plate, white with black letters and a blue band."""
    image = panel(260, 64, (245, 245, 240))
    image[:, :22] = (20, 60, 160)
    cv2.rectangle(image, (1, 1), (258, 62), (30, 30, 30), 2)
    write(image, text, (15, 15, 15), box=(30, 12, 220, 40), weight=4)
    return image


def shop_front(text: str, color: Color) -> Picture:
    """A long sign over a shop window."""
    image = panel(360, 72, color)
    ink = (250, 250, 245) if sum(color) < 380 else (25, 25, 25)
    write(image, text, ink, box=(16, 14, 328, 44), weight=3)
    return image


def road_sign(kind: str) -> Picture:
    """A square sign: ``crossing``, ``stop``, ``limit 50``, ``left``."""
    image = panel(96, 96, (235, 235, 235))
    if kind == "crossing":
        image[:] = (20, 70, 180)
        cv2.fillPoly(image, [np.array([[48, 10], [88, 84], [8, 84]])], (250, 250, 250))
        cv2.circle(image, (50, 36), 6, (10, 10, 10), -1)
        cv2.line(image, (49, 42), (46, 60), (10, 10, 10), 6)
        cv2.line(image, (46, 60), (36, 76), (10, 10, 10), 5)
        cv2.line(image, (46, 60), (58, 76), (10, 10, 10), 5)
        cv2.line(image, (48, 46), (62, 56), (10, 10, 10), 4)
    elif kind == "stop":
        image[:] = (190, 20, 25)
        write(image, "STOP", (255, 255, 255), box=(8, 30, 80, 36), weight=3)
    elif kind == "left":
        image[:] = (20, 70, 180)
        cv2.arrowedLine(image, (78, 50), (18, 50), (255, 255, 255), 10, cv2.LINE_AA, tipLength=0.45)
    else:
        cv2.circle(image, (48, 48), 44, (200, 20, 25), -1, cv2.LINE_AA)
        cv2.circle(image, (48, 48), 34, (250, 250, 250), -1, cv2.LINE_AA)
        write(image, kind.rsplit(maxsplit=1)[-1], (15, 15, 15), box=(24, 30, 48, 36), weight=4)
    return image
