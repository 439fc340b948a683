from __future__ import annotations

import os
from pathlib import Path

import pytest

from workstation.app.plugins import PluginsFound, find_plugins, load_plugins

GOOD = 'id: my-format\nname: My format\nversion: "1.0"\napi: 1\nkinds: [format]\nmodule: my_format.py\n'


def make(parent: Path, folder: str = "one", manifest: str | bytes = GOOD, code: str | None = "VALUE = 7\n") -> Path:
    path = parent / folder
    path.mkdir(parents=True)
    (path / "plugin.yaml").write_bytes(manifest if isinstance(manifest, bytes) else manifest.encode())
    if code is not None:
        (path / "my_format.py").write_text(code, encoding="utf-8")
    return path


def find(tmp_path: Path) -> PluginsFound:
    return find_plugins(bundled=tmp_path / "bundled", user=tmp_path / "user")


def only_problem(tmp_path: Path) -> str:
    found = find(tmp_path)
    assert found.plugins == ()
    assert len(found.problems) == 1
    return found.problems[0].reason


def test_no_folder_means_no_plugins(tmp_path: Path) -> None:
    assert find(tmp_path) == PluginsFound(plugins=(), problems=())


def test_a_good_one_is_found_and_loaded(tmp_path: Path) -> None:
    folder = make(tmp_path / "user")
    loaded = load_plugins(find(tmp_path))
    (plugin,) = loaded.found.plugins
    assert (plugin.id, plugin.name, plugin.version, plugin.kinds) == ("my-format", "My format", "1.0", ("format",))
    assert (plugin.folder, plugin.bundled) == (folder, False)
    assert loaded.modules["my-format"].VALUE == 7


def test_finding_runs_no_code(tmp_path: Path) -> None:
    make(tmp_path / "user", code=f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    assert len(find(tmp_path).plugins) == 1
    assert not (tmp_path / "ran").exists()


def test_the_bundled_one_counts_when_two_have_one_id(tmp_path: Path) -> None:
    make(tmp_path / "bundled", "ours")
    make(tmp_path / "user", "theirs")
    found = find(tmp_path)
    assert [plugin.bundled for plugin in found.plugins] == [True]
    assert "its id 'my-format' is taken by" in found.problems[0].reason


def test_folders_without_a_manifest_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "user" / "notes").mkdir(parents=True)
    (tmp_path / "user" / "file.txt").write_text("x", encoding="utf-8")
    assert find(tmp_path) == PluginsFound(plugins=(), problems=())


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("", "keys and values"),
        ("- a\n", "keys and values"),
        ("just words", "keys and values"),
        (b"\xff\xfe\x00", "plugin.yaml"),
        (GOOD + "id: again\n", "plugin.yaml"),
        ("a: &a [x]\nb: &b [*a, *a]\n" + GOOD, "unknown keys: a, b"),
        (GOOD.replace("id: my-format\n", ""), "lacks id"),
        (GOOD.replace("my-format", "My Format"), "small letters"),
        (GOOD.replace("my-format", "../up"), "small letters"),
        (GOOD.replace("id: my-format", "id: 7"), "must be text"),
        (GOOD.replace('"1.0"', "1.0"), "must be text"),
        (GOOD.replace("api: 1", "api: 2"), "interface 2; this program has 1"),
        (GOOD.replace("api: 1", "api: true"), "interface True"),
        (GOOD.replace("api: 1", 'api: "1"'), "interface '1'"),
        (GOOD.replace("[format]", "[]"), "one or more of"),
        (GOOD.replace("[format]", "[format, spell]"), "one or more of"),
        (GOOD.replace("[format]", "[[format]]"), "one or more of"),
        (GOOD.replace("[format]", "format"), "one or more of"),
        (GOOD.replace("my_format.py", "../evil.py"), "a .py file in the plug-in's folder"),
        (GOOD.replace("my_format.py", "/etc/evil.py"), "a .py file in the plug-in's folder"),
        (GOOD.replace("my_format.py", "'..\\evil.py'"), "a .py file in the plug-in's folder"),
        (GOOD.replace("my_format.py", "evil.so"), "a .py file in the plug-in's folder"),
        (GOOD.replace("my_format.py", "absent.py"), "there is no absent.py"),
        (GOOD + "colour: red\n", "unknown keys: colour"),
        (GOOD.replace("My format", "x" * 500), "1 to 200 characters"),
        (GOOD + "# " + "x" * 100_000, "larger than"),
    ],
)
def test_a_bad_manifest_is_named_with_its_reason(tmp_path: Path, manifest: str | bytes, reason: str) -> None:
    make(tmp_path / "user", manifest=manifest)
    assert reason in only_problem(tmp_path)
    assert "plugin.yaml" in only_problem(tmp_path)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_module_anywhere\n", "ModuleNotFoundError"),
        ("raise RuntimeError('no licence')\n", "RuntimeError: no licence"),
        ("1 / 0\n", "ZeroDivisionError"),
    ],
)
@pytest.mark.expect_log("ERROR workstation.app.plugins: plug-in my-format could not be loaded")
def test_one_bad_plugin_does_not_stop_the_others(tmp_path: Path, code: str, reason: str) -> None:
    make(tmp_path / "user", "bad", code=code)
    make(tmp_path / "user", "good", manifest=GOOD.replace("my-format", "good"))
    loaded = load_plugins(find(tmp_path))
    assert list(loaded.modules) == ["good"]
    assert [plugin.id for plugin in loaded.found.plugins] == ["good"]
    assert reason in loaded.found.problems[0].reason


def test_every_bundled_plugin_loads() -> None:
    loaded = load_plugins(find_plugins(user=Path(os.devnull)))
    assert loaded.found.problems == ()
