"""Video against OpenCV seeking and against bare decoding of the same frames, in one run, as ratios.

    python tests/bench/bench_video.py [--folder DIR] [--rounds 2] [--seeks 8] [--size 1920x1080] [--only V2 V3]

Run from the repository's root. Films are made once in the folder. CPU time is that of the whole process with all its
threads; wall times on a shared machine are worth little, ratios within a round are good to 10–20 %.
No part of pass or fail.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what OpenCV's decoder complains about would bury the figures
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "media")]

from films import FILMS, draw_code, make_film, read_code  # noqa: E402

from workstation.media.base import OpenContext, Picture, View  # noqa: E402
from workstation.media.cache import MemoryCache  # noqa: E402
from workstation.media.opencv import cv2  # noqa: E402
from workstation.media.prefetch import Delivery, VideoLoader, Worker  # noqa: E402
from workstation.media.video import VideoFile, open_video  # noqa: E402

GROUP, RATE = 250, 30
SHOWN = View(width_px=1280, height_px=720)


def long_group_film(folder: Path, width: int, height: int, frames: int) -> Path:
    """A pan over a natural-looking texture with grain and a moving box, key frames 250 apart, three B-frames."""
    path = folder / f"long_{width}x{height}_{frames}.mp4"
    if path.exists():
        return path
    rng = np.random.default_rng(7)
    big = np.zeros((height + 256, width + 512), np.float32)
    for size in (4, 8, 16, 32, 64, 128):
        coarse = rng.standard_normal((big.shape[0] // size + 2, big.shape[1] // size + 2)).astype(np.float32)
        big += cv2.resize(coarse, big.shape[::-1], interpolation=cv2.INTER_CUBIC) * size**0.5
    texture = np.clip(118 + 38 * big / big.std(), 16, 235).astype(np.uint8)
    grain = rng.integers(0, 9, (8, height, width), np.uint8)
    part = folder / f"part-{path.name}"
    with av.open(str(part), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, 90000)
        group = {"g": str(GROUP), "keyint_min": str(GROUP), "sc_threshold": "0", "bf": "3"}
        stream.codec_context.options = {"preset": "veryfast", "crf": "20"} | group
        for number in range(frames):
            left, top = 2 * int(120 + 110 * np.sin(number / 60)), 2 * int(60 + 55 * np.sin(number / 47))
            luma = cv2.add(texture[top : top + height, left : left + width], grain[number % 8])
            x = int((0.5 + 0.4 * np.sin(number / 33)) * (width - 160))
            luma[height // 2 : height // 2 + 120, x : x + 160] = 70
            draw_code(luma, number)
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane, values in zip(
                frame.planes, (luma, luma[::2, ::2] // 4 + 96, 160 - luma[::2, ::2] // 4), strict=True
            ):
                np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width] = values
            frame.pts, frame.time_base = number * 90000 // RATE, stream.time_base
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    part.rename(path)
    return path


class Meter:
    """Milliseconds of CPU and wall per request."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []
        self.wrong = 0

    def run(self, action: Callable[[], Any]) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        answer = action()
        self.wall.append((time.perf_counter() - wall) * 1e3)
        self.cpu.append((time.process_time() - cpu) * 1e3)
        return answer

    def line(self, name: str, reference: Meter | None = None) -> str:
        wall = sorted(self.wall)
        spread = statistics.pstdev(self.cpu) / (statistics.mean(self.cpu) or 1)
        text = (
            f"  {name:34} CPU mean {statistics.mean(self.cpu):9.2f} ms  wall median {statistics.median(wall):8.2f}"
            f"  p95 {wall[min(len(wall) - 1, int(len(wall) * 0.95))]:8.2f}  n {len(wall):3}  spread {spread:4.0%}"
            f"  wrong {self.wrong}"
        )
        if reference is not None:
            text += f"  ratio CPU {statistics.mean(self.cpu) / statistics.mean(reference.cpu):.3f}"
            text += f" wall {statistics.median(wall) / statistics.median(reference.wall):.3f}"
        return text


class Cv2:
    """What a user would otherwise have."""

    def __init__(self, path: Path) -> None:
        self.capture = cv2.VideoCapture(str(path))

    def get(self, index: int) -> int | None:
        self.capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        good, pixels = self.capture.read()
        return read_code(pixels) if good else None


class Bare:
    """libavcodec from the key frame to the target, nothing else: the least that can be done without skipping."""

    def __init__(self, path: Path, threads: int) -> None:
        self.container = av.open(str(path))
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "FRAME" if threads > 1 else "SLICE"
        self.stream.codec_context.thread_count = threads
        packets = [(p.pts, p.dts, p.is_keyframe) for p in self.container.demux(self.stream) if p.size]
        self.times = sorted(pts for pts, _, _ in packets)
        self.keys = sorted((pts, dts) for pts, dts, key in packets if key)
        self.delay = max(pts - dts for pts, dts, _ in packets)

    def get(self, index: int) -> Any:
        target = self.times[index]
        _, dts = self.keys[bisect_right([pts for pts, _ in self.keys], target) - 1]
        self.container.seek(dts + self.delay, stream=self.stream)
        for frame in self.container.decode(self.stream):
            if frame.pts is not None and frame.pts >= target:
                return frame
        return None


def number_of(frame: av.VideoFrame) -> int | None:
    plane = frame.planes[0]
    return read_code(np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width])


def opened(path: Path) -> VideoFile:
    return open_video([path], {}, OpenContext(memory=MemoryCache()))


def exactness(folder: Path, seeks: int) -> None:
    print(f"V1  random frames with another picture than asked, of {seeks} requests a film (and requests unanswered)")
    rnd = random.Random(1)
    for film in FILMS:
        path = make_film(film, folder)
        video, other = opened(path), Cv2(path)
        asked = [rnd.randrange(len(film.shown)) for _ in range(seeks)]
        turns = film.rotation // 90
        ours = sum(read_code(np.rot90(video.picture(i).pixels, -turns)) != film.shown[i] for i in asked)
        theirs = [other.get(i) for i in asked]
        # OpenCV turns pictures only where it knows how; a picture it cannot turn is counted as unanswered.
        missing = theirs.count(None)
        wrong = sum(number not in (None, film.shown[i]) for i, number in zip(asked, theirs, strict=True))
        print(f"  {film.name:24} here {ours:3}   cv2.VideoCapture {wrong:3} (+ {missing} without a readable picture)")
        video.close()


def random_seeks(path: Path, rounds: int, seeks: int) -> None:
    bare1, bare2, theirs, ours, shown = Meter(), Meter(), Meter(), Meter(), Meter()
    one, two, capture = Bare(path, 1), Bare(path, 2), Cv2(path)
    rnd = random.Random(2)
    for _ in range(rounds):
        for index in [rnd.randrange(len(one.times)) for _ in range(seeks)]:
            bare1.run(lambda index=index: one.get(index))
            bare2.run(lambda index=index: two.get(index))
            theirs.wrong += theirs.run(lambda index=index: capture.get(index)) != index
            # A fresh cache each time: nothing may be held, and no request is near another.
            for meter, want in ((ours, "frame"), (shown, "picture")):
                video = opened(path)
                video.frame(5)
                got = meter.run(lambda video=video, index=index, want=want: _get(video, index, want))
                number = read_code(got.pixels) if isinstance(got, Picture) else number_of(got)
                meter.wrong += number != index
                video.close()
    print("V2  random exact seek (goal: CPU ≤ 0.9 of bare 1 thread; wall median ≤ 1.0 of bare 2 threads)")
    print(bare1.line("bare decode, 1 thread"))
    print(bare2.line("bare decode, 2 threads", bare1))
    print(theirs.line("cv2.VideoCapture", bare1))
    print(ours.line("here, decoded frame", bare1))
    print(ours.line("here, decoded frame; to 2 threads", bare2))
    print(shown.line("here, 720p picture", bare1))


def _get(video: VideoFile, index: int, want: str) -> Any:
    return video.frame(index) if want == "frame" else video.picture(index, SHOWN)


def steps_back(path: Path, frames: int, steps: int, cv2_steps: int, *, settle: bool) -> None:
    capture, theirs = Cv2(path), Meter()
    start = frames // GROUP * GROUP - 5
    for index in range(start, start - cv2_steps, -1):
        theirs.wrong += theirs.run(lambda index=index: capture.get(index)) != index
    ours = Meter()
    got: list[Delivery[Picture]] = []
    video = opened(path)
    worker: Worker[Picture] = Worker("bench", VideoLoader(video), got.append)
    _answered(worker, got, start)
    if settle:
        worker.wait_idle(60)
    cpu = time.process_time()
    for index in range(start - 1, start - 1 - steps, -1):
        due = time.perf_counter() + 0.1
        ours.run(lambda index=index: _answered(worker, got, index))
        time.sleep(max(0.0, due - time.perf_counter()))
    total = (time.process_time() - cpu) * 1e3 / steps
    ours.wrong = sum(read_code(d.value.pixels) != d.request.index if d.value else 1 for d in got)
    worker.close()
    video.close()
    late = sum(wall > 50 for wall in ours.wall[1:])
    print("V3  steps back, 10 a second, 720p (goal: CPU a step ≤ 1/20 of OpenCV; none over 50 ms after the first)")
    print(f"  begun {'once what lies around was read' if settle else 'right after a jump'}")
    print(theirs.line("cv2.VideoCapture"))
    print(ours.line("here, answer only"))
    print(
        f"  here, reading ahead counted: CPU a step {total:.1f} ms = 1/{statistics.mean(theirs.cpu) / total:.0f} of"
        f" OpenCV; first {ours.wall[0]:.0f} ms, then worst {max(ours.wall[1:]):.1f} ms, {late} over 50 ms"
    )


def _answered(worker: Worker[Picture], got: list[Delivery[Picture]], index: int) -> Delivery[Picture]:
    request = worker.show(index, SHOWN)
    while not got or got[-1].request.number < request.number:
        time.sleep(0.0002)
    return got[-1]


def scrub(path: Path, frames: int, positions: int, cv2_positions: int) -> None:
    rnd = random.Random(3)
    middle = frames // GROUP * GROUP - GROUP // 2
    asked = [middle + rnd.randrange(60) for _ in range(positions)]
    capture, theirs = Cv2(path), Meter()
    for index in asked[:cv2_positions]:
        theirs.wrong += theirs.run(lambda index=index: capture.get(index)) != index
    ours, video = Meter(), opened(path)
    for index in asked:
        picture = ours.run(lambda index=index: video.picture(index, SHOWN))
        ours.wrong += read_code(picture.pixels) != index
    video.close()
    print("V4  100 positions within 2 s (goal: CPU ≤ 1/10 of OpenCV; after the first, median ≤ 3 ms)")
    print(theirs.line("cv2.VideoCapture"))
    print(ours.line("here, 720p picture", theirs))
    print(f"  here CPU 1/{statistics.mean(theirs.cpu) / statistics.mean(ours.cpu):.0f} of OpenCV;", end=" ")
    print(f"median after the first {statistics.median(ours.wall[1:]):.2f} ms")


def two_hours(folder: Path) -> Path:
    """216,000 frames at 30 a second, from the packets of a short film over and over."""
    path = folder / "two_hours.mp4"
    if path.exists():
        return path
    with av.open(str(make_film(FILMS[0], folder))) as source:
        template = source.streams.video[0]
        packets = [p for p in source.demux(template) if p.size]
        part = folder / "part-two_hours.mp4"
        with av.open(str(part), "w") as container:
            stream = container.add_stream_from_template(template)
            payload = [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in packets]
            for lap in range(216_000 // len(payload)):
                for data, pts, dts, key in payload:
                    packet = av.Packet(data)
                    packet.stream, packet.time_base, packet.is_keyframe = stream, template.time_base, key
                    packet.pts, packet.dts = pts + lap * 450_000, dts + lap * 450_000
                    packet.duration = 3000
                    container.mux(packet)
    part.rename(path)
    return path


def opening(folder: Path, path: Path) -> None:
    for name in (two_hours(folder), path):
        meter = Meter()
        video = meter.run(lambda name=name: opened(name))
        video.close()
        print(f"T   opening {name.name} with a new frame table: {meter.wall[0] / 1e3:.2f} s", end=" ")
        print(f"({meter.cpu[0] / 1e3:.2f} s of CPU) for {len(video.table)} frames")


def wanted(arguments: argparse.Namespace, folder: Path) -> Iterator[Callable[[], object]]:
    width, height = (int(part) for part in arguments.size.split("x"))
    path = long_group_film(folder, width, height, arguments.frames)
    tasks: dict[str, Callable[[], object]] = {
        "V1": lambda: exactness(folder, 30),
        "V2": lambda: random_seeks(path, arguments.rounds, arguments.seeks),
        "V3": lambda: [steps_back(path, arguments.frames, 60, 2, settle=settle) for settle in (False, True)],
        "V4": lambda: scrub(path, arguments.frames, 100, 4),
        "T": lambda: opening(folder, path),
    }
    for name, task in tasks.items():
        if not arguments.only or name in arguments.only:
            yield task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "workstation-bench")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seeks", type=int, default=5)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for task in wanted(arguments, arguments.folder):
        task()


if __name__ == "__main__":
    main()
