"""Finding media again that were moved or renamed, by their content, and writing the new places as one step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workstation.app.session import Session
from workstation.core.errors import UserError
from workstation.core.rights import Right, refusal
from workstation.store.media_files import apply_relinks, check_files, propose_relinks

Progress = Callable[[int, int], None]


def relink_media(session: Session, folder: Path, *, dry_run: bool, progress: Progress) -> dict[str, Any]:
    """Search ``folder`` for the recorded files that are missing or changed; what was found and what was not."""
    refused = refusal(session.actor, Right.MANAGE_SAMPLES)
    if refused and not dry_run:
        raise UserError(refused)
    store, project = session.store, session.project.path
    streams = [stream for sample in store.samples() for stream in store.streams(sample.id)]
    troubled = check_files(project, streams, content=False)
    proposal = propose_relinks(project, troubled, [folder], progress=progress)
    if proposal.found and not dry_run:
        with store.transaction("Relink media") as tx:
            apply_relinks(tx, proposal.found)
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
