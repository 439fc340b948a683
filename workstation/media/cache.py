"""What readers keep: decoded items in memory within one limit for all streams, and built tables on disk.

Both may be emptied at any moment without losing anything but time. Readers get them through ``OpenContext``.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

_log = logging.getLogger(__name__)


class MemoryCache:
    """Values of all streams within ``limit_bytes``; every stream may fill what the others leave. Any thread.

    Above the limit a value goes that was not used for longest, taken only from streams that hold more than an even
    share: a camera that is played cannot push out what another one needs for its own steps.
    """

    def __init__(self, limit_bytes: int = 1 << 30) -> None:
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._used = 0
        self._clock = 0
        self._shares: dict[int, Share] = {}

    def share(self) -> Share:
        """A part of the cache for one stream."""
        share = Share(self)
        with self._lock:
            self._shares[id(share)] = share
        return share

    @property
    def used_bytes(self) -> int:
        return self._used

    @property
    def fair_bytes(self) -> int:
        """What one stream can count on, now."""
        return self.limit_bytes // max(1, len(self._shares))

    def _make_room(self, size: int, newcomer: Share) -> bool:
        """Let go of enough for so much more of that stream; false where the new value is what had to go."""
        while self._used + size > self.limit_bytes:
            fair = self.fair_bytes
            over = [share for share in self._shares.values() if share._used + size * (share is newcomer) > fair]
            # Their sum is above the limit, so one is above the even share.
            victim = min(over, key=lambda share: share._oldest)
            if not victim._entries:
                return False  # alone above its share with this one value, and everybody else keeps within theirs
            victim._drop_oldest()
        return True


class Share:
    """One stream's part of a ``MemoryCache``: a map from the stream's own keys to sized values."""

    def __init__(self, cache: MemoryCache) -> None:
        self._cache = cache
        self._entries: OrderedDict[Hashable, tuple[Any, int, int]] = OrderedDict()
        self._used = 0

    @property
    def used_bytes(self) -> int:
        return self._used

    @property
    def fair_bytes(self) -> int:
        """What this stream can count on, now: how far ahead it pays to decode."""
        return self._cache.fair_bytes

    def get(self, key: Hashable) -> Any | None:
        """The value, which counts as used now; ``None`` if it is not held."""
        with self._cache._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._cache._clock += 1
            self._entries[key] = (entry[0], entry[1], self._cache._clock)
            self._entries.move_to_end(key)
            return entry[0]

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def put(self, key: Hashable, value: Any, size: int) -> bool:
        """Hold the value; whether it fitted. ``size`` is what it keeps in memory, in bytes."""
        cache = self._cache
        with cache._lock:
            self._remove(key)  # never an old value for a new one that does not fit
            if id(self) not in cache._shares or size > cache.limit_bytes:
                return False
            cache._clock += 1
            now = cache._clock
            if not cache._make_room(size, self):
                return False
            self._entries[key] = (value, size, now)
            self._used += size
            cache._used += size
            return True

    def discard(self, wanted: Callable[[Hashable], bool]) -> None:
        """Let go of every value whose key is wanted gone."""
        with self._cache._lock:
            for key in [key for key in self._entries if wanted(key)]:
                self._remove(key)

    def close(self) -> None:
        """Let go of everything; later ``put`` hold nothing."""
        with self._cache._lock:
            for key in list(self._entries):
                self._remove(key)
            self._cache._shares.pop(id(self), None)

    @property
    def _oldest(self) -> int:
        """When the oldest value was used; with none, what is about to be put is older than nothing."""
        return next(iter(self._entries.values()))[2] if self._entries else self._cache._clock

    def _drop_oldest(self) -> None:
        self._remove(next(iter(self._entries)))

    def _remove(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used -= entry[1]
            self._cache._used -= entry[1]


_MAGIC = b"WSCACHE1"
_HEADER_BYTES = len(_MAGIC) + 32
_NAME = re.compile(r"[a-z0-9_]{1,40}")
_CHUNK = 1 << 20


class DiskCache:
    """Files built from media, found by content hash, kind and version; at most ``limit_bytes`` of them.

    Written whole or not at all; a file that does not match its own checksum is deleted and built again. Any thread,
    any number of processes. A disk that cannot be written makes work slower, never wrong: it is logged once.
    """

    def __init__(self, folder: Path, limit_bytes: int = 4 << 30) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._total: int | None = None
        self._complained = False
        self.dropped = 0
        """Grows whenever entries went to keep the limit: what was there may no longer be."""

    def holds(self, kind: str, key: str, version: int) -> bool:
        """Whether there is such an entry; reading it may still find it damaged."""
        return self._path(kind, key, version).exists()

    def read(self, kind: str, key: str, version: int) -> bytes | None:
        """The stored bytes; ``None`` if there are none or they are damaged."""
        path = self._path(kind, key, version)
        try:
            raw = path.read_bytes()
        except OSError:
            return None  # absent, or not ours to read: both mean "build it"
        payload = raw[_HEADER_BYTES:]
        if raw[: len(_MAGIC)] != _MAGIC or raw[len(_MAGIC) : _HEADER_BYTES] != hashlib.sha256(payload).digest():
            self.forget(kind, key, version)
            return None
        self._touch(path)
        return payload

    def mapped(self, kind: str, key: str, version: int) -> memoryview | None:
        """The stored bytes, memory-mapped and read-only, after one pass that verifies them."""
        path = self._path(kind, key, version)
        try:
            with path.open("rb") as file:
                whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
            self.forget(kind, key, version)
            return None
        digest = hashlib.sha256()
        for start in range(_HEADER_BYTES, len(whole), _CHUNK):
            digest.update(whole[start : start + _CHUNK])
        if whole[: len(_MAGIC)] != _MAGIC or whole[len(_MAGIC) : _HEADER_BYTES] != digest.digest():
            self.forget(kind, key, version)
            return None
        self._touch(path)
        return whole[_HEADER_BYTES:]

    def write(self, kind: str, key: str, version: int, payload: bytes) -> bool:
        """Store the bytes; whether that worked."""
        with self.writing(kind, key, version) as write:
            write(payload)
        return self._path(kind, key, version).exists()

    @contextmanager
    def writing(self, kind: str, key: str, version: int) -> Iterator[Callable[[bytes], None]]:
        """``with cache.writing(…) as write: write(part)``…: stored when the block ends without an exception."""
        path = self._path(kind, key, version)
        part = _Part()
        try:
            part.begin(path)
        except OSError as error:
            self._complain(error)
        try:
            yield part.write
        except BaseException:
            part.drop()
            raise
        if part.error is not None:
            self._complain(part.error)
        size = part.finish(path)
        if size:
            self._grown(size)

    def forget(self, kind: str, key: str, version: int) -> None:
        """Delete one entry, if it is there."""
        _unlink(self._path(kind, key, version))

    def clear(self) -> None:
        """Delete every entry."""
        with self._lock:
            for _, _, path in self._files():
                _unlink(path)
            self._total = 0

    def content_hash(self, path: Path, *, tick: Callable[[float], None] | None = None) -> str:
        """SHA-256 of a media file, remembered until its size, time or place changes."""
        memo = self._memo_key(path)
        known = self.read("content_hash", memo, 1)
        if known is not None:
            return known.decode("ascii")
        found = hash_file(path, tick=tick)
        self.write("content_hash", memo, 1, found.encode("ascii"))
        return found

    def known_hash(self, path: Path) -> str | None:
        """What ``content_hash`` remembers, without reading the file."""
        known = self.read("content_hash", self._memo_key(path), 1)
        return None if known is None else known.decode("ascii")

    @staticmethod
    def _memo_key(path: Path) -> str:
        status = path.stat()
        identity = f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}"
        return hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()

    def _path(self, kind: str, key: str, version: int) -> Path:
        # Keys become file names: anything but a hash would let a caller write outside the folder.
        if not _NAME.fullmatch(kind) or not re.fullmatch(r"[0-9a-f]{64}", key):
            raise ValueError(f"a cache entry is named by a word and a SHA-256, not {kind!r} and {key!r}")
        return self.folder / kind / key[:2] / f"{key}.{version}"

    @staticmethod
    def _touch(path: Path) -> None:
        try:
            os.utime(path)
        except OSError:
            return  # deleted meanwhile, or a read-only folder: only the order of eviction suffers

    def _files(self) -> list[tuple[int, int, Path]]:
        """(time last used, size, path) of every entry."""
        found = []
        for path in self.folder.glob("*/??/*"):
            try:
                status = path.stat()
            except OSError:
                continue  # deleted meanwhile
            found.append((status.st_mtime_ns, status.st_size, path))
        return found

    def _grown(self, size: int) -> None:
        with self._lock:
            if self._total is not None and self._total + size <= self.limit_bytes:
                self._total += size
                return
            files = sorted(self._files())
            total = sum(size for _, size, _ in files)
            if total > self.limit_bytes:
                for _, file_size, path in files[:-1]:
                    if total <= self.limit_bytes * 9 // 10:
                        break
                    if _unlink(path):
                        total -= file_size
                self.dropped += 1
            self._total = total

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            _log.warning("the cache in %s cannot be written: %s", self.folder, error)


class _Part:
    """A cache file being written beside its place."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()

    def begin(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False)  # noqa: SIM115  (closed by drop/finish)
        self._file.write(_MAGIC + bytes(32))

    def write(self, data: bytes) -> None:
        if self._file is None:
            return
        self._digest.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            self.error = error
            self.drop()

    def drop(self) -> None:
        if self._file is not None:
            self._file.close()
            _unlink(Path(self._file.name))
            self._file = None

    def finish(self, path: Path) -> int:
        """Put the file in its place; its size, 0 if it could not be written."""
        if self._file is None:
            return 0
        try:
            size = self._file.tell()
            self._file.seek(len(_MAGIC))
            self._file.write(self._digest.digest())
            self._file.close()
            Path(self._file.name).replace(path)
        except OSError as error:
            self.error = error
            self.drop()
            return 0
        return size


def hash_file(path: Path, *, tick: Callable[[float], None] | None = None) -> str:
    """SHA-256 of a file in hexadecimal; ``tick`` gets the share done and may raise to stop."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = max(1, os.fstat(file.fileno()).st_size)
        done = 0
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if tick is not None:
                tick(min(1.0, done / size))
    return digest.hexdigest()


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False  # gone already, or still mapped on Windows: it goes next time
    return True
