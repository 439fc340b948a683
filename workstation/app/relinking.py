"""Finding media again that were moved or renamed, by their content, and writing the new places as one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workstation.app.session import Session
from workstation.core.errors import UserError
from workstation.core.rights import Right, refusal
from workstation.core.sample import Stream
from workstation.store.media_files import RelinkProposal as Proposal
from workstation.store.media_files import apply_relinks, check_files, propose_relinks

Progress = Callable[[int, int], None]


__all__ = ["Proposal", "apply_found", "missing_media", "relink_media", "search_media"]


def missing_media(project: Path, streams: Sequence[Stream]) -> list[str]:
    """A sentence for each file that is missing or has another size; fit for a worker, as it asks no store."""
    return [problem.sentence for problem in check_files(project, streams, content=False)]


def search_media(project: Path, streams: Sequence[Stream], folder: Path, *, progress: Progress) -> Proposal:
    """Look for what is missing, by content; fit for a worker."""
    return propose_relinks(project, check_files(project, streams, content=False), [folder], progress=progress)


def apply_found(session: Session, proposal: Proposal) -> None:
    """Write the new places as one step; nothing if nothing was found."""
    refused = refusal(session.actor, Right.MANAGE_SAMPLES)
    if refused:
        raise UserError(refused)
    if proposal.found:
        with session.store.transaction("Relink media") as tx:
            apply_relinks(tx, proposal.found)


def relink_media(session: Session, folder: Path, *, dry_run: bool, progress: Progress) -> dict[str, Any]:
    """Search ``folder`` for the recorded files that are missing or changed; what was found and what was not."""
    refused = refusal(session.actor, Right.MANAGE_SAMPLES)
    if refused and not dry_run:
        raise UserError(refused)
    store, project = session.store, session.project.path
    streams = [stream for sample in store.samples() for stream in store.streams(sample.id)]
    proposal = search_media(project, streams, folder, progress=progress)
    if not dry_run:
        apply_found(session, proposal)
    names = {stream.id: stream.key for stream in streams}
    return {
        "relinked": [
            {"stream": names[each.stream], "old": each.old.path, "new": each.new.path, "copies": each.copies}
            for each in proposal.found
        ],
        "missing": [problem.sentence for problem in proposal.not_found],
        "unreadable": list(proposal.unreadable),
        "searched_files": proposal.searched_files,
    }
