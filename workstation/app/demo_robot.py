"""The generated robot episode with its labels as delivered: steps and boxes in three views, contacts, words, reasons.

Called by ``demo.py``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from workstation.app.demo_generated import Labels, box_keyframes, text_part
from workstation.synth.truth import Truth

_STEPS = {
    "reach": "reach",
    "grasp": "grasp",
    "lift": "lift",
    "move": "transport",
    "place": "place",
    "retreat": "retract",
}
_THINGS = {"cup": ("cup", "red"), "bowl": ("bowl", "blue"), "apple": ("food_item", "red"), "robot": ("robot_arm", "")}
_VIEWS = ("wrist", "overhead", "side")
_EVERY = 15


def label(labels: Labels, made: Truth) -> None:
    """Everything the manipulation ontology has a word for."""
    truth = made.truth
    said = {each["id"]: each for each in made.labels["annotations"]}
    owners: dict[str, str] = {}
    for key, (class_id, colour) in _THINGS.items():
        labels.entity(key, class_id, name=key, attributes={"colour": [colour]} if colour else {})
    for view in _VIEWS:
        for key in _THINGS:
            rows = [(row[0], *row[2:]) for row in truth["boxes"]["views"][view] if row[1] == key]
            if rows:
                owner = owners[f"box/{view}/{key}"] = said.get(f"box/{view}/{key}", {"entity": key})["entity"]
                labels.track(
                    f"box/{view}/{key}", view, box_keyframes(rows, truth["frames"], truth["rate"], every=_EVERY),
                    entity=labels.of(owner), attributes={"occlusion": "unknown"},
                )  # fmt: skip
        for step in truth["steps"]:
            mark = said[f"action/{view}/{step['key']}"]
            labels.mark(
                f"step/{view}/{step['key']}", view, class_id=_STEPS[step["label"]], kind="span",
                start_ns=mark["start_ns"], end_ns=mark["end_ns"],
                attributes={"grasp_type": "precision"} if step["label"] == "grasp" else {},
            )  # fmt: skip
    for key in _THINGS:
        views = [track for track, owner in owners.items() if owner == key]
        if len(views) > 1:
            labels.link("same_object", {"view": views})
    _signals(labels, truth)
    _words(labels, made)
    _relations(labels, truth)


def _signals(labels: Labels, truth: dict[str, Any]) -> None:
    for key, stream, class_id, at_ns in (
        ("closing", "joints", "hand_closing", truth["gripper_close_ns"]),
        ("contact", "force", "contact_start", truth["contact_ns"]),
    ):
        labels.mark(key, stream, class_id=class_id, kind="span", start_ns=at_ns, end_ns=at_ns)
    labels.link("before", {"earlier": "closing", "later": "contact"})


def _words(labels: Labels, made: Truth) -> None:
    """The instruction and the thoughts: turns of the episode, numbered as the reader numbers them."""
    truth = made.truth
    said, delivered = truth["instruction"], {each["id"]: each for each in made.labels["annotations"]}
    instruction = labels.mark(
        "instruction", "episode", class_id="instruction", kind="tag", text=said, item="0", language="en"
    )
    for quote, thing in (("the red cup", "cup"), ("the blue bowl", "bowl")):
        labels.mark(
            f"word/{thing}", "episode", class_id="instruction", item="0", shape=text_part(said, quote, of=instruction)
        )
        labels.link("refers_to", {"phrase": f"word/{thing}", "thing": [f"entity/{thing}"]})
    for number, step in enumerate(truth["steps"], 1):
        key = step["key"]
        labels.mark(
            f"thought/{key}", "episode", class_id="reasoning_step", kind="tag", text=delivered[f"step/{key}"]["text"],
            item=str(number), language="en", attributes={"holds_true": "yes"},
        )  # fmt: skip
        steps = [f"step/{view}/{key}" for view in _VIEWS]
        labels.link("explains", {"reasoning": f"thought/{key}", "step": steps})
    for view in _VIEWS:
        key = f"description/{view}"
        labels.mark(
            key, "episode", class_id="narration", kind="tag", text=delivered[key]["text"], language="en",
            attributes={"holds_true": "yes"},
        )  # fmt: skip
        labels.link("describes", {"text": key, "subject": f"stream:{view}"})


def _relations(labels: Labels, truth: dict[str, Any]) -> None:
    for step in truth["steps"]:
        key, views = step["key"], [f"step/{view}/{step['key']}" for view in _VIEWS]
        labels.link("coincides_with", {"item": views})
        labels.link("performed_by", {"step": views[1], "actor": ["entity/robot"]})
        if step["label"] != "retreat":
            labels.link("acts_on", {"step": views[1], "thing": ["entity/cup"]})
        del key
    for earlier, later in pairwise(step["key"] for step in truth["steps"]):
        labels.link("before", {"earlier": f"step/overhead/{earlier}", "later": f"step/overhead/{later}"})
