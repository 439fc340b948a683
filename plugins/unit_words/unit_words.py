"""A task as a plug-in: quantities with their unit in a text. An example to copy for whatever needs no graph."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workstation.prelabel.api import FoundText, TextTask

_NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "twenty", "thirty",
)  # fmt: skip
_UNITS = {
    "length": r"mm|cm|m|km|met(?:re|er)s?|kilomet(?:re|er)s?|feet|miles?",
    "speed": r"km/h|m/s|mph|kilomet(?:re|er)s an hour",
    "time": r"ms|s|seconds?|minutes?|hours?",
}
_FORMS = {
    name: re.compile(rf"\b(\d+(?:[.,]\d+)?|{'|'.join(_NUMBERS)})\s*(?:{units})(?![\w/])", re.IGNORECASE)
    for name, units in _UNITS.items()
}


def find(text: str) -> Sequence[FoundText]:
    """Digits are surer than words, of which some mean other things."""
    found = [
        FoundText(start=match.start(), stop=match.end(), label=name,
                  score=0.9 if match.group(1)[0].isdigit() else 0.6)
        for name, form in _FORMS.items()
        for match in form.finditer(text)
    ]  # fmt: skip
    return sorted(found, key=lambda each: (-each.score, each.start))


TASKS = (TextTask(name="quantities", title="Quantities in texts", labels=tuple(_UNITS), find=find),)
