"""A real flight along a coast as a demo project: the film of a drone's camera and its sound. Called by ``demo.py``.

The file travels in ``resources/demo/ride``; where it comes from and what was done to it is in THIRD_PARTY.md. Its
publisher labels nothing, so nothing is labelled; the camera's telemetry has no reader here and was left behind.
"""

from __future__ import annotations

from pathlib import Path

from workstation.app.demo_generated import Json, add_sample, copied
from workstation.app.session import Session
from workstation.core.errors import DataError
from workstation.media.probe import built_in_readers

KEY = "karma"
_LICENCE = "Apache-2.0 or MIT, GoPro (gpmf-parser)"
_ONE_CAMERA = (
    "film and sound as one camera wrote them, on the times of their file; how far apart they are is not measured"
)


def build(session: Session, folder: Path) -> None:
    """Film and sound of one file, each on the times that the file gives."""
    files = copied(folder / "karma.mp4", session.project.media_folder / KEY)
    shared: Json = {"recording": KEY, "licence": _LICENCE}
    film: Json = {
        "key": "film", "kind": "video", "role": "camera",
        "transformations": ("scaled from 854×480 to 480×270, full to limited range", "encoded as VP9"), **shared,
    }  # fmt: skip
    sound: Json = {"key": "sound", "kind": "audio", "role": "camera's microphones", "reader": "audio", **shared}
    with session.together("Build the demo ride") as run:
        notes = "Twelve seconds of a flight along a coast. Nothing is labelled; the camera's telemetry was left behind."
        left_out = add_sample(
            session, run, KEY, [(film, files), (sound, files)], built_in_readers(), notes=notes, in_sync=_ONE_CAMERA,
            sync="declared",
        )  # fmt: skip
        if left_out:
            raise DataError(left_out[0], path=folder)
