"""The version of the program: what ``--version`` says, and what locks, backups and migrations write down."""

from __future__ import annotations

__version__ = "0.1.0.dev0"
