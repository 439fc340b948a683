"""Every planted variant that a generator lists is looked for by a table of the checks, or by a test of clocks.

A new variant fails here until somebody says where it is found.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from workstation.synth.run import VARIANTS, main

TESTS = Path(__file__).parents[1]
WORDS, SPACE = TESTS / "qa" / "test_planted_words.py", TESTS / "app" / "test_planted_in_space.py"
IN_SPACE = {"drive": "DRIVES", "robot": "ROBOTS", "batch": "BATCHES"}
BY_CLOCKS = {("drive", "radar_local_time"): "app/test_sample_clocks.py"}
"""No rule of labels can see them: what they shift holds no label. Fixture and variant → the test that finds them."""
IN_A_TEST_OF_THEIR_OWN = {("batch", "errors"): "qa/test_planted_words.py"}


def listed(capsys: pytest.CaptureFixture[str], fixture: str) -> set[str]:
    capsys.readouterr()
    assert main([fixture, "--list"]) == 0
    return {line.split()[0] for line in capsys.readouterr().out.splitlines()}


def table(path: Path, name: str) -> list[object]:
    """The keys of a table, or the first of each of its rows, without importing a test."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            if isinstance(node.value, ast.Dict):
                return [ast.literal_eval(key) for key in node.value.keys if key is not None]
            assert isinstance(node.value, ast.List)
            return [ast.literal_eval(row.elts[0]) for row in node.value.elts if isinstance(row, ast.Tuple)]
    raise AssertionError(f"{path.name} has no table {name}")


def without_size(variant: object) -> str:
    return str(variant).partition("@")[0]


def test_every_variant_is_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    known: set[tuple[str, str]] = set()
    for row in table(WORDS, "EXPECTED"):
        assert isinstance(row, tuple)
        known.add((str(row[0]), without_size(row[1])))
    for fixture, name in IN_SPACE.items():
        known |= {(fixture, without_size(each)) for each in table(SPACE, name)}
    known |= {*BY_CLOCKS, *IN_A_TEST_OF_THEIR_OWN}
    made = {(fixture, variant) for fixture in VARIANTS for variant in listed(capsys, fixture)}
    assert len(made) > 50
    assert made - known == set(), "planted, and no table says what finds it"
    assert known - made - {(fixture, "clean") for fixture in VARIANTS} == set(), "no generator plants it"


def test_what_is_found_elsewhere_is_named_there() -> None:
    for (_, variant), place in {**BY_CLOCKS, **IN_A_TEST_OF_THEIR_OWN}.items():
        assert f'"{variant}' in (TESTS / place).read_text(), (variant, place)
