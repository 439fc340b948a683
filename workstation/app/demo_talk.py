"""The generated talk with its labels: who speaks, words, what they do, what the faces show. Called by ``demo.py``."""

from __future__ import annotations

from typing import Any

from workstation.app.demo_delivered import turns_as_delivered
from workstation.app.demo_generated import Labels, text_part
from workstation.synth.truth import Truth

_CLASSES = {"A": ("agent", "left face"), "B": ("customer", "right face"), "C": ("bystander", "off camera")}
_ACTS = {
    "greeting": "greeting",
    "closing": "greeting",
    "complaint": "complaint",
    "apology": "apology",
    "request": "request",
    "question": "question",
    "confirmation": "agreement",
    "statement": "statement",
}
_VOICES: dict[str, dict[str, Any]] = {
    "neutral": {"sentiment": "neutral"},
    "friendly": {"sentiment": "positive", "tone": ["friendly"]},
    "frustrated": {"sentiment": "negative", "emotion": "frustration"},
}
_SEEN = {"smile": "smile", "frown": "frown", "point": "pointing", "clap": "clap"}


def label(labels: Labels, made: Truth) -> None:
    """Everything the dialogue ontology has a word for."""
    for key, (class_id, name) in _CLASSES.items():
        labels.entity(f"person_{key}", class_id, name=f"Speaker {key}, {name}")
    before_end = 0
    for turn in turns_as_delivered(made):
        _turn(labels, turn, overlaps=turn["start_ns"] < before_end)
        before_end = turn["end_ns"]
    for each in made.labels["annotations"]:
        if each["kind"] == "track":
            labels.track(each["id"], "video", each["keyframes"], entity=labels.of(each["entity"]))
        elif each["class"] in _SEEN:
            labels.mark(
                each["id"], each["stream"], entity=None, class_id=_SEEN[each["class"]], kind="span",
                start_ns=each["start_ns"], end_ns=each["end_ns"],
            )  # fmt: skip
    labels.link("synchronized_with", {"sound": "clap/sound", "picture": "clap/video"})
    labels.link("synchronized_with", {"sound": "act/t3/look", "picture": "gesture/t3"})
    for each in made.labels["links"]:
        if each["type"] == "expresses":
            turn_key, shown = (end["annotation"] for end in each["ends"])
            labels.link("during", {"inner": shown, "outer": turn_key})
    labels.link("absent", {"item": "entity/person_C", "missing_from": "stream:video"}, reason="source_off_screen")


def _turn(labels: Labels, turn: dict[str, Any], *, overlaps: bool) -> None:
    key, text = turn["key"], turn["text"]
    said = {"start_ns": turn["start_ns"], "end_ns": turn["end_ns"]}
    spoken = labels.turn(
        f"turn/{key}", "sound", **said, class_id="turn", entity=None, language=turn["language"].partition("+")[0],
        words=[{name: word[name] for name in ("text", "start_ns", "end_ns")} for word in turn["words"]],
        attributes={**_VOICES[turn["voice"]], "overlaps": overlaps},
    )  # fmt: skip
    labels.mark(f"act/{key}", "sound", **said, class_id=_ACTS[turn["intent"]], shape=text_part(text, text, of=spoken))
    if turn["gesture"] is not None:
        look = next(word for word in turn["words"] if word["text"] == "Look")
        labels.mark(
            f"act/{key}/look", "sound", class_id="request", start_ns=look["start_ns"], end_ns=turn["end_ns"],
            shape=text_part(text, text[text.index("Look") :], of=spoken),
        )  # fmt: skip
    foreign = turn["foreign"]
    if foreign:
        quote = " ".join(word["text"] for word in foreign)
        labels.mark(
            f"switch/{key}", "sound", class_id="code_switch", start_ns=foreign[0]["start_ns"],
            end_ns=foreign[-1]["end_ns"], shape=text_part(text, quote, of=spoken),
            attributes={"other_language": foreign[0]["language"]},
        )  # fmt: skip
    labels.link("speaks", {"voice": f"turn/{key}", "speaker": f"entity/person_{turn['speaker']}"})
