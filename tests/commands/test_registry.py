"""The registry: one definition feeds parsing, help, schema and the greyed menu."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

from workstation.commands.arguments import argument_group
from workstation.commands.registry import Registry, command, load_registry, needs_sample, needs_selection
from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.rights import Actor, Right


@command("toy.make", title="Make a toy", shortcut="T", right=Right.LABEL, enabled=needs_selection)
def make(tx: Any, *, name: str, size: float = 1.0, parts: tuple[int, ...] = ()) -> tuple[Any, ...]:
    """Make a toy of parts.

    It can be small.

    name: what it is called
    size: how large it is,
        in metres
    parts: the parts
    """
    return (tx, name, size, parts)


@argument_group
@dataclass(frozen=True, kw_only=True)
class Box:
    """Where a toy goes.

    shelf: which shelf
    label: what is written on it
    """

    shelf: int
    label: str = "toys"


@command("toy.store", title="Store a toy")
def put_away(tx: Any, *, name: str, box: Box, gently: bool = True) -> tuple[Any, ...]:
    """Put a toy away.

    name: what it is called
    gently: false to throw it
    """
    return (name, box, gently)


TOY = make.__command__  # type: ignore[attr-defined]


def test_a_function_says_everything_about_its_command() -> None:
    assert (TOY.id, TOY.title, TOY.shortcut, TOY.right) == ("toy.make", "Make a toy", "T", Right.LABEL)
    assert TOY.help == "Make a toy of parts. It can be small."
    assert [(a.name, a.required, a.default) for a in TOY.arguments] == [
        ("name", True, None), ("size", False, 1.0), ("parts", False, ()),
    ]  # fmt: skip
    assert TOY.arguments[1].help == "how large it is, in metres"


def test_a_group_of_arguments_stands_as_if_each_were_written_out() -> None:
    store = put_away.__command__  # type: ignore[attr-defined]
    assert [(a.name, a.required) for a in store.arguments] == [
        ("name", True), ("shelf", True), ("label", False), ("gently", False),
    ]  # fmt: skip
    assert store.run("tx", {"name": "car", "shelf": 3}) == ("car", Box(shelf=3), True)
    assert store.run("tx", {"name": "car", "shelf": 3, "label": "x", "gently": False}) == (
        "car", Box(shelf=3, label="x"), False,
    )  # fmt: skip
    with pytest.raises(UserError, match="toy.store needs shelf"):
        store.run("tx", {"name": "car"})
    with pytest.raises(UserError, match="no argument 'box'"):
        store.run("tx", {"name": "car", "box": {"shelf": 3}})


def test_arguments_are_converted_by_type_and_defaults_left_to_the_function() -> None:
    assert TOY.run("tx", {"name": "car", "parts": [1, 2]}) == ("tx", "car", 1.0, (1, 2))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "toy.make needs name"),
        ({"name": 3}, r"toy.make: name: expected `str`, got `int`"),
        ({"name": "a", "size": "big"}, r"size: expected `float`, got `str`"),
        ({"name": "a", "parts": [1, "x"]}, r"parts\[1\]: expected `int`"),
        ({"name": "a", "sise": 2}, "no argument 'sise'; did you mean size"),
        ({"name": "a", "size": True}, "size: expected `float`, got `bool`"),
    ],
)
def test_a_wrong_argument_is_named(given: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        TOY.parse(given)


def test_an_argument_without_a_description_is_a_fault_of_ours() -> None:
    def bare(tx: Any, *, thing: int) -> None:
        """Do it."""

    with pytest.raises(TypeError, match="does not say what thing is"):
        assert command("toy.bare", title="Bare")(bare).__command__.arguments


def test_every_command_is_described_and_has_a_title_of_its_own_kind() -> None:
    registry = load_registry()
    assert len(registry.commands) > 80
    for each in registry:
        assert each.help.endswith("."), each.id
        assert each.title[0].isupper(), each.id
        group, dot, name = each.id.partition(".")
        assert all((group, dot, name)), each.id
        assert all(argument.help for argument in each.arguments), each.id


def test_a_slip_in_the_name_is_answered_with_the_near_ones() -> None:
    with pytest.raises(UserError, match="did you mean annotation.add"):
        load_registry().find("anotation.add")
    with pytest.raises(UserError, match="there is no command"):
        load_registry().find("x" * 10_000)


def test_shortcuts_do_not_collide_within_what_they_act_on() -> None:
    seen: dict[tuple[str, str], str] = {}
    for each in load_registry():
        if each.shortcut is not None:
            group = each.id.partition(".")[0]
            assert (group, each.shortcut) not in seen, each.id
            seen[group, each.shortcut] = each.id


def test_the_schema_accepts_what_the_commands_accept_and_refuses_the_rest() -> None:
    schema = load_registry().schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    box = {"kind": "box", "x": 1, "y": 2, "width": 3, "height": 4}
    good = {"do": "annotation.add", "sample": "a", "stream": "b", "shape": box, "as": "car"}
    assert check.is_valid(good)
    assert check.is_valid({"do": "link.add", "type_id": "refers_to", "ends": {"a": "$x", "b": ["$y", "$z"]}})
    for bad in (
        {**good, "do": "annotation.ad"}, {**good, "sahpe": box}, {**good, "start_ns": 1.5}, {"sample": "a"},
        {**good, "shape": {"kind": "box", "x": 1}},
    ):  # fmt: skip
        assert not check.is_valid(bad), bad
    assert json.loads(json.dumps(schema)) == schema


@dataclass
class _View:
    actor: Actor = Actor(name="a")  # noqa: RUF009 - a frozen value
    read_only: bool = False
    sample: SampleId | None = None
    selected: tuple[str, ...] = ()


def test_a_greyed_command_says_why() -> None:
    registry = Registry({"toy.make": TOY})
    assert registry.find("toy.make").unavailable(_View()) == "select something first"
    assert TOY.unavailable(_View(selected=("x",))) is None
    assert TOY.unavailable(_View(selected=("x",), read_only=True)) == "the project is open read-only"
    assert needs_sample(_View()) == "open a sample first"
