"""The streams of the open sample measured beside the work: rates, spans, gaps, and files that are missing. Without Qt.

Held by the panel of streams. Measuring opens readers of its own on a thread, one stream after the other, and hands
each result to the owner's thread as it comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workstation.app.moment import StreamFacts, facts_of
from workstation.app.relinking import missing_media
from workstation.app.streams import OpenStreams
from workstation.core.sample import Stream
from workstation.core.signal import Signal
from workstation.media.base import OpenContext, ReaderSpec

_LOOK_S = 0.02
Post = Callable[[Callable[[Any], None], object], None]


class Measuring:
    """``measure`` the streams of a sample; ``changed`` tells after each of them, on the owner's thread."""

    def __init__(self, post: Post) -> None:
        self.changed: Signal[Measuring] = Signal("streams_measured")
        self.facts: dict[str, StreamFacts] = {}
        """By stream id, as far as it has come."""
        self.missing: dict[str, tuple[str, ...]] = {}
        """A sentence for each missing or changed file, by stream id."""
        self._post = post
        self._run = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def measure(
        self,
        streams: Sequence[Stream],
        project: Path,
        readers: Sequence[ReaderSpec],
        context: OpenContext,
        *,
        calm: threading.Event | None = None,
    ) -> None:
        """Begin anew, when there is ``calm``; what an earlier call still brings is dropped."""
        self.close()
        self._stop = threading.Event()
        self._run += 1
        self.facts, self.missing = {}, {}
        arguments = (self._run, self._stop, tuple(streams), project, readers, context, calm)
        self._thread = threading.Thread(target=self._work, args=arguments, name="measure streams", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the stream that is being measured; a second call does nothing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(
        self,
        run: int,
        stop: threading.Event,
        streams: Sequence[Stream],
        project: Path,
        readers: Sequence[ReaderSpec],
        context: OpenContext,
        calm: threading.Event | None,
    ) -> None:
        while calm is not None and not calm.wait(_LOOK_S):
            if stop.is_set():
                return
        with OpenStreams(project, readers=readers, context=context) as opened:
            for stream in streams:
                missing = tuple(missing_media(project, [stream]))
                for facts in facts_of([stream], opened):
                    self._post(self._take, (run, stream.id, facts, missing))
                if stop.is_set():
                    return

    def _take(self, found: tuple[int, str, StreamFacts, tuple[str, ...]]) -> None:
        run, stream, facts, missing = found
        if run == self._run and not self._stop.is_set():
            self.facts[stream] = facts
            if missing:
                self.missing[stream] = missing
            self.changed.emit(self)
