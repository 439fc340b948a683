"""What is remembered of streams: a sample is as long as before without a file being opened, and changes are noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from strict_windows import copy_of
from workstation.app.opening import open_project
from workstation.app.readiness import first_full_moment
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.spans import sample_span
from workstation.app.streams import OpenStreams, reading_context
from workstation.core.errors import DataError
from workstation.core.timebase import TimeRange
from workstation.media.base import OpenContext


def look(project: Path) -> tuple[TimeRange, int, int]:
    """Span and first full moment of the sample, and how many files were opened for it."""
    with open_project(project, kind="person", role="lead") as session:
        (sample,) = session.store.samples()
        view = SampleView(session.store, sample.id)
        streams = list(view.streams.values())
        context = reading_context(session.project, streams, shared=OpenContext())
        with OpenStreams(project, readers=Formats().readers, context=context) as readers:
            span = sample_span(streams, readers)
            return span, first_full_moment(view, readers, span.start_ns), len(readers._open)


def test_the_second_time_nothing_is_opened_and_the_answers_are_the_same(demo_project: Path) -> None:
    shutil.rmtree(demo_project / "cache", ignore_errors=True)
    span, first, opened = look(demo_project)
    assert opened > 5
    assert look(demo_project) == (span, first, 0)
    for kept in (demo_project / "cache").rglob("*extent*"):
        if kept.is_file():
            kept.write_bytes(kept.read_bytes()[:-7] + b"nonsense")
    again = look(demo_project)
    assert again[:2] == (span, first)


def test_a_stream_whose_file_is_gone_still_says_why(demo_template: Path, tmp_path: Path) -> None:
    project = copy_of(demo_template, tmp_path / "drive")
    look(project)
    with open_project(project, kind="person", role="lead") as session:
        (sample,) = session.store.samples()
        stream = session.store.stream_by_key(sample.id, "commentary")
        assert stream is not None
        (project / stream.files[0].path).unlink()
        context = reading_context(session.project, [stream], shared=OpenContext())
        with (
            OpenStreams(project, readers=Formats().readers, context=context) as readers,
            pytest.raises(DataError, match="narration"),
        ):
            readers.reader(stream)
