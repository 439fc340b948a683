"""Adding a folder: what its files would become, looked at before anything is written. Called by ``workstation add``.

``media/grouping.py`` and the data set plug-ins propose; here every proposed stream is opened once, so that what cannot
be read is skipped with its reason and clocks with a known start come onto one axis, and then it is written in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from workstation.app.reading import Formats
from workstation.app.session import Run, Session
from workstation.core.errors import DataError, UserError
from workstation.core.sample import MediaFile
from workstation.core.space import as_json_values
from workstation.media.base import MediaInfo, OpenContext
from workstation.media.grouping import propose
from workstation.media.probe import open_stream
from workstation.media.proposal import Proposal, RigProposal, SampleProposal, Skipped, StreamProposal, aligned
from workstation.store.media_files import record_file

__all__ = ["Proposal", "Written", "proposed", "write_proposal"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """One stream that was added."""

    sample: str
    stream: str
    id: str
    files: int


def proposed(folder: Path, formats: Formats, *, invert: Iterable[str] = (), encoding: str = "") -> Proposal:
    """What a folder would become; ``invert`` names frames whose mounting is to be read the other way round.

    ``encoding`` is that of its texts which are no UTF-8.
    """
    found = propose(folder, formats.readers, formats.datasets)
    if not found.samples:
        raise UserError(f"{folder} holds nothing that can be shown: {_reasons(found)}")
    return _inverted(_checked(found, formats, encoding), tuple(invert))


def write_proposal(
    session: Session, proposal: Proposal, *, progress: Progress = lambda _done, _total: None
) -> list[Written]:
    """Add everything in one step. The files stay where they are and are only ever read."""
    for sample in proposal.samples:
        if session.store.sample_by_key(sample.key) is not None:
            raise UserError(f"there is a sample {sample.key!r} already; rename it, or add single files to it")
    recorded = _recorded(session, proposal, progress)
    written: list[Written] = []
    with session.together(f"Add {proposal.folder.name}") as run:
        for sample in proposal.samples:
            run("sample.add", key=sample.key, properties=dict(sample.properties), notes="\n".join(sample.notes))
            for stream in sample.streams:
                files = tuple(recorded[path] for path in stream.files)
                made = run("stream.add", sample=sample.key, **_arguments(stream, files))
                written.append(Written(sample.key, stream.key, made, len(files)))
            if sample.rig is not None:
                _add_rig(run, sample.key, sample.rig)
    return written


def _arguments(stream: StreamProposal, files: tuple[MediaFile, ...]) -> dict[str, Any]:
    return {
        "key": stream.key,
        "kind": stream.kind,
        "role": stream.role,
        "files": msgspec.to_builtins(files),
        "reader": stream.reader,
        "options": dict(stream.options),
        "clock": stream.clock,
        "epoch_ns": stream.epoch_ns,
        "time_map": msgspec.to_builtins(stream.time_map),
        "frame": stream.frame,
        "recording": stream.recording,
        "language": stream.language,
        "licence": stream.licence,
    }


def _add_rig(run: Run, sample: str, rig: RigProposal) -> None:
    calibration = rig.calibration()
    stated = [f"{mount.frame.name}: {mount.stated} ({mount.source.name})" for mount in rig.mounts]
    run(
        "rig.add",
        sample=sample,
        frames=as_json_values(calibration.frames),
        cameras=as_json_values(calibration.cameras),
        start_ns=None if rig.valid is None else rig.valid.start_ns,
        end_ns=None if rig.valid is None else rig.valid.end_ns,
        note="\n".join((*stated, *rig.notes)),
    )


def _recorded(session: Session, proposal: Proposal, progress: Progress) -> Mapping[Path, MediaFile]:
    paths = list(dict.fromkeys(path for each in proposal.samples for stream in each.streams for path in stream.files))
    found: dict[Path, MediaFile] = {}
    for done, path in enumerate(paths):
        found[path] = record_file(session.project.path, path)
        progress(done + 1, len(paths))
    return found


def _checked(proposal: Proposal, formats: Formats, encoding: str) -> Proposal:
    """Without the streams that cannot be opened, and with the others on one axis where their starts are known."""
    skipped: list[Skipped] = list(proposal.skipped)
    samples: list[SampleProposal] = []
    for sample in proposal.samples:
        opened: dict[str, MediaInfo] = {}
        kept: tuple[StreamProposal, ...] = ()
        for stream in sample.streams:
            try:
                readable, opened[stream.key] = _opened(stream, formats, encoding)
                kept += (readable,)
            except DataError as error:
                skipped += [Skipped(path, error.reason) for path in stream.files]
        if kept:
            epochs = {key: info.epoch_ns for key, info in opened.items() if info.epoch_ns is not None}
            samples.append(aligned(replace(sample, streams=kept), epochs))
    if not samples:
        reasons = _reasons(replace(proposal, samples=(), skipped=tuple(skipped)))
        raise UserError(f"{proposal.folder} holds nothing that can be read: {reasons}")
    return replace(proposal, samples=tuple(samples), skipped=tuple(skipped))


def _opened(stream: StreamProposal, formats: Formats, encoding: str) -> tuple[StreamProposal, MediaInfo]:
    """What the stream tells of itself, as UTF-8 if it can be, and the stream with the encoding it needed."""
    spec = formats.readers.named(stream.kind, stream.reader) if encoding else None
    if spec is None or "encoding" not in spec.options:
        return stream, _info(stream, formats)
    try:
        return stream, _info(stream, formats)
    except DataError:
        stated = replace(stream, options={**stream.options, "encoding": encoding})
        return stated, _info(stated, formats)


def _info(stream: StreamProposal, formats: Formats) -> MediaInfo:
    reader = open_stream(
        stream.files, formats.readers, reader=stream.reader, options=stream.options, context=OpenContext()
    )
    try:
        return reader.info
    finally:
        reader.close()


def _inverted(proposal: Proposal, names: tuple[str, ...]) -> Proposal:
    if not names:
        return proposal
    if not any(sample.rig is not None for sample in proposal.samples):
        raise UserError("there is no calibration in this folder, so nothing can be inverted")
    samples = tuple(
        sample if sample.rig is None else replace(sample, rig=sample.rig.inverted(names)) for sample in proposal.samples
    )
    return replace(proposal, samples=samples)


def _reasons(proposal: Proposal) -> str:
    said = [f"{item.path.name}: {item.reason}" for item in proposal.skipped[:5]]
    more = len(proposal.skipped) - len(said)
    return "; ".join(said) + (f"; and {more} more" if more > 0 else "") or "it is empty"
