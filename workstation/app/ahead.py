"""Loads what a window on a project needs of everything without Qt, before Qt is there.

Called by ``__main__`` when a window is to open on a project. PySide6 reads and searches the source of every module that
is imported after it: for these modules that is a tenth of the whole start. What is missing here is still found when it
is first used, only later and dearer; a test starts the program and names it.
"""

from __future__ import annotations

import gc


def load_ahead() -> None:
    """Import it all. Nothing of it is garbage, so none is looked for meanwhile."""
    collects = gc.isenabled()
    gc.disable()
    try:
        _load()
    finally:
        if collects:
            gc.enable()


def _load() -> None:
    import workstation.app.absences
    import workstation.app.checking
    import workstation.app.comment_rows
    import workstation.app.doubts
    import workstation.app.end_cards
    import workstation.app.entity_table
    import workstation.app.film_strip
    import workstation.app.finding_rows
    import workstation.app.freed_memory
    import workstation.app.history_rows
    import workstation.app.inspecting_edits
    import workstation.app.jobs
    import workstation.app.keyframe_rows
    import workstation.app.lag
    import workstation.app.lane_layout
    import workstation.app.lane_sound
    import workstation.app.layouts
    import workstation.app.measuring
    import workstation.app.moods
    import workstation.app.opening
    import workstation.app.playing
    import workstation.app.readiness
    import workstation.app.reading
    import workstation.app.sample_pages
    import workstation.app.seen
    import workstation.app.selecting
    import workstation.app.settings
    import workstation.app.shown_kinds
    import workstation.app.shown_proposals
    import workstation.app.sound_skew
    import workstation.app.spans
    import workstation.app.stale_now
    import workstation.app.stream_rows
    import workstation.app.submitting
    import workstation.qa.rules  # noqa: F401  (and all above: imported to be there)
    from workstation.commands.registry import load_registry

    load_registry()
