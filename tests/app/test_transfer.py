"""The native form with real projects: what goes out comes back identical, and a bad file leaves nothing behind."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from workstation.app.opening import new_project, open_project
from workstation.app.resources import resource
from workstation.app.transfer import export_history, import_history
from workstation.core.errors import DataError, UserError
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.formats.native import NATIVE, native_schema
from workstation.formats.registry import load_formats

Lines = list[dict[str, Any]]


def quiet(_done: int, _total: int) -> None:
    """Nobody looks."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every common kind of record, an undo, a refusal, a blob and odd letters, written out."""
    home = tmp_path_factory.mktemp("native")
    folder = new_project(home / "p", profile="driving", person="Ana", name="Größe 車")
    with open_project(folder, kind=ActorKind.PERSON) as session:
        run = session.run
        run("person.add", name="Ben")
        run("sample.add", key="d", notes="line\nbreak  and \u2028 separator")
        for key, kind in (("front", "video"), ("mic", "audio"), ("report", "text")):
            run("stream.add", sample="d", key=key, kind=kind)
        box = {"kind": "box", "x": 0.1, "y": 1e-7, "width": 3, "height": 1e17}
        car = run("annotation.add", stream="d/front", class_id="car", shape=box)
        horn = run("annotation.add", stream="d/mic", class_id="horn", kind="span", start_ns=0, end_ns=10**9)
        run("link.add", sample="d", type_id="sound_source", ends={"sound": horn, "source": car}, rationale="gehört")
        run("track.add", stream="d/front", class_id="van", keyframes=[{"time_ns": 0, "shape": box}])
        run("turn.add", stream="d/mic", class_id="speech", start_ns=0, end_ns=9, text="watch out 🚗")
        run("comment.add", sample="d", text="is this right?")
        run("annotation.move", annotations=[car], by=[1, 1])
        session.undo()
        with session.store.transaction("Mask") as tx:
            blob = tx.put_blob(bytes(range(256)) * 9000)
            mask = {"kind": "mask", "blob": blob, "x": 0, "y": 0, "width": 9, "height": 9, "area_px": 5}
            session.registry.find("annotation.add").run(
                tx, {"stream": "d/front", "class_id": "car", "shape": mask, "start_ns": 0}
            )
    with open_project(folder, person="Ben") as session, pytest.raises(UserError):
        session.run("project.set", name="no")
    with open_project(folder, read_only=True) as session:
        export_history(session, NATIVE, home / "p.jsonl", progress=quiet)
    return home / "p.jsonl"


def back(source: Path, folder: Path) -> Path:
    import_history(NATIVE, source, folder, progress=quiet)
    return folder


def test_a_project_comes_back_identical_to_the_byte(exported: Path, tmp_path: Path) -> None:
    copy = back(exported, tmp_path / "copy")
    with open_project(exported.parent / "p", read_only=True) as one, open_project(copy, read_only=True) as two:
        assert two.store.head_hash() == one.store.head_hash()
        for kind in RecordKind:
            assert list(two.store.records(kind)) == list(one.store.records(kind)), kind
        assert list(two.store.raw_history()) == list(one.store.raw_history())
        assert two.store.counts() == one.store.counts()
        assert two.store.verify().intact
        again = tmp_path / "again.jsonl"
        export_history(two, NATIVE, again, progress=quiet)
    assert again.read_bytes() == exported.read_bytes()


def test_work_goes_on_in_the_copy_under_a_history_of_its_own(exported: Path, tmp_path: Path) -> None:
    copy = back(exported, tmp_path / "copy")
    with open_project(copy, person="Ana", kind=ActorKind.PERSON) as session:
        before = session.store.head()
        session.run("sample.add", key="e")
        assert session.store.head() == before + 1
        assert session.store.verify().intact


def test_every_line_fits_the_published_schema(exported: Path) -> None:
    schema = native_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    kinds = set()
    for line in exported.read_bytes().splitlines():
        value = json.loads(line)
        kinds.add(value["t"])
        if len(line) < 50_000:
            check.validate(value)
    assert kinds == {"header", "blob", "revision", "change", "refusal", "current", "end"}


def test_the_hashes_can_be_checked_with_the_manuals_words_alone(exported: Path) -> None:
    """The chain as ``native-format.md`` describes it, written down again without our code."""
    previous, changes, header, expected = bytes(32), hashlib.sha256(), b"", b""
    checked = 0

    def close() -> bytes:
        return hashlib.sha256(previous + len(header).to_bytes(8, "big") + header + changes.digest()).digest()

    for line in map(json.loads, exported.read_bytes().splitlines()):
        if line["t"] == "revision":
            if header:
                assert close() == expected
                previous, checked = expected, checked + 1
            header, expected, changes = line["header"].encode(), bytes.fromhex(line["hash"]), hashlib.sha256()
        elif line["t"] == "change":
            key = int(line["id"], 32).to_bytes(16, "big")
            op = b"p" if line["op"] == "put" else b"d"
            digest = hashlib.sha256(line.get("payload", "").encode()).digest()
            assert digest.hex() == line["digest"]
            changes.update(line["kind"].encode() + b"\0" + key + op + line["schema"].to_bytes(2, "big") + digest)
    assert close() == expected
    assert checked > 10


def test_the_manuals_script_lists_the_links_without_the_program(exported: Path) -> None:
    text = resource("manual", "native-format.md").read_text(encoding="utf-8")
    script = text.partition("```python\n")[2].partition("```")[0]
    assert len(script.strip().splitlines()) <= 20
    assert "workstation" not in script.replace("workstation-native", "")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(exported)], capture_output=True, text=True, check=True, cwd="/"
    )
    (line,) = done.stdout.splitlines()
    assert line.startswith("sound_source: sound ")
    assert line.endswith("(gehört)")


def test_nothing_is_written_over(exported: Path, tmp_path: Path) -> None:
    with open_project(exported.parent / "p", read_only=True) as session:
        with pytest.raises(UserError, match="exists already"):
            export_history(session, NATIVE, exported, progress=quiet)
        with pytest.raises(DataError, match="cannot be written"):
            export_history(session, NATIVE, tmp_path / "no" / "where.jsonl", progress=quiet)
    with pytest.raises(UserError, match="not empty"):
        back(exported, exported.parent)
    with pytest.raises(UserError, match="there is no format 'coco'; there are native"):
        load_formats().find("coco")


def change_line(kind: str, /, **changed: Any) -> Callable[[Lines], None]:
    def spoil(lines: Lines) -> None:
        next(line for line in lines if line["t"] == kind).update(changed)

    return spoil


def drop(kind: str) -> Callable[[Lines], None]:
    def spoil(lines: Lines) -> None:
        lines.remove(next(line for line in reversed(lines) if line["t"] == kind))

    return spoil


def swap_revisions(lines: Lines) -> None:
    at = [i for i, line in enumerate(lines) if line["t"] == "revision"]
    lines[at[1] : at[3]] = lines[at[2] : at[3]] + lines[at[1] : at[2]]


def other_payload(lines: Lines) -> None:
    """A changed content with its digest put right: only the chain can tell."""
    line = next(line for line in reversed(lines) if line["t"] == "change" and line["kind"] == "comment")
    line["payload"] = line["payload"].replace("right", "wrong")
    line["digest"] = hashlib.sha256(line["payload"].encode()).hexdigest()


def wrong_record(lines: Lines) -> None:
    line = next(line for line in lines if line["t"] == "change" and line["kind"] == "sample")
    line["payload"] = '{"id":3}'
    line["digest"] = hashlib.sha256(line["payload"].encode()).hexdigest()


X_MEGABYTE = base64.b64encode(b"x" * (1 << 20)).decode()
SPOILED: dict[str, tuple[Callable[[Lines], None], str]] = {
    "header of another form": (change_line("header", format="other"), "line 1: not a line"),
    "a later version": (change_line("header", version=2), "line 1: version 2"),
    "another head": (change_line("header", head="0" * 64), "does not end where the header says"),
    "too few revisions": (change_line("header", revisions=3), "does not end where the header says"),
    "a revision's hash": (change_line("revision", hash="ab" * 32), "hash"),
    "a hash that is none": (change_line("revision", hash="xyz"), "is no SHA-256"),
    "a negative count": (change_line("revision", changes=-1), "negative"),
    "a count too large": (change_line("revision", changes=10**9), "stands where a change is missing"),
    "a header that is none": (change_line("revision", header="{"), "header"),
    "a payload": (change_line("change", payload="{}"), "does not have the digest"),
    "a payload and its digest": (other_payload, "hash does not fit"),
    "a record that is none": (wrong_record, "sample"),
    "an id that is none": (change_line("change", id="../../etc"), "is no id"),
    "an unknown kind": (change_line("change", kind="virus"), "not a line"),
    "an unknown field": (change_line("change", more=1), "not a line"),
    "a blob's content": (change_line("blob", data=X_MEGABYTE), "does not have the content"),
    "a blob too short": (change_line("blob", size=10**12), "is cut off"),
    "a blob not in base64": (change_line("blob", data="***"), "not a line"),
    "a refusal": (change_line("refusal", entry="{}"), "refusal"),
    "a missing change": (drop("change"), "stands where a change is missing"),
    "a missing current record": (drop("current"), "leaves some out"),
    "another current record": (change_line("current", id="0" * 26), "not what the history leaves"),
    "swapped revisions": (swap_revisions, "follow"),
    "no end": (drop("end"), "cut off"),
}  # fmt: skip


def written(path: Path, lines: Lines) -> Path:
    """The lines with a true end line: the checks behind it must find the fault by themselves."""
    ended = bool(lines) and lines[-1]["t"] == "end"
    body = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines[: -1 if ended else None])
    if ended:
        end = {"t": "end", "lines": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}
        body += json.dumps(end).encode() + b"\n"
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("fault", SPOILED)
def test_a_spoiled_file_is_refused_with_its_line_and_leaves_nothing(exported: Path, tmp_path: Path, fault: str) -> None:
    spoil, said = SPOILED[fault]
    lines = [json.loads(line) for line in exported.read_bytes().splitlines()]
    spoil(lines)
    source = written(tmp_path / "bad.jsonl", lines)
    with pytest.raises(DataError, match=said) as refused:
        back(source, tmp_path / "made")
    assert "line " in str(refused.value) or "revision" in str(refused.value)
    assert "bad.jsonl" in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jsonl"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"{}\n", b"[]\n", b"\xff\xfe\n", b"\x00" * 100, b"[" * 100_000 + b"\n", b"SQLite format 3\0",
        b'{"t":"header"}\n', b'{"t":"end","lines":0,"sha256":""}\n',
    ],
)  # fmt: skip
def test_what_is_no_native_file_is_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "bad.jsonl"
    source.write_bytes(content)
    with pytest.raises(DataError, match="bad.jsonl, line 1"):
        back(source, tmp_path / "made")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_off_anywhere_is_refused(exported: Path, tmp_path: Path, share: float) -> None:
    data = exported.read_bytes()
    source = tmp_path / "cut.jsonl"
    source.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match="line"):
        back(source, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_anything_after_the_end_is_refused(exported: Path, tmp_path: Path) -> None:
    source = tmp_path / "long.jsonl"
    source.write_bytes(exported.read_bytes() + b"{}\n")
    with pytest.raises(DataError, match="something follows the end line"):
        back(source, tmp_path / "made")
