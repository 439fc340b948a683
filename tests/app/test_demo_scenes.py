"""Generated scenes open with every stream on one clock and labels that agree with what the media hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from workstation import open_project
from workstation.app.demo import SCENES, make_demo
from workstation.app.moment import facts_of
from workstation.app.reading import Formats
from workstation.app.resources import resource
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.cli.demo import SCENES as OFFERED
from workstation.core.annotation import Annotation, State
from workstation.core.geometry import Box, Mask, Polygon, TextSpan
from workstation.core.pixels import mask_pixels
from workstation.core.sample import GateState, Sample, Stream, StreamKind
from workstation.media.base import AudioReader, ImageReader, Reader, TextReader, VideoReader, View, VolumeReader

pytestmark = pytest.mark.slow
Opened = Callable[[str], Session]


@pytest.fixture
def opened(demo_once: Callable[[str], Path]) -> Iterator[Opened]:
    """A scene by name, open to be looked at."""
    with ExitStack() as sessions:
        yield lambda name: sessions.enter_context(open_project(demo_once(name), read_only=True))


def first(session: Session) -> Sample:
    return min(session.store.samples(), key=lambda sample: sample.key)


def stream_of(session: Session, sample: Sample, key: str) -> Stream:
    found = session.store.stream_by_key(sample.id, key)
    assert found is not None
    return found


def labels(session: Session, sample: Sample, *, class_id: str = "", stream: str = "") -> list[Annotation]:
    """With the class given, their own or their entity's."""
    where = stream_of(session, sample, stream).id if stream else None
    entities = {each.id: each.class_id for each in session.store.entities(sample.id)}
    found = session.store.annotations(sample.id, stream=where)
    return [each for each in found if not class_id or (each.class_id or entities.get(each.entity or "")) == class_id]


@pytest.mark.parametrize(
    ("scene", "samples", "kinds", "classes"),
    [
        ("ct", 1, {StreamKind.VOLUME, StreamKind.TEXT}, {"nodule": 9, "long_axis": 1, "finding_sentence": 1}),
        (
            "talk", 1, {StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.TURNS},
            {"turn": 7, "complaint": 1, "code_switch": 1, "frown": 1, "clap": 2, "agent": 1, "customer": 1},
        ),
        (
            "clip", 1, {StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.TEXT},
            {"region_caption": 8, "handling": 4, "locomotion": 2, "animal_call": 1, "dog": 2},
        ),
        (
            "robot", 1, {StreamKind.VIDEO, StreamKind.SERIES, StreamKind.TURNS},
            {"grasp": 3, "cup": 3, "bowl": 3, "reasoning_step": 6, "contact_start": 1},
        ),
        ("scene", 12, {StreamKind.IMAGE, StreamKind.TEXT}, {"full_caption": 1, "indoors": 1, "keyboard": 5}),
        ("shop", 30, {StreamKind.IMAGE, StreamKind.TEXT}, {"garment": 1, "attribute_phrase": 2}),
        ("batch", 1000, {StreamKind.SERIES, StreamKind.TEXT}, {"grasp": 2}),
    ],
)  # fmt: skip
def test_a_generated_scene_opens_with_its_labels(
    opened: Opened, scene: str, samples: int, kinds: set[StreamKind], classes: dict[str, int]
) -> None:
    session = opened(scene)
    assert len(list(session.store.samples())) == samples
    sample = first(session)
    assert sample.key == SCENES[scene].sample
    assert sample.gates["sync"].state is GateState.VERIFIED
    streams = session.store.streams(sample.id)
    assert {stream.kind for stream in streams} == kinds
    with OpenStreams(session.project.path, readers=Formats().readers) as readers:
        assert [facts.trouble for facts in facts_of(streams, readers)] == [""] * len(streams)
        texts_say_what_is_quoted(session, sample, {each.id: readers.reader(each) for each in streams})
    found = labels(session, sample)
    assert {each.state for each in found} == {State.DONE}
    assert {each.source.name for each in found} == {f"FX-{scene.upper()}"}
    entities = {each.id: each.class_id for each in session.store.entities(sample.id)}
    counts = Counter(each.class_id or entities[each.entity or ""] for each in found)
    assert {name: counts[name] for name in classes} == classes
    links = list(session.store.links(sample.id))
    assert links
    assert {each.state for each in links} == {State.DRAFT}, "only a person confirms a link"


def texts_say_what_is_quoted(session: Session, sample: Sample, readers: dict[str, Reader]) -> None:
    """Every marked passage, read from the file or from the turn it lies on."""
    spoken = {each.id: each.text for each in session.store.annotations(sample.id)}
    for each in session.store.annotations(sample.id):
        if isinstance(each.shape, TextSpan):
            reader = readers[each.stream or ""]
            text = spoken[each.shape.of] if each.shape.of else reader.text if isinstance(reader, TextReader) else None
            assert text is not None
            assert " ".join(text[a:b] for a, b in each.shape.parts) == each.shape.quote != ""


def test_turns_hold_the_words_of_the_delivered_transcript(opened: Opened) -> None:
    session = opened("talk")
    sample = first(session)
    path = session.project.path / stream_of(session, sample, "transcript").files[0].path
    said = json.loads(path.read_text(encoding="utf-8"))["turns"]
    turns = sorted(labels(session, sample, class_id="turn"), key=lambda each: each.start_ns or 0)
    assert [each.text for each in turns] == [each["text"] for each in said]
    for turn, given in zip(turns, said, strict=True):
        words = session.store.words(turn.id)
        assert [(w.text, w.start_ns, w.end_ns) for w in words] == [
            (w["text"], w["start_ns"], w["end_ns"]) for w in given["words"]
        ]
    speakers = {}
    names = {each.id: each.name for each in session.store.entities(sample.id)}
    for each in session.store.links(sample.id):
        if each.type_id == "speaks":
            ends = {end.role: end.target for end in each.ends}
            speakers[ends["voice"]] = names[ends["speaker"]]
    assert [speakers[each.id].split()[1].strip(",") for each in turns] == [each["speaker"] for each in said]


def test_the_nodules_outlines_enclose_its_bright_voxels(opened: Opened) -> None:
    session = opened("ct")
    sample = first(session)
    stream = stream_of(session, sample, "series")
    area = 0.0
    with OpenStreams(session.project.path) as readers:
        reader = readers.reader(stream)
        assert isinstance(reader, VolumeReader)
        spacing = np.linalg.norm(reader.patient_from_voxel[:3, :3], axis=0)
        for each in labels(session, sample, class_id="nodule"):
            if not isinstance(each.shape, Polygon):
                continue
            ring = np.array(each.shape.outer)
            x, y = ring.T
            area += abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
            plane = reader.slab(0, reader.instances.index(each.item or ""))
            column, row = ring.mean(axis=0)
            middle, beside = plane[int(row), int(column)], plane[int(row), int(x.max()) + 3]
            assert middle > (-100 if np.ptp(x) > 8 else -600), "soft tissue; a cap fills its slice in part"
            assert beside < -700, "lung beside it"
    assert area * float(np.prod(spacing)) == pytest.approx(np.pi / 6 * 23**3, rel=0.05)


def test_boxes_of_the_red_cup_are_red_in_every_view(opened: Opened) -> None:
    session = opened("robot")
    sample = first(session)
    with OpenStreams(session.project.path) as readers:
        for view in ("overhead", "side", "wrist"):
            stream = stream_of(session, sample, view)
            reader = readers.reader(stream)
            assert isinstance(reader, VideoReader)
            (track,) = labels(session, sample, class_id="cup", stream=view)
            shown = [each for each in session.store.keyframes(track.id) if isinstance(each.shape, Box)]
            assert len(shown) > 10
            key = shown[1]
            assert isinstance(key.shape, Box)
            pixels = reader.picture(round(key.time_ns * 30 / 1e9), View()).pixels.astype(int)
            box = key.shape
            part = pixels[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width)]
            red = (part[..., 0] > part[..., 1] + 40) & (part[..., 0] > part[..., 2] + 40)
            assert red.mean() > 0.3, view


def test_masks_lie_in_their_boxes_and_on_their_things(opened: Opened) -> None:
    session = opened("scene")
    sample = first(session)
    with OpenStreams(session.project.path) as readers:
        reader = readers.reader(stream_of(session, sample, "picture"))
        assert isinstance(reader, ImageReader)
        picture = reader.picture(View()).pixels.astype(int)
    masks: dict[str, np.ndarray] = {}
    for each in labels(session, sample, stream="picture"):
        if isinstance(each.shape, Mask):
            blob = session.store.blob(each.shape.blob)
            assert blob is not None
            inside = mask_pixels(blob, each.shape.width, each.shape.height)
            assert inside.sum() == each.shape.area_px
            part = picture[each.shape.y :, each.shape.x :][: inside.shape[0], : inside.shape[1]]
            masks[each.entity or ""] = part[inside].mean(axis=0)
    names = {each.id: each.name for each in session.store.entities(sample.id)}
    tones = {names[key].split(" (")[0]: tone for key, tone in masks.items()}
    assert tones["cup 1"][0] > 1.5 * tones["cup 1"][2], "the first cup is red"
    assert tones["cup 2"][2] > 1.2 * tones["cup 2"][0], "the second is blue"


def test_a_thousand_samples_have_two_labels_and_a_link_each(opened: Opened) -> None:
    session = opened("batch")
    for sample in list(session.store.samples())[::97]:
        assert len(labels(session, sample)) == 2
        assert len(list(session.store.links(sample.id))) == 1
    families = Counter(sample.properties["family"] for sample in session.store.samples())
    assert families == {"scene": 400, "speech": 300, "drive": 200, "series": 100}


def test_the_reading_is_placed_as_published_and_linked_to_the_printed_words(opened: Opened) -> None:
    session = opened("fable")
    sample = first(session)
    chunks = json.loads(resource("demo", "fable", "chunks.json").read_text(encoding="utf-8"))["chunks"]
    spoken = sorted(labels(session, sample, stream="reading"), key=lambda each: each.start_ns or 0)
    assert [(e.text, e.start_ns, e.end_ns) for e in spoken] == [
        (" ".join(c["text"].split()), c["start_ms"] * 1_000_000, c["end_ms"] * 1_000_000) for c in chunks
    ]
    printed = labels(session, sample, stream="fable")
    text = resource("demo", "fable", "cat_and_mice.txt").read_text(encoding="utf-8")
    covered = 0
    for each in printed:
        assert isinstance(each.shape, TextSpan)
        ((start, end),) = each.shape.parts
        assert text[start:end] == each.shape.quote
        covered += end - start
    assert covered > 0.75 * len(text)
    links = Counter(each.type_id for each in session.store.links(sample.id))
    assert links == {"speaks": 28, "grounded_in_time": len(printed)}


def test_the_meetings_speakers_are_the_published_ones(opened: Opened) -> None:
    session = opened("meeting")
    sample = first(session)
    spans = labels(session, sample, class_id="speech")
    assert len(spans) == 9
    assert sum((e.end_ns or 0) - (e.start_ns or 0) for e in spans) == 28_497_000_000, "27.082 s, and 1.415 s twice"
    assert sorted(each.name for each in session.store.entities(sample.id)) == ["MEE009", "MEE012"]
    with OpenStreams(session.project.path) as readers:
        reader = readers.reader(stream_of(session, sample, "table"))
        assert isinstance(reader, AudioReader)
        assert (reader.sample_rate_hz, reader.frames) == (16_000, 480_001)


def test_a_scene_that_is_there_is_left_as_it_is(demo_once: Callable[[str], Path]) -> None:
    assert not make_demo(demo_once("ct"), scene="ct").new


def test_the_command_line_offers_every_scene() -> None:
    assert set(OFFERED) == set(SCENES)
