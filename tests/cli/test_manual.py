"""The manual holds to the program: every verb, option and command is in it, and its examples run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import pytest

from workstation.app.opening import new_project, open_project
from workstation.app.resources import resource
from workstation.app.schemas import commands_manual, schema_of
from workstation.cli.main import cli
from workstation.core.rights import ActorKind

ROOT = Path(__file__).resolve().parents[2]


def chapter(name: str) -> str:
    return resource("manual", name).read_text(encoding="utf-8")


def verbs(group: click.Group, words: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += verbs(command, (*words, name)) if isinstance(command, click.Group) else [((*words, name), command)]
    return found


def test_every_verb_and_option_is_in_the_manual() -> None:
    text = chapter("cli.md")
    common = {"--json", "--person", "--role", "--help"}
    missing = []
    for words, command in verbs(cli):
        if f"workstation {' '.join(words)}" not in text:
            missing.append(" ".join(words))
        missing += [
            f"{' '.join(words)} {option}"
            for parameter in command.params
            if isinstance(parameter, click.Option)
            for option in parameter.opts + parameter.secondary_opts
            if option.startswith("--") and option not in text and option not in common
        ]
    assert missing == []


def test_every_verb_in_the_manual_exists() -> None:
    known = {" ".join(words) for words, _ in verbs(cli)} | {"history"}
    named = set(re.findall(r"`workstation ([a-z]+(?: [a-z]+)?)", chapter("cli.md") + chapter("native-format.md")))
    assert {name for name in named if name not in known and name.split()[0] not in known} == set()


def test_the_chapter_of_commands_is_the_one_the_program_writes() -> None:
    wanted = "write it again: python -m workstation schema commands --markdown > resources/manual/commands.md"
    assert chapter("commands.md") == commands_manual(), wanted


def test_the_examples_of_annotate_fit_the_schema() -> None:
    check = jsonschema.Draft202012Validator(schema_of("commands"))
    (block,) = re.findall(r"```json\n(.*?)```", chapter("cli.md"), re.DOTALL)
    for line in block.splitlines():
        check.validate(json.loads(line))


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A horn that a car explains, and one that nothing explains."""
    folder = new_project(tmp_path / "drive", profile="driving", person="Ana")
    with open_project(folder, kind=ActorKind.PERSON) as session:
        session.run("sample.add", key="d")
        session.run("stream.add", sample="d", key="front", kind="video")
        session.run("stream.add", sample="d", key="mic", kind="audio")
        session.open_sample("d")
        span = {"kind": "span", "class_id": "horn", "stream": "mic"}
        horn, _ = (session.run("annotation.add", start_ns=at, end_ns=at + 5, **span) for at in (0, 900))
        shape = {"kind": "box", "x": 1, "y": 2, "width": 30, "height": 40}
        car = session.run("annotation.add", stream="front", class_id="car", shape=shape)
        session.run("link.add", type_id="sound_source", ends={"sound": horn, "source": car}, rationale="it hoots")
        session.run("annotation.move", annotations=[car], by=[20, 0])
    return folder


def run_example(heading: str, longest: int, project: Path) -> list[str]:
    script = chapter("scripting.md").partition(f"## {heading}\n")[2].partition("```python\n")[2].partition("```")[0]
    assert 0 < len(script.strip().splitlines()) <= longest
    done = subprocess.run(
        [sys.executable, "-c", script, str(project)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.splitlines()


def test_the_script_that_lists_links_lists_them(drive: Path) -> None:
    listed, stale = run_example("List the links", 20, drive)
    assert listed.startswith("d: sound_source (draft): sound annotation ")
    assert stale.startswith("d: sound_source ")
    assert " is stale: " in stale


def test_the_validators_questions_wait_in_the_sample(drive: Path) -> None:
    (said,) = run_example("A validator of your own", 15, drive)
    assert said.startswith("d: nothing explains horn ")
    with open_project(drive, read_only=True) as session:
        (question,) = session.store.comments(session.open_sample("d"))
        assert (question.question, question.text) == (True, "Which car sounds this horn?")
        assert said.endswith(question.target)
        assert next(iter(session.store.revisions(limit=1))).header.label == "Check horns"
