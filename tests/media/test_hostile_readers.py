"""Every registered reader, the program's own and the plug-ins', against files that are cut, damaged, lying or foreign.

Whatever the bytes are, a reader opens and answers, or refuses with one sentence; it does not crash, hang or eat memory.
What is special to a format (its bombs, its counts) is in the test of that format.
"""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from valid_files import OTHER_FORMS, VALID, Valid, use

from workstation.app.reading import Formats
from workstation.core.errors import DataError, UserError
from workstation.media.base import HEAD_BYTES, Limits, OpenContext, ReaderSpec
from workstation.media.cache import MemoryCache

READERS: dict[str, ReaderSpec] = {spec.name: spec for spec in Formats().readers}
LIMITS = Limits(max_pixels=1 << 20, max_bytes=64 << 20, max_items=1_000_000)
SLOW_PROCESS = ("pandaset_lidar",)
"""Opened by a child process: a handful of cases has to do."""
MOST_KILOBYTES = 600_000
MOST_SECONDS = 20.0


def test_no_reader_is_left_out() -> None:
    assert set(VALID) == set(READERS)


def attempt(spec: ReaderSpec, valid: Valid, content: bytes, folder: Path, name: str = "") -> str:
    """Open and use the file; the sentence it is refused with, or nothing."""
    paths = [folder / (name or valid.name).format(i) for i in range(valid.copies)]
    for i, path in enumerate(paths):
        path.write_bytes(content if i == 0 else valid.content)
    for other, beside in valid.beside.items():
        (folder / other).write_bytes(beside)
        paths.append(folder / other)
    context = OpenContext(limits=LIMITS, memory=MemoryCache(32 << 20))
    before_kb, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        assert 0 <= spec.probe(paths[0], content[:HEAD_BYTES]) <= 1
        reader = spec.open(paths, valid.options, context)
        try:
            use(reader)
        finally:
            reader.close()
    except (DataError, UserError) as error:
        said = str(error)
        assert said.strip(), "a refusal says why"
        assert "\n" not in said, said
        assert "Traceback" not in said, said
        return said
    finally:
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < MOST_KILOBYTES
        assert time.monotonic() - began < MOST_SECONDS
        assert context.memory.used_bytes == 0
    return ""


@pytest.mark.parametrize("name", VALID)
def test_the_valid_file_is_read(name: str, tmp_path: Path) -> None:
    valid = VALID[name](tmp_path / "made")
    assert attempt(READERS[name], valid, valid.content, tmp_path) == ""


def hopeless() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "one zero", b"\0"
    yield "zeros", bytes(5000)
    yield "ones", b"\xff" * 5000
    yield "noise", np.random.default_rng(1).bytes(5000)


TEXTS = ("plain_text", "report", "turns")
"""Almost any bytes are a text."""


@pytest.mark.parametrize("name", VALID)
def test_what_is_no_such_file_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    valid = VALID[name](tmp_path / "made")
    few = 2 if name in SLOW_PROCESS else 99
    for what, content in list(hopeless())[:few]:
        said = attempt(READERS[name], valid, content, tmp_path)
        harmless = name in TEXTS or (name in ("cloud", "timed_clouds", "timed_radar") and what == "zeros")
        assert said or harmless, f"{what} was read"


def damaged(content: bytes, cuts: int, patches: int) -> Iterator[bytes]:
    """Cut at many places; numbers of the header overwritten with the largest and the smallest there are."""
    for i in range(cuts):
        yield content[: len(content) * i // cuts]
    step = max(1, min(len(content), 600) // patches)
    for at in range(0, min(len(content), 600), step):
        for patch in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"):
            yield content[:at] + patch + content[at + 4 :]
    numbers = list(re.finditer(rb"\d+(?:\.\d+)?", content[:2000]))
    for found in numbers[:: max(1, len(numbers) // patches)]:
        for lie in (b"nan", b"-1", b"1e999", b"99999999999999999999", b"Infinity", b"null"):
            yield content[: found.start()] + lie + content[found.end() :]


@pytest.mark.parametrize("name", VALID)
def test_cut_and_lying_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    valid = VALID[name](tmp_path / "made")
    cuts, patches = (2, 1) if name in SLOW_PROCESS else (9, 6)
    cases = list(damaged(valid.content, cuts, patches))
    for content in cases[:4] if name in SLOW_PROCESS else cases:
        attempt(READERS[name], valid, content, tmp_path)


@pytest.mark.parametrize("name", VALID)
def test_another_formats_file_under_its_name(name: str, tmp_path: Path) -> None:
    valid = VALID[name](tmp_path / "made")
    others = (
        "audio",
        "image",
        "dicom_picture",
        "pdf",
        "mcap_series",
        "lerobot_series",
        "vtt",
        "turns",
        "video",
        "cloud",
    )
    for other in others[:2] if name in SLOW_PROCESS else others:
        attempt(READERS[name], valid, VALID[other](tmp_path / "made").content, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(name for name in VALID if name not in SLOW_PROCESS), *OTHER_FORMS])
def test_any_damage_ends_in_a_stream_or_a_sentence(name: str, tmp_path: Path) -> None:
    spec, valid = (
        (READERS[OTHER_FORMS[name][0]], OTHER_FORMS[name][1]())
        if name in OTHER_FORMS
        else (READERS[name], VALID[name](tmp_path / "made"))
    )
    assert attempt(spec, valid, valid.content, tmp_path) == ""
    size = len(valid.content)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(
        places=st.lists(st.tuples(st.integers(0, size - 1), st.binary(min_size=1, max_size=6)), max_size=6),
        keep=st.just(size) | st.integers(0, size),
    )
    def damage(places: list[tuple[int, bytes]], keep: int) -> None:
        content = bytearray(valid.content)
        for at, patch in places:
            content[at : at + len(patch)] = patch
        attempt(spec, valid, bytes(content[:keep]), tmp_path)

    damage()
