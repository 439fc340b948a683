"""``project.yaml``, ``ontology.yaml`` and ``guideline.md``: readable copies of what the database holds.

The project folder writes them after a commit that changed their records, and looks at them when it opens. The first
line of each carries the SHA-256 of the rest, so a file edited outside is told from one that is merely old, without
remembering anything. An edit comes in as a draft or a proposal, never as a change; nothing written outside is
overwritten before it is kept in the database or set aside.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded, write_whole
from workstation.core.ids import RecordId
from workstation.core.ontology_parse import with_version
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import Guideline, OntologyState, OntologyVersion, Parked, ParkedState, Project
from workstation.core.values import dataclass
from workstation.store.changes import ChangeSet
from workstation.store.ontology_text import ontology_of_text
from workstation.store.queries import Reads
from workstation.store.store import Store
from workstation.store.transaction import Transaction
from workstation.store.yaml import dump_yaml, load_yaml

PROJECT_MIRROR = "project.yaml"
ONTOLOGY_MIRROR = "ontology.yaml"
GUIDELINE_MIRROR = "guideline.md"
LARGEST_MIRROR = 16 << 20

_STAMP = re.compile(r"(?:# |<!-- )mirror of the database, sha256 ([0-9a-f]{64})\b[^\n]*(?:\n|$)")
_OWN: dict[str, Any] = {"rules": (), "searches": (), "causes": (), "main_link": "", "links_off": ()}
"""Shown only where a project has some."""
_SETTINGS = ("name", "profile", "modalities", "tolerances", "gates", *_OWN)


class MirrorEvent(StrEnum):
    """What was found or done about a mirror."""

    BROUGHT_IN = "brought_in"
    REFRESHED = "refreshed"
    REFUSED = "refused"
    SET_ASIDE = "set_aside"
    NOT_WRITTEN = "not_written"


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """One thing the person should know about a mirror; ``record`` is the draft or proposal an edit became."""

    file: str
    event: MirrorEvent
    sentence: str
    record: str | None = None


class Mirrors:
    """The three files of one project. Belongs to the store's thread."""

    def __init__(self, folder: Path, store: Store, now_ms: Callable[[], int]) -> None:
        self._folder = folder
        self._store = store
        self._now_ms = now_ms
        self._reports: list[MirrorReport] = []

    def take_reports(self) -> list[MirrorReport]:
        """What there is to say since the last call."""
        reports, self._reports = self._reports, []
        return reports

    def follow(self) -> None:
        """Write mirrors after every commit that changes their records."""
        self._store.changed.connect(self._write_changed)

    def end(self) -> None:
        """Stop following."""
        self._store.changed.disconnect(self._write_changed)

    def compare(self) -> None:
        """Look at every mirror as it was found: bring in what was edited outside, then bring all up to date.

        Read-only projects are only reported on.
        """
        for name in _RENDER:
            try:
                found = self._read(name)
            except DataError as error:
                self._say(name, MirrorEvent.REFUSED, f"{error}; the database counts")
                continue
            wanted = _RENDER[name](self._store)
            if found is not None and found.edited and found.body != wanted:
                self._edited(name, found.body)
            elif found is not None and found.body != wanted and not self._store.read_only:
                self._say(name, MirrorEvent.REFRESHED, f"{name} was an older copy and was written anew")
        if not self._store.read_only:
            for name in _RENDER:
                self._clear_litter(name)
                self._write(name)

    def _clear_litter(self, name: str) -> None:
        """Delete what a killed program left of writing a mirror; the lock says that nobody is writing one now."""
        for part in self._folder.glob(f".{name}.*.part"):
            with contextlib.suppress(OSError):
                part.unlink()

    def _write_changed(self, changes: ChangeSet) -> None:
        for kind in changes.kinds & _MIRROR_OF.keys():
            self._write(_MIRROR_OF[kind])

    def _edited(self, name: str, body: str) -> None:
        if self._store.read_only:
            self._say(
                name, MirrorEvent.REFUSED, f"{name} was edited outside; open the project for writing to bring it in"
            )
            return
        try:
            record, sentence = _BRING_IN[name](self._store, body)
        except UserError as error:
            self._say(name, MirrorEvent.REFUSED, f"{name} was edited outside and cannot be brought in: {error}")
            return
        # The edit is in the database now, so the file may show again what is in force.
        self._overwrite(name)
        self._say(name, MirrorEvent.BROUGHT_IN, sentence, record)

    def _write(self, name: str) -> None:
        """Bring a mirror up to date; an edit from outside that is not in the database is set aside first."""
        try:
            found = self._read(name)
        except DataError as error:
            self._say(name, MirrorEvent.NOT_WRITTEN, f"{name} was not written: {error}")
            return
        wanted = _RENDER[name](self._store)
        if wanted is None or (found is not None and found.body == wanted):
            return
        if found is not None and found.edited and not self._set_aside(name):
            return
        self._overwrite(name)

    def _overwrite(self, name: str) -> None:
        body = _RENDER[name](self._store)
        if body is None:
            return
        try:
            write_whole(self._folder / name, stamped(name, body))
        except OSError as error:  # a mirror that cannot be written must never cost an edit
            self._say(
                name, MirrorEvent.NOT_WRITTEN, f"{name} could not be written ({error.strerror}); the edit is stored"
            )

    def _set_aside(self, name: str) -> bool:
        moment = datetime.fromtimestamp(self._now_ms() / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        stem, dot, suffix = name.partition(".")
        aside = self._folder / f"{stem}.edited-{moment}{dot}{suffix}"
        if aside.exists():
            return False
        try:
            (self._folder / name).rename(aside)
        except OSError as error:
            self._say(name, MirrorEvent.NOT_WRITTEN, f"{name} was edited outside and cannot be moved: {error.strerror}")
            return False
        self._say(
            name, MirrorEvent.SET_ASIDE,
            f"{name} had been edited outside; the edit is kept as {aside.name}. To bring it in, copy it back over "
            f"{name} and open the project again",
        )  # fmt: skip
        return True

    def _read(self, name: str) -> _Found | None:
        path = self._folder / name
        if path.is_symlink():
            raise DataError("is a symbolic link; put a plain file there or delete it", path=path)
        if not path.exists():
            return None
        data = read_bounded(path, LARGEST_MIRROR)
        try:
            return _parse(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise DataError("is not UTF-8 text", path=path, place=f"byte {error.start}") from error

    def _say(self, name: str, event: MirrorEvent, sentence: str, record: str | None = None) -> None:
        self._reports.append(MirrorReport(name, event, sentence, record))


@dataclass(frozen=True, slots=True)
class _Found:
    body: str
    edited: bool


def stamped(name: str, body: str) -> str:
    """The text of a mirror file: the line with the hash, then the body."""
    stamp = f"mirror of the database, sha256 {text_sha256(body)}; an edit below comes in when the project is opened"
    return (f"<!-- {stamp} -->\n" if name.endswith(".md") else f"# {stamp}\n") + body


def body_of(text: str) -> str:
    """The body of a mirror's text, with or without the line that holds the hash."""
    return _parse(text).body


def _parse(text: str) -> _Found:
    # Version control and editors on Windows change line ends; that is no edit.
    text = text.replace("\r\n", "\n")
    stamp = _STAMP.match(text)
    if stamp is None:
        return _Found(text, edited=True)
    body = text[stamp.end() :]
    return _Found(body, edited=stamp[1] != text_sha256(body))


def text_sha256(text: str) -> str:
    """The hash that ontology versions, guidelines and mirrors carry."""
    return hashlib.sha256(text.encode()).hexdigest()


# --- what each mirror shows ----------------------------------------------------------------------------------------


def shown_ontology(store: Reads) -> OntologyVersion | None:
    """The version in ``ontology.yaml``: the one in force, else the newest that was not withdrawn."""
    current = store.effective_ontology()
    if current is not None:
        return current
    open_versions = [v for v in store.ontology_versions() if v.state is not OntologyState.WITHDRAWN]
    return open_versions[-1] if open_versions else None


def shown_guideline(store: Reads) -> Guideline | None:
    """The newest guideline."""
    versions = [record for record in store.records(RecordKind.GUIDELINE) if isinstance(record, Guideline)]
    return max(versions, key=lambda guideline: guideline.number, default=None)


def _settings(project: Project) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins({name: getattr(project, name) for name in _SETTINGS})
    return plain


def _render_project(store: Reads) -> str | None:
    project = store.project()
    if project is None:
        return None
    return dump_yaml({name: value for name, value in _settings(project).items() if value or name not in _OWN})


def _render_ontology(store: Reads) -> str | None:
    version = shown_ontology(store)
    return None if version is None else version.text.replace("\r\n", "\n")


def _render_guideline(store: Reads) -> str | None:
    guideline = shown_guideline(store)
    return None if guideline is None else guideline.text.replace("\r\n", "\n")


# --- bringing an edit in -------------------------------------------------------------------------------------------


def _outsider(name: str) -> Actor:
    """Nobody knows who edited a file, and the draft says so. It has no effect until somebody with the right accepts."""
    return Actor(name="edited outside", kind=ActorKind.SYSTEM, tool=name)


def _bring_in_ontology(store: Store, body: str) -> tuple[str, str]:
    """A new draft, or the draft an earlier edit of the same version became."""
    ontology_of_text(body, ONTOLOGY_MIRROR)
    shown = shown_ontology(store)
    versions = store.ontology_versions()
    parent = None if shown is None else shown.number
    earlier = next(
        (v for v in versions if v.state is OntologyState.DRAFT and v.author == "edited outside" and v.parent == parent),
        None,
    )
    number = earlier.number if earlier else max((v.number for v in versions), default=0) + 1
    text = with_version(body, number)
    with store.transaction(f"Bring in {ONTOLOGY_MIRROR}", actor=_outsider(ONTOLOGY_MIRROR)) as tx:
        draft = OntologyVersion(
            id=earlier.id if earlier else RecordId(tx.new_id()),
            number=number, text=text, sha256=text_sha256(text), author="edited outside",
            note=f"{ONTOLOGY_MIRROR} was edited outside the program", parent=parent,
        )  # fmt: skip
        tx.put(draft)
    return draft.id, (
        f"{ONTOLOGY_MIRROR} was edited outside; the edit came in as draft {number} of the ontology and has no effect "
        "until it is reviewed and locked"
    )


def _bring_in_guideline(store: Store, body: str) -> tuple[str, str]:
    record = _park(
        store, GUIDELINE_MIRROR, RecordKind.GUIDELINE, body, ("the guideline was edited outside the program",)
    )
    return record, f"{GUIDELINE_MIRROR} was edited outside; the edit waits as a proposal, accept it to put it in force"


def _bring_in_project(store: Store, body: str) -> tuple[str, str]:
    project = store.project()
    if project is None:
        raise UserError("the project has no settings yet")
    proposed = _read_settings(body, project)
    old, new = _settings(project), _settings(proposed)
    changes = tuple(
        f"{name}: {_short(old[name])} → {_short(new[name])}" for name in _SETTINGS if old[name] != new[name]
    )
    if not changes:
        raise UserError("it says the same as the database in other words")
    record = _park(store, PROJECT_MIRROR, RecordKind.PROJECT, body, changes)
    return record, f"{PROJECT_MIRROR} was edited outside; the edit waits as a proposal: {'; '.join(changes)}"


def _read_settings(body: str, project: Project) -> Project:
    value = load_yaml(body, source=PROJECT_MIRROR)
    if not isinstance(value, dict):
        raise DataError("is not a list of settings", path=PROJECT_MIRROR)
    unknown = sorted(set(value) - set(_SETTINGS))
    if unknown:
        raise DataError(f"the setting {unknown[0]!r} does not exist", path=PROJECT_MIRROR)
    # Whole numbers are fine where the record wants fractions; msgspec converts them and refuses the rest.
    plain = {**msgspec.to_builtins(project), **_OWN, **value}
    try:
        return msgspec.convert(plain, Project)
    except msgspec.ValidationError as error:
        raise DataError(str(error), path=PROJECT_MIRROR) from error


def _park(store: Store, origin: str, kind: RecordKind, body: str, problems: tuple[str, ...]) -> str:
    """Keep an edit as a proposal; the same edit again is the same proposal."""
    for record in store.records(RecordKind.PARKED):
        if not isinstance(record, Parked) or record.state is not ParkedState.OPEN:
            continue
        if (record.origin, record.payload) == (origin, body):
            return record.id
    with store.transaction(f"Bring in {origin}", actor=_outsider(origin)) as tx:
        parked = Parked(id=RecordId(tx.new_id()), origin=origin, kind=kind.value, payload=body, problems=problems)
        tx.put(parked)
    return parked.id


def accept_proposal(tx: Transaction, parked_id: str) -> str:
    """Put an edit of ``project.yaml`` or ``guideline.md`` in force, in the caller's transaction and with her rights.

    Returns the id of the record that was written.
    """
    parked = tx.require(RecordKind.PARKED, parked_id)
    if not isinstance(parked, Parked) or parked.origin not in (PROJECT_MIRROR, GUIDELINE_MIRROR):
        raise UserError(f"{parked_id} is no proposal from an edited file")
    if parked.state is not ParkedState.OPEN:
        raise UserError(f"the proposal {parked_id} has been {parked.state.value} already")
    record: Project | Guideline
    if parked.origin == PROJECT_MIRROR:
        project = tx.project()
        if project is None:
            raise UserError("the project has no settings yet")
        record = _read_settings(parked.payload, project)
    else:
        ontology, last = tx.effective_ontology(), shown_guideline(tx)
        record = Guideline(
            id=RecordId(tx.new_id()), number=1 if last is None else last.number + 1, text=parked.payload,
            sha256=text_sha256(parked.payload), ontology_number=0 if ontology is None else ontology.number,
        )  # fmt: skip
    tx.put(record)
    tx.put(msgspec.structs.replace(parked, state=ParkedState.MAPPED, resolution=f"accepted as {record.id}"))
    return record.id


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"


_RENDER: Mapping[str, Callable[[Reads], str | None]] = {
    PROJECT_MIRROR: _render_project,
    ONTOLOGY_MIRROR: _render_ontology,
    GUIDELINE_MIRROR: _render_guideline,
}
_BRING_IN: Mapping[str, Callable[[Store, str], tuple[str, str]]] = {
    PROJECT_MIRROR: _bring_in_project,
    ONTOLOGY_MIRROR: _bring_in_ontology,
    GUIDELINE_MIRROR: _bring_in_guideline,
}
_MIRROR_OF: Mapping[RecordKind, str] = {
    RecordKind.PROJECT: PROJECT_MIRROR,
    RecordKind.ONTOLOGY: ONTOLOGY_MIRROR,
    RecordKind.GUIDELINE: GUIDELINE_MIRROR,
}
