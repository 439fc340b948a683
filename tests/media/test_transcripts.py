"""One document per recogniser, as its manual shows it: words stand where they were said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.media.base import OpenContext
from workstation.media.held import HeldText
from workstation.media.transcripts import READERS, open_ctm, open_json

MS = 1_000_000
WHISPER = {
    "text": " Good morning. How are you?",
    "language": "en",
    "segments": [
        {
            "id": 0, "start": 0.0, "end": 1.1, "text": " Good morning.",
            "words": [
                {"word": " Good", "start": 0.1, "end": 0.4, "probability": 0.9},
                {"word": " morning.", "start": 0.4, "end": 1.1, "probability": 0.5},
            ],
        },
    ],
}  # fmt: skip
FORMS: dict[str, object] = {
    "Whisper": WHISPER,
    "whisper.cpp": {
        "transcription": [
            {
                "timestamps": {"from": "00:00:00,000", "to": "00:00:01,100"},
                "offsets": {"from": 0, "to": 1100},
                "text": " Good morning.",
                "tokens": [
                    {"text": "[_BEG_]", "offsets": {"from": 0, "to": 0}, "p": 0.9},
                    {"text": " Good", "offsets": {"from": 100, "to": 400}, "p": 0.9},
                    {"text": " morning.", "offsets": {"from": 400, "to": 1100}, "p": 0.9},
                ],
            }
        ]
    },
    "Vosk": {
        "result": [
            {"conf": 1.0, "start": 0.1, "end": 0.4, "word": "good"},
            {"conf": 0.7, "start": 0.4, "end": 1.1, "word": "morning"},
        ],
        "text": "good morning",
    },
    "Gentle": {
        "transcript": "Good, morning.",
        "words": [
            {"case": "success", "word": "Good", "alignedWord": "good", "start": 0.1, "end": 0.4, "startOffset": 0},
            {"case": "success", "word": "morning", "alignedWord": "morning", "start": 0.4, "end": 1.1},
        ],
    },
    "Google": {
        "results": [
            {
                "alternatives": [
                    {
                        "transcript": "good morning",
                        "confidence": 0.8,
                        "words": [
                            {"startTime": "0.100s", "endTime": "0.400s", "word": "good"},
                            {"startTime": "0.400s", "endTime": "1.100s", "word": "morning"},
                        ],
                    }
                ]
            }
        ]
    },
    "Amazon": {
        "results": {
            "transcripts": [{"transcript": "Good morning."}],
            "items": [
                {
                    "start_time": "0.1", "end_time": "0.4", "type": "pronunciation",
                    "alternatives": [{"confidence": "0.99", "content": "Good"}],
                },
                {
                    "start_time": "0.4", "end_time": "1.1", "type": "pronunciation",
                    "alternatives": [{"confidence": "0.9", "content": "morning"}],
                },
                {"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": "."}]},
            ],
        }
    },
    "Azure": {
        "recognizedPhrases": [
            {
                "offsetInTicks": 1_000_000, "durationInTicks": 10_000_000, "speaker": 2,
                "nBest": [
                    {
                        "confidence": 0.9, "display": "Good morning.",
                        "words": [
                            {"word": "good", "offsetInTicks": 1_000_000, "durationInTicks": 3_000_000},
                            {"word": "morning", "offsetInTicks": 4_000_000, "durationInTicks": 7_000_000},
                        ],
                    }
                ],
            }
        ]
    },
    "Deepgram": {
        "results": {
            "channels": [
                {
                    "alternatives": [
                        {
                            "transcript": "Good morning.",
                            "words": [
                                {"word": "good", "punctuated_word": "Good", "start": 0.1, "end": 0.4},
                                {"word": "morning", "punctuated_word": "morning.", "start": 0.4, "end": 1.1},
                            ],
                        }
                    ]
                }
            ]
        }
    },
    "Speechmatics": {
        "results": [
            {
                "type": "word", "start_time": 0.1, "end_time": 0.4,
                "alternatives": [{"content": "Good", "speaker": "S1"}],
            },
            {
                "type": "word", "start_time": 0.4, "end_time": 1.1,
                "alternatives": [{"content": "morning", "speaker": "S1"}],
            },
        ]
    },
    "AssemblyAI": {
        "text": "Good morning.",
        "words": [
            {"text": "Good", "start": 100, "end": 400, "confidence": 0.9, "speaker": None},
            {"text": "morning.", "start": 400, "end": 1100, "confidence": 0.9, "speaker": None},
        ],
    },
    "list of words": [{"word": "good", "start": 0.1, "end": 0.4}, {"word": "morning", "start": 0.4, "end": 1.1}],
}  # fmt: skip


def opened(tmp_path: Path, document: object) -> HeldText:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    return open_json([path], {}, OpenContext())


@pytest.mark.parametrize("name", FORMS)
def test_the_words_of_every_form_have_their_times(tmp_path: Path, name: str) -> None:
    reader = opened(tmp_path, FORMS[name])
    assert reader.info.details["form"] == name
    words = {
        reader.text[part.start : part.stop].lower().strip("."): part.span
        for part in reader.parts
        if part.kind == "word" and part.span is not None
    }
    times = {word: (span.start_ns // MS, span.end_ns // MS) for word, span in words.items()}
    assert times == {"good": (100, 400), "morning": (400, 1100)}
    assert reader.info.notes == ()
    head = json.dumps(FORMS[name]).encode()[:4096]
    assert READERS[0].probe(Path("a.json"), head) > 0.5


def test_speakers_languages_and_confidence_come_along(tmp_path: Path) -> None:
    document = {
        "phrases": [
            {"speaker": "narrator", "lang": "es", "start_s": 5.35, "end_s": 6.3875, "text": "Cuidado con la moto."},
            {"speaker": "Ann", "start_s": 7, "end_s": 8, "text": "नमस्ते 👍🏽"},
        ]
    }
    reader = opened(tmp_path, document)
    assert reader.text == "Cuidado con la moto.\nनमस्ते 👍🏽\n"
    first, second = reader.parts
    assert (first.speaker, first.properties, first.kind) == ("narrator", {"language": "es"}, "turn")
    assert first.span is not None
    assert (first.span.start_ns, first.span.end_ns) == (5_350_000_000, 6_387_500_000)
    assert reader.text[second.start : second.stop] == "नमस्ते 👍🏽"


def test_a_word_that_is_not_in_its_segment_or_ends_early_is_told(tmp_path: Path) -> None:
    document = {
        "segments": [
            {
                "start": 0, "end": 1, "text": "Good morning",
                "words": [{"word": "Bad", "start": 0, "end": 1}, {"word": "morning", "start": 0.9, "end": 0.5}],
            }
        ]
    }  # fmt: skip
    reader = opened(tmp_path, document)
    assert len(reader.info.notes) == 2
    assert "'Bad' does not stand in its segment" in reader.info.notes[0]
    assert "ends before it starts" in reader.info.notes[1]
    assert [part.span for part in reader.parts if part.kind == "word"] == [None]


CTM = """;; a comment
talk A 0.10 0.30 good 0.9
talk B 0.40 0.70 hello
talk A 0.40 0.70 morning
"""


def test_ctm_channels_are_turned_into_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.ctm"
    path.write_text(CTM)
    reader = open_ctm([path], {}, OpenContext())
    assert reader.text == "good morning\nhello\n"
    words = [(reader.text[p.start : p.stop], p.span.end_ns // MS) for p in reader.parts if p.kind == "word" and p.span]
    assert words == [("good", 400), ("morning", 1100), ("hello", 1100)]


def test_several_recordings_in_one_ctm_must_be_chosen_from(tmp_path: Path) -> None:
    path = tmp_path / "a.ctm"
    path.write_text("one A 0 1 yes\ntwo A 0 1 no\n")
    with pytest.raises(DataError, match="2 recordings"):
        open_ctm([path], {}, OpenContext())
    assert open_ctm([path], {"recording": "two"}, OpenContext()).text == "no\n"
    with pytest.raises(DataError, match="no recording 'three'"):
        open_ctm([path], {"recording": "three"}, OpenContext())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not JSON"),
        ("{}", "no transcript of a known form"),
        ('{"segments": []}', "no transcript of a known form"),
        ('{"segments": [{"start": NaN, "end": 1, "text": "a"}]}', r"segments\[0\]\.start: NaN is no usable number"),
        ('{"segments": [{"start": "x", "end": 1, "text": "a"}]}', "must be a number"),
        ('{"segments": [{"start": 0, "end": 1, "text": 7, "words": 3}]}', "must be a list"),
        ('{"segments": [{"start": 0, "end": 1, "text": "  "}]}', "holds no recognised words"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_hostile_documents_are_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError, match=sentence):
        open_json([path], {}, OpenContext())


def test_broken_ctm_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.ctm"
    path.write_text("talk A 0 1 yes\ntalk A zero 1 no\n")
    with pytest.raises(DataError, match="line 2: must be recording, channel"):
        open_ctm([path], {}, OpenContext())


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4)
keys = st.sampled_from(
    ["segments", "words", "start", "end", "text", "word", "results", "alternatives", "offsets", "items"]
)
documents = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


@settings(max_examples=150)
@given(documents)
def test_any_json_is_a_transcript_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document))
    try:
        reader = open_json([path], {}, OpenContext())
    except DataError:
        return
    assert all(0 <= part.start <= part.stop <= len(reader.text) for part in reader.parts)
