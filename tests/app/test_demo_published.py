"""Real samples as scenes: they hold what their publishers say of them, as other programs measured it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from workstation import open_project
from workstation.app.demo import SCENES, make_demo
from workstation.app.demo_ecg import Beat, read_beats
from workstation.app.reading import Formats
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.annotation import SourceKind
from workstation.core.errors import DataError
from workstation.core.sample import Sample, Stream
from workstation.media.base import SeriesReader

Opened = Callable[[str], tuple[Session, Sample, OpenStreams]]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """A scene by name, made once, with its one sample and its readers."""
    with ExitStack() as stack:
        found: dict[str, tuple[Session, Sample, OpenStreams]] = {}

        def scene(name: str) -> tuple[Session, Sample, OpenStreams]:
            if name not in found:
                folder = make_demo(tmp_path_factory.mktemp("published") / name, scene=name).folder
                session = stack.enter_context(open_project(folder, read_only=True))
                readers = stack.enter_context(OpenStreams(session.project.path, readers=Formats().readers))
                (sample,) = session.store.samples()
                assert sample.key == SCENES[name].sample
                found[name] = session, sample, readers
            return found[name]

        yield scene


def stream_of(session: Session, sample: Sample, key: str) -> Stream:
    found = session.store.stream_by_key(sample.id, key)
    assert found is not None
    return found


@pytest.mark.slow
def test_the_electrocardiogram_has_its_leads_and_every_published_beat(opened: Opened) -> None:
    session, sample, readers = opened("ecg")
    reader = readers.reader(stream_of(session, sample, "leads"))
    assert isinstance(reader, SeriesReader)
    assert [(each.name, each.unit) for each in reader.channels] == [("MLII", "mV"), ("V5", "mV")]
    assert len(reader.times_ns) == 650_000
    marks = sorted(session.store.annotations(sample.id), key=lambda each: each.start_ns or 0)
    assert Counter(each.class_id for each in marks) == {
        "normal_beat": 2239, "atrial_premature_beat": 33, "ventricular_premature_beat": 1, "rhythm_change": 1,
    }  # fmt: skip
    times = reader.times_ns.tolist()
    assert [each.start_ns for each in marks[:5]] == [times[n] for n in (18, 77, 370, 662, 946)]
    assert all(each.start_ns == each.end_ns for each in marks)
    assert {each.source.kind for each in marks} == {SourceKind.IMPORT}
    assert marks[0].attributes == {"rhythm": "(N"}


def words(*pairs: tuple[int, int]) -> bytes:
    return b"".join((code << 10 | number).to_bytes(2, "little") for code, number in pairs)


def test_annotations_of_a_record_are_read_as_the_format_says(tmp_path: Path) -> None:
    path = tmp_path / "r.atr"
    skip = words((59, 0)) + (1).to_bytes(2, "little") + (5).to_bytes(2, "little")
    aside = words((60, 3), (61, 1), (62, 1), (63, 3)) + b"(N\0\0"
    path.write_bytes(words((28, 18)) + aside + skip + words((1, 7), (5, 1023), (0, 0), (9, 9)))
    assert read_beats(path) == [Beat(28, 18, "(N"), Beat(1, 18 + 65536 + 5 + 7), Beat(5, 66589)]


@pytest.mark.parametrize(
    "data", [b"", b"\x01", words((1, 5)), words((1, 5), (63, 900)), words((59, 0)), words((63, 2)) + b"(N"]
)
def test_annotations_that_were_cut_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "r.atr"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"r\.atr"):
        read_beats(path)
