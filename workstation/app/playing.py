"""The sound of the open sample: which streams sound, through which readers, on which device.

``session.player`` is the one of a session; a window that has readers, caches or a device of its own makes
``Playing(session, …)`` first. Playing follows the session: another sample, changed files and maps are taken up.
Readers are opened on the player's own thread, apart from those that draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from workstation.app.settings import read_settings, settings_or_usual, write_settings
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.records import RecordKind
from workstation.core.sample import Stream, StreamKind
from workstation.media.base import AudioReader, OpenContext, ReaderSpec
from workstation.media.playback import OutputState, Player, SoundOutput, Track, TrackMix
from workstation.store.changes import ChangeSet

if TYPE_CHECKING:
    from workstation.app.session import Session

__all__ = ["Playing", "TrackMix", "device_in_words", "keep_offset", "tracks_of"]


class Playing:
    """A player whose tracks are the sounds of the session's sample. For the session's thread."""

    def __init__(
        self,
        session: Session,
        *,
        output: SoundOutput | None = None,
        readers: Sequence[ReaderSpec] | None = None,
        context: OpenContext | None = None,
    ) -> None:
        if output is None:
            from workstation.media.playback_device import SoundCardOutput

            output = SoundCardOutput()
        self._session = session
        self._readers = readers
        self._context = context
        self._streams: tuple[Stream, ...] = ()
        self.player = Player(session.clock, output, offsets=settings_or_usual().sound_offsets_ns)
        session.changed.connect(self._on_change)
        self.refresh()

    def refresh(self) -> None:
        """Take up the sounds of the sample that is open now; what is the same plays on."""
        sample = self._session.sample
        streams = () if sample is None else tuple(self._session.store.streams(sample))
        sounding = tuple(stream for stream in streams if stream.kind is StreamKind.AUDIO)
        if sounding != self._streams:
            self._streams = sounding
            self.player.set_tracks(
                tracks_of(self._session.project.path, sounding, readers=self._readers, context=self._context)
            )

    def close(self) -> None:
        """Let go of device and files."""
        self._session.changed.disconnect(self._on_change)
        self.player.close()

    def _on_change(self, changes: ChangeSet) -> None:
        if changes.touched(RecordKind.STREAM):
            self.refresh()


def device_in_words(player: Player) -> tuple[str, str]:
    """What the status bar says of the sound, and the whole of it for those who point there."""
    output = player.status.output
    if output.state in (OutputState.NO_LIBRARY, OutputState.NO_DEVICE):
        return "no sound device: silent clock", output.reason
    words = f"sound: {output.device or output.state.value}"
    return words, output.reason or words


def keep_offset(device: str, offset_ns: int, residual_ns: int | None = None) -> None:
    """Write a device's compensation into the settings, and what was left with it; 0 without a residual forgets it."""
    settings = read_settings()
    offsets = {**settings.sound_offsets_ns, device: offset_ns}
    residuals = {name: kept for name, kept in settings.sound_residuals_ns.items() if name != device}
    if residual_ns is not None:
        residuals[device] = residual_ns
    elif not offset_ns:
        del offsets[device]
    write_settings(msgspec.structs.replace(settings, sound_offsets_ns=offsets, sound_residuals_ns=residuals))


def tracks_of(
    project: Path,
    streams: Sequence[Stream],
    *,
    readers: Sequence[ReaderSpec] | None = None,
    context: OpenContext | None = None,
) -> list[Track]:
    """The sounds among some streams, each opened when it is first played."""
    return [
        Track(
            key=stream.key,
            open=partial(_opened, project, stream, readers, context),
            time_map=stream.time_map,
        )
        for stream in streams
        if stream.kind is StreamKind.AUDIO
    ]


def _opened(
    project: Path, stream: Stream, readers: Sequence[ReaderSpec] | None, context: OpenContext | None
) -> AudioReader:
    """A reader that belongs to the caller alone: others may read the same file elsewhere."""
    reader = OpenStreams(project, readers=readers, context=context).reader(stream)
    if not isinstance(reader, AudioReader):
        reader.close()
        raise DataError("its reader gives no sound", path=stream.key)
    return reader
