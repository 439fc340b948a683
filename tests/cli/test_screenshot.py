"""``workstation screenshot``: the real window without a display, as asked; refusals in a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workstation.cli.main import main

ROOT = Path(__file__).parents[2]


def shoot(project: Path, output: Path, home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    command = [sys.executable, "-m", "workstation", "screenshot", str(project), "-o", str(output), *more]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={**environment, "WORKSTATION_HOME": str(home)},
    )  # fmt: skip


@pytest.mark.slow
def test_the_window_is_drawn_without_a_display_and_the_project_left_alone(demo_project: Path, tmp_path: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns
        for path in demo_project.iterdir()
        if path.is_file() and not path.name.endswith("-shm")
    }  # any reader of the database touches its index in shared memory
    light = tmp_path / "light.png"
    more = ("--at", "4.0", "--size", "1200x800", "--theme", "light", "--json")
    result = shoot(demo_project, light, tmp_path / "home", *more)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"file": str(light), "width_px": 1200, "height_px": 800}
    assert result.stderr == ""
    with Image.open(light) as picture:
        assert picture.size == (1200, 800)
        assert len(picture.convert("RGB").getcolors(maxcolors=1 << 20) or []) > 1000  # there are photographs in it
        assert picture.convert("L").getpixel((800, 6)) > 180  # type: ignore[operator]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not (tmp_path / "home" / "settings").exists()


@pytest.mark.slow
def test_the_cloud_is_in_the_picture_and_not_where_the_lidar_has_a_gap(demo_template: Path, tmp_path: Path) -> None:
    coloured = []
    for name, place in (("there", "sweep 28"), ("gap", "5.8")):
        output = tmp_path / f"{name}.png"
        result = shoot(
            demo_template, output, tmp_path / "home", "--pane", "cloud", "--at", place, "--size", "700x700"
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        with Image.open(output) as picture:
            middle = np.asarray(picture.convert("HSV").crop((20, 140, 680, 660)))
            coloured.append(int(((middle[..., 1] > 100) & (middle[..., 2] > 80)).sum()))
    assert coloured[0] > 5_000
    assert coloured[1] < 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--workspace", "sleep"), "there is no workspace 'sleep'; there are label, link"),
        (("--select", "unicorn 3"), "there is nothing called 'unicorn 3'"),
    ],
)
def test_what_is_not_there_is_refused(demo_template: Path, tmp_path: Path, more: tuple[str, str], said: str) -> None:
    result = shoot(demo_template, tmp_path / "a.png", tmp_path / "home", *more)
    assert result.returncode == 2
    assert said in result.stderr
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("size", ["", "big", "10x10", "1600x", "-100x500", "99999x99999"])
def test_sizes_are_checked_before_anything_is_opened(
    size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Windows:
        def available(self) -> bool:
            return True

        def show(self, project: Path | None) -> int:
            raise AssertionError(project)

        def picture(self, shot: object) -> tuple[int, int]:
            raise AssertionError(shot)

        def picture_probe(self) -> None:
            return None

    (tmp_path / "project.db").touch()
    code = main(["screenshot", str(tmp_path), "-o", str(tmp_path / "a.png"), "--size", size], windows=Windows())
    assert code == 2
    assert "is no size" in capsys.readouterr().err
