"""Quantities in a text stand where they are read."""

from __future__ import annotations

from pathlib import Path

from workstation.app.model_plugins import model_plugins
from workstation.app.plugins import find_plugins, load_plugins


def test_quantities_are_found_where_they_stand() -> None:
    here = Path(__file__).parents[2]
    task = model_plugins(load_plugins(find_plugins(bundled=here, user=here / "none"))).tasks["quantities"]
    text = "White car thirteen metres ahead at 30 km/h, brakes for 2.5 s."
    found = {(text[each.start : each.stop], each.label) for each in task.find(text)}
    assert found == {("thirteen metres", "length"), ("30 km/h", "speed"), ("2.5 s", "time")}
    assert {each.label for each in task.find(text)} <= set(task.labels)
    assert not task.find("Nothing is measured here, at all times.")
    scores = [each.score for each in task.find(text)]
    assert scores == sorted(scores, reverse=True)
