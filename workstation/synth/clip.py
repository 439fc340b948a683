"""FX-CLIP: a minute of film with burned-in frame numbers, eight scripted events with sound, and dense captions.

Two places are cut together: a kitchen (0–15 s, 45–60 s) and a street (15–45 s). Every event begins and ends on a frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workstation.synth import sound
from workstation.synth.backdrop import Backdrop, sky_panorama
from workstation.synth.diorama import Snap, Thing, looking, plain_backdrop, scenery, snap
from workstation.synth.lettering import Picture
from workstation.synth.marks import burn
from workstation.synth.mesh import Finish, Mesh, MeshBuilder
from workstation.synth.people import dog, pedestrian
from workstation.synth.pose import Floats
from workstation.synth.props import arm, chest, cup, room_shell, sitter, table
from workstation.synth.raster import View, shadow_points
from workstation.synth.scenery import WALLS, Block, GroundPainter, house, tree
from workstation.synth.truth import Bundle, Json, Planted, Truth, Variant, chosen, deliver, link, shared_media, span
from workstation.synth.vehicles import vehicle
from workstation.synth.writers import VideoWriter, write_wav

RATE = 30
SOUND_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Event:
    """One scripted event, in frames (the end is the first frame after it)."""

    key: str
    label: str
    first: int
    end: int
    caption: str
    actor: str
    sound: str


EVENTS = (
    Event("key_in_drawer", "put", 120, 180, "A man puts a key into the top drawer.", "man", "knock"),
    Event("reach", "reach", 240, 276, "He reaches for the red cup.", "man", "rustle"),
    Event("grasp", "grasp", 276, 312, "He grasps the red cup and lifts it.", "man", "clink"),
    Event("walk", "walk", 480, 660, "A woman in a red coat walks along the pavement.", "woman", "steps"),
    Event("turn_left", "turn_left", 720, 870, "The blue car turns left into the side street.", "car", "engine"),
    Event("door", "door_slam", 990, 1005, "The front door slams shut.", "door", "slam"),
    Event("bark", "dog_bark", 1140, 1200, "The brown dog barks three times.", "dog", "bark"),
    Event("drawer_opens", "open", 1650, 1710, "The man opens the drawer in which the key lies.", "man", "slide"),
)
BARKS = (1140, 1160, 1182)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipOptions:
    """``scale`` shrinks the picture of 640×360; ``seconds`` cuts the clip."""

    seconds: float = 60.0
    scale: float = 1.0
    codec: str = "mpeg4"
    group: int = 30


def clip(folder: Path, *, seed: int = 0, variant: str = "clean", options: ClipOptions | None = None) -> Truth:
    """Makes FX-CLIP in ``folder``."""
    options = options or ClipOptions()
    chosen(VARIANTS, variant)
    knowledge = shared_media(
        folder, {"fixture": "clip", "seed": seed, "options": asdict(options)}, lambda media: _make(media, seed, options)
    )
    return deliver(folder, _bundle(knowledge), VARIANTS, variant)


def _make(media: Path, seed: int, options: ClipOptions) -> Json:
    width, height = (round(v * options.scale / 2) * 2 for v in (640, 360))
    kitchen, street = _Kitchen(width, height), _Street(width, height, seed)
    frames = round(options.seconds * RATE)
    samples = _sound(frames, np.random.default_rng([seed, 51]))
    boxes: list[list[Any]] = []
    path = media / "clip.mp4"
    with VideoWriter(
        path,
        width=width,
        height=height,
        rate=RATE,
        codec=options.codec,
        group=options.group,
        sound=(samples, SOUND_RATE_HZ),
    ) as video:
        for frame in range(frames):
            shot = street.shot(frame) if 450 <= frame < 1350 else kitchen.shot(frame)
            image = shot.image.copy()
            burn(image, frame)
            video.write(image)
            boxes += [[frame, key, *box] for key in shot.keys if (box := shot.box(key)) is not None]
    write_wav(media / "clip.wav", samples, SOUND_RATE_HZ)
    return {"width": width, "height": height, "frames": frames, "boxes": boxes}


def _ease(frame: int, first: int, end: int) -> float:
    share = min(max((frame - first) / max(end - first, 1), 0.0), 1.0)
    return (1 - math.cos(math.pi * share)) / 2


class _Repeated:
    """Paints a shot only when something in it has moved since the one before."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] | None = None
        self._shot: Snap | None = None

    def shot(self, key: tuple[object, ...], painted: Callable[[], Snap]) -> Snap:
        """The last shot if its key was the same, a newly painted one otherwise."""
        if self._shot is None or key != self._key:
            self._key, self._shot = key, painted()
        return self._shot


class _Kitchen:
    """A man behind a table with a cup, a chest of drawers at his side."""

    def __init__(self, width: int, height: int) -> None:
        self.view = looking((-2.3, 0.25, 1.5), (0.5, 0.12, 0.82), width=width, height=height, focal_px=width * 0.82)
        shell = scenery([Thing(key="room", label="room", mesh=room_shell(), named=False)], floor=True)
        base = snap(self.view, [], background=plain_backdrop(self.view), packed=shell).image
        self.background = base
        self.table = Thing(key="table", label="table", mesh=table(), x=0.1)
        self._man, self._cup = sitter(), cup((196, 48, 44), height=0.13, radius=0.055)
        self._last = _Repeated()

    def shot(self, frame: int) -> Snap:
        """The kitchen in one frame; its picture is not the caller's to write into."""
        drawer = self._drawer(frame)
        hand, cup_at = self._hand(frame)
        return self._last.shot((drawer, *hand, *cup_at), lambda: self._shot(drawer, hand, cup_at))

    def _shot(self, opened: float, hand: Floats, cup_at: Floats) -> Snap:
        body, drawer = chest(opened)
        here = (0.72, 0.0)
        things = [
            self.table,
            Thing(key="chest", label="chest", mesh=body, x=0.75, y=1.25),
            Thing(key="drawer", label="drawer", mesh=drawer, x=0.75, y=1.25),
            Thing(key="man", label="person", mesh=self._man, x=here[0], y=here[1]),
            Thing(
                key="man",
                label="person",
                mesh=arm((hand[0] - here[0], hand[1] - here[1], hand[2])),
                x=here[0],
                y=here[1],
                nearer_m=0.9,
            ),
            Thing(
                key="cup",
                label="cup",
                mesh=self._cup,
                x=cup_at[0],
                y=cup_at[1],
                z=cup_at[2],
                yaw=-1.2,
                nearer_m=1.0,
            ),
        ]
        return snap(self.view, things, background=self.background)

    def _drawer(self, frame: int) -> float:
        early = _ease(frame, 126, 138) - _ease(frame, 160, 176)
        return early + _ease(frame, 1656, 1704)

    def _hand(self, frame: int) -> tuple[Floats, Floats]:
        rest, above = np.array([0.4, 0.45, 0.82]), np.array([0.52, 0.98, 0.98])
        place, lifted = np.array([0.1, 0.12, 0.74]), np.array([0.16, 0.14, 0.98])
        grip = np.array([0.05, 0.06, 0.06])
        hand = rest + (above - rest) * (_ease(frame, 120, 132) - _ease(frame, 168, 180))
        hand = hand + (above - rest) * (_ease(frame, 1650, 1662) - _ease(frame, 1700, 1710))
        hand = hand + (place + grip - rest) * _ease(frame, 240, 276)
        moved = (lifted - place) * _ease(frame, 282, 312) * (frame < 450)
        if frame >= 1350:
            hand = rest + (above - rest) * (_ease(frame, 1650, 1662) - _ease(frame, 1700, 1710))
        else:
            hand = hand + moved
        return hand, place + moved


class _Street:
    """A house with a door, a pavement with a walker and a dog, and a road with a side street."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 61])
        painter = GroundPainter((-20, 60), (-40, 40), 0.05, rng)
        painter.rectangle(-20, 60, -1.0, 2.4, (168, 164, 158))
        painter.rectangle(-20, 60, -8.0, -1.0, (92, 93, 96))
        painter.rectangle(10.0, 16.0, -8.0, 40.0, (92, 93, 96))
        for x in np.arange(-20, 60, 5.0):
            painter.rectangle(x, x + 2.4, -4.57, -4.43, (224, 224, 218))
        painter.roughen(rng, (-20, 60), (-8, 3), 3.0)
        blocks: list[Block] = [
            house(2.0, 5.0, -math.pi / 2, 11.0, 8.0, 2, WALLS[0], None),
            house(23.0, 5.2, -math.pi / 2, 11.0, 8.0, 3, WALLS[1], "BAKERY"),
        ]
        blocks += [tree(7.6, 3.2, 5.0, rng), tree(18.0, 3.4, 5.6, rng), tree(-5.5, 3.0, 5.2, rng)]
        for block in blocks:
            painter.shade(shadow_points(block.mesh.vertices)[:, :2])
        self.view: View = looking((5.0, -17.0, 3.8), (7.2, 0.0, 1.2), width=width, height=height, focal_px=width * 0.82)
        background = Backdrop(painter.finish(), sky_panorama(rng)).paint(self.view)
        packs = [
            scenery([Thing(key="", label="", mesh=b.mesh, named=False) for b in part])
            for part in (blocks[:2], blocks[2:])
        ]
        self.background = snap(self.view, [], background=background, packed=packs[0]).image
        self._trees = packs[1]  # painted with the actors: a car may be behind them
        self._car_mesh = vehicle("car", (44, 82, 170), "CL 1P")
        self._women: dict[float, Mesh] = {}
        self._dogs: dict[float, Mesh] = {}
        self._last = _Repeated()

    def shot(self, frame: int) -> Snap:
        """The street in one frame; its picture is not the caller's to write into."""
        door = self._door_angle(frame)
        walked = 5.6 * min(max((frame - 480) / 180, 0.0), 1.0)
        jaw = round(max((1 - (frame - b) / 7 for b in BARKS if b <= frame < b + 7), default=0.0), 1)
        car = self._car(frame)
        key = (door, walked, jaw, car.x, car.y, car.yaw, car.braking)
        return self._last.shot(key, lambda: self._shot(door, walked, jaw, car))

    def _shot(self, door: float, walked: float, jaw: float, car: Thing) -> Snap:
        if (swung := round(walked, 2)) not in self._women:
            self._women[swung] = pedestrian(swung)
        if jaw not in self._dogs:
            self._dogs[jaw] = dog(0.0, mouth_open=jaw)
        things = [
            Thing(key="door", label="door", mesh=_door(door), x=1.5, y=4.98),
            Thing(key="woman", label="person", mesh=self._women[swung], x=-1.0 + walked, y=0.8),
            Thing(key="dog", label="dog", mesh=self._dogs[jaw], x=7.0, y=-0.3, yaw=-2.0),
            car,
        ]
        return snap(self.view, things, background=self.background, packed=self._trees, shadow_on=0.0)

    def _door_angle(self, frame: int) -> float:
        return 1.2 * (_ease(frame, 930, 960) - min(max((frame - 984) / 6, 0.0), 1.0))

    def _car(self, frame: int) -> Thing:
        mesh = self._car_mesh
        t = (frame - 660) / RATE
        turn = (720 - 660) / RATE, (870 - 660) / RATE
        speed, radius = 4.0, 6.4
        start = 14.6 - radius - speed * turn[0]
        if t < turn[0]:
            return Thing(key="car", label="car", mesh=mesh, x=start + speed * max(t, 0.0), y=-6.2)
        angle = _ease(frame, 720, 870) * math.pi / 2
        x, y = 14.6 - radius + radius * math.sin(angle), -6.2 + radius * (1 - math.cos(angle))
        if t > turn[1]:
            y += speed * (t - turn[1])
        return Thing(key="car", label="car", mesh=mesh, x=x, y=y, yaw=angle, braking=690 <= frame < 730)


def _door(angle: float) -> Mesh:
    build = MeshBuilder()
    c, s = math.cos(angle), math.sin(angle)
    ring = [(0.0, -0.06, 0.0), (c, -0.06 - s, 0.0), (c, -0.06 - s, 2.1), (0.0, -0.06, 2.1)]
    front = build.polygon(ring, (150, 40, 36))
    build.polygon(
        [
            (0.78 * c, -0.062 - 0.78 * s, 1.0),
            (0.88 * c, -0.062 - 0.88 * s, 1.0),
            (0.88 * c, -0.062 - 0.88 * s, 1.08),
            (0.78 * c, -0.062 - 0.78 * s, 1.08),
        ],
        (230, 200, 90),
        Finish.GLOWING,
        on=front,
    )
    build.polygon(ring[::-1], (120, 34, 30))
    return build.build()


def _sound(frames: int, rng: np.random.Generator) -> sound.Sound:
    rate = SOUND_RATE_HZ
    track = sound.room(frames * rate // RATE, rate, rng, 0.0015)

    def at(frame: int) -> int:
        return frame * rate // RATE

    def put(wave: sound.Sound, frame: int, gain: float) -> None:
        sound.add(track, wave, at(frame), gain)

    put(sound.knock(rate, rng, pitch_hz=1400), 150, 0.5)
    put(sound.noise(at(30), rng, low_hz=900, high_hz=5000, rate_hz=rate) * 0.02, 240, 1.0)
    put(sound.knock(rate, rng, pitch_hz=2600, half_s=0.03), 276, 0.6)
    for step in range(480, 660, 24):
        put(sound.knock(rate, rng, pitch_hz=300, half_s=0.01), step, 0.5)
    hum = sound.engine(np.full(at(150), 5.0), rate, rng) * 0.12
    put(hum * np.minimum(1, np.minimum(np.arange(len(hum)), len(hum) - np.arange(len(hum))) / 4000 + 0.3), 720, 1.0)
    put(sound.slam(rate, rng), 990, 0.8)
    for frame in BARKS:
        put(sound.bark(rate, rng), frame, 0.7)
    slide = sound.noise(at(45), rng, low_hz=200, high_hz=2400, rate_hz=rate) * 0.05
    put(slide, 1656, 1.0)
    return np.clip(track, -0.99, 0.99)


def _ns(frame: int) -> int:
    return (frame * 1_000_000_000 + RATE // 2) // RATE


def _bundle(knowledge: Json) -> Bundle:
    common = {
        "offset_ns": 0,
        "recording": "session_1",
        "licence": "CC0-1.0 (generated)",
        "clock": {"source": "container", "locked": True, "origin": "session zero"},
    }
    streams: list[Json] = [
        {"key": "clip", "kind": "video", "path": "media/clip.mp4", "role": "camera", "rate_hz": RATE, **common},
        {
            "key": "clip_sound",
            "kind": "audio",
            "path": "media/clip.wav",
            "role": "sound",
            "rate_hz": SOUND_RATE_HZ,
            "channels": 1,
            **common,
        },
    ]
    events = [e for e in EVENTS if e.end <= knowledge["frames"]]
    marks: list[Json] = []
    links: list[Json] = []
    for e in events:
        _event_labels(e, marks, links)
    links += _long_links({e.key for e in events})
    marks.append(span("clip/class", "clip", "everyday_life", 0, _ns(knowledge["frames"]), level="clip"))
    names = {"man": "person", "woman": "person", "car": "car", "door": "door", "dog": "dog", "cup": "cup"}
    labels = {
        "entities": [{"id": k, "class": v} for k, v in names.items()],
        "annotations": marks,
        "links": links,
        "summary": [{"text": e.caption, "segments": [f"caption/{e.key}"]} for e in events],
    }
    truth = _truth(events, knowledge)
    sample = {"fixture": "FX-CLIP", "key": "clip", "profile": "vision-language", "streams": streams}
    return Bundle(sample=sample, labels=labels, truth=truth)


def _event_labels(e: Event, marks: list[Json], links: list[Json]) -> None:
    start, end = _ns(e.first), _ns(e.end)
    marks.append(
        span(
            f"action/{e.key}",
            "clip",
            e.label,
            start,
            end,
            entity=e.actor,
            first_frame=e.first,
            end_frame=e.end,
            level="frame",
        )
    )
    marks.append(
        span(f"caption/{e.key}", "clip", "caption", start, end, entity=e.actor, text=e.caption, level="segment")
    )
    marks.append(span(f"sound/{e.key}", "clip_sound", e.sound, start, end, entity=e.actor, level="event"))
    links.append(
        link(
            f"cites/{e.key}",
            "evidence",
            [
                {"role": "action", "annotation": f"action/{e.key}"},
                {"role": "sound", "annotation": f"sound/{e.key}"},
            ],
        )
    )
    links.append(
        link(
            f"grounds/{e.key}",
            "grounded-in-time",
            [
                {"role": "text", "annotation": f"caption/{e.key}"},
                {"role": "moment", "annotation": f"action/{e.key}"},
            ],
        )
    )


def _long_links(done: set[str]) -> list[Json]:
    """Links between what is far apart, or of different kinds."""
    links: list[Json] = []
    if "drawer_opens" in done:
        links.append(
            link(
                "long-range",
                "influences",
                [
                    {"role": "cause", "annotation": "action/key_in_drawer"},
                    {"role": "effect", "annotation": "action/drawer_opens"},
                ],
            )
        )
    if "bark" in done:
        links.append(
            link(
                "dog-concept",
                "concept",
                [
                    {"role": "picture", "entity": "dog"},
                    {"role": "word", "annotation": "caption/bark", "quote": "dog"},
                    {"role": "sound", "annotation": "sound/bark"},
                ],
            )
        )
    return links


def _truth(events: list[Event], knowledge: Json) -> Json:
    return {
        "fixture": "FX-CLIP",
        "frames": knowledge["frames"],
        "rate": RATE,
        "width": knowledge["width"],
        "height": knowledge["height"],
        "frame_number": "marks.read(picture) of the decoded frame",
        "events": [
            {
                **asdict(e),
                "start_ns": _ns(e.first),
                "end_ns": _ns(e.end),
                "start_sample": e.first * SOUND_RATE_HZ // RATE,
            }
            for e in events
        ],
        "bark_frames": list(BARKS),
        "boxes": {
            "columns": ["frame", "key", "x", "y", "width", "height"],
            "meaning": "pixels really seen, in the picture before encoding",
            "rows": knowledge["boxes"],
        },
    }


def _caption_early(bundle: Bundle, size: float) -> None:
    caption = bundle.label("caption/turn_left")
    for name in ("start_ns", "end_ns"):
        caption[name] -= round(size * 1e9)
    bundle.planted.append(
        Planted(
            error="temporal",
            items=("caption/turn_left",),
            size=size,
            unit="s",
            limit=0.5,
            note="the caption comes before its event",
        )
    )


def _boundary_off(bundle: Bundle, size: float) -> None:
    shift = round(size)
    for key, name, frame in (("action/reach", "end_ns", "end_frame"), ("action/grasp", "start_ns", "first_frame")):
        mark = bundle.label(key)
        mark[frame] += shift
        mark[name] = _ns(mark[frame])
    bundle.planted.append(
        Planted(
            error="temporal",
            items=("action/reach", "action/grasp"),
            size=float(shift),
            unit="frames",
            limit=1.0,
            note="their shared boundary is late",
        )
    )


def _swapped_actions(bundle: Bundle, size: float) -> None:
    del size
    a, b = bundle.label("action/reach"), bundle.label("action/grasp")
    a["class"], b["class"] = b["class"], a["class"]
    bundle.planted.append(
        Planted(
            error="incorrect-pairing",
            items=("action/reach", "action/grasp"),
            note="the two actions' names are exchanged",
        )
    )


def _clip_level_sound(bundle: Bundle, size: float) -> None:
    del size
    gone = tuple(a["id"] for a in bundle.labels["annotations"] if a["id"].startswith("sound/"))
    end = max(a["end_ns"] for a in bundle.labels["annotations"])
    bundle.labels["annotations"] = [a for a in bundle.labels["annotations"] if a["id"] not in gone]
    bundle.labels["annotations"].append(span("sound/clip", "clip_sound", "everyday_sounds", 0, end, level="clip"))
    bundle.labels["links"] = [
        k
        for k in bundle.labels["links"]
        if not any(str(e.get("annotation", "")).startswith("sound/") for e in k["ends"])
    ]
    bundle.planted.append(
        Planted(
            error="granularity", items=("sound/clip",), note="frame-level video against one label for all the sound"
        )
    )


def _absent_bark(bundle: Bundle, size: float) -> None:
    del size
    bundle.labels["annotations"].append(
        span("sound/false_bark", "clip_sound", "dog_bark", _ns(360), _ns(420), text="A dog barks.", level="event")
    )
    bundle.planted.append(
        Planted(error="hallucination", items=("sound/false_bark",), note="nothing barks in the kitchen")
    )


def _swapped_sounds(bundle: Bundle, size: float) -> None:
    del size
    a, b = bundle.label("sound/door"), bundle.label("sound/bark")
    a["class"], b["class"] = b["class"], a["class"]
    bundle.planted.append(
        Planted(error="incorrect-pairing", items=("sound/door", "sound/bark"), note="slam and bark are exchanged")
    )


_PLANTERS: tuple[tuple[str, str, Callable[[Bundle, float], None], float, str], ...] = (
    ("caption_early", "the caption of the left turn comes early", _caption_early, 0.8, "s"),
    ("boundary_off", "the boundary of reach and grasp is late", _boundary_off, 2.0, "frames"),
    ("swapped_actions", "reach and grasp are exchanged", _swapped_actions, 0.0, ""),
    ("clip_level_audio", "one label for all the sound", _clip_level_sound, 0.0, ""),
    ("absent_bark", "a bark is described that is not there", _absent_bark, 0.0, ""),
    ("swapped_sounds", "slam and bark are exchanged", _swapped_sounds, 0.0, ""),
)
VARIANTS: dict[str, Variant] = {
    name: Variant(name=name, about=about, plant=plant, size=size, unit=unit)
    for name, about, plant, size, unit in _PLANTERS
}


def still(frame: int, *, seed: int = 0, width: int = 640) -> Picture:
    """One frame as it is before encoding, without its number; for looking and for tests."""
    height = width * 9 // 16
    return (_Street(width, height, seed) if 450 <= frame < 1350 else _Kitchen(width, height)).shot(frame).image
