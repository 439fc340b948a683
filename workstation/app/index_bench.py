"""A large collection as a list: how long it takes to open, filter and check, against a file that is read whole.

Called by ``workstation bench index``. Samples are metadata only: a key, a state and a note, no media.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from workstation.app.opening import new_project, open_project
from workstation.app.validation import Validation
from workstation.core.errors import DataError
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.core.sample import Sample, SampleState

T = TypeVar("T")
PAGE = 100
_BATCH = 50_000
_FLAG = SampleState.RETURNED
_ONE_IN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """Seconds, each of the first time in a freshly opened project; counts are what was found."""

    items: int
    build_s: float
    open_s: float
    first_page_s: float
    filter_s: float
    flagged: int
    count_s: float
    find_s: float
    check_s: float
    """The rules over one flagged sample."""
    file_s: float
    """A file of the same rows, read whole and filtered: what a script without an index does."""

    @property
    def listed_s(self) -> float:
        """From nothing open to the first page of what is flagged."""
        return self.open_s + self.first_page_s + self.filter_s

    @property
    def ratio(self) -> float:
        """How many times as long the file takes."""
        return self.file_s / self.listed_s


def bench_index(items: int, folder: Path | None = None) -> IndexReport:
    """Build a project of so many samples in ``folder`` (a temporary place without), and measure it."""
    with tempfile.TemporaryDirectory(prefix="workstation-index-", dir=folder) as scratch:
        project, listed = Path(scratch) / "project", Path(scratch) / "samples.jsonl"
        begun = time.perf_counter()
        _build(project, items)
        build_s = time.perf_counter() - begun
        _write_file(listed, items)
        file_s, in_file = _timed(lambda: _read_file(listed))
        report = _measure(project, items, build_s, file_s)
    if report.flagged != min(in_file, PAGE):
        raise DataError(f"the list shows {report.flagged} flagged samples on its first page, of {in_file} in the file")
    return report


def _measure(project: Path, items: int, build_s: float, file_s: float) -> IndexReport:
    open_s, session = _timed(lambda: open_project(project, read_only=True))
    with session:
        store = session.store
        first_page_s, _ = _timed(lambda: list(store.samples(limit=PAGE)))
        filter_s, flagged = _timed(lambda: list(store.samples(state=_FLAG, limit=PAGE)))
        count_s, _ = _timed(lambda: store.counts(kind=RecordKind.SAMPLE))
        find_s, _ = _timed(lambda: store.sample_by_key(_key(items - 1)))
        check_s, _ = _timed(lambda: [list(Validation(store, sample=each).findings()) for each in flagged[:1]])
    return IndexReport(
        items=items, build_s=build_s, open_s=open_s, first_page_s=first_page_s, filter_s=filter_s,
        flagged=len(flagged), count_s=count_s, find_s=find_s, check_s=check_s, file_s=file_s,
    )  # fmt: skip


def _build(project: Path, items: int) -> None:
    made = new_project(project, profile="driving", person="Bench")
    with open_project(made, kind=ActorKind.PERSON) as session:
        for start in range(0, items, _BATCH):
            with session.store.transaction("Index samples") as tx:
                tx.put_many(
                    Sample(id=SampleId(tx.new_id()), key=_key(number), state=_state(number))
                    for number in range(start, min(start + _BATCH, items))
                )


def _write_file(path: Path, items: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number in range(items):
            file.write(json.dumps({"key": _key(number), "state": _state(number).value}) + "\n")


def _read_file(path: Path) -> int:
    with path.open(encoding="utf-8") as file:
        return sum(row["state"] == _FLAG.value for row in _rows(file))


def _rows(lines: Iterator[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in lines]


def _key(number: int) -> str:
    return f"item-{number:08}"


def _state(number: int) -> SampleState:
    return _FLAG if number % _ONE_IN == 0 else SampleState.NEW


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    begun = time.perf_counter()
    found = act()
    return time.perf_counter() - begun, found
