"""The story of a sound that is transcribed: models chosen and their labels said, turns accepted, mended, rejected and
given to a person, their provenance read, and what came of it counted. In a real window, by keys and mouse.

The voice detector is a graph of arithmetic that runs as any other does; the recogniser is a stand-in behind it.
"""

from __future__ import annotations

import wave
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from hands import Person, sit_down
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QListWidget

from tests.prelabel.speech_stand_ins import RATE, loud_is_speech, model, silence, voice
from workstation.app import label_sounds
from workstation.app.inspecting import sections_of
from workstation.app.opening import new_project
from workstation.app.prelabel_report import prelabel_rows
from workstation.cli.main import main
from workstation.core.annotation import Annotation, State
from workstation.prelabel.api import FoundSpan, FoundWord
from workstation.prelabel.speech_sound import Sound
from workstation.prelabel.speech_text import Heard
from workstation.ui.dialogs.prelabel import ClassMapSheet, Prelabel
from workstation.ui.panels.proposals import ProposalsPanel
from workstation.ui.panes.text import TextPane

pytestmark = pytest.mark.slow
SPOKEN = ((1.0, 2.5), (4.0, 5.5), (7.0, 8.5), (10.0, 11.5))


class HearsWhatIsLoud:
    """Two words in every stretch of a piece that is loud."""

    name = "hears what is loud"

    def hear(self, sound: Sound, language: str) -> Heard:
        tenth = RATE // 10
        loud = np.abs(sound[: len(sound) // tenth * tenth]).reshape(-1, tenth).mean(axis=1) > 0.02
        edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])).astype(int))) / 10
        spans = tuple(_said(start, end) for start, end in edges.reshape(-1, 2))
        return Heard(spans=spans, language="en", languages=({"en": 1.0},) * len(spans))


def _said(start: float, end: float) -> FoundSpan:
    middle = (start + end) / 2
    words = (
        FoundWord(text="well", start_s=start, end_s=middle, score=0.75),
        FoundWord(text=" ja", start_s=middle, end_s=end, score=0.25),
    )
    return FoundSpan(start_s=start, end_s=end, label="speech", score=0.5, text="well ja", words=words)


@pytest.fixture(scope="module")
def me(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Generator[Person, None, None]:
    assert qapp is not None
    folder = tmp_path_factory.mktemp("speech")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        patch.delenv("WORKSTATION_MODELS", raising=False)
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        patch.setattr(label_sounds, "recogniser_of", lambda _assignment: HearsWhatIsLoud())
        model(folder / "vad", "loud", "vad", "silero-vad", {"model.onnx": loud_is_speech()})
        model(folder / "asr", "words", "asr", "whisper", {"model.bin": b"nothing"})
        with sit_down(spoken(folder)) as person:
            person.window.resize(1500, 950)
            yield person


def spoken(folder: Path) -> Path:
    """Somebody speaks four times in thirteen seconds."""
    sound = silence(13)
    for start, end in SPOKEN:
        part = voice(end - start, 150)
        sound[round(start * RATE) : round(start * RATE) + len(part)] = part
    with wave.open(str(folder / "said.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    made = new_project(folder / "p", profile="dialogue", person="Ana")
    assert main(["add", str(made), str(folder / "said.wav"), "--sample", "s", "--stream", "mic"]) == 0
    return made


def turns(me: Person) -> list[Annotation]:
    assert me.bench.view is not None
    found = [each for each in me.bench.view.annotations.values() if each.text]
    return sorted(found, key=lambda each: each.start_ns or 0)


def check(made: QListWidget, *wanted: str) -> None:
    for row in range(made.count()):
        item = made.item(row)
        on = item.data(Qt.ItemDataRole.UserRole) in wanted
        item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def test_what_the_labels_mean_is_asked_before_the_first_run(me: Person) -> None:
    me.window.perform("prelabel.run")
    asked = me.dialog
    assert isinstance(asked, Prelabel)
    check(asked.models, "loud", "words")
    check(asked.streams, "mic")
    me.click("Start")
    for name, wanted in (("loud", ""), ("words", "turn")):
        sheet = me.dialog
        assert isinstance(sheet, ClassMapSheet)
        assert sheet.windowTitle() == f"Classes of {name}"
        box: QComboBox = sheet.choices["speech"]
        box.setCurrentIndex(box.findData(wanted))
        me.click("Keep and go on")
    assert me.dialog is None
    me.waits(lambda: not me.window.jobs.running(), "the transcript")
    found = turns(me)
    assert [each.state for each in found] == [State.PROPOSED] * len(SPOKEN), me.said
    for each, (start, end) in zip(found, SPOKEN, strict=True):
        assert (each.start_ns or 0) / 1e9 == pytest.approx(start, abs=0.4)
        assert (each.end_ns or 0) / 1e9 == pytest.approx(end, abs=0.4)
    assert {each.text for each in found} == {"well ja"}


def test_turns_that_are_only_proposed_say_so_in_the_text(me: Person) -> None:
    pane = me.bring("text")
    assert isinstance(pane, TextPane)
    me.waits(lambda: len(pane.typing.page.lines) == len(SPOKEN), "the lines")
    assert [line.speaker for line in pane.typing.page.lines] == ["? 0.50"] * len(SPOKEN)
    me.keep_picture("speech_proposed")


def test_one_is_accepted_one_rejected_and_one_mended(me: Person) -> None:
    first, second, third, _ = turns(me)
    panel = me.bring("proposals")
    assert isinstance(panel, ProposalsPanel)
    me.bench.selection.select((first.id,), cause="test")
    panel.table.setFocus()
    me.press("Enter")
    me.waits(lambda: turns(me)[0].state is State.DONE, "the first to be accepted")
    me.bench.selection.select((second.id,), cause="test")
    panel.table.setFocus()
    me.press("Backspace")
    me.waits(lambda: turns(me)[1].state is State.REJECTED, "the second to be rejected")
    pane = me.bring("text")
    assert isinstance(pane, TextPane)
    pane.typing.page.setFocus()
    pane.typing.page.put_caret(2, len(third.text or ""))
    me.type(" doch")
    me.press("Esc")
    me.waits(lambda: turns(me)[2].text == "well ja doch", "the words to be kept")
    assert turns(me)[2].state is not State.PROPOSED  # taken over by being mended
    lines = pane.typing.page.lines
    assert [line.state for line in lines] == [each.state for each in turns(me)]
    assert [line.speaker for line in lines] == ["", "", "", "? 0.50"]
    me.keep_picture("speech_judged")


def test_a_turn_is_given_to_a_person_who_was_not_there_yet(me: Person) -> None:
    first = turns(me)[0]
    me.bring("sound")
    me.bench.selection.select((first.id,), cause="test")
    me.window.show_pane("sound")
    me.press("Alt+Shift+Down")
    assert me.said.startswith("Enter: ")  # more than one kind of person may speak
    me.press("Enter")
    view = me.bench.view
    assert view is not None
    (person,) = view.entities.values()
    pane = me.window.pane("text")
    assert isinstance(pane, TextPane)
    me.bring("text")
    assert pane.typing.page.lines[0].speaker == view.name_of(person.id)
    me.keep_picture("speech_speaker")


def test_the_inspector_says_where_it_comes_from(me: Person) -> None:
    assert me.bench.view is not None
    fields = {
        field.title: str(field.value)
        for section in sections_of(me.bench.view, (turns(me)[0].id,), now_ns=0)
        for field in section.fields
    }
    assert fields["Model"] == "words 2"
    assert fields["Called there"] == "speech"
    assert fields["Device"] == "CPU"
    assert len(fields["Weights"]) == 64
    assert "voice_detector loud 2 " in fields["Parameters"]
    assert fields["Proposed"][:4].isdigit()


def test_what_people_made_of_it_is_counted(me: Person) -> None:
    (row,) = prelabel_rows(me.bench.session.store)
    counted = {name: row[name] for name in ("model", "proposed", "accepted", "edited", "rejected", "waiting")}
    assert counted == {
        "model": "words 2", "proposed": 4, "accepted": 1, "edited": 1, "rejected": 1, "waiting": 1
    }  # fmt: skip
