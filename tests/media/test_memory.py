"""Nothing grows: streams of every kind opened and closed, twelve cameras scrubbed. ``bench_memory.py`` does it long."""

from __future__ import annotations

from pathlib import Path

import pytest
from films import FILMS, make_film
from wear import cameras, held_now, make_sample, open_and_close, scrub

from workstation.media.base import OpenContext, View
from workstation.media.cache import DiskCache, MemoryCache
from workstation.media.probe import built_in_readers
from workstation.media.proxy import ProxyFolder

MIB = 1 << 20


@pytest.mark.slow
def test_opening_and_closing_streams_of_every_kind_leaves_nothing_behind(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "media")
    memory = MemoryCache(16 * MIB)
    context = OpenContext(memory=memory, disk=DiskCache(tmp_path / "cache"))
    readers = built_in_readers()
    for _ in range(12):  # until allocators and lazy imports have what they keep
        open_and_close(sample, readers, context)
    before = held_now()
    for _ in range(20):
        open_and_close(sample, readers, context)
        assert memory.used_bytes == 0
    after = held_now()
    assert (after.threads, after.open_files) == (before.threads, before.open_files)
    # 20 rounds of 11 streams: a decoder, a table or a frame kept by each would be far more.
    assert after.resident_bytes - before.resident_bytes < 16 * MIB


@pytest.mark.slow
def test_scrubbing_over_twelve_cameras_stays_within_the_limit(tmp_path: Path) -> None:
    memory = MemoryCache(12 * MIB)
    context = OpenContext(memory=memory, disk=DiskCache(tmp_path / "cache"))
    paths = [make_film(FILMS[i % 3], tmp_path) for i in range(12)]
    before = held_now()
    fullest = 0

    def look() -> None:
        nonlocal fullest
        fullest = max(fullest, memory.used_bytes)

    with cameras(paths, context, ProxyFolder(tmp_path / "proxies", 4 * MIB)) as opened:
        scrub(opened, 1.0, view=View(width_px=120), look=look)
        warm = held_now()
        scrub(opened, 2.0, view=View(width_px=120), look=look, seed=2)
        later = held_now()
    after = held_now()
    assert 0 < fullest <= memory.limit_bytes
    assert memory.used_bytes == 0
    # Two threads of the worker, and two for each decoder: forward, back, previews; the last two come and go.
    assert max(warm.threads, later.threads) - before.threads <= 12 * (2 + 3 * 2)
    assert later.resident_bytes - warm.resident_bytes < 48 * MIB
    assert (after.threads, after.open_files) == (before.threads, before.open_files)
