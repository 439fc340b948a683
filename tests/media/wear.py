"""Wear and tear: a sample of every kind of stream that is opened and closed over and over, and cameras scrubbed.

Used by the memory test and by ``tests/bench/bench_memory.py``; what counts is what the process still holds afterwards.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from clouds import street, write_pcd
from dicom_files import voxels, write_series
from films import FILMS, make_film
from PIL import Image
from sounds import encode, impulses, write_wav

from workstation.media.base import (
    AudioReader,
    CloudReader,
    DocumentReader,
    ImageReader,
    OpenContext,
    Picture,
    Reader,
    ReaderSpec,
    SeriesReader,
    VideoReader,
    View,
    VolumeReader,
)
from workstation.media.prefetch import REST_S, Delivery, Request, VideoLoader, Worker
from workstation.media.probe import open_stream
from workstation.media.proxy import ProxyFolder, open_proxy
from workstation.media.video import VideoFile, open_video

WAIT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the process holds now."""

    resident_bytes: int
    threads: int
    open_files: int

    def __str__(self) -> str:
        return f"{self.resident_bytes / 2**20:6.1f} MiB resident, {self.threads} threads, {self.open_files} open files"


def held_now() -> Held:
    """Measured by the kernel, after garbage was collected."""
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Held(
        resident_bytes=resident,
        threads=sum(1 for _ in Path("/proc/self/task").iterdir()),
        open_files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
    )


def make_sample(folder: Path) -> dict[str, list[Path]]:
    """One small file, or a few, of every kind of stream."""
    folder.mkdir(parents=True, exist_ok=True)
    signal, _ = impulses(16000, 3.0)
    write_wav(folder / "talk.wav", (signal * 32767).astype(np.int16), 16000)
    encode(folder / "talk.m4a", "aac", signal, 16000)
    write_pcd(folder / "sweep.pcd", street(5000))
    rng = np.random.default_rng(1)
    for number in range(6):
        Image.fromarray(rng.integers(0, 256, (120, 160, 3), np.uint8)).save(folder / f"still_{number}.png")
    rows = "\n".join(f"{i / 100},{i % 7},{i * 0.5}" for i in range(500))
    (folder / "imu.csv").write_text("time_s,speed,angle\n" + rows)
    (folder / "words.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nTurn left here.\n")
    (folder / "notes.txt").write_text("Nothing unusual.\n")
    places = np.stack([np.zeros(6), np.zeros(6), np.arange(6) * 2.0], axis=1)
    slices = write_series(folder / "ct", voxels(6), places=places)
    return {
        "video": [make_film(FILMS[1], folder)],
        "video, AV1": [make_film(next(film for film in FILMS if film.name == "av1.mkv"), folder)],
        "sound": [folder / "talk.wav"],
        "sound, compressed": [folder / "talk.m4a"],
        "cloud": [folder / "sweep.pcd"],
        "image": [folder / "still_0.png"],
        "sequence": sorted(folder.glob("still_*.png")),
        "series": [folder / "imu.csv"],
        "captions": [folder / "words.vtt"],
        "text": [folder / "notes.txt"],
        "volume": slices,
    }


_READERS = {"sequence": "image_sequence", "series": "series"}


def open_and_close(sample: dict[str, list[Path]], readers: Sequence[ReaderSpec], context: OpenContext) -> None:
    """Open every stream of a sample, look at something of each, close them all."""
    opened: list[Reader] = []
    try:
        for name, paths in sample.items():
            reader = open_stream(paths, readers, reader=_READERS.get(name, ""), options={}, context=context)
            opened.append(reader)
            _look_at(reader)
    finally:
        for reader in opened:
            reader.close()


def _look_at(reader: Reader) -> None:
    looked = 0
    if isinstance(reader, VideoReader):
        looked = reader.picture(len(reader.table) // 2, View(width_px=100)).pixels.size
        looked += reader.picture(0).pixels.size
    elif isinstance(reader, ImageReader):
        looked = reader.picture(View(width_px=50)).pixels.size
    elif isinstance(reader, AudioReader):
        looked = reader.read(1000, 9000).size
    elif isinstance(reader, CloudReader):
        looked = len(reader.cloud(0, max_points=1000).points)
    elif isinstance(reader, VolumeReader):
        looked = reader.slab(0, 2).size
    elif isinstance(reader, SeriesReader):
        looked = reader.values(reader.channels[0].name).size
    elif isinstance(reader, DocumentReader):
        looked = len(reader.page_text(0))
    assert looked or reader.info.count, reader


class Camera:
    """A film with its worker and previews, as a pane has them; remembers only the last delivery."""

    def __init__(self, path: Path, context: OpenContext, folder: ProxyFolder | None) -> None:
        self.video: VideoFile = open_video([path], {}, context)
        self.proxy = None if folder is None else open_proxy(self.video, folder, context)
        self.last: Delivery[Picture] | None = None
        self.answers = 0
        self._changed = threading.Condition()
        self.worker = Worker(path.stem, VideoLoader(self.video, previews=self.proxy), self._take)

    def wait_for(self, request: Request) -> Delivery[Picture]:
        """The exact answer."""
        with self._changed:
            done = lambda: self.last is not None and self.last.request == request and not self.last.preview  # noqa: E731
            assert self._changed.wait_for(done, WAIT_S), request
            assert self.last is not None
            return self.last

    def close(self) -> None:
        self.worker.close()
        if self.proxy is not None:
            self.proxy.close()
        self.video.close()

    def _take(self, delivery: Delivery[Picture]) -> None:
        with self._changed:
            self.last = delivery
            self.answers += 1
            self._changed.notify_all()


@contextmanager
def cameras(paths: Sequence[Path], context: OpenContext, folder: ProxyFolder | None = None) -> Iterator[list[Camera]]:
    opened = [Camera(path, context, folder) for path in paths]
    try:
        yield opened
    finally:
        for camera in opened:
            camera.close()


def scrub(opened: Sequence[Camera], seconds: float, *, view: View, look: Callable[[], None], seed: int = 1) -> int:
    """Jump, drag and step all cameras together for so long, ``look`` after every gesture; how many requests."""
    rnd = random.Random(seed)
    asked = 0
    count = min(len(camera.video.table) for camera in opened)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        at = rnd.randrange(count)
        gesture = rnd.choice((range(at, at + 1), range(at, min(count, at + 40), 4), range(at, max(-1, at - 20), -1)))
        for index in gesture:
            requests = [camera.worker.show(index, view) for camera in opened]
            asked += len(requests)
        for camera, request in zip(opened, requests, strict=True):
            delivery = camera.wait_for(request)
            assert delivery.error is None, delivery.error
        look()
        if rnd.random() < 0.1:
            threading.Event().wait(2 * REST_S)  # a hand rests now and then, and previews are built
    return asked
