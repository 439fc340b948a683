"""The worked samples: they run into a new project without a refusal, use their ontology, are true of their media."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pydicom
import pytest
import soundfile

from workstation import open_project
from workstation.app.opening import starter_ontologies
from workstation.app.resources import resource
from workstation.app.session import Session
from workstation.cli.main import main
from workstation.core.annotation import Annotation, State
from workstation.core.geometry import Box, Polygon, TextSpan
from workstation.core.ontology_compile import compile_ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.core.sample import GateState, Stream, StreamKind
from workstation.store.yaml import load_yaml

NAMES = ("dialogue", "driving", "manipulation", "radiology", "vision_language")
_NOT_SHOWN = re.compile(r"^- `(\w+)`: .{20,}$", re.MULTILINE)
Line = dict[str, Any]


def folder(name: str) -> Path:
    return starter_ontologies()[name].parent / "sample"


def lines(name: str) -> list[Line]:
    return [json.loads(line) for line in (folder(name) / "labels.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module", params=NAMES)
def worked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Session]]:
    """A new project made as the sample's README says, open to be read."""
    name: str = request.param
    project = tmp_path_factory.mktemp(name) / "project"
    assert main(["new", str(project), "--profile", name, "--person", "Ada"]) == 0
    shutil.copytree(folder(name) / "media", project / "media")
    assert main(["annotate", str(project), str(folder(name) / "labels.jsonl"), "--atomic"]) == 0
    with open_project(project, person="Ada", read_only=True) as session:
        yield name, session


def labels_of(session: Session) -> list[Annotation]:
    (sample,) = session.store.samples()
    return list(session.store.annotations(sample.id))


def named(session: Session, key: str) -> Stream:
    (sample,) = session.store.samples()
    stream = session.store.stream_by_key(sample.id, key)
    assert stream is not None
    return stream


def test_every_line_of_the_script_is_stored_and_done(worked: tuple[str, Session]) -> None:
    name, session = worked
    (sample,) = session.store.samples()
    wanted = lines(name)
    stored = labels_of(session)
    made = ("annotation.add", "track.add", "turn.add")
    assert len(stored) == sum(line["do"] in made for line in wanted)
    assert {annotation.state for annotation in stored} == {State.DONE}
    links = list(session.store.links(sample.id))
    assert len(links) == sum(line["do"].startswith("link.") for line in wanted)
    assert all(end.confirmed_revision is not None for link in links for end in link.ends if end.kind == "annotation")
    assert list(session.store.stale_links(sample.id)) == []


def test_the_project_begins_locked_with_its_guideline_and_a_waiver_that_says_why(worked: tuple[str, Session]) -> None:
    name, session = worked
    (sample,) = session.store.samples()
    assert session.store.ontology() is not None
    assert sample.gates["sync"].state is GateState.WAIVED
    assert len(sample.gates["sync"].reason) > 40
    text = starter_ontologies()[name].with_name("guideline.md").read_text(encoding="utf-8")
    mirror = (session.project.path / "guideline.md").read_text(encoding="utf-8")
    assert mirror.partition("\n")[2] == text, "the first line says what the file is"
    assert main(["audit", "verify", str(session.project.path)]) == 0


def test_every_media_file_is_the_one_recorded_and_its_origin_is_told(worked: tuple[str, Session]) -> None:
    name, session = worked
    (sample,) = session.store.samples()
    told = resource("THIRD_PARTY.md").read_text(encoding="utf-8")
    recorded = set()
    for stream in session.store.streams(sample.id):
        assert stream.licence, stream.key
        for file in stream.files:
            data = (session.project.path / file.path).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256), file.path
            recorded.add(file.path)
    there = {
        path.relative_to(folder(name)).as_posix() for path in (folder(name) / "media").rglob("*") if path.is_file()
    }
    assert recorded == there
    rows = [row for row in told.splitlines() if row.startswith(f"| {name}:")]
    for path in there:
        shown = "ct/*.dcm" if path.endswith(".dcm") else Path(path).name
        assert any(f"`{shown}`" in row for row in rows), path


def test_the_samples_are_small() -> None:
    sizes = [path.stat().st_size for name in NAMES for path in folder(name).rglob("*") if path.is_file()]
    assert sum(sizes) < 3_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_uses_its_ontology(name: str) -> None:
    path = starter_ontologies()[name]
    compiled = compile_ontology(parse_ontology(load_yaml(path.read_text(encoding="utf-8"), source=path), source=path))
    script = lines(name)
    used = {line["type_id"] for line in script if line["do"] == "link.add"}
    used |= {"absent"} & {line["do"].removeprefix("link.") for line in script}
    excused = set(_NOT_SHOWN.findall((folder(name) / "README.md").read_text(encoding="utf-8")))
    assert used | excused == set(compiled.link_types)
    assert used & excused == set()
    assert len({line["class_id"] for line in script if line.get("class_id")}) >= 10
    assert any(line.get("holds") is False for line in script)
    assert any(line["do"] == "link.absent" and line["reason"] for line in script)
    assert any(line.get("attributes") for line in script)
    labelled = {line["stream"].removeprefix("$") for line in script if "stream" in line and line["do"] != "stream.add"}
    kinds = {line["key"]: line["kind"] for line in script if line["do"] == "stream.add"}
    assert len({kinds[key] for key in labelled}) >= 3


def test_quoted_words_stand_where_the_spans_lie(worked: tuple[str, Session]) -> None:
    _, session = worked
    texts: dict[str, str | None] = {annotation.id: annotation.text for annotation in labels_of(session)}
    for annotation in labels_of(session):
        shape = annotation.shape
        if not isinstance(shape, TextSpan):
            continue
        if shape.of is not None:
            text = texts[shape.of] or ""
        else:
            (sample,) = session.store.samples()
            (stream,) = (each for each in session.store.streams(sample.id) if each.id == annotation.stream)
            text = (session.project.path / stream.files[0].path).read_text(encoding="utf-8")
        assert " ".join(text[start:end] for start, end in shape.parts) == shape.quote


def test_shapes_lie_inside_of_their_pictures(worked: tuple[str, Session]) -> None:
    _, session = worked
    (sample,) = session.store.samples()
    for stream in session.store.streams(sample.id):
        if stream.kind not in (StreamKind.IMAGE, StreamKind.VIDEO):
            continue
        with av.open(str(session.project.path / stream.files[0].path)) as container:
            width, height = container.streams.video[0].width, container.streams.video[0].height
        shapes = [each.shape for each in labels_of(session) if each.stream == stream.id]
        for annotation in labels_of(session):
            if annotation.stream == stream.id and annotation.track is not None:
                shapes += [keyframe.shape for keyframe in session.store.keyframes(annotation.id)]
        for shape in shapes:
            if isinstance(shape, Box):
                assert 0 <= shape.x < shape.x + shape.width <= width, shape
                assert 0 <= shape.y < shape.y + shape.height <= height, shape


def test_labels_in_time_end_with_their_media(worked: tuple[str, Session]) -> None:
    _, session = worked
    (sample,) = session.store.samples()
    for stream in session.store.streams(sample.id):
        path = session.project.path / stream.files[0].path
        if stream.kind is StreamKind.AUDIO:
            end_s = soundfile.info(str(path)).duration
        elif stream.kind is StreamKind.VIDEO:
            with av.open(str(path)) as container:
                end_s = max(frame.time for frame in container.decode(video=0)) + 0.1
        else:
            continue
        for annotation in labels_of(session):
            if annotation.stream == stream.id and annotation.end_ns is not None:
                assert annotation.end_ns / 1e9 <= end_s + 1e-6, annotation


def frame_at(path: Path, time_s: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The picture shown at that moment."""
    shown = None
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time > time_s + 1e-6:
                break
            shown = frame
    assert shown is not None
    return np.asarray(shown.to_ndarray(format="rgb24"), dtype=np.int64)


def script_line(name: str, label: str) -> Line:
    (found,) = (line for line in lines(name) if line.get("as") == label)
    return found


def level(sound: np.ndarray[Any, np.dtype[np.float64]], rate: int, start_ns: int, end_ns: int) -> float:
    part = sound[int(start_ns * rate / 1e9) : int(end_ns * rate / 1e9)]
    return float(np.sqrt((part**2).mean())) if len(part) else 0.0


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("dialogue", "call"),
        ("driving", "commentary"),
        ("manipulation", "operator"),
        ("radiology", "dictation"),
        ("vision_language", "narration"),
    ],
)
def test_speech_is_heard_in_its_turns_and_only_there(name: str, stream: str) -> None:
    file = next(line for line in lines(name) if line["do"] == "stream.add" and line["key"] == stream)["files"][0]
    sound, rate = soundfile.read(str(folder(name) / file["path"]))
    turns = [line for line in lines(name) if line["do"] == "turn.add" and line["stream"] == f"${stream}"]
    for turn in turns:
        assert level(sound, rate, turn["start_ns"], turn["end_ns"]) > 0.01, turn
    others = [line for line in lines(name) if line.get("stream") == f"${stream}" and line.get("kind") == "span"]
    quiet = np.ones(len(sound), dtype=bool)
    beeps = [{"start_ns": int(t * 1e9), "end_ns": int((t + 0.05) * 1e9)} for t in (4.050, 7.950)]
    for line in (*turns, *others, *(beeps if name == "driving" else [])):
        quiet[int(line["start_ns"] * rate / 1e9) - 40 : int(line["end_ns"] * rate / 1e9) + 40] = False
    assert quiet.sum() > rate // 10
    assert np.abs(sound[quiet]).max() < 0.02


def test_the_yellow_bottle_is_in_its_box_until_the_end() -> None:
    track = script_line("manipulation", "bottle_track")
    for keyframe in track["keyframes"][:: len(track["keyframes"]) // 6]:
        box = keyframe["shape"]
        picture = frame_at(folder("manipulation") / "media" / "head.webm", keyframe["time_ns"] / 1e9)
        yellow = picture[..., 0] - picture[..., 2] > 35
        rows, columns = (
            slice(int(box["y"]), int(box["y"] + box["height"])),
            slice(int(box["x"]), int(box["x"] + box["width"])),
        )
        assert yellow[rows, columns].mean() > 0.4  # fingers hide part of it in the end
        assert yellow[rows, columns].sum() > 0.8 * yellow.sum()


def test_the_hand_goes_up_when_stop_is_said() -> None:
    hand = script_line("dialogue", "hand")
    box = script_line("dialogue", "hand_box")["shape"]
    media = folder("dialogue") / "media" / "faces.webm"
    x, y = int(box["x"] + box["width"] / 2), int(box["y"] + box["height"] / 2)
    first, after = hand["start_ns"], hand["end_ns"]
    for time_ns, up in ((first - 80_000_000, False), (first, True), (after - 80_000_000, True), (after, False)):
        red, _, blue = frame_at(media, time_ns / 1e9)[y, x]
        assert bool(red - blue > 30) is up, time_ns
    assert abs(first - script_line("dialogue", "t_request")["start_ns"]) <= 100_000_000


def test_the_cuboids_hold_the_points_of_their_things() -> None:
    data = (folder("driving") / "media" / "sweep_00.pcd").read_bytes()
    points = np.frombuffer(data[data.index(b"DATA binary\n") + 12 :], "<f4").reshape(-1, 4)[:, :3]
    for label, least in (("lead_box", 100), ("scooter_box", 20), ("parked_box", 100), ("walker_box", 10)):
        shape = script_line("driving", label)["shape"]
        w, _, _, z = shape["rotation"]
        yaw = 2 * np.arctan2(z, w)
        turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        local = (points - np.array(shape["center"])) @ turn.T
        inside = (np.abs(local) <= np.array(shape["size"]) / 2).all(axis=1)
        assert inside.sum() >= least, label


def test_the_outlines_hold_the_nodule_and_its_size_is_the_one_measured() -> None:
    slices = [pydicom.dcmread(path) for path in sorted((folder("radiology") / "media" / "ct").iterdir())]
    outlines = {
        line["item"]: line["shape"]["outer"] for line in lines("radiology") if str(line.get("as", "")).startswith("cut")
    }
    voxels = 0
    for each in slices:
        dense = np.zeros(each.pixel_array.shape, dtype=bool)
        dense[50:70, 28:52] = each.pixel_array[50:70, 28:52] > -400  # inside of the right lung
        voxels += int(dense.sum())
        if dense.any():
            rows, columns = np.nonzero(dense)
            xs, ys = zip(*outlines[each.SOPInstanceUID], strict=True)
            assert min(xs) - 1 <= columns.min() <= columns.max() + 1 <= max(xs) + 1
            assert min(ys) - 1 <= rows.min() <= rows.max() + 1 <= max(ys) + 1
            assert each.ImagePositionPatient[0] + columns.mean() * each.PixelSpacing[1] < 0, "the patient's right"
        else:
            assert each.SOPInstanceUID not in outlines or len(outlines[each.SOPInstanceUID]) > 2
    volume_mm3 = voxels * 2.5 * 2.5 * 5
    assert (6 * volume_mm3 / np.pi) ** (1 / 3) == pytest.approx(
        script_line("radiology", "long")["shape"]["value"], abs=1.5
    )


def test_the_rabbit_is_grey_and_the_meadow_green() -> None:
    with av.open(str(folder("vision_language") / "media" / "still.jpg")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.int64)
    box = script_line("vision_language", "bunny_still")["shape"]
    middle = picture[
        int(box["y"] + box["height"] * 0.5) : int(box["y"] + box["height"] * 0.9),
        int(box["x"] + 40) : int(box["x"] + 130),
    ]
    spread = middle.max(axis=2) - middle.min(axis=2)
    assert (spread < 45).mean() > 0.9
    meadow = Polygon(tuple(map(tuple, script_line("vision_language", "meadow")["shape"]["outer"])))
    low = picture[260:340, int(meadow.outer[4][0]) - 150 : 640]
    assert (low[..., 1] > low[..., 2] + 40).mean() > 0.8
