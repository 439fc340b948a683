"""``validate``, ``report`` and ``copy`` as a person types them, on faults made through the window's commands."""

from __future__ import annotations

import json
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from workstation.app.opening import open_project
from workstation.app.validation import kept_findings
from workstation.cli.main import main
from workstation.core.rights import ActorKind
from workstation.qa.findings import load_rules
from workstation.store.media_files import record_file

Run = Callable[..., tuple[int, str, str]]
COUNT = len(load_rules())
CUBOID = {"kind": "cuboid", "center": [9, 0, 0], "size": [6, 2, 3]}
BOX = {"kind": "box", "x": 100, "y": 80, "width": 120, "height": 90}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))

    def type_in(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return type_in


@pytest.fixture
def drive(run: Run, tmp_path: Path) -> Path:
    """A clean project: a horn that a car explains, the guideline read."""
    folder = tmp_path / "drive"
    assert run("new", folder, "--profile", "driving", "--person", "Ana")[0] == 0
    with open_project(folder, kind=ActorKind.PERSON) as session:
        session.run("guideline.acknowledge")
        session.run("sample.add", key="d")
        for key, kind in (("front", "video"), ("lidar", "cloud")):
            session.run("stream.add", sample="d", key=key, kind=kind)
        files = msgspec.to_builtins((record_file(folder, horn_at_the_start(folder / "media" / "mic.wav")),))
        session.run("stream.add", sample="d", key="mic", kind="audio", files=files, reader="audio")
        session.open_sample("d")
        horn = session.run("annotation.add", stream="mic", class_id="horn", kind="span", start_ns=0, end_ns=90_000_000)
        van = session.run("entity.add", class_id="van")
        box = session.run("annotation.add", stream="front", entity=van, shape=BOX)
        session.run("annotation.add", stream="lidar", entity=van, shape=CUBOID, frame="ego")
        session.run("link.add", type_id="sound_source", ends={"sound": horn, "source": box}, rationale="it hoots")
    return folder


def horn_at_the_start(path: Path) -> Path:
    """A second of sound that is loud for its first tenth."""
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"".join(struct.pack("<h", (9000 if at < 800 else 30) * (-1) ** at) for at in range(8000)))
    return path


def do(folder: Path, command: str, **arguments: Any) -> Any:
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        session.open_sample("d")
        return session.run(command, **arguments)


def rows(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


def box_of(folder: Path) -> str:
    with open_project(folder, read_only=True) as session:
        return next(each.id for each in session.store.annotations(session.open_sample("d")) if each.entity)


def test_a_clean_project_ends_with_nought(drive: Path, run: Run) -> None:
    code, out, _ = run("validate", drive)
    assert (code, out) == (0, f"1 samples, {COUNT} rules: no open findings, no rules not run.\n")


def test_the_van_that_is_a_truck_in_the_scan(drive: Path, run: Run) -> None:
    shape = {"kind": "cuboid", "center": [0, 0, 0], "size": [6, 2, 3]}
    with open_project(drive, read_only=True) as session:
        van = next(iter(session.store.entities(session.open_sample("d")))).id
    do(drive, "annotation.add", stream="lidar", class_id="truck", entity=van, shape=shape, frame="ego")
    code, out, _ = run("validate", drive, "--only", "ontology")
    assert code == 1
    assert "error ontology.labels_conflict (semantic): van 1 is labelled as van 1 by Ana and truck " in out
    assert "truck (cuboid on lidar) by Ana" in out
    assert out.count("ontology.labels") == 1
    code, out, _ = run("validate", drive, "--only", "links", "--json")
    assert (code, rows(out)[-1]["summary"]["open"]) == (0, 0)


def test_a_moved_box_makes_its_link_stale_until_the_move_is_undone(drive: Path, run: Run) -> None:
    box = box_of(drive)
    for _ in range(10):
        do(drive, "annotation.move", annotations=[box], by=[1, 0])
    assert run("validate", drive)[0] == 0, "ten pixels are within the limit"
    do(drive, "annotation.move", annotations=[box], by=[30, 0])
    code, out, _ = run("validate", drive, "--json")
    (found, summary) = rows(out)
    assert (code, found["rule"], found["sample"]) == (1, "links.stale", "d")
    assert found["measured"] == "box moved 40 px"
    assert summary["summary"]["open"] == 1
    assert run("undo", drive)[0] == 0
    assert run("validate", drive)[0] == 0


def test_what_somebody_dismisses_is_settled_and_shown_only_on_demand(drive: Path, run: Run) -> None:
    do(drive, "annotation.move", annotations=[box_of(drive)], by=[90, 0])
    (found, _) = rows(run("validate", drive, "--json")[1])
    do(drive, "finding.decide", fingerprint=found["fingerprint"], rule=found["rule"], decision="dismissed", reason="ok")
    code, out, _ = run("validate", drive)
    assert (code, out) == (0, f"1 samples, {COUNT} rules: no open findings, 1 settled, no rules not run.\n")
    assert "[dismissed]" in run("validate", drive, "--all")[1]


def test_findings_are_kept_on_demand_and_replaced_by_the_next_run(drive: Path, run: Run) -> None:
    do(drive, "annotation.move", annotations=[box_of(drive)], by=[90, 0])
    head = run("audit", "head", drive)[1]
    assert run("validate", drive, "--keep")[0] == 1
    assert run("audit", "head", drive)[1] == head, "keeping findings is no revision"

    def kept() -> list[str]:
        with open_project(drive, read_only=True) as session:
            return [each.rule for each in kept_findings(session.store, session.open_sample("d"))]

    assert kept() == ["links.stale"]
    assert run("undo", drive)[0] == 0
    assert run("validate", drive, "--keep", "--only", "ontology")[0] == 0
    assert kept() == ["links.stale"], "links were not looked at"
    assert run("validate", drive, "--keep")[0] == 0
    assert kept() == []


def test_what_did_not_run_is_listed_and_never_counts_as_passed(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "bare"
    assert run("new", folder, "--person", "Ana")[0] == 0
    code, out, _ = run("validate", folder)
    assert code == 1
    assert "Not run: guideline.acknowledged: the project has no guideline yet." in out
    assert run("validate", folder, "--allow-not-run")[0] == 0


def test_one_sample_can_be_checked_alone(drive: Path, run: Run) -> None:
    do(drive, "annotation.move", annotations=[box_of(drive)], by=[90, 0])
    do(drive, "sample.add", key="clean")
    assert run("validate", drive, "--sample", "clean")[0] == 0
    assert run("validate", drive, "--sample", "d")[0] == 1
    assert "there is no sample 'e'" in run("validate", drive, "--sample", "e")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--only", "nonsense"], "no rule or subject 'nonsense'"), ([], "name the project")],
)
def test_what_cannot_be_checked_ends_with_two(drive: Path, run: Run, words: list[str], said: str) -> None:
    code, _, err = run("validate", *([drive, *words] if words else []))
    assert code == 2
    assert said in err


def test_the_rules_are_listed(run: Run) -> None:
    code, out, _ = run("validate", "--rules", "--json")
    assert code == 0
    assert {row["rule"] for row in rows(out)} >= {"ontology.labels_conflict", "links.stale", "guideline.acknowledged"}


def test_validation_works_beside_somebody_who_has_the_project_open(drive: Path, run: Run) -> None:
    with open_project(drive, kind=ActorKind.PERSON):
        assert run("validate", drive)[0] == 0


def test_who_is_behind_with_the_guideline(drive: Path, run: Run) -> None:
    assert run("report", "acknowledgements", drive)[0] == 0
    with open_project(drive, kind=ActorKind.PERSON) as session:
        session.run("person.add", name="Ben", roles=["annotator"])
        session.run("guideline.publish", text="# All of it\n")
    with open_project(drive, kind=ActorKind.PERSON, person="Ben") as session:
        session.run("guideline.acknowledge")
    code, out, _ = run("report", "acknowledgements", drive, "--json")
    assert code == 1
    assert [(row["person"], row["read"], row["newest"], row["behind"]) for row in rows(out)] == [
        ("Ana", 1, 2, True),
        ("Ben", 2, 2, False),
    ]


def test_a_copy_has_a_replica_id_of_its_own_and_the_same_history(drive: Path, run: Run, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        code, out, _ = run("copy", drive, tmp_path / name, "--json")
        assert code == 0
        made.append(json.loads(out))
    with open_project(drive, read_only=True) as session:
        replicas = {session.store.replica, *(each["replica"] for each in made)}
        assert {each["head"] for each in made} == {session.store.head_hash()}
    assert len(replicas) == 3
    with open_project(tmp_path / "one", kind=ActorKind.PERSON) as session:
        assert session.store.replica == made[0]["replica"], "opening it again changes nothing"
    assert run("audit", "verify", tmp_path / "two")[0] == 0
    code, _, err = run("copy", drive, tmp_path / "one")
    assert (code, "not empty" in err) == (2, True)


def test_the_mix_of_errors_stands_beside_the_usual_one(run: Run, drive: Path) -> None:
    assert run("report", "mix", drive)[0] == 0
    van = do(drive, "entity.add", class_id="van")
    for class_id in ("truck", "bus"):
        do(drive, "annotation.add", stream="lidar", class_id=class_id, entity=van, shape=CUBOID, frame="ego")
    code, out, _ = run("report", "mix", drive, "--json")
    mix = {row["error_type"]: row for row in rows(out)}
    assert code == 1
    assert [mix[kind]["usual"] for kind in ("temporal", "semantic", "missing-reference", "granularity")] == [
        0.4, 0.3, 0.2, 0.1,
    ]  # fmt: skip
    assert mix["semantic"]["open"] >= 1
    assert sum(row["share"] for row in mix.values() if row["share"] is not None) == pytest.approx(1, abs=1e-3)
    assert "usually" in run("report", "mix", drive)[1]
