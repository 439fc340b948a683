"""Values that people give over time (arousal, pain, a force that was felt): the curve of an annotation, and the text of
a value with its unit. Without Qt; for the series pane.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Sequence

from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation
from workstation.core.errors import UserError
from workstation.core.geometry import Curve
from workstation.core.ontology import Attribute, AttributeType

Points = tuple[tuple[int, float], ...]
_TYPED = re.compile(r"\s*([-+−]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*\Z")
_SAME = {"m/s2": "m/s²", "m/s^2": "m/s²", "degc": "°c", "deg": "°", "us": "µs", "μs": "µs", "uv": "µv", "μv": "µv"}
_FACTORS: dict[tuple[str, str], float] = {
    ("km/h", "m/s"): 1 / 3.6, ("m/s", "km/h"): 3.6, ("g", "m/s²"): 9.80665, ("ms", "s"): 1e-3, ("s", "ms"): 1e3,
    ("mm", "m"): 1e-3, ("cm", "m"): 1e-2, ("m", "mm"): 1e3, ("cm", "mm"): 10.0, ("m", "cm"): 1e2, ("mm", "cm"): 0.1,
    ("°", "rad"): math.pi / 180, ("rad", "°"): 180 / math.pi, ("mv", "v"): 1e-3, ("v", "mv"): 1e3, ("µv", "mv"): 1e-3,
    ("mv", "µv"): 1e3, ("%", ""): 1e-2, ("°/s", "rad/s"): math.pi / 180, ("rad/s", "°/s"): 180 / math.pi,
    ("kn", "n"): 1e3, ("n", "kn"): 1e-3, ("bar", "pa"): 1e5, ("kpa", "pa"): 1e3,
}  # fmt: skip


def typed_value(text: str, unit: str) -> float:
    """A number as a person types it, in ``unit``: ``−4,2``, ``4.2 m/s²``, ``15 km/h`` for m/s."""
    found = _TYPED.match(text)
    if found is None:
        raise UserError(f"'{text.strip()[:40]}' is no number; type one, with its unit if you like: 4.2 {unit}".rstrip())
    value = float(found[1].replace("−", "-").replace(",", "."))
    said, wanted = _plain(found[2]), _plain(unit)
    if said and said != wanted:
        factor = _FACTORS.get((said, wanted))
        if factor is None:
            raise UserError(f"this value is in {unit or 'no unit'}, and {found[2]} cannot be turned into it")
        value *= factor
    if not math.isfinite(value):
        raise UserError("a value must be finite")
    return value


def typed_unit(text: str) -> str:
    """The unit written behind a number, if any."""
    found = _TYPED.match(text)
    return "" if found is None else found[2]


def _plain(unit: str) -> str:
    lower = unit.strip().casefold()
    return _SAME.get(lower, lower)


def with_point(points: Points, time_ns: int, value: float) -> Points:
    """The curve through one more point; one at the same time is replaced."""
    at = bisect_left(points, (time_ns, -math.inf))
    rest = at + 1 if at < len(points) and points[at][0] == time_ns else at
    return (*points[:at], (time_ns, value), *points[rest:])


def drawn_over(points: Points, stroke: Sequence[tuple[int, float]]) -> Points:
    """The curve with a stroke of the hand in place of what it had over the same stretch. A stroke that runs back over
    itself counts as it was drawn last."""
    latest = dict(sorted(dict(stroke).items()))
    if not latest:
        return points
    first, last = min(latest), max(latest)
    outside = [point for point in points if not first <= point[0] <= last]
    return tuple(sorted([*outside, *latest.items()]))


def thinned(points: Points, tolerance: float) -> Points:
    """The same line with the points it can do without: none is further than ``tolerance`` from what is left."""
    if len(points) < 3:
        return points
    keep = {0, len(points) - 1}
    parts = [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        (t0, v0), (t1, v1) = points[first], points[last]
        worst, at = tolerance, -1
        for i in range(first + 1, last):
            time, value = points[i]
            off = abs(v0 + (v1 - v0) * (time - t0) / (t1 - t0) - value)
            if off > worst:
                worst, at = off, i
        if at >= 0:
            keep.add(at)
            parts += [(first, at), (at, last)]
    return tuple(points[i] for i in sorted(keep))


def value_of(curve: Curve, time_ns: int) -> float | None:
    """The value then, straight between points; ``None`` before the first and after the last."""
    points = curve.points
    if not points or not points[0][0] <= time_ns <= points[-1][0]:
        return None
    at = bisect_left(points, (time_ns, -math.inf))
    if points[at][0] == time_ns or at == 0:
        return points[at][1]
    (t0, v0), (t1, v1) = points[at - 1], points[at]
    return v0 + (v1 - v0) * (time_ns - t0) / (t1 - t0)


def number_attributes(view: SampleView, class_id: str | None) -> tuple[Attribute, ...]:
    """What of a class is a number, units included."""
    if view.ontology is None or class_id is None or class_id not in view.ontology.classes:
        return ()
    numbers = (AttributeType.NUMBER, AttributeType.INTEGER)
    return tuple(each for each in view.ontology.attributes_of(class_id) if each.type in numbers and not each.retired)


def usual_unit(view: SampleView, class_id: str | None) -> str:
    """The unit in which values of a class are given: that of its first number with a unit."""
    return next((each.unit for each in number_attributes(view, class_id) if each.unit), "")


def usual_range(view: SampleView, class_id: str | None, curves: Sequence[Annotation]) -> tuple[float, float]:
    """From which value to which a lane for such values reaches: the ontology's limits, else what is there, else 0…1."""
    for each in number_attributes(view, class_id):
        if each.min is not None and each.max is not None and each.min < each.max:
            return float(each.min), float(each.max)
    values = [value for each in curves if isinstance(each.shape, Curve) for _, value in each.shape.points]
    low, high = min([0.0, *values]), max([1.0, *values])
    return low, high
