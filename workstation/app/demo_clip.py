"""The generated clip with its labels: tracks, actions, sounds, dense captions and what grounds them.

Called by ``demo.py``.
"""

from __future__ import annotations

from typing import Any

from workstation.app.demo_delivered import events_as_delivered, sounds_beside_events
from workstation.app.demo_generated import Labels, box_keyframes, text_part
from workstation.synth.truth import Truth

_THINGS = {
    "man": ("person", "the man"),
    "woman": ("person", "the woman"),
    "car": ("car", "the blue car"),
    "door": ("structure", "the front door"),
    "dog": ("dog", "the dog"),
    "cup": ("cup", "the red cup"),
}
_ACTIONS = {
    "put": "handling",
    "reach": "handling",
    "grasp": "handling",
    "open": "handling",
    "walk": "locomotion",
    "turn_left": "locomotion",
}
_SOUNDS = {"knock": "impact", "clink": "impact", "slam": "impact", "bark": "animal_call", "dog_bark": "animal_call"}
_NAMED = {
    "key_in_drawer": {"A man": "man"},
    "reach": {"the red cup": "cup"},
    "grasp": {"the red cup": "cup"},
    "walk": {"A woman": "woman"},
    "turn_left": {"The blue car": "car"},
    "door": {"The front door": "door"},
    "bark": {"The brown dog": "dog"},
    "drawer_opens": {"The man": "man"},
}
_EVERY = 15


def captions_of(made: Truth) -> dict[str, str]:
    """The dense captions as a text, a line each."""
    return {"captions": "\n".join(event["caption"] for event in events_as_delivered(made)) + "\n"}


def label(labels: Labels, made: Truth) -> None:
    """Everything the vision-language ontology has a word for."""
    truth = made.truth
    for key, (class_id, name) in _THINGS.items():
        labels.entity(key, class_id, name=name)
        rows = [(row[0], *row[2:]) for row in truth["boxes"]["rows"] if row[1] == key]
        labels.track(
            f"box/{key}", "clip", box_keyframes(rows, truth["frames"], truth["rate"], every=_EVERY),
            entity=labels.of(key), attributes={"occlusion": "unknown"},
        )  # fmt: skip
    text = captions_of(made)["captions"]
    after = 0
    for event in events_as_delivered(made):
        _event(labels, event, text, after)
        after += len(event["caption"]) + 1
    for each in sounds_beside_events(made):
        _sound(labels, each["id"], each)
    labels.link("causes", {"cause": ["action/key_in_drawer"], "effect": "action/drawer_opens"})
    faces = [key for key in ("box/dog", "word/bark/dog", "sound/bark") if key in labels.ids]
    labels.link("concept", {"face": faces})


def _event(labels: Labels, event: dict[str, Any], text: str, after: int) -> None:
    key, action, heard = event["key"], event["action"], event["heard"]
    labels.mark(
        f"action/{key}", "clip", class_id=_ACTIONS.get(action["class"], "action"), kind="span",
        text=_in_words(action["class"]), language="en", **_times(action),
    )  # fmt: skip
    caption = event["caption"]
    labels.mark(
        f"caption/{key}", "captions", class_id="region_caption", shape=text_part(text, caption, after=after),
        **_times(event["said"]),
    )  # fmt: skip
    labels.link("grounded_in_time", {"phrase": f"caption/{key}", "interval": f"action/{key}"})
    if heard is not None:
        _sound(labels, f"sound/{key}", heard)
        labels.link("synchronized_with", {"sound": f"sound/{key}", "picture": f"action/{key}"})
        labels.link("sound_source", {"sound": f"sound/{key}", "source": f"entity/{event['actor']}"})
    for quote, thing in _NAMED[key].items():
        labels.mark(
            f"word/{key}/{thing}", "captions", class_id=_THINGS[thing][0], attributes={"occlusion": "unknown"},
            shape=text_part(text, quote, after=after),
        )  # fmt: skip
        labels.link("refers_to", {"phrase": f"word/{key}/{thing}", "thing": f"box/{thing}"})


def _sound(labels: Labels, key: str, heard: dict[str, Any]) -> None:
    labels.mark(
        key, "clip_sound", class_id=_SOUNDS.get(heard["class"], "sound_event"), kind="span",
        text=heard.get("text") or _in_words(heard["class"]), language="en", **_times(heard),
    )  # fmt: skip


def _times(label: dict[str, Any]) -> dict[str, int]:
    return {"start_ns": label["start_ns"], "end_ns": label["end_ns"]}


def _in_words(name: str) -> str:
    return name.replace("_", " ")
