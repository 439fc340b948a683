"""Rules at work in the window: a job with a connection of its own finds, the window's thread stores.

Called by the action ``link.suggest``. What is found is proposed in one step and selected for review.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workstation.app.jobs import Job
from workstation.app.suggesting import RULES, is_known, propose, suggestions
from workstation.core.suggestion import Suggestion

if TYPE_CHECKING:
    from workstation.ui.actions.action import Hands
    from workstation.ui.workbench import Workbench


def suggest_links(hands: Hands) -> None:
    """Look for relations in the open sample and propose them."""
    bench = hands.bench
    view = bench.view
    if view is None:
        return
    folder, key = bench.session.project.path, view.sample.key
    if bench.jobs is None:
        bench.tell("Links are proposed in a window, or by workstation link suggest.")
        return
    bench.jobs.start(
        "Propose links", partial(_found, folder, key), done=partial(_propose, hands, key), failed=bench.tell
    )


def _found(folder: Path, key: str, job: Job) -> tuple[Suggestion, ...]:
    """On a worker: nothing of the window's is touched."""
    from workstation.app.opening import open_project
    from workstation.app.placed_cuboids import PlacedCuboids
    from workstation.app.reading import Formats
    from workstation.app.sample_view import SampleView
    from workstation.app.sightings import Sightings
    from workstation.app.streams import OpenStreams

    with open_project(folder, read_only=True) as session:
        view = SampleView(session.store, session.open_sample(key))
        with OpenStreams(session.project.path, readers=Formats().readers) as readers:
            seen = Sightings(view, PlacedCuboids(view, readers), readers)
            found: list[Suggestion] = []
            for done, rule in enumerate(RULES):
                job.report(done, len(RULES), rule)
                found += suggestions(seen, [rule]).new
    return tuple(found)


def _propose(hands: Hands, key: str, found: tuple[Suggestion, ...]) -> None:
    bench = hands.bench
    view = bench.view
    if view is None or view.sample.key != key:
        bench.tell(f"Another sample is open; nothing was proposed for {key}.")
        return
    new = [each for each in found if not is_known(view, each) and all(view.exists(end.target) for end in each.ends)]
    made = _stored(bench, new) if new else []
    if made is None:
        return
    if not made:
        bench.tell("The rules propose nothing that is not linked or rejected already.")
        return
    bench.select(made[:1], cause="window")
    hands.frame.show_pane("links")
    count = "One link is" if len(made) == 1 else f"{len(made)} links are"
    bench.tell(f"{count} proposed: accept the selected one (@annotation.accept) or reject it (@annotation.reject).")


def _stored(bench: Workbench, new: list[Suggestion]) -> list[str] | None:
    view = bench.view
    assert view is not None

    def act() -> list[str]:
        with bench.together(f"Propose {len(new)} links by rule") as run:
            return propose(run, view, new)

    found: list[str] | None = bench.attempt(act)
    return found
