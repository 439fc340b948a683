"""The thousand light street moments as a project: labels as untidy as people's, all of them right. By ``demo.py``.

What ``workstation inject`` plants into a copy of it is measured with ``workstation validate --score``.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workstation.app.demo_generated import LICENCE, Labels, text_part, written
from workstation.app.session import Run, Session
from workstation.core.annotation import Source, SourceKind
from workstation.core.cameras import Camera, Pinhole
from workstation.core.poses import transform_of_matrix
from workstation.core.sample import StreamKind
from workstation.core.space import Calibration, Frame, as_json_values
from workstation.store.media_files import record_file
from workstation.synth import mixed
from workstation.synth.truth import GENERATOR

_AT_ONCE = 50
_IN_SYNC = "generated: all streams were stamped on one time axis"
_EGO = "ego"
_RULE = "every sound event links to a road user as sound_source"
Json = Mapping[str, Any]


def build(session: Session, folder: Path, *, count: int = mixed.COUNT, seed: int = 0) -> None:
    """Make the samples; ``folder`` is for the media while they are made."""
    made = mixed.mixed(folder, seed=seed, count=count)
    media = session.project.media_folder
    shutil.copytree(folder / "media", media, dirs_exist_ok=True, ignore=shutil.ignore_patterns("made.json"))
    files = {name: _files(session, media, name) for name in ("front.mp4", "left.mp4", "lidar", "can.csv")}
    session.run("rule.set", rule="heard", says=_RULE, error_type="missing-reference", on=True)
    samples = made["samples"]
    for first in range(0, len(samples), _AT_ONCE):
        rows = samples[first : first + _AT_ONCE]
        with session.together(f"Build the demo, {rows[0]['key']} to {rows[-1]['key']}") as run:
            for row in rows:
                _sample(session, run, row, files)


def _files(session: Session, media: Path, name: str) -> Any:
    place = media / name
    paths = sorted(place.iterdir()) if place.is_dir() else [place]
    return msgspec.to_builtins(tuple(record_file(session.project.path, path) for path in paths))


def _sample(session: Session, run: Run, row: Json, files: Mapping[str, Any]) -> None:
    key = row["key"]
    run("sample.add", key=key, notes="Generated, with noise on every label.")
    text = written(session.project.media_folder / "captions" / f"{key}.txt", row["caption"]["text"])
    caption = msgspec.to_builtins((record_file(session.project.path, text),))
    heard = session.project.media_folder / "sounds" / f"{key}.wav"
    mixed.write_sound(heard, dict(row))
    streams: Sequence[tuple[str, StreamKind, Any, dict[str, Any]]] = (
        *((name, StreamKind.VIDEO, files[f"{name}.mp4"], {"frame": name, "time_map": _starts(name)})
          for name in mixed.CAMERAS),
        ("lidar", StreamKind.CLOUD, files["lidar"], {"frame": "lidar", "options": {"times": "../lidar.times.csv"}}),
        ("sound", StreamKind.AUDIO, msgspec.to_builtins((record_file(session.project.path, heard),)), {}),
        ("can", StreamKind.SERIES, files["can.csv"], {}),
        ("caption", StreamKind.TEXT, caption, {"language": "en"}),
    )  # fmt: skip
    for name, kind, found, more in streams:
        run("stream.add", sample=key, key=name, kind=kind, files=found, clock="generator", licence=LICENCE, **more)
    _rig(run, key)
    run("gate.set", sample=key, gate="sync", state="verified", reason=_IN_SYNC)
    run("gate.set", sample=key, gate="calibration", state="declared", reason="as generated")
    source = Source(kind=SourceKind.IMPORT, name="FX-MIXED", version=f"generator {GENERATOR}")
    _label(Labels(run, key, msgspec.to_builtins(source)), row)


def _starts(camera: str) -> Any:
    return {"knots": [[0, mixed.frame_ns(camera, 0)]]}


def _rig(run: Run, sample: str) -> None:
    """Mounts of cameras and LiDAR on the car, which stands."""
    frames = [Frame(name="lidar", parent=_EGO, parent_from_child=transform_of_matrix(_still()))]
    cameras = []
    for name in mixed.CAMERAS:
        mount = transform_of_matrix(mixed.camera_from_ego(name)).inverted()
        frames.append(Frame(name=name, parent=_EGO, parent_from_child=mount))
        lens = Pinhole(fx=mixed.FOCAL, fy=mixed.FOCAL, cx=mixed.WIDTH / 2, cy=mixed.HEIGHT / 2)
        cameras.append(Camera(name=name, frame=name, width_px=mixed.WIDTH, height_px=mixed.HEIGHT, lens=lens))
    calibration = Calibration(frames=tuple(frames), cameras=tuple(cameras))
    run(
        "rig.add", sample=sample, key="vehicle", frames=as_json_values(calibration.frames),
        cameras=as_json_values(calibration.cameras), note="as generated, parent_from_child",
    )  # fmt: skip


def _still() -> list[list[float]]:
    return [[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]]


def _label(labels: Labels, row: Json) -> None:
    for number, thing in enumerate(row["things"]):
        _thing(labels, f"t{number}", thing)
    hooter = f"entity/t{row['hooter']}"
    labels.mark("horn", "sound", class_id="horn", **_span(row["horn"]))
    labels.link("sound_source", {"sound": "horn", "source": hooter})
    labels.mark("squeal", "sound", class_id="tyre_squeal", **_span(row["squeal"]))
    labels.mark("seen", "front", class_id="braking", **_span(row["braking"], -mixed.frame_ns("front", 0)))
    labels.mark("bus", "can", class_id="braking", **_span(row["bus"]))
    labels.link("synchronized_with", {"sound": "squeal", "picture": "seen"})
    labels.link("coincides_with", {"item": ["seen", "bus"]})
    labels.link("causes", {"cause": ["horn"], "effect": "bus"})
    labels.link("sound_source", {"sound": "squeal", "source": hooter})
    _caption(labels, row)


def _span(interval: Sequence[int], shift_ns: int = 0) -> dict[str, Any]:
    return {"kind": "span", "start_ns": interval[0] + shift_ns, "end_ns": interval[1] + shift_ns}


def _thing(labels: Labels, name: str, thing: Json) -> None:
    motion = "walking" if thing["moving"] else "standing"
    person = thing["class"] == "pedestrian"
    said = {"pedestrian_state": motion} if person else {"motion": "moving" if thing["moving"] else "parked"}
    entity = labels.entity(name, thing["class"])
    views = [f"{name}/lidar"]
    labels.track(
        views[0], "lidar", thing["cuboid"], entity=entity, frame="lidar", attributes={"occlusion": "none", **said}
    )
    for camera, boxes in thing["boxes"].items():
        views.append(f"{name}/{camera}")
        labels.track(views[-1], camera, boxes, entity=entity, attributes={"occlusion": "none"})
    labels.link("same_object", {"view": views})


def _caption(labels: Labels, row: Json) -> None:
    text = row["caption"]["text"]
    # The ontology has no class for a caption, so it stays a draft; what it says is judged all the same.
    caption = labels.run(
        "annotation.add", sample=labels.sample, stream="caption", shape=text_part(text, text.rstrip()),
        state="draft", source=labels.source,
    )  # fmt: skip
    labels.ids["caption"] = f"annotation:{caption}"
    labels.link("describes", {"text": "caption", "subject": "stream:front"})
    for each in row["caption"]["spans"]:
        start, end, class_id = each["start"], each["end"], each["class"]
        shape = {"kind": "text_span", "parts": [[start, end]], "quote": text[start:end]}
        labels.mark(f"word/{class_id}", "caption", class_id=class_id, shape=shape, attributes={"occlusion": "unknown"})
        meant = [f"entity/t{i}" for i, thing in enumerate(row["things"]) if thing["class"] == class_id]
        labels.link("refers_to", {"phrase": f"word/{class_id}", "thing": meant})
