"""Dialogues, prompts with responses and agent steps, in the shapes people write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import OpenContext, OptionValue
from workstation.media.held import HeldText
from workstation.media.turns import open_turns, probe


def opened(tmp_path: Path, text: str, **options: OptionValue) -> HeldText:
    path = tmp_path / "a.jsonl"
    path.write_text(text, encoding="utf-8")
    return open_turns([path], options, OpenContext())


def said(reader: HeldText) -> list[tuple[str, str, object]]:
    return [(part.speaker, reader.text[part.start : part.stop], part.properties["part"]) for part in reader.parts]


CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "a.png"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look", "arguments": "{}"}}]},
        {"role": "assistant", "content": "Une moto 🏍️."},
    ]
}  # fmt: skip


def test_chat_messages_with_media_and_tool_calls(tmp_path: Path) -> None:
    reader = opened(tmp_path, json.dumps(CHAT))
    assert reader.info.kind is StreamKind.TURNS
    assert said(reader) == [
        ("system", "Be brief.", "system"),
        ("user", "What is it?", "prompt"),
        ("assistant", "", "response"),
        ("assistant", "Une moto 🏍️.", "response"),
    ]
    assert reader.parts[1].properties["media"] == "a.png"
    assert reader.parts[2].properties["calls"] == "look"


SHAPES: list[tuple[object, list[tuple[str, str, object]]]] = [
    (
        {"image": "a.jpg", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
        [("user", "Q", "prompt"), ("assistant", "A", "response")],
    ),
    (
        {"prompt": "Q", "chosen": "good", "rejected": "bad"},
        [("user", "Q", "prompt"), ("assistant", "good", "response"), ("assistant", "bad", "response")],
    ),
    (
        {"prompt": "Q", "responses": ["one", {"text": "two"}]},
        [("user", "Q", "prompt"), ("assistant", "one", "response"), ("assistant", "two", "response")],
    ),
    (
        {"instruction": "Add.", "input": "1 2", "output": "3"},
        [("user", "Add.", "prompt"), ("user", "1 2", "prompt"), ("assistant", "3", "response")],
    ),
    (
        {"steps": [{"thought": "hm", "action": {"name": "click", "x": 3}, "observation": "ok"}]},
        [("agent", "hm", "thought"), ("agent", "name: click, x: 3", "action"), ("environment", "ok", "observation")],
    ),
    ([{"speaker": "Ann", "text": "Hi", "start": 0.5, "end": 1}], [("Ann", "Hi", "turn")]),
]


@pytest.mark.parametrize(("document", "expected"), SHAPES)
def test_every_shape(tmp_path: Path, document: object, expected: list[tuple[str, str, object]]) -> None:
    assert said(opened(tmp_path, json.dumps(document))) == expected
    assert probe(Path("a.json"), json.dumps(document).encode()) > 0.4


def test_records_one_a_line_and_one_of_them_chosen(tmp_path: Path) -> None:
    text = "\n".join(json.dumps({"prompt": f"Q{i}", "response": f"A{i}"}) for i in range(3))
    assert [part.properties["record"] for part in opened(tmp_path, text).parts] == [0, 0, 1, 1, 2, 2]
    assert opened(tmp_path, text, record=1).text == "Q1\nA1\n"
    with pytest.raises(DataError, match="holds 3 records; there is no record 9"):
        opened(tmp_path, text, record=9)


def test_messages_one_a_line_are_one_dialogue(tmp_path: Path) -> None:
    text = '{"role": "user", "content": "a\\nb"}\n{"role": "assistant", "content": "c"}\n'
    reader = opened(tmp_path, text)
    assert reader.text == "a\nb\nc\n"
    assert [part.properties["record"] for part in reader.parts] == [0, 0]


def test_a_record_of_another_shape_is_told(tmp_path: Path) -> None:
    reader = opened(tmp_path, '[{"prompt": "Q"}, {"something": 1}]')
    assert reader.info.notes == ("record 1 holds no turn of a known shape and is left out",)


def test_a_picture_written_into_the_file_is_not_copied(tmp_path: Path) -> None:
    reader = opened(tmp_path, json.dumps({"prompt": "Q", "image": "data:image/png;base64," + "A" * 100_000}))
    assert reader.parts[0].properties["media"] == "(inside the file)"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no dialogue, prompt or agent step"),
        ("{}", "no dialogue, prompt or agent step"),
        ('{\n"prompt": "a",\n"x" }', "line 3: is not JSON"),
        ('{"prompt": "a"}\n{"prompt": ', "line 2: is not JSON"),
        ('[{"speaker": "A", "text": "b", "start": 2, "end": 1}]', "ends before it starts"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_hostile_files_are_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        opened(tmp_path, text)


names = [
    "messages",
    "role",
    "content",
    "prompt",
    "responses",
    "steps",
    "action",
    "image",
    "from",
    "value",
    "start",
    "end",
]
documents = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=4),
)


@settings(max_examples=150)
@given(documents)
def test_any_json_is_turns_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text(json.dumps(document))
    try:
        reader = open_turns([path], {}, OpenContext())
    except DataError:
        return
    assert all(0 <= part.start <= part.stop <= len(reader.text) for part in reader.parts)
