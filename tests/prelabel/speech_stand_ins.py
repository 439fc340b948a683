"""Graphs made of arithmetic, so that tests of speech know the answer without any weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.tiny_graphs import Node, graph_bytes
from workstation.app.models import add, models_shelf
from workstation.prelabel.api import FoundSpan, FoundWord
from workstation.prelabel.speech_sound import Sound
from workstation.prelabel.speech_text import Heard

RATE = 16_000


def voice(seconds: float, pitch_hz: float, *, seed: int = 0) -> NDArray[np.float32]:
    """Something like a vowel: a pitch with its harmonics, swelling four times a second, and a little breath."""
    t = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 12))
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)
    breath = np.random.default_rng(seed).normal(0, 0.01, len(t))
    return (0.2 * tone * swell + breath).astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


class LoudIsSpeech:
    """A Silero graph that calls a window speech when it is loud, and counts windows and samples in its memory."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def run(self, feeds: Any) -> dict[str, NDArray[Any]]:
        windows, h, c = feeds["input"], feeds["h"].copy(), feeds["c"].copy()
        assert windows.shape[1] == 576
        assert windows.dtype == np.float32
        self.calls.append(len(windows))
        loud = np.abs(windows[:, 64:]).mean(axis=1)
        # The memory takes part in the answer: whoever loses it between chunks is found out.
        steps = h[0, 0, 0] + np.arange(1, len(windows) + 1)
        h[0, 0, 0] += len(windows)
        c[0, 0, 0] += windows[:, :64].sum()
        return {"speech_probs": np.clip(loud * 10, 0, 0.9) + steps * 1e-5, "hn": h, "cn": c}


class PitchIsVoice:
    """A speaker encoder that answers where most of the power of the mels lies."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []

    def run(self, feeds: Any) -> dict[str, NDArray[Any]]:
        mels = feeds["mels"]
        self.batches.append(mels.shape)
        power = mels.mean(axis=1)
        return {"embedding": power / np.linalg.norm(power, axis=1, keepdims=True)}


def loud_is_speech() -> bytes:
    """Ten times the mean loudness of each window, at most 0.9; memory goes through unchanged."""
    return graph_bytes(
        [
            Node("Abs", ["input"], ["loud"]),
            Node("ReduceMean", ["loud"], ["mean"], {"axes": [1], "keepdims": 0}),
            Node("Mul", ["mean", "ten"], ["much"]),
            Node("Min", ["much", "most"], ["speech_probs"]),
            Node("Identity", ["h"], ["hn"]),
            Node("Identity", ["c"], ["cn"]),
        ],
        inputs={"input": ["n", 576], "h": [1, 1, 128], "c": [1, 1, 128]},
        outputs={"speech_probs": ["n"], "hn": [1, 1, 128], "cn": [1, 1, 128]},
        weights={"ten": np.array([10], np.float32), "most": np.array([0.9], np.float32)},
    )


def model(folder: Path, name: str, task: str, family: str, files: dict[str, bytes], extra: str = "") -> None:
    """Bring a model of that name."""
    folder.mkdir()
    said = []
    for file, data in files.items():
        (folder / file).write_bytes(data)
        role = "model" if file.startswith("model") else file.partition(".")[0]
        said.append(f"{role}: {{path: {file}, sha256: {hashlib.sha256(data).hexdigest()}}}")
    (folder / "model.yaml").write_text(
        f'schema: 1\nid: {name}\nversion: "2"\ntask: {task}\nfamily: {family}\nfiles: {{{", ".join(said)}}}\n'
        f"{'' if 'labels:' in extra else 'labels: [speech]'}\n{extra}",
        encoding="utf-8",
    )
    add(folder, models_shelf())


class Stand:
    """Hears two words in every piece, and German amid what is said for longer than two seconds."""

    name = "stand"

    def hear(self, sound: Sound, language: str) -> Heard:
        length = len(sound) / RATE
        words = (
            FoundWord(text="well", start_s=0.1, end_s=0.4, score=0.75),
            FoundWord(text=" ja", start_s=0.4, end_s=length, score=0.25),
        )
        span = FoundSpan(start_s=0.1, end_s=length, label="speech", score=0.5, text="well ja", words=words)
        return Heard(spans=(span,), language="en", languages=({"en": 0.5, "de": 0.4} if length > 2.5 else {"en": 1.0},))
