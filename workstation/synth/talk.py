"""FX-TALK: a conversation of two faces (and a third voice off camera), word-exact, with a clap for the clocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workstation.synth import sound
from workstation.synth.face import Expression, Look, draw_face, draw_hand
from workstation.synth.lettering import Picture, panel
from workstation.synth.truth import (
    Bundle,
    Json,
    Planted,
    Truth,
    Variant,
    chosen,
    deliver,
    link,
    shared_media,
    span,
    track,
)
from workstation.synth.voice import MANNERS, Speaker, speak
from workstation.synth.writers import VideoWriter, write_json, write_wav

RATE = 30
SOUND_RATE_HZ = 16_000
CLAP_NS = 1_000_000_000
SECONDS = 26.0
VOICES = {"A": Speaker("A", 196.0, 1.13), "B": Speaker("B", 118.0, 1.0, 0.96), "C": Speaker("C", 158.0, 1.06)}
LOOKS = {
    "A": Look(skin=(222, 176, 146), hair=(84, 52, 34), shirt=(64, 120, 140), long_hair=True),
    "B": Look(skin=(172, 122, 92), hair=(30, 26, 26), shirt=(148, 70, 62), long_hair=False, glasses=True),
}
PLACES = {"A": (0.29, 0.42), "B": (0.72, 0.42)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One utterance of the script."""

    key: str
    speaker: str
    start_s: float
    words: tuple[str, ...]
    text: str
    manner: str = "neutral"
    intent: str = "statement"
    face: str = "neutral"
    language: str = "en"
    gesture: str | None = None


def _turn(key: str, speaker: str, start_s: float, text: str, **more: Any) -> Turn:
    spoken = tuple(text.replace("अगले", "agle").replace("महीने", "mahine").split())
    return Turn(key=key, speaker=speaker, start_s=start_s, words=spoken, text=text, **more)


SCRIPT = (
    _turn("t1", "A", 1.8, "Good morning, how can I help you?", manner="friendly", intent="greeting", face="smile"),
    _turn(
        "t2",
        "B",
        4.6,
        "My order is late again and nobody calls me. This is very bad.",
        manner="frustrated",
        intent="complaint",
        face="frown",
    ),
    _turn("t3", "A", 9.8, "I am sorry about that. Look at the list here.", intent="apology", gesture="point"),
    _turn("t4", "B", 14.0, "Please deliver it अगले महीने not today.", intent="request", language="en+hi"),
    _turn("t5", "A", 17.8, "I will note it.", intent="confirmation"),
    _turn("t6", "C", 19.0, "Tea, anyone there?", intent="question"),
    _turn("t7", "B", 21.4, "Fine, thank you.", intent="closing"),
)
OVERLAP_S = 0.5
"""The third voice cuts in so long before the fifth turn ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkOptions:
    """``channels`` 4 gives every voice a channel of its own and the room the last; ``scale`` shrinks 640×360."""

    channels: int = 1
    scale: float = 1.0
    codec: str = "mpeg4"


def talk(folder: Path, *, seed: int = 0, variant: str = "clean", options: TalkOptions | None = None) -> Truth:
    """Makes FX-TALK in ``folder``."""
    options = options or TalkOptions()
    chosen(VARIANTS, variant)
    knowledge = shared_media(
        folder, {"fixture": "talk", "seed": seed, "options": asdict(options)}, lambda media: _make(media, seed, options)
    )
    return deliver(folder, _bundle(options, seed, knowledge), VARIANTS, variant)


def _make(media: Path, seed: int, options: TalkOptions) -> Json:
    tracks, turns = voices(seed)
    write_wav(media / "talk.wav", _mixed(tracks, options.channels), SOUND_RATE_HZ)
    _write_transcript(media / "transcript.json", turns)
    width, height = (round(v * options.scale / 2) * 2 for v in (640, 360))
    openings = {key: mouth_opening(tracks[key]) for key in LOOKS}
    faces: list[list[Any]] = []
    with VideoWriter(media / "talk.mp4", width=width, height=height, rate=RATE, codec=options.codec) as video:
        for frame in range(round(SECONDS * RATE)):
            image, boxes = picture(frame, width, height, openings, turns)
            video.write(image)
            faces += [
                [frame, key, *(round(v, 2) for v in box), round(float(openings[key][frame]), 4)]
                for key, box in boxes.items()
            ]
    return {"turns": turns, "faces": faces, "width": width, "height": height}


def _write_transcript(path: Path, turns: list[Json], *, shift_ns: int = 0) -> None:
    """Turns in seconds, as other programs write them, with their words in nanoseconds."""
    said = [
        {
            "turn": turn["key"],
            "speaker": turn["speaker"],
            "text": turn["text"],
            "start": (turn["start_ns"] + shift_ns) / 1e9,
            "end": (turn["end_ns"] + shift_ns) / 1e9,
            "words": [
                {**word, "start_ns": word["start_ns"] + shift_ns, "end_ns": word["end_ns"] + shift_ns}
                for word in turn["words"]
            ],
        }
        for turn in turns
    ]
    write_json(path, {"language": "en", "turns": said})


def voices(seed: int, *, hostile_closing: bool = False) -> tuple[dict[str, sound.Sound], list[Json]]:
    """One track per voice and ``room`` (with the clap), and the turns with exact words."""
    count = int(SECONDS * SOUND_RATE_HZ)
    tracks = {key: np.zeros(count) for key in (*VOICES, "room")}
    tracks["room"] += sound.room(count, SOUND_RATE_HZ, np.random.default_rng([seed, 71]), 0.0012)
    sound.add(
        tracks["room"],
        sound.clap(SOUND_RATE_HZ, np.random.default_rng([seed, 72])),
        CLAP_NS * SOUND_RATE_HZ // 1_000_000_000,
    )
    turns: list[Json] = []
    before_end = 0.0
    for i, turn in enumerate(SCRIPT):
        manner = MANNERS["hostile" if hostile_closing and turn.key == "t7" else turn.manner]
        samples, words = speak(
            turn.words, VOICES[turn.speaker], manner, SOUND_RATE_HZ, np.random.default_rng([seed, 73, i])
        )
        start_s = before_end - OVERLAP_S if turn.key == "t6" else turn.start_s
        first = round(start_s * SOUND_RATE_HZ)
        sound.add(tracks[turn.speaker], samples, first, 0.5)
        shown = turn.text.split()
        placed = [
            {
                "text": text,
                "start_ns": _ns(first + w.first),
                "end_ns": _ns(first + w.end),
                "language": "hi" if ord(text[0]) > 0x900 else "en",
            }
            for text, w in zip(shown, words, strict=True)
        ]
        before_end = (first + words[-1].end) / SOUND_RATE_HZ
        turns.append(
            {
                "key": turn.key,
                "speaker": turn.speaker,
                "text": turn.text,
                "voice": manner.name,
                "intent": turn.intent,
                "face": turn.face,
                "language": turn.language,
                "gesture": turn.gesture,
                "start_ns": placed[0]["start_ns"],
                "end_ns": placed[-1]["end_ns"],
                "words": placed,
            }
        )
    return tracks, turns


def _ns(sample: int) -> int:
    return sample * 1_000_000_000 // SOUND_RATE_HZ


def _mixed(tracks: dict[str, sound.Sound], channels: int) -> sound.Sound:
    one: sound.Sound = np.sum(list(tracks.values()), axis=0)
    four: sound.Sound = np.stack([tracks[key] for key in ("A", "B", "C", "room")], axis=1)
    mixed: sound.Sound = np.clip(one if channels == 1 else four, -0.99, 0.99)
    return mixed


def mouth_opening(samples: sound.Sound) -> sound.Sound:
    """Per frame, from silent 0 to loud 1: the root mean square of the 33 ms around the frame's instant."""
    half = SOUND_RATE_HZ // (2 * RATE)
    energy = np.concatenate([[0.0], np.cumsum(samples**2)])
    middles = np.arange(round(SECONDS * RATE)) * SOUND_RATE_HZ // RATE
    first, last = np.maximum(middles - half, 0), np.minimum(middles + half, len(samples))
    level = np.sqrt(np.maximum(energy[last] - energy[first], 0) / np.maximum(last - first, 1))
    opening: sound.Sound = np.minimum(level / 0.12, 1.0)
    return opening


def picture(
    frame: int, width: int, height: int, openings: dict[str, sound.Sound], turns: list[Json]
) -> tuple[Picture, dict[str, tuple[float, float, float, float]]]:
    """One frame and the faces' boxes (x, y, width, height px)."""
    image = _room(width, height)
    t_ns = frame * 1_000_000_000 // RATE
    size = height * 0.46
    boxes: dict[str, tuple[float, float, float, float]] = {}
    for i, (key, look) in enumerate(LOOKS.items()):
        now = next(
            (
                turn
                for turn in turns
                if turn["speaker"] == key and turn["start_ns"] - 200_000_000 <= t_ns < turn["end_ns"] + 300_000_000
            ),
            None,
        )
        frown = _swell(t_ns, now, "frown")
        smile = _swell(t_ns, now, "smile")
        blink = 1.0 if (frame + 37 * i) % 96 < 4 else 0.0
        e = Expression(
            mouth=float(openings[key][frame]),
            frown=frown,
            smile=smile,
            blink=blink,
            gaze=0.7 if key == "A" else -0.7,
            sway=math.sin(2 * math.pi * frame / (170 + 30 * i)),
        )
        place = (PLACES[key][0] * width, PLACES[key][1] * height)
        boxes[key] = draw_face(image, place, size, look, e)
    _table(image, width, height)
    _hands(image, frame, width, height, size, turns)
    return image, boxes


def _swell(t_ns: int, turn: Json | None, face: str) -> float:
    if turn is None or turn["face"] != face:
        return 0.0
    return float(
        np.clip(min(t_ns - turn["start_ns"] + 200_000_000, turn["end_ns"] + 300_000_000 - t_ns) / 250_000_000, 0, 1)
    )


def _room(width: int, height: int) -> Picture:
    image = panel(width, height, (188, 196, 200))
    shade = np.linspace(1.06, 0.86, width)[None, :, None]
    image[:] = np.clip(image * shade, 0, 255).astype(np.uint8)
    x, y, w, h = (int(v) for v in (0.42 * width, 0.06 * height, 0.16 * width, 0.34 * height))
    image[y : y + h, x : x + w] = (240, 240, 236)
    image[y + 4 : y + h - 4, x + 4 : x + w - 4] = (150, 186, 214)
    image[y + h // 2 : y + h - 4, x + 4 : x + w - 4] = (120, 160, 104)
    image[y : y + h, x + w // 2 - 1 : x + w // 2 + 2] = (240, 240, 236)
    return image


def _table(image: Picture, width: int, height: int) -> None:
    top = int(0.88 * height)
    image[top:] = (150, 108, 72)
    image[top : top + max(2, height // 120)] = (184, 140, 98)


def _hands(image: Picture, frame: int, width: int, height: int, size: float, turns: list[Json]) -> None:
    clap = CLAP_NS * RATE // 1_000_000_000
    if abs(frame - clap) <= 12:
        gap = abs(frame - clap) / 12 * 0.09 * width + 0.006 * width
        x, y = PLACES["A"][0] * width, 0.8 * height
        for side in (-1, 1):
            draw_hand(image, (x + side * (gap + 0.1 * width), height * 0.99), (x + side * gap, y), size, LOOKS["A"])
    for turn in turns:
        if turn["gesture"] == "point":
            start, end = gesture_frames(turn)
            if start <= frame < end:
                share = min(1.0, (frame - start + 1) / 6, (end - frame) / 6)
                a, b = np.array([0.4, 1.0]), np.array([0.52, 0.74])
                tip = (a + (b - a) * share) * [width, height]
                draw_hand(image, (0.36 * width, 1.02 * height), (float(tip[0]), float(tip[1])), size, LOOKS["A"])


def gesture_frames(turn: Json) -> tuple[int, int]:
    """First frame and end of the pointing gesture: it begins with the word "Look"."""
    look = next(w for w in turn["words"] if w["text"] == "Look")
    start = -(-look["start_ns"] * RATE // 1_000_000_000)
    return start, start + 36


def _bundle(options: TalkOptions, seed: int, knowledge: Json) -> Bundle:
    common = {
        "offset_ns": 0,
        "recording": "session_1",
        "licence": "CC0-1.0 (generated)",
        "clock": {"source": "free-running", "locked": False, "origin": "session zero"},
    }
    streams: list[Json] = [
        {"key": "video", "kind": "video", "path": "media/talk.mp4", "role": "camera", "rate_hz": RATE, **common},
        {
            "key": "sound",
            "kind": "audio",
            "path": "media/talk.wav",
            "role": "speech",
            "rate_hz": SOUND_RATE_HZ,
            "channels": options.channels,
            "channel_roles": ["mix"] if options.channels == 1 else ["speaker A", "speaker B", "speaker C", "room"],
            **common,
        },
        {
            "key": "transcript",
            "kind": "turns",
            "path": "media/transcript.json",
            "role": "transcript",
            "language": "en",
            **common,
        },
    ]
    marks: list[Json] = []
    links: list[Json] = []
    for turn in knowledge["turns"]:
        _turn_labels(turn, marks, links)
    for key in LOOKS:
        rows = [r for r in knowledge["faces"] if r[1] == key]
        keys = [
            {
                "time_ns": r[0] * 1_000_000_000 // RATE,
                "frame": r[0],
                "visible": True,
                "shape": {"kind": "box", "x": r[2], "y": r[3], "width": r[4], "height": r[5]},
            }
            for r in rows[::15]
        ]
        marks.append(track(f"face/{key}", "video", f"person_{key}", "face", keys))
        links.append(
            link(
                f"speaks/{key}",
                "speaks",
                [{"role": "speaker", "entity": f"person_{key}"}, {"role": "face", "annotation": f"face/{key}"}],
            )
        )
    links.append(
        link(
            "absent/face/C",
            "absent",
            [{"role": "item", "entity": "person_C"}, {"role": "absent_in", "stream": "video"}],
            reason="off camera",
        )
    )
    marks.append(span("clap/sound", "sound", "clap", CLAP_NS, CLAP_NS + 120_000_000))
    marks.append(span("clap/video", "video", "clap", CLAP_NS, CLAP_NS, frame=CLAP_NS * RATE // 1_000_000_000))
    entities = [{"id": f"person_{key}", "class": "person"} for key in VOICES]
    truth = {
        "fixture": "FX-TALK",
        "seed": seed,
        "clap_ns": CLAP_NS,
        "clap_sample": CLAP_NS * SOUND_RATE_HZ // 1_000_000_000,
        "clap_frame": CLAP_NS * RATE // 1_000_000_000,
        "clocks": {s["key"]: {"offset_ns": 0} for s in streams},
        "clock_note": "offset_ns is what must be added to a delivered time to get session time",
        "turns": knowledge["turns"],
        "width": knowledge["width"],
        "height": knowledge["height"],
        "faces": {"columns": ["frame", "speaker", "x", "y", "width", "height", "mouth"], "rows": knowledge["faces"]},
    }
    return Bundle(
        sample={"fixture": "FX-TALK", "key": "talk", "profile": "dialogue", "streams": streams},
        labels={"entities": entities, "annotations": marks, "links": links},
        truth=truth,
    )


def _turn_labels(turn: Json, marks: list[Json], links: list[Json]) -> None:
    key, who = turn["key"], f"person_{turn['speaker']}"
    marks.append(
        span(
            f"turn/{key}",
            "sound",
            "turn",
            turn["start_ns"],
            turn["end_ns"],
            entity=who,
            attributes={"speaker": turn["speaker"], "emotion": turn["voice"], "language": turn["language"]},
        )
    )
    marks.append(
        span(
            f"text/{key}",
            "transcript",
            "utterance",
            turn["start_ns"],
            turn["end_ns"],
            entity=who,
            text=turn["text"],
            words=turn["words"],
            attributes={
                "intent": turn["intent"],
                "sentiment": "negative" if turn["intent"] == "complaint" else "neutral",
            },
        )
    )
    links.append(
        link(
            f"said/{key}",
            "same-utterance",
            [{"role": "sound", "annotation": f"turn/{key}"}, {"role": "text", "annotation": f"text/{key}"}],
        )
    )
    if turn["face"] != "neutral" and turn["speaker"] in LOOKS:
        marks.append(
            span(f"face/{key}/{turn['face']}", "video", turn["face"], turn["start_ns"], turn["end_ns"], entity=who)
        )
        links.append(
            link(
                f"shows/{key}",
                "expresses",
                [
                    {"role": "turn", "annotation": f"turn/{key}"},
                    {"role": "face", "annotation": f"face/{key}/{turn['face']}"},
                ],
            )
        )
    if turn["gesture"]:
        first, end = gesture_frames(turn)
        word = next(i for i, w in enumerate(turn["words"]) if w["text"] == "Look")
        marks.append(
            span(
                f"gesture/{key}",
                "video",
                turn["gesture"],
                first * 1_000_000_000 // RATE,
                end * 1_000_000_000 // RATE,
                entity=who,
            )
        )
        links.append(
            link(
                f"command/{key}",
                "command-gesture",
                [
                    {
                        "role": "command",
                        "annotation": f"text/{key}",
                        "word": word,
                        "time_ns": turn["words"][word]["start_ns"],
                    },
                    {"role": "gesture", "annotation": f"gesture/{key}", "time_ns": first * 1_000_000_000 // RATE},
                ],
            )
        )


def _sound_labels(bundle: Bundle) -> list[Json]:
    return [a for a in bundle.labels["annotations"] if a["stream"] == "sound"]


def _audio_offset(bundle: Bundle, size: float) -> None:
    """The file itself is late: silence before it; marks on the sound move with it, all else stays."""
    seed, channels = bundle.truth["seed"], bundle.stream("sound")["channels"]
    shift = round(size / 1000 * SOUND_RATE_HZ)

    def write(path: Path) -> None:
        mixed = _mixed(voices(seed)[0], channels)
        late = np.roll(mixed, shift, axis=0)
        (late[:shift] if shift >= 0 else late[shift:])[...] = 0.0
        write_wav(path, late, SOUND_RATE_HZ)

    bundle.files["talk.wav"] = write
    bundle.stream("sound")["path"] = "{variant}/talk.wav"
    shift_ns = shift * 1_000_000_000 // SOUND_RATE_HZ
    for mark in _sound_labels(bundle):
        mark["start_ns"], mark["end_ns"] = mark["start_ns"] + shift_ns, mark["end_ns"] + shift_ns
    bundle.truth["clocks"]["sound"]["offset_ns"] = -shift_ns
    bundle.planted.append(
        Planted(
            error="temporal",
            items=("sound",),
            size=size,
            unit="ms",
            limit=50.0,
            note="the sound comes late against the picture",
        )
    )


def _transcript_offset(bundle: Bundle, size: float) -> None:
    shift = round(size * 1e6)
    items = []
    for mark in bundle.labels["annotations"]:
        if mark["stream"] == "transcript":
            mark["start_ns"], mark["end_ns"] = mark["start_ns"] + shift, mark["end_ns"] + shift
            mark["words"] = [
                {**w, "start_ns": w["start_ns"] + shift, "end_ns": w["end_ns"] + shift} for w in mark["words"]
            ]
            items.append(mark["id"])
    turns = bundle.truth["turns"]
    bundle.files["transcript.json"] = lambda path: _write_transcript(path, turns, shift_ns=shift)
    bundle.stream("transcript")["path"] = "{variant}/transcript.json"
    bundle.truth["clocks"]["transcript"]["offset_ns"] = -shift
    bundle.planted.append(
        Planted(error="temporal", items=tuple(items), size=size, unit="ms", limit=200.0, note="all words late")
    )


def _swapped_speakers(bundle: Bundle, size: float) -> None:
    del size
    other = {"person_A": "person_B", "person_B": "person_A"}
    items = []
    for mark in _sound_labels(bundle):
        if mark.get("entity") in other:
            mark["entity"] = other[mark["entity"]]
            mark["attributes"]["speaker"] = mark["entity"][-1]
            items.append(mark["id"])
    bundle.planted.append(
        Planted(error="incorrect-pairing", items=tuple(items), note="A and B are exchanged in the sound")
    )


def _missing_frown(bundle: Bundle, size: float) -> None:
    del size
    bundle.labels["annotations"].remove(bundle.label("face/t2/frown"))
    bundle.labels["links"].remove(bundle.link("shows/t2"))
    bundle.planted.append(
        Planted(
            error="missing-reference", items=("turn/t2", "face/t2/frown"), note="frustrated voice, no frown labelled"
        )
    )


def _missing_complaint(bundle: Bundle, size: float) -> None:
    del size
    bundle.label("text/t2")["attributes"] |= {"intent": "statement", "sentiment": "neutral"}
    bundle.planted.append(
        Planted(error="semantic", items=("text/t2", "turn/t2"), note="frustrated voice, the text is not a complaint")
    )


def _hostile(bundle: Bundle, size: float) -> None:
    """The closing words are shouted; the labels call them neutral, as the words are."""
    del size
    seed, channels = bundle.truth["seed"], bundle.stream("sound")["channels"]
    _, turns = voices(seed, hostile_closing=True)
    bundle.files["talk.wav"] = lambda path: write_wav(
        path, _mixed(voices(seed, hostile_closing=True)[0], channels), SOUND_RATE_HZ
    )
    bundle.stream("sound")["path"] = "{variant}/talk.wav"
    last = turns[-1]
    for key in ("turn/t7", "text/t7"):
        bundle.label(key)["end_ns"] = last["end_ns"]
    bundle.label("text/t7")["words"] = last["words"]
    bundle.truth["turns"][-1] = last
    turns = bundle.truth["turns"]
    bundle.files["transcript.json"] = lambda path: _write_transcript(path, turns)
    bundle.stream("transcript")["path"] = "{variant}/transcript.json"
    bundle.planted.append(
        Planted(error="semantic", items=("turn/t7", "text/t7"), note="hostile voice, neutral words, labelled neutral")
    )


def _normalised(bundle: Bundle, size: float) -> None:
    del size
    mark = bundle.label("text/t4")
    mark["text"] = mark["text"].replace("अगले महीने", "next month")
    for word, text in zip([w for w in mark["words"] if w["language"] == "hi"], ("next", "month"), strict=True):
        word["text"], word["language"] = text, "en"
    bundle.planted.append(Planted(error="semantic", items=("text/t4",), note="the Hindi words were translated away"))


_PLANTERS: tuple[tuple[str, str, Callable[[Bundle, float], None], float, str], ...] = (
    ("audio_offset", "the sound is late against the picture", _audio_offset, 70.0, "ms"),
    ("transcript_offset", "the transcript is late", _transcript_offset, 600.0, "ms"),
    ("swapped_speakers", "A and B are exchanged", _swapped_speakers, 0.0, ""),
    ("missing_frown", "the frown is not labelled", _missing_frown, 0.0, ""),
    ("missing_complaint", "the complaint is not labelled", _missing_complaint, 0.0, ""),
    ("hostile_neutral", "neutral words in a hostile voice", _hostile, 0.0, ""),
    ("code_switch_normalised", "the code switch is translated away", _normalised, 0.0, ""),
)
VARIANTS: dict[str, Variant] = {
    name: Variant(name=name, about=about, plant=plant, size=size, unit=unit)
    for name, about, plant, size, unit in _PLANTERS
}
