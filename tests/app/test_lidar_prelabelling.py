"""Cuboid tracks proposed in a generated drive: what they say for themselves, how good they are, and that none comes
twice. Truth is the generator's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from drive_projects import SAMPLE, drive_project, short_drive

from workstation import open_project
from workstation.app.sample_view import SampleView
from workstation.cli.main import main
from workstation.core.annotation import SourceKind, State


@pytest.mark.slow
def test_what_no_label_shows_is_proposed_once_and_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = drive_project(short_drive(tmp_path / "fx"), tmp_path / "p")

    def run(*typed: str) -> list[dict[str, object]]:
        assert main(["predictions", typed[0], str(folder), *typed[1:], "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    with open_project(folder, kind="person") as session:
        view = SampleView(session.store, session.open_sample(SAMPLE))
        cuboids = [each for each in view.annotations.values() if each.kind == "cuboid"]
        car = next(each for each in cuboids if view.class_of(each) == "car")
        session.run("annotation.delete", annotations=(car.id,), links="remove")
    total = run("lidar", "--class", "car")[-1]
    assert total["proposed"]
    with open_project(folder, read_only=True) as session:
        view = SampleView(session.store, session.open_sample(SAMPLE))
        made = [each for each in view.annotations.values() if each.source.kind is SourceKind.MODEL]
    assert len(made) == total["proposed"]
    assert {each.state for each in made} == {State.PROPOSED}
    assert {each.source.name for each in made} == {"lidar-clusters"}
    assert {each.source.parameters["weights"] for each in made} == {"none"}
    assert all(0 < (each.confidence or 0) <= 1 and each.track is not None for each in made)
    assert run("lidar", "--class", "car")[-1]["proposed"] == 0
    rows = run("score")
    assert {"cuboids", "cuboids from above", "cuboids, identity"} <= {str(each["what"]) for each in rows}
