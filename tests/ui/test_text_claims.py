"""A band or bar beside a text looks other when it is only proposed, and when it was rejected."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from workstation.app.looks import claimed_name
from workstation.core.annotation import State
from workstation.core.ontology import Pattern
from workstation.ui.scenes.text_claims import paint_band, paint_bar, struck

WIDE, TALL = 60, 12


@pytest.fixture(autouse=True)
def application(qapp: QApplication) -> None:
    assert qapp is not None


def painted(state: State, *, bar: bool) -> np.ndarray:
    """How dark each pixel is, 0 to 255."""
    image = QImage(WIDE, TALL, QImage.Format.Format_Grayscale8)
    image.fill(QColor("white"))
    painter = QPainter(image)
    if bar:
        paint_bar(painter, QRectF(4, 0, 3, TALL), "#000000", state)
    else:
        paint_band(painter, QRectF(0, 4, WIDE, 4), Pattern.SOLID, QColor("black"), state=state)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(TALL, image.bytesPerLine())
    return 255 - rows[:, :WIDE].astype(int)


@pytest.mark.parametrize("state", [State.DRAFT, State.DONE, State.APPROVED])
def test_a_label_is_solid(state: State) -> None:
    assert (painted(state, bar=False)[4:8] > 200).all()
    assert (painted(state, bar=True)[:, 4:7] > 200).all()


def test_a_proposal_is_dashed_and_hollow() -> None:
    band = painted(State.PROPOSED, bar=False)
    edge = band[4, 1:-1] > 128
    assert edge.any()
    assert not edge.all()
    assert (band[6, 2:-2] < 128).all()  # nothing inside
    bar = painted(State.PROPOSED, bar=True)[:, 5] > 128
    assert bar.any()
    assert not bar.all()


def test_what_was_rejected_is_faint_and_struck_out() -> None:
    band = painted(State.REJECTED, bar=False)
    assert 0 < band.max() < 200
    assert (band[4:8] > 0).sum() < (painted(State.DONE, bar=False)[4:8] > 0).sum()
    image = QImage(4, 4, QImage.Format.Format_Grayscale8)
    painter = QPainter(image)
    with struck(painter, State.REJECTED):
        assert painter.font().strikeOut()
    assert not painter.font().strikeOut()
    with struck(painter, State.DONE):
        assert not painter.font().strikeOut()
    painter.end()


def test_a_name_says_how_sure_its_maker_is_only_while_it_is_proposed() -> None:
    assert claimed_name("Anna", State.PROPOSED, 0.817) == "Anna ? 0.82"
    assert claimed_name("", State.PROPOSED, None) == "?"
    assert claimed_name("Anna", State.DONE, 0.8) == "Anna"
