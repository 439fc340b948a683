"""The session: one open project with its store, clock and selection. The window, the command line and scripts hold one.

Everything that changes a project goes through ``run``; everybody who shows it listens to ``changed``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from workstation.commands.registry import Command, Registry
from workstation.commands.resolve import Resolver, Wanted
from workstation.core.clock import Clock
from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind, Right
from workstation.core.sample import Sample
from workstation.core.selection import Selection
from workstation.core.signal import Signal
from workstation.core.sync_state import gate_asked, why_locked
from workstation.core.timebase import SECOND_NS, TimeRange
from workstation.store.changes import ChangeSet
from workstation.store.project import ProjectFolder
from workstation.store.store import Store
from workstation.store.undo import UndoResult

if TYPE_CHECKING:
    from workstation.app.playing import Playing
    from workstation.media.playback import Player

__all__ = ["Run", "Session", "UndoResult"]

Run = Callable[..., Any]
_LABELS = frozenset({"annotation", "track", "keyframe", "entity", "link", "word", "mask", "points"})
"""What commands are called that label."""


class Session:
    """One project, one person. Close it, or use it in a ``with`` block."""

    def __init__(self, project: ProjectFolder, registry: Registry) -> None:
        self.project = project
        self.registry = registry
        self.selection = Selection()
        self.clock = Clock(TimeRange(0, SECOND_NS))
        self._sample: SampleId | None = None
        self._playing: Playing | None = None

    @property
    def player(self) -> Player:
        """Plays the sounds of the open sample and moves the clock; made when first asked for."""
        return (self._playing or self.play_with(None)).player

    def play_with(self, playing: Playing | None) -> Playing:
        """Use this, made with devices and readers of one's own (``None``: the usual), until the session is closed."""
        from workstation.app.playing import Playing

        if self._playing is not None:
            self._playing.close()
        self._playing = playing or Playing(self)
        return self._playing

    @property
    def store(self) -> Store:
        """The records, to be read."""
        return self.project.store

    @property
    def changed(self) -> Signal[ChangeSet]:
        """Told after every commit."""
        return self.store.changed

    @property
    def actor(self) -> Actor:
        """On whose word things are done."""
        return self.store.actor

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed."""
        return self.store.read_only

    @property
    def sample(self) -> SampleId | None:
        """The open sample."""
        return self._sample

    @property
    def selected(self) -> tuple[str, ...]:
        """The selected ids."""
        return self.selection.state.ids

    def open_sample(self, key: str) -> SampleId:
        """Open a sample by its key: commands then need not name it."""
        found = self.store.sample_by_key(key)
        if found is None:
            raise UserError(f"there is no sample {key[:80]!r}")
        self._sample = found.id
        self.selection.clear(cause="session")
        if self._playing is not None:
            self._playing.refresh()
        return found.id

    def run(self, command_id: str, /, **arguments: object) -> Any:
        """Do one command: one revision, one undo step. Answers what it made, mostly an id."""
        command = self.registry.find(command_id)
        with self._transaction(command.title) as run:
            return run(command_id, **arguments)

    @contextmanager
    def together(self, label: str, *, group: str | None = None) -> Iterator[Run]:
        """Several commands as one step, all or none: ``with session.together("Sort") as run: run("…", …)``.

        What follows with the same ``group`` joins that step: a run of nudges, a burst of typing.
        """
        with self._transaction(label, group=group) as run:
            yield run

    @contextmanager
    def _transaction(self, label: str, *, group: str | None = None) -> Iterator[Run]:
        with self.store.transaction(
            label, group=group, sample=self._sample, selection=self.selected, time_ns=self.clock.time_ns
        ) as tx:

            def run(command_id: str, /, **arguments: object) -> Any:
                command = self.registry.find(command_id)
                if command.right is not None and not _writes_proposals(self.actor):
                    tx.allow(command.right)
                    if command.right is Right.LABEL and command_id.partition(".")[0] in _LABELS:
                        self._refuse_locked(tx, arguments.get("sample"))
                return command.run(tx, arguments, sample=self._sample)

            yield run

    def why_locked(self, sample: SampleId | None = None) -> str | None:
        """Why nothing may be labelled yet in a sample (the open one), with what unlocks it; ``None`` if it may."""
        wanted = sample or self._sample
        return None if wanted is None else _why_locked(self.store, wanted)

    def _refuse_locked(self, reads: Any, named: object) -> None:
        wanted = self._sample if named is None else Resolver(reads, self._sample).find(Wanted.SAMPLE, str(named))
        reason = None if wanted is None else _why_locked(reads, wanted)
        if reason is not None:
            raise UserError(reason)

    def why_not(self, command: Command) -> str | None:
        """Why a command cannot run now, for a greyed entry; ``None`` if it can."""
        return command.unavailable(self)

    def undo(self, *, group: str | None = None, rev: int | None = None) -> UndoResult | None:
        """Take back my last step on the open sample (or anywhere, if none is open), a job, or one revision."""
        return self.store.undo(sample=self._sample, group=group, rev=rev)

    def redo(self, *, group: str | None = None, rev: int | None = None) -> UndoResult | None:
        """Do again what was taken back last."""
        return self.store.redo(sample=self._sample, group=group, rev=rev)

    def close(self) -> None:
        """Close the project; a second call does nothing."""
        if self._playing is not None:
            self._playing.close()
            self._playing = None
        self.project.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _why_locked(reads: Any, sample: SampleId) -> str | None:
    project = reads.project()
    if not gate_asked(project):
        return None
    found = reads.get(RecordKind.SAMPLE, sample)
    return why_locked(project, found, reads.streams(sample)) if isinstance(found, Sample) else None


def _writes_proposals(actor: Actor) -> bool:
    """Models and imports label under rights of their own, which the gate knows."""
    return actor.kind in (ActorKind.MODEL, ActorKind.IMPORT)
