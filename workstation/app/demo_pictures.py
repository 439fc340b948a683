"""The twelve generated pictures as samples of their own: boxes, masks, captions, grounded phrases, relations.

Called by ``demo.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workstation.app.demo_delivered import pictures_as_delivered
from workstation.app.demo_generated import Labels, add_sample, copied, source_of, text_part, written
from workstation.app.session import Session
from workstation.core.pixels import runs_of_mask
from workstation.media.probe import built_in_readers
from workstation.synth.truth import Truth

_CLASSES = {
    "car": "car",
    "sedan": "car",
    "truck": "vehicle",
    "table": "table",
    "person": "person",
    "apple": "food",
    "book": "household_item",
    "dog": "dog",
    "bowl": "household_item",
    "keyboard": "keyboard",
    "cup": "cup",
}
_HIDES = {"on": (0, 1), "occluded by": (1, 0), "in front of": (0, 1), "holding": (1, 0)}
"""Which end of a relation stands before the other."""
_PROBES = {"absent-object": "missing_habitual", "against-expectation": "unusual_place"}


def build(session: Session, made: Truth) -> None:
    """A sample for each picture, with its captions as a text."""
    readers = built_in_readers()
    for picture in pictures_as_delivered(made):
        key = picture["key"]
        media = session.project.media_folder / key
        captions = "\n".join(each["text"] for each in picture["captions"]) + "\n"
        streams = [
            ({"key": "picture", "kind": "image"}, copied(made.path(key), media)),
            ({"key": "captions", "kind": "text", "language": "en"}, [written(media / "captions.txt", captions)]),
        ]
        with session.together(f"Build the demo {key}") as run:
            add_sample(session, run, key, streams, readers)
            labels = Labels(run, key, source_of(made))
            _things(labels, picture)
            _captions(labels, picture, captions)
            _relations(labels, picture)


def _things(labels: Labels, picture: dict[str, Any]) -> None:
    scene = "outdoors" if picture["place"] == "street" else "indoors"
    probe = _PROBES.get(picture["probe"] or "")
    labels.mark("scene", "picture", class_id=scene, kind="tag", attributes={"probe": probe} if probe else {})
    hidden = _hidden(picture)
    for each in picture["objects"]:
        key = each["key"]
        name = f"{key.replace('_', ' ')} ({each['class']})" if each["class"] not in key else key.replace("_", " ")
        entity = labels.entity(key, _CLASSES[each["class"]], name=name)
        x, y, width, height = each["visible"]
        down, across = each["mask"]["size"]
        edge = x <= 0 or y <= 0 or x + width >= across or y + height >= down
        said = {"occlusion": "partial" if key in hidden else "none", "truncated": edge}
        labels.mark(
            f"box/{key}", "picture", entity=entity, attributes=said,
            shape={"kind": "box", "x": x, "y": y, "width": width, "height": height},
        )  # fmt: skip
        labels.mark(f"mask/{key}", "picture", entity=entity, attributes=said, shape=_mask(each["mask"]))


def _hidden(picture: dict[str, Any]) -> set[str]:
    """What has something before it: said by a relation, or standing on it."""
    found = set()
    for subject, relation, thing in picture["relations"]:
        if relation in _HIDES:
            found.add((subject, thing)[_HIDES[relation][1]])
    if picture["place"] == "table" and any(each["class"] not in ("table", "person") for each in picture["objects"]):
        above = {subject for subject, relation, _ in picture["relations"] if relation in ("above", "holding")}
        if any(each["key"] not in above and each["class"] not in ("table", "person") for each in picture["objects"]):
            found.add("table")
    return found


def _mask(stored: dict[str, Any]) -> dict[str, Any]:
    """Run lengths along rows, cut to the part that holds something."""
    height, width = stored["size"]
    inside = np.repeat(np.arange(len(stored["runs"])) % 2 == 1, stored["runs"]).reshape(height, width)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    part = inside[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    return {
        "kind": "mask_rle", "x": left, "y": top, "width": part.shape[1], "height": part.shape[0],
        "counts": runs_of_mask(part),
    }  # fmt: skip


def _captions(labels: Labels, picture: dict[str, Any], text: str) -> None:
    after = 0
    for each in picture["captions"]:
        slot, said = each["slot"], each["text"]
        class_id = "full_caption" if slot == "detailed" else "caption"
        labels.mark(f"caption/{slot}", "captions", class_id=class_id, shape=text_part(text, said, after=after))
        labels.link("describes", {"text": f"caption/{slot}", "subject": "stream:picture"})
        for number, phrase in enumerate(each["phrases"]):
            start = after + phrase["start"]
            first = next(thing for thing in picture["objects"] if thing["key"] == phrase["things"][0])
            key = f"phrase/{slot}/{number}"
            labels.mark(
                key, "captions", class_id=_CLASSES[first["class"]], attributes={"occlusion": "unknown"},
                shape={"kind": "text_span", "parts": [[start, after + phrase["end"]]], "quote": phrase["quote"]},
            )  # fmt: skip
            labels.link("refers_to", {"phrase": key, "thing": [f"box/{thing}" for thing in phrase["things"]]})
        after += len(said) + 1


def _relations(labels: Labels, picture: dict[str, Any]) -> None:
    for subject, relation, thing in picture["relations"]:
        if relation == "occluded by":
            subject, relation, thing = thing, "in front of", subject
            if [subject, relation, thing] in picture["relations"]:
                continue
        labels.link(
            "relation", {"subject": f"box/{subject}", "object": f"box/{thing}"},
            attributes={"predicate": relation.replace(" ", "_")},
        )  # fmt: skip
