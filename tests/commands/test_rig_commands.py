"""Calibrations are checked before they are kept, and come back as they were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workstation.app.opening import new_project, open_project
from workstation.core.errors import DataError, UserError
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.core.sample import Rig
from workstation.core.space import calibration_of

FRAME = {"name": "front", "parent": "ego", "parent_from_child": {"rotation": (1, 0, 0, 0), "translation": (1.5, 0, 1)}}
LENS = {"type": "pinhole", "fx": 900.0, "fy": 900.0, "cx": 480.0, "cy": 270.0}
CAMERA = {"name": "front", "frame": "front", "width_px": 960, "height_px": 540, "lens": LENS}


def test_a_rig_is_kept_and_undone(tmp_path: Path) -> None:
    folder = new_project(tmp_path / "p", profile="driving", person="Ana")
    with open_project(folder, kind=ActorKind.PERSON) as session:
        session.run("sample.add", key="d")
        session.run("rig.add", sample="d", frames=[FRAME], cameras=[CAMERA], note="from the maker's sheet")
        (rig,) = session.store.records(RecordKind.RIG)
        assert isinstance(rig, Rig)
        found = calibration_of(rig.frames, rig.cameras)
        assert found.camera("front").lens.fx == 900.0
        assert found.frames[0].parent_from_child is not None
        assert list(found.frames[0].parent_from_child.translation) == [1.5, 0.0, 1.0]
        assert session.undo() is not None
        assert list(session.store.records(RecordKind.RIG)) == []


@pytest.mark.parametrize(
    ("frames", "cameras"),
    [
        ([{**FRAME, "parent": "front"}], []),
        ([FRAME, FRAME], []),
        ([{**FRAME, "parent_from_child": {"rotation": (2, 0, 0, 0), "translation": (0, 0, 0)}}], []),
        ([{**FRAME, "colour": "red"}], []),
        ([FRAME], [{**CAMERA, "width_px": 0}]),
        ([FRAME], [{**CAMERA, "lens": {**LENS, "fx": -1.0}}]),
        ([FRAME], [{**CAMERA, "lens": {**LENS, "fx": float("nan")}}]),
    ],
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, frames: list[Any], cameras: list[Any]) -> None:
    folder = new_project(tmp_path / "p", profile="driving", person="Ana")
    with open_project(folder, kind=ActorKind.PERSON) as session:
        session.run("sample.add", key="d")
        with pytest.raises((DataError, UserError)):
            session.run("rig.add", sample="d", frames=frames, cameras=cameras)
        assert list(session.store.records(RecordKind.RIG)) == []
