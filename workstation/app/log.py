"""The program's own log: a small rotating file for what was logged, and another for crashes below Python.

Entered once by the command line and by the window, around everything they do.
A log that cannot be written never stops the program; ``doctor`` says so.
"""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workstation.app.folders import state_folder

LOG_FILE = "workstation.log"
CRASH_FILE = "crash.txt"
_BYTES_PER_FILE = 1_000_000
_OLD_FILES = 3
_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


@contextmanager
def program_log(folder: Path | None = None) -> Iterator[None]:
    """While inside, records of INFO and above go to the log file, and a native crash leaves its stacks."""
    handler = _LateFile(folder or state_folder())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    if root.getEffectiveLevel() > logging.INFO:
        root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


@contextmanager
def crash_file(folder: Path | None = None) -> Iterator[None]:
    """While inside, a crash of a C library writes every thread's Python stack to the crash file.

    Nothing changes where stacks are written already (a test run, ``python -X faulthandler``) or nothing can be written.
    """
    path = (folder or state_folder()) / CRASH_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
    except OSError:
        yield
        return
    with file:
        ours = not faulthandler.is_enabled()
        if ours:
            faulthandler.enable(file)
        try:
            yield
        finally:
            if ours:
                faulthandler.disable()


class _LateFile(logging.Handler):
    """Makes folder and file at the first record, so that a silent run leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.INFO)
        self._folder = folder
        self._file: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._file is None:
            self._file = self._open()
        self._file.emit(record)

    def _open(self) -> logging.Handler:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handler: logging.Handler = logging.handlers.RotatingFileHandler(
                self._folder / LOG_FILE, maxBytes=_BYTES_PER_FILE, backupCount=_OLD_FILES, encoding="utf-8"
            )
        except OSError:
            return logging.NullHandler()
        handler.setFormatter(logging.Formatter(_FORMAT))
        return handler

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()
