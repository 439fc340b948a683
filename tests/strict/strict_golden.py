"""Golden pictures: what a widget paints, compared with a picture that a person has looked at and approved.

``assert_golden(image, __file__, "name")`` compares with ``golden/name.png`` beside the test. A pixel is different when
one of its channels is more than ``threshold`` off; the test fails when more than ``count`` pixels are. On failure the
result, the reference and the difference are saved side by side, and the message says where.

Only a person renews a reference, who has looked at the new picture: run the test with ``WORKSTATION_RENEW_GOLDEN=name``
(or ``all``) in the environment. A renewing run still fails, so that it cannot pass for a test.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

RENEW = "WORKSTATION_RENEW_GOLDEN"
SAVE_IN = "WORKSTATION_GOLDEN_RESULTS"
"""Folder for what is saved on failure; the system's temporary folder otherwise."""


def assert_golden(image: QImage, test_file: str, name: str, *, threshold: int = 24, count: int = 200) -> None:
    """Compare with the approved picture of that name; fail with three saved pictures where they differ."""
    reference_path = Path(test_file).parent / "golden" / f"{name}.png"
    result = pixels_of(image)
    if os.environ.get(RENEW) in (name, "all"):
        reference_path.parent.mkdir(exist_ok=True)
        assert image.save(str(reference_path)), reference_path
        pytest.fail(f"renewed {reference_path.name}; look at it, then run without {RENEW}", pytrace=False)
    if not reference_path.is_file():
        saved = _save(name, result=result)
        pytest.fail(f"no golden picture {reference_path.name} yet; the result is in {saved}", pytrace=False)
    reference = _read(reference_path)
    different = differing(result, reference, threshold=threshold)
    wrong = int(np.count_nonzero(different))
    if wrong > count:
        saved = _save(name, result=result, reference=reference, difference=_shown(different))
        pytest.fail(
            f"{name}: {wrong} pixels are more than {threshold} off, at most {count} may be; see {saved}", pytrace=False
        )


def differing(result: NDArray[np.uint8], reference: NDArray[np.uint8], *, threshold: int) -> NDArray[np.bool_]:
    """(height, width) which pixels differ by more than ``threshold`` in a channel; another size differs everywhere."""
    if result.shape != reference.shape:
        return np.ones((max(result.shape[0], reference.shape[0]), max(result.shape[1], reference.shape[1])), np.bool_)
    off = np.abs(result.astype(np.int16) - reference.astype(np.int16)).max(axis=2)
    over: NDArray[np.bool_] = off > threshold
    return over


def pixels_of(image: QImage) -> NDArray[np.uint8]:
    """(height, width, 3) RGB of a picture; copied, so that the picture may go."""
    from PySide6.QtGui import QImage

    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).copy()


def _read(path: Path) -> NDArray[np.uint8]:
    from PySide6.QtGui import QImage

    image = QImage(str(path))
    assert not image.isNull(), f"{path} is no picture"
    return pixels_of(image)


def _shown(different: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """White where the pictures differ."""
    return np.repeat(different[:, :, None], 3, axis=2).astype(np.uint8) * 255


def _save(name: str, **pictures: NDArray[np.uint8]) -> Path:
    from PySide6.QtGui import QImage

    folder = Path(os.environ.get(SAVE_IN) or tempfile.gettempdir()) / "golden"
    folder.mkdir(parents=True, exist_ok=True)
    for kind, pixels in pictures.items():
        height, width = pixels.shape[:2]
        held = np.ascontiguousarray(pixels)
        QImage(held.data, width, height, 3 * width, QImage.Format.Format_RGB888).save(
            str(folder / f"{name}_{kind}.png")
        )
    return folder
