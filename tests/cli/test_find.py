"""Searching by a sentence, and checks of a project's own, as a person types them and as ``project.yaml`` tells them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from workstation.app.evidence import media_evidence
from workstation.app.opening import new_project, open_project
from workstation.app.relation_search import drawn
from workstation.cli.main import main
from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind

Run = Callable[..., tuple[int, str, str]]
S = 1_000_000_000


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))

    def type_in(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return type_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two moments with a horn; in the first it comes from a car, in the second nobody knows."""
    made = new_project(tmp_path / "p", profile="driving", person="Ana", in_force=True)
    with open_project(made, kind=ActorKind.PERSON) as session:
        session.run("guideline.acknowledge")
        for key, horn_ns in (("a", 2 * S), ("b", 9 * S)):
            session.run("sample.add", key=key)
            for name, kind in (("mic", "audio"), ("can", "series")):
                session.run("stream.add", sample=key, key=name, kind=kind)
            span = {"kind": "span", "sample": key, "state": "done"}
            horn = session.run(
                "annotation.add", stream="mic", class_id="horn", start_ns=horn_ns, end_ns=horn_ns + S, **span
            )
            session.run("annotation.add", stream="can", class_id="braking", start_ns=3 * S, end_ns=4 * S, **span)
            if key == "a":
                car = session.run("entity.add", sample=key, class_id="car")
                ends = {"sound": f"annotation:{horn}", "source": f"entity:{car}"}
                session.run("link.add", sample=key, type_id="sound_source", ends=ends, rationale="it hoots")
    return made


def test_a_sentence_finds_the_moment_and_nothing_else(run: Run, folder: Path) -> None:
    code, out, _ = run("find", folder, "horn within 0.5 s of braking", "--json")
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert (row["sample"], row["at_s"], row["until_s"]) == ("a", 2.0, 3.0)
    assert [each["name"] for each in row["things"]] == ["horn", "braking"]
    assert run("find", folder, "horn within 0.5 s of braking", "--sample", "b") == (1, "", "")
    assert run("find", folder, "horn links to a vehicle")[1] == "a  2.000 s  horn, car 1\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["horn within 5 parsecs of braking"], "a unit"),
        (["hron"], "such as horn"),
        (["every horn links to a car"], "--try"),
        (["horn", "--saved", "x"], "a sentence, or"),
        (["--saved", "x"], "no saved search 'x'"),
        (["horn", "--sample", "z"], "no sample 'z'"),
        ([], "a sentence"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(run: Run, folder: Path, words: list[str], said: str) -> None:
    code, out, err = run("find", folder, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_a_saved_search_draws_samples_and_stands_in_the_projects_file(run: Run, folder: Path) -> None:
    says = "horn within 0.5 s of braking"
    assert run("find", folder, says, "--save", "close calls", "--as", "sampling", "--person", "Ana")[0] == 0
    assert run("find", folder, "--saved", "close calls", "--samples") == (0, "a\n", "")
    assert says in (folder / "project.yaml").read_text(encoding="utf-8")
    with open_project(folder, read_only=True) as session:
        evidence = media_evidence(session.store, session.project)
        assert [each.key for each in drawn(session.store, evidence, "close calls")] == ["a"]
        with pytest.raises(UserError, match="no saved search"):
            drawn(session.store, evidence, "others")


def test_an_own_check_is_tried_then_switched_on_and_off(run: Run, folder: Path) -> None:
    code, out, _ = run("validate", folder, "--try", "every horn links to a vehicle")
    assert code == 1
    assert "Sample b" in out
    assert "Sample a" not in out
    assert run("validate", folder, "--only", "own")[0] == 2  # nothing of the project's own is on
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("rule.set", rule="horns", says="every horn links to a vehicle", severity="error", on=True)
    code, out, _ = run("validate", folder, "--only", "own.horns", "--json")
    finding, summary = (json.loads(line) for line in out.splitlines())
    assert (code, finding["sample"], finding["severity"], finding["rule"]) == (1, "b", "error", "own.horns")
    assert all(finding[name] for name in ("measured", "limit", "items", "suggestion"))
    assert summary["summary"]["open"] == 1
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("rule.set", rule="horns", on=False)
        assert run("validate", folder, "--only", "own")[0] == 2
        session.undo()
    assert run("validate", folder, "--only", "own")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"rule": "x", "says": "horn links to a car"}, "'every' or 'no'"),
        ({"rule": "x", "says": "every unicorn links to a car"}, "unicorn"),
        ({"rule": "x"}, "no own check"),
        ({"rule": "Not Good!", "says": "no horn"}, "small letters"),
        ({"rule": "x", "says": "no horn\n"}, "one line"),
    ],
)
def test_a_check_that_cannot_be_read_is_not_stored(folder: Path, arguments: dict[str, str], said: str) -> None:
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        with pytest.raises(UserError, match=said):
            session.run("rule.set", **arguments)
        project = session.store.project()
        assert project is not None
        assert project.rules == ()


def test_a_check_written_into_the_projects_file_waits_for_somebody_to_accept_it(run: Run, folder: Path) -> None:
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("rule.set", rule="horns", says="every horn links to a vehicle")
    file = folder / "project.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("links to a vehicle", "links to a car"), encoding="utf-8")
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        project = session.store.project()
        assert project is not None
        assert project.rules[0].says == "every horn links to a vehicle"
        (parked,) = session.store.records(RecordKind.PARKED)
        session.run("proposal.accept", parked=parked.id)
        project = session.store.project()
        assert project is not None
        assert project.rules[0].says == "every horn links to a car"
