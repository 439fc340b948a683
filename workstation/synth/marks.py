"""A frame number burned into a picture, for a machine (a bar of cells) and for people (digits); and its reader.

The bar lies in the top-left corner: one white and one black cell, 16 cells of the number (highest bit first, white is
one), 4 cells of its checksum. A cell is a square of ``cell`` pixels, read at its middle, so lossy encoding cannot
turn it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workstation.synth.lettering import Picture, write

BITS = 16
CHECK_BITS = 4
CELLS = 2 + BITS + CHECK_BITS


def cell_px(width: int) -> int:
    """How large a cell is in a picture of this width."""
    return max(4, width // 60)


def burn(image: Picture, number: int) -> None:
    """Writes ``number`` (0 to 65535) into the picture, in place."""
    cell = cell_px(image.shape[1])
    for i, bit in enumerate(_cells(number)):
        image[0:cell, i * cell : (i + 1) * cell] = 255 if bit else 0
    height = cell * 2
    image[cell : cell + height, 0 : cell * 9] = 0
    write(
        image,
        f"{number:05d}",
        (255, 255, 255),
        box=(cell // 2, cell + cell // 4, cell * 8, height - cell // 2),
        weight=max(1, cell // 5),
    )


def read(image: NDArray[np.uint8]) -> int | None:
    """The number in a picture (RGB or grey, at the size it was burned), or ``None`` if there is no valid bar."""
    grey = image if image.ndim == 2 else image.mean(axis=2)
    cell = cell_px(grey.shape[1])
    bits: list[int] = []
    for i in range(CELLS):
        x, y = i * cell + cell // 4, cell // 4
        bits.append(int(grey[y : y + cell // 2, x : x + cell // 2].mean() > 127))
    if bits[:2] != [1, 0]:
        return None
    number = int("".join(map(str, bits[2 : 2 + BITS])), 2)
    return number if bits == _cells(number) else None


def _cells(number: int) -> list[int]:
    check = (number ^ (number >> 4) ^ (number >> 8) ^ (number >> 12) ^ 0b1010) & 0b1111
    return [
        1,
        0,
        *(number >> i & 1 for i in reversed(range(BITS))),
        *(check >> i & 1 for i in reversed(range(CHECK_BITS))),
    ]
