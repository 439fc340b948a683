"""One topic of a recording with its times: what all streams of ``streams`` stand on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import MediaInfo, OpenContext, Options, OptionValue
from workstation.media.items import TimedItems, info_of_table, table_of_times

from .messages import Message, decoder_of, stamp_ns
from .records import Recording

_EPOCH_NS = 10**17


class TopicMessages(TimedItems):
    """The decoded messages of one topic in the order of their times."""

    def __init__(self, paths: Sequence[Path], options: Options, context: OpenContext) -> None:
        if len(paths) != 1:
            raise DataError(f"a recording is one file, not {len(paths)}")
        name = options.get("topic")
        if not isinstance(name, str) or not name:
            raise DataError("needs the option 'topic'", path=paths[0])
        self.path = paths[0]
        self.recording = Recording(paths[0], context)
        try:
            self.topic = self.recording.topic(name)
            schema = self.topic.schema
            try:
                self._decode = decoder_of(self.topic.encoding, schema.name, schema.encoding, schema.data)
            except DataError as error:
                raise DataError(error.reason, path=self.path, place=name) from error
            times, self.source = self._times(options, context)
            self._order = np.argsort(times, kind="stable")
            self.epoch_ns = int(times.min()) if int(times.min()) > _EPOCH_NS else None
            self.times_ns: NDArray[np.int64] = times[self._order] - (self.epoch_ns or 0)
            self.table = table_of_times(self.times_ns, paced=True)
        except BaseException:
            self.recording.close()
            raise

    def __len__(self) -> int:
        return len(self.times_ns)

    def message(self, index: int) -> Message:
        """Message ``index`` by its time."""
        try:
            return self._decode(self.recording.message(self.topic, int(self._order[index])))
        except DataError as error:
            raise self.wrong(index, error.reason) from error

    def each(self, context: OpenContext) -> Iterator[Message]:
        """All of them, telling how far it is and stopping when asked."""
        for i in range(len(self)):
            if i % 256 == 0:
                context.cancel.check()
                if context.progress is not None:
                    context.progress(i / len(self))
            yield self.message(i)

    def wrong(self, index: int, reason: str) -> DataError:
        """A ``DataError`` that names the message."""
        return DataError(reason, path=self.path, place=f"{self.topic.name}, message {index}")

    def info(self, kind: StreamKind, details: dict[str, OptionValue], notes: tuple[str, ...] = ()) -> MediaInfo:
        """What is known of the stream; a gap is a step in which an item is missing."""
        return info_of_table(
            kind,
            self.table,
            clock_source=self.source,
            epoch_ns=self.epoch_ns,
            details={"topic": self.topic.name, "type": self.topic.schema.name, **details},
            notes=self.recording.notes + notes,
        )

    def close(self) -> None:
        self.recording.close()

    def _times(self, options: Options, context: OpenContext) -> tuple[NDArray[np.int64], str]:
        wanted = options.get("stamp", "log")
        if wanted == "log":
            return self.recording.log_times(self.topic), "recorder (log time)"
        if wanted != "header":
            raise DataError(f"'stamp' is 'log' or 'header', not {wanted!r}", path=self.path)
        count = len(self.recording.log_times(self.topic))
        self._order = np.arange(count)
        self.times_ns = np.zeros(count, np.int64)
        stamps = [stamp_ns(message) for message in self.each(context)]
        known = [stamp for stamp in stamps if stamp is not None]
        if len(known) < len(stamps):
            raise DataError("not every message has a stamp of its sensor", path=self.path, place=self.topic.name)
        return np.array(known, np.int64), "sensor (header stamp)"
