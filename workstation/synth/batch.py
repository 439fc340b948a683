"""FX-BATCH: a thousand light samples over all modalities; a stated share carries one error each.

Four kinds of sample: ``scene`` (picture, caption), ``speech`` (sound, transcript), ``drive`` (picture, cloud) and
``series`` (signal, note). Each has two labels and one link. The variant ``errors@34`` plants 34 % in the mix
40/30/20/10 (temporal, semantic, missing reference, granularity); ``errors@12``, ``@4`` and ``@2`` are its later,
fixed versions: what they still carry is a part of what ``errors@34`` carries.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from workstation.synth import sound
from workstation.synth.lettering import panel
from workstation.synth.truth import Bundle, Json, Planted, Truth, Variant, chosen, deliver, link, shared_media
from workstation.synth.writers import write_bin, write_csv, write_png, write_wav

COUNT = 1000
MIX = (("temporal", 0.4), ("semantic", 0.3), ("missing-reference", 0.2), ("granularity", 0.1))
FAMILIES = ("scene", "speech", "drive", "series")
SHARES = (0.4, 0.3, 0.2, 0.1)
CLASSES: dict[str, tuple[str, ...]] = {
    "scene": ("car", "dog", "cup", "person"),
    "speech": ("greeting", "complaint", "request"),
    "drive": ("car", "van", "pedestrian"),
    "series": ("grasp", "lift", "place"),
}
TONES = {
    "car": (180, 40, 40),
    "dog": (150, 104, 60),
    "cup": (60, 110, 180),
    "person": (60, 140, 80),
    "van": (220, 220, 216),
    "pedestrian": (196, 52, 160),
}
PEOPLE = ("p1", "p2", "p3", "p4", "p5", "p6")
LIMIT_MS = 10.0
EMPTY_CELLS = (("night", "hi", "overlap"), ("rain", "es", "noisy"))
"""Of picture condition × language × sound condition, these two never occur."""


def batch(folder: Path, *, seed: int = 0, variant: str = "clean") -> Truth:
    """Makes FX-BATCH in ``folder``."""
    chosen(VARIANTS, variant)
    knowledge = shared_media(folder, {"fixture": "batch", "seed": seed}, lambda media: _make(media, seed))
    return deliver(folder, _bundle(seed, knowledge), VARIANTS, variant)


def _make(media: Path, seed: int) -> Json:
    rng = np.random.default_rng([seed, 99])
    families = rng.permutation(np.repeat(FAMILIES, [int(s * COUNT) for s in SHARES])).tolist()
    rows = [_sample(media, i, family, rng) for i, family in enumerate(families)]
    return {"samples": rows}


def _sample(media: Path, index: int, family: str, rng: np.random.Generator) -> Json:
    key = f"b{index:04d}"
    label = str(rng.choice(CLASSES[family]))
    while True:
        cell = (
            str(rng.choice(("day", "night", "rain"))),
            str(rng.choice(("en", "es", "hi"))),
            str(rng.choice(("clear", "noisy", "overlap"))),
        )
        if cell not in EMPTY_CELLS:
            break
    row: Json = {
        "key": key,
        "family": family,
        "class": label,
        "week": index * 4 // COUNT + 1,
        "person": str(rng.choice(PEOPLE)),
        "condition": cell[0],
        "language": cell[1],
        "sound_condition": cell[2],
        "session": f"s{index // 50:02d}",
    }
    if family in ("scene", "drive"):
        row["box"] = _picture(media / "pictures" / f"{key}.png", label, cell[0], rng)
    if family == "speech":
        row |= _speech(media / "sounds" / f"{key}.wav", rng)
    if family == "drive":
        row["cuboid"] = _cloud(media / "clouds" / f"{key}.bin", rng)
    if family == "series":
        row |= _series(media / "series" / f"{key}.csv", rng)
    row.setdefault("start_ns", 0)
    row.setdefault("end_ns", 400_000_000)
    return row


def _picture(path: Path, label: str, condition: str, rng: np.random.Generator) -> list[int]:
    dark = {"day": 1.0, "night": 0.35, "rain": 0.7}[condition]
    image = panel(64, 48, (168, 176, 184))
    image[30:] = (110, 112, 116)
    x, y, w, h = (
        int(rng.integers(4, 36)),
        int(rng.integers(14, 26)),
        int(rng.integers(10, 24)),
        int(rng.integers(8, 18)),
    )
    image[y : y + h, x : x + w] = TONES[label]
    write_png(path, (image * dark).astype(np.uint8))
    return [x, y, w, h]


def _speech(path: Path, rng: np.random.Generator) -> Json:
    rate = 8000
    track = sound.room(rate, rate, rng, 0.004)
    first = int(rng.integers(800, 3200))
    t = np.arange(int(rng.integers(2400, 4000))) / rate
    pitch = float(rng.uniform(110, 220))
    voice = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in (1, 2, 3, 4)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4.5 * t))
    sound.add(track, np.asarray(voice), first, 0.2)
    write_wav(path, track, rate)
    return {"start_ns": first * 125_000, "end_ns": (first + len(t)) * 125_000}


def _cloud(path: Path, rng: np.random.Generator) -> Json:
    center, size = np.array([rng.uniform(8, 30), rng.uniform(-5, 5), 0.8]), np.array([4.4, 1.8, 1.5])
    points = rng.uniform(-0.5, 0.5, (160, 3))
    side = rng.integers(0, 3, 160)
    points[np.arange(160), side] = np.sign(points[np.arange(160), side]) * 0.5
    points = points * size + center
    write_bin(path, (points[:, 0], points[:, 1], points[:, 2], rng.random(160)))
    return {"center": center.round(3).tolist(), "size": size.tolist()}


def _series(path: Path, rng: np.random.Generator) -> Json:
    times = np.arange(50) * 10_000_000
    start = int(rng.integers(10, 25))
    values = np.where((np.arange(50) >= start) & (np.arange(50) < start + 15), 7.0, 0.0) + rng.normal(0, 0.1, 50)
    write_csv(path, ("time_ns", "contact_n"), zip(times.tolist(), values.round(3).tolist(), strict=True))
    return {"start_ns": start * 10_000_000, "end_ns": (start + 15) * 10_000_000}


def _bundle(seed: int, knowledge: Json) -> Bundle:
    streams: list[Json] = []
    marks: list[Json] = []
    links: list[Json] = []
    for row in knowledge["samples"]:
        _deliver_sample(row, streams, marks, links)
    truth = {
        "fixture": "FX-BATCH",
        "seed": seed,
        "count": COUNT,
        "mix": dict(MIX),
        "limit_ms": LIMIT_MS,
        "empty_cells": [list(c) for c in EMPTY_CELLS],
        "samples": knowledge["samples"],
    }
    sample = {
        "fixture": "FX-BATCH",
        "key": "batch",
        "profile": "full-stack",
        "streams": streams,
        "items": [
            {
                k: r[k]
                for k in ("key", "family", "week", "person", "condition", "language", "sound_condition", "session")
            }
            for r in knowledge["samples"]
        ],
    }
    return Bundle(sample=sample, labels={"entities": [], "annotations": marks, "links": links}, truth=truth)


def _deliver_sample(row: Json, streams: list[Json], marks: list[Json], links: list[Json]) -> None:
    key, family = row["key"], row["family"]
    kinds = {
        "scene": ("picture", "text"),
        "speech": ("sound", "text"),
        "drive": ("picture", "cloud"),
        "series": ("series", "text"),
    }[family]
    files = {
        "picture": ("image", f"media/pictures/{key}.png"),
        "sound": ("audio", f"media/sounds/{key}.wav"),
        "cloud": ("cloud", f"media/clouds/{key}.bin"),
        "series": ("series", f"media/series/{key}.csv"),
    }
    common = {"item": key, "offset_ns": 0, "licence": "CC0-1.0 (generated)"}
    for role in kinds:
        kind, path = files.get(role, ("text", ""))
        stream: Json = {"key": f"{key}/{role}", "kind": kind, "role": role, **common}
        if role == "text":
            stream |= {"path": "", "value": f"{row['class'].capitalize()} ({row['language']})."}
        else:
            stream["path"] = path
        streams.append(stream)
        mark: Json = {
            "id": f"{key}/{role}/label",
            "stream": f"{key}/{role}",
            "item": key,
            "entity": f"{key}/thing",
            "class": row["class"],
            "person": row["person"],
            "week": row["week"],
            "level": "event",
            "start_ns": row["start_ns"],
            "end_ns": row["end_ns"],
            "kind": "span",
        }
        if role == "picture":
            x, y, w, h = row["box"]
            mark |= {"kind": "box", "shape": {"kind": "box", "x": x, "y": y, "width": w, "height": h}}
        if role == "cloud":
            mark |= {"kind": "cuboid", "shape": {"kind": "cuboid", "rotation": [1.0, 0.0, 0.0, 0.0], **row["cuboid"]}}
        marks.append(mark)
    links.append(
        link(
            f"{key}/link",
            "same-object" if family == "drive" else "describes",
            [{"role": role, "annotation": f"{key}/{role}/label"} for role in kinds],
            item=key,
        )
    )


def _errors(bundle: Bundle, size: float) -> None:
    """Plants ``size`` percent; a smaller size plants a part of what a bigger one does, kind by kind."""
    rng = np.random.default_rng([int(bundle.truth["seed"]), 101])
    order = rng.permutation(COUNT)
    labels = {a["id"]: a for a in bundle.labels["annotations"]}
    families = {s["key"]: str(s["family"]) for s in bundle.truth["samples"]}
    gone: set[str] = set()
    at = 0
    for error, share in MIX:
        pool = order[at : at + round(share * COUNT)]
        at += len(pool)
        for index in pool[: round(size / 100 * COUNT * share)]:
            key = f"b{int(index):04d}"
            linked = _link_of(bundle, key)
            second = labels[linked["ends"][1]["annotation"]]
            bundle.planted.append(
                _plant_one(linked, second, CLASSES[families[key]], error, np.random.default_rng([int(index), 103]))
            )
            if error == "missing-reference":
                gone.add(second["id"])
    bundle.labels["annotations"] = [a for a in bundle.labels["annotations"] if a["id"] not in gone]
    # Small deviations below the limit are no errors and must raise nothing.
    quiet = order[-40:]
    planted = {p.items[0].split("/")[0] for p in bundle.planted}
    for index in quiet:
        key = f"b{int(index):04d}"
        if key not in planted:
            mark = labels[_link_of(bundle, key)["ends"][1]["annotation"]]
            shift = float(np.random.default_rng([int(index), 104]).uniform(1, LIMIT_MS - 1))
            mark["start_ns"] += round(shift * 1e6)
            mark["end_ns"] += round(shift * 1e6)


def _link_of(bundle: Bundle, key: str) -> Json:
    found: Json = bundle.labels["links"][int(key[1:])]
    return found


def _plant_one(linked: Json, second: Json, classes: tuple[str, ...], error: str, rng: np.random.Generator) -> Planted:
    if error == "temporal":
        shift = round(float(rng.uniform(1.5 * LIMIT_MS, 900.0)), 3)
        second["start_ns"] += round(shift * 1e6)
        second["end_ns"] += round(shift * 1e6)
        return Planted(error=error, items=(second["id"], linked["id"]), size=shift, unit="ms", limit=LIMIT_MS)
    if error == "semantic":
        other = str(rng.choice([c for c in classes if c != second["class"]]))
        before, second["class"] = second["class"], other
        return Planted(error=error, items=(second["id"], linked["id"]), note=f"{other} for {before}")
    if error == "missing-reference":
        linked["ends"] = linked["ends"][:1]
        return Planted(error=error, items=(second["id"], linked["id"]), note="labelled in one modality only")
    second["level"] = "clip"
    second["start_ns"], second["end_ns"] = 0, max(second["end_ns"], 1_000_000_000)
    return Planted(
        error=error, items=(second["id"], linked["id"]), note="one label for the whole clip against an event"
    )


def _pairing(bundle: Bundle, size: float) -> None:
    """Every label is right, but so many percent of the links end at another sample's label."""
    rng = np.random.default_rng([int(bundle.truth["seed"]), 105])
    for family in FAMILIES:
        keys = [s["key"] for s in bundle.truth["samples"] if s["family"] == family]
        picked = sorted(rng.choice(keys, max(2, round(len(keys) * size / 100)), replace=False).tolist())
        ends = [_link_of(bundle, k)["ends"][1]["annotation"] for k in picked]
        for key, end in zip(picked, ends[1:] + ends[:1], strict=True):
            linked = _link_of(bundle, key)
            linked["ends"][1]["annotation"] = end
            bundle.planted.append(
                Planted(error="incorrect-pairing", items=(linked["id"], end), note="the label of another sample")
            )


def _drift(bundle: Bundle, size: float) -> None:
    """From week ``size`` on the pictures' labels are finer (sedan, hatchback) while the other modality stays at car."""
    week, items = round(size), []
    for mark in bundle.labels["annotations"]:
        if mark["stream"].endswith("/picture") and mark["class"] == "car" and mark["week"] >= week:
            mark["class"] = "sedan" if int(mark["item"][1:]) % 2 else "hatchback"
            items.append(mark["id"])
    bundle.planted.append(
        Planted(
            error="semantic-drift",
            items=tuple(items),
            size=size,
            unit="week",
            note="sedan and hatchback in pictures, car elsewhere",
        )
    )


def _biased(bundle: Bundle, size: float) -> None:
    items = []
    for mark in bundle.labels["annotations"]:
        if mark["kind"] == "cuboid" and mark["person"] == "p3":
            mark["shape"]["size"][0] -= size
            items.append(mark["id"])
    bundle.planted.append(
        Planted(
            error="geometric", items=tuple(items), size=size, unit="m", limit=0.05, note="p3 makes cuboids too short"
        )
    )


def _isolated(bundle: Bundle, size: float) -> None:
    """The series are labelled, but nothing is linked to them."""
    del size
    gone = [
        k["id"]
        for k in bundle.labels["links"]
        if any(str(e["annotation"]).endswith("/series/label") for e in k["ends"])
    ]
    bundle.labels["links"] = [k for k in bundle.labels["links"] if k["id"] not in gone]
    bundle.planted.append(
        Planted(error="missing-reference", items=tuple(gone), note="the modality series is labelled in isolation")
    )


_PLANTERS: tuple[tuple[str, str, Callable[[Bundle, float], None], float, str], ...] = (
    ("errors", "so many percent carry one error each, 40/30/20/10", _errors, 34.0, "%"),
    ("wrong_pairing", "perfect labels, wrong links", _pairing, 10.0, "%"),
    ("drift", "picture labels get finer from a week on", _drift, 3.0, "week"),
    ("biased_annotator", "one person's cuboids are short", _biased, 0.1, "m"),
    ("isolated_modality", "one modality is never linked", _isolated, 0.0, ""),
)
VARIANTS: dict[str, Variant] = {
    name: Variant(name=name, about=about, plant=plant, size=size, unit=unit)
    for name, about, plant, size, unit in _PLANTERS
}


def error_rate(truth: Truth) -> float:
    """Share of samples with a planted error; counted, not assumed."""
    return len({p.items[0].split("/")[0] for p in truth.planted}) / COUNT
