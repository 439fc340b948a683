"""A conflict of classes says who said which, by the history of the project."""

from __future__ import annotations

from pathlib import Path

from workstation import open_project
from workstation.app.evidence import media_evidence
from workstation.app.opening import new_project
from workstation.app.validation import Validation
from workstation.core.rights import ActorKind


def test_van_and_truck_are_shown_with_both_authors(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p", profile="driving", person="Ana")
    with open_project(project, kind=ActorKind.PERSON, person="Ana") as session:
        session.run("person.add", name="Ben", roles=["annotator"])
        session.run("sample.add", key="take")
        session.run("gate.waive", sample="take", gate="sync", reason="clocks known by design")
        session.run("stream.add", sample="take", key="front", kind="image")
        van = session.run("entity.add", sample="take", class_id="van")
    with open_project(project, kind=ActorKind.PERSON, person="Ben") as session:
        session.run(
            "annotation.add", sample="take", stream="front", entity=van, class_id="truck",
            shape={"kind": "box", "x": 1, "y": 1, "width": 9, "height": 9}, attributes={"occlusion": "none"},
        )  # fmt: skip
    with open_project(project, read_only=True) as session:
        evidence = media_evidence(session.store, session.project)
        run = Validation(session.store, only=["ontology.labels_conflict"], evidence=evidence)
        ((_, (found,)),) = run.findings()
    assert "van 1 by Ana and truck (box on front) by Ben" in found.text
    assert len(found.items) == 2
