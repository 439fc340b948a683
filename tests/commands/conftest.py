"""The project that the command tests work on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_work import DRIVING, Work, compiled

from workstation.core.ids import deterministic_ids
from workstation.core.ontology_parse import parse_ontology
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import OntologyState, OntologyVersion, Person, Project, Role
from workstation.store.store import Store
from workstation.store.yaml import load_yaml


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    lead = Actor(name="Ana", role=Role.LEAD)
    store = Store.create(tmp_path, actor=lead, ids=deterministic_ids(7), rules_of=compiled)
    ids = deterministic_ids(8)
    text = DRIVING.read_text(encoding="utf-8")
    with store.transaction("Set up") as tx:
        tx.put(Project(id=ids.new(), name="Drive"))
        ana = Person(id=ids.new(), name="Ana", roles=(Role.LEAD,))
        tx.put(ana)
        tx.put(Person(id=ids.new(), name="Ben", roles=(Role.ANNOTATOR, Role.REVIEWER)))
        number = parse_ontology(load_yaml(text, source="o"), source="o").version
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        tx.put(OntologyVersion(id=ids.new(), number=number, text=text, sha256=sha256, state=OntologyState.LOCKED))
    store.actor = Actor(name="Ana", kind=ActorKind.PERSON, role=Role.LEAD, person=ana.id)
    made = Work(store, store.actor, {"ana": ana.id})
    made.run("sample.add", key="drive-1")
    for key, kind in (("front", "video"), ("mic", "audio"), ("lidar", "cloud"), ("report", "text"), ("can", "series")):
        made.run("stream.add", sample="drive-1", key=key, kind=kind)
    yield made
    store.close()
