"""A short generated drive as a project, in any planted variant: what its clocks and labels hold is known by design."""

from __future__ import annotations

from pathlib import Path

from workstation.app.demo_street import build
from workstation.app.opening import new_project, open_project
from workstation.core.rights import ActorKind
from workstation.synth.drive.fixture import drive
from workstation.synth.drive.rig import DriveOptions
from workstation.synth.truth import Truth

SHORT = DriveOptions(seconds=1.2, cameras=1, scale=0.25, workers=1)
THREE_CAMERAS = DriveOptions(seconds=1.2, cameras=3, scale=0.25, workers=1)
SAMPLE = "drive-street"


def short_drive(folder: Path, variant: str = "clean") -> Truth:
    """Somewhat more than a second with one small camera; variants in the same folder share their media."""
    return drive(folder, variant=variant, options=SHORT)


def drive_project(made: Truth, folder: Path) -> Path:
    """A project of Ana's that holds the drive as it was delivered."""
    project = new_project(folder, profile="driving", person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        build(session, made)
    return project
