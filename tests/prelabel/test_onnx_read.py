"""What a bare ONNX file says of itself, against graphs whose bytes the tests write; hostile bytes are a sentence."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_graphs import Node, bright_box, graph_bytes
from workstation.core.errors import DataError
from workstation.prelabel.onnx_read import Port, read_signature, signature_of


def test_inputs_outputs_and_notes_are_read() -> None:
    found = signature_of(bright_box({"names": "{0: 'person'}", "task": "detect"}), "m")
    assert found.inputs == (Port("x", "float32", ("n", 3, "h", "w")),)
    assert found.outputs == (Port("columns", "float32", ("n", "w")), Port("rows", "float32", ("n", "h")))
    assert found.metadata == {"names": "{0: 'person'}", "task": "detect"}
    assert not found.external


def test_weights_among_the_inputs_are_no_inputs() -> None:
    data = graph_bytes(
        [Node("Add", ["x", "w"], ["y"])], inputs={"x": [4], "w": [4]}, outputs={"y": [4]},
        weights={"w": np.ones(4, np.float32)},
    )  # fmt: skip
    assert [port.name for port in signature_of(data, "m").inputs] == ["x"]


def read_or_refused(data: bytes) -> None:
    """Anything but a ``DataError`` fails the test by itself."""
    with contextlib.suppress(DataError):
        assert signature_of(data, "m").outputs


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_or_refused(data)


@given(st.integers(0, len(bright_box()) - 1), st.integers(0, 255))
def test_a_flipped_byte_is_read_or_refused(place: int, value: int) -> None:
    data = bytearray(bright_box())
    data[place] = value
    read_or_refused(bytes(data))


@given(st.integers(0, len(bright_box()) - 1))
def test_a_cut_file_is_refused_or_lacks_its_end(size: int) -> None:
    try:
        found = signature_of(bright_box()[:size], "m")
    except DataError:
        return
    assert found.outputs


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"])
def test_files_that_are_none_are_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "thing.onnx"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"thing\.onnx: .*not an ONNX model"):
        read_signature(path)


def test_a_file_that_is_not_there_and_a_folder_are_said(tmp_path: Path) -> None:
    for path in (tmp_path / "no.onnx", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            read_signature(path)
