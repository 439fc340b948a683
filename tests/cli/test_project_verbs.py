"""The verbs as a person types them: what they print, what they leave behind, and how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from workstation.app.opening import open_project
from workstation.app.resources import resource
from workstation.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., "Result"]
BOX = {"kind": "box", "x": 1, "y": 2, "width": 30, "height": 40}


class Result:
    """How a verb ended and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))

    def type_in(*words: object) -> Result:
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return type_in


@pytest.fixture
def project(run: Run, tmp_path: Path) -> Path:
    folder = tmp_path / "my drive"
    assert run("new", folder, "--profile", "driving", "--person", "Ana").code == 0
    media = tmp_path / "recordings"
    media.mkdir()
    for name in ("front.mp4", "mic.wav"):
        (media / name).write_bytes(name.encode() * 100)
    assert run("add", folder, media / "front.mp4", media / "mic.wav", "--sample", "d").code == 0
    return folder


def script(tmp_path: Path, *lines: dict[str, Any]) -> Path:
    path = tmp_path / "edits.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def car(**more: Any) -> dict[str, Any]:
    return {"do": "annotation.add", "stream": "d/front", "class_id": "car", "shape": BOX, **more}


HORN = {"do": "annotation.add", "stream": "d/mic", "class_id": "horn", "kind": "span", "start_ns": 0, "end_ns": 10**9}
LINK = {"do": "link.add", "sample": "d", "type_id": "sound_source", "ends": {"sound": "$horn", "source": "$car"},
        "rationale": "it hoots"}  # fmt: skip


@pytest.fixture
def labelled(run: Run, project: Path, tmp_path: Path) -> Path:
    lines = script(tmp_path, car(**{"as": "car"}), {**HORN, "as": "horn"}, {**LINK, "rationale": "loud"})
    assert run("annotate", project, lines).code == 0
    return project


def test_a_new_project_is_ready_for_the_first_label(run: Run, tmp_path: Path) -> None:
    made = run("new", tmp_path / "p", "--profile", "driving", "--name", "Drive", "--person", "Ana", "--json").json
    assert (made["name"], made["profile"], made["ontology"]) == ("Drive", "driving", "version 1, locked")
    again = run("new", tmp_path / "p")
    assert again.code == 2
    assert "already holds" in again.err
    assert "Traceback" not in again.err


def test_added_files_are_recorded_with_their_hash_and_their_guessed_kind(
    run: Run, project: Path, tmp_path: Path
) -> None:
    rows = run("list", project, "streams", "--json").rows
    assert [(row["sample"], row["key"], row["kind"]) for row in rows] == [
        ("d", "front", "video"),
        ("d", "mic", "audio"),
    ]
    assert rows[0]["files"][0]["size"] == 900
    (tmp_path / "x.unknown").write_bytes(b"?")
    refused = run("add", project, tmp_path / "x.unknown", "--sample", "d")
    assert (refused.code, "give --kind" in refused.err) == (2, True)
    sweeps = [tmp_path / f"{n}.pcd" for n in range(3)]
    for path in sweeps:
        path.write_bytes(b"VERSION")
    added = run("add", project, *sweeps, "--sample", "e", "--stream", "lidar", "--copy", "--json").rows
    assert [(row["stream"], row["kind"], len(row["files"])) for row in added] == [("lidar", "cloud", 3)]
    assert (project / "media" / "e" / "2.pcd").read_bytes() == b"VERSION"
    assert run("add", project, tmp_path / "gone.mp4", "--sample", "d").code == 2


def test_what_is_in_a_file_counts_and_not_its_name(run: Run, project: Path, tmp_path: Path) -> None:
    picture = tmp_path / "really_a_picture.mp4"
    Image.new("RGB", (8, 6)).save(picture, format="PNG")
    (added,) = run("add", project, picture, "--sample", "f", "--json").rows
    assert (added["kind"], added["reader"], added["guessed"]) == ("image", "image", False)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes((resource("demo", "sf_drive") / "camera" / "front_camera.mp4").read_bytes()[:3000])
    refused = run("add", project, cut, "--sample", "f")
    assert (refused.code, "cut.mp4: not a video" in refused.err) == (2, True)
    words = tmp_path / "said.srt"
    words.write_bytes("1\n00:00:01,000 --> 00:00:02,000\nПривет\n".encode("cp1251"))
    assert "--encoding" in run("add", project, words, "--sample", "f").err
    assert "is read as picture" in run("add", project, picture, "--sample", "g", "--encoding", "cp1251").err
    assert run("add", project, words, "--sample", "f", "--encoding", "cp1251").code == 0
    rows = run("list", project, "streams", "--json").rows
    assert [(row["key"], row["kind"]) for row in rows if row["sample"] == "f"] == [
        ("really_a_picture", "image"),
        ("said", "text"),
    ]
    assert "g" not in {row["sample"] for row in rows}


def test_a_reader_is_told_what_the_files_do_not_say(run: Run, project: Path, tmp_path: Path) -> None:
    pictures = [tmp_path / f"f_{number}.png" for number in (1, 2, 3)]
    for path in pictures:
        Image.new("L", (8, 6)).save(path)
    refused = run("add", project, *pictures, "--sample", "h", "--stream", "cam", "--option", "rate=30")
    assert (refused.code, "rate_hz: pictures a second" in refused.err) == (2, True)
    assert run("add", project, *pictures, "--sample", "h", "--stream", "cam", "--option", "rate_hz").code == 2
    assert run("add", project, *pictures, "--sample", "h", "--stream", "cam", "--option", "rate_hz=29.97").code == 0
    (cam,) = run("info", project, "--sample", "h", "--json").rows
    assert cam["rate_hz"] == pytest.approx(29.97, rel=1e-6)


def test_info_tells_a_changed_file_and_relink_finds_a_moved_one(run: Run, project: Path, tmp_path: Path) -> None:
    assert run("info", project, "--provenance").code == 0
    recordings = tmp_path / "recordings"
    recordings.rename(tmp_path / "moved")
    missing = run("info", project, "--provenance", "--json")
    assert (missing.code, len(missing.json["streams"])) == (1, 2)
    assert run("relink", project, tmp_path / "moved", "--dry-run").code == 0
    assert run("info", project, "--provenance").code == 1
    found = run("relink", project, tmp_path / "moved", "--json").json
    assert [each["stream"] for each in found["relinked"]] == ["front", "mic"]
    assert run("info", project, "--provenance").code == 0
    one = tmp_path / "moved" / "front.mp4"
    one.write_bytes(b"X" + one.read_bytes()[1:])
    assert run("info", project, "--provenance").code == 1


def test_annotate_acknowledges_each_line_and_reports_the_refused(run: Run, project: Path, tmp_path: Path) -> None:
    lines = script(tmp_path, car(**{"as": "car"}), car(class_id="automobil"), {**HORN, "as": "horn"}, LINK)
    result = run("annotate", project, lines, "--json")
    assert result.code == 1
    assert [(row["line"], row["ok"]) for row in result.rows] == [(1, True), (2, False), (3, True), (4, True)]
    assert "did you mean 'car'" in result.rows[1]["error"]
    plain = run("annotate", project, script(tmp_path, car(), car(class_id="automobil")))
    assert plain.out.startswith("1: annotation.add ")
    assert plain.err.startswith("line 2: ")


def test_annotate_with_atomic_keeps_all_or_nothing(run: Run, project: Path, tmp_path: Path) -> None:
    head = run("audit", "head", project).out
    refused = run("annotate", project, script(tmp_path, car(), car(class_id="automobil")), "--atomic")
    assert (refused.code, run("audit", "head", project).out) == (1, head)
    assert run("annotate", project, script(tmp_path, car(), car()), "--atomic", "--label", "Two cars").code == 0
    (newest, *_) = run("history", project, "--json").rows
    assert (newest["label"], newest["changes"]) == ("Two cars", 2)


def test_annotate_for_a_model_only_proposes(run: Run, project: Path, tmp_path: Path) -> None:
    lines = script(tmp_path, car(source={"kind": "model", "name": "yolo"}), car(state="done"))
    result = run("annotate", project, lines, "--by", "model", "--json")
    assert [row["ok"] for row in result.rows] == [True, False]
    assert run("list", project, "annotations", "--json").rows[0]["state"] == "proposed"


def test_annotate_answers_line_by_line_behind_a_pipe(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "workstation", "annotate", str(project), "-", "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        for number in (1, 2, 3):
            child.stdin.write(json.dumps(car()).encode() + b"\n")
            child.stdin.flush()
            told = json.loads(child.stdout.readline())
            assert (told["line"], told["ok"]) == (number, True)
            with open_project(project, read_only=True) as session:
                assert list(session.store.find_id(None, told["result"]))
        child.kill()
        child.wait()
    with open_project(project) as session:
        assert session.store.verify().intact


def test_undo_and_redo_across_runs(run: Run, labelled: Path) -> None:
    assert run("undo", labelled).out.startswith("Took back “Link”")
    assert run("list", labelled, "links", "--json").rows == []
    assert run("redo", labelled).code == 0
    assert len(run("list", labelled, "links", "--json").rows) == 1
    assert run("redo", labelled).code == 1


def test_lists_take_either_order_filters_and_limits(run: Run, labelled: Path) -> None:
    (link,) = run("list", "links", labelled, "--json").rows
    assert (link["type"], link["rationale"], link["state"], link["author"]) == ("sound_source", "loud", "draft", "Ana")
    assert len(run("list", labelled, "annotations", "--json", "--filter", "class=horn").rows) == 1
    assert len(run("list", labelled, "annotations", "--json", "--filter", "class!=horn").rows) == 1
    assert len(run("list", labelled, "annotations", "--json", "--filter", "kind~bo", "--limit", "1").rows) == 1
    assert run("list", labelled, "annotations", "--sample", "nowhere").code == 2
    assert run("list", labelled, "unicorns").code == 2
    assert run("list", labelled, "annotations", "--filter", "class").code == 2
    assert run("list", labelled, "parked").out == "No parked here.\n"
    for what in ("samples", "entities", "keyframes", "words", "stale", "queue", "people", "comments", "verdicts"):
        assert run("list", labelled, what).code == 0


def test_history_can_be_looked_at_compared_and_restored(run: Run, labelled: Path) -> None:
    revisions = run("history", labelled, "--json").rows
    assert [row["label"] for row in revisions[:3]] == ["Link", "Add annotation", "Add annotation"]
    assert (
        run("history", "list", labelled, "--sample", "d", "--limit", "1", "--json").rows[0]["rev"]
        == revisions[0]["rev"]
    )
    newest = revisions[0]["rev"]
    (shown,) = run("history", "show", labelled, newest, "--json").rows
    assert (shown["kind"], shown["values"]["rationale"]) == ("link", "loud")
    changed = run("history", "diff", labelled, newest - 2, newest, "--json")
    assert (changed.code, [row["difference"] for row in changed.rows]) == (1, ["added", "added"])
    assert run("history", "diff", labelled, newest, newest).code == 0
    assert run("history", "view", labelled, newest - 1, "links", "--json").rows == []
    assert run("history", "restore", labelled, newest - 1).code == 0
    assert run("list", labelled, "links", "--json").rows == []
    assert run("history", labelled, "--json").rows[0]["restores"] == newest - 1
    assert run("history", "show", labelled, 999).code == 2


def test_the_audit_passes_names_a_head_and_finds_a_flipped_byte(run: Run, labelled: Path) -> None:
    assert run("audit", "verify", labelled).code == 0
    head = run("audit", "head", labelled).out.strip()
    assert run("audit", "verify", labelled, "--against", head).code == 0
    assert run("audit", "verify", labelled, "--against", "0" * 64).code == 1
    database = labelled / "project.db"
    data = database.read_bytes()
    assert data.count(b'"rationale":"loud"') == 1
    database.write_bytes(data.replace(b'"rationale":"loud"', b'"rationale":"lOud"'))
    broken = run("audit", "verify", labelled, "--json")
    assert (broken.code, broken.json["intact"]) == (1, False)
    newest = run("history", labelled, "--json").rows[0]["rev"]
    assert f"revision {newest}" in broken.json["problems"][0]


def test_provenance_prints_the_whole_chain(run: Run, project: Path, tmp_path: Path) -> None:
    model = {"kind": "model", "name": "yolo", "version": "3", "weights_sha256": "ab" * 32}
    made = run("annotate", project, script(tmp_path, car(source=model)), "--by", "model", "--json").rows[0]["result"]
    verdict = {"do": "verdict.add", "sample": "d", "target": made, "value": "approved"}
    edits = script(tmp_path, {"do": "annotation.move", "annotations": [made], "by": [1, 0]}, verdict)
    assert run("annotate", project, edits).code == 0
    rows = run("provenance", project, made[:24], "--json").rows
    assert [row["event"] for row in rows] == ["made", "changed", "judged", "now"]
    assert (rows[0]["as"], rows[0]["source"]["weights_sha256"], rows[0]["ontology"]) == ("model", "ab" * 32, 1)
    assert (rows[1]["who"], rows[1]["as"]) == ("Ana", "person")
    assert "sha256" in rows[-1]["files"][0]
    assert run("provenance", project, "nothing").code == 2
    assert "made by Ana (model" in run("provenance", project, made).out


def test_the_ontology_goes_from_draft_to_lock(run: Run, labelled: Path, tmp_path: Path) -> None:
    text = tmp_path / "next.yaml"
    assert run("ontology", "export", labelled, "-o", text).code == 0
    assert run("ontology", "check", text).code == 0
    edited = (
        text.read_text(encoding="utf-8")
        .replace("Any sound", "Any sound at all")
        .replace("{en: Car, de: Auto}", "{en: Motor car, de: Auto}")
    )
    text.write_text(edited, encoding="utf-8")
    tried = run("ontology", "apply", labelled, text, "--json").json
    assert (tried["locked"], tried["number"]) == (False, 2)
    assert len(run("ontology", "history", labelled, "--json").rows) == 1
    assert run("ontology", "draft", labelled, text, "--note", "a better name").code == 0
    assert run("ontology", "check", labelled, "--number", 2).code == 0
    assert run("ontology", "review", labelled, 2).code == 0
    assert run("ontology", "lock", labelled, 2, "--dry-run").code == 0
    assert run("ontology", "lock", labelled, 2).code == 0
    versions = run("ontology", "history", labelled, "--json").rows
    assert [(row["number"], row["state"]) for row in versions] == [(1, "locked"), (2, "locked")]
    changed = run("ontology", "diff", labelled, 1, 2)
    assert (changed.code, "Motor car" in changed.out) == (1, True)
    assert run("ontology", "show", labelled, "--classes").out.startswith("class")
    assert run("ontology", "show", labelled, "--text").out.count("Motor car") == 1
    assert run("ontology", "show", labelled, "--number", 9).code == 2
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\nname: y\n", encoding="utf-8")
    assert run("ontology", "check", bad).code == 2
    assert run("ontology", "draft", labelled, bad).code == 2


def test_export_and_import_give_the_same_head(run: Run, labelled: Path, tmp_path: Path) -> None:
    out = run("export", labelled, "-o", tmp_path / "x.jsonl", "--json").json
    back = run("import", tmp_path / "x.jsonl", tmp_path / "copy", "--json").json
    assert back["head"] == out["head"]
    assert run("export", labelled, "-o", tmp_path / "x.jsonl").code == 2
    (tmp_path / "bad.jsonl").write_text('{"t":"header"}\n')
    bad = run("import", tmp_path / "bad.jsonl", tmp_path / "other")
    assert bad.code == 2
    assert "bad.jsonl, line 1:" in bad.err
    assert bad.err.count("\n") == 1


def test_backups_are_listed_made_and_restored(run: Run, labelled: Path, tmp_path: Path) -> None:
    made = run("backup", "make", labelled, "--json").json
    assert made["file"] in [row["file"] for row in run("backup", "list", labelled, "--check", "--json").rows]
    assert run("backup", "restore", labelled, made["file"], tmp_path / "restored").code == 0
    assert run("audit", "head", tmp_path / "restored").out == run("audit", "head", labelled).out
    assert run("backup", "restore", labelled, "nothing", tmp_path / "no").code == 2
    assert run("salvage", labelled, tmp_path / "saved").code == 0
    assert len(run("list", tmp_path / "saved", "links", "--json").rows) == 1


def test_open_says_what_waits(run: Run, labelled: Path, tmp_path: Path) -> None:
    assert "Nothing waits" in run("open", labelled).out
    edits = script(tmp_path, {"do": "bulk.move", "sample": "d", "by": [90, 0], "of_class": "car"})
    assert run("annotate", labelled, edits).code == 0
    assert run("open", labelled, "--json").json["waiting"] == {"stale links": 1}
    with open_project(labelled, person="Ana"):
        watched = run("open", labelled, "--json")
        assert (watched.code, watched.json["read_only"]) == (0, True)
        assert "Ana" in watched.json["held_by"]
        busy = run("undo", labelled)
        assert (busy.code, "open for writing by" in busy.err) == (2, True)


@pytest.mark.parametrize("what", ["records", "commands", "ontology", "native"])
def test_schemas_are_printed(run: Run, what: str) -> None:
    assert run("schema", what).json["$schema"].startswith("https://json-schema.org/")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts_name_the_program(run: Run, shell: str) -> None:
    assert "_WORKSTATION_COMPLETE" in run("completion", shell).out


def test_the_selftest_passes_from_the_command_line(run: Run, tmp_path: Path) -> None:
    result = run("selftest", "--keep", tmp_path / "kept")
    assert result.code == 0
    assert [line[:4] for line in result.out.splitlines()] == ["pass"] * 4
    assert run("audit", "verify", tmp_path / "kept").code == 0


def test_what_is_no_project_is_said_in_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for words in (["list", tmp_path / "empty", "links"], ["undo", tmp_path / "empty"], ["history", tmp_path / "no"]):
        result = run(*words)
        assert result.code == 2
        assert "Traceback" not in result.err
