"""Who speaks when: voices of known pitch, vectors of known groups, weights that a test wrote itself."""

from __future__ import annotations

import collections
import io
import itertools
import pickle
import struct
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from speech_stand_ins import RATE, PitchIsVoice, silence, voice

from workstation.core.errors import DataError, UserError
from workstation.prelabel.api import BadOutput, FoundSpan, FoundWord
from workstation.prelabel.speaker_weights import ge2e_onnx, read_weights
from workstation.prelabel.speakers import embed, group, speaker_of, turns_of_words, who_speaks
from workstation.prelabel.speech_mels import filters, mels
from workstation.prelabel.speech_sound import Piece

LOW, HIGH = 110.0, 700.0


def span(start: float, end: float, **more: Any) -> FoundSpan:
    return FoundSpan(start_s=start, end_s=end, label="speech", score=0.9, **more)


@pytest.fixture(scope="module")
def dialogue() -> tuple[Any, list[FoundSpan]]:
    """Low, high, low, a very short high one, and a stretch where low goes over into high without a pause."""
    parts = [(voice(1.5, LOW), 0.5), (voice(1.5, HIGH), 0.5), (voice(1.2, LOW), 0.5), (voice(0.3, HIGH), 0.5),
             (np.concatenate([voice(4.0, LOW), voice(4.0, HIGH)]), 0.2)]  # fmt: skip
    sound, spans, at = [], [], 0.0
    for part, pause in parts:
        spans.append(span(at, at + len(part) / RATE))
        sound += [part, silence(pause)]
        at += len(part) / RATE + pause
    return np.concatenate(sound), spans


@pytest.mark.parametrize("speakers", [2, None])
def test_voices_alternate_as_they_were_put_together(dialogue: Any, speakers: int | None) -> None:
    sound, spans = dialogue
    found = who_speaks(PitchIsVoice(), sound, spans, speakers=speakers).spans
    assert [each.speaker for each in found] == [f"speaker {n}" for n in (1, 2, 1, 2, 1, 2)]
    assert found[4].end_s == found[5].start_s == pytest.approx(spans[4].start_s + 4.0, abs=0.7)


def test_how_loud_somebody_is_makes_no_other_voice(dialogue: Any) -> None:
    sound, spans = dialogue
    quiet = sound.copy()
    quiet[: len(sound) // 2] *= 0.02
    found = who_speaks(PitchIsVoice(), quiet, spans, speakers=2).spans
    assert [each.speaker for each in found[:4]] == [f"speaker {n}" for n in (1, 2, 1, 2)]


def test_one_speaker_when_one_is_asked_for(dialogue: Any) -> None:
    sound, spans = dialogue
    assert {each.speaker for each in who_speaks(PitchIsVoice(), sound, spans, speakers=1).spans} == {"speaker 1"}
    with pytest.raises(UserError, match="at least 1"):
        who_speaks(PitchIsVoice(), sound, spans, speakers=0)


def test_silence_and_nothing_are_survived() -> None:
    assert who_speaks(PitchIsVoice(), silence(1), []).spans == ()
    (only,) = who_speaks(PitchIsVoice(), silence(3), [span(0.0, 2.0)]).spans
    assert only.speaker == "speaker 1"
    assert embed(PitchIsVoice(), silence(1), [Piece(5.0, 6.0)]).any() is np.False_


def test_a_graph_that_answers_nonsense_is_named() -> None:
    class Bad:
        def __init__(self, answer: Any) -> None:
            self.answer = answer

        def run(self, _feeds: Any) -> Any:
            return self.answer

    for answer, word in (({}, "embedding"), ({"embedding": np.zeros(4)}, "shape"),
                         ({"embedding": np.full((1, 4), np.nan)}, "not a number")):  # fmt: skip
        with pytest.raises(BadOutput, match=word):
            embed(Bad(answer), voice(1.0, LOW), [Piece(0, 1)])


def average_link(vectors: Any, wanted: int, cut: float) -> set[frozenset[int]]:
    """Written out: join the two groups whose members are nearest on the mean, until that is enough."""
    groups = [frozenset({each}) for each in range(len(vectors))]
    while len(groups) > wanted:

        def apart(pair: tuple[frozenset[int], frozenset[int]]) -> float:
            return float(np.mean([1 - vectors[a] @ vectors[b] for a in pair[0] for b in pair[1]]))

        best = min(itertools.combinations(groups, 2), key=apart)
        if apart(best) > cut:
            break
        groups = [each for each in groups if each not in best] + [best[0] | best[1]]
    return set(groups)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 9), wanted=st.integers(1, 4), by_number=st.booleans())
@settings(max_examples=50, deadline=None)
def test_groups_are_those_of_average_link(seed: int, count: int, wanted: int, by_number: bool) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = group(vectors.astype(np.float32), speakers=wanted if by_number else None, cut_at=0.8)
    expected = average_link(vectors, wanted if by_number else 1, np.inf if by_number else 0.8)
    assert {frozenset(np.flatnonzero(made == each).tolist()) for each in set(made.tolist())} == expected
    assert list(dict.fromkeys(made.tolist())) == sorted(set(made.tolist()))


def word(text: str, start: float, end: float) -> FoundWord:
    return FoundWord(text=text, start_s=start, end_s=end, score=0.5)


def test_words_go_to_whom_they_overlap_most_and_turns_are_cut_there() -> None:
    turns = [span(0, 2, speaker="a"), span(2, 4, speaker="b")]
    assert speaker_of(word("x", 1.5, 2.2), turns) == "a"
    assert speaker_of(word("x", 4.5, 4.6), turns) == "b"
    assert speaker_of(word("x", 4.5, 4.6), []) == ""
    said = span(0, 4, text="one two three", words=(word("one", 0, 1), word("two", 1, 1.9), word("three", 2.1, 3)))
    first, second = turns_of_words([said], turns)
    assert (first.text, first.speaker, first.end_s) == ("one two", "a", 1.9)
    assert (second.text, second.speaker, second.start_s) == ("three", "b", 2.1)
    (whole,) = turns_of_words([span(2, 4, text="no times")], turns)
    assert whole.speaker == "b"


def test_a_pure_tone_lies_in_the_band_of_its_pitch_and_bands_have_one_area() -> None:
    t = np.arange(RATE) / RATE
    for tone in (300.0, 1000.0, 4000.0):
        frames = mels(np.sin(2 * np.pi * tone * t).astype(np.float32))
        assert frames.shape == (101, 40)
        centres = (filters() * np.linspace(0, 8000, 201)).sum(axis=1) / filters().sum(axis=1)
        assert abs(centres[int(frames[50].argmax())] - tone) < 0.08 * tone + 40
    assert mels(np.zeros(0, np.float32)).shape == (0, 40)
    # Slaney's norm: each triangle has the area 1 (in Hz), coarse in the low bands where few tones fall into one.
    assert (filters() * 40.0).sum(axis=1)[15:] == pytest.approx(np.ones(25), rel=0.1)


def checkpoint(tensors: dict[str, np.ndarray], evil: bytes = b"") -> bytes:
    """A file as torch's old form has it, written with the standard library alone."""

    class Torch(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            return ("storage", FloatStorage, obj.key, "cpu", obj.count) if isinstance(obj, Storage) else None

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, Held):
                return (rebuild, (Storage(obj.key, obj.values.size), 0, obj.values.shape,
                                  tuple(each // 4 for each in obj.values.strides), False, None))  # fmt: skip
            return NotImplemented

    held = collections.OrderedDict((name, Held(name, each)) for name, each in tensors.items())
    out = io.BytesIO()
    for each in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        out.write(pickle.dumps(each))
    body = io.BytesIO()
    Torch(body, protocol=2).dump({"model_state": held})
    own = __name__.encode()
    renamed = body.getvalue()
    renamed = renamed.replace(b"c" + own + b"\nrebuild\n", b"ctorch._utils\n_rebuild_tensor_v2\n")
    renamed = renamed.replace(b"c" + own + b"\nFloatStorage\n", b"ctorch\nFloatStorage\n")
    out.write(evil or renamed)
    out.write(pickle.dumps(list(tensors)))
    for each in tensors.values():
        out.write(struct.pack("<q", each.size) + each.astype("<f4").tobytes())
    return out.getvalue()


class FloatStorage:
    pass


class Storage:
    def __init__(self, key: str, count: int) -> None:
        self.key, self.count = key, count


class Held:
    def __init__(self, key: str, values: Any) -> None:
        self.key, self.values = key, values


def rebuild(*_: Any) -> None:
    raise AssertionError("only its name is written")


def weights(seed: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {}
    for layer in range(3):
        for kind, width in (("ih", 256 if layer else 40), ("hh", 256)):
            made[f"lstm.weight_{kind}_l{layer}"] = rng.normal(0, 0.08, (1024, width)).astype(np.float32)
            made[f"lstm.bias_{kind}_l{layer}"] = rng.normal(0, 0.08, 1024).astype(np.float32)
    made["linear.weight"] = rng.normal(0, 0.1, (256, 256)).astype(np.float32)
    made["linear.bias"] = rng.normal(0, 0.1, 256).astype(np.float32)
    return made


def lstm_written_out(w: dict[str, np.ndarray], mel: Any) -> Any:
    """The encoder as its paper has it: torch's order of gates, input, forget, cell, output."""

    def sigmoid(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    x = mel.astype(np.float64)
    for layer in range(3):
        h, c, out = np.zeros(256), np.zeros(256), []
        bias = w[f"lstm.bias_ih_l{layer}"] + w[f"lstm.bias_hh_l{layer}"]
        for frame in x:
            gates = w[f"lstm.weight_ih_l{layer}"] @ frame + w[f"lstm.weight_hh_l{layer}"] @ h + bias
            i, f, g, o = np.split(gates, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            out.append(h)
        x = np.array(out)
    made = np.maximum(0, w["linear.weight"] @ x[-1] + w["linear.bias"])
    return made / np.linalg.norm(made)


def test_converted_weights_answer_what_the_network_answers_written_out() -> None:
    w = weights()
    session = onnxruntime.InferenceSession(ge2e_onnx(checkpoint(w)), providers=["CPUExecutionProvider"])
    given_mels = np.random.default_rng(1).random((2, 160, 40)).astype(np.float32)
    (made,) = session.run(["embedding"], {"mels": given_mels})
    assert made.shape == (2, 256)
    assert made[1] == pytest.approx(lstm_written_out(w, given_mels[1]), abs=1e-4)


def test_tensors_come_out_as_they_went_in() -> None:
    w = weights()
    read = read_weights(checkpoint(w))
    assert read.keys() == w.keys()
    assert all(np.array_equal(read[name], each) for name, each in w.items())


def test_a_checkpoint_that_wants_to_run_something_is_refused_before_it_does() -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (print, ("it ran",))

    with pytest.raises(DataError, match="asks to run builtins.print"):
        read_weights(checkpoint(weights(), evil=pickle.dumps({"model_state": Evil()})))


@pytest.mark.parametrize("content", [b"", b"\x80\x02N.", b"not a pickle", b"\x80\x04\x95" + b"\xff" * 40])
def test_any_other_file_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(DataError, match="no checkpoint"):
        ge2e_onnx(content)


def test_a_cut_off_or_other_checkpoint_is_refused() -> None:
    whole = checkpoint(weights())
    with pytest.raises(DataError):
        ge2e_onnx(whole[: len(whole) // 2])
    short = weights()
    del short["linear.bias"]
    with pytest.raises(DataError, match="linear.bias"):
        ge2e_onnx(checkpoint(short))
    broken = weights()
    broken["linear.bias"][0] = np.nan
    with pytest.raises(DataError, match="not a number"):
        ge2e_onnx(checkpoint(broken))
