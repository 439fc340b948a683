"""A graphics card is used only after it gave the same frames; without one nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from films import FILMS, Film, read_code, yuv_frame

from workstation.media.base import OpenContext
from workstation.media.video import open_video
from workstation.media.video_hardware import equal_frames

Made = Callable[[Film], Path]


def test_one_pixel_decides() -> None:
    frames = [yuv_frame(i, 64, 48) for i in range(4)]
    same = [yuv_frame(i, 64, 48) for i in range(4)]
    assert equal_frames(frames, same)
    assert not equal_frames(frames, same[:3])
    assert not equal_frames([], [])
    assert not equal_frames(frames, [frame.reformat(format="nv12") for frame in same])
    plane = np.frombuffer(same[2].planes[1], np.uint8)
    plane[5] += 1
    assert not equal_frames(frames, same)


def test_asking_for_a_card_is_exact_with_or_without_one(made: Made) -> None:
    for film in (FILMS[0], FILMS[11]):
        video = open_video([made(film)], {"hardware": True}, OpenContext())
        try:
            assert [read_code(video.picture(i).pixels) for i in (0, 99, 98, 30)] == [0, 99, 98, 30]
            assert video.info.details["decoder"] in (
                "processor",
                "cuda",
                "qsv",
                "drm",
                "vaapi",
                "videotoolbox",
                "d3d11va",
            )
        finally:
            video.close()
