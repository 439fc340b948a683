"""Proposals as values: unique keys, directions that can be turned round, times that survive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from workstation.core.cameras import Camera, Pinhole
from workstation.core.errors import DataError
from workstation.core.poses import RigidTransform
from workstation.core.sample import StreamKind
from workstation.core.space import Frame
from workstation.media.base import CloudReader, OpenContext
from workstation.media.proposal import (
    TIMES_OPTION,
    Mount,
    Proposal,
    RigProposal,
    SampleProposal,
    Skipped,
    StreamProposal,
    aligned,
    times_given,
    times_option,
)
from workstation.media.timed_files import open_timed_clouds, open_timed_images

SOURCE = Path("calib.txt")


def stream(key: str, **more: object) -> StreamProposal:
    return StreamProposal(key=key, kind=StreamKind.VIDEO, files=(Path(f"{key}.mp4"),), reader="video", **more)  # type: ignore[arg-type]


def mount(name: str, doubt: str = "") -> Mount:
    place = RigidTransform((1.0, 0.0, 0.0, 0.0), (1.0, 2.0, 3.0))
    return Mount(
        frame=Frame(name=name, parent="vehicle", parent_from_child=place),
        stated=f"{name}: vehicle_from_{name}",
        source=SOURCE,
        doubt=doubt,
    )


def test_a_doubtful_direction_can_be_turned_round() -> None:
    lens = Pinhole(fx=1, fy=1, cx=1, cy=1)
    rig = RigProposal(
        mounts=(mount("cam", "looks the wrong way; invert it"), mount("lidar")),
        cameras=(Camera(name="cam", frame="cam", width_px=2, height_px=2, lens=lens),),
    )
    sample = SampleProposal(key="a", streams=(), rig=rig)
    proposal = Proposal(folder=Path(), layout="x", title="x", samples=(sample,))
    assert proposal.doubts == ("looks the wrong way; invert it",)
    turned = rig.inverted(["cam"])
    assert turned.mounts[0].frame.parent_from_child == RigidTransform((1.0, 0.0, 0.0, 0.0), (-1.0, -2.0, -3.0))
    assert turned.mounts[0].stated.endswith(", inverted")
    assert turned.mounts[0].doubt == ""
    assert turned.mounts[1] == rig.mounts[1]
    assert turned.inverted(["cam"]).mounts[0].frame == rig.mounts[0].frame
    assert turned.calibration().camera("cam").frame == "cam"
    with pytest.raises(DataError, match="no mount of roof"):
        rig.inverted(["roof"])


def test_two_of_one_name_are_refused() -> None:
    twice = SampleProposal(key="a", streams=(stream("cam"), stream("cam")))
    with pytest.raises(DataError, match="two streams of a would be called 'cam'"):
        Proposal(folder=Path(), layout="x", title="x", samples=(twice,))
    one = SampleProposal(key="a", streams=())
    with pytest.raises(DataError, match="two samples would be called 'a'"):
        Proposal(folder=Path(), layout="x", title="x", samples=(one, one))


def test_every_file_has_a_destination() -> None:
    sample = SampleProposal(key="a", streams=(stream("cam"),), rig=RigProposal(mounts=(mount("cam"),)))
    proposal = Proposal(
        folder=Path(), layout="x", title="x", samples=(sample,), skipped=(Skipped(Path("b.txt"), "is empty"),)
    )
    assert proposal.destinations() == (
        (Path("b.txt"), "skipped: is empty"),
        (SOURCE, "a / rig"),
        (Path("cam.mp4"), "a / cam"),
    )


def test_streams_are_laid_on_one_axis_by_unix_time() -> None:
    sample = SampleProposal(key="a", streams=(stream("cam", epoch_ns=5_000), stream("mic"), stream("note")))
    laid = aligned(sample, {"cam": 99, "mic": 7_000})
    assert laid.epoch_ns == 5_000
    assert [each.time_map.to_session(0) for each in laid.streams] == [0, 2_000, 0]
    assert laid.streams[2] == sample.streams[2]
    assert aligned(sample.streams and SampleProposal(key="b", streams=(stream("x"),)), {}).epoch_ns is None


@given(st.lists(st.integers(-(10**18), 10**18), min_size=1))
def test_times_survive_as_an_option(times: list[int]) -> None:
    options = {TIMES_OPTION: times_option(times)}
    assert times_given(options, len(times), None).tolist() == times
    with pytest.raises(DataError, match=f"{len(times)} times are given for {len(times) + 1} files"):
        times_given(options, len(times) + 1, None)


@pytest.mark.parametrize("text", ["a", "1.5", "1" * 30, "--5", "٣", "9" * 20])
def test_broken_times_are_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"no whole number of nanoseconds|146 years"):
        times_given({TIMES_OPTION: text}, 1, None)


def test_pictures_with_the_times_of_a_data_set(tmp_path: Path) -> None:
    paths = []
    for i in range(3):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(np.full((2, 2), 10 * i, np.uint8)).save(paths[-1])
    options = {"times_ns": times_option([200, 0, 100]), "clock_source": "trigger"}
    reader = open_timed_images(paths, options, OpenContext())
    assert reader.table.times_ns.tolist() == [0, 100, 200]
    assert [reader.value_at(i, 0, 0)[0] for i in range(3)] == [10, 20, 0]
    assert reader.info.clock_source == "trigger"
    with pytest.raises(DataError, match="1 times are given for 3 files"):
        open_timed_images(paths, {"times_ns": "0"}, OpenContext())


def test_sweeps_with_the_times_of_a_data_set(tmp_path: Path) -> None:
    paths = []
    for i in range(3):
        paths.append(tmp_path / f"{i:010}.bin")
        np.full((2, 4), i, np.float32).tofile(paths[-1])
    options = {"times_ns": times_option([100, 200, 400]), "layout": "kitti", "frame": "lidar"}
    reader = open_timed_clouds(paths, options, OpenContext())
    assert isinstance(reader, CloudReader)
    assert reader.table.times_ns.tolist() == [100, 200, 400]
    found = reader.item_at(250)
    assert found is not None
    assert reader.cloud(found.index).points[0].tolist() == [1, 1, 1]
    assert reader.cloud(0).frame == "lidar"
    assert reader.info.rate_hz == pytest.approx(2e9 / 300)
    reader.close()
    with pytest.raises(DataError, match="2 times are given for 3 files"):
        open_timed_clouds(paths, {"times_ns": "0 1", "layout": "kitti"}, OpenContext())
