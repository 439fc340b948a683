"""From a box to a mask on the worker, over a picture whose truth the test draws: how near it comes."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_graphs import prompt_folder, prompt_pair
from workstation.app.mask_proposals import MaskFinder, MaskProposal, Wish
from workstation.app.models import models_shelf
from workstation.core.errors import UserError
from workstation.prelabel.api import Pixels
from workstation.prelabel.masks import FoundMask, Stroke

BOX = (75.0, 55.0, 130.0, 90.0)
Ask = Callable[[Wish], MaskProposal | UserError]


def discs() -> tuple[Pixels, np.ndarray, np.ndarray]:
    """A coloured disc on noise, and one of the same colour beside it; the picture, and where each of them is."""
    rng = np.random.default_rng(11)
    down, across = np.mgrid[:200, :300] + 0.5
    one, other = (np.hypot(across - x, down - 100) <= radius for x, radius in ((120, 38), (186, 12)))
    picture = rng.integers(0, 120, (200, 300, 3))
    picture[one | other] = np.array([220, 70, 40]) + rng.integers(-20, 20, (int((one | other).sum()), 3))
    return np.clip(picture, 0, 255).astype(np.uint8), one, other


def whole(found: FoundMask) -> np.ndarray:
    laid = np.zeros((200, 300), np.bool_)
    height, width = found.mask.shape
    laid[found.top : found.top + height, found.left : found.left + width] = found.mask
    return laid


def overlap(found: FoundMask, truth: np.ndarray) -> float:
    laid = whole(found)
    return float((laid & truth).sum() / (laid | truth).sum())


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Ask, None, None]:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    answers: queue.Queue[tuple[Wish, MaskProposal | UserError]] = queue.Queue()
    finder = MaskFinder(lambda wish, answer: answers.put((wish, answer)), lambda: models_shelf(tmp_path / "models"))

    def asking(wish: Wish) -> MaskProposal | UserError:
        finder.find(wish)
        answered, answer = answers.get(timeout=30)
        assert answered is wish
        return answer

    yield asking
    finder.close()


def test_a_disc_on_noise_is_found_and_a_minus_stroke_removes_its_neighbour(ask: Ask) -> None:
    picture, one, other = discs()
    reads: list[int] = []

    def read() -> Pixels:
        reads.append(1)
        return picture

    tight = ask(Wish(picture="a", read=read, box=(80.0, 60.0, 80.0, 80.0)))
    assert isinstance(tight, MaskProposal)
    assert overlap(tight.found, one) >= 0.9
    assert tight.made_with == {"tool": "mask from box: GrabCut", "plus_strokes": 0, "minus_strokes": 0}

    both = ask(Wish(picture="a", read=read, box=BOX))
    assert isinstance(both, MaskProposal)
    before = whole(both.found)
    assert (before & other).sum() > 0.5 * other.sum()  # the same colour, in the same box
    minus = Stroke(np.array([[176.0, 100.0], [196.0, 100.0]]), 13.0, plus=False)
    plus = Stroke(np.array([[105.0, 100.0], [135.0, 100.0]]), 5.0, plus=True)
    mended = ask(Wish(picture="a", read=read, box=BOX, strokes=(plus, minus)))
    assert isinstance(mended, MaskProposal)
    assert not (whole(mended.found) & other).any()
    assert overlap(mended.found, one) >= 0.9
    assert (mended.made_with["plus_strokes"], mended.made_with["minus_strokes"]) == (1, 1)
    assert len(reads) == 1  # the picture is kept


def test_another_picture_is_read_anew(ask: Ask) -> None:
    picture, one, _ = discs()
    first = ask(Wish(picture="a", read=lambda: np.zeros_like(picture), box=BOX))
    second = ask(Wish(picture="b", read=lambda: picture, box=(80.0, 60.0, 80.0, 80.0)))
    assert isinstance(first, MaskProposal)
    assert isinstance(second, MaskProposal)
    assert overlap(second.found, one) >= 0.9


@pytest.mark.parametrize("box", [(400.0, 10.0, 20.0, 20.0), (10.0, 10.0, 0.0, 5.0), (float("nan"), 1.0, 5.0, 5.0)])
def test_a_box_without_a_place_in_the_picture_is_refused_in_words(ask: Ask, box: tuple[float, ...]) -> None:
    picture, _, _ = discs()
    answer = ask(Wish(picture="a", read=lambda: picture, box=(box[0], box[1], box[2], box[3])))
    assert isinstance(answer, UserError)
    assert "no mask can be made here" in str(answer)


def test_a_picture_that_cannot_be_read_is_told(ask: Ask) -> None:
    def read() -> Pixels:
        raise UserError("the film ends in the middle of a frame")

    answer = ask(Wish(picture="a", read=read, box=BOX))
    assert isinstance(answer, UserError)
    assert "ends in the middle" in str(answer)


CLICK = Stroke(np.array([[120.0, 100.0]]), 4.0, plus=True)
"""On the large disc."""


@pytest.mark.slow
def test_with_a_model_of_the_sam_class_a_click_is_enough(ask: Ask, tmp_path: Path) -> None:
    picture, one, other = discs()
    picture = np.repeat(np.where(one | other, 230, 30).astype(np.uint8)[..., None], 3, axis=2)
    prompt_folder(tmp_path / "models" / "tiny-sam")
    reads: list[int] = []

    def read() -> Pixels:
        reads.append(1)
        return picture

    answer = ask(Wish(picture="a", read=read, strokes=(CLICK,)))
    assert isinstance(answer, MaskProposal), answer
    assert overlap(answer.found, one | other) > 0.85  # what looks so, wherever it is
    assert answer.by == "tiny-sam"
    assert answer.made_with["tool"] == "mask from prompts: tiny-sam"
    assert len(str(answer.made_with["weights_sha256"])) == 64
    assert str(answer.made_with["device"]).startswith("CPU, ")
    ground = ask(Wish(picture="a", read=read, strokes=(Stroke(np.array([[20.0, 20.0]]), 4.0, plus=True),)))
    assert isinstance(ground, MaskProposal)
    assert overlap(ground.found, ~(one | other)) > 0.9
    boxed = ask(Wish(picture="a", read=read, box=(80.0, 60.0, 80.0, 80.0)))
    assert isinstance(boxed, MaskProposal)
    assert whole(boxed.found)[100, 120]
    assert boxed.made_with["box"] is True
    assert len(reads) == 1


def test_a_click_without_such_a_model_says_what_is_missing(ask: Ask) -> None:
    answer = ask(Wish(picture="a", read=lambda: discs()[0], strokes=(CLICK,)))
    assert isinstance(answer, UserError)
    assert "SAM class" in str(answer)


@pytest.mark.slow
def test_a_model_that_does_not_run_gives_way_to_grabcut_and_is_named(ask: Ask, tmp_path: Path) -> None:
    picture, one, _ = discs()
    prompt_folder(tmp_path / "models" / "tiny-sam", (prompt_pair()[0], b"no graph"))
    answer = ask(Wish(picture="a", read=lambda: picture, box=(80.0, 60.0, 80.0, 80.0)))
    assert isinstance(answer, MaskProposal)
    assert answer.by == "GrabCut"
    assert overlap(answer.found, one) >= 0.9
    assert answer.note.startswith("tiny-sam does not run, so GrabCut starts from the box alone: ")
    click = ask(Wish(picture="a", read=lambda: picture, strokes=(CLICK,)))
    assert isinstance(click, UserError)
    assert "pull a box" in str(click)
