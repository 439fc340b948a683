"""FX-SCENE: twelve rendered pictures with objects, masks, relations and grounded captions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workstation.synth.diorama import Snap, full_box, run_lengths, snap
from workstation.synth.lettering import Picture
from workstation.synth.stills import TOP, Still, Studio, stills
from workstation.synth.truth import Bundle, Json, Planted, Truth, Variant, chosen, deliver, link, shared_media
from workstation.synth.writers import write_png

ROTATED = "s12_truck"
"""This one is a JPEG that lies on its side and says so in EXIF."""
_MARK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneOptions:
    """Size of the pictures."""

    width: int = 640
    height: int = 480


def scene(folder: Path, *, seed: int = 0, variant: str = "clean", options: SceneOptions | None = None) -> Truth:
    """Makes FX-SCENE in ``folder``."""
    options = options or SceneOptions()
    chosen(VARIANTS, variant)
    knowledge = shared_media(
        folder,
        {"fixture": "scene", "seed": seed, "options": asdict(options)},
        lambda media: _make(media, seed, options),
    )
    return deliver(folder, _bundle(knowledge), VARIANTS, variant)


def taken(still: Still, studio: Studio) -> Snap:
    """The picture of one still with its object numbers."""
    return snap(
        studio.view(still),
        list(still.things),
        background=studio.background(still),
        shadow_on=TOP if still.place == "table" else 0.0,
    )


def grounded(marked: str) -> tuple[str, list[Json]]:
    """A marked caption as plain text and its phrases (start, end in code points, and the things meant)."""
    text, phrases, last = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[last : match.start()]
        start = len(text)
        text += match.group(1)
        phrases.append({"start": start, "end": len(text), "quote": match.group(1), "things": match.group(2).split(",")})
        last = match.end()
    return text + marked[last:], phrases


def _make(media: Path, seed: int, options: SceneOptions) -> Json:
    studio = Studio(options.width, options.height, seed)
    images: list[Json] = []
    for still in stills():
        shot = taken(still, studio)
        path = media / f"{still.key}.{'jpg' if still.key == ROTATED else 'png'}"
        if still.key == ROTATED:
            _write_turned(path, shot.image)
        else:
            write_png(path, shot.image)
        write_png(media / "masks" / f"{still.key}.png", shot.ids)
        images.append(
            {
                "key": still.key,
                "path": path.name,
                "place": still.place,
                "probe": still.probe,
                "near": still.near,
                "objects": _objects(still, shot, studio),
                "relations": [list(r) for r in still.relations],
                "captions": [_caption(slot, marked) for slot, marked in still.captions],
            }
        )
    return {"images": images, "width": options.width, "height": options.height}


def _objects(still: Still, shot: Snap, studio: Studio) -> list[Json]:
    out: list[Json] = []
    for number, key in enumerate(shot.keys, start=1):
        parts = [t for t in still.things if t.key == key]
        boxes = np.array([full_box(studio.view(still), t) for t in parts])
        low, high = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
        mask = shot.mask(key)
        out.append(
            {
                "key": key,
                "class": parts[0].label,
                "number": number,
                "visible": shot.box(key),
                "full": np.round([*low, *(high - low)], 2).tolist(),
                "area_px": int(mask.sum()),
                "mask": {"size": list(mask.shape), "runs": run_lengths(mask)},
            }
        )
    return out


def _caption(slot: str, marked: str) -> Json:
    text, phrases = grounded(marked)
    return {"slot": slot, "text": text, "phrases": phrases}


def _write_turned(path: Path, image: Picture) -> None:
    """A JPEG stored on its side with EXIF orientation 6: shown upright after a quarter turn clockwise."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(image, 1)))
    exif = Image.Exif()
    exif[0x0112] = 6
    stored.save(path, quality=95, subsampling=0, exif=exif)


def _bundle(knowledge: Json) -> Bundle:
    streams: list[Json] = []
    marks: list[Json] = []
    links: list[Json] = []
    entities: list[Json] = []
    for image in knowledge["images"]:
        key = image["key"]
        streams.append(
            {
                "key": key,
                "kind": "image",
                "path": f"media/{image['path']}",
                "role": "picture",
                "offset_ns": 0,
                "licence": "CC0-1.0 (generated)",
                "item": key,
            }
        )
        _thing_labels(image, entities, marks)
        _caption_labels(image, marks, links)
        links += _relation_links(image)
    sample = {"fixture": "FX-SCENE", "key": "scene", "profile": "vision-language", "streams": streams}
    truth = {"fixture": "FX-SCENE", **knowledge}
    return Bundle(sample=sample, labels={"entities": entities, "annotations": marks, "links": links}, truth=truth)


def _thing_labels(image: Json, entities: list[Json], marks: list[Json]) -> None:
    key = image["key"]
    for thing in image["objects"]:
        if thing["visible"] is None:
            continue
        name = f"{key}/{thing['key']}"
        entities.append({"id": name, "class": thing["class"]})
        x, y, w, h = thing["visible"]
        marks.append(
            {
                "id": f"box/{name}",
                "stream": key,
                "entity": name,
                "class": thing["class"],
                "kind": "box",
                "shape": {"kind": "box", "x": x, "y": y, "width": w, "height": h},
            }
        )
        marks.append(
            {
                "id": f"mask/{name}",
                "stream": key,
                "entity": name,
                "class": thing["class"],
                "kind": "mask",
                "runs": thing["mask"],
            }
        )


def _caption_labels(image: Json, marks: list[Json], links: list[Json]) -> None:
    key = image["key"]
    for caption in image["captions"]:
        name = f"caption/{key}/{caption['slot']}"
        marks.append(
            {
                "id": name,
                "stream": key,
                "entity": None,
                "class": "caption",
                "kind": "text",
                "text": caption["text"],
                "slot": caption["slot"],
            }
        )
        links.append(
            link(
                f"describes/{key}/{caption['slot']}",
                "describes",
                [{"role": "text", "annotation": name}, {"role": "image", "stream": key}],
            )
        )
        for i, phrase in enumerate(caption["phrases"]):
            ends = [
                {
                    "role": "text",
                    "annotation": name,
                    "part": [phrase["start"], phrase["end"]],
                    "quote": phrase["quote"],
                }
            ]
            ends += [{"role": "region", "annotation": f"box/{key}/{thing}"} for thing in phrase["things"]]
            links.append(link(f"grounds/{key}/{caption['slot']}/{i}", "grounds", ends))


def _relation_links(image: Json) -> list[Json]:
    key, links = image["key"], []
    for subject, predicate, other in image["relations"]:
        ends = [
            {"role": "subject", "annotation": f"box/{key}/{subject}"},
            {"role": "object", "annotation": f"box/{key}/{other}"},
        ]
        links.append(
            link(
                f"relation/{key}/{subject}/{predicate.replace(' ', '_')}/{other}",
                "relation",
                ends,
                predicate=predicate,
            )
        )
    return links


def _captions(bundle: Bundle) -> list[Json]:
    return [a for a in bundle.labels["annotations"] if a["class"] == "caption"]


def _set_caption(bundle: Bundle, key: str, text: str, *, keep_links: bool = False) -> None:
    """Gives a caption another text and drops its groundings, which no longer hold."""
    bundle.label(key)["text"] = text
    if not keep_links:
        bundle.labels["links"] = [
            k for k in bundle.labels["links"] if not (k["type"] == "grounds" and k["ends"][0]["annotation"] == key)
        ]


def _swapped(bundle: Bundle, size: float) -> None:
    """``size`` pairs of pictures exchange all their captions."""
    pairs = [("s01_cups", "s02_two_cars"), ("s05_mug", "s09_dog"), ("s07_holding", "s12_truck")][: max(1, round(size))]
    for a, b in pairs:
        items = []
        for described in bundle.labels["links"]:
            if described["type"] == "describes" and described["ends"][1]["stream"] in (a, b):
                described["ends"][1]["stream"] = b if described["ends"][1]["stream"] == a else a
                items.append(described["id"])
        bundle.planted.append(
            Planted(error="incorrect-pairing", items=tuple(items), note=f"the captions of {a} and {b} are exchanged")
        )


def _vase(bundle: Bundle, size: float) -> None:
    del size
    key = "caption/s04_empty_table/relational"
    _set_caption(bundle, key, "A table and a vase stand before a window.")
    bundle.planted.append(Planted(error="hallucination", items=(key,), note="there is no vase"))


def _partial(bundle: Bundle, size: float) -> None:
    names = ["a book", "an apple", "a cup", "a bowl", "a table"][: max(1, min(5, round(size)))]
    key = "caption/s11_five/brief"
    _set_caption(bundle, key, f"{', '.join(names)}.".capitalize())
    bundle.planted.append(
        Planted(
            error="partial-alignment",
            items=(key,),
            size=len(names) / 5 * 100,
            unit="% of objects mentioned",
            limit=100.0,
            note=f"{len(names)} of 5 objects",
        )
    )


def _template(bundle: Bundle, size: float) -> None:
    del size
    items = []
    for image in bundle.truth["images"]:
        key = f"caption/{image['key']}/brief"
        _set_caption(bundle, key, f"There is a {image['objects'][0]['class']} in the image.")
        items.append(key)
    bundle.planted.append(Planted(error="granularity", items=tuple(items), note="twelve captions of one template"))


def _copied(bundle: Bundle, size: float) -> None:
    del size
    source, target = "caption/s03_occluded/detailed", "caption/s04_empty_table/detailed"
    _set_caption(bundle, target, bundle.label(source)["text"])
    bundle.planted.append(
        Planted(
            error="incorrect-pairing", items=(target, source), note="the caption of picture 3 was pasted on picture 4"
        )
    )


def _box_wide(bundle: Bundle, size: float) -> None:
    mark = bundle.label("box/s02_two_cars/car_red")
    mark["shape"]["x"] -= size
    mark["shape"]["width"] += size
    bundle.planted.append(
        Planted(error="geometric", items=(mark["id"],), size=size, unit="px", limit=3.0, note="too wide on the left")
    )


def _relation(bundle: Bundle, size: float) -> None:
    del size
    wrong = bundle.link("relation/s01_cups/cup_1/left_of/keyboard")
    wrong["predicate"] = "right of"
    bundle.planted.append(Planted(error="semantic", items=(wrong["id"],), note="cup 1 is left of the keyboard"))


def _phrase(bundle: Bundle, size: float) -> None:
    del size
    for grounding in bundle.labels["links"]:
        if (
            grounding["type"] == "grounds"
            and grounding["ends"][0].get("quote") == "The red car"
            and "s02" in grounding["id"]
        ):
            grounding["ends"][1]["annotation"] = "box/s02_two_cars/car_blue"
            bundle.planted.append(
                Planted(
                    error="incorrect-pairing", items=(grounding["id"],), note="the red car is linked to the blue one"
                )
            )
            return


_PLANTERS: tuple[tuple[str, str, Callable[[Bundle, float], None], float, str], ...] = (
    ("swapped_captions", "captions of two pictures exchanged", _swapped, 1.0, "pairs"),
    ("hallucinated_vase", "a vase that is not there", _vase, 0.0, ""),
    ("partial_caption", "so many of five objects are mentioned", _partial, 3.0, "objects"),
    ("template_captions", "twelve captions of one template", _template, 0.0, ""),
    ("copied_caption", "one picture has another's caption", _copied, 0.0, ""),
    ("box_wide", "a box too wide on the left", _box_wide, 5.0, "px"),
    ("wrong_relation", "left and right exchanged", _relation, 0.0, ""),
    ("wrong_phrase", "a phrase linked to the wrong car", _phrase, 0.0, ""),
)
VARIANTS: dict[str, Variant] = {
    name: Variant(name=name, about=about, plant=plant, size=size, unit=unit)
    for name, about, plant, size, unit in _PLANTERS
}


def contact_sheet(*, seed: int = 0, width: int = 320, height: int = 240) -> Any:
    """All twelve pictures on one sheet, for looking at them."""
    studio = Studio(width, height, seed)
    shots = [taken(still, studio).image for still in stills()]
    return np.concatenate([np.concatenate(shots[i : i + 4], axis=1) for i in (0, 4, 8)], axis=0)
