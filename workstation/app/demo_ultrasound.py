"""A real ultrasound film as a demo project: thirty pictures of one DICOM file. Called by ``demo.py``.

The file travels in ``resources/demo/ultrasound`` as published; where it comes from is in THIRD_PARTY.md. Its publisher
labels nothing, so nothing is labelled.
"""

from __future__ import annotations

from pathlib import Path

from workstation.app.demo_generated import Json, add_sample, copied
from workstation.app.session import Session
from workstation.core.errors import DataError
from workstation.media.probe import built_in_readers

KEY = "ultrasound"
_LICENCE = "MIT, pydicom"
_ONE_FILE = "one film: there is no other clock to be in step with; its pictures are one frame time of the file apart"


def build(session: Session, folder: Path) -> None:
    """The film on the clock of its frame time."""
    stream: Json = {"key": "film", "kind": "video", "role": "ultrasound", "licence": _LICENCE}
    files = copied(folder / "examples_ybr_color.dcm", session.project.media_folder / KEY)
    with session.together("Build the demo ultrasound") as run:
        notes = "One second of an ultrasound film. Nothing is labelled."
        left_out = add_sample(
            session, run, KEY, [(stream, files)], built_in_readers(), notes=notes, in_sync=_ONE_FILE
        )  # fmt: skip
        if left_out:
            raise DataError(left_out[0], path=folder)
