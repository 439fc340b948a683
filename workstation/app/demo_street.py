"""The generated drive (FX-DRIVE) as a demo project: every stream with its own clock, the rig, and the truth as labels.

Called by ``demo.py``, and by whoever needs a project whose clocks, poses and labels are known exactly. A planted
variant comes in as it was delivered, wrong as it is, with its sync gate unverified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from workstation.app.demo_generated import Json, Labels, copied, reader_for, source_of, text_part, written
from workstation.app.session import Run, Session
from workstation.core.cameras import BrownConrady, Camera, Fisheye, Lens, Pinhole
from workstation.core.errors import DataError
from workstation.core.poses import transform_of_matrix
from workstation.core.sample import StreamKind
from workstation.core.space import Calibration, Frame, as_json_values
from workstation.core.timebase import TimeMap
from workstation.media.probe import built_in_readers
from workstation.store.media_files import record_file
from workstation.synth.truth import Truth

EGO, WORLD = "ego", "world"
_CLASSES = {
    "car": "car",
    "van": "van",
    "truck": "truck",
    "motorcycle": "motorcycle",
    "auto_rickshaw": "vehicle",
    "electric_scooter": "vehicle",
    "forklift": "vehicle",
    "mobile_robot": "vehicle",
    "pedestrian": "pedestrian",
    "pallet": "static_object",
}
"""What the driving ontology has a word for; the calibration target it has not."""
_SPANS = {
    "horn": "horn",
    "siren": "siren",
    "brake_noise": "sound_event",
    "braking": "braking",
    "accelerating": "accelerating",
    "turning_left": "turning",
}
_MOTIONS = {"moving": "moving", "parked": "parked", "stopped": "stopped", "waiting": "stopped", "standing": "stopped"}
_PERSON_STATES = frozenset({"waiting", "walking", "running", "crossing", "standing"})
_SOLID = frozenset({"vehicle", "car", "van", "truck", "motorcycle"})
_ABSENT = {"sparse": "too_far", "occluded or out of range": "occluded"}
_IN_SYNC = "generated: every stream was stamped on one time axis, so its clock is right by construction"


def build(session: Session, made: Truth) -> None:
    """Put a generated drive into a new project, in one step."""
    key = str(made.sample["key"])
    with session.together(f"Build the demo {key}") as run:
        run("sample.add", key=key, notes="Generated, with exact truth.", properties={"variant": made.variant})
        left_out = _add_streams(session, run, key, made)
        if left_out:
            run("sample.set", sample=key, notes="\n".join(["Generated, with exact truth.", *left_out]))
        _add_rig(run, key, made.sample["rig"], moves=any(each["key"] == "ego_pose" for each in made.sample["streams"]))
        clean = not made.planted
        reason = _IN_SYNC if clean else f"as delivered, with something planted ({made.variant})"
        run("gate.set", sample=key, gate="sync", state="verified" if clean else "unverified", reason=reason)
        run("gate.set", sample=key, gate="calibration", state="declared", reason="as delivered with the recording")
        _label(Labels(run, key, source_of(made)), made)


# --- streams -------------------------------------------------------------------------------------------------------


def _add_streams(session: Session, run: Run, sample: str, made: Truth) -> list[str]:
    """Each with its clock; answers which no reader takes."""
    media = session.project.media_folder / sample
    readers, left_out = built_in_readers(), []
    for stream in made.sample["streams"]:
        kind = StreamKind(stream["kind"])
        paths = copied(made.folder / str(stream["path"]), media)
        stamps = _stamps(made, stream, media)
        options = _options(stream, stamps)
        try:
            reader = reader_for(paths, kind, readers, options)
        except DataError as error:
            left_out.append(f"{stream['key']} is left out: {error.reason}")
            continue
        clock = stream["clock"]
        run(
            "stream.add", sample=sample, key=stream["key"], kind=kind, role=stream.get("role", ""),
            files=msgspec.to_builtins(tuple(record_file(session.project.path, path) for path in paths)),
            reader=reader.name, options=options, clock=clock["source"], clock_locked=clock["locked"],
            clock_offset_ns=clock["reported_offset_ns"], time_map=_map(stream, stamps), frame=_frame(stream),
            recording=stream.get("recording", ""), language=stream.get("language", ""), licence=stream["licence"],
        )  # fmt: skip
    return left_out


def _stamps(made: Truth, stream: Json, media: Path) -> Path | None:
    """The list of capture times beside the media, under the name by which it is found again."""
    if "times" not in stream:
        return None
    source = made.folder / str(stream["times"])
    return written(media / f"{stream['key']}.times.csv", source.read_text(encoding="utf-8"))


def _options(stream: Json, stamps: Path | None) -> dict[str, Any]:
    if stream["kind"] == "cloud" and stamps is not None:
        return {"times": f"../{stamps.name}", "frame": stream["frame"]}
    if stream["kind"] == "trajectory":
        return {"parent_frame": WORLD, "child_frame": EGO}
    return {}


def _map(stream: Json, stamps: Path | None) -> Any:
    """A film counts from its own first picture; the capture time of that one places it."""
    if "first_ns" not in stream:
        return None
    found = TimeMap(knots=((0, int(stream["first_ns"])),))
    said = {} if stamps is None else {"file": stamps.name}
    return msgspec.to_builtins(found.found_by("declared", evidence=said))


def _frame(stream: Json) -> str:
    return WORLD if stream["kind"] == "trajectory" else str(stream.get("frame", ""))


def _add_rig(run: Run, sample: str, rig: Json, *, moves: bool) -> None:
    frames = [Frame(name=EGO, parent=WORLD, trajectory="ego_pose")] if moves else []
    frames += [
        Frame(
            name=each["name"], parent=each["parent"], parent_from_child=transform_of_matrix(each["parent_from_child"])
        )
        for each in rig["frames"]
        if "parent_from_child" in each
    ]
    cameras = tuple(
        Camera(
            name=name, frame=name, width_px=each["width"], height_px=each["height"], lens=_lens(each),
            row_time_ns=each["row_time_ns"],
        )
        for name, each in rig["cameras"].items()
    )  # fmt: skip
    calibration = Calibration(frames=tuple(frames), cameras=cameras)
    run(
        "rig.add", sample=sample, key="vehicle", frames=as_json_values(calibration.frames),
        cameras=as_json_values(calibration.cameras), note="delivered with the generated drive, parent_from_child",
    )  # fmt: skip


def _lens(camera: Json) -> Lens:
    middle = {name: float(camera[name]) for name in ("fx", "fy", "cx", "cy")}
    numbers = [float(number) for number in camera["distortion"]]
    if camera["model"] == "brown":
        return BrownConrady(**middle, **dict(zip(("k1", "k2", "p1", "p2", "k3"), numbers, strict=True)))
    if camera["model"] == "fisheye":
        return Fisheye(**middle, **dict(zip(("k1", "k2", "k3", "k4"), numbers, strict=True)))
    return Pinhole(**middle)


# --- labels --------------------------------------------------------------------------------------------------------


def _label(labels: Labels, made: Truth) -> None:
    """Everything the driving ontology has a word for."""
    classes = {each["id"]: _CLASSES[each["class"]] for each in made.labels["entities"] if each["class"] in _CLASSES}
    for each in made.labels["entities"]:
        if each["id"] in classes:
            labels.entity(each["id"], classes[each["id"]], name=each.get("plate", ""))
    for each in made.labels["annotations"]:
        if each["kind"] == "track" and each["class"] in _CLASSES:
            _track(labels, each, classes)
        elif each["kind"] == "span" and each["class"] in _SPANS:
            said = each.get("attributes", {}).get("state", "")
            labels.mark(
                each["id"], each["stream"], class_id=_SPANS.get(said, _SPANS[each["class"]]), kind="span",
                start_ns=each["start_ns"], end_ns=each["end_ns"],
            )  # fmt: skip
    _things_in_space(labels, made)
    _links(labels, made)


def _track(labels: Labels, each: Json, classes: Mapping[str, str]) -> None:
    class_id = _CLASSES[each["class"]]
    said = {"frame": each["frame"]} if "frame" in each else {}
    if class_id != classes[each["entity"]]:
        said["class_id"] = class_id
    track = labels.track(
        each["id"], each["stream"], each["keyframes"], entity=labels.of(each["entity"]),
        attributes={"occlusion": "unknown"}, **said,
    )  # fmt: skip
    for time_ns, said in _changes(class_id, each["keyframes"]):
        labels.run("keyframe.set", annotation=track, time_ns=time_ns, attributes=said)


def _changes(class_id: str, keyframes: Sequence[Json]) -> list[tuple[int, dict[str, str]]]:
    """Where what the thing does becomes something else, in the words of the ontology."""
    values = [(key["time_ns"], _state(class_id, key)) for key in keyframes if key["visible"]]
    return [values[0], *(now for before, now in pairwise(values) if now[1] != before[1])] if values[0][1] else []


def _state(class_id: str, key: Json) -> dict[str, str]:
    state = key.get("attributes", {}).get("state", "")
    if class_id == "pedestrian" and state in _PERSON_STATES:
        return {"pedestrian_state": state}
    return {"motion": _MOTIONS[state]} if class_id in _SOLID and state in _MOTIONS else {}


def _things_in_space(labels: Labels, made: Truth) -> None:
    """Box and cuboid of one thing, from the first of their two captures to the last; and what the scanner lacks."""
    first_ns = {each["key"]: int(each.get("first_ns", 0)) for each in made.sample["streams"]}
    streams = {each["id"]: each["stream"] for each in made.labels["annotations"]}
    for each in made.labels["links"]:
        ends = each["ends"]
        if any("annotation" in end and end["annotation"] not in labels.ids for end in ends):
            continue
        if each["type"] in ("same-object", "not-same-object"):
            times = [int(end["time_ns"]) + first_ns[streams[end["annotation"]]] for end in ends]
            labels.link(
                "same_object", {"view": [end["annotation"] for end in ends]}, start_ns=min(times),
                end_ns=max(times) + 1, holds=each["type"] == "same-object",
            )  # fmt: skip
        elif each["type"] == "absent":
            labels.link(
                "absent", {"item": ends[0]["annotation"], "missing_from": f"stream:{ends[1]['stream']}"},
                reason=_ABSENT[each["reason"]], start_ns=each["start_ns"], end_ns=each["end_ns"],
            )  # fmt: skip


def _links(labels: Labels, made: Truth) -> None:
    """The horn's source, the key moment, and the words that speak of the turn."""
    if "sound/horn" in labels.ids:
        source = next(link for link in made.labels["links"] if link["type"] == "sound-source")["ends"][1]["entity"]
        labels.link("sound_source", {"sound": "sound/horn", "source": f"entity/{source}"})
        if "can/braking" in labels.ids:
            labels.link("causes", {"cause": ["sound/horn"], "effect": "can/braking"})
    if "can/turn_left" in labels.ids:
        text = _cues(made)
        said = labels.mark("word/turn", "navigation", class_id="turning", shape=text_part(text, "Turn left."))
        del said
        labels.link("grounded_in_time", {"phrase": "word/turn", "interval": "can/turn_left"})


def _cues(made: Truth) -> str:
    return made.path("navigation").read_text(encoding="utf-8")
