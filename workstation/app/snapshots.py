"""Backups and salvage for the command line, as plain rows and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from workstation.core.errors import UserError
from workstation.core.moments import moment
from workstation.store.backup import (
    BACKUP_FOLDER,
    BackupReason,
    Snapshot,
    check_snapshot,
    list_snapshots,
    make_snapshot,
    restore_snapshot,
)
from workstation.store.db import DATABASE_NAME
from workstation.store.place import project_folder
from workstation.store.salvage import salvage
from workstation.store.store import now_in_ms


def snapshot_rows(project: Path, *, check: bool) -> Iterator[dict[str, Any]]:
    """Newest first; with ``check``, what is wrong with each."""
    folder = project_folder(project) / BACKUP_FOLDER
    for snapshot in list_snapshots(folder):
        yield _row(snapshot) | {"trouble": check_snapshot(folder, snapshot) if check else None}


def snapshot_now(project: Path) -> dict[str, Any]:
    """Make one now."""
    folder = project_folder(project)
    reason = BackupReason.ASKED
    return _row(make_snapshot(folder / DATABASE_NAME, folder / BACKUP_FOLDER, reason=reason, now_ms=now_in_ms()))


def restore_from(project: Path, file: str, destination: Path) -> Path:
    """A new project from the snapshot of that name (or the beginning of it; ``newest`` for the last one)."""
    folder = project_folder(project) / BACKUP_FOLDER
    known = list_snapshots(folder)
    found = known[:1] if file == "newest" else [each for each in known if each.file.startswith(file)]
    if len(found) != 1:
        listed = ", ".join(each.file for each in known) or "none"
        raise UserError(f"{file!r} is not the name of one backup; there are: {listed}")
    return restore_snapshot(folder, found[0], destination)


def salvage_into(source: Path, destination: Path) -> tuple[list[str], bool]:
    """Save what can be read; what happened in sentences, and whether it was everything."""
    report = salvage(source, destination)
    lost = any(kind.lost or kind.older or kind.parked for kind in report.kinds.values())
    return report.sentences(), not (lost or report.damage or report.changes_missing or report.blobs_missing)


def _row(snapshot: Snapshot) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(snapshot)
    return plain | {"made": moment(snapshot.made_ms)}
