"""What a project holds and what waits in it: the figures of ``info`` and ``open``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workstation.app.session import Session
from workstation.core.annotation import Comment, CommentState, Record, State
from workstation.core.errors import UserError
from workstation.core.moments import moment
from workstation.core.records import RecordKind
from workstation.core.sample import (
    OntologyState,
    Parked,
    ParkedState,
    QueueItem,
    QueueState,
    SampleState,
    Stream,
)
from workstation.store.media_files import check_files

Progress = Callable[[int, int], None]
_COUNTED = (
    RecordKind.SAMPLE, RecordKind.STREAM, RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.LINK,
)  # fmt: skip


def describe(session: Session) -> dict[str, Any]:
    """The facts of a project; counts are kept by the store, not counted."""
    store = session.store
    project = store.project()
    versions = store.ontology_versions()
    locked = [version.number for version in versions if version.state is OntologyState.LOCKED]
    ontology = f"version {locked[-1]}, locked" if locked else "none locked" if versions else "none"
    return {
        "name": "" if project is None else project.name,
        "profile": "" if project is None else project.profile,
        "folder": str(session.project.path),
        "replica": store.replica,
        "ontology": ontology,
        "people": [f"{each.name} ({', '.join(role.value for role in each.roles)})" for each in store.people()],
        "samples": _by_state(session),
        "counts": {kind.value: store.total(kind) for kind in _COUNTED},
        "revisions": store.head(),
        "head": store.head_hash(),
    }


def _by_state(session: Session) -> dict[str, int]:
    counts = {count.state: count.n for count in session.store.counts(kind=RecordKind.SAMPLE) if count.n}
    return {state.value: counts[state.value] for state in SampleState if counts.get(state.value)}


def waiting(session: Session) -> dict[str, int]:
    """What somebody has to do, counted; what is not waiting is left out."""
    store = session.store
    states = _by_kind_and_state(session)
    stale = sum(
        len({end.link.id for end in store.stale_links(sample.id)})
        for sample in store.samples()
        if store.total(RecordKind.LINK, sample.id)
    )
    drafts = [version for version in store.ontology_versions() if version.state in _OPEN_VERSIONS]
    found = {
        "samples returned": states.get((RecordKind.SAMPLE, SampleState.RETURNED.value), 0),
        "samples to review": states.get((RecordKind.SAMPLE, SampleState.SUBMITTED.value), 0),
        "proposals to accept or reject": states.get((RecordKind.ANNOTATION, State.PROPOSED.value), 0)
        + states.get((RecordKind.LINK, State.PROPOSED.value), 0),
        "stale links": stale,
        "questions after an ontology change": _count(session, RecordKind.QUEUE_ITEM, _open_question),
        "parked records": _count(session, RecordKind.PARKED, _open_parked),
        "open comments and questions": _count(session, RecordKind.COMMENT, _open_comment),
        "ontology versions not locked": len(drafts),
    }
    return {name: count for name, count in found.items() if count}


_OPEN_VERSIONS = (OntologyState.DRAFT, OntologyState.IN_REVIEW)


def _by_kind_and_state(session: Session) -> dict[tuple[RecordKind, str], int]:
    """Counts over all classes and layers."""
    sums: dict[tuple[RecordKind, str], int] = {}
    for count in session.store.counts():
        sums[count.kind, count.state] = sums.get((count.kind, count.state), 0) + count.n
    return sums


def _count(session: Session, kind: RecordKind, test: Callable[[Record], bool]) -> int:
    return sum(1 for record in session.store.records(kind) if test(record))


def _open_question(record: Record) -> bool:
    return isinstance(record, QueueItem) and record.state is QueueState.OPEN


def _open_parked(record: Record) -> bool:
    return isinstance(record, Parked) and record.state is ParkedState.OPEN


def _open_comment(record: Record) -> bool:
    return isinstance(record, Comment) and record.state is CommentState.OPEN


def stream_provenance(session: Session, progress: Progress, only: str | None = None) -> Iterator[dict[str, Any]]:
    """Where each stream comes from, and whether its files are still what was recorded; of one sample if ``only``."""
    if only is not None and session.store.sample_by_key(only) is None:
        raise UserError(f"there is no sample {only[:80]!r}")
    for sample in session.store.samples():
        if only not in (None, sample.key):
            continue
        for stream in session.store.streams(sample.id):
            problems = check_files(session.project.path, [stream], progress=progress)
            came = {"added": _added(session, stream)}
            yield _origin(sample.key, stream) | came | {"trouble": [problem.sentence for problem in problems]}


def _added(session: Session, stream: Stream) -> str:
    """Who or what brought the stream in, and when."""
    first = session.store.provenance(stream.id).entries[0]
    tool = f" with {first.actor.tool}" if first.actor.tool else ""
    return f"{moment(first.made_ms)} by {first.actor.name} ({first.actor.kind.value}){tool}"


def _origin(sample: str, stream: Stream) -> dict[str, Any]:
    return {
        "stream": f"{sample}/{stream.key}",
        "kind": stream.kind.value,
        "role": stream.role,
        "recording": stream.recording,
        "clock": stream.clock + {True: ", locked", False: ", not locked", None: ""}[stream.clock_locked],
        "time_map": stream.time_map.method,
        "consent": stream.consent,
        "licence": stream.licence,
        "transformations": list(stream.transformations),
        "files": [f"{file.path} ({file.size:,} bytes, sha256 {file.sha256})" for file in stream.files],
    }
