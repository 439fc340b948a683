"""What is measured in a volume, in the words and units of a reader: ``23.0 mm``, ``4.15 cm² · mean 45 ± 14 HU``."""

from __future__ import annotations

from workstation.core.geometry import Measurement
from workstation.media.base import Window


def measurement_text(shape: Measurement) -> str:
    """The value with its unit, and what comes with it."""
    also = {each.quantity: each for each in shape.also}
    said = value_text(shape.value, shape.unit)
    if "mean" in also:
        mean, spread = also["mean"], also.get("standard deviation")
        unit = f" {mean.unit}" if mean.unit else ""
        said += f" · mean {mean.value:.0f}" + (f" ± {spread.value:.0f}" if spread is not None else "") + unit
    return said.replace("-", "−")


def value_text(value: float, unit: str) -> str:
    """A number as it is said in its unit; large areas in square centimetres."""
    if unit == "mm":
        return f"{value:.1f} mm"
    if unit == "mm²":
        return f"{value / 100:.2f} cm²" if value >= 100 else f"{value:.1f} mm²"
    if unit == "°":
        return f"{value:.1f}°"
    return f"{value:.4g} {unit}".strip()


def window_text(window: Window) -> str:
    """``LUNG −600 / 1500``: name, centre, width; with decimals where the values are small, as doses are."""
    form = ".0f" if window.width >= 10 else ".3g"
    return f"{window.name} {window.centre:{form}} / {window.width:{form}}".replace("-", "−").strip()


def length_text(mm: float) -> str:
    """In millimetres and centimetres, as reports say either: ``23.0 mm (2.3 cm)``."""
    return f"{mm:.1f} mm ({mm / 10:.1f} cm)" if mm >= 10 else f"{mm:.1f} mm"
