"""The story of a first pass made by a model: looked through by doubt, accepted, an identity switch mended, a false one
rejected, its provenance read, and all of it taken back. By keys and mouse in a real window."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from hands import CTRL_HELD, SECOND, Person, Stored, on_screen, sit_down
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSlider, QWidget

from strict_windows import copy_of
from workstation.app.opening import open_project
from workstation.core.annotation import Source, SourceKind
from workstation.ui.panels.proposals import ProposalsPanel

pytestmark = pytest.mark.slow
STREAM = "front_camera"
MODEL = Source(
    kind=SourceKind.MODEL, name="stand-in", version="0.1", weights_sha256="ab" * 32, parameters={"score": 0.3},
    device="CPU",
)  # fmt: skip
FRAMES = 9
SWITCH = 5
"""From this frame on the stand-in takes each car for the other."""
LEFT_CAR = [(80 + 12 * i, 300, 90, 60) for i in range(FRAMES)]
RIGHT_CAR = [(700 - 12 * i, 330, 110, 70) for i in range(FRAMES)]


def frame_times(project: Path) -> list[int]:
    """When the pictures were captured, as published beside the films, in the stream's own nanoseconds."""
    published = json.loads((project / "media" / "sf_drive" / "timestamps.json").read_text())[STREAM]["t_s"]
    return [round(each * SECOND) - round(published[0] * SECOND) for each in published[:FRAMES]]


def propose(project: Path, times: list[int]) -> dict[str, str]:
    """What the stand-in finds: two cars, exchanged half-way, a car where none is, and a box on one picture."""
    switched = [LEFT_CAR[:SWITCH] + RIGHT_CAR[SWITCH:], RIGHT_CAR[:SWITCH] + LEFT_CAR[SWITCH:]]
    false = [(420, 40, 60, 40)] * FRAMES
    with open_project(project, kind="model") as session:
        session.open_sample("sf_drive")
        with session.together("Pre-label front_camera with stand-in 0.1") as run:
            made = {
                name: run(
                    "track.add", stream=STREAM, class_id="car", source=MODEL, state="proposed", confidence=score,
                    keyframes=[
                        {"time_ns": at, "shape": {"kind": "box", "x": x, "y": y, "width": w, "height": h}}
                        for at, (x, y, w, h) in zip(times, path, strict=True)
                    ],
                )
                for name, path, score in (("left", switched[0], 0.91), ("right", switched[1], 0.84),
                                          ("false", false, 0.35))
            }  # fmt: skip
            made["sign"] = run(
                "annotation.add", stream=STREAM, class_id="car", start_ns=times[0], end_ns=times[1], source=MODEL,
                state="proposed", confidence=0.2, shape={"kind": "box", "x": 600, "y": 60, "width": 40, "height": 40},
            )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def project(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(demo_template, tmp_path_factory.mktemp("proposals") / "drive")


@pytest.fixture(scope="module")
def times(project: Path) -> list[int]:
    return frame_times(project)


@pytest.fixture(scope="module")
def made(project: Path, times: list[int]) -> dict[str, str]:
    return propose(project, times)


@pytest.fixture(scope="module")
def me(qapp: QApplication, project: Path, made: dict[str, str]) -> Generator[Person, None, None]:
    assert qapp is not None
    assert made
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(project.parent / "home"))
        with sit_down(project) as person:
            person.window.resize(1600, 1000)
            yield person


@pytest.fixture
def stored(project: Path) -> Stored:
    return Stored(project)


def boxes(stored: Stored, track: str) -> dict[int, tuple[float, float, float, float]]:
    """Keyframes of a track as they are stored: time to x, y, width, height."""
    found = [each for each in stored.content("keyframe", "1 = 1") if each["annotation"] == track]
    shapes = {each["time_ns"]: each["shape"] for each in found}
    return {at: (each["x"], each["y"], each["width"], each["height"]) for at, each in shapes.items()}


def record(stored: Stored, key: str) -> dict[str, object]:
    (found,) = [each for each in stored.content("annotation", "1 = 1") if each["id"] == key]
    return found


def panel(me: Person) -> ProposalsPanel:
    me.window.show_pane("proposals")
    pane = me.pane("proposals")
    assert isinstance(pane, ProposalsPanel)
    return pane


def test_the_list_begins_with_what_the_model_doubts_most(me: Person, made: dict[str, str]) -> None:
    found = panel(me)
    mine = [row for row in found.model.rows if row.key in made.values()]
    assert [row.key for row in mine] == [made["sign"], made["false"], made["right"], made["left"]]
    assert [row.cells[1].text for row in mine] == ["0.20", "0.35", "0.84", "0.91"]
    me.waits_for_pictures().keep_picture("proposals")


def test_the_slider_keeps_the_least_sure_from_every_pane(me: Person, made: dict[str, str]) -> None:
    found = panel(me)
    slider = found.findChild(QSlider, "proposals_least")
    assert slider is not None
    slider.setFocus()
    for _ in range(6):
        QTest.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() == 30
    me.waits(lambda: made["sign"] not in found.listed(), "the list")
    assert not drawn(me, made["sign"])
    assert drawn(me, made["false"])
    for _ in range(6):
        QTest.keyClick(slider, Qt.Key.Key_Left)
    me.waits(lambda: made["sign"] in found.listed(), "the list again")
    assert drawn(me, made["sign"])


def drawn(me: Person, key: str) -> bool:
    """Whether the front camera draws it now."""
    me.waits_for_pictures()
    return me.camera(STREAM).scene.drawn(key) is not None


def test_the_false_one_is_rejected_and_kept_as_such(me: Person, stored: Stored, made: dict[str, str]) -> None:
    found = panel(me)
    found.table.setFocus()
    me.press("Alt+.")
    while me.bench.selected != (made["false"],):
        me.press("Alt+.")
    assert "confidence 0.35" in me.said
    before = stored.edits()
    me.press("Backspace")
    assert stored.edits() == before + 1
    assert record(stored, made["false"])["state"] == "rejected"
    assert not drawn(me, made["false"])
    assert me.bench.selected == (made["right"],)  # the list goes on to the next


def test_its_provenance_says_model_weights_parameters_and_device(me: Person, made: dict[str, str]) -> None:
    assert me.bench.selected == (made["right"],)
    inspector = me.pane("inspector")

    def words() -> str:
        return " ".join(str(each.property("text") or "") for each in inspector.findChildren(QWidget))

    me.waits(lambda: "stand-in" in words(), "the inspector")
    for said in ("stand-in 0.1", "abababababab", "score 0.3", "CPU"):
        assert said in words(), said
    me.keep_picture("provenance")


def test_an_identity_switch_is_mended_in_one_step_and_both_are_taken_over(
    me: Person, stored: Stored, made: dict[str, str], times: list[int]
) -> None:
    before = stored.edits()
    me.bench.clock.seek(me.camera(STREAM).stream.time_map.to_session(times[SWITCH]))
    me.waits_for_pictures()
    camera = me.camera(STREAM)
    for place, held in ((RIGHT_CAR[SWITCH], Qt.KeyboardModifier.NoModifier), (LEFT_CAR[SWITCH], CTRL_HELD)):
        me.click_at(camera.area, on_screen(camera, (place[0] + 2, place[1] + 20)), held)
    assert set(me.bench.selected) == {made["left"], made["right"]}
    me.press("Ctrl+W")
    assert stored.edits() == before + 1, me.said
    truth = {"left": LEFT_CAR, "right": RIGHT_CAR}
    for name, path in truth.items():
        assert boxes(stored, made[name]) == dict(zip(times, path, strict=True))
        assert record(stored, made[name]).get("state", "draft") == "draft"  # an edit takes a proposal over
        assert json.dumps(record(stored, made[name])["source"]).count("stand-in") == 1  # and it stays the model's


def test_enter_accepts_and_undo_takes_all_back(me: Person, stored: Stored, made: dict[str, str]) -> None:
    found = panel(me)
    found.table.setFocus()
    me.press("Alt+.")
    while me.bench.selected != (made["sign"],):
        me.press("Alt+.")
    me.press("Enter")
    assert record(stored, made["sign"])["state"] == "done", me.said
    for _ in range(3):
        me.press("Ctrl+Z")
    assert {record(stored, each)["state"] for each in made.values()} == {"proposed"}
    assert boxes(stored, made["left"])  # they are there again, to be judged anew
    assert panel(me).listed()
