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
from workstation.core.timebase import IDENTITY
from workstation.media.base import MediaInfo, OpenContext, Options
from workstation.media.grouping import propose
from workstation.media.probe import open_stream
from workstation.media.proposal import Proposal, RigProposal, SampleProposal, Skipped, StreamProposal, aligned
from workstation.store.media_files import record_file

__all__ = ["Proposal", "Written", "proposed", "write_proposal"]

Progress = Callable[[int, int], None]
NO_OPTIONS: Options = {}


@dataclass(frozen=True, slots=True)
class Written:
    """One stream that was added."""

    sample: str
    stream: str
    id: str
    files: int


def proposed(
    folder: Path, formats: Formats, *, invert: Iterable[str] = (), encoding: str = "", options: Options = NO_OPTIONS
) -> Proposal:
    """What a folder would become; ``invert`` names frames whose mounting is to be read the other way round.

    ``encoding`` is that of its texts which are no UTF-8; ``options`` go to every stream whose reader knows them.
    """
    found = propose(folder, formats.readers, formats.datasets)
    if not found.samples:
        raise UserError(f"{folder} holds nothing that can be shown: {_reasons(found)}")
    if options:
        _refuse_unknown(found, formats, options)
    return _inverted(_checked(found, formats, encoding, options), tuple(invert))


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


def _checked(proposal: Proposal, formats: Formats, encoding: str, options: Options) -> Proposal:
    """Without the streams that cannot be opened, and with the others on one axis where their starts are known."""
    skipped: list[Skipped] = list(proposal.skipped)
    samples: list[SampleProposal] = []
    for sample in proposal.samples:
        opened: dict[str, MediaInfo] = {}
        kept: tuple[StreamProposal, ...] = ()
        for stream in sample.streams:
            try:
                readable, opened[stream.key] = _opened(stream, formats, encoding, options)
                kept += (readable,)
            except DataError as error:
                shared = any(each is not stream and each.files == stream.files for each in sample.streams)
                reason = f"{stream.key}: {error.reason}" if shared else error.reason
                skipped += [Skipped(path, reason) for path in stream.files]
        if kept:
            epochs = {key: info.epoch_ns for key, info in opened.items() if info.epoch_ns is not None}
            samples.append(aligned(replace(sample, streams=kept), epochs))
    if not samples:
        reasons = _reasons(replace(proposal, samples=(), skipped=tuple(skipped)))
        raise UserError(f"{proposal.folder} holds nothing that can be read: {reasons}")
    return replace(proposal, samples=tuple(samples), skipped=tuple(skipped))


def _opened(
    stream: StreamProposal, formats: Formats, encoding: str, options: Options
) -> tuple[StreamProposal, MediaInfo]:
    """The stream as it can be read, and what it tells of itself: with the options its reader knows if they help, and
    with the encoding only where UTF-8 does not fit.
    """
    spec = formats.readers.named(stream.kind, stream.reader) if encoding or options else None
    known = {name: value for name, value in options.items() if spec is not None and name in spec.options}
    if known:
        stated = replace(
            stream, options={**stream.options, **known}, clock="", clock_source="", epoch_ns=None, time_map=IDENTITY,
            notes=(),
        )  # fmt: skip
        try:
            return stated, _info(stated, formats)
        except DataError as error:
            note = f"{', '.join(known)} is of no use here: {error.reason}"
            stream = replace(stream, notes=(*stream.notes, note))
    if spec is None or not encoding or "encoding" not in spec.options:
        return stream, _info(stream, formats)
    try:
        return stream, _info(stream, formats)
    except DataError:
        stated = replace(stream, options={**stream.options, "encoding": encoding})
        return stated, _info(stated, formats)


def _refuse_unknown(proposal: Proposal, formats: Formats, options: Options) -> None:
    """An option that no reader of the folder has is a typing error."""
    used = {(stream.kind, stream.reader) for sample in proposal.samples for stream in sample.streams}
    specs = [spec for spec in (formats.readers.named(*each) for each in used) if spec is not None]
    unknown = sorted(set(options) - {name for spec in specs for name in spec.options})
    if unknown:
        known = ", ".join(sorted({name for spec in specs for name in spec.options})) or "none"
        raise UserError(f"no reader of this folder has an option {', '.join(unknown)}; they have {known}")


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
