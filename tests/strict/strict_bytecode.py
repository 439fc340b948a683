"""Compiled modules are kept between processes and runs where the surroundings forbid to keep them beside the sources.

Compiling some hundred modules and rewriting the assertions of the tests takes fifteen seconds in each process of tests,
and a child that a test starts pays for its part again. Used by ``strict_plugin`` before anything else is loaded.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

KEPT = Path(__file__).resolve().parents[2] / ".pytest_cache" / "bytecode"


def keep_bytecode() -> None:
    """In a folder of the tests' own, so that the sources stay as clean as was asked for; children do the same."""
    if not sys.dont_write_bytecode or sys.pycache_prefix is not None:
        return
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(KEPT)
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
