"""Tensors as the heads of LiDAR detectors answer them, written from boxes that the test knows as their makers train
them, one number at a time."""

from __future__ import annotations

import math

import numpy as np

LABELS = ("pedestrian", "cyclist", "car")
SIZES = ((0.8, 0.6, 1.7), (1.8, 0.6, 1.7), (3.9, 1.6, 1.5))
BOTTOMS = (-0.6, -0.6, -1.8)
KNOWN = [{"size": list(size), "bottom": bottom} for size, bottom in zip(SIZES, BOTTOMS, strict=True)]
ROTATIONS = (0.0, 1.57)
ROWS, COLUMNS = 10, 16
ROOM = {"range": [0, -10, -3, 32, 10, 3], "cell": [0.5, 0.5, 6]}
Box = tuple[int, float, float, float, float, float, float, float]
"""Label, x, y, z of the middle, length, width, height, heading."""


def logit(score: float) -> float:
    return math.log(score / (1 - score))


def anchored(boxes: list[Box], *, aligned: bool = True) -> dict[str, np.ndarray]:
    """What an anchor head answers that sees these boxes: residuals of the published coder, channel by channel."""
    places = 2 * len(KNOWN)
    scores = np.full((1, places * 3, ROWS, COLUMNS), -9.0, np.float32)
    deltas = np.zeros((1, places * 7, ROWS, COLUMNS), np.float32)
    ways = np.zeros((1, places * 2, ROWS, COLUMNS), np.float32)
    for number, (label, x, y, z, length, width, height, yaw) in enumerate(boxes):
        if aligned:
            column, row = int(x // 2), int((y + 10) // 2)
            anchor_x, anchor_y = 2.0 * column + 1, 2.0 * row - 9
        else:
            column, row = round(x * 15 / 32), round((y + 10) * 9 / 20)
            anchor_x, anchor_y = column * 32 / 15, row * 20 / 9 - 10
        turn = 0 if abs(math.cos(yaw)) > 0.7 else 1
        place = label * 2 + turn
        (a, b, c), bottom = SIZES[label], BOTTOMS[label]
        across = math.sqrt(a * a + b * b)
        written = [
            (x - anchor_x) / across, (y - anchor_y) / across, (z - (bottom + c / 2)) / c,
            math.log(length / a), math.log(width / b), math.log(height / c), (yaw % math.pi) - ROTATIONS[turn],
        ]  # fmt: skip
        for channel, value in enumerate(written):
            deltas[0, place * 7 + channel, row, column] = value
        scores[0, place * 3 + label, row, column] = logit(0.9 - 0.01 * number)
        back = ((yaw - math.pi / 4) % math.tau) >= math.pi
        ways[0, place * 2 + int(back), row, column] = 3.0
    return {"cls_score0": scores, "bbox_pred0": deltas, "dir_cls_pred0": ways}


def centred(boxes: list[Box], groups: tuple[int, ...] = ()) -> dict[str, np.ndarray]:
    """What a centre head answers that sees them, its places 2 m apart; peaks with lower shoulders beside them."""
    found: dict[str, np.ndarray] = {}
    for head, count in enumerate(groups or (3,)):
        name, first = (str(head), sum(groups[:head])) if groups else ("", 0)
        heat = np.full((1, count, ROWS, COLUMNS), -9.0, np.float32)
        parts = {each: np.zeros((1, size, ROWS, COLUMNS), np.float32)
                 for each, size in (("reg", 2), ("height", 1), ("dim", 3), ("rot", 2), ("vel", 2))}  # fmt: skip
        for number, (label, x, y, z, length, width, height, yaw) in enumerate(boxes):
            if not first <= label < first + count:
                continue
            column, row = int(x // 2), int((y + 10) // 2)
            heat[0, label - first, row, column] = logit(0.9 - 0.01 * number)
            if column + 1 < COLUMNS:
                heat[0, label - first, row, column + 1] = logit(0.6)
                parts["dim"][0, :, row, column + 1] = math.log(2.0)
            for part, values in (("reg", (x / 2 - column, (y + 10) / 2 - row)), ("height", (z,)),
                                 ("dim", tuple(map(math.log, (length, width, height)))),
                                 ("rot", (math.sin(yaw), math.cos(yaw)))):  # fmt: skip
                parts[part][0, :, row, column] = values
        found |= {"heatmap" + name: heat} | {each + name: values for each, values in parts.items()}
    return found
