"""A family of models as a plug-in: graphs that answer (batch, n, 6) rows of x1, y1, x2, y2, score, class in the pixels
of their own input. An example to copy: one file, pure NumPy, nothing of the program but its type module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workstation.prelabel.api import Arrays, BadOutput, FoundBox, ModelCard, Pixels, Prepared, Task

_SCORE = 0.3


class PlainBoxes:
    """Stretches each picture to the input and scales the boxes back."""

    name = "plain-boxes"
    tasks = frozenset({Task.DETECT})

    def prepare(self, card: ModelCard, pictures: Sequence[Pixels]) -> Prepared:
        """Nearest pixels: (n, 3, height, width), 0 to 1."""
        width, height = card.input.width or 64, card.input.height or 64
        made = np.empty((len(pictures), 3, height, width), np.float32)
        for index, picture in enumerate(pictures):
            rows = np.arange(height) * picture.shape[0] // height
            columns = np.arange(width) * picture.shape[1] // width
            made[index] = picture[rows][:, columns].transpose(2, 0, 1) / np.float32(255)
        back = [(each.shape[1] / width, each.shape[0] / height) for each in pictures]
        return Prepared({"pictures": made}, back)

    def decode(self, card: ModelCard, outputs: Arrays, prepared: Prepared) -> list[list[FoundBox]]:
        """Boxes above the threshold, best first."""
        name, rows = next(iter(outputs.items()), ("nothing", np.empty(0)))
        if rows.ndim != 3 or rows.shape[0] != len(prepared.back) or rows.shape[2] != 6:
            raise BadOutput(f"{name} has the shape {rows.shape}, not ({len(prepared.back)}, n, 6)")
        if not np.isfinite(rows).all():
            raise BadOutput(f"{name} holds numbers that are not finite")
        return [self._of_one(card, rows[index], scale) for index, scale in enumerate(prepared.back)]

    def _of_one(self, card: ModelCard, rows: np.ndarray, scale: tuple[float, float]) -> list[FoundBox]:
        least = card.thresholds.get("score", _SCORE)
        kept = rows[(rows[:, 4] >= least) & (rows[:, 2] > rows[:, 0]) & (rows[:, 3] > rows[:, 1])]
        found = []
        for x1, y1, x2, y2, score, number in kept[np.argsort(-kept[:, 4], kind="stable")].tolist():
            label = card.labels[int(number)] if 0 <= int(number) < len(card.labels) else str(int(number))
            found.append(
                FoundBox(left=x1 * scale[0], top=y1 * scale[1], width=(x2 - x1) * scale[0],
                         height=(y2 - y1) * scale[1], label=label, score=min(1.0, score))
            )  # fmt: skip
        return found

    def recognises(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]],
                   metadata: Mapping[str, str]) -> float:  # fmt: skip
        """One input of pictures, one output whose rows have six numbers."""
        shapes = list(outputs.values())
        return 0.6 if len(inputs) == 1 and len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][2] == 6 else 0.0


FAMILIES = (PlainBoxes(),)
