"""A screen of the tests' own, so that real windows open without anybody's display.

``virtual_display`` starts one Xvfb for the whole run and names it in the environment.
It fails, never skips, without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator

import pytest


@pytest.fixture(scope="session")
def virtual_display() -> Generator[str, None, None]:
    """The name of the display, such as ``:99``; also in ``DISPLAY``, with Qt told to use X11."""
    if not sys.platform.startswith("linux"):
        yield ""  # Windows and macOS have their own screen
        return
    program = shutil.which("Xvfb")
    if program is None:
        pytest.fail("Xvfb is missing, and tests of windows are never skipped: install the package xvfb", pytrace=False)
    receive, send = os.pipe()
    command = [program, "-displayfd", str(send), "-screen", "0", "1920x1200x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=[send], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as server:
        os.close(send)
        with os.fdopen(receive) as answer:
            number = answer.readline().strip()
        if not number:
            _, reason = server.communicate()
            pytest.fail(f"Xvfb did not start: {reason.decode(errors='replace')}", pytrace=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DISPLAY", f":{number}")
            patch.setenv("QT_QPA_PLATFORM", "xcb")
            patch.delenv("WAYLAND_DISPLAY", raising=False)
            yield f":{number}"
        server.terminate()
