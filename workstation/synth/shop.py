"""FX-SHOP: thirty product records: picture, title, description, price, category, reviews, behaviour signals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from workstation.synth.lettering import Picture, panel
from workstation.synth.mesh import Color
from workstation.synth.opencv import cv2
from workstation.synth.truth import Bundle, Json, Planted, Truth, Variant, chosen, deliver, link, shared_media
from workstation.synth.writers import write_json, write_png

COLORS: dict[str, Color] = {
    "navy blue": (0, 0, 128),
    "royal blue": (65, 105, 225),
    "red": (190, 30, 38),
    "green": (40, 120, 60),
    "black": (28, 28, 30),
    "white": (238, 238, 234),
    "yellow": (236, 200, 50),
    "grey": (130, 132, 136),
    "orange": (226, 122, 36),
    "purple": (112, 56, 140),
}
KINDS: dict[str, tuple[str, str, float]] = {
    "shirt": ("Clothing > Shirts", "A cotton shirt with short sleeves.", 24.9),
    "mug": ("Kitchen > Mugs", "A stoneware mug for hot drinks, 300 ml.", 9.5),
    "lamp": ("Home > Lamps", "A desk lamp with a metal shade.", 39.0),
    "bag": ("Accessories > Bags", "A canvas bag with two handles.", 29.0),
    "shoe": ("Clothing > Shoes", "A light running shoe with a white sole.", 64.0),
    "book": ("Office > Notebooks", "A hard-cover notebook, 200 pages.", 12.0),
}
REVIEWS = (
    "Exactly as in the picture.",
    "The {color} is deeper than I thought, but nice.",
    "Good {kind}, arrived fast.",
    "I use it every day.",
    "Would buy this {kind} again.",
)
SIZE = 256
FIELDS = ("title", "description", "reviews", "price", "category", "behaviour")


def shop(folder: Path, *, seed: int = 0, variant: str = "clean") -> Truth:
    """Makes FX-SHOP in ``folder``."""
    chosen(VARIANTS, variant)
    knowledge = shared_media(folder, {"fixture": "shop", "seed": seed}, lambda media: _make(media, seed))
    return deliver(folder, _bundle(knowledge), VARIANTS, variant)


def _make(media: Path, seed: int) -> Json:
    rng = np.random.default_rng([seed, 97])
    records: list[Json] = []
    masks: dict[str, list[int]] = {}
    kinds, colors = list(KINDS), list(COLORS)
    for i in range(30):
        kind, color = kinds[i % len(kinds)], colors[(i * 7 + i // 10) % len(colors)] if i else "royal blue"
        key = f"p{i + 1:02d}"
        image, mask = product(kind, COLORS[color], rng)
        write_png(media / "images" / f"{key}.png", image)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        masks[key] = [int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)]
        category, about, price = KINDS[kind]
        shown = rng.integers(400, 4000)
        records.append(
            {
                "key": key,
                "image": f"media/images/{key}.png",
                "title": f"{color.capitalize()} {kind}",
                "description": f"{about} Colour: {color}.",
                "price": {"amount": round(price + float(rng.integers(-4, 5)) * 0.5, 2), "currency": "EUR"},
                "category": category,
                "reviews": [
                    {"stars": int(rng.integers(3, 6)), "text": str(rng.choice(REVIEWS)).format(color=color, kind=kind)}
                    for _ in range(3)
                ],
                "behaviour": {
                    "views": int(shown),
                    "carts": int(shown * rng.uniform(0.04, 0.1)),
                    "orders": int(shown * rng.uniform(0.01, 0.03)),
                    "returns": int(rng.integers(0, 6)),
                },
                "color": color,
                "kind": kind,
            }
        )
    write_json(
        media / "products.json",
        {"products": [{k: v for k, v in r.items() if k not in ("color", "kind")} for r in records]},
    )
    return {"records": records, "boxes": masks, "colors": {k: list(v) for k, v in COLORS.items()}}


def product(kind: str, color: Color, rng: np.random.Generator) -> tuple[Picture, np.ndarray]:
    """A product on a pale ground, and its mask; the mean colour inside the mask is ``color`` within a few levels."""
    big = SIZE * 2
    mask = np.zeros((big, big), np.uint8)
    for ring in _OUTLINES[kind]:
        cv2.fillPoly(mask, [np.round(np.array(ring) * big).astype(np.int32)], 255)
    if kind == "mug":
        cv2.ellipse(
            mask,
            (int(0.72 * big), int(0.52 * big)),
            (int(0.11 * big), int(0.14 * big)),
            0,
            0,
            360,
            255,
            int(0.045 * big),
        )
    if kind == "bag":
        cv2.ellipse(
            mask, (big // 2, int(0.36 * big)), (int(0.15 * big), int(0.2 * big)), 0, 180, 360, 255, int(0.03 * big)
        )
    image = panel(big, big, (232, 230, 224)).astype(np.float32)
    shadow = cv2.GaussianBlur(np.roll(mask, (big // 40, big // 50), axis=(0, 1)).astype(np.float32), (0, 0), big / 40)
    image *= (1 - 0.35 * shadow / 255)[..., None]
    light = np.linspace(1.14, 0.86, big, dtype=np.float32)[None, :] * np.ones((big, 1), np.float32)
    weave = cv2.GaussianBlur(rng.normal(0, 1, (big, big)).astype(np.float32), (0, 0), 3) * 0.12
    body = np.clip(np.array(color, np.float32) * (light + weave)[..., None], 0, 255)
    image = np.where((mask > 0)[..., None], body, image)
    cv2.polylines(
        image,
        [np.round(np.array(r) * big).astype(np.int32) for r in _OUTLINES[kind][:1]],
        True,
        tuple(float(c) * 0.7 for c in color),
        3,
        cv2.LINE_AA,
    )
    small = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8), cv2.resize(mask, (SIZE, SIZE), interpolation=cv2.INTER_AREA) > 127


_OUTLINES: dict[str, list[list[tuple[float, float]]]] = {
    "shirt": [
        [
            (0.34, 0.16),
            (0.43, 0.2),
            (0.57, 0.2),
            (0.66, 0.16),
            (0.9, 0.32),
            (0.81, 0.47),
            (0.71, 0.41),
            (0.71, 0.86),
            (0.29, 0.86),
            (0.29, 0.41),
            (0.19, 0.47),
            (0.1, 0.32),
        ]
    ],
    "mug": [[(0.3, 0.28), (0.68, 0.28), (0.66, 0.8), (0.32, 0.8)]],
    "lamp": [
        [(0.36, 0.14), (0.64, 0.14), (0.78, 0.44), (0.22, 0.44)],
        [(0.48, 0.44), (0.52, 0.44), (0.52, 0.82), (0.48, 0.82)],
        [(0.32, 0.82), (0.68, 0.82), (0.7, 0.88), (0.3, 0.88)],
    ],
    "bag": [[(0.2, 0.36), (0.8, 0.36), (0.86, 0.86), (0.14, 0.86)]],
    "shoe": [[(0.1, 0.42), (0.3, 0.36), (0.42, 0.5), (0.66, 0.58), (0.88, 0.64), (0.92, 0.74), (0.1, 0.74)]],
    "book": [[(0.24, 0.16), (0.76, 0.16), (0.76, 0.86), (0.24, 0.86)]],
}


def _field(record: Json, role: str) -> Json:
    kind = "text" if role in ("title", "description", "reviews") else "document"
    common = {"item": record["key"], "offset_ns": 0, "licence": "CC0-1.0 (generated)"}
    path = "media/products.json"
    return {
        "key": f"{record['key']}/{role}",
        "kind": kind,
        "path": path,
        "field": role,
        "role": role,
        "value": record[role],
        **common,
    }


def _bundle(knowledge: Json) -> Bundle:
    streams: list[Json] = []
    marks: list[Json] = []
    links: list[Json] = []
    for record in knowledge["records"]:
        key = record["key"]
        streams.append(
            {
                "key": f"{key}/image",
                "kind": "image",
                "path": record["image"],
                "role": "picture",
                "item": key,
                "offset_ns": 0,
                "licence": "CC0-1.0 (generated)",
            }
        )
        streams += [_field(record, role) for role in FIELDS]
        x, y, w, h = knowledge["boxes"][key]
        marks.append(
            {
                "id": f"box/{key}",
                "stream": f"{key}/image",
                "entity": key,
                "class": record["kind"],
                "kind": "box",
                "shape": {"kind": "box", "x": x, "y": y, "width": w, "height": h},
                "attributes": {"color": record["color"]},
            }
        )
        start = record["description"].index(record["color"])
        marks.append(
            {
                "id": f"color/{key}",
                "stream": f"{key}/description",
                "entity": key,
                "class": "color_phrase",
                "kind": "text_span",
                "shape": {
                    "kind": "text_span",
                    "parts": [[start, start + len(record["color"])]],
                    "quote": record["color"],
                },
            }
        )
        links.append(
            link(
                f"color/{key}",
                "attribute-of",
                [{"role": "text", "annotation": f"color/{key}"}, {"role": "region", "annotation": f"box/{key}"}],
            )
        )
    truth = {
        "fixture": "FX-SHOP",
        "swatches": knowledge["colors"],
        "products": [{k: r[k] for k in ("key", "kind", "color", "category", "price")} for r in knowledge["records"]],
    }
    return Bundle(
        sample={"fixture": "FX-SHOP", "key": "shop", "profile": "retail", "streams": streams},
        labels={
            "entities": [{"id": r["key"], "class": r["kind"]} for r in knowledge["records"]],
            "annotations": marks,
            "links": links,
        },
        truth=truth,
    )


def _navy(bundle: Bundle, size: float) -> None:
    """The text of the royal-blue shirt says navy."""
    del size
    key = "p01"
    bundle.stream(f"{key}/title")["value"] = "Navy blue shirt"
    text = bundle.stream(f"{key}/description")
    text["value"] = str(text["value"]).replace("royal blue", "navy blue")
    start = str(text["value"]).index("navy blue")
    bundle.label(f"color/{key}")["shape"] |= {"parts": [[start, start + len("navy blue")]], "quote": "navy blue"}
    gap = float(np.linalg.norm(np.array(COLORS["navy blue"]) - COLORS["royal blue"]))
    bundle.planted.append(
        Planted(
            error="semantic",
            items=(f"{key}/title", f"{key}/description", f"color/{key}", f"box/{key}"),
            size=round(gap, 1),
            unit="RGB levels",
            note="navy in words, royal blue in the picture",
        )
    )


def _category(bundle: Bundle, size: float) -> None:
    del size
    bundle.stream("p02/category")["value"] = "Clothing > Shirts"
    bundle.planted.append(Planted(error="semantic", items=("p02/category", "box/p02"), note="a mug among the shirts"))


_PLANTERS: tuple[tuple[str, str, Callable[[Bundle, float], None]], ...] = (
    ("navy_text", "navy in words, royal blue in the picture", _navy),
    ("category_conflict", "a mug among the shirts", _category),
)
VARIANTS: dict[str, Variant] = {name: Variant(name=name, about=about, plant=plant) for name, about, plant in _PLANTERS}
