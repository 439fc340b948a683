"""One picture of a sample at one moment: cameras with projected cuboids, LiDAR from above, sound with its turns.

For ``make demo``, for reports, and for a machine without a display. Drawn with NumPy and Pillow from the same readers
and the same projection that the panes use; ``sheet_panels.py`` draws each part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw

from workstation.app.drawn_marks import Marks
from workstation.app.reading import Formats
from workstation.app.scenery import Scenery
from workstation.app.session import Session
from workstation.app.sheet_canvas import INK, PAPER, QUIET, Size, font
from workstation.app.sheet_marks import picture_panel, slice_panel, text_panel
from workstation.app.sheet_panels import camera_panel, cloud_panel, lanes_panel, sound_panel
from workstation.app.streams import OpenStreams
from workstation.core.errors import UserError
from workstation.core.sample import Stream, StreamKind

Drawn = Callable[[int, Size], Image.Image]
Panel = Callable[[Scenery, Marks, Stream, int, Size], Image.Image]
WIDTH_PX = 1920
_EDGE = 16
_HEAD_PX = 64
_MOST_CAMERAS = 12


@dataclass(frozen=True, slots=True)
class _Place:
    left: int
    top: int
    width: int
    height: int


def draw_contact_sheet(session: Session, sample_key: str, session_ns: int) -> Image.Image:
    """The sheet of a sample at a session time."""
    sample = session.store.sample_by_key(sample_key)
    if sample is None:
        raise UserError(f"there is no sample {sample_key[:80]!r}")
    streams = session.store.streams(sample.id)
    with OpenStreams(session.project.path, readers=Formats().readers) as readers:
        placed, height = _laid_out(streams, Scenery(session, sample.id, readers), Marks(session, sample.id))
        sheet = Image.new("RGB", (WIDTH_PX, height), PAPER)
        _head(sheet, sample_key, session_ns, streams)
        for place, panel in placed:
            sheet.paste(panel(session_ns, (place.width, place.height)), (place.left, place.top))
    return sheet


def write_contact_sheet(session: Session, sample_key: str, session_ns: int, path: Path) -> None:
    """Draw the sheet into a PNG file."""
    sheet = draw_contact_sheet(session, sample_key, session_ns)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, format="PNG")


def _laid_out(streams: Sequence[Stream], scenery: Scenery, marks: Marks) -> tuple[list[tuple[_Place, Drawn]], int]:
    """Rows of cameras, with the cloud beside the last of them if there is room, then lanes and sound."""
    cameras = _looked_at(streams, marks)
    clouds = [s for s in streams if s.kind is StreamKind.CLOUD][:1]
    across = 3 if len(cameras) > 2 else 2
    cell = (WIDTH_PX - _EDGE * (across + 1)) // across
    tall = cell * 9 // 16
    placed: list[tuple[_Place, Drawn]] = []
    top, column = _HEAD_PX, 0
    for number, (stream, panel) in enumerate(cameras):
        row, column = divmod(number, across)
        place = _Place(_EDGE + column * (cell + _EDGE), top + row * (tall + _EDGE), cell, tall)
        placed.append((place, partial(panel, scenery, marks, stream)))
    rows = -(-len(cameras) // across)
    bottom = top + rows * (tall + _EDGE)
    if clouds:
        beside = rows > 0 and column + 1 < across and len(cameras) > 1
        left = _EDGE + (column + 1) * (cell + _EDGE) if beside else _EDGE
        cloud_top = bottom - tall - _EDGE if beside else bottom
        cloud_height = tall + 160 if beside else 620
        placed.append(
            (_Place(left, cloud_top, WIDTH_PX - left - _EDGE, cloud_height), partial(cloud_panel, scenery, clouds[0]))
        )
        if beside:  # the lanes stand below the last camera, beside the cloud
            placed.append((_Place(_EDGE, bottom, left - 2 * _EDGE, 144), partial(lanes_panel, scenery, streams)))
        bottom = cloud_top + cloud_height + _EDGE
    if not clouds or not any(place.height == 144 for place, _ in placed):
        placed.append(
            (
                _Place(_EDGE, bottom, WIDTH_PX - 2 * _EDGE, 24 + 22 * len(streams)),
                partial(lanes_panel, scenery, streams),
            )
        )
        bottom += 24 + 22 * len(streams) + _EDGE
    for stream in [s for s in streams if s.kind is StreamKind.AUDIO][:3]:
        placed.append((_Place(_EDGE, bottom, WIDTH_PX - 2 * _EDGE, 170), partial(sound_panel, scenery, marks, stream)))
        bottom += 170 + _EDGE
    return placed, bottom


def _looked_at(streams: Sequence[Stream], marks: Marks) -> list[tuple[Stream, Panel]]:
    """What has a panel of its own, and which: cameras first; texts only if something is labelled in them."""
    found: list[tuple[Stream, Panel]] = [
        (each, camera_panel) for each in _in_view_order([s for s in streams if s.kind is StreamKind.VIDEO])
    ]
    found += [(each, picture_panel) for each in streams if each.kind is StreamKind.IMAGE]
    found += [(each, slice_panel) for each in streams if each.kind is StreamKind.VOLUME]
    found += [(each, text_panel) for each in streams if each.kind is StreamKind.TEXT and any(marks.on(each))]
    return found[:_MOST_CAMERAS]


def _in_view_order(cameras: Sequence[Stream]) -> list[Stream]:
    """As one looks around: left, middle, right, then what looks back; others by their key."""

    def rank(stream: Stream) -> tuple[int, int, str]:
        words = f"{stream.key} {stream.role}".replace("_", " ").split()
        return ("back" in words or "rear" in words, ("right" in words) - ("left" in words), stream.key)

    return sorted(cameras, key=rank)


def _head(sheet: Image.Image, sample: str, session_ns: int, streams: Sequence[Stream]) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.text((_EDGE, 16), f"{sample} at {session_ns / 1e9:.3f} s", fill=INK, font=font(26))
    licences = "; ".join(dict.fromkeys(stream.licence for stream in streams if stream.licence))
    draw.text((WIDTH_PX - _EDGE, 24), licences, fill=QUIET, font=font(15), anchor="ra")
