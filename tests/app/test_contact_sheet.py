"""The contact sheet shows the pictures of the moment with the cuboids on them, and says where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from workstation.app.contact_sheet import draw_contact_sheet, write_contact_sheet
from workstation.app.drawn_marks import Marks
from workstation.app.scenery import Scenery
from workstation.app.session import Session
from workstation.app.sheet_panels import camera_panel, cloud_panel, sound_panel
from workstation.app.streams import OpenStreams
from workstation.core.errors import UserError
from workstation.core.sample import Stream

CAR_BLUE = (31, 119, 180)
Pixels = np.ndarray[Any, np.dtype[np.int64]]


def stream_of(session: Session, key: str) -> Stream:
    (sample,) = session.store.samples()
    found = session.store.stream_by_key(sample.id, key)
    assert found is not None
    return found


def panel(session: Session, make: Any, key: str, time_ns: int, size: tuple[int, int]) -> Pixels:
    (sample,) = session.store.samples()
    with OpenStreams(session.project.path) as readers:
        held: list[Any] = [Scenery(session, sample.id, readers)]
        if make is not cloud_panel:
            held.append(Marks(session, sample.id))
        drawn = make(*held, stream_of(session, key), time_ns, size)
    assert drawn.size == size
    return np.asarray(drawn).astype(np.int64)


def near(pixels: Pixels, colour: tuple[int, int, int], within: int = 60) -> Any:
    return np.abs(pixels - np.array(colour)).sum(axis=2) < within


@pytest.mark.slow
def test_a_camera_shows_its_picture_with_the_lead_car_framed(demo_session: Session) -> None:
    pixels = panel(demo_session, camera_panel, "front_camera", 4_000_000_000, (960, 540))
    blue = near(pixels, CAR_BLUE)
    assert blue[200:400, 380:560].sum() > 100, "the lead car is framed"
    film = demo_session.project.path / stream_of(demo_session, "front_camera").files[0].path
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(np.int64) for frame in container.decode(video=0)]
    away = [np.abs(pixels[60:160, 500:750] - frame[60:160, 500:750]).mean() for frame in frames]
    assert int(np.argmin(away)) == 39, "the picture taken last before 4.0 s"


def test_the_cloud_is_empty_where_a_sweep_is_missing(demo_session: Session) -> None:
    def points(time_ns: int) -> int:
        pixels = panel(demo_session, cloud_panel, "lidar", time_ns, (900, 400))
        greenish = (pixels[..., 1] > pixels[..., 0] + 40) & (pixels[..., 1] > pixels[..., 2] + 10)
        return int(greenish.sum())

    assert points(4_000_000_000) > 5 * points(5_750_000_000), "only outlines are left"


def test_the_sound_shows_where_it_is_loud(demo_session: Session) -> None:
    pixels = panel(demo_session, sound_panel, "commentary", 4_000_000_000, (1000, 170))
    wave = near(pixels, (110, 168, 224)).sum(axis=0)

    def at(seconds: float) -> int:
        return int(150 + seconds / 8.1003 * 840)

    assert wave[at(4.06) : at(4.08)].mean() > 4 * wave[at(0.05) : at(0.3)].mean(), "the beep against the silence before"


@pytest.mark.slow
def test_a_whole_sheet_is_written(demo_session: Session, tmp_path: Path) -> None:
    write_contact_sheet(demo_session, "sf_drive", 4_000_000_000, tmp_path / "new" / "sheet.png")
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        assert sheet.width == 1920
        assert sheet.height > 900
    with pytest.raises(UserError, match="no sample 'moon'"):
        draw_contact_sheet(demo_session, "moon", 0)
