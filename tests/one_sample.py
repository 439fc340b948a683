"""A person's session on a new project with one sample whose streams need no files: what tests of relations start from.

Used by tests of commands and of the program without a window; each gets a project of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workstation.app.opening import new_project, open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session


@contextmanager
def one_sample(folder: Path, profile: str = "driving", **streams: str) -> Iterator[Session]:
    """Sample ``s`` is open, its clocks are settled, and ``streams`` says which there are, by key and kind."""
    with open_project(new_project(folder, profile=profile, person="Ana"), kind="person") as session:
        session.run("sample.add", key="s")
        session.run("gate.waive", sample="s", gate="sync", reason="clocks known by design")
        session.open_sample("s")
        for key, kind in streams.items():
            session.run("stream.add", key=key, kind=kind)
        yield session


def view_of(session: Session) -> SampleView:
    """The open sample as it is now."""
    assert session.sample is not None
    return SampleView(session.store, session.sample)
