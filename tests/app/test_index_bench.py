"""The measurement of a large collection finds what was put in, in the time that is stated."""

from __future__ import annotations

import json

import pytest

from workstation.cli.main import main


def test_a_small_collection_is_listed_and_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "index", "--items", "1000", "--within", "10", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["flagged"]) == (1000, 20)
    assert 0 < found["listed_s"] <= 10
    assert found["ratio"] > 0


def test_a_time_that_cannot_be_held_is_a_miss(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "index", "--items", "200", "--within", "0.001"]) == 1
    out = capsys.readouterr().out
    assert "MISSED" in out
    assert "times as long" in out
