"""A small offset that all samples share is told although none fails; planted by hand, against plain arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from workstation.app.offset_report import spread_of
from workstation.app.opening import new_project, open_project
from workstation.cli.main import cli
from workstation.core.errors import UserError
from workstation.core.rights import ActorKind


def project_late_by(folder: Path, late_ms: list[float]) -> Path:
    project = new_project(folder / "talks", profile="dialogue", person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="test") as session, session.together("Import") as run:
        for number, late in enumerate(late_ms):
            run("sample.add", key=f"t{number}")
            evidence = {"left_ns": round(late * 1e6), "left_by": "clap", "left_against": "video"}
            for key, kind, said in (("video", "video", {}), ("sound", "audio", evidence)):
                run(
                    "stream.add", sample=f"t{number}", key=key, kind=kind,
                    files=[{"path": f"{key}{number}", "sha256": "0" * 64, "size": 1}],
                    time_map={"knots": [[0, 0]], "method": "identity", "evidence": json.dumps(said)},
                )  # fmt: skip
    return project


def test_twenty_milliseconds_in_every_sample_are_systematic_though_none_fails(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    late = [20 + float(each) for each in rng.normal(0, 6, 200)]
    project = project_late_by(tmp_path, late)
    result = CliRunner().invoke(cli, ["report", "offsets", str(project), "--json"], standalone_mode=False)
    assert result.return_value == 1, result.output
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert sorted(row["late_ms"] for row in lines[:-1]) == pytest.approx(sorted(late), abs=0.001)
    spread = lines[-1]["spread"]
    assert spread["systematic"] is True
    assert spread["mean_ms"] == pytest.approx(np.mean(late), abs=0.001)
    said = CliRunner().invoke(cli, ["report", "offsets", str(project)], standalone_mode=False).output
    assert "Systematic" in said
    assert "200 samples" in said


@pytest.mark.parametrize("seed", range(5))
def test_offsets_that_scatter_about_nothing_are_not(seed: int) -> None:
    spread = spread_of(np.random.default_rng(seed).normal(0, 20, 200).tolist())
    assert spread is not None
    assert not spread.systematic
    assert spread_of([20.0, 20.0]) is None


def test_a_gate_that_is_required_locks_labelling_until_somebody_signs(tmp_path: Path) -> None:
    project = project_late_by(tmp_path, [12.0])
    with open_project(project, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("project.set", gates={"sync": "required"})
        session.open_sample("t0")
        with pytest.raises(UserError, match=r"labelling is locked: sound is \+12.0 ms off"):
            session.run("entity.add", class_id="person")
        with pytest.raises(UserError, match="labelling is locked"):
            session.run("entity.add", sample="t0", class_id="person")
        assert "sound is +12.0 ms off" in str(session.why_locked())
        session.run("gate.waive", gate="sync", reason="one recorder")
        assert session.why_locked() is None
