"""FX-ROBOT: an arm puts a cup into a bowl, seen from wrist, overhead and side.

With joints, force, action commands, an instruction and reasoning steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from workstation.synth.diorama import Snap, Thing, looking, plain_backdrop, scenery, snap
from workstation.synth.marks import burn
from workstation.synth.pose import Floats
from workstation.synth.props import apple, bowl, cup, robot_arm, room_shell, table
from workstation.synth.raster import View
from workstation.synth.truth import Bundle, Json, Planted, Truth, Variant, chosen, deliver, link, shared_media, span
from workstation.synth.writers import VideoWriter, write_csv, write_json, write_parquet

RATE = 30
JOINT_HZ, FORCE_HZ, ACTION_HZ = 100, 200, 10
TOP = 0.74
BASE = (0.55, 0.0, TOP)
CUP_AT, BOWL_AT = np.array([0.12, 0.28, TOP]), np.array([0.08, -0.24, TOP])
VIEWS = ("wrist", "overhead", "side")
CONTACT_N = 7.5


@dataclass(frozen=True, slots=True)
class Step:
    """One reasoning step and its action, in frames (the end is the first frame after it)."""

    key: str
    label: str
    first: int
    end: int
    thought: str
    source: str


STEPS = (
    Step("approach", "reach", 30, 105, "The cup stands left of the bowl; move the open gripper above it.", "policy"),
    Step("grasp", "grasp", 105, 135, "The cup is between the fingers; close until the force rises.", "policy"),
    Step("lift", "lift", 135, 180, "The grip is firm; lift the cup clear of the bowl's rim.", "policy"),
    Step("carry", "move", 180, 270, "Carry the cup to a place above the bowl.", "operator"),
    Step("place", "place", 270, 330, "Lower the cup into the bowl and open the gripper.", "operator"),
    Step("retreat", "retreat", 330, 390, "The cup stands in the bowl; move back to rest.", "policy"),
)
FRAMES = 420
INSTRUCTION = "Put the red cup into the blue bowl."
DESCRIPTIONS = dict.fromkeys(VIEWS, "The arm picks up the red cup and puts it into the blue bowl.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotOptions:
    """``scale`` shrinks the pictures of 424×320."""

    scale: float = 1.0
    codec: str = "mpeg4"


def robot(folder: Path, *, seed: int = 0, variant: str = "clean", options: RobotOptions | None = None) -> Truth:
    """Makes FX-ROBOT in ``folder``."""
    options = options or RobotOptions()
    chosen(VARIANTS, variant)
    knowledge = shared_media(
        folder,
        {"fixture": "robot", "seed": seed, "options": asdict(options)},
        lambda media: _make(media, seed, options),
    )
    return deliver(folder, _bundle(options, knowledge), VARIANTS, variant)


def state(frame: float) -> tuple[Floats, float, Floats]:
    """Wrist, finger gap and cup at a (fractional) frame."""
    rest, above = np.array([0.3, 0.05, TOP + 0.42]), CUP_AT + np.array([0.0, 0.0, 0.3])
    at_cup, lifted = CUP_AT + np.array([0.0, 0.0, 0.09]), CUP_AT + np.array([0.0, 0.0, 0.34])
    over, down = BOWL_AT + np.array([0.0, 0.0, 0.34]), BOWL_AT + np.array([0.0, 0.0, 0.11])
    keys: list[tuple[float, Floats]] = [
        (30, rest),
        (80, above),
        (105, at_cup),
        (135, at_cup),
        (180, lifted),
        (270, over),
        (312, down),
        (330, down),
        (345, over),
        (390, rest),
    ]
    wrist = keys[0][1]
    for (a, pa), (b, pb) in pairwise(keys):
        if frame >= a:
            share = min((frame - a) / (b - a), 1.0)
            wrist = pa + (pb - pa) * (1 - math.cos(math.pi * share)) / 2
    gap = 0.12 - 0.03 * float(np.clip((frame - 108) / 12, 0, 1)) + 0.03 * float(np.clip((frame - 314) / 10, 0, 1))
    held = 120 <= frame < 314
    placed = BOWL_AT + np.array([0.0, 0.0, 0.02])
    cup_at = wrist - [0.0, 0.0, 0.09] if held else (CUP_AT if frame < 120 else placed)
    return wrist, gap, cup_at


def joints(frame: float) -> Floats:
    """Six joint values from the wrist: yaw, shoulder, elbow, wrist pitch, wrist roll (rad) and finger gap (m)."""
    wrist, gap, _ = state(frame)
    away = wrist + np.array([0.0, 0.0, 0.12]) - (np.array(BASE) + np.array([0.0, 0.0, 0.16]))
    level, rise = math.hypot(away[0], away[1]), float(away[2])
    reach = min(math.hypot(level, rise), 0.83)
    elbow = math.acos(max(min(1 - reach**2 / (2 * 0.42**2), 1.0), -1.0))
    shoulder = math.atan2(rise, level) + (math.pi - elbow) / 2
    return np.array(
        [
            math.atan2(away[1], -away[0]),
            shoulder,
            math.pi - elbow,
            -(shoulder - (math.pi - elbow)) - math.pi / 2,
            0.0,
            gap,
        ]
    )


def force(frame: float) -> float:
    """Contact force between the fingers, N: it rises when they close on the cup."""
    return CONTACT_N * float(np.clip((frame - 114) / 5, 0, 1) - np.clip((frame - 314) / 4, 0, 1))


class Cell:
    """The three cameras."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._shell = scenery(
            [
                Thing(
                    key="room", label="room", mesh=room_shell(wall=(176, 184, 190), floor=(110, 112, 116)), named=False
                )
            ],
            floor=True,
        )
        self._desk = Thing(key="table", label="table", mesh=table(1.3, 1.1), x=0.2, named=False)
        self._cup = cup((196, 48, 44))
        self._standing = [
            Thing(key="bowl", label="bowl", mesh=bowl((52, 92, 168)), x=BOWL_AT[0], y=BOWL_AT[1], z=TOP, nearer_m=0.2),
            Thing(key="apple", label="apple", mesh=apple(), x=0.3, y=0.3, z=TOP, nearer_m=0.2),
        ]
        self._backgrounds: dict[str, Any] = {}

    def view(self, name: str, frame: int) -> View:
        """The camera of a view; the wrist camera rides on the gripper."""
        width, height = self._size
        if name == "overhead":
            return looking(
                (-0.02, 0.01, TOP + 1.35), (0.14, 0.0, TOP), width=width, height=height, focal_px=width * 1.05
            )
        if name == "side":
            return looking(
                (-0.2, -1.5, TOP + 0.55), (0.22, 0.0, TOP + 0.22), width=width, height=height, focal_px=width * 1.05
            )
        wrist, _, _ = state(frame)
        eye = wrist + np.array([0.16, 0.0, 0.2])
        aim = wrist + np.array([-0.06, 0.0, -0.12])
        return looking(
            (eye[0], eye[1], eye[2]), (aim[0], aim[1], aim[2]), width=width, height=height, focal_px=width * 0.62
        )

    def shot(self, name: str, frame: int) -> Snap:
        """One frame of one view."""
        view = self.view(name, frame)
        if name not in self._backgrounds or name == "wrist":
            self._backgrounds[name] = snap(
                view, [self._desk], background=plain_backdrop(view), packed=self._shell
            ).image
        wrist, gap, cup_at = state(frame)
        inside = frame >= 300
        things = [
            *self._standing,
            Thing(
                key="cup",
                label="cup",
                mesh=self._cup,
                x=cup_at[0],
                y=cup_at[1],
                z=cup_at[2],
                nearer_m=0.6 if inside else 0.3,
                yaw=-1.2,
            ),
            Thing(
                key="robot",
                label="robot",
                mesh=robot_arm(BASE, (wrist[0], wrist[1], wrist[2]), gap, hand_only=name == "wrist"),
                nearer_m=0.25,
            ),
        ]
        return snap(view, things, background=self._backgrounds[name], shadow_on=TOP)


def _film(path: Path, name: str, options: RobotOptions, shift: int = 0) -> list[list[Any]]:
    width, height = (round(v * options.scale / 2) * 2 for v in (424, 320))
    cell = Cell(width, height)
    rows: list[list[Any]] = []
    with VideoWriter(path, width=width, height=height, rate=RATE, codec=options.codec) as video:
        for frame in range(FRAMES):
            shown = min(max(frame - shift, 0), FRAMES - 1)
            shot = cell.shot(name, shown)
            rows += [[frame, key, *box] for key in shot.keys if (box := shot.box(key)) is not None]
            burn(shot.image, frame)
            video.write(shot.image)
    return rows


def _make(media: Path, seed: int, options: RobotOptions) -> Json:
    boxes = {name: _film(media / f"{name}.mp4", name, options) for name in VIEWS}
    rng = np.random.default_rng([seed, 95])
    seconds = FRAMES / RATE
    times = {
        hz: np.array([(i * 1_000_000_000 + hz // 2) // hz for i in range(int(seconds * hz))], dtype=np.int64)
        for hz in (JOINT_HZ, FORCE_HZ, ACTION_HZ)
    }
    values = np.array([joints(t / 1e9 * RATE) for t in times[JOINT_HZ]]) + rng.normal(
        0, 0.0005, (len(times[JOINT_HZ]), 6)
    )
    names = ("yaw_rad", "shoulder_rad", "elbow_rad", "wrist_pitch_rad", "wrist_roll_rad", "gripper_m")
    columns: dict[str, Any] = {
        "time_ns": times[JOINT_HZ],
        **{n: np.round(values[:, i], 6) for i, n in enumerate(names)},
    }
    write_parquet(media / "joints.parquet", columns)
    write_csv(media / "joints.csv", list(columns), zip(*(c.tolist() for c in columns.values()), strict=True))
    newtons = np.array([force(t / 1e9 * RATE) for t in times[FORCE_HZ]]) + rng.normal(0, 0.04, len(times[FORCE_HZ]))
    write_csv(
        media / "force.csv",
        ("time_ns", "contact_n"),
        zip(times[FORCE_HZ].tolist(), np.round(newtons, 4).tolist(), strict=True),
    )
    actions = [_action(int(t)) for t in times[ACTION_HZ]]
    write_csv(media / "actions.csv", ("time_ns", "dx_m", "dy_m", "dz_m", "gripper", "source"), actions)
    write_json(
        media / "episode.json",
        {
            "instruction": INSTRUCTION,
            "steps": [{"key": s.key, "thought": s.thought} for s in STEPS],
            "descriptions": DESCRIPTIONS,
        },
    )
    return {
        "boxes": boxes,
        "actions": {source: sum(1 for a in actions if a[5] == source) for source in ("policy", "operator")},
    }


def _action(time_ns: int) -> list[Any]:
    frame = time_ns / 1e9 * RATE
    move = (state(frame + 3)[0] - state(frame)[0]).round(5).tolist()
    step = next((s for s in STEPS if s.first <= frame < s.end), None)
    closed = "close" if 108 <= frame < 314 else "open"
    return [time_ns, *move, closed, step.source if step else "policy"]


def _ns(frame: int) -> int:
    return (frame * 1_000_000_000 + RATE // 2) // RATE


def _bundle(options: RobotOptions, knowledge: Json) -> Bundle:
    marks: list[Json] = []
    links: list[Json] = []
    for step in STEPS:
        _step_labels(step, marks, links)
    marks += _view_labels(knowledge)
    entities = [{"id": k, "class": k} for k in ("cup", "bowl", "apple", "robot")]
    truth = {
        "fixture": "FX-ROBOT",
        "frames": FRAMES,
        "rate": RATE,
        "instruction": INSTRUCTION,
        "steps": [{**asdict(s), "start_ns": _ns(s.first), "end_ns": _ns(s.end)} for s in STEPS],
        "gripper_close_ns": _ns(108),
        "contact_ns": _ns(114),
        "actions_by_source": knowledge["actions"],
        "frame_number": "marks.read(picture); counts the file's own frames",
        "view_shift_frames": dict.fromkeys(VIEWS, 0),
        "boxes": {"columns": ["frame", "key", "x", "y", "width", "height"], "views": knowledge["boxes"]},
        "options": asdict(options),
    }
    return Bundle(
        sample={"fixture": "FX-ROBOT", "key": "robot", "profile": "manipulation", "streams": _streams()},
        labels={"entities": entities, "annotations": marks, "links": links},
        truth=truth,
    )


def _streams() -> list[Json]:
    common = {
        "offset_ns": 0,
        "recording": "session_1",
        "licence": "CC0-1.0 (generated)",
        "clock": {"source": "trigger", "locked": True, "origin": "session zero"},
    }
    streams: list[Json] = [
        {"key": name, "kind": "video", "path": f"media/{name}.mp4", "role": name, "rate_hz": RATE, **common}
        for name in VIEWS
    ]
    for key, path, rate in (
        ("joints", "joints.csv", JOINT_HZ),
        ("force", "force.csv", FORCE_HZ),
        ("actions", "actions.csv", ACTION_HZ),
    ):
        streams.append({"key": key, "kind": "series", "path": f"media/{path}", "role": key, "rate_hz": rate, **common})
    streams.append(
        {
            "key": "episode",
            "kind": "turns",
            "path": "media/episode.json",
            "role": "instruction",
            "language": "en",
            **common,
        }
    )
    return streams


def _step_labels(step: Step, marks: list[Json], links: list[Json]) -> None:
    marks += [
        span(
            f"action/{name}/{step.key}",
            name,
            step.label,
            _ns(step.first),
            _ns(step.end),
            entity="robot",
            first_frame=step.first,
            end_frame=step.end,
            attributes={"source": step.source},
        )
        for name in VIEWS
    ]
    marks.append(
        {
            "id": f"step/{step.key}",
            "stream": "episode",
            "entity": None,
            "class": "reasoning_step",
            "kind": "text",
            "text": step.thought,
        }
    )
    links.append(
        link(
            f"views/{step.key}",
            "same-event",
            [{"role": "view", "annotation": f"action/{name}/{step.key}"} for name in VIEWS],
        )
    )
    links.append(
        link(
            f"reason/{step.key}",
            "explains",
            [
                {"role": "text", "annotation": f"step/{step.key}"},
                {"role": "action", "annotation": f"action/overhead/{step.key}"},
            ],
        )
    )


def _view_labels(knowledge: Json) -> list[Json]:
    marks: list[Json] = []
    for name in VIEWS:
        marks.append(
            {
                "id": f"description/{name}",
                "stream": name,
                "entity": None,
                "class": "description",
                "kind": "text",
                "text": DESCRIPTIONS[name],
            }
        )
        for key in ("cup", "bowl", "apple"):
            rows = [r for r in knowledge["boxes"][name] if r[1] == key]
            keys = [
                {
                    "time_ns": _ns(r[0]),
                    "frame": r[0],
                    "visible": True,
                    "shape": {"kind": "box", "x": r[2], "y": r[3], "width": r[4], "height": r[5]},
                }
                for r in rows[::15]
            ]
            if keys:
                marks.append(
                    {
                        "id": f"box/{name}/{key}",
                        "stream": name,
                        "entity": key,
                        "class": key,
                        "kind": "track",
                        "keyframes": keys,
                    }
                )
    return marks


def _side_shift(bundle: Bundle, size: float) -> None:
    shift, options = round(size), RobotOptions(**bundle.truth["options"])

    def write(path: Path) -> None:
        _film(path, "side", options, shift)

    bundle.files["side.mp4"] = write
    bundle.stream("side")["path"] = "{variant}/side.mp4"
    bundle.truth["view_shift_frames"]["side"] = shift
    items = []
    for mark in bundle.labels["annotations"]:
        if mark["stream"] == "side" and "first_frame" in mark:
            mark["first_frame"], mark["end_frame"] = mark["first_frame"] + shift, mark["end_frame"] + shift
            mark["start_ns"], mark["end_ns"] = _ns(mark["first_frame"]), _ns(mark["end_frame"])
            items.append(mark["id"])
    bundle.planted.append(
        Planted(
            error="temporal",
            items=("side", *items),
            size=float(shift),
            unit="frames",
            limit=1.0,
            note="the side view shows everything late",
        )
    )


def _swapped_ids(bundle: Bundle, size: float) -> None:
    del size
    a, b = bundle.label("box/side/cup"), bundle.label("box/side/bowl")
    a["entity"], b["entity"], a["class"], b["class"] = b["entity"], a["entity"], b["class"], a["class"]
    bundle.planted.append(
        Planted(error="incorrect-pairing", items=(a["id"], b["id"]), note="cup and bowl are exchanged in the side view")
    )


def _wrong_step(bundle: Bundle, size: float) -> None:
    del size
    bundle.label("step/lift")["text"] = "The grip is loose; push the cup to the right with closed fingers."
    bundle.planted.append(
        Planted(error="semantic", items=("step/lift", "action/overhead/lift"), note="step 3 does not say what is done")
    )


def _contradiction(bundle: Bundle, size: float) -> None:
    del size
    bundle.label("description/overhead")["text"] = "The arm picks up the blue bowl."
    bundle.planted.append(
        Planted(
            error="semantic",
            items=("description/overhead", "description/side"),
            note="cup in one view, bowl in the other",
        )
    )


def _boundary(bundle: Bundle, size: float) -> None:
    shift = round(size)
    mark = bundle.label("action/wrist/grasp")
    mark["first_frame"] += shift
    mark["start_ns"] = _ns(mark["first_frame"])
    bundle.planted.append(
        Planted(
            error="temporal",
            items=("action/wrist/grasp",),
            size=float(shift),
            unit="frames",
            limit=1.0,
            note="the grasp begins late in the wrist view only",
        )
    )


_PLANTERS: tuple[tuple[str, str, Callable[[Bundle, float], None], float, str], ...] = (
    ("side_shift", "the side view shows everything late", _side_shift, 5.0, "frames"),
    ("swapped_ids", "cup and bowl are exchanged in one view", _swapped_ids, 0.0, ""),
    ("wrong_step", "reasoning step 3 is wrong", _wrong_step, 0.0, ""),
    ("contradiction", "two views are described differently", _contradiction, 0.0, ""),
    ("boundary", "the grasp begins late in one view", _boundary, 3.0, "frames"),
)
VARIANTS: dict[str, Variant] = {
    name: Variant(name=name, about=about, plant=plant, size=size, unit=unit)
    for name, about, plant, size, unit in _PLANTERS
}
