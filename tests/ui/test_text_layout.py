"""Where code points stand on the screen, and back: laws over scripts, directions and characters of many code points."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from workstation.app.markdown_looks import PLAIN
from workstation.app.text_words import characters
from workstation.ui.scenes.text_layout import Laid
from workstation.ui.theme import DARK

PIECES = ("ab", "c.", "\u00e9", "e\u0301", "न", "म\u094dस\u0947", "क\u094dषा", "ب", "الج", "שלום", "ל\u05b0",
          "👨\u200d👩", "👍\U0001f3fd", "中", "9", " ", " ")  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=20).map("".join)
WIDE = 5000.0


@pytest.fixture(autouse=True)
def application(qapp: QApplication) -> None:
    assert qapp is not None


def laid(text: str, width: float) -> Laid:
    return Laid(text, font=QFont("DejaVu Sans", 12), width=width, look=PLAIN, theme=DARK)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS, st.sampled_from([60.0, 200.0, WIDE]))
def test_what_is_drawn_is_found_again(text: str, width: float) -> None:
    made = laid(text, width)
    starts = list(characters(text))
    assert [made.lines[0].start, made.lines[-1].stop] == [0, len(text)]
    for number, line in enumerate(made.lines):
        for each in made.characters(number):
            assert each.start in starts
            if each.right - each.left < 2.0:
                continue  # a blank at a line's end has no width
            y, middle = line.text_top + 2, (each.left + each.right) / 2
            found = made.code_point_at(middle, y)
            assert found == each.start
            begin = each.right if each.back else each.left
            inward = -1.0 if each.back else 1.0
            assert made.offset_at(begin + inward * 0.25 * (each.right - each.left), y) == each.start
            assert made.offset_at(begin + inward * 0.75 * (each.right - each.left), y) == each.stop
            for offset in range(each.start, each.stop):  # also inside a character, where asked exactly
                x = made.caret_x(offset, number)
                assert made.offset_at(x + inward * 0.01, y, exact=True) == offset


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS, st.integers(0, 60), st.integers(0, 60))
def test_a_stretch_is_as_wide_as_its_characters(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    made = laid(text, 120.0)
    for number, line in enumerate(made.lines):
        pieces = made.stretches(start, end, number)
        for left, right in pieces:
            assert left <= right
        held = [each for each in made.characters(number) if start <= each.start and each.stop <= end]
        if held and start in characters(text) and end in characters(text):
            total = sum(each.right - each.left for each in held)
            assert sum(right - left for left, right in pieces) == pytest.approx(total, abs=1.0 + 0.05 * total)
        if not (line.start < end and start < line.stop):
            assert pieces == []


def test_room_over_and_under_moves_the_rows_apart() -> None:
    made = laid("one two three four five six seven", 90.0)
    before = [line.text_top for line in made.lines]
    made.arrange(lambda line: (10.0, 20.0) if line == 0 else (0.0, 0.0), gap=1.0)
    assert made.lines[0].text_top == 10.0
    assert made.lines[1].text_top == pytest.approx(before[1] + 31.0)
    assert made.line_at(made.lines[1].text_top + 1) == 1
    assert made.height > 30
