"""Rigs: where the sensors of a sample sit and how its cameras see. The numbers are checked before they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from workstation.commands.arguments import SampleRef
from workstation.commands.registry import command, needs_sample
from workstation.commands.transaction import Transaction
from workstation.core.errors import UserError
from workstation.core.ids import RigId
from workstation.core.records import RecordKind
from workstation.core.rights import Right
from workstation.core.sample import Rig
from workstation.core.space import calibration_of


@command("rig.add", title="Add calibration", right=Right.CHANGE_SYNC, enabled=needs_sample)
def add(
    tx: Transaction,
    *,
    sample: SampleRef,
    key: str = "rig",
    frames: tuple[Mapping[str, Any], ...] = (),
    cameras: tuple[Mapping[str, Any], ...] = (),
    start_ns: int | None = None,
    end_ns: int | None = None,
    note: str = "",
) -> RigId:
    """Say where the sensors of a sample sit: a tree of frames, and the cameras in it. A key that is there already gets
    a new version; the old one stays.

    key: the name people use; the versions of one calibration share it
    frames: a list of {"name": …, "parent": …, "parent_from_child": {"rotation": [w, x, y, z], "translation": […]}} in
        metres, or with "trajectory": the stream that moves it
    cameras: a list of {"name": …, "frame": …, "width_px": …, "height_px": …, "lens": {"type": "pinhole", …}}
    start_ns: the session time it holds from
    end_ns: the session time it holds to
    note: where it comes from, and what is known about it
    """
    calibration_of(frames, cameras)
    if not key or key != key.strip() or not key.isprintable():
        raise UserError(f"a key is visible characters without blanks around them, not {key[:40]!r}")
    older = [each.version for each in tx.records(RecordKind.RIG, sample=sample) if isinstance(each, Rig)]
    made = Rig(
        id=RigId(tx.new_id()),
        sample=sample,
        key=key,
        version=max(older, default=0) + 1,
        start_ns=start_ns,
        end_ns=end_ns,
        frames=_plain(frames),
        cameras=_plain(cameras),
        note=note,
    )
    tx.put(made)
    return made.id


def _plain(values: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """The values as JSON brings them back, lists for tuples: a record must not change by being stored."""
    return tuple(msgspec.json.decode(msgspec.json.encode(values)))
