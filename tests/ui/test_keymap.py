"""Keys as values: one spelling, conflicts per scope, a file that strangers may have written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError, UserError
from workstation.ui.actions.table import load_actions
from workstation.ui.chords import chord
from workstation.ui.keymap import Bound, KeyMap, bounds_of, key_map_of, read_keys, write_keys


def keymap() -> KeyMap:
    return key_map_of(
        [
            Bound("play", "window", ("Space",)), Bound("stop", "window", ("K",)), Bound("cut", "camera", ("K", "X")),
            Bound("mark", "camera", ()),
        ]
    )  # fmt: skip


def test_one_spelling_for_every_way_of_writing_a_chord() -> None:
    for written, one in (
        ("shift+ctrl+z", "Ctrl+Shift+Z"), ("Return", "Enter"), ("ctrl++", "Ctrl++"), ("PageUp", "PgUp"),
        ("k", "K"), ("F2", "F2"), ("Alt+left", "Alt+Left"), ("?", "?"), ("+", "+"), ("Del", "Delete"),
    ):  # fmt: skip
        assert chord(written) == one


def test_words_name_the_keys_as_they_are_and_leave_alone_what_is_no_action() -> None:
    keys = keymap()
    assert keys.spelled("Go on (@play), mark (@mark); clip (@home.mp4) is cut off") == (
        "Go on (Space), mark; clip (@home.mp4) is cut off"
    )
    keys.remap("play", ("P",))
    assert keys.spelled("Go on (@play)") == "Go on (P)"


@pytest.mark.parametrize("written", ["", "Ctrl", "Ctrl+", "Hyper+K", "Ctrl+Kk", "K+Ctrl", "  ", "F99", "Ctrl+\n", "ab"])
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(UserError, match="is no key"):
        chord(written)


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_any_text_is_a_chord_or_refused_and_the_spelling_is_stable(text: str) -> None:
    try:
        one = chord(text)
    except UserError:
        return
    assert chord(one) == one


def test_conflicts_are_found_per_scope_and_shadows_named() -> None:
    keys = keymap()
    assert keys.conflicts() == []
    assert keys.shadows("cut") == ["stop"]
    keys.remap("mark", ["x", "Ctrl+M"])
    (clash,) = keys.conflicts()
    assert (clash.chord, clash.scope, clash.actions) == ("X", "camera", ("cut", "mark"))
    assert keys.action_for("X", "camera") == "mark"  # what the person wished goes before what it comes with
    keys.reset("mark")
    assert keys.action_for("X", "camera") == "cut"
    assert keys.conflicts() == []


def test_a_key_is_taken_from_whoever_has_it_in_the_same_scope_and_nobody_else() -> None:
    keys = keymap()
    keys.remap("mark", ["K"])
    assert keys.take("mark") == ["cut"]
    assert keys.conflicts() == []
    assert (keys.keys_of("mark"), keys.keys_of("cut"), keys.keys_of("stop")) == (("K",), ("X",), ("K",))
    assert keys.take("mark") == []


@pytest.mark.parametrize("taken", ["Tab", "Shift+Tab", "Esc", "escape"])
def test_tab_and_esc_are_nobodys(taken: str) -> None:
    with pytest.raises(UserError, match="cannot be given away"):
        keymap().remap("mark", [taken])


def test_a_key_map_travels_whole(tmp_path: Path) -> None:
    keys = keymap()
    keys.remap("play", ["P", "Ctrl+Space"])
    keys.remap("stop", [])
    write_keys(keys, tmp_path / "keys.json")
    other = keymap()
    assert read_keys(other, tmp_path / "keys.json") == []
    assert other.keys_of("play") == ("P", "Ctrl+Space")
    assert other.keys_of("stop") == ()
    assert other.action_for("Space", "window") is None


def test_keys_of_what_is_not_here_yet_are_kept(tmp_path: Path) -> None:
    keys = keymap()
    data = b'{"form":"workstation-keys","version":1,"keys":{"plugin.act":["Ctrl+Y"],"play":["P"]}}'
    assert keys.take_in(data, "keys.json") == ["plugin.act"]
    write_keys(keys, tmp_path / "keys.json")
    assert b"plugin.act" in (tmp_path / "keys.json").read_bytes()
    keys.know([Bound("plugin.act", "window", ())])
    assert keys.keys_of("plugin.act") == ("Ctrl+Y",)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b'{"keys": 3}', b'{"keys": {"play": "P"}}', b'{"keys": {"play": [1]}}', b"\xff\xfe",
        b'{"form":"else","version":1,"keys":{}}', b'{"form":"workstation-keys","version":2,"keys":{}}',
        b'{"keys":{"play":["Hyper+Q"]}}', b'{"keys":{"play":["Tab"]}}',
        b'{"keys":{"play":["A","B","C","D","E","F","G","H","I"]}}',
        b'{"else": 1}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_strange_file_is_refused_and_changes_nothing(data: bytes, tmp_path: Path) -> None:
    keys = keymap()
    keys.remap("stop", ["S"])
    (tmp_path / "keys.json").write_bytes(data)
    with pytest.raises(DataError, match=r"keys\.json"):
        read_keys(keys, tmp_path / "keys.json")
    assert keys.keys_of("stop") == ("S",)
    assert keys.keys_of("play") == ("Space",)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(b" " * 2_000_000)
    with pytest.raises(DataError):
        read_keys(keymap(), tmp_path / "keys.json")


def test_the_programs_own_keys_have_no_conflicts() -> None:
    keys = key_map_of(bounds_of(load_actions()))
    assert keys.conflicts() == []


@pytest.mark.parametrize(
    ("action_id", "keys"),
    [
        ("transport.play", "Space"), ("transport.back", "J"), ("transport.stop", "K"), ("transport.forward", "L"),
        ("transport.step_back", ","), ("transport.step_forward", "."), ("transport.start", "Home"),
        ("transport.end", "End"), ("transport.go_to", "G"), ("link.next", "Alt+Right"), ("link.previous", "Alt+Left"),
        ("keyframe.next", "Ctrl+Right"), ("keyframe.previous", "Ctrl+Left"), ("finding.next", "N"),
        ("view.reveal", "F"), ("sample.previous", "PgUp"), ("sample.next", "PgDn"), ("class.pick", "0"),
        ("annotation.accept", "Enter"), ("annotation.reject", "Backspace"), ("edit.copy", "Ctrl+C"),
        ("annotation.copy", "Ctrl+V"), ("edit.propagate", "Ctrl+D"), ("edit.undo", "Ctrl+Z"),
        ("sample.submit", "Ctrl+Enter"), ("question.ask", "U"), ("window.palette", "Ctrl+K"), ("help.keys", "?"),
    ],
)  # fmt: skip
def test_the_keys_are_those_that_were_promised(action_id: str, keys: str) -> None:
    assert keys in key_map_of(bounds_of(load_actions())).keys_of(action_id)
