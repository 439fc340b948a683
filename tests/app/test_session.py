"""The session: who may open a project, what a command leaves behind, and what listeners are told."""

from __future__ import annotations

from pathlib import Path

import pytest

import workstation
from workstation.app.opening import new_project, open_or_watch
from workstation.app.session import Session
from workstation.core.errors import Refused, UserError
from workstation.core.rights import ActorKind
from workstation.core.sample import Role
from workstation.store.changes import ChangeSet


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = new_project(tmp_path_factory.mktemp("session") / "p", profile="driving", person="Ana")
    with workstation.open_project(folder, kind="person") as session:
        session.run("person.add", name="Ben", roles=["annotator", "reviewer"])
        session.run("person.add", name="Cleo", roles=["annotator"])
        session.run("sample.add", key="d")
        session.run("stream.add", sample="d", key="front", kind="video")
    return folder


def box(session: Session) -> str:
    shape = {"kind": "box", "x": 1, "y": 2, "width": 3, "height": 4}
    return str(session.run("annotation.add", sample="d", stream="front", class_id="car", shape=shape))


def test_who_acts_must_be_known_and_in_a_role_of_hers(project: Path) -> None:
    for said, arguments in {
        "say who you are": {},
        "'Eve' is not among the people": {"person": "Eve"},
        "Ben may not act as lead": {"person": "Ben", "role": "lead"},
        "there is no role 'boss'": {"person": "Ben", "role": "boss"},
        "there is no actorkind 'robot'": {"person": "Ben", "kind": "robot"},
    }.items():
        with pytest.raises(UserError, match=said):
            workstation.open_project(project, **arguments)  # type: ignore[arg-type]
    with workstation.open_project(project, person="ben") as session:
        assert (session.actor.name, session.actor.role, session.actor.kind) == ("Ben", Role.ANNOTATOR, ActorKind.SCRIPT)
    with workstation.open_project(project, person="Ben", role=Role.REVIEWER) as session:
        assert session.actor.role is Role.REVIEWER


def test_a_command_without_the_right_is_refused_and_logged(project: Path) -> None:
    with workstation.open_project(project, person="Ben") as session:
        head, refusals = session.store.head(), len(session.store.refusals())
        with pytest.raises(Refused, match="may not change the project's settings"):
            session.run("project.set", name="mine")
        assert session.store.head() == head
        (logged,) = session.store.refusals()[refusals:]
        assert (logged.actor.name, logged.label) == ("Ben", "Project settings")
    with workstation.open_project(project, person="Ana") as session:
        session.run("project.set", name="ours")
        found = session.store.project()
        assert found is not None
        assert found.name == "ours"


def test_a_commit_is_told_once_with_what_it_changed(project: Path) -> None:
    told = Told()
    with workstation.open_project(project, person="Ana", kind="person") as session:
        session.changed.connect(told.hear)
        made = box(session)
        with pytest.raises(UserError):
            session.run("annotation.add", sample="d", stream="front", class_id="no such thing", kind="span")
        session.undo()
    assert [len(changes) for changes in told.changes] == [1, 1]
    assert [made in ids for ids in (told.changes[0].added.popitem()[1], told.changes[1].removed.popitem()[1])] == [
        True
    ] * 2  # type: ignore[attr-defined]


class Told:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.changes: list[ChangeSet] = []

    def hear(self, changes: ChangeSet) -> None:
        self.changes.append(changes)


def test_undo_takes_back_my_own_steps_across_a_restart_and_says_when_there_are_none(project: Path) -> None:
    with workstation.open_project(project, person="Cleo", kind="person") as session:
        made = box(session)
    with workstation.open_project(project, person="Ben", kind="person") as session:
        assert session.undo() is None
    with workstation.open_project(project, person="Cleo", kind="person") as session:
        undone = session.undo()
        assert undone is not None
        assert undone.label == "Add annotation"
        assert session.undo() is None
        redone = session.redo()
        assert redone is not None
        assert list(session.store.find_id(None, made))


def test_the_open_sample_need_not_be_named(project: Path) -> None:
    with workstation.open_project(project, person="Ana", kind="person") as session:
        with pytest.raises(UserError, match="there is no stream 'front'"):
            session.run("annotation.add", stream="front", class_id="car", shape={"kind": "point", "x": 1, "y": 1})
        sample = session.open_sample("d")
        made = session.run("annotation.add", stream="front", class_id="car", shape={"kind": "point", "x": 1, "y": 1})
        assert any(each.id == made for each in session.store.annotations(sample))
        with pytest.raises(UserError, match="no sample 'nowhere'"):
            session.open_sample("nowhere")


def test_a_second_opener_looks_on_and_is_told_who_has_it(project: Path) -> None:
    with workstation.open_project(project, person="Ana", kind="person"):
        watching, holder = open_or_watch(project, person="Ben", role=None)
        with watching:
            assert watching.read_only
            assert holder is not None
            assert "Ana" in holder
            with pytest.raises(UserError, match="read-only"):
                watching.run("sample.add", key="x")
            assert watching.why_not(watching.registry.find("sample.add")) == "the project is open read-only"


def test_a_project_of_ones_own_needs_no_name(tmp_path: Path) -> None:
    folder = new_project(tmp_path / "mine", person="Zoë")
    with workstation.open_project(folder) as session:
        assert session.actor.name == "Zoë"
        assert session.store.ontology() is None
    with pytest.raises(UserError, match="already holds"):
        new_project(folder)
    with pytest.raises(UserError, match="there is no ontology 'nothing'"):
        new_project(tmp_path / "other", ontology="nothing")
    assert not (tmp_path / "other").exists()


def test_the_package_gives_only_what_it_says() -> None:
    with pytest.raises(AttributeError, match="close_project"):
        workstation.close_project  # noqa: B018 - the point is that it is not there
