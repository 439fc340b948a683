"""The generated shop: a sample for each product, picture and words, with its colour said and shown.

Called by ``demo.py``.
"""

from __future__ import annotations

from typing import Any

from workstation.app.demo_generated import Labels, add_sample, copied, source_of, text_part, written
from workstation.app.session import Session
from workstation.media.probe import built_in_readers
from workstation.synth.truth import Truth

_CLASSES = {
    "shirt": "garment",
    "shoe": "garment",
    "mug": "cup",
    "lamp": "household_item",
    "bag": "household_item",
    "book": "household_item",
}
_COLOURS = {"navy blue": ["navy"], "royal blue": ["blue"]}


def build(session: Session, made: Truth) -> None:
    """A sample for each product: its picture, its title, description and reviews as texts."""
    words: dict[str, dict[str, Any]] = {}
    for stream in made.sample["streams"]:
        words.setdefault(stream["item"], {})[stream["role"]] = stream.get("value")
    boxes = {each["entity"]: each for each in made.labels["annotations"] if each["kind"] == "box"}
    quotes = {each["entity"]: each["shape"]["quote"] for each in made.labels["annotations"] if "quote" in each["shape"]}
    readers = built_in_readers()
    for product in made.truth["products"]:
        key = product["key"]
        media = session.project.media_folder / key
        said = words[key]
        texts = {
            "title": said["title"],
            "description": said["description"],
            "reviews": "\n".join(f"{each['stars']}/5 {each['text']}" for each in said["reviews"]),
        }
        streams: list[Any] = [({"key": "picture", "kind": "image"}, copied(made.path(f"{key}/image"), media))]
        streams += [
            ({"key": name, "kind": "text", "language": "en"}, [written(media / f"{name}.txt", f"{text}\n")])
            for name, text in texts.items()
        ]
        with session.together(f"Build the demo {key}") as run:
            add_sample(session, run, key, streams, readers)
            facts = {"category": said["category"], "price": "{amount:.2f} {currency}".format(**product["price"])}
            run("sample.set", sample=key, properties=facts)
            _label(Labels(run, key, source_of(made)), product, boxes[key]["shape"], texts, quotes[key])


def _label(
    labels: Labels, product: dict[str, Any], box: dict[str, Any], texts: dict[str, str], colour_said: str
) -> None:
    colour = _COLOURS.get(product["color"], [product["color"]])
    entity = labels.entity("product", _CLASSES[product["kind"]], name=texts["title"], attributes={"colour": colour})
    labels.mark("box", "picture", entity=entity, shape=box, attributes={"occlusion": "none"})
    labels.link("describes", {"text": "stream:description", "subject": "entity/product"})
    for stream in ("title", "description"):
        quote = colour_said if stream == "description" else colour_said.capitalize()
        labels.mark(f"colour/{stream}", stream, class_id="attribute_phrase", shape=text_part(texts[stream], quote))
        labels.link("attribute_of", {"phrase": f"colour/{stream}", "thing": ["box"]})
