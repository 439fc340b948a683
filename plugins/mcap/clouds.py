"""Topics of ``PointCloud2`` as sweeps. Opened through ``mcap_log``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import Cloud, Limits, MediaInfo, OpenContext, Options
from workstation.media.sweeps import LoadedSweeps

from .messages import Message, bytes_of, frame_of, stamp_ns, whole_of
from .topics import TopicMessages

CLOUD_TYPES = {"sensor_msgs/PointCloud2"}
_CODES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
_NAMES = {"i": "intensity", "doppler": "velocity", "v": "velocity", "channel": "ring", "line": "ring"}
_TIMES = ("t", "time", "timestamp", "time_stamp", "offset_time", "time_offset")
_EPOCH_S = 1e8
_MOST_FIELDS = 128


@dataclass(frozen=True, slots=True)
class _Reading:
    """How messages of a topic become points."""

    messages: TopicMessages
    limits: Limits

    def cloud(self, index: int) -> Cloud:
        """One sweep; what is wrong with it names the message."""
        try:
            return self._read(self.messages.message(index), index)
        except DataError as error:
            raise self.messages.wrong(index, error.reason) from error

    def _read(self, message: Message, index: int) -> Cloud:
        width, height, step, row_step = (
            whole_of(message, name) for name in ("width", "height", "point_step", "row_step")
        )
        count = width * height
        self.limits.check_items(count, path=self.messages.path)
        data = bytes_of(message, "data")
        if step == 0 or width * step > max(row_step, 0) or row_step * height > len(data):
            raise DataError(f"{len(data):,} bytes are not {height} rows of {width} points of {step} bytes")
        rows = np.frombuffer(data, np.uint8)[: row_step * height].reshape(height, row_step)[:, : width * step]
        packed = np.ascontiguousarray(rows).reshape(count, step)
        columns = _columns(message, packed, step)
        if not {"x", "y", "z"} <= set(columns):
            raise DataError(f"the points have {', '.join(columns)[:200] or 'nothing'}, not x, y, z")
        places = np.column_stack([columns[name].astype(np.float64) for name in "xyz"])
        known = places[np.isfinite(places).all(axis=1)]
        far = len(known) and np.abs(known).max() > 10_000
        origin = np.round(known.mean(axis=0)) if far else np.zeros(3)
        x, y, z = origin.tolist()
        with np.errstate(over="ignore"):
            points = (places - origin).astype(np.float32)
        return Cloud(
            points=points,
            origin=(x, y, z),
            fields=self._fields(columns, index, message),
            frame=frame_of(message),
            total=count,
        )

    def _fields(self, columns: dict[str, NDArray[Any]], index: int, message: Message) -> dict[str, NDArray[Any]]:
        fields: dict[str, NDArray[Any]] = {}
        for name, values in columns.items():
            if name in "xyz":
                continue
            if name in _TIMES:
                late = _late_ns(name, values, stamp_ns(message))
                if late is not None:
                    fields["time_ns"] = late + int(self.messages.times_ns[index])
                    continue
            if name in ("rgb", "rgba") and values.dtype.itemsize == 4:
                word = np.ascontiguousarray(values).view(np.uint32)
                fields["rgb"] = np.column_stack([word >> 16 & 255, word >> 8 & 255, word & 255]).astype(np.uint8)
                continue
            fields[_NAMES.get(name, name)] = values
        return fields


def _late_ns(name: str, values: NDArray[Any], stamp: int | None) -> NDArray[np.int64] | None:
    """How long after the sweep's time each point was taken; ``None`` where the unit cannot be told.

    Whole numbers are nanoseconds, as Ouster and Livox write them; fractions are seconds, since 1970 or since the sweep.
    """
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    known = values[np.isfinite(values)]
    if values.dtype.kind != "f" or not len(known):
        return None
    start = 0.0
    if np.abs(known).max() > _EPOCH_S:
        if stamp is None or np.abs(known).max() > 1e11:
            return None
        start = stamp / 1e9
    seconds = np.nan_to_num(values.astype(np.float64) - start)
    return np.rint(seconds * 1e9).astype(np.int64) if np.abs(seconds).max() < 3600 else None


def _columns(message: Message, packed: NDArray[np.uint8], step: int) -> dict[str, NDArray[Any]]:
    fields = message.get("fields")
    if not isinstance(fields, list) or len(fields) > _MOST_FIELDS:
        raise DataError("the message does not say what its points hold")
    order = ">" if message.get("is_bigendian") else "<"
    columns: dict[str, NDArray[Any]] = {}
    for field in fields:
        if not isinstance(field, dict):
            raise DataError("a field of the points cannot be read")
        name, code = str(field.get("name", ""))[:60], _CODES.get(whole_of(field, "datatype"))
        offset, count = whole_of(field, "offset"), max(1, whole_of(field, "count"))
        if code is None:
            raise DataError(f"the field {name!r} has an unknown type")
        kind = np.dtype(order + code)
        if offset + kind.itemsize * count > step:
            raise DataError(f"the field {name!r} lies outside its point of {step} bytes")
        raw = np.ascontiguousarray(packed[:, offset : offset + kind.itemsize * count])
        values = raw.view(kind).astype(kind.newbyteorder("="))
        columns[name] = values[:, 0] if count == 1 else values
    return columns


def open_clouds(paths: Sequence[Path], options: Options, context: OpenContext) -> LoadedSweeps:
    """The sweeps of one topic."""
    messages = TopicMessages(paths, options, context)

    def describe(first: Cloud) -> MediaInfo:
        return messages.info(
            StreamKind.CLOUD, {"points": first.total, "fields": ",".join(first.fields), "frame": first.frame}
        )

    try:
        load = _Reading(messages, context.limits).cloud
        return LoadedSweeps(paths, messages.table, load, context, describe=describe, close=messages.close)
    except BaseException:
        messages.close()
        raise
