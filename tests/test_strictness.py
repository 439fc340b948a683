"""The rules of ``tests/strict`` do what they promise: each is broken on purpose, in a run of pytest of its own."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The gate spreads the tests over processes; plain pytest runs them in one. The rules hold in both.
PROCESSES = [
    pytest.param([], id="one process"),
    pytest.param(
        ["-n", "2", "--dist", "worksteal", "--max-worker-restart", "0"], id="two processes", marks=pytest.mark.slow
    ),
]

# Name of the test in the sample -> what pytest must say about it; None: it must pass.
EXPECTED: dict[str, str | None] = {
    "test_clean": None,
    "test_warning": "DeprecationWarning",
    "test_forgotten_file": "ResourceWarning|PytestUnraisableExceptionWarning",
    "test_log_warning": "unexpected log record: WARNING sample: disk is slow",
    "test_log_info": None,
    "test_log_expected": None,
    "test_log_expected_by_fixture": None,
    "test_log_expected_but_absent": "expected a log record that matches 'never said'",
    "test_log_in_fixture": "unexpected log record: ERROR sample: while ending",
    "test_thread_left": "leaked thread 'left behind'",
    "test_thread_that_ends": None,
    "test_thread_dies": "PytestUnhandledThreadExceptionWarning",
    "test_thread_begun_late": None,
    "test_thread_begun_late_and_left": "leaked thread 'late'",
    "test_database_open": r"leaked database connection, opened at .*test_sample\.py:\d+ in test_database_open",
    "test_database_dropped": r"dropped without close\(\), opened at .*test_sample\.py:\d+ in test_database_dropped",
    "test_database_own_class": r"leaked database connection, opened at .*in test_database_own_class",
    "test_database_closed": None,
    "test_database_of_module": None,
    "test_database_of_module_again": r"fixture 'forgetful': leaked database connection",
    "test_socket_connect": "NetworkForbiddenError",
    "test_socket_bind": "NetworkForbiddenError",
    "test_socket_swallowed": "tried to use the network: socket.connect",
    "test_name_lookup": "NetworkForbiddenError",
    "test_local_socket": None,
    "test_slow_example": None,
    "test_skip_listed": None,
    "test_skip_unlisted": "skipped for a reason that is not on the list.*felt like it",
    "test_skip_marked_unlisted": "skipped for a reason that is not on the list.*not today",
    "test_unexpected_pass": r"XPASS\(strict\)",
}

SAMPLE = """
import gc, logging, socket, sqlite3, threading, warnings
import hypothesis, hypothesis.strategies, pytest

log = logging.getLogger("sample")
kept = []
release = threading.Event()

def test_clean(): pass
def test_warning(): warnings.warn("old", DeprecationWarning)
def test_forgotten_file(): open(__file__)

def test_log_warning(): log.warning("disk is slow")
def test_log_info(): log.info("fine")
@pytest.mark.expect_log("disk is slow")
def test_log_expected(): log.warning("disk is slow")
def test_log_expected_by_fixture(expect_log):
    expect_log("WARNING sample: disk")
    log.warning("disk is slow")
@pytest.mark.expect_log("never said")
def test_log_expected_but_absent(): pass
@pytest.fixture
def noisy():
    yield
    log.error("while ending")
def test_log_in_fixture(noisy): pass

def test_thread_left(): threading.Thread(target=release.wait, name="left behind", daemon=True).start()
def test_thread_that_ends(): threading.Thread(target=int).start()
def test_thread_dies():
    thread = threading.Thread(target=int, args=("x",))
    thread.start()
    thread.join()
@pytest.fixture(scope="class")
def careful():
    ends = threading.Event()
    workers = [threading.Thread(target=ends.wait, name="late", daemon=True)]
    yield workers
    ends.set()
@pytest.fixture(scope="class")
def careless():
    return [threading.Thread(target=release.wait, name="late", daemon=True)]
class TestLate:
    def test_thread_begun_late(self, careful): careful[0].start()
class TestLateAndLeft:
    def test_thread_begun_late_and_left(self, careless): careless[0].start()

def test_database_open(): kept.append(sqlite3.connect(":memory:"))
def test_database_dropped():
    with sqlite3.connect(":memory:") as connection:
        connection.execute("select 1")
    del connection
    gc.collect()
class Own(sqlite3.Connection): pass
def test_database_own_class(): kept.append(sqlite3.connect(":memory:", factory=Own))
def test_database_closed():
    connection = sqlite3.connect(":memory:")
    assert connection.execute("select 7").fetchone() == (7,)
    connection.close()
@pytest.fixture(scope="module")
def shared():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()
@pytest.fixture(scope="class")
def forgetful():
    kept.append(sqlite3.connect(":memory:"))
def test_database_of_module(shared): shared.execute("select 1")
class TestForgetful:
    def test_database_of_module_again(self, shared, forgetful): shared.execute("select 1")

def test_socket_connect():
    with socket.socket() as end:
        end.connect(("127.0.0.1", 9))
def test_socket_bind():
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
def test_socket_swallowed():
    with socket.socket() as end:
        try:
            end.connect(("127.0.0.1", 9))
        except Exception:
            pass
def test_name_lookup(): socket.getaddrinfo("localhost", 80)
def test_local_socket():
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert right.recv(1) == b"x"

@hypothesis.settings(max_examples=1)
@hypothesis.given(hypothesis.strategies.none())
def test_slow_example(example): release.wait(0.3)

def test_skip_listed(): pytest.skip("needs a graphics card")
def test_skip_unlisted(): pytest.skip("felt like it")
@pytest.mark.skip(reason="not today")
def test_skip_marked_unlisted(): pass
@pytest.mark.xfail(reason="known")
def test_unexpected_pass(): pass
"""

MODULE_SKIP = "import pytest\npytest.importorskip('no_such_module_anywhere')\ndef test_never(): pass\n"
UNKNOWN_MARK = "import pytest\n@pytest.mark.sloww\ndef test_typo(): pass\n"
HANG = "import threading\ndef test_hang(): threading.Event().wait()\n"


def run_sample(pytester: pytest.Pytester, name: str, text: str, *options: str) -> str:
    """What pytest prints for one file of tests under the project's own settings."""
    pytester.makeconftest("pytest_plugins = ('strict_plugin',)")
    pytester.makepyfile(**{name: text})
    config = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(pytester.path), "-p", "no:cacheprovider"]
    result = pytester.run(
        sys.executable,
        "-m",
        "pytest",
        *config,
        "--tb=short",
        "-rA",
        *options,
        str(pytester.path / f"{name}.py"),
        timeout=60,
    )
    return "\n".join(result.outlines + result.errlines)


@pytest.fixture(scope="module", params=PROCESSES)
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For each test of the sample: ``passed``, ``skipped``, or everything pytest said about its failure."""
    folder = tmp_path_factory.mktemp("sample")
    (folder / "conftest.py").write_text("pytest_plugins = ('strict_plugin',)", encoding="utf-8")
    (folder / "test_sample.py").write_text(SAMPLE, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        *request.param,
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(folder),
    ]
    options = ["-p", "no:cacheprovider", f"--junitxml={folder / 'report.xml'}", str(folder)]
    subprocess.run([*command, *options], cwd=folder, capture_output=True, timeout=100, check=False)
    said: dict[str, str] = {}
    for case in ET.parse(folder / "report.xml").iter("testcase"):
        name = str(case.get("name"))
        faults = [f"{e.get('message')}\n{e.text}" for e in case if e.tag in ("failure", "error")]
        skipped = any(e.tag == "skipped" for e in case)
        # A test that fails in its body and again in its ending is listed twice.
        said[name] = said.get(name, "") + "\n".join(faults) + ("skipped" if skipped else "")
    return said


_ANSWERED_LATER = {
    "test_thread_begun_late_and_left": "leaked thread 'late'",
    "test_database_open": r"fixture '\w+': .*leaked database connection",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_rule_holds(outcome: dict[str, str], name: str) -> None:
    pattern = EXPECTED[name]
    if name in _ANSWERED_LATER and not outcome[name]:
        # Where a fixture of the module stands too, as it may in another order of the tests, that one has to answer.
        said = " ".join(outcome.values())
        assert re.search(_ANSWERED_LATER[name], said, re.DOTALL), said
    elif pattern is None:
        assert outcome[name] in ("", "skipped")
    else:
        assert re.search(pattern, outcome[name], re.DOTALL), outcome[name]


def test_the_sample_is_judged_completely(outcome: dict[str, str]) -> None:
    assert set(outcome) == set(EXPECTED)


@pytest.mark.parametrize("options", PROCESSES)
def test_skip_of_a_whole_module_needs_a_listed_reason(pytester: pytest.Pytester, options: list[str]) -> None:
    said = run_sample(pytester, "test_module", MODULE_SKIP, *options)
    assert "skipped for a reason that is not on the list" in said


def test_unknown_marker_is_an_error(pytester: pytest.Pytester) -> None:
    assert "'sloww' not found in `markers`" in run_sample(pytester, "test_mark", UNKNOWN_MARK)


@pytest.mark.parametrize("options", PROCESSES)
def test_hang_prints_stacks_and_ends(pytester: pytest.Pytester, options: list[str]) -> None:
    said = run_sample(pytester, "test_stuck", HANG, "-o", "faulthandler_timeout=1", *options)
    assert "Timeout (0:00:01)" in said
    assert "in test_hang" in said


def test_virtual_display_answers(virtual_display: str) -> None:
    if not sys.platform.startswith("linux"):
        assert virtual_display == ""
        return
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDisplayWidth.argtypes = [ctypes.c_void_p, ctypes.c_int]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    screen = x11.XOpenDisplay(virtual_display.encode())
    assert screen is not None
    assert x11.XDisplayWidth(screen, 0) == 1920
    x11.XCloseDisplay(screen)
