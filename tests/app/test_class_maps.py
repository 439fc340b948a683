"""What labels of models mean, as it is typed: which model is meant, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from workstation.app.class_maps import (
    class_map,
    class_map_of_imports,
    keep_class_map,
    keep_class_map_of_imports,
    keep_said,
    said_elsewhere,
    was_asked,
)
from workstation.core.errors import UserError
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.prelabel.api import Task
from workstation.prelabel.manifest import Manifest
from workstation.store.yaml import load_yaml

ONTOLOGY = """
version: 1
name: road
language: en
modalities: [image]
shapes: {image: [box]}
classes:
  vehicle: {name: {en: Vehicle}, definition: Drives.}
  person: {name: {en: Person}, definition: Walks.}
"""


def made(name: str, *labels: str) -> Manifest:
    return Manifest(id=name, task=Task.DETECT, family="yolo-v8", labels=labels)


@pytest.fixture(scope="module")
def ontology() -> CompiledOntology:
    return compile_ontology(parse_ontology(load_yaml(ONTOLOGY, source="o.yaml"), source="o.yaml"))


def test_several_models_are_told_apart_by_their_labels_or_their_names(
    ontology: CompiledOntology, tmp_path: Path
) -> None:
    cars, people = made("cars", "car", "thing:big"), made("people", "human", "car")
    keep_said([cars, people], ontology, ["cars:car=vehicle", "human=Person", "thing:big=vehicle"], tmp_path)
    assert class_map(cars, ontology, tmp_path).known == {"car": "vehicle", "thing:big": "vehicle"}
    assert class_map(people, ontology, tmp_path).known == {"human": "person"}
    assert class_map(people, ontology, tmp_path).unmapped == ("car",)
    keep_said([cars, made("silent")], ontology, ["boat=vehicle"], tmp_path)  # it lists none, so it may be its
    assert class_map(made("silent"), ontology, tmp_path).known == {"boat": "vehicle"}
    keep_said([cars], ontology, ["car="], tmp_path)
    assert class_map(cars, ontology, tmp_path).known == {"thing:big": "vehicle"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("car=vehicle", "cars and people have a label 'car'"),
        ("boat=vehicle", "none of these models has a label 'boat'"),
        ("people:boat=vehicle", "people has no label 'boat'"),
        ("human=aeroplane", "has no class 'aeroplane'"),
        ("human", "does not say"),
        ("=person", "does not say"),
    ],
)
def test_what_is_not_clear_is_refused_and_nothing_is_kept(
    ontology: CompiledOntology, tmp_path: Path, said: str, why: str
) -> None:
    with pytest.raises(UserError, match=why):
        keep_said([made("cars", "car"), made("people", "human", "car")], ontology, [said], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_person_is_asked_once_and_what_was_said_of_other_models_is_a_first_choice_only(
    ontology: CompiledOntology, tmp_path: Path
) -> None:
    cars, people = made("cars", "car", "boat"), made("people", "human", "car")
    assert not was_asked(cars, ontology, tmp_path)
    keep_class_map(cars, ontology, {"car": "vehicle", "boat": ""}, tmp_path)
    assert was_asked(cars, ontology, tmp_path)
    assert said_elsewhere(people, ontology, tmp_path) == {"car": "vehicle"}
    assert said_elsewhere(cars, ontology, tmp_path) == {}
    assert class_map(people, ontology, tmp_path).unmapped == ("human", "car")  # until it is kept
    keep_class_map(people, ontology, {"human": "", "car": ""}, tmp_path)
    assert was_asked(people, ontology, tmp_path)  # that nothing stands for them was said too


def test_models_of_speech_have_labels_though_their_manifests_list_none(
    ontology: CompiledOntology, tmp_path: Path
) -> None:  # fmt: skip
    voices = Manifest(id="voices", task=Task.SPEAKER_EMBED, family="ge2e")
    assert class_map(voices, ontology, tmp_path).unmapped == ("speech", "speaker")
    keep_class_map(voices, ontology, {"speaker": "person"}, tmp_path)
    assert class_map(voices, ontology, tmp_path).unmapped == ("speech",)


def test_names_in_files_of_predictions_are_kept_apart_from_models(ontology: CompiledOntology, tmp_path: Path) -> None:
    keep_class_map_of_imports(ontology, {"lorry": "vehicle"}, tmp_path)
    assert class_map_of_imports(ontology, tmp_path) == {"lorry": "vehicle"}
    assert class_map(made("cars", "lorry"), ontology, tmp_path).unmapped == ("lorry",)
