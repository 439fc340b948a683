"""The decoders of one video: one that goes forward, one for going back, and the way back from a graphics card.

Used by ``video.py`` under its lock. A second decoder, opened when somebody first goes back, reads the groups behind
without losing the place of the first: playing on after a step back needs no seek.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from workstation.media.base import CancelToken, OptionValue
from workstation.media.video_decode import FrameDecoder, Keep

_log = logging.getLogger(__name__)
OpenDecoder = Callable[[str], FrameDecoder]
"""(device, empty for the processor) -> a decoder of its own."""


class Decoders:
    """Decodes stretches of frames going forward or back. One thread at a time."""

    def __init__(self, path: Path, track: int, open_decoder: OpenDecoder, device: str = "") -> None:
        self._path = path
        self.track = track
        self._open = open_decoder
        self.device = device
        """The graphics card that decodes, empty for the processor."""
        self._forward = open_decoder(device)
        self._back: FrameDecoder | None = None
        self.description: dict[str, OptionValue] = self._forward.description
        self._spent = 0

    @property
    def packets_decoded(self) -> int:
        """What all of it has cost so far."""
        back = self._back.packets_decoded if self._back is not None else 0
        return self._spent + self._forward.packets_decoded + back

    def next_frame(self, index: int) -> int | None:
        """The first frame that comes by going on forward, if that is the way to ``index``; ``None`` after a seek."""
        return self._forward.next_frame if self._forward.can_go_on(index) else None

    def decode(self, first: int, last: int, keep: Keep, cancel: CancelToken, *, back: bool = False) -> None:
        """Hand frames ``first`` to ``last`` to ``keep``. What a card cannot give, the processor is asked for."""
        if self._decoder(back).decode(first, last, keep, cancel) or not self.device:
            return
        # Proven when it was opened, and still: drivers reset, and a card that sleeps loses its decoders.
        _log.info("%s: frame %d did not come from the device %s; the processor goes on", self._path, last, self.device)
        self._to_processor()
        self._decoder(back).decode(first, last, keep, cancel)

    def another(self) -> FrameDecoder:
        """One more, on the processor; the caller owns it."""
        return self._open("")

    def close(self) -> None:
        for decoder in (self._forward, self._back):
            if decoder is not None:
                decoder.close()

    def _decoder(self, back: bool) -> FrameDecoder:
        if not back:
            return self._forward
        if self._back is None:
            self._back = self._open(self.device)
        return self._back

    def _to_processor(self) -> None:
        processor = self._open("")
        self._spent = self.packets_decoded
        self.close()
        self.device, self._forward, self._back = "", processor, None
