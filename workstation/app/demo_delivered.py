"""Generated scenes as they were delivered: their truth, with what their labels say in its place.

The clean scene says the truth; a planted one (``workstation.synth scene --variant …``) becomes a project that holds its
error. Called by the translations beside this one; what a variant changed in the media needs nothing here.
"""

from __future__ import annotations

from typing import Any

from workstation.synth.truth import Truth

Json = dict[str, Any]


def pictures_as_delivered(made: Truth) -> list[Json]:
    """The pictures of FX-SCENE: which captions describe them, what the phrases mean, boxes and relations."""
    labels = {each["id"]: each for each in made.labels["annotations"]}
    grounds: dict[str, list[Json]] = {}
    captions: dict[str, list[Json]] = {}
    relations: dict[str, list[list[str]]] = {}
    for link in made.labels["links"]:
        ends = link["ends"]
        if link["type"] == "grounds":
            grounds.setdefault(ends[0]["annotation"], []).append(link)
        elif link["type"] == "describes":
            captions.setdefault(ends[1]["stream"], []).append(labels[ends[0]["annotation"]])
        else:
            _, key, subject = ends[0]["annotation"].split("/")
            relations.setdefault(key, []).append([subject, link["predicate"], ends[1]["annotation"].split("/")[2]])
    found = []
    for picture in made.truth["images"]:
        key = picture["key"]
        objects = []
        for each in picture["objects"]:
            shape = labels[f"box/{key}/{each['key']}"]["shape"]
            objects.append({**each, "visible": [shape[name] for name in ("x", "y", "width", "height")]})
        said = [_caption(each, key, grounds.get(each["id"], [])) for each in captions.get(key, [])]
        found.append({**picture, "objects": objects, "captions": said, "relations": relations.get(key, [])})
    return found


def _caption(label: Json, picture: str, grounds: list[Json]) -> Json:
    phrases = []
    for link in grounds:
        words, *regions = link["ends"]
        things = [end["annotation"].split("/") for end in regions]
        if all(thing[1] == picture for thing in things):  # a phrase cannot mean what is in another sample
            start, end = words["part"]
            phrases.append(
                {"start": start, "end": end, "quote": words["quote"], "things": [each[2] for each in things]}
            )
    return {"slot": label["slot"], "text": label["text"], "phrases": phrases}


def events_as_delivered(made: Truth) -> list[Json]:
    """The events of FX-CLIP: action, sound (``None`` where none is labelled) and caption, each with its own times."""
    labels = {each["id"]: each for each in made.labels["annotations"]}
    found = []
    for event in made.truth["events"]:
        key = event["key"]
        found.append(
            {
                **event,
                "action": labels[f"action/{key}"],
                "heard": labels.get(f"sound/{key}"),
                "said": labels[f"caption/{key}"],
                "caption": labels[f"caption/{key}"]["text"],
            }
        )
    return found


def sounds_beside_events(made: Truth) -> list[Json]:
    """Sounds of FX-CLIP that belong to no event."""
    events = {f"sound/{event['key']}" for event in made.truth["events"]}
    return [each for each in made.labels["annotations"] if each["stream"] == "clip_sound" and each["id"] not in events]


def turns_as_delivered(made: Truth) -> list[Json]:
    """The turns of FX-TALK: times and words of the transcript, speaker and voice of the sound, the act of the text.

    ``foreign`` are the words at the moments at which another language is heard, whatever the transcript has there.
    """
    labels = {each["id"]: each for each in made.labels["annotations"]}
    found = []
    for turn in made.truth["turns"]:
        key = turn["key"]
        heard, text = labels[f"turn/{key}"], labels[f"text/{key}"]
        languages = [word["language"] for word in turn["words"]]
        found.append(
            {
                **turn,
                "speaker": heard["attributes"]["speaker"],
                "voice": heard["attributes"]["emotion"],
                "intent": text["attributes"]["intent"],
                "start_ns": text["start_ns"],
                "end_ns": text["end_ns"],
                "text": text["text"],
                "words": text["words"],
                "foreign": [
                    {**word, "language": language}
                    for word, language in zip(text["words"], languages, strict=True)
                    if language != "en"
                ],
            }
        )
    return found
