"""Files of a project that were edited outside: the edit waits, is accepted or turned down, under the usual right."""

from __future__ import annotations

from pathlib import Path

import pytest

from workstation.app.opening import new_project, open_project
from workstation.app.session import Session
from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.core.sample import Parked, ParkedState


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = new_project(tmp_path / "p", profile="driving", person="Ana")
    with open_project(made, kind=ActorKind.PERSON) as session:
        session.run("person.add", name="Ben", roles=["annotator"])
    return made


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def proposal(session: Session) -> Parked:
    (found,) = session.store.records(RecordKind.PARKED)
    assert isinstance(found, Parked)
    return found


def test_an_edited_setting_comes_in_force_when_it_is_accepted(folder: Path) -> None:
    edit(folder, "project.yaml", "name: p\n", "name: Renamed\n")
    with open_project(folder, kind=ActorKind.PERSON, person="Ben") as session:
        with pytest.raises(UserError, match="Ben"):
            session.run("proposal.accept", parked=proposal(session).id)
        assert proposal(session).state is ParkedState.OPEN
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("proposal.accept", parked=proposal(session).id)
        project = session.store.project()
        assert project is not None
        assert (project.name, proposal(session).state) == ("Renamed", ParkedState.MAPPED)
        with pytest.raises(UserError, match="mapped already"):
            session.run("proposal.accept", parked=proposal(session).id)
        assert session.undo() is not None
        assert proposal(session).state is ParkedState.OPEN


def test_an_edited_setting_is_turned_down(folder: Path) -> None:
    edit(folder, "project.yaml", "name: p\n", "name: Renamed\n")
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("parked.discard", parked=proposal(session).id, reason="not agreed")
        project = session.store.project()
        assert project is not None
        assert (project.name, proposal(session).state) == ("p", ParkedState.DISCARDED)


def test_an_edited_guideline_is_a_new_version_that_must_be_read(folder: Path) -> None:
    edit(folder, "guideline.md", "# ", "# Edited: ")
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("guideline.acknowledge")
        session.run("proposal.accept", parked=proposal(session).id)
        numbers = [getattr(each, "number", 0) for each in session.store.records(RecordKind.GUIDELINE)]
        assert sorted(numbers) == [1, 2]


def test_a_guideline_that_explains_what_does_not_exist_stays_a_proposal(folder: Path) -> None:
    edit(folder, "guideline.md", "# ", "## Odd {#no_such_class}\n\n# ")
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        with pytest.raises(UserError, match="no_such_class"):
            session.run("proposal.accept", parked=proposal(session).id)
        assert proposal(session).state is ParkedState.OPEN


def test_what_is_no_proposal_is_not_accepted(folder: Path) -> None:
    with open_project(folder, kind=ActorKind.PERSON, person="Ana") as session:
        parked = session.run("parked.add", origin="coco", kind="annotation", payload="{}", problems=["odd"])
        with pytest.raises(UserError, match="no proposal"):
            session.run("proposal.accept", parked=parked)
