"""What listens, on real recordings with real weights: errors against their truth, and how fast. Run by hand.

    python tests/bench/bench_speech.py RECORDING [--rttm FILE] [--script FILE] [--speakers N]

Uses the models of the models folder (``workstation models install silero-vad ge2e whisper-tiny-en``); what is not there
is printed as not run. Goals: the voice detector 100 times, speakers 20 times as fast as the sound on one core.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import soundfile

from workstation.app.models import models_shelf
from workstation.core.errors import UserError
from workstation.prelabel.evaluate_speech import Turn, read_rttm, turn_errors, turns_of, word_errors
from workstation.prelabel.speakers import who_speaks
from workstation.prelabel.speech_sound import RATE_HZ, as_speech
from workstation.prelabel.speech_text import open_whisper, transcribe
from workstation.prelabel.speech_vad import SpeechLimits, chunks_of, probabilities, segments
from workstation.prelabel.worker import Worker


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--rttm", type=Path)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--speakers", type=int)
    parser.add_argument("--whisper", default="whisper-tiny-en")
    given = parser.parse_args()
    samples, rate = soundfile.read(given.recording, always_2d=True, dtype="float32")
    sound = as_speech(samples, rate)
    length = len(sound) / RATE_HZ
    shelf = models_shelf()
    truth = [] if given.rttm is None else read_rttm(given.rttm.read_text(), recording=given.recording.stem)

    model = shelf.find("silero-vad")
    with Worker(model.file(), threads=1) as worker:
        start = time.perf_counter()
        probable = probabilities(worker, [sound[at : at + RATE_HZ] for at in range(0, len(sound), RATE_HZ)])
        spans = segments(probable, SpeechLimits.of(model.manifest.thresholds), length_s=length)
        print(f"speech: {len(spans)} spans, {length / (time.perf_counter() - start):.0f} × real time (goal 100)")
    if truth:
        made = turn_errors(together(truth), together(turns_of(spans)), length_s=length)
        print(f"  error {made.rate:.1%} of {made.speech_s:.1f} s: missed {made.missed_s:.2f}, false {made.false_s:.2f}")

    try:
        with Worker(shelf.find("ge2e").file(), threads=1) as worker:
            start = time.perf_counter()
            voices = who_speaks(worker, sound, spans, speakers=given.speakers)
            pace = length / (time.perf_counter() - start)
        print(f"speakers: {len(voices.centroids)}, {len(voices.spans)} turns, {pace:.0f} × real time (goal 20)")
        if truth:
            made = turn_errors(truth, turns_of(voices.spans), length_s=length)
            print(f"  DER {made.rate:.1%}: missed {made.missed_s:.2f}, false {made.false_s:.2f}, "
                  f"confused {made.confused_s:.2f} of {made.speech_s:.1f} s")  # fmt: skip
    except UserError as why:
        print(f"speakers: not run ({why})")

    try:
        whisper = open_whisper(shelf.find(given.whisper).folder, threads=2)
        start = time.perf_counter()
        done = transcribe(whisper, sound, chunks_of(spans, probable))
        said = [span for _, some in done for span in some]
        pace = length / (time.perf_counter() - start)
        print(f"words: {sum(len(span.words) for span in said)}, {pace:.1f} × real time")
        if given.script is not None:
            print(f"  {word_errors(given.script.read_text(), ' '.join(span.text for span in said))}")
    except UserError as why:
        print(f"words: not run ({why})")


def together(turns: list[Turn]) -> list[Turn]:
    """As if one person spoke: whether anybody does, not who."""
    return [Turn(start_s=each.start_s, end_s=each.end_s, speaker="anybody") for each in turns]


if __name__ == "__main__":
    main()
