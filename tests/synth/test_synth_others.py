"""FX-CLIP, TALK, CT, SCENE, ROBOT, SHOP and BATCH: what the media hold against what the truth says."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import soundfile
from PIL import Image, ImageOps

from workstation.core.errors import UserError
from workstation.synth import batch, clip, ct, pictures, robot, shop, talk
from workstation.synth.marks import read
from workstation.synth.run import main
from workstation.synth.truth import Truth, Variant
from workstation.synth.voice import MANNERS, speak

Maker = Callable[..., Truth]
CLIP = clip.ClipOptions(seconds=2.0, scale=0.5)
WHOLE_CLIP = clip.ClipOptions(scale=0.25)
TALK = talk.TalkOptions(scale=0.5)
ROBOT = robot.RobotOptions(scale=0.5)


def frames_of(path: Path) -> list[np.ndarray]:
    import av

    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def talked(made_once: Maker) -> Truth:
    return made_once(talk.talk, options=TALK)


@pytest.fixture(scope="module")
def scanned(made_once: Maker) -> Truth:
    return made_once(ct.ct)


@pytest.fixture(scope="module")
def pictured(made_once: Maker) -> Truth:
    return made_once(pictures.scene)


@pytest.fixture(scope="module")
def batched(made_once: Maker) -> Truth:
    return made_once(batch.batch)


# Clip


def test_every_frame_of_a_clip_carries_its_number(tmp_path: Path) -> None:
    made = clip.clip(tmp_path, options=CLIP)
    frames = frames_of(made.path("clip"))
    assert [read(frame) for frame in frames] == list(range(60))


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["mjpeg", "libvpx-vp9"])
def test_numbers_survive_other_encoders(tmp_path: Path, codec: str) -> None:
    made = clip.clip(tmp_path, options=clip.ClipOptions(seconds=1.0, scale=0.5, codec=codec))
    assert [read(frame) for frame in frames_of(made.path("clip"))] == list(range(30))


def test_gpl_encoders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="GPL"):
        clip.clip(tmp_path, options=clip.ClipOptions(seconds=1.0, codec="libx264"))


@pytest.mark.slow
def test_sounds_begin_on_their_frames(made_once: Maker) -> None:
    made = made_once(clip.clip, options=WHOLE_CLIP)
    samples, rate = soundfile.read(made.path("clip_sound"))
    assert rate == 16_000
    for event in made.truth["events"]:
        if event["key"] not in ("door", "bark", "grasp"):
            continue
        first = event["start_sample"]
        assert first == event["first"] * 16_000 // 30
        before, after = np.abs(samples[first - 400 : first]).max(), np.abs(samples[first : first + 400]).max()
        assert after > 8 * before, event["key"]
    import av

    with av.open(str(made.path("clip"))) as container:
        inside = np.concatenate([f.to_ndarray().ravel() for f in container.decode(audio=0)])
    assert np.array_equal(inside, np.round(samples * 32768).astype(np.int16)), "the film's own track is the same sound"
    rows = made.truth["boxes"]["rows"]
    cup = {r[0]: r[3] for r in rows if r[1] == "cup"}
    assert cup[312] < cup[276] - 5, "the cup goes up between grasp and the end of it"
    car = {r[0]: r[2] + r[4] / 2 for r in rows if r[1] == "car"}
    assert car[715] < car[800]


# Talk


def test_the_clap_is_the_loudest_sample(talked: Truth) -> None:
    samples, _ = soundfile.read(talked.path("sound"))
    assert int(np.argmax(np.abs(samples))) == talked.truth["clap_sample"] == 16_000


def test_words_are_where_the_voice_is(talked: Truth) -> None:
    """Each speaker's own track is silent outside the words and loud inside every one."""
    tracks, turns = talk.voices(0)
    for key in talk.VOICES:
        quiet = np.ones(len(tracks[key]), bool)
        for turn in turns:
            for word in turn["words"] if turn["speaker"] == key else []:
                first, end = (round(word[n] * 16_000 / 1e9) for n in ("start_ns", "end_ns"))
                assert np.abs(tracks[key][first:end]).max() > 0.01, word["text"]
                quiet[max(first - 1, 0) : end + 1] = False
        assert np.abs(tracks[key][quiet]).max() == 0.0
    assert talked.truth["turns"] == json.loads(json.dumps(turns))


def test_the_third_voice_cuts_in_half_a_second(talked: Truth) -> None:
    turns = {t["key"]: t for t in talked.truth["turns"]}
    assert turns["t5"]["end_ns"] - turns["t6"]["start_ns"] == pytest.approx(500_000_000, abs=200_000)


@pytest.mark.slow
def test_mouths_open_with_the_sound(talked: Truth) -> None:
    """Dark pixels in the mouth's place, counted in the decoded film, against the loudness of the delivered sound."""
    samples, rate = soundfile.read(talked.path("sound"))
    frames = frames_of(talked.path("video"))
    faces = {(r[0], r[1]): r for r in talked.truth["faces"]["rows"]}
    only_b = next(t for t in talked.truth["turns"] if t["key"] == "t2")
    first, last = (round(only_b[n] * 30 / 1e9) for n in ("start_ns", "end_ns"))
    dark, loud = [], []
    for frame in range(first - 20, last + 20):
        _, _, x, y, w, h, _ = faces[frame, "B"]
        part = frames[frame][int(y + 0.64 * h) : int(y + 0.91 * h), int(x + 0.31 * w) : int(x + 0.69 * w)].astype(int)
        dark.append(int((part.sum(axis=2) < 190).sum()))
        middle = frame * rate // 30
        loud.append(float(np.sqrt(np.mean(samples[middle - 266 : middle + 266] ** 2))))
    assert np.corrcoef(dark, loud)[0, 1] > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("size", [20.0, 70.0, 150.0, -30.0])
def test_late_sound_is_late_in_the_file(talked: Truth, size: float) -> None:
    made = talk.talk(talked.folder, variant=f"audio_offset@{size:g}", options=TALK)
    samples, _ = soundfile.read(made.path("sound"))
    assert int(np.argmax(np.abs(samples))) == 16_000 + round(size * 16)
    clap = next(a for a in made.labels["annotations"] if a["id"] == "clap/sound")
    assert clap["start_ns"] == 1_000_000_000 + round(size * 1e6)


@pytest.mark.slow
def test_a_hostile_voice_is_louder_and_higher(talked: Truth) -> None:
    made = talk.talk(talked.folder, variant="hostile_neutral", options=TALK)
    levels = []
    for truth in (talked, made):
        samples, rate = soundfile.read(truth.path("sound"))
        last = truth.truth["turns"][-1]
        part = samples[round(last["start_ns"] * rate / 1e9) : round(last["end_ns"] * rate / 1e9)]
        levels.append(float(np.sqrt(np.mean(part**2))))
    assert levels[1] > 1.6 * levels[0]
    assert next(a for a in made.labels["annotations"] if a["id"] == "turn/t7")["attributes"]["emotion"] == "neutral"


def test_four_channels_keep_the_voices_apart(tmp_path: Path) -> None:
    tracks, turns = talk.voices(0)
    mixed = talk._mixed(tracks, 4)
    turn = next(t for t in turns if t["key"] == "t2")
    part = mixed[round(turn["start_ns"] * 16e3 / 1e9) : round(turn["end_ns"] * 16e3 / 1e9)]
    assert np.abs(part[:, 1]).max() > 0.1
    assert np.abs(part[:, 0]).max() == 0.0


def test_a_word_without_pronunciation_is_named() -> None:
    with pytest.raises(UserError, match="xylophone"):
        speak(("xylophone",), talk.VOICES["A"], MANNERS["neutral"], 16_000, np.random.default_rng(0))


# CT


def volume_of(folder: Path) -> tuple[np.ndarray, list[Any]]:
    slices = sorted((pydicom.dcmread(p) for p in folder.glob("*.dcm")), key=lambda d: float(d.ImagePositionPatient[2]))
    return np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices]), slices


def nodule(voxels: np.ndarray, headers: list[Any]) -> tuple[float, np.ndarray]:
    """Volume (mm³) and centre (LPS mm) of the bright ball, from pixels and header alone."""
    step = np.array(headers[1].ImagePositionPatient, float) - np.array(headers[0].ImagePositionPatient, float)
    row_mm, column_mm = (float(v) for v in headers[0].PixelSpacing)
    share = np.clip((voxels + 820.0) / 865.0, 0, 1)
    first = np.array(headers[0].ImagePositionPatient, float)
    along = np.array(headers[0].ImageOrientationPatient[:3], float) * column_mm
    down = np.array(headers[0].ImageOrientationPatient[3:], float) * row_mm
    k, r, c = np.meshgrid(*(np.arange(n) for n in voxels.shape), indexing="ij")
    place = first + k[..., None] * step + r[..., None] * down + c[..., None] * along
    best: tuple[float, np.ndarray] = (0.0, np.zeros(3))
    for side in (-1, 1):
        near = np.linalg.norm(place - [side * 62.0, -18.0, 58.0], axis=-1) < 17.0
        weight = np.where(share[near] > 0.12, share[near], 0.0)
        volume = float(weight.sum() * row_mm * column_mm * np.linalg.norm(step))
        if volume > best[0]:
            best = volume, (place[near] * weight[:, None]).sum(axis=0) / weight.sum()
    return best


def test_the_sphere_measures_23_mm_and_lies_right(scanned: Truth) -> None:
    volume, center = nodule(*volume_of(scanned.path("series")))
    assert (6 * volume / math.pi) ** (1 / 3) == pytest.approx(23.0, abs=0.35)
    assert np.allclose(center, scanned.truth["sphere"]["center_lps_mm"], atol=0.5)
    assert center[0] < 0, "LPS: negative x is the patient's right"


def test_headers_say_what_the_truth_says(scanned: Truth) -> None:
    _, headers = volume_of(scanned.path("series"))
    geometry = scanned.truth["geometry"]
    assert len(headers) == geometry["shape"][0]
    assert np.allclose(headers[0].ImagePositionPatient, geometry["first_voxel_lps_mm"], atol=1e-5)
    assert float(headers[0].SliceThickness) == geometry["spacing_mm"][0]
    assert len({h.SOPInstanceUID for h in headers}) == len(headers)
    assert len({h.SeriesInstanceUID for h in headers}) == 1


@pytest.mark.slow
def test_an_oblique_series_holds_the_same_sphere(tmp_path: Path) -> None:
    made = ct.ct(tmp_path, options=ct.CtOptions(oblique_deg=20.0))
    volume, center = nodule(*volume_of(made.path("series")))
    assert (6 * volume / math.pi) ** (1 / 3) == pytest.approx(23.0, abs=0.35)
    assert np.allclose(center, made.truth["sphere"]["center_lps_mm"], atol=0.5)


def test_the_mirrored_series_shows_it_left(scanned: Truth) -> None:
    made = ct.ct(scanned.folder, variant="mirrored")
    _, center = nodule(*volume_of(made.path("series")))
    assert center[0] > 50


def test_wrong_reports_say_it_in_words_and_nothing_else_changes(scanned: Truth) -> None:
    made = ct.ct(scanned.folder, variant="report_size@3.2")
    text = made.path("report").read_text()
    span = next(a for a in made.labels["annotations"] if a["id"] == "sentence")["shape"]
    start, end = span["parts"][0]
    assert text[start:end] == span["quote"]
    assert "3.2 cm" in span["quote"]
    assert made.planted[0].size == pytest.approx(0.9)
    assert made.path("series") == scanned.path("series")


# Pictures


def test_pictures_open_upright_and_masks_decode(pictured: Truth) -> None:
    for image in pictured.truth["images"]:
        with Image.open(pictured.path(image["key"])) as opened:
            assert ImageOps.exif_transpose(opened).size == (640, 480)
            turned = opened.size == (480, 640)
        assert turned == (image["key"] == pictures.ROTATED)
        ids = np.asarray(Image.open(pictured.folder / "media/masks" / f"{image['key']}.png"))
        for thing in image["objects"]:
            value, flat = 0, []
            for run in thing["mask"]["runs"]:
                flat.append(np.full(run, value))
                value = 1 - value
            decoded = np.concatenate(flat)
            decoded = np.concatenate([decoded, np.zeros(ids.size - len(decoded))]).reshape(thing["mask"]["size"])
            assert np.array_equal(decoded == 1, ids == thing["number"])
            assert thing["visible"] is not None
            x, y, w, h = thing["visible"]
            rows, columns = np.nonzero(decoded)
            assert (columns.min(), rows.min(), columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min()) == (
                x,
                y,
                w,
                h,
            )


def test_left_and_right_hold_in_the_picture(pictured: Truth) -> None:
    checked = 0
    for image in pictured.truth["images"]:
        middle = {o["key"]: o["visible"][0] + o["visible"][2] / 2 for o in image["objects"]}
        for subject, predicate, other in image["relations"]:
            if predicate in ("left of", "right of"):
                checked += 1
                assert (middle[subject] < middle[other]) == (predicate == "left of"), (image["key"], subject, other)
    assert checked >= 7


def test_the_pedestrian_really_hides_part_of_the_car(pictured: Truth) -> None:
    image = next(i for i in pictured.truth["images"] if i["key"] == "s03_occluded")
    car, walker = image["objects"]
    x, y, w, h = walker["visible"]
    assert car["visible"][0] < x < x + w < car["visible"][0] + car["visible"][2]
    mask = np.asarray(Image.open(pictured.folder / "media/masks/s03_occluded.png"))
    assert (mask[y : y + h, x : x + w] == walker["number"]).mean() > 0.2


def test_captions_ground_their_words(pictured: Truth) -> None:
    for image in pictured.truth["images"]:
        keys = {o["key"] for o in image["objects"]}
        for caption in image["captions"]:
            assert "[" not in caption["text"]
            for phrase in caption["phrases"]:
                assert caption["text"][phrase["start"] : phrase["end"]] == phrase["quote"]
                assert set(phrase["things"]) <= keys


def test_near_duplicates_differ_only_around_the_thing(pictured: Truth) -> None:
    a, b = (np.asarray(Image.open(pictured.path(k)).convert("RGB")).astype(int) for k in ("s05_mug", "s06_bowl"))
    changed = np.abs(a - b).max(axis=2) > 8
    assert 0 < changed.mean() < 0.03


# Robot


@pytest.mark.slow
def test_three_views_of_one_run(made_once: Maker) -> None:
    made = made_once(robot.robot, options=ROBOT)
    for view in robot.VIEWS:
        assert [read(f) for f in frames_of(made.path(view))] == list(range(robot.FRAMES))
    force = np.loadtxt(made.path("force"), delimiter=",", skiprows=1)
    rise = force[force[:, 1] > robot.CONTACT_N / 2][0, 0]
    assert 0 < rise - made.truth["gripper_close_ns"] < 400_000_000
    actions = made.path("actions").read_text().splitlines()[1:]
    counts = {s: sum(line.endswith(s) for line in actions) for s in ("policy", "operator")}
    assert counts == made.truth["actions_by_source"]
    joints = np.loadtxt(made.path("joints"), delimiter=",", skiprows=1)
    assert np.abs(np.diff(joints[:, 1:], axis=0)).max() < 0.15, "no joint jumps"
    late = robot.robot(made.folder, variant="side_shift@5", options=ROBOT)
    a, b = frames_of(made.path("side")), frames_of(late.path("side"))
    bar = 60
    same = np.abs(a[155][bar:].astype(int) - b[160][bar:]).mean()
    other = np.abs(a[160][bar:].astype(int) - b[160][bar:]).mean()
    assert same < 0.5 * other


# Shop


def test_products_have_the_colour_they_say(tmp_path: Path) -> None:
    made = shop.shop(tmp_path)
    assert len(made.truth["products"]) == 30
    boxes = {a["entity"]: a["shape"] for a in made.labels["annotations"] if a["kind"] == "box"}
    for product in made.truth["products"]:
        image = np.asarray(Image.open(made.path(f"{product['key']}/image")))
        box = boxes[product["key"]]
        part = (
            image[box["y"] : box["y"] + box["height"], box["x"] : box["x"] + box["width"]].reshape(-1, 3).astype(float)
        )
        gaps = {name: np.linalg.norm(part - np.array(rgb), axis=1) for name, rgb in made.truth["swatches"].items()}
        if product["color"] != "white":
            del gaps["white"]  # the ground is nearly white
        nearest = max(gaps, key=lambda name: float((gaps[name] < 28).mean()))
        assert nearest == product["color"], product["key"]
    navy = shop.shop(tmp_path, variant="navy_text")
    assert "navy" in str(next(s for s in navy.sample["streams"] if s["key"] == "p01/title")["value"]).lower()


# Batch


def test_the_batch_carries_exactly_its_errors(batched: Truth) -> None:
    assert not batched.planted
    made = batch.batch(batched.folder, variant="errors")
    assert batch.error_rate(made) == 0.34
    kinds = [p.error for p in made.planted]
    assert [kinds.count(k) for k, _ in batch.MIX] == [136, 102, 68, 34]
    before = set()
    for size in (2, 4, 12, 34):
        fixed = batch.batch(batched.folder, variant=f"errors@{size}")
        assert batch.error_rate(fixed) == pytest.approx(size / 100, abs=0.002)
        now = {p.items for p in fixed.planted}
        assert before <= now, "what a fixed version still carries was there before"
        before = now


def test_small_deviations_stay_below_the_limit(batched: Truth) -> None:
    made = batch.batch(batched.folder, variant="errors@34")
    named = {i for p in made.planted for i in p.items}
    clean = {a["id"]: a for a in batched.labels["annotations"]}
    quiet = [a for a in made.labels["annotations"] if a["id"] not in named and a != clean[a["id"]]]
    assert 10 < len(quiet) <= 40
    for mark in quiet:
        assert 0 < mark["start_ns"] - clean[mark["id"]]["start_ns"] < batch.LIMIT_MS * 1e6


def test_planted_empty_cells_are_empty(batched: Truth) -> None:
    cells = {(s["condition"], s["language"], s["sound_condition"]) for s in batched.truth["samples"]}
    assert len(cells) == 27 - len(batch.EMPTY_CELLS)


# All of them


def changed_ids(a: Truth, b: Truth) -> set[str]:
    out: set[str] = set()
    for table in ("annotations", "links"):
        x, y = ({row["id"]: row for row in t.labels[table]} for t in (a, b))
        out |= {k for k in x.keys() | y.keys() if x.get(k) != y.get(k)}
    x, y = ({row["key"]: row for row in t.sample["streams"]} for t in (a, b))
    return out | {k for k in x if x[k] != y[k]}


def media_digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted((folder / "media").rglob("*")):
        if path.is_file():
            total.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return total.hexdigest()


CASES: list[tuple[str, Maker, Mapping[str, Variant], dict[str, Any]]] = [
    ("clip", clip.clip, clip.VARIANTS, {"options": WHOLE_CLIP}),
    ("talk", talk.talk, talk.VARIANTS, {"options": talk.TalkOptions(scale=0.25)}),
    ("ct", ct.ct, ct.VARIANTS, {"options": ct.CtOptions(size=96, spacing_mm=3.5, slices=24, slice_mm=9.0)}),
    ("scene", pictures.scene, pictures.VARIANTS, {"options": pictures.SceneOptions(width=160, height=120)}),
    ("robot", robot.robot, robot.VARIANTS, {"options": ROBOT}),
    ("shop", shop.shop, shop.VARIANTS, {}),
    ("batch", batch.batch, batch.VARIANTS, {}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "make", "variants", "options"), CASES, ids=[c[0] for c in CASES])
def test_a_variant_changes_what_it_plants_and_no_more(
    tmp_path: Path,
    made_once: Maker,
    name: str,
    make: Maker,
    variants: Mapping[str, Variant],
    options: dict[str, Any],
) -> None:
    clean = made_once(make, **options)
    before = media_digest(clean.folder)
    again = make(tmp_path, **options)
    assert media_digest(again.folder) == before, "two runs, the same bytes"
    assert [
        (clean.variant_folder / f).read_bytes() == (again.variant_folder / f).read_bytes()
        for f in ("sample.json", "labels.json", "truth.json")
    ] == [True] * 3
    for key in variants:
        made = make(clean.folder, variant=key, **options)
        assert made.planted, key
        assert media_digest(made.folder) == before, "media are shared and never touched"
        named = {item for p in made.planted for item in p.items}
        changed = changed_ids(clean, made)
        assert changed & named or key in ("errors",), key
        spare = {k["id"]: k for t in (clean, made) for k in t.labels["links"]}
        streams = {s["key"] for s in made.sample["streams"]}
        own = {a["id"]: a["stream"] for t in (clean, made) for a in t.labels["annotations"]}
        for item in changed - named:
            touched = {e.get("annotation") for e in spare[item]["ends"]} if item in spare else {own.get(item, item)}
            in_planted_stream = own.get(item) in named or (item in streams and any(own.get(n) == item for n in named))
            quiet = name == "batch" and key == "errors"
            hidden = name == "clip" and key == "clip_level_audio"
            assert touched & named or in_planted_stream or quiet or hidden, (key, item)
        for stream in made.sample["streams"]:
            assert not stream["path"] or made.path(stream["key"]).exists(), (key, stream["key"])


def test_the_command_line_lists_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ct", str(tmp_path), "--list"]) == 0
    assert "mirrored" in capsys.readouterr().out
    assert main(["ct", str(tmp_path), "--variant", "nope"]) == 2
    assert "there are: clean" in capsys.readouterr().err
    assert main(["shop", str(tmp_path / "shop")]) == 0
    assert "0 planted" in capsys.readouterr().out
