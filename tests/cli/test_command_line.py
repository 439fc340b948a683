from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from workstation import __version__
from workstation.cli import main as command_line
from workstation.core.errors import UserError

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def commands(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command and sub-command, with the words that call it."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append(((*prefix, name), command))
        if isinstance(command, click.Group):
            found += commands(command, (*prefix, name))
    return found


def test_every_verb_says_what_the_list_of_verbs_says() -> None:
    for words, command in commands(command_line.cli):
        if len(words) == 1:
            assert command.get_short_help_str(limit=200) == command_line.VERBS[words[0]].summary, words


def test_every_command_and_option_is_explained() -> None:
    silent = [words for words, command in commands(command_line.cli) if not command.help]
    silent += [
        (*words, option.name)
        for words, command in commands(command_line.cli)
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


def test_every_commands_help_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for words, _ in commands(command_line.cli):
        assert command_line.main([*words, "--help"]) == 0
        assert "Usage: workstation " + " ".join(words) in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["--version"]) == 0
    assert capsys.readouterr().out == f"workstation, version {__version__}\n"


@pytest.mark.parametrize("arguments", [["no-such-verb"], ["doctor", "--no-such-option"], ["--no-such-option"]])
def test_what_cannot_be_understood_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(arguments) == 2
    assert "No such" in capsys.readouterr().err


@pytest.fixture
def odd_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.argument("what")
    def odd(what: str) -> int:
        if what == "refuse":
            raise UserError("the folder is missing; make it first")
        if what == "bug":
            raise ZeroDivisionError("inside")
        if what == "interrupt":
            raise KeyboardInterrupt
        return int(what)

    monkeypatch.setitem(command_line.VERBS, "odd", command_line.Verb("main", "odd", "Odd."))
    monkeypatch.setattr(command_line, "odd", odd, raising=False)


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_verbs_answer_is_the_exit_code(odd_verb: None, code: int) -> None:
    assert command_line.main(["odd", str(code)]) == code


def test_a_refusal_is_one_sentence(odd_verb: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["odd", "refuse"]) == 2
    assert capsys.readouterr().err == "Error: the folder is missing; make it first\n"


def test_an_interrupt_ends_quietly(odd_verb: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["odd", "interrupt"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.expect_log("the command line ended with a bug")
def test_a_bug_keeps_its_traceback_and_is_logged(
    odd_verb: None, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["odd", "bug"]) == 2
    said = capsys.readouterr().err
    assert "ZeroDivisionError: inside" in said
    assert "fault of the program" in said
    assert "ZeroDivisionError: inside" in (own_home / "state" / "workstation.log").read_text(encoding="utf-8")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workstation", *arguments]
    screenless = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment = {**screenless, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env=environment)


def test_no_argument_shows_the_verbs_where_no_window_could_be_seen() -> None:
    assert "doctor" in run().stdout + run().stderr


def test_doctor_for_programs(tmp_path: Path) -> None:
    result = run("doctor", "--json", "--folder", str(tmp_path))
    report = json.loads(result.stdout)
    assert result.returncode == (0 if report["ok"] else 1)
    assert report["version"] == __version__
    assert {check["state"] for check in report["checks"]} <= {"ok", "note", "lack"}
    assert next(c for c in report["checks"] if c["name"] == "Locks")["facts"]["folder"] == str(tmp_path)


def test_doctor_for_people_ends_with_1_when_something_is_missing(tmp_path: Path) -> None:
    result = run("doctor", "--folder", str(tmp_path / "absent"))
    assert result.returncode == 1
    assert "lack  Locks" in result.stdout
    assert "workstation doctor --folder FOLDER" in result.stdout
    assert result.stderr == ""
