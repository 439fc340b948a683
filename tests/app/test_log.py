from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from workstation.app.log import CRASH_FILE, LOG_FILE, crash_file, program_log

_log = logging.getLogger("workstation.sample")


def test_a_silent_run_leaves_nothing(tmp_path: Path) -> None:
    with program_log(tmp_path / "state"):
        _log.debug("too small to keep")
    assert not (tmp_path / "state").exists()


def test_records_are_kept_while_inside_only(tmp_path: Path) -> None:
    level = logging.getLogger().level
    with program_log(tmp_path):
        _log.info("größer")
    _log.info("outside")
    text = (tmp_path / LOG_FILE).read_text(encoding="utf-8")
    assert "INFO workstation.sample: größer" in text
    assert "outside" not in text
    assert logging.getLogger().level == level


def test_the_log_stays_small(tmp_path: Path) -> None:
    with program_log(tmp_path):
        for _ in range(60):
            _log.info("x" * 100_000)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 4
    assert max(sizes) <= 1_000_000


def test_a_folder_that_cannot_be_made_does_not_stop_the_program(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with program_log(tmp_path / "file" / "state"), crash_file(tmp_path / "file" / "state"):
        _log.info("goes nowhere")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "in the way"


@pytest.mark.parametrize("already", [False, True])
def test_a_native_crash_leaves_its_stacks(tmp_path: Path, already: bool) -> None:
    program = (
        "import ctypes, pathlib, sys\nfrom workstation.app.log import crash_file\n"
        "def fall():\n    ctypes.string_at(0)\n"
        "with crash_file(pathlib.Path(sys.argv[1])):\n    fall()\n"
    )
    options = ["-X", "faulthandler"] if already else []
    command = [sys.executable, *options, "-c", program, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    text = (tmp_path / CRASH_FILE).read_text(encoding="utf-8")
    assert result.returncode != 0
    assert "in fall" in (result.stderr if already else text)
