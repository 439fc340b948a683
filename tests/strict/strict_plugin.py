"""The strictness every test runs under. Loaded by ``tests/conftest.py`` and ``plugins/conftest.py``.

What a test leaves behind or says unasked is its failure: see ``strict_noise``, ``strict_leaks``, ``strict_sockets``.
What it shows is taken apart after it: see ``strict_widgets``. How long an example of a law takes is nobody's: see
``strict_laws``.
``test_strictness.py`` proves each of these rules on tests that break them.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest

import strict_bytecode
import strict_laws
import strict_leaks
import strict_noise
import strict_sockets
import strict_widgets
from strict_display import virtual_display
from strict_noise import expect_log
from strict_once import demo_once, made_once
from strict_windows import bench, demo_project, demo_template, qapp, shared_bench, talk_project, talk_template

__all__ = [
    "bench", "demo_once", "demo_project", "demo_template", "expect_log", "made_once", "qapp", "shared_bench",
    "talk_project", "talk_template", "virtual_display",
]  # fmt: skip

# Before anything loads NumPy: the many small products of the generators gain nothing by more threads, which only wait
# in a busy loop, a quarter more work in all, and take the core from a second process of tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

strict_bytecode.keep_bytecode()
strict_leaks.track_connections()
strict_laws.forget_the_clock()
strict_sockets.forbid_network()


def pytest_configure(config: pytest.Config) -> None:
    """The other parts bring hooks and fixtures of their own."""
    for part in (strict_noise, strict_leaks, strict_widgets):
        if not config.pluginmanager.is_registered(part):
            config.pluginmanager.register(part)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Begin to watch before the first fixture."""
    strict_leaks.start_leak_watch(item)
    strict_noise.start_log_watch(item)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Judge after the last fixture is gone."""
    try:
        result = yield
    finally:
        problems = (
            strict_noise.end_log_watch(item) + strict_leaks.end_leak_watch(item) + strict_sockets.taken_attempts()
        )
    if not gc.isenabled():  # a window collects on its own thread by a timer, which stands still between tests
        young, middle, old = gc.get_count()
        gc.collect(2 if old > 20 else 1 if middle > 10 or young > 20_000 else 0)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
    return result
