"""Mirrors: written whole after a commit; edited outside they come in as drafts, never silently."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from projects import ONTOLOGY, add_sample, new_project, opened

from workstation.core.ids import RecordId
from workstation.core.records import RecordKind
from workstation.core.sample import Guideline, OntologyState, Parked, ParkedState
from workstation.store.mirrors import MirrorEvent, accept_proposal, body_of, text_sha256
from workstation.store.project import ProjectFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = new_project(tmp_path / "p")
    with opened(folder):
        pass
    return folder


def rename_project(project: ProjectFolder, name: str) -> None:
    settings = project.store.project()
    assert settings is not None
    with project.store.transaction("Rename") as tx:
        tx.put(msgspec.structs.replace(settings, name=name))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def events(project: ProjectFolder) -> list[tuple[str, MirrorEvent]]:
    return [(report.file, report.event) for report in project.take_reports()]


def test_the_mirrors_show_what_the_database_holds(folder: Path) -> None:
    assert body_of((folder / "ontology.yaml").read_text()) == ONTOLOGY
    assert "name: Test drive" in (folder / "project.yaml").read_text()
    with opened(folder) as project:
        rename_project(project, "Fahrt Ü — neu")
        assert "name: Fahrt Ü — neu" in (folder / "project.yaml").read_text(encoding="utf-8")
        project.store.undo()
        assert "name: Test drive" in (folder / "project.yaml").read_text()
        text = "# Rules\n\nBoxes are tight.\n"
        with project.store.transaction("Guideline") as tx:
            tx.put(
                Guideline(id=RecordId(tx.new_id()), number=1, text=text, sha256=text_sha256(text), ontology_number=0)
            )
        assert body_of((folder / "guideline.md").read_text()) == text
        assert events(project) == []
    with opened(folder) as project:
        assert events(project) == []


def test_a_mirror_is_not_touched_by_other_edits(folder: Path) -> None:
    with opened(folder) as project:
        before = {name: (folder / name).stat().st_mtime_ns for name in ("project.yaml", "ontology.yaml")}
        add_sample(project.store, "one")
        assert {name: (folder / name).stat().st_mtime_ns for name in before} == before


def test_an_edited_ontology_comes_in_as_a_draft_and_the_file_shows_what_is_in_force(folder: Path) -> None:
    with opened(folder) as project:
        (version,) = project.store.ontology_versions()
    edit(folder / "ontology.yaml", "{name: Car,", "{name: Motor car,")
    with opened(folder) as project:
        (report,) = project.take_reports()
        assert report.event is MirrorEvent.BROUGHT_IN
        first, draft = project.store.ontology_versions()
        assert first == version
        assert (draft.number, draft.state, draft.parent, draft.id) == (2, OntologyState.DRAFT, 1, report.record)
        assert "Motor car" in draft.text
        assert "version: 2" in draft.text
        assert "sha256" not in draft.text
        assert project.store.head() == 2
    with opened(folder) as project:
        assert events(project) == []
        assert len(project.store.ontology_versions()) == 2


def test_a_file_whose_first_line_was_removed_is_an_edit_too(folder: Path) -> None:
    (folder / "ontology.yaml").write_text(ONTOLOGY.replace("Car", "Wagon"))
    with opened(folder) as project:
        assert events(project) == [("ontology.yaml", MirrorEvent.BROUGHT_IN)]
        assert "Wagon" in project.store.ontology_versions()[-1].text


def test_line_ends_of_windows_and_a_byte_order_mark_are_no_edit(folder: Path) -> None:
    for name in ("ontology.yaml", "project.yaml"):
        data = (folder / name).read_bytes().replace(b"\n", b"\r\n")
        (folder / name).write_bytes(b"\xef\xbb\xbf" + data)
    with opened(folder) as project:
        assert events(project) == []


def test_an_older_unedited_copy_is_written_anew_and_said(folder: Path) -> None:
    old = (folder / "project.yaml").read_bytes()
    with opened(folder) as project:
        rename_project(project, "New name")
    (folder / "project.yaml").write_bytes(old)
    with opened(folder) as project:
        assert events(project) == [("project.yaml", MirrorEvent.REFRESHED)]
        settings = project.store.project()
        assert settings is not None
        assert settings.name == "New name"
    assert "New name" in (folder / "project.yaml").read_text()


def test_edited_settings_wait_as_a_proposal_until_accepted(folder: Path) -> None:
    edit(folder / "project.yaml", "name: Test drive", "name: Renamed outside")
    with opened(folder) as project:
        (report,) = project.take_reports()
        assert "Test drive → Renamed outside" in report.sentence
        settings = project.store.project()
        assert settings is not None
        assert settings.name == "Test drive"
        assert report.record is not None
        with project.store.transaction("Accept") as tx:
            accept_proposal(tx, report.record)
        settings = project.store.project()
        assert settings is not None
        assert settings.name == "Renamed outside"
        parked = project.store.require(RecordKind.PARKED, report.record)
        assert isinstance(parked, Parked)
        assert parked.state is ParkedState.MAPPED
    assert "Renamed outside" in (folder / "project.yaml").read_text()


def test_an_edited_guideline_waits_as_a_proposal_and_becomes_the_next_version(folder: Path) -> None:
    (folder / "guideline.md").write_text("Tight boxes.\n")
    with opened(folder) as project:
        (report,) = project.take_reports()
        assert report.record is not None
        with project.store.transaction("Accept") as tx:
            made = accept_proposal(tx, report.record)
        guideline = project.store.require(RecordKind.GUIDELINE, made)
        assert isinstance(guideline, Guideline)
        assert (guideline.number, guideline.text) == (1, "Tight boxes.\n")
    assert body_of((folder / "guideline.md").read_text()) == "Tight boxes.\n"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)


@pytest.mark.parametrize("name", ["project.yaml", "ontology.yaml"])
@pytest.mark.parametrize(
    "content",
    [
        BOMB.encode(),
        b"\xff\xfe\x00rubbish",
        b"name: [unclosed",
        b"name: ../../etc\nprofile: [1, 2]\n",
        b"- a\n- list\n",
        b"{" * 10_000,
        b"name: !!python/object/apply:os.system ['true']\n",
        b"a\x00b",
        b"x" * (17 << 20),
        b"tolerances: {a: .nan}\nname: x\n",
        b"unknown_setting: 1\n",
    ],
    ids=["bomb", "not utf-8", "unclosed", "wrong types", "list", "deep", "tag", "control", "huge", "nan", "unknown"],
)
def test_hostile_mirrors_change_nothing_and_are_kept(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with opened(folder) as project:
        reports = project.take_reports()
        assert reports[0].event is MirrorEvent.REFUSED
        assert reports[0].file == name
        assert project.store.head() == 1
        assert len(project.store.ontology_versions()) == 1
    kept = [path for path in folder.iterdir() if path.is_file() and path.stat().st_size == len(content)]
    assert content in [path.read_bytes() for path in kept]


def test_a_mirror_that_is_a_link_or_a_folder_is_left_alone(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("name: secret\n")
    (folder / "project.yaml").unlink()
    (folder / "project.yaml").symlink_to(secret)
    (folder / "ontology.yaml").unlink()
    (folder / "ontology.yaml").mkdir()
    with opened(folder) as project:
        rename_project(project, "Still works")
        assert {event for _, event in events(project)} <= {MirrorEvent.REFUSED, MirrorEvent.NOT_WRITTEN}
        assert "secret" not in str(project.store.project())
    assert secret.read_text() == "name: secret\n"
    assert (folder / "project.yaml").is_symlink()


def test_an_edit_made_while_the_project_is_open_is_set_aside_not_overwritten(folder: Path) -> None:
    with opened(folder) as project:
        edit(folder / "project.yaml", "name: Test drive", "name: From an editor")
        rename_project(project, "From the program")
        assert events(project) == [("project.yaml", MirrorEvent.SET_ASIDE)]
    (aside,) = folder.glob("project.edited-*.yaml")
    assert "From an editor" in aside.read_text()
    assert "From the program" in (folder / "project.yaml").read_text()


def test_a_mirror_that_cannot_be_written_costs_no_edit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with opened(folder) as project:
        with monkeypatch.context() as patch:
            patch.setattr("workstation.store.mirrors.write_whole", no_space)
            rename_project(project, "Stored all the same")
        assert events(project) == [("project.yaml", MirrorEvent.NOT_WRITTEN)]
        settings = project.store.project()
        assert settings is not None
        assert settings.name == "Stored all the same"
    with opened(folder):
        pass
    assert "Stored all the same" in (folder / "project.yaml").read_text()


def test_read_only_opening_reports_an_edit_and_writes_nothing(folder: Path) -> None:
    edit(folder / "ontology.yaml", "Car", "Tram")
    before = (folder / "ontology.yaml").read_bytes()
    with opened(folder, read_only=True) as project:
        (report,) = project.take_reports()
        assert "open the project for writing" in report.sentence
    assert (folder / "ontology.yaml").read_bytes() == before
