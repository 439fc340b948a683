"""Small projects for tests, and edits that say what they did."""

from __future__ import annotations

from pathlib import Path

from workstation.core.ids import RecordId, SampleId
from workstation.core.records import RecordKind
from workstation.core.rights import Actor
from workstation.core.sample import Role, Sample
from workstation.store.project import ProjectFolder, create_project, open_project_folder
from workstation.store.store import Store

LEAD = Actor(name="Ana Díaz", role=Role.LEAD)
LEAD_BY_ID = Actor(name="Ana Díaz", role=Role.LEAD, person=RecordId("0" * 25 + "1"))
ANNOTATOR = Actor(name="Ben", role=Role.ANNOTATOR)

ONTOLOGY = """version: 1
name: Small
language: en
modalities: [video]
classes:
  car: {name: Car, shapes: {video: [box]}}
"""


def new_project(folder: Path, *, actor: Actor = LEAD) -> Path:
    """A new project, closed."""
    return create_project(folder, name="Test drive", actor=actor, ontology_text=ONTOLOGY)


def opened(folder: Path, *, read_only: bool = False, actor: Actor = LEAD) -> ProjectFolder:
    """The project, open."""
    return open_project_folder(folder, actor, read_only=read_only)


def add_sample(store: Store, key: str, notes: str = "") -> Sample:
    """One edit: a new sample."""
    with store.transaction(f"Add sample {key}") as tx:
        sample = Sample(id=SampleId(tx.new_id()), key=key, notes=notes)
        tx.put(sample)
    return sample


def sample_keys(store: Store) -> set[str]:
    """The keys of all samples."""
    return {sample.key for sample in store.records(RecordKind.SAMPLE) if isinstance(sample, Sample)}
