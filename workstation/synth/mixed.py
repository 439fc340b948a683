"""FX-MIXED: a thousand light street moments over camera, LiDAR, sound, bus and words; every label carries noise.

What is planted into such samples by ``workstation inject`` is found, or not, among labels as untidy as people's. All
samples share their few small media files; only labels and captions differ. Each is two seconds of a standing car
that watches others: the truth is a handful of boxes in space that move in straight lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.synth import sound
from workstation.synth.lettering import panel
from workstation.synth.truth import Json, shared_media
from workstation.synth.writers import VideoWriter, write_bin, write_csv, write_wav

COUNT = 1000
RATE_HZ, FRAMES = 5, 11
WIDTH, HEIGHT, FOCAL = 960, 540, 620.0
CAMERAS = {"front": (0.0, 12_000_000), "left": (62.0, 31_000_000)}
"""By name: degrees to the left of straight ahead, and when its first picture is taken."""
EYE = (1.4, 0.0, 1.5)
SWEEPS_FROM_NS = 20_000_000
SOUND_HZ, SOUND_S = 8000, 2.6
_STEP_NS = 1_000_000_000 // RATE_HZ
SIZES = {"car": (4.4, 1.8, 1.5), "van": (5.4, 2.0, 2.3), "truck": (8.0, 2.5, 3.2), "pedestrian": (0.7, 0.7, 1.75)}
SPEEDS_MPS = {"car": (3.0, 9.0), "van": (3.0, 9.0), "truck": (2.0, 7.0), "pedestrian": (1.4, 2.0)}
NOISE_PX, NOISE_M, NOISE_MS = 0.8, 0.015, 4.0
"""Standard deviations; nothing is off by more than two and a half of them."""
_TURN = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""A camera looks along z with x to the right and y down; a vehicle has x ahead, y left, z up."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Thing:
    """One road user: where it is at 0, its speed over the ground, its size and heading."""

    class_id: str
    place: Floats
    velocity: Floats
    size: tuple[float, float, float]
    heading_rad: float

    def at(self, time_ns: int) -> Floats:
        """Its middle at a time."""
        return self.place + self.velocity * (time_ns / 1e9)


def mixed(folder: Path, *, seed: int = 0, count: int = COUNT) -> Json:
    """Makes the shared media in ``folder`` and answers the samples."""
    media = shared_media(folder, {"fixture": "mixed", "seed": seed}, _media)
    samples = [_sample(f"m{index:04d}", np.random.default_rng([seed, 41, index])) for index in range(count)]
    return {**media, "samples": samples}


def write_sound(path: Path, sample: Json, seed: int = 0) -> None:
    """What is heard in a sample: its horn and its squeal when they truly sound, over a quiet street."""
    rng = np.random.default_rng([seed, 43, int(sample["key"][1:])])
    track = sound.room(round(SOUND_S * SOUND_HZ), SOUND_HZ, rng, 0.003)
    for (start_ns, end_ns), made in zip(sample["sounds"], (sound.horn, sound.squeal), strict=True):
        seconds = (end_ns - start_ns) / 1e9
        wave = made(seconds, SOUND_HZ) if made is sound.horn else sound.squeal(seconds, SOUND_HZ, rng)
        sound.add(track, wave, round(start_ns / 1e9 * SOUND_HZ), 0.25)
    write_wav(path, track, SOUND_HZ)


def camera_from_ego(name: str) -> Floats:
    """A 4 × 4 matrix."""
    yaw = np.radians(CAMERAS[name][0])
    ahead = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    move = np.eye(4)
    move[:3, :3] = _TURN @ ahead
    move[:3, 3] = -move[:3, :3] @ EYE
    return move


def frame_ns(camera: str, frame: int) -> int:
    """When a picture is taken, on the clock of the sample."""
    return CAMERAS[camera][1] + frame * _STEP_NS


def sweep_ns(sweep: int) -> int:
    """The middle of a sweep."""
    return SWEEPS_FROM_NS + sweep * _STEP_NS


def _media(media: Path) -> Json:
    for name in CAMERAS:
        with VideoWriter(media / f"{name}.mp4", width=WIDTH, height=HEIGHT, rate=RATE_HZ) as writer:
            for frame in range(FRAMES):
                writer.write(panel(WIDTH, HEIGHT, (150 + frame, 156, 160)))
    rng = np.random.default_rng(7)
    for sweep in range(FRAMES):
        ground = rng.uniform((-10, -20), (40, 20), (400, 2))
        write_bin(media / "lidar" / f"{sweep:02d}.bin", (ground[:, 0], ground[:, 1], np.zeros(400), rng.random(400)))
    write_csv(media / "lidar.times.csv", ("sweep", "time_ns"), [(sweep, sweep_ns(sweep)) for sweep in range(FRAMES)])
    times = np.arange(240) * 10_000_000
    write_csv(media / "can.csv", ("time_ns", "brake_pct"), zip(times.tolist(), [0.0] * 240, strict=True))
    return {"media": ["front.mp4", "left.mp4", "lidar", "lidar.times.csv", "can.csv"]}


def _sample(key: str, rng: np.random.Generator) -> Json:
    things = _things(rng)
    horn_ns = int(rng.integers(300, 700)) * 1_000_000
    brake_ns = horn_ns + int(rng.integers(270, 310)) * 1_000_000
    return {
        "key": key,
        "things": [_labelled(each, rng) for each in things],
        "sounds": [[horn_ns, horn_ns + 220_000_000], [brake_ns, brake_ns + 150_000_000]],
        "horn": _around(rng, horn_ns, horn_ns + 220_000_000),
        "hooter": int(rng.choice([i for i, each in enumerate(things) if each.class_id != "pedestrian"])),
        "braking": _around(rng, brake_ns, brake_ns + 150_000_000),
        "squeal": _around(rng, brake_ns, brake_ns + 150_000_000),
        "bus": _around(rng, brake_ns, brake_ns + 150_000_000),
        "caption": _caption([each.class_id for each in things], rng),
    }


def _around(rng: np.random.Generator, start_ns: int, end_ns: int) -> list[int]:
    off = _noise(rng, NOISE_MS, 2) * 1e6
    return [start_ns + round(off[0]), end_ns + round(off[1])]


def _noise(rng: np.random.Generator, sigma: float, count: int) -> Floats:
    return np.clip(rng.normal(0, sigma, count), -2.5 * sigma, 2.5 * sigma)


def _things(rng: np.random.Generator) -> list[Thing]:
    """Three to five that stand clear of each other in the picture, one of them with a horn."""
    wanted = int(rng.integers(3, 6))
    found: list[Thing] = []
    taken: list[tuple[str, Floats]] = []
    while len(found) < wanted:
        class_id = "car" if not found else str(rng.choice(list(SIZES)))
        heading = float(rng.choice([0.0, np.pi, np.pi / 2]) + rng.normal(0, 0.1))
        camera = str(rng.choice(list(CAMERAS)))
        away, aside = float(rng.uniform(18, 36)), float(rng.uniform(-0.5, 0.5))
        yaw = np.radians(CAMERAS[camera][0]) + aside
        size = np.array(SIZES[class_id]) * rng.uniform(0.92, 1.08, 3)
        place = np.array([EYE[0] + away * np.cos(yaw), EYE[1] + away * np.sin(yaw), size[2] / 2])
        speed = float(rng.uniform(*SPEEDS_MPS[class_id])) if rng.random() < 0.6 else 0.0
        velocity = speed * np.array([np.cos(heading), np.sin(heading), 0.0])
        thing = Thing(class_id, place, velocity, tuple(size.tolist()), heading)
        seen = _seen(thing, camera)
        if any(_comes_or_goes(thing, name) for name in CAMERAS):
            continue  # whoever labels would have to draw it in the pictures that show it
        if seen is not None and not any(other == camera and _touch(seen, box) for other, box in taken):
            found.append(thing)
            taken += [(name, box) for name in CAMERAS if (box := _seen(thing, name)) is not None]
    return found


def _seen(thing: Thing, camera: str) -> Floats | None:
    """The box that holds it in all pictures; ``None`` if it is cut off or behind in one."""
    boxes = [box_of(thing, camera, frame_ns(camera, frame)) for frame in range(FRAMES)]
    if any(box is None for box in boxes):
        return None
    both = np.array(boxes)
    low, high = both[:, :2].min(axis=0), (both[:, :2] + both[:, 2:]).max(axis=0)
    return np.array([*low, *high])


def _comes_or_goes(thing: Thing, camera: str) -> bool:
    """Whether some pictures of a camera show it whole, or nearly, and others do not."""
    shown = [box_of(thing, camera, frame_ns(camera, frame), clear_px=-4.0) for frame in range(FRAMES)]
    return any(box is not None for box in shown) and _seen(thing, camera) is None


def _touch(a: Floats, b: Floats, *, apart_px: float = 12.0) -> bool:
    return bool((a[:2] - apart_px < b[2:]).all() and (b[:2] - apart_px < a[2:]).all())


def box_of(
    thing: Thing, camera: str, time_ns: int, *, clear_px: float = 2.0
) -> tuple[float, float, float, float] | None:
    """x, y, width, height of what a camera sees of it; ``None`` if any of it is outside of the picture, or nearer to
    its border than ``clear_px``.
    """
    corners = np.array(np.meshgrid([-0.5, 0.5], [-0.5, 0.5], [-0.5, 0.5])).reshape(3, -1).T * thing.size
    c, s = np.cos(thing.heading_rad), np.sin(thing.heading_rad)
    corners = corners @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + thing.at(time_ns)
    move = camera_from_ego(camera)
    inside = corners @ move[:3, :3].T + move[:3, 3]
    if (inside[:, 2] < 2.0).any():
        return None
    pixels = inside[:, :2] / inside[:, 2:] * FOCAL + (WIDTH / 2, HEIGHT / 2)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    if (low < clear_px).any() or high[0] > WIDTH - clear_px or high[1] > HEIGHT - clear_px:
        return None
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _labelled(thing: Thing, rng: np.random.Generator) -> Json:
    """Its cuboid and boxes as somebody drew them."""
    off, size = _noise(rng, NOISE_M, 3), np.array(thing.size) + _noise(rng, NOISE_M, 3)
    turn = thing.heading_rad + float(_noise(rng, 0.01, 1)[0])
    rotation = [float(np.cos(turn / 2)), 0.0, 0.0, float(np.sin(turn / 2))]
    moving = bool(np.linalg.norm(thing.velocity) > 0)
    return {
        "class": thing.class_id,
        "moving": moving,
        "speed_mps": float(np.linalg.norm(thing.velocity)),
        "cuboid": [
            {
                "time_ns": sweep_ns(sweep),
                "shape": {
                    "kind": "cuboid",
                    "center": (thing.at(sweep_ns(sweep)) + off + _noise(rng, NOISE_M / 4, 3)).round(4).tolist(),
                    "size": size.round(4).tolist(),
                    "rotation": rotation,
                },
            }
            for sweep in range(FRAMES)
        ],
        "boxes": {camera: boxes for camera in CAMERAS if (boxes := _boxes(thing, camera, rng)) is not None},
    }


def _boxes(thing: Thing, camera: str, rng: np.random.Generator) -> list[Json] | None:
    if _seen(thing, camera) is None:
        return None
    rows = []
    for frame in range(FRAMES):
        box = box_of(thing, camera, frame_ns(camera, frame))
        assert box is not None
        left, top, right, bottom = np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]]) + _noise(
            rng, NOISE_PX, 4
        )
        shape = {"kind": "box", "x": left, "y": top, "width": right - left, "height": bottom - top}
        rows.append(
            {
                "time_ns": frame * _STEP_NS,
                "shape": {k: v if k == "kind" else round(float(v), 2) for k, v in shape.items()},
            }
        )
    return rows


_MANY = ("", "one", "two", "three", "four", "five")
_PLACES = ("Around there are", "To be seen are", "In view are", "Here are", "Beside the road are", "About it are",
           "In the street are", "Before the lights are", "On this morning there are", "In the rain are")  # fmt: skip
_ENDS = ("", " at the crossing", " near the kerb", " in slow traffic", " under the trees", " by the market",
         " after the bend", " on the bridge")  # fmt: skip


def _caption(classes: list[str], rng: np.random.Generator) -> Json:
    """Says what is there and how many, and where each word stands; no two people word it alike."""
    text, spans = f"{rng.choice(_PLACES)} ", []
    kinds = [str(each) for each in rng.permutation(sorted(set(classes)))]
    for number, class_id in enumerate(kinds):
        count = classes.count(class_id)
        word = f"{_MANY[count]} {class_id}{'s' if count > 1 else ''}"
        text += " and " if number and number == len(kinds) - 1 else ", " if number else ""
        spans.append({"class": class_id, "start": len(text), "end": len(text) + len(word)})
        text += word
    return {"text": f"{text}{rng.choice(_ENDS)}.\n", "spans": spans}
