"""Ten hours of sound: waveform against bare decoding, zoom and pan, memory. Ratios of one run; no part of pass or fail.

    python tests/bench/bench_audio.py [--folder DIR] [--hours 10] [--rounds 3] [--peer-hours 0.5]

Run from the repository's root. The files are made once in the folder. Goals A1 and A2 (the query; painting is the
pane's). Beside them what a user would otherwise have: reading everything into pyqtgraph's own plot with its reduction
to peaks on, of ``--peer-hours`` (ten hours of it took 76 s and 15 GB where the goals were set), off screen, in a
process of its own. Both then show the same spans of that shorter sound; pyqtgraph's figure holds its painting.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from workstation.core.clock import Clock  # noqa: E402
from workstation.core.timebase import SECOND_NS, TimeRange  # noqa: E402
from workstation.media.audio import AudioFile, open_audio  # noqa: E402
from workstation.media.audio_pyramid import Waveform  # noqa: E402
from workstation.media.base import OpenContext  # noqa: E402
from workstation.media.cache import DiskCache, MemoryCache  # noqa: E402
from workstation.media.playback import Player, Track  # noqa: E402
from workstation.media.playback_recorded import RecordedOutput  # noqa: E402
from workstation.media.spectrogram import Spectrogram  # noqa: E402

RATE = 16000
WIDTH = 1600
REQUESTS = 200


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def make(path: Path, hours: float) -> Path:
    """Speech-like loudness over noise and tones."""
    if not path.exists():
        rng = np.random.default_rng(2)
        time_s = np.arange(RATE * 60) / RATE
        minutes = []
        for _ in range(6):
            loud = np.clip(np.interp(time_s, np.arange(62), rng.random(62)) - 0.35, 0, 1)
            tone = np.sin(2 * np.pi * (120 + 30 * np.sin(time_s)) * time_s) + 0.3 * rng.standard_normal(len(time_s))
            minutes.append(np.clip(9000 * loud * tone + 30 * rng.standard_normal(len(time_s)), -32768, 32767))
        with soundfile.SoundFile(path, "w", RATE, 1, subtype="PCM_16") as file:
            for number in range(int(hours * 60)):
                file.write(np.roll(minutes[number % 6], number * 991).astype(np.int16))
    return path


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """(wall, CPU) seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def bare_read(path: Path) -> None:
    with soundfile.SoundFile(path) as file:
        while len(file.read(1 << 18, dtype="int16")):
            pass


def resident_mb() -> float:
    """Now, with mapped pages; Linux only."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def build(path: Path, rounds: int, disk: DiskCache) -> None:
    ratios, wall_ratios, walls, firsts = [], [], [], []
    for _ in range(rounds):
        bare_wall, bare = timed(lambda: bare_read(path))
        sound = open_audio(path)
        begin = time.perf_counter()
        first: list[float] = []

        def told(share: float, sound: AudioFile = sound, first: list[float] = first, begin: float = begin) -> None:
            if not first and share * sound.frames >= 60 * RATE:
                first.append(time.perf_counter() - begin)

        context = OpenContext(progress=told)
        waveform = Waveform.open(sound, context)
        wall, cpu = timed(lambda waveform=waveform, context=context: waveform.build(context))  # type: ignore[misc]
        ratios.append(cpu / bare)
        wall_ratios.append(wall / bare_wall)
        walls.append(wall)
        firsts.append(first[0] * 1000)
        sound.close()
    goal = "4.0" if path.suffix == ".wav" else "1.1"
    say(
        f"A1 {path.name}: first minute {statistics.median(firsts):.0f} ms (goal 100); pyramid CPU "
        f"{statistics.median(ratios):.2f} x bare decode ({min(ratios):.2f}-{max(ratios):.2f}), wall "
        f"{statistics.median(wall_ratios):.2f} x (goal {goal}; {min(wall_ratios):.2f}-{max(wall_ratios):.2f}); "
        f"{statistics.median(walls):.2f} s; resident {resident_mb():.0f} MB"
    )
    sound = open_audio(path)
    context = OpenContext(disk=disk)
    Waveform.open(sound, context).build(context)
    sound.close()
    again = open_audio(path)
    wall, _ = timed(lambda: Waveform.open(again, OpenContext(disk=disk)).columns(0, again.frames, WIDTH))
    size = sum(file.stat().st_size for file in disk.folder.rglob("*") if file.is_file()) >> 20
    say(f"   reopened from the cache: {wall * 1000:.1f} ms to all of it; {size} MB on disk so far")
    again.close()


def zoom(path: Path, disk: DiskCache) -> None:
    context = OpenContext(disk=disk, memory=MemoryCache(256 << 20))
    sound = open_audio(path, context=context)
    waveform = Waveform.open(sound, context)
    rng = np.random.default_rng(1)
    for span_s in (36000.0, 3600.0, 600.0, 60.0, 10.0, 1.0, 0.05):
        span = min(int(span_s * RATE), sound.frames)
        # What the window's thread waits for; of compressed sound a worker brings the exact columns afterwards.
        for at_once in (True, False) if waveform.must_decode(0, span, WIDTH) else (True,):
            waits = []
            for _ in range(REQUESTS):
                start = int(rng.integers(0, max(1, sound.frames - span)))
                begin = time.perf_counter()
                waveform.columns(start, start + span, WIDTH, at_once=at_once)
                waits.append((time.perf_counter() - begin) * 1000)
            middle, p99 = statistics.median(waits), float(np.percentile(waits, 99))
            what = "query" if at_once else "exact, on a worker:"
            say(f"A2 {path.name} {span / RATE:8.2f} s: {what} median {middle:.2f} ms (goal 1), p99 {p99:.2f} (16.7)")
    spectrogram = Spectrogram(sound, context)
    waits = []
    for number in range(min(50, spectrogram.columns(0) // 256)):
        begin = time.perf_counter()
        spectrogram.tile(0, 0, number)
        waits.append((time.perf_counter() - begin) * 1000)
    say(f"   spectrogram tile of {256 * 128 / RATE:.1f} s: median {statistics.median(waits):.2f} ms")
    say(f"   resident {resident_mb():.0f} MB, of which decoded blocks {context.memory.used_bytes >> 20} MB")
    sound.close()


PEER = """
import json, os, sys, time
import numpy as np, soundfile
begin = time.perf_counter()
samples, rate = soundfile.read(sys.argv[1], dtype="float32")
import pyqtgraph
app = pyqtgraph.mkQApp()
plot, curve = pyqtgraph.PlotWidget(), pyqtgraph.PlotDataItem()
plot.resize(int(sys.argv[2]), 240)
curve.setData(np.arange(len(samples)) / rate, samples)
plot.addItem(curve)
plot.setDownsampling(auto=True, mode="peak")
plot.setClipToView(True)
plot.show(); app.processEvents(); plot.grab()
told = {"first": time.perf_counter() - begin, "redraw": []}
for span, starts in json.loads(sys.argv[3]):
    waits = []
    for start in starts:
        begin = time.perf_counter()
        plot.setXRange(start, start + span, padding=0); app.processEvents(); plot.grab()
        waits.append((time.perf_counter() - begin) * 1000)
    told["redraw"].append(waits)
status = open("/proc/self/status").read()
told["resident"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps(told)); sys.stdout.flush(); os._exit(0)  # its teardown may crash
"""


def peer(path: Path) -> None:
    """The whole sound in pyqtgraph's plot, and here; then the same pans at every zoom."""
    before = resident_mb()
    begin = time.perf_counter()
    sound = open_audio(path)
    context = OpenContext()
    waveform = Waveform.open(sound, context)
    waveform.build(context)
    waveform.columns(0, sound.frames, WIDTH)
    first = time.perf_counter() - begin
    rng = np.random.default_rng(4)
    length = sound.frames / RATE
    spans = [
        (span, rng.uniform(0, length - span, 12).tolist())
        for span in (length / 2, 600.0, 60.0, 10.0, 1.0)
        if span < length
    ]
    command = [sys.executable, "-c", PEER, str(path), str(WIDTH), json.dumps(spans)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        say(f"   pyqtgraph could not be measured: {answer.stderr.strip().splitlines()[-1:]}")
        return
    theirs = json.loads(answer.stdout)
    say(
        f"against pyqtgraph, {length / 3600:g} h: first waveform of all of it {first:.2f} s,"
        f" there {theirs['first']:.2f} s (1/{theirs['first'] / first:.0f});"
        f" resident {resident_mb() - before:+.0f} MB, there {theirs['resident']:.0f}"
    )
    for (span, starts), waits in zip(spans, theirs["redraw"], strict=True):
        ours = []
        for start in starts:
            begin = time.perf_counter()
            waveform.columns(int(start * RATE), int((start + span) * RATE), WIDTH)
            ours.append((time.perf_counter() - begin) * 1000)
        mine, other = statistics.median(ours), statistics.median(waits)
        say(f"   {span:8.1f} s: median {mine:.2f} ms, there {other:.1f} ms (1/{other / mine:.0f})")
    sound.close()


def open_and_close(path: Path, times: int = 500) -> None:
    """A sample after another: opened, looked at, played for a moment, closed. Nothing may grow."""
    context = OpenContext(memory=MemoryCache(64 << 20))
    clock, output = Clock(TimeRange(0, 36_000 * SECOND_NS)), RecordedOutput()
    player = Player(clock, output)
    rng = np.random.default_rng(3)
    seen: list[tuple[float, int, int]] = []
    heard, begin = 0, time.perf_counter()
    for number in range(times):
        sound = open_audio(path, context=context)
        start = int(rng.integers(0, sound.frames - RATE))
        Waveform.open(sound, context).columns(start, start + RATE, WIDTH)
        sound.close()
        player.set_tracks([Track("mic", open=lambda: open_audio(path, context=context))])
        player.play_range(start * SECOND_NS // RATE, start * SECOND_NS // RATE + 50_000_000)
        output.pass_time(player, 100_000_000)
        heard += sum(np.count_nonzero(block[:, 0]) for block in output.take())
        if number in (times // 10, times - 1):
            seen.append((resident_mb(), len(list(Path("/proc/self/fd").iterdir())), threading.active_count()))
    wall = time.perf_counter() - begin
    player.close()
    (early, early_files, early_threads), (late, files, threads) = seen
    say(
        f"{times} x open, look, play, close of {path.name}: {wall / times * 1000:.1f} ms each; resident after a tenth "
        f"{early:.0f} MB, at the end {late:.0f} MB; open files {early_files} to {files}, threads {early_threads} to "
        f"{threads}; {heard / 48000:.1f} s went to the device"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path)
    options.add_argument("--hours", type=float, default=10)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", default="wav,flac")
    options.add_argument("--peer-hours", type=float, default=0.5)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        disk = DiskCache(Path(scratch) / "cache")
        for suffix in chosen.only.split(","):
            path = make(folder / f"long_{chosen.hours:g}h.{suffix}", chosen.hours)
            build(path, chosen.rounds if suffix == "wav" else 1, disk)
            zoom(path, disk)
            open_and_close(path)
        if chosen.peer_hours:
            peer(make(folder / f"long_{chosen.peer_hours:g}h.wav", chosen.peer_hours))


if __name__ == "__main__":
    main()
