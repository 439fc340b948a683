"""Scripted edits: names, acknowledgements, all or nothing, and whatever a hostile line can hold."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from workstation.app.opening import new_project, open_project
from workstation.app.scripted import LONGEST_LINE, Outcome, run_script, run_script_together
from workstation.app.session import Session
from workstation.core.rights import ActorKind

BOX = {"kind": "box", "x": 1, "y": 2, "width": 3, "height": 4}
SETUP = [
    {"do": "sample.add", "key": "d"},
    {"do": "stream.add", "sample": "d", "key": "front", "kind": "video"},
    {"do": "stream.add", "sample": "d", "key": "mic", "kind": "audio"},
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = new_project(tmp_path_factory.mktemp("scripts") / "p", profile="driving", person="Ana")
    with open_project(folder, kind=ActorKind.PERSON) as session:
        outcomes = list(run_script(session, lines(*SETUP)))
    assert all(outcome.error is None for outcome in outcomes)
    return folder


@pytest.fixture
def session(made: Path) -> Iterator[Session]:
    with open_project(made, kind=ActorKind.PERSON) as opened:
        yield opened


def lines(*values: object) -> io.BytesIO:
    return io.BytesIO(b"".join(v if isinstance(v, bytes) else json.dumps(v).encode() + b"\n" for v in values))


def add(**more: object) -> dict[str, object]:
    return {"do": "annotation.add", "stream": "d/front", "class_id": "car", "shape": BOX, **more}


def test_later_lines_use_the_ids_that_earlier_ones_made(session: Session) -> None:
    horn = {"do": "annotation.add", "stream": "d/mic", "class_id": "horn", "kind": "span", "start_ns": 0, "end_ns": 9}
    ends = {"sound": "$horn", "source": "annotation:$car"}
    outcomes = list(
        run_script(
            session,
            lines(
                add(**{"as": "car"}), {**horn, "as": "horn"},
                {"do": "link.add", "sample": "d", "type_id": "sound_source", "ends": ends, "rationale": "$$5"},
                {"do": "annotation.copy", "annotations": ["$car", "$horn"], "as": ["a", "b"]},
                {"do": "annotation.set_state", "annotations": ["$b"], "state": "done"},
            ),
        )
    )  # fmt: skip
    assert [outcome.error for outcome in outcomes] == [None] * 5
    link = session.store.links(session.open_sample("d"))[-1]
    assert [end.target for end in link.ends] == [outcomes[1].result, outcomes[0].result]
    assert link.rationale == "$5"


def test_a_refused_line_does_not_stop_the_others_and_names_its_reason(session: Session) -> None:
    before = session.store.head()
    outcomes = list(run_script(session, lines(add(), add(class_id="automobil"), b"\n", add())))
    assert [(o.line, o.error is None) for o in outcomes] == [(1, True), (2, False), (4, True)]
    assert "there is no class 'automobil'" in str(outcomes[1].error)
    assert session.store.head() == before + 2


def test_together_all_lines_are_one_step_or_nothing(session: Session) -> None:
    before = session.store.head()
    refused = run_script_together(session, lines(add(), add(class_id="automobil"), add()), "Batch")
    assert [(o.line, o.do) for o in refused] == [(2, "annotation.add")]
    assert session.store.head() == before
    kept = run_script_together(
        session, lines(add(**{"as": "x"}), {"do": "annotation.accept", "annotations": ["$y"]}), "B"
    )
    assert "no earlier line made $y" in str(kept[0].error)
    done = run_script_together(session, lines(add(), add(), add()), "Batch")
    assert [o.error for o in done] == [None] * 3
    assert session.store.head() == before + 1
    undone = session.undo()
    assert undone is not None
    assert undone.label == "Batch"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"nonsense\n", "no JSON"),
        (b'{"do": "annotation.add"', "no JSON"),
        (b"\xff\xfe\x00\n", "no JSON"),
        (b'{"do": "annotation.add", "confidence": NaN}\n', "no JSON"),
        (b'{"do": "annotation.add", "confidence": 1e400}\n', "no JSON"),
        (b'{"do": "\\ud800"}\n', "no JSON"),
        (b"[]\n", "a line is an object"),
        (b"3\n", "a line is an object"),
        (b'{"as": "x"}\n', "says what to do"),
        (b'{"do": 7}\n', "says what to do"),
        (b'{"do": "sample.explode"}\n', "no command 'sample.explode'"),
        (b'{"do": "sample.add", "key": "x", "as": "two words"}\n', '"as" is a name'),
        (b'{"do": "sample.add", "key": "x", "as": ["a", 3]}\n', '"as" is a name'),
        (b'{"do": "sample.add", "key": "$nobody"}\n', "no earlier line made"),
        (b'{"do": "sample.add", "key": "\\u0007bell"}\n', "visible characters"),
        (b'{"do": "sample.add", "key": ""}\n', "visible characters"),
        (b'{"do": "sample.add", "key": "' + b"k" * 1000 + b'"}\n', "200 visible characters"),
        (b'{"do": "sample.add", "key": "a", "keys": "a"}\n', "no argument 'keys'"),
        (b"[" * 10_000 + b"]" * 10_000 + b"\n", "nested too deeply"),
        (b'{"do": "sample.add", "key": ' + b"[" * 10_000 + b"]" * 10_000 + b"}\n", "nested too deeply"),
        (json.dumps(add(shape={**BOX, "width": -3})).encode() + b"\n", "positive width"),
        (json.dumps(add(start_ns=9, end_ns=3)).encode() + b"\n", ""),
        (json.dumps(add(start_ns=10**30)).encode() + b"\n", ""),
        (json.dumps(add(confidence=7)).encode() + b"\n", ""),
        (json.dumps(add(layer="a\u0000b")).encode() + b"\n", ""),
        (json.dumps(add(stream="d/../front")).encode() + b"\n", "no stream"),
        (json.dumps(add(layer="x" * 5_000_000)).encode() + b"\n", ""),
    ],
)
def test_a_hostile_line_is_refused_in_one_sentence_and_stores_nothing(session: Session, line: bytes, said: str) -> None:
    before = session.store.head()
    (outcome,) = list(run_script(session, lines(line)))
    assert outcome.error is not None
    assert said in outcome.error
    assert "\n" not in outcome.error
    assert len(outcome.error) < 2_000
    assert session.store.head() == before


class Endless(io.RawIOBase):
    """A line of 100 MB that is made while it is read, then one good line."""

    def __init__(self) -> None:
        self.left = 100 * 1024 * 1024

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if self.left <= 0:
            return 0
        tail = b"\n" + json.dumps(add()).encode() + b"\n"
        count = min(len(buffer), self.left)
        chunk = b"x" * count if self.left > len(tail) + count else b"x" * max(0, self.left - len(tail)) + tail
        chunk = chunk[:count] if self.left > len(tail) + count else chunk
        buffer[: len(chunk)] = chunk
        self.left -= max(len(chunk), count)
        return len(chunk)


def test_a_line_of_a_hundred_megabytes_is_passed_over_and_the_next_one_runs(session: Session) -> None:
    outcomes: list[Outcome] = list(run_script(session, io.BufferedReader(Endless(), 1 << 20)))
    assert [outcome.error is None for outcome in outcomes] == [False, True]
    assert outcomes[0].error == f"this line is longer than {LONGEST_LINE >> 20} MB"
    assert outcomes[1].line == 2
