"""Models of speech over a sound from the command line: what is loud is speech, in a graph made of arithmetic."""

from __future__ import annotations

import hashlib
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.prelabel.speech_stand_ins import RATE, Stand, loud_is_speech, model, silence, voice
from tests.tiny_graphs import Node, graph_bytes
from workstation.app import label_sounds, prelabelling
from workstation.app.models import models_shelf
from workstation.app.opening import new_project, open_project
from workstation.app.prelabelling import Wish, chunks_of, plan, store
from workstation.app.session import Session
from workstation.cli.main import main
from workstation.core.annotation import Annotation, SourceKind, State, Word
from workstation.core.errors import Refused, UserError
from workstation.prelabel.api import FoundSpan, FoundWord
from workstation.prelabel.speech_sound import Sound
from workstation.prelabel.speech_text import Heard

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("models_home")]
ONTOLOGY = """
version: 1
name: heard things
language: en
modalities: [audio]
classes:
  talk:
    name: {en: Talk}
    definition: Somebody talks.
    shapes: {audio: [span]}
  person:
    name: {en: Person}
    definition: Somebody.
    shapes: {audio: [span]}
"""
SPOKEN = ((1.0, 2.5), (30.0, 33.0), (58.5, 61.5), (70.0, 72.0), (119.0, 119.5), (125.0, 127.0))
"""Seconds, as the test made the sound; one goes over the edge of a minute."""
LENGTH_S = 130


def project_of(folder: Path, sound: np.ndarray, ontology: str = ONTOLOGY) -> Path:
    """A project with one sound of that wave, whose values reach from -1 to 1."""
    (folder / "ontology.yaml").write_text(ontology, encoding="utf-8")
    with wave.open(str(folder / "heard.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    made = new_project(folder / "p", ontology=str(folder / "ontology.yaml"), in_force=True, person="ann")
    assert main(["add", str(made), str(folder / "heard.wav"), "--sample", "s", "--stream", "mic"]) == 0
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two minutes of sound in which somebody speaks six times."""
    sound = silence(LENGTH_S)
    for start, end in SPOKEN:
        part = voice(end - start, 150 if start < 60 else 290)
        sound[round(start * RATE) : round(start * RATE) + len(part)] = part
    return project_of(tmp_path, sound)


def detector(tmp_path: Path, extra: str = "map: {speech: talk}\n") -> None:
    model(tmp_path / "vad", "loud", "vad", "silero-vad", {"model.onnx": loud_is_speech()}, extra)


def labels(session: Session) -> list[Annotation]:
    found = [each for sample in session.store.samples() for each in session.store.annotations(sample.id)]
    return sorted(found, key=lambda each: each.start_ns or 0)


def test_speech_is_proposed_where_somebody_speaks(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    detector(tmp_path)
    assert main(["prelabel", str(project), "--models", "loud", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["proposed"] == len(SPOKEN)
    with open_project(project, read_only=True) as session:
        found = labels(session)
    for each, (start, end) in zip(found, SPOKEN, strict=True):
        assert each.start_ns is not None
        assert each.end_ns is not None
        assert each.start_ns / 1e9 == pytest.approx(start, abs=0.11)
        assert each.end_ns / 1e9 == pytest.approx(end, abs=0.11)
        assert (each.class_id, each.state) == ("talk", State.PROPOSED)
        assert 0.5 < (each.confidence or 0) <= 0.9
        assert (each.source.kind, each.source.name, each.source.version) == (SourceKind.MODEL, "loud", "2")
        assert each.source.weights_sha256 == hashlib.sha256(loud_is_speech()).hexdigest()
        assert each.source.device == "CPU"


def test_a_label_that_no_class_stands_for_is_counted_and_never_guessed(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    detector(tmp_path, "")
    assert main(["prelabel", str(project), "--models", "loud"]) == 0
    assert "No class stands for: speech" in capsys.readouterr().out
    with open_project(project, read_only=True) as session:
        assert labels(session) == []


def test_a_stopped_job_finds_what_one_that_was_never_stopped_finds(project: Path, tmp_path: Path) -> None:
    detector(tmp_path)
    for _ in range(2):
        with open_project(project, person="ann", tool="prelabel") as session:
            progress = plan(session, models_shelf(), Wish(models=("loud",))).work[0]
            store(session, progress, next(iter(chunks_of(progress.assignment))))
            assert not progress.mark.finished
    with open_project(project, person="ann", tool="prelabel") as session:
        planned = plan(session, models_shelf(), Wish(models=("loud",)))
        assert planned.work[0].assignment.position == 120
        assert prelabelling.run(session, planned) == []
        stopped = [(each.start_ns, each.end_ns, each.confidence) for each in labels(session)]
        again = plan(session, models_shelf(), Wish(models=("loud",), layer="whole"))
        assert prelabelling.run(session, again) == []
        whole = [(each.start_ns, each.end_ns, each.confidence) for each in labels(session) if each.layer == "whole"]
    assert stopped == whole
    assert len(whole) == len(SPOKEN)


@pytest.fixture
def recogniser(models_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model for transcripts, heard by the stand-in."""
    model(tmp_path / "asr", "words", "asr", "whisper", {"model.bin": b"nothing"}, "map: {speech: talk}\n")
    monkeypatch.setattr(label_sounds, "recogniser_of", lambda _assignment: Stand())


@pytest.mark.usefixtures("recogniser")
def test_what_is_said_becomes_turns_with_their_words(project: Path, tmp_path: Path) -> None:
    detector(tmp_path, "")
    assert main(["prelabel", str(project), "--models", "loud,words"]) == 0
    with open_project(project, read_only=True) as session:
        turns = labels(session)
        words = {each.id: session.store.words(each.id) for each in turns}
    assert len(turns) == len(SPOKEN)
    for turn, (start, end) in zip(turns, SPOKEN, strict=True):
        said: list[Word] = words[turn.id]
        assert (turn.text, turn.confidence, turn.class_id, turn.state) == ("well ja", 0.5, "talk", State.PROPOSED)
        assert [each.probability for each in said] == [0.75, 0.25]
        assert said[0].start_ns is not None
        assert said[0].start_ns / 1e9 == pytest.approx(start + 0.1, abs=0.11)
        assert (said[1].end_ns or 0) / 1e9 == pytest.approx(end, abs=0.11)
        assert turn.language == ("mul" if end - start > 2.5 else "en")
        assert str(turn.source.parameters["voice_detector"]).startswith("loud 2 ")
    mixed = [each for each in turns if each.language == "mul"]
    assert mixed
    with open_project(project, person="ann") as session, pytest.raises((Refused, UserError), match="several languages"):
        session.run("annotation.accept", annotations=[each.id for each in turns])


@pytest.mark.usefixtures("recogniser")
def test_a_recogniser_without_a_voice_detector_says_what_to_name(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prelabel", str(project), "--models", "words"]) == 1
    assert "--models silero-vad,words" in capsys.readouterr().err


def mean_of_mels() -> bytes:
    """The mean over time of each band: voices of other pitches have other means."""
    return graph_bytes(
        [Node("ReduceMean", ["mels"], ["embedding"], {"axes": [1], "keepdims": 0})],
        inputs={"mels": ["batch", 160, 40]}, outputs={"embedding": ["batch", 40]},
    )  # fmt: skip


def test_spans_of_one_voice_belong_to_one_person_also_after_a_stop(project: Path, tmp_path: Path) -> None:
    detector(tmp_path)
    extra = "map: {speaker: person, speech: talk}\n"
    model(tmp_path / "who", "voices", "speaker-embed", "ge2e", {"model.onnx": mean_of_mels()}, extra)
    wish = Wish(models=("loud", "voices"), speakers=2)
    with open_project(project, person="ann", tool="prelabel") as session:
        (progress,) = plan(session, models_shelf(), wish).work  # what would say the same again is left out
        assert progress.notes == ["loud listens for it and proposes nothing of its own"]
        assert store(session, progress, next(iter(chunks_of(progress.assignment)))) == 0
    with open_project(project, person="ann", tool="prelabel") as session:
        planned = plan(session, models_shelf(), wish)
        assert planned.work[0].assignment.position == 60
        assert prelabelling.run(session, planned) == []
        mine = labels(session)
        assert {each.source.name for each in mine} == {"voices"}
        people = [each for sample in session.store.samples() for each in session.store.entities(sample.id)]
    assert [each.name for each in people] == ["speaker 1 of mic (voices)", "speaker 2 of mic (voices)"]
    assert {each.class_id for each in people} == {"person"}
    first, second = (each.id for each in people)
    assert [each.entity for each in mine] == [first if start < 60 else second for start, _ in SPOKEN]
    assert {(each.class_id, each.state) for each in mine} == {("talk", State.PROPOSED)}
    assert (mine[0].source.parameters["speakers"], mine[0].source.parameters["called"]) == (2, "speech")


SPEAKS = """
link_types:
  speaks:
    name: {en: Speaks}
    definition: The voice is this person's.
    roles:
      voice: {targets: [annotation], classes: [talk], streams: [audio]}
      speaker: {classes: [person]}
"""


class TwoVoices:
    """Hears one word in every second of a piece."""

    name = "stand"

    def hear(self, sound: Sound, language: str) -> Heard:
        count = max(1, round(len(sound) / RATE))
        words = tuple(
            FoundWord(text=f" w{number}", start_s=number + 0.1, end_s=number + 0.9, score=0.5)
            for number in range(count)
        )
        text = " ".join(each.text.strip() for each in words)
        span = FoundSpan(start_s=0.1, end_s=count, label="speech", score=0.5, text=text, words=words)
        return Heard(spans=(span,), language="en", languages=({"en": 1.0},))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A minute and more in which two people speak, once one right after the other."""
    sound = silence(70)
    for start, end, pitch in ((1.0, 5.0, 150), (5.0, 9.0, 290), (20.0, 23.0, 150), (62.0, 66.0, 290)):
        sound[round(start * RATE) : round(end * RATE)] = voice(end - start, pitch)
    return project_of(tmp_path, sound, ONTOLOGY + SPEAKS)


def test_turns_say_who_speaks_them_and_the_errors_are_counted(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    detector(tmp_path, "")
    extra = "map: {speaker: person, speech: talk}\n"
    model(tmp_path / "who", "voices", "speaker-embed", "ge2e", {"model.onnx": mean_of_mels()}, extra)
    model(tmp_path / "asr", "words", "asr", "whisper", {"model.bin": b"nothing"}, "map: {speech: talk}\n")
    monkeypatch.setattr(label_sounds, "recogniser_of", lambda _assignment: TwoVoices())
    wish = Wish(models=("loud", "words", "voices"), speakers=2, layer="found")
    with open_project(talk, person="ann", tool="prelabel") as session:
        planned = plan(session, models_shelf(), wish)
        work = next(each for each in planned.work if each.source.name == "words")
        store(session, work, next(iter(chunks_of(work.assignment))))  # stopped after the first minute
    with open_project(talk, person="ann", tool="prelabel") as session:
        planned = plan(session, models_shelf(), wish)
        work = next(each for each in planned.work if each.source.name == "words")
        for chunk in chunks_of(work.assignment):
            store(session, work, chunk)
        turns = labels(session)
        sample = next(iter(session.store.samples()))
        people = {each.id: each.name for each in session.store.entities(sample.id)}
        links = list(session.store.links(sample.id))
    who = {}
    for link in links:
        assert (link.type_id, link.state, link.source.name) == ("speaks", State.PROPOSED, "words")
        assert "voices hears" in link.rationale
        ends = {end.role: end.target for end in link.ends}
        who[ends["voice"]] = people[ends["speaker"]]
    spoken = [((each.start_ns or 0) / 1e9, who[each.id]) for each in turns]
    first, second = "speaker 1 of mic (voices)", "speaker 2 of mic (voices)"
    assert [name for _, name in spoken] == [first, second, first, second]
    assert [start for start, _ in spoken] == pytest.approx([1.0, 5.0, 20.0, 62.0], abs=0.7)
    assert {(each.class_id, each.entity) for each in turns} == {("talk", None)}
    assert turns[0].source.parameters["speakers"] == 2
    assert str(turns[0].source.parameters["speaker_encoder"]).startswith("voices 2 ")
    # Truth: the same turns but the last one is the first speaker's, and one word in four is another one.
    with open_project(talk, person="ann", kind="person") as session, session.together("truth") as run:
        ids = {name: key for key, name in people.items()}
        words = wrong = 0
        for number, each in enumerate(turns):
            said = str(each.text).split()
            said[0] = f"x{number}"
            words, wrong = words + len(said), wrong + 1
            made = run("turn.add", sample=sample.id, stream=each.stream, start_ns=each.start_ns, end_ns=each.end_ns,
                       text=" ".join(said), class_id="talk", layer="gold")  # fmt: skip
            speaker = ids[first if number == 3 else who[each.id]]
            run("link.add", sample=sample.id, type_id="speaks", layer="gold",
                ends={"voice": [f"annotation:{made}"], "speaker": [f"entity:{speaker}"]})  # fmt: skip
    capsys.readouterr()
    arguments = ["prelabel", str(talk), "--models", "loud,words,voices", "--speakers", "2", "--layer", "found"]
    assert main([*arguments, "--eval", "gold", "--json"]) == 0
    rows = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    scores = [each for each in rows if each.get("t") == "score" and each["model"] == "words"]
    by_what = {each["what"]: each for each in scores}
    assert by_what["words"]["wer"] == pytest.approx(wrong / words, abs=0.001)
    # By hand: nothing is missed or invented; the last turn is given to the other speaker; 0.25 s about each true
    # boundary is left out.
    lengths = [max(0.0, ((each.end_ns or 0) - (each.start_ns or 0)) / 1e9 - 0.5) for each in turns]
    assert by_what["speakers"]["der"] == pytest.approx(lengths[3] / sum(lengths), abs=0.05)


def loud_tagger() -> bytes:
    """One frame every half second: twice the largest loudness in it, for one class of two."""
    return graph_bytes(
        [
            Node("Abs", ["waveform"], ["loud"]),
            Node("Unsqueeze", ["loud", "front"], ["row"]),
            Node("MaxPool", ["row"], ["frames"],
                 {"kernel_shape": [RATE], "strides": [RATE // 2], "pads": [0, RATE - 1]}),
            Node("Squeeze", ["frames", "front"], ["line"]),
            Node("Unsqueeze", ["line", "last"], ["column"]),
            Node("Mul", ["column", "twice"], ["scores"]),
        ],
        inputs={"waveform": ["n"]}, outputs={"scores": ["m", 2]},
        weights={"front": np.array([0, 1], np.int64), "last": np.array([1], np.int64),
                 "twice": np.array([[2, 0]], np.float32)},
    )  # fmt: skip


def test_an_event_is_one_span_however_long_and_wherever_the_job_was_stopped(tmp_path: Path, models_home: Path) -> None:
    sound = silence(290)
    truth = ((10.0, 12.0), (100.0, 257.0), (275.0, 280.0))
    for start, end in truth:
        sound[round(start * RATE) : round(end * RATE)] = 0.4
    folder = project_of(tmp_path, sound)
    model(tmp_path / "tag", "tagger", "audio-tag", "wave-tagger", {"model.onnx": loud_tagger()},
          "labels: [siren, nothing]\nmap: {siren: talk}\noptions: {hop_s: 0.5, frame_s: 1.0}\n")  # fmt: skip
    wish = Wish(models=("tagger",))
    for _ in range(2):
        with open_project(folder, person="ann", tool="prelabel") as session:
            progress = plan(session, models_shelf(), wish).work[0]
            store(session, progress, next(iter(chunks_of(progress.assignment))))
            assert not progress.mark.finished
    with open_project(folder, person="ann", tool="prelabel") as session:
        assert prelabelling.run(session, plan(session, models_shelf(), wish)) == []
        found = labels(session)
        assert prelabelling.run(session, plan(session, models_shelf(), Wish(models=("onsets",)))) == []
        assert labels(session) == found  # nobody said what a sound without a name is called here
    spans = [((each.start_ns or 0) / 1e9, (each.end_ns or 0) / 1e9) for each in found]
    assert np.abs(np.array(spans) - np.array(truth)).max() <= 1.0
    windows = graph_bytes(
        [Node("Abs", ["input"], ["loud"]), Node("ReduceMax", ["loud"], ["most"], {"axes": [1], "keepdims": 1}),
         Node("Mul", ["most", "twice"], ["clipwise_output"])],
        inputs={"input": ["n", 32_000]}, outputs={"clipwise_output": ["n", 2]},
        weights={"twice": np.array([[2, 0]], np.float32)},
    )  # fmt: skip
    model(tmp_path / "win", "windows", "audio-tag", "wave-tagger", {"model.onnx": windows},
          "labels: [siren, nothing]\nmap: {siren: talk}\n")  # fmt: skip
    assert main(["prelabel", str(folder), "--models", "windows", "--layer", "w"]) == 0
    with open_project(folder, read_only=True) as session:
        there = [
            ((each.start_ns or 0) / 1e9, (each.end_ns or 0) / 1e9) for each in labels(session) if each.layer == "w"
        ]
    assert np.abs(np.array(there) - np.array(truth)).max() <= 1.0
    assert main(["prelabel", str(folder), "--models", "onsets", "--map", "sound=talk", "--layer", "on"]) == 0
    with open_project(folder, read_only=True) as session:
        onsets = [each for each in labels(session) if each.layer == "on"]
    begun = np.array([(each.start_ns or 0) / 1e9 for each in onsets])
    assert all(np.abs(begun - start).min() <= 0.05 for start, _ in truth)
    assert {each.source.name for each in onsets} == {"onsets"}
