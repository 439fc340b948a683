"""Names of colours and measured pixels: a table of centres in CIE L*a*b* and how a share of pixels bears a name out.

Centres are those of the CSS colours (D65 white), a few per name where one name covers a wide range (a dark red is red).
The ontology decides which names there are; it has no centres of its own, so an option that is not in this table cannot
be measured and nothing is said of it. Called by ``qa/rules/colours.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Colours = NDArray[np.uint8]
    Floats = NDArray[np.float64]

CENTRES: dict[str, tuple[str, ...]] = {
    "white": ("#ffffff", "#e6e6e0", "#cfcfc8"),
    "black": ("#000000", "#1c1c1e", "#2e2e30"),
    "grey": ("#808080", "#a9a9a9", "#606264", "#c0c0c0"),
    "red": ("#ff0000", "#b22222", "#8b0000", "#c84038", "#5a0a0c"),
    "orange": ("#ff8c00", "#e27a24", "#ff7f50", "#b8601c"),
    "yellow": ("#ffff00", "#ffd700", "#e8c832", "#b89a28"),
    "green": ("#008000", "#32cd32", "#287840", "#006400", "#6b8e23", "#3c8c5a", "#1e5030"),
    "blue": ("#0000ff", "#4169e1", "#1e90ff", "#2e54b0", "#3c6eb4", "#203c80", "#6495ed"),
    "navy": ("#000080", "#14145a", "#191970", "#00006c"),
    "purple": ("#800080", "#70388c", "#9370db", "#4b0082"),
    "pink": ("#ffc0cb", "#ff69b4", "#e0709c"),
    "brown": ("#8b4513", "#a0522d", "#5c3317", "#966c48", "#7a4a2a"),
    "beige": ("#f5f5dc", "#d2b48c", "#e0cda8"),
    "gold": ("#d4af37",),
    "silver": ("#c0c0c0", "#b4b8bc"),
}
"""By the option's id. Gold and silver are a yellow and a grey to a camera, and are borne out by them."""
_ALSO = {
    "gold": ("yellow", "orange", "brown", "beige"),
    "silver": ("grey", "white"),
    "grey": ("silver",),
    "beige": ("white", "yellow"),
    "white": ("silver", "beige", "grey"),
    "brown": ("orange",),
    "pink": ("red", "purple"),
}
"""What a name may look like in other light without being wrong."""
_LAB_WHITE = (0.95047, 1.0, 1.08883)


def measurable(name: str) -> bool:
    """Whether the table knows the colour."""
    return name in CENTRES


def lab(colours: Colours) -> Floats:
    """sRGB (n, 3), red first, as L*a*b* (n, 3)."""
    import numpy as np

    linear = colours.astype(np.float64) / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(
        [[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.119192], [0.1804375, 0.072175, 0.9503041]]
    )
    ratio = xyz / np.array(_LAB_WHITE)
    bent = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    found: Floats = np.stack(
        [116 * bent[:, 1] - 16, 500 * (bent[:, 0] - bent[:, 1]), 200 * (bent[:, 1] - bent[:, 2])], axis=1
    )
    return found


def shares(colours: Colours, names: Iterable[str]) -> dict[str, float]:
    """Which share of the pixels comes nearest to each of the names; only names of the table count."""
    import numpy as np

    known = [name for name in dict.fromkeys(names) if name in CENTRES]
    if not known or not len(colours):
        return {}
    centres = np.array([_rgb(text) for name in known for text in CENTRES[name]], np.uint8)
    owner = np.array([number for number, name in enumerate(known) for _ in CENTRES[name]])
    step = max(1, len(colours) // 20_000)
    measured = lab(colours[::step])
    distance = ((measured[:, None, :] - lab(centres)[None, :, :]) ** 2).sum(axis=2)
    counts = np.bincount(owner[distance.argmin(axis=1)], minlength=len(known))
    return {name: float(count) / len(measured) for name, count in zip(known, counts, strict=True)}


def borne_out(found: dict[str, float], name: str) -> float:
    """The share of pixels that bear a name out, with what may look like it in other light."""
    return found.get(name, 0.0) + sum(found.get(also, 0.0) for also in _ALSO.get(name, ()))


def swatch(colours: Colours) -> str:
    """The median colour, as #rrggbb."""
    import numpy as np

    red, green, blue = (int(each) for each in np.median(colours, axis=0))
    return f"#{red:02x}{green:02x}{blue:02x}"


def swatch_of(name: str) -> str:
    """The first centre of a name, as #rrggbb."""
    return CENTRES[name][0]


def _rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
