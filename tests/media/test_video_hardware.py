"""A graphics card is used only after it gave the same frames; without one nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from films import FILMS, Film, read_code, yuv_frame

from workstation.core.errors import DataError
from workstation.media.base import CancelToken, OpenContext
from workstation.media.video import VideoFile, open_video
from workstation.media.video_decode import FrameDecoder, Keep
from workstation.media.video_decoders import Decoders
from workstation.media.video_hardware import equal_frames, proven_device
from workstation.media.video_table import PacketTable, packet_table

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


class Card:
    """Decoders of a pretended graphics card: what the processor gives, with a flaw."""

    def __init__(self, flaw: str) -> None:
        self.flaw = flaw
        self.open = 0

    def __call__(
        self, path: Path, track: int, table: PacketTable, *, max_pixels: int, threads: int = 2, hardware: str = ""
    ) -> FrameDecoder:
        if hardware and self.flaw == "absent":
            raise DataError("no such device", path=path)
        return _CardDecoder(self, hardware, path, track, table, max_pixels=max_pixels, threads=threads)


class _CardDecoder(FrameDecoder):
    def __init__(self, card: Card, device: str, path: Path, track: int, table: PacketTable, **options: int) -> None:
        super().__init__(path, track, table, max_pixels=options["max_pixels"], threads=options["threads"])
        self._card, self._device = card, device
        card.open += 1

    def close(self) -> None:
        self._card.open -= 1
        super().close()

    def decode(self, first: int, last: int, keep: Keep, cancel: CancelToken) -> bool:
        flaw = self._card.flaw if self._device else ""
        if flaw == "fails":
            raise ValueError("the driver says no")
        if flaw == "lost":
            return False

        def flawed(index: int, frame: av.VideoFrame) -> None:
            if flaw == "one pixel" and index == 2:
                np.frombuffer(frame.planes[0], np.uint8)[7] ^= 1
            if flaw != "drops the last" or index != last:
                keep(index, frame)

        return super().decode(first, last, flawed, cancel) and flaw != "drops the last"


def proven(made: Made, card: Card, devices: tuple[str, ...] = ("fake",)) -> tuple[str, str]:
    path = made(FILMS[0])
    table = packet_table(path, 0, OpenContext())
    found = proven_device(path, 0, table, max_pixels=1 << 24, devices=lambda: devices, open_decoder=card)
    assert card.open == 0
    return found


def test_a_card_that_gives_the_same_frames_is_used(made: Made) -> None:
    assert proven(made, Card("")) == ("fake", "")


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("one pixel", "fake gives other pixels than the processor"),
        ("drops the last", "fake gives other pixels than the processor"),
        ("fails", "fake fails on this file"),
        ("absent", "fake is not there or not for this codec"),
    ],
)
def test_any_other_card_is_refused_with_a_reason(flaw: str, reason: str, made: Made) -> None:
    device, why = proven(made, Card(flaw))
    assert device == ""
    assert why == f"decoded on the processor, since no graphics card can be used: {reason}"


def test_no_card_is_a_reason_too(made: Made) -> None:
    assert proven(made, Card(""), ()) == (
        "",
        "decoded on the processor, since no graphics card can be used: this program's decoders know none",
    )


def test_a_card_that_fails_later_is_replaced_by_the_processor(made: Made) -> None:
    path, card = made(FILMS[0]), Card("")
    table = packet_table(path, 0, OpenContext())
    decoders = Decoders(path, 0, lambda device: card(path, 0, table, max_pixels=1 << 24, hardware=device), "fake")
    video = VideoFile(path, table, decoders, OpenContext())
    assert read_code(video.picture(100).pixels) == 100
    card.flaw = "lost"
    assert [read_code(video.picture(i).pixels) for i in (20, 19, 140)] == [20, 19, 140]
    assert decoders.device == ""
    video.close()
    assert card.open == 0


def test_asking_for_a_card_is_exact_with_or_without_one(made: Made) -> None:
    for film in (FILMS[0], FILMS[11]):
        video = open_video([made(film)], {"hardware": True}, OpenContext())
        try:
            assert [read_code(video.picture(i).pixels) for i in (0, 99, 98, 30)] == [0, 99, 98, 30]
            on_processor = video.info.details["decoder"] == "processor"
            assert any("on the processor" in note for note in video.info.notes) == on_processor
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
