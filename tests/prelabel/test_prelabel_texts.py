"""Names in texts as a job: a stream of text and the turns of a sound, a graph whose words the test chose, the task of a
plug-in, a folder that runs code."""

from __future__ import annotations

import hashlib
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.prelabel.test_prelabel_sounds import model
from tests.tiny_graphs import Node, graph_bytes
from workstation.app.models import models_shelf
from workstation.app.opening import new_project, open_project
from workstation.cli.main import main
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.geometry import TextSpan

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("models_home")]
ONTOLOGY = """
version: 1
name: names
language: en
modalities: [text, audio]
shapes: {text: [text_span], audio: [span, text_span]}
classes:
  person: {name: {en: Person}, definition: Somebody.}
  place: {name: {en: Place}, definition: Somewhere.}
  talk: {name: {en: Talk}, definition: Said.}
"""
WRITTEN = "Ana met Lee, 3 km from Rome.\nÀ Rome 🙂 Ana stayed for two hours.\n"
SAID = "we drove 40 km with Ana"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ana", "lee", "rome", "met", "."]
COLUMNS = ["O", "B-PER", "B-LOC"]


def knows_names() -> bytes:
    """Ana and Lee are persons, Rome is a place, everything else is nothing."""
    table = np.zeros((len(PIECES), len(COLUMNS)), np.float32)
    table[:, 0] = 4
    for piece, column in (("ana", 1), ("lee", 1), ("rome", 2)):
        table[PIECES.index(piece), [0, column]] = (0, 6)
    return graph_bytes(
        [Node("Gather", ["table", "input_ids"], ["logits"])], inputs={"input_ids": [1, "n"]},
        outputs={"logits": [1, "n", 3]}, weights={"table": table}, whole=("input_ids",),
    )  # fmt: skip


def namer(tmp_path: Path, extra: str = "") -> None:
    tokenizer = {
        "model": {"type": "WordPiece", "vocab": {each: number for number, each in enumerate(PIECES)}},
        "normalizer": {"lowercase": True},
    }
    files = {
        "model.onnx": knows_names(),
        "tokenizer.json": json.dumps(tokenizer).encode(),
        "config.json": json.dumps({"id2label": dict(enumerate(COLUMNS))}).encode(),
    }
    labels = f"map: {{PER: person, LOC: place}}\n{extra}"
    model(tmp_path / "ner", "namer", "ner", "token-classification", files, labels)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A text, and a sound with one turn and one that was rejected."""
    (tmp_path / "ontology.yaml").write_text(ONTOLOGY, encoding="utf-8")
    (tmp_path / "note.txt").write_text(WRITTEN, encoding="utf-8")
    with wave.open(str(tmp_path / "said.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    folder = new_project(tmp_path / "p", ontology=str(tmp_path / "ontology.yaml"), in_force=True, person="ann")
    for name, stream in (("note.txt", "note"), ("said.wav", "mic")):
        assert main(["add", str(folder), str(tmp_path / name), "--sample", "s", "--stream", stream]) == 0
    with open_project(folder, person="ann", kind="person") as session:
        sample = next(iter(session.store.samples()))
        mic = next(each for each in session.store.streams(sample.id) if each.key == "mic")
        for text, language in ((SAID, "en"), ("Ana war in Rome", "de")):
            session.run("turn.add", sample=sample.id, stream=mic.id, start_ns=0, end_ns=10**9, text=text,
                        class_id="talk", language=language)  # fmt: skip
    return folder


def spans(folder: Path) -> list[tuple[str, str, str | None]]:
    """Class, the words under it and whose text it is, of every span; the words are cut out by this test."""
    found = []
    with open_project(folder, read_only=True) as session:
        for sample in session.store.samples():
            labels = {each.id: each for each in session.store.annotations(sample.id)}
            for each in labels.values():
                if isinstance(each.shape, TextSpan):
                    under = labels[each.shape.of].text if each.shape.of else WRITTEN  # type: ignore[index]
                    (start, stop), *_ = each.shape.parts
                    found.append((str(each.class_id), str(under)[start:stop], under if each.shape.of else None))
                    assert each.shape.quote == str(under)[start:stop]
    return sorted(found, key=str)


def proposals(folder: Path) -> list[Annotation]:
    with open_project(folder, read_only=True) as session:
        return [
            each
            for sample in session.store.samples()
            for each in session.store.annotations(sample.id)
            if each.source.kind is SourceKind.MODEL
        ]


def test_names_are_proposed_in_texts_and_in_turns_and_none_twice(project: Path, tmp_path: Path) -> None:
    namer(tmp_path)
    assert main(["prelabel", str(project), "--models", "namer"]) == 0
    german = "Ana war in Rome"
    assert spans(project) == sorted(
        [
            ("person", "Ana", None), ("person", "Lee", None), ("place", "Rome", None), ("place", "Rome", None),
            ("person", "Ana", None), ("person", "Ana", SAID), ("person", "Ana", german), ("place", "Rome", german),
        ],
        key=str,
    )  # fmt: skip
    assert {each.state for each in proposals(project)} == {State.PROPOSED}
    assert {each.source.name for each in proposals(project)} == {"namer"}
    assert all(0.9 < (each.confidence or 0) < 1 for each in proposals(project))
    assert main(["prelabel", str(project), "--models", "namer"]) == 0
    assert len(spans(project)) == 8
    with open_project(project, person="ann", kind="person") as session:  # a turn that is new is looked at
        turn = next(each for each in session.store.annotations(next(iter(session.store.samples())).id) if each.text)
        session.run("turn.add", sample=turn.sample, stream=turn.stream, start_ns=0, end_ns=5, text="Lee")
    assert main(["prelabel", str(project), "--models", "namer"]) == 0
    assert len(spans(project)) == 9


def test_a_model_that_says_what_it_knows_is_not_asked_about_other_languages(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    namer(tmp_path, "options: {languages: [en]}\n")
    assert main(["prelabel", str(project), "--models", "namer", "--streams", "mic"]) == 0
    assert "1 not looked at, as they are in de" in capsys.readouterr().out
    assert spans(project) == [("person", "Ana", SAID)]


def test_the_task_of_a_plug_in_runs_in_a_job(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prelabel", str(project), "--models", "quantities", "--map", "length=place"]) == 0
    assert "No class stands for: time." in capsys.readouterr().out
    assert spans(project) == [("place", "3 km", None), ("place", "40 km", SAID)]
    assert {(each.source.name, each.confidence) for each in proposals(project)} == {("quantities", 0.9)}


def test_what_runs_code_is_opened_only_when_somebody_trusts_it(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "en_small"
    (made / "ner").mkdir(parents=True)
    meta = {"lang": "en", "name": "small", "version": "3.8", "license": "MIT", "labels": {"ner": ["PERSON", "GPE"]}}
    for name, said in (("meta.json", json.dumps(meta)), ("config.cfg", "[nlp]"), ("ner/model", "weights")):
        (made / name).write_text(said, encoding="utf-8")
    (made / "run.py").write_text("raise SystemExit", encoding="utf-8")
    assert main(["models", "add", str(made), "--id", "folder"]) == 0
    shelved = models_shelf().find("folder")
    assert (shelved.manifest.labels, shelved.manifest.version) == (("PERSON", "GPE"), "3.8")
    assert shelved.manifest.weights_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert not list(shelved.folder.rglob("*.py"))
    assert main(["prelabel", str(project), "--models", "folder"]) == 1
    assert "--trust folder" in capsys.readouterr().err
    assert main(["prelabel", str(project), "--models", "folder", "--trust", "folder"]) == 1
    said = capsys.readouterr().err
    assert "spacy is not installed" in said or "config.cfg" in said
    assert proposals(project) == []


def test_a_model_whose_classes_are_unknown_stops_with_a_reason(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = json.dumps({"model": {"type": "WordPiece", "vocab": {each: n for n, each in enumerate(PIECES)}}})
    wrong = ((b"{}", "names no classes"), (b"[1", "what its classes are called"), (b'{"id2label": {"1": "O"}}', "id2l"))
    for number, (config, why) in enumerate(wrong):
        name = f"namer{number}"
        files = {"model.onnx": knows_names(), "tokenizer.json": tokenizer.encode(), "config.json": config}
        model(tmp_path / name, name, "ner", "token-classification", files)
        assert main(["prelabel", str(project), "--models", name, "--streams", "note"]) == 1
        said = capsys.readouterr().err
        assert why in said
        assert "fault of the program" not in said
    assert proposals(project) == []
