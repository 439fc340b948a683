"""A real episode of a robot that picks up a bottle: its camera, its joints and what it was told to do.

Called by ``demo.py``. The files travel in ``resources/demo/pick`` as published, in the layout of LeRobot, which the
plug-in ``lerobot`` reads as it does for ``workstation add``; where they come from is in THIRD_PARTY.md.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from workstation.app.demo_generated import Json, Labels, add_sample, text_part, written
from workstation.app.proposing import proposed
from workstation.app.reading import Formats
from workstation.app.session import Session
from workstation.core.annotation import Source, SourceKind
from workstation.core.errors import DataError
from workstation.media.proposal import StreamProposal

KEY = "episode_000029"
_LICENCE = "MIT, G1-policy-train (YifanTian07)"
_CLOCKS = (
    "the data set has one row of joints for every picture and gives both the same times, thirty a second; when each "
    "was captured was not kept, so how far apart they are is not known"
)
_ROLES = {"observation.images.cam_high": "head camera", "observation.state": "joints", "action": "commanded joints"}


def build(session: Session, folder: Path) -> None:
    """The episode as ``workstation add`` takes it, and its task as the instruction."""
    formats = Formats()
    media = session.project.media_folder / KEY
    shutil.copytree(folder, media)
    (episode,) = proposed(media, formats).samples
    task = episode.properties.get("task", "")
    if episode.key != KEY or not task:
        raise DataError("is not the demo's episode with its task", path=folder)
    streams = [(_stream(each), list(each.files)) for each in episode.streams]
    words: Json = {"key": "task", "kind": "text", "role": "task", "language": "en", "licence": _LICENCE}
    streams.append((words, [written(media / "task.txt", f"{task}\n")]))
    with session.together("Build the demo pick") as run:
        notes = "One episode of a humanoid that picks up a bottle. Its phases are not labelled."
        left_out = add_sample(
            session, run, KEY, streams, formats.readers, notes=notes, in_sync=_CLOCKS, sync="declared"
        )  # fmt: skip
        if left_out:
            raise DataError(left_out[0], path=folder)
        run("sample.set", sample=KEY, properties=dict(episode.properties))
        source = Source(kind=SourceKind.IMPORT, name="LeRobot tasks", version=_LICENCE)
        labels = Labels(run, KEY, msgspec.to_builtins(source))
        labels.mark("task", "task", class_id="instruction", language="en", shape=text_part(task, task))


def _stream(proposal: StreamProposal) -> Json:
    return {
        "key": proposal.key,
        "kind": proposal.kind,
        "role": _ROLES.get(proposal.key, proposal.role),
        "reader": proposal.reader,
        "options": dict(proposal.options),
        "time_map": msgspec.to_builtins(proposal.time_map),
        "licence": _LICENCE,
    }
