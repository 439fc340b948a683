"""OpenCV's wheel must not decide where Qt looks for its plug-ins."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("before", ["", "/somewhere/else"])
def test_the_environment_is_as_it_was(before: str) -> None:
    program = (
        "import os\n"
        "for n in ('QT_QPA_PLATFORM_PLUGIN_PATH', 'QT_QPA_FONTDIR'):\n"
        f"    os.environ[n] = {before!r} if {before!r} else os.environ.pop(n, '') or ''\n"
        f"    {before!r} or os.environ.pop(n)\n"
        "kept = dict(os.environ)\n"
        "from workstation.media.opencv import cv2\n"
        "assert cv2.resize is not None\n"
        "assert {k: v for k, v in os.environ.items() if k.startswith('QT')}"
        " == {k: v for k, v in kept.items() if k.startswith('QT')}, os.environ\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
