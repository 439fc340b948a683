from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from workstation.app import doctor, system_libraries
from workstation.app.doctor import Check, State, examine, nothing_needed_is_missing
from workstation.app.doctor_probes import Answer, ask_child

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path()


def saying(**facts: Any) -> Any:
    return lambda program: Answer(facts=facts)


def failing(fault: str) -> Any:
    return lambda program: Answer(facts={}, fault=fault)


def never(program: str) -> Answer:
    pytest.fail("a child process was started though its libraries are missing")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Debian without any library and without a display."""
    monkeypatch.setattr(system_libraries, "missing", lambda purposes: bare_needs(set(purposes)))
    monkeypatch.setattr(system_libraries, "family", lambda: system_libraries.Family.DEBIAN)
    monkeypatch.setattr(doctor, "_ON_LINUX", True)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def bare_needs(purposes: set[system_libraries.Purpose]) -> tuple[system_libraries.Need, ...]:
    return tuple(need for need in system_libraries.LINUX_NEEDS if need.purpose in purposes)


def test_the_list_of_packages_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {text.split(";")[0].split(">")[0].strip().lower() for text in project["dependencies"]}
    names = {name.split("[")[0] for name in names} | {"lazrs"}
    assert {name.lower() for name in doctor.DISTRIBUTIONS} == names


def test_a_bare_machine_is_told_what_to_install(bare: None) -> None:
    check = doctor.check_system_libraries(HERE, never)
    assert check.state is State.LACK
    assert check.mend.startswith("sudo apt-get install libglib2.0-0 libgl1 libegl1")
    assert "libxcb-cursor.so.0 (package libxcb-cursor0, for window)" in check.summary


def test_opengl_is_not_tried_without_its_libraries(bare: None) -> None:
    assert doctor.check_opengl(HERE, never).state is State.LACK


def test_no_display_is_no_lack(bare: None) -> None:
    assert doctor.check_display(HERE, never).state is State.NOTE


def test_window_libraries_matter_only_where_a_window_could_open(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    window = bare_needs({system_libraries.Purpose.WINDOW})
    monkeypatch.setattr(system_libraries, "missing", lambda purposes: window)
    assert doctor.check_system_libraries(HERE, never).state is State.NOTE
    monkeypatch.setenv("DISPLAY", ":7")
    assert doctor.check_system_libraries(HERE, never).state is State.LACK


def test_a_display_that_does_not_answer_is_a_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries, "missing", lambda purposes: ())
    monkeypatch.setenv("DISPLAY", ":7")
    check = doctor.check_display(HERE, failing("crashed (SIGABRT): could not connect to display :7"))
    assert check.state is State.LACK
    assert "could not connect to display :7" in check.summary


@pytest.mark.parametrize(
    ("ask", "state", "words"),
    [
        (saying(renderer="NVIDIA RTX", version="4.6", pixel=[255, 0, 0]), State.OK, "NVIDIA RTX, OpenGL 4.6"),
        (saying(renderer="llvmpipe (LLVM 15)", version="4.5", pixel=[255, 0, 0]), State.OK, "no graphics card"),
        (saying(renderer="Odd", version="3.2", pixel=[0, 0, 255]), State.LACK, "red came back as [0, 0, 255]"),
        (failing("crashed (SIGSEGV)"), State.LACK, "cannot be drawn: crashed (SIGSEGV)"),
    ],
)
def test_what_opengl_says(monkeypatch: pytest.MonkeyPatch, ask: Any, state: State, words: str) -> None:
    monkeypatch.setattr(system_libraries, "missing", lambda purposes: ())
    check = doctor.check_opengl(HERE, ask)
    assert check.state is state
    assert words in check.summary
    assert bool(check.mend) == (state is State.LACK)


@pytest.mark.parametrize(
    ("ask", "state", "words", "mend"),
    [
        (saying(library=False, reason="PortAudio library not found"), State.NOTE, "no library", "libportaudio2"),
        (saying(library=True, outputs=[], usual=None), State.NOTE, "no device", "loudspeaker"),
        (saying(library=True, outputs=["HDMI", "Speaker"], usual="Speaker"), State.OK, "plays on Speaker", ""),
        (saying(library=True, outputs=["HDMI"], usual=None), State.OK, "plays on HDMI", ""),
        (failing("ModuleNotFoundError: sounddevice"), State.NOTE, "ModuleNotFoundError", "pip install"),
    ],
)
def test_the_states_of_sound(bare: None, ask: Any, state: State, words: str, mend: str) -> None:
    check = doctor.check_sound(HERE, ask)
    assert check.state is state
    assert words in check.summary
    assert mend in check.mend


def installed(*names: str, **versions: str) -> Any:
    return lambda name: versions.get(name.replace("-", "_"), "1.0" if name in names else None)


def test_two_runtimes_destroy_each_other() -> None:
    check = doctor.check_models(HERE, never, installed("onnxruntime", "onnxruntime-gpu"))
    assert check.state is State.LACK
    assert check.mend == (
        "pip uninstall --yes onnxruntime onnxruntime-gpu && pip install --force-reinstall --no-deps onnxruntime-gpu"
    )


def test_two_opencvs_destroy_each_other() -> None:
    check = doctor.check_opencv(HERE, never, installed("opencv-python", "opencv-python-headless"))
    assert check.state is State.LACK
    assert check.mend.endswith("--no-deps opencv-python")


def test_a_broken_opencv_is_named() -> None:
    check = doctor.check_opencv(HERE, failing("AttributeError: __version__"), installed("opencv-python"))
    assert check.state is State.LACK
    assert "does not work: AttributeError" in check.summary


def test_what_models_can_run_on() -> None:
    cpu = saying(version="1.31", providers=["AzureExecutionProvider", "CPUExecutionProvider"])
    assert "models run on the processor" in doctor.check_models(HERE, cpu, installed("onnxruntime")).summary
    gpu = saying(version="1.31", providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    check = doctor.check_models(HERE, gpu, installed("onnxruntime-gpu"))
    assert "built for CUDA, CPU" in check.summary
    assert "tried when it is loaded" in check.summary


def test_missing_packages_are_named_with_what_they_are_for() -> None:
    everything = [name for name in doctor.DISTRIBUTIONS if name not in ("vtk", "onnxruntime")]
    check = doctor.check_packages(HERE, never, installed(*everything, "onnxruntime-gpu", PySide6_Essentials="6.10.1"))
    assert check.state is State.LACK
    assert check.summary == "vtk is missing (for 3-D views)"
    assert check.mend == f'pip install --constraint "{ROOT / "resources" / "constraints.txt"}" vtk'


def test_the_qt_that_crashes_old_pythons_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = list(doctor.DISTRIBUTIONS)
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    check = doctor.check_packages(HERE, never, installed(*everything, PySide6_Essentials="6.12.0"))
    assert check.state is State.LACK
    assert '"PySide6-Essentials>=6.10,<6.12"' in check.mend
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    check = doctor.check_packages(HERE, never, installed(*everything, PySide6_Essentials="6.12.0"))
    assert check.state is State.OK


def test_a_real_lock_is_tried(tmp_path: Path) -> None:
    assert doctor.check_locks(tmp_path, never).state is State.OK
    assert list(tmp_path.iterdir()) == []
    assert doctor.check_locks(tmp_path / "absent", never).state is State.LACK


def test_a_file_system_that_cannot_lock_is_a_lack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl", reason="not on Windows")

    def refuse(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    check = doctor.check_locks(tmp_path, never)
    assert check.state is State.LACK
    assert str(tmp_path) in check.summary
    assert "disk of this machine" in check.mend


@pytest.mark.parametrize(("free", "state"), [(10**8, State.LACK), (5 * 10**9, State.NOTE), (10**11, State.OK)])
def test_free_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**12, 0, free))
    assert doctor.check_disk(tmp_path / "not" / "yet", never).state is state


def test_a_check_that_fails_unforeseen_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(folder: Path, ask: Any) -> Check:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(doctor, "CHECKS", (("Odd", explode),))
    (check,) = examine(tmp_path)
    assert check.state is State.LACK
    assert check.summary == "could not be examined: ZeroDivisionError: oh"
    assert not nothing_needed_is_missing((check,))


def test_a_child_answers_with_its_last_line() -> None:
    assert ask_child("import json\nprint('noise')\nprint(json.dumps({'a': 1}))") == Answer(facts={"a": 1})


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise ValueError('no such thing')", "ValueError: no such thing"),
        ("import sys; sys.exit(3)", "ended with 3"),
        ("print('not json')", "no answer"),
        ("pass", "no answer"),
        ("import os; os.abort()", "crashed (SIGABRT)"),
        ("import ctypes; ctypes.string_at(0)", "crashed (SIGSEGV)"),
    ],
)
def test_a_child_that_fails_is_an_answer(program: str, words: str) -> None:
    if "crashed" in words and os.name == "nt":
        pytest.skip("not on Windows")
    assert words in ask_child(program).fault


def test_a_child_that_hangs_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workstation.app.doctor_probes._TIMEOUT_S", 0.5)
    assert "did not answer" in ask_child("import threading; threading.Event().wait()").fault


def test_a_bad_plugin_shows_and_does_not_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "plugins" / "bad"
    folder.mkdir(parents=True)
    manifest = 'id: bad\nname: Bad\nversion: "1"\napi: 1\nkinds: [rule]\nmodule: bad.py\n'
    (folder / "plugin.yaml").write_text(manifest, encoding="utf-8")
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path))
    (folder / "bad.py").write_text("raise RuntimeError('broken')\n", encoding="utf-8")
    check = doctor.check_plugins(HERE, ask_child)
    assert check.state is State.NOTE
    assert "RuntimeError: broken" in check.summary
    (folder / "bad.py").write_text("import os; os.abort()\n", encoding="utf-8")
    assert doctor.check_plugins(HERE, ask_child).state is State.LACK


def test_damaged_settings_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path))
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "settings.json").write_text("{", encoding="utf-8")
    check = doctor.check_settings(HERE, never)
    assert check.state is State.NOTE
    assert "settings.json" in check.mend


def test_this_machine(tmp_path: Path, virtual_display: str) -> None:
    """The machine that runs the tests has all that is needed; a display opens and 3-D is drawn, in real."""
    checks = {check.name: check for check in examine(tmp_path)}
    assert [name for name, check in checks.items() if check.state is State.LACK] == []
    if virtual_display:
        assert checks["Display"].facts["width"] == 1920
    assert checks["OpenGL"].facts["pixel"] == [255, 0, 0]
