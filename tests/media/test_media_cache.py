"""The caches: limits that hold, fairness between streams, and files on disk that may vanish or rot."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.media.base import Cancelled, CancelToken
from workstation.media.cache import DiskCache, MemoryCache, hash_file

KEY = hashlib.sha256(b"some film").hexdigest()


def test_a_stream_that_plays_cannot_push_out_what_another_needs() -> None:
    cache = MemoryCache(1000)
    still, playing = cache.share(), cache.share()
    for i in range(5):
        still.put(i, f"still {i}", 100)
    for i in range(100):
        playing.put(i, f"playing {i}", 100)
    assert all(still.get(i) == f"still {i}" for i in range(5))
    assert [i for i in range(100) if i in playing] == [95, 96, 97, 98, 99]


def test_one_stream_alone_may_fill_everything() -> None:
    cache = MemoryCache(1000)
    share = cache.share()
    for i in range(10):
        assert share.put(i, i, 100)
    assert cache.used_bytes == 1000
    share.get(0)
    share.put(10, 10, 100)
    assert 0 in share  # used just now
    assert 1 not in share


def test_a_closed_stream_gives_its_bytes_back_and_keeps_nothing_more() -> None:
    cache = MemoryCache(1000)
    share = cache.share()
    share.put("frame", 1, 400)
    share.close()
    assert cache.used_bytes == 0
    assert not share.put("frame", 1, 400)
    assert share.get("frame") is None


def test_what_is_larger_than_everything_is_not_held() -> None:
    cache = MemoryCache(1000)
    share = cache.share()
    share.put("small", 1, 10)
    assert not share.put("huge", 2, 1001)
    assert share.get("small") == 1


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 400)), max_size=120),
    st.integers(1, 1500),
)
def test_the_byte_limit_holds_whatever_is_put(steps: list[tuple[int, int, int]], limit: int) -> None:
    cache = MemoryCache(limit)
    shares = [cache.share() for _ in range(4)]
    for owner, key, size in steps:
        shares[owner].put(key, (owner, key, size), size)
        assert cache.used_bytes <= limit
        assert cache.used_bytes == sum(share.used_bytes for share in shares)
        held = shares[owner].get(key)
        assert held is None or held == (owner, key, size)


def test_many_threads_keep_the_sum_right() -> None:
    cache = MemoryCache(10_000)
    shares = [cache.share() for _ in range(4)]

    def work(number: int) -> None:
        for i in range(500):
            shares[number].put(i % 37, i, 10 + i % 90)
            shares[(number + 1) % 4].get(i % 37)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.used_bytes == sum(share.used_bytes for share in shares) <= 10_000


def test_stored_bytes_come_back_after_a_restart(tmp_path: Path) -> None:
    DiskCache(tmp_path).write("frame_table", KEY, 1, b"rows")
    assert DiskCache(tmp_path).read("frame_table", KEY, 1) == b"rows"
    mapped = DiskCache(tmp_path).mapped("frame_table", KEY, 1)
    assert mapped is not None
    assert bytes(mapped) == b"rows"


def test_another_version_is_another_entry(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.write("frame_table", KEY, 1, b"old")
    assert cache.read("frame_table", KEY, 2) is None


@pytest.mark.parametrize("damage", [b"", b"WSCACHE1", b"nonsense" * 9])
def test_a_damaged_entry_is_gone_not_believed(tmp_path: Path, damage: bytes) -> None:
    cache = DiskCache(tmp_path)
    cache.write("frame_table", KEY, 1, b"rows")
    (entry,) = tmp_path.glob("frame_table/*/*")
    entry.write_bytes(damage)
    assert cache.read("frame_table", KEY, 1) is None
    assert not entry.exists()
    entry.write_bytes(damage)
    assert cache.mapped("frame_table", KEY, 1) is None
    assert not entry.exists()


@given(st.binary(min_size=1, max_size=200), st.data())
def test_every_flipped_byte_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, payload: bytes, data: st.DataObject
) -> None:
    cache = DiskCache(tmp_path_factory.mktemp("cache"))
    cache.write("pyramid", KEY, 1, payload)
    (entry,) = cache.folder.glob("pyramid/*/*")
    raw = bytearray(entry.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    entry.write_bytes(bytes(raw))
    assert cache.read("pyramid", KEY, 1) is None


def _build_and_stop(cache: DiskCache) -> None:
    token = CancelToken()
    with cache.writing("pyramid", KEY, 1) as write:
        write(b"half")
        token.cancel()
        token.check()


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    with pytest.raises(Cancelled):
        _build_and_stop(cache)
    assert cache.read("pyramid", KEY, 1) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_disk_limit_drops_what_was_not_used_for_longest(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, limit_bytes=5000)
    keys = [hashlib.sha256(bytes([i])).hexdigest() for i in range(8)]
    for number, key in enumerate(keys):
        cache.write("pyramid", key, 1, bytes(1000))
        for path in tmp_path.glob(f"pyramid/*/{key}.1"):
            os.utime(path, ns=(number * 10**9, number * 10**9))
        if number >= 1:
            assert cache.read("pyramid", keys[0], 1) is not None  # used again and again
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 5000
    assert cache.read("pyramid", keys[0], 1) is not None
    assert cache.read("pyramid", keys[-1], 1) is not None
    assert cache.read("pyramid", keys[1], 1) is None


def test_the_folder_may_be_deleted_at_any_time(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    cache.write("pyramid", KEY, 1, b"rows")
    shutil.rmtree(tmp_path / "cache")
    assert cache.read("pyramid", KEY, 1) is None
    assert cache.write("pyramid", KEY, 1, b"rows again")
    assert cache.read("pyramid", KEY, 1) == b"rows again"


@pytest.mark.expect_log(r"WARNING workstation.media.cache: the cache in .* cannot be written")
def test_a_cache_that_cannot_be_written_says_so_once_and_work_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = DiskCache(tmp_path / "cache")
    assert not cache.write("pyramid", KEY, 1, b"rows")
    assert not cache.write("pyramid", KEY, 1, b"rows")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert cache.read("pyramid", KEY, 1) is None


@pytest.mark.parametrize(("kind", "key"), [("../up", KEY), ("ok", "../../etc/passwd"), ("ok", KEY.upper()), ("", KEY)])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, kind: str, key: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        DiskCache(tmp_path).write(kind, key, 1, b"")


def test_a_file_is_hashed_once_until_it_changes(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    film = tmp_path / "film"
    film.write_bytes(b"one")
    ticks: list[float] = []
    assert cache.known_hash(film) is None
    assert cache.content_hash(film, tick=ticks.append) == hashlib.sha256(b"one").hexdigest()
    assert ticks[-1] == 1.0
    ticks.clear()
    cache.content_hash(film, tick=ticks.append)
    assert ticks == []
    film.write_bytes(b"another")
    assert cache.content_hash(film) == hashlib.sha256(b"another").hexdigest() == hash_file(film)
