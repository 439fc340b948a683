"""The golden comparison itself: it sees what differs, lets pass what does not, and never approves by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from strict_golden import RENEW, SAVE_IN, assert_golden


def picture(*, spoiled: int = 0, shade: int = 100) -> QImage:
    image = QImage(40, 20, QImage.Format.Format_RGB32)
    image.fill(QColor(shade, shade, shade))
    for i in range(spoiled):
        image.setPixelColor(i % 40, i // 40, QColor(255, 0, 0))
    return image


@pytest.fixture
def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(SAVE_IN, str(tmp_path / "saved"))
    (tmp_path / "golden").mkdir()
    assert picture().save(str(tmp_path / "golden" / "grey.png"))
    return str(tmp_path / "test_it.py")


def test_what_is_alike_passes_and_a_shade_off_is_alike(test_file: str) -> None:
    assert_golden(picture(), test_file, "grey", count=0)
    assert_golden(picture(shade=110), test_file, "grey", count=0)
    assert_golden(picture(spoiled=5), test_file, "grey", count=5)


@pytest.mark.parametrize("result", [picture(spoiled=6), picture(shade=200), QImage(39, 20, QImage.Format.Format_RGB32)])
def test_what_differs_fails_with_three_pictures(test_file: str, tmp_path: Path, result: QImage) -> None:
    with pytest.raises(pytest.fail.Exception, match="pixels are more than"):
        assert_golden(result, test_file, "grey", count=5)
    saved = {path.name for path in (tmp_path / "saved" / "golden").iterdir()}
    assert saved == {"grey_result.png", "grey_reference.png", "grey_difference.png"}


def test_nothing_is_approved_unasked_and_renewing_fails_too(
    test_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(pytest.fail.Exception, match="no golden picture"):
        assert_golden(picture(), test_file, "other")
    assert not (tmp_path / "golden" / "other.png").exists()
    monkeypatch.setenv(RENEW, "other")
    with pytest.raises(pytest.fail.Exception, match="renewed"):
        assert_golden(picture(), test_file, "other")
    monkeypatch.delenv(RENEW)
    assert_golden(picture(), test_file, "other", count=0)
