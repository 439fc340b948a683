"""Log records nobody expected fail the test, and a skip must give a reason that is on the list.

Loaded by ``strict_plugin``. Warnings are errors through pytest's own settings.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import pytest

# Why a test may be left out here. A pattern, and what makes it acceptable.
SKIP_REASONS: tuple[tuple[str, str], ...] = (
    (r"needs Windows|not on Windows", "the other system's run covers it"),
    (r"needs macOS|not on macOS", "the other system's run covers it"),
    (r"needs a graphics card", "no such machine runs the gate; run by hand before a release"),
    (r"needs a sound device", "the silent clock stands in; run by hand before a release"),
    (r"needs the extra '\w+'", "extras are not part of the gate's environment"),
    (r"needs a C compiler", "the gate's machine has one; elsewhere what it builds is a test's tool, not the program"),
    (r"needs the right to mount", "full and read-only disks are made by mounting; the gate's machine may"),
    (r"root ignores permissions", "the same rule is tested through another refusal of the system"),
)


@dataclass(slots=True)
class LogWatch:
    """What was logged at WARNING or above during one test, and what the test said it expects."""

    records: list[logging.LogRecord] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """One sentence per unexpected record and per expected one that did not come."""
        lines = [f"{record.levelname} {record.name}: {record.getMessage()}" for record in self.records]
        unexpected = [line for line in lines if not any(re.search(pattern, line) for pattern in self.expected)]
        absent = [pattern for pattern in self.expected if not any(re.search(pattern, line) for line in lines)]
        return [f"unexpected log record: {line}" for line in unexpected] + [
            f"expected a log record that matches {pattern!r}, none came" for pattern in absent
        ]


class _Collector(logging.Handler):
    def __init__(self, watch: LogWatch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.records.append(record)


_WATCH = pytest.StashKey[LogWatch]()
_HANDLER = pytest.StashKey[_Collector]()


def start_log_watch(item: pytest.Item) -> None:
    """From before the first fixture until after the last."""
    watch = LogWatch(expected=[str(mark.args[0]) for mark in item.iter_markers("expect_log")])
    handler = _Collector(watch)
    item.stash[_WATCH] = watch
    item.stash[_HANDLER] = handler
    logging.getLogger().addHandler(handler)


def end_log_watch(item: pytest.Item) -> list[str]:
    """The problems of this test."""
    logging.getLogger().removeHandler(item.stash[_HANDLER])
    return item.stash[_WATCH].problems()


@pytest.fixture
def expect_log(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """``expect_log("pattern")``: from now on such a record is right, and its absence is a failure."""

    def expect(pattern: str) -> None:
        request.node.stash[_WATCH].expected.append(pattern)

    return expect


def refused_skip(reason: str) -> str | None:
    """Why this skip does not count, or None when its reason is on the list."""
    if any(re.search(pattern, reason) for pattern, _ in SKIP_REASONS):
        return None
    return f"skipped for a reason that is not on the list in strict_noise.SKIP_REASONS: {reason}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip of one test."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and (refusal := refused_skip(_reason(report))):
        report.outcome = "failed"
        report.longrepr = refusal
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A skip of a whole module, such as ``pytest.importorskip``."""
    report = yield
    if report.skipped and (refusal := refused_skip(_reason(report))):
        report.outcome = "failed"
        report.longrepr = refusal
    return report
