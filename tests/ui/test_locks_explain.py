"""What is greyed says why and offers the act that unlocks it; Paste puts a track's shape on another frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from main_windows import bench_of, main_window

from strict_windows import copy_of, wait_for

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


@pytest.mark.slow
def test_greyed_entries_offer_their_act_and_a_copied_shape_lands_on_another_frame(
    qapp: QApplication, demo_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qapp is not None
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    with main_window(copy_of(demo_template, tmp_path / "drive"), checked=False) as window:
        bench, performing = bench_of(window), window.performing
        view = bench.view
        assert view is not None
        assert "not tried yet" in window.status.device.text()
        approve = performing.table.find("sample.approve")
        assert performing.why_not(approve, None) == "it is not handed in yet"
        offered = performing.unlock(approve, None)
        assert offered is not None
        assert offered.id == "sample.submit"
        camera = view.stream_by_key("front_camera")
        assert camera is not None
        shape = {"kind": "box", "x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}
        own = [camera.time_map.first_stream_at(round(at * 1e9)) for at in (1, 3)]
        bench.focus_on(camera.id)
        moved = {**shape, "x": 110.0}
        track = bench.run(
            "track.add", stream=camera.id, class_id="car",
            keyframes=[{"time_ns": own[0], "shape": shape}, {"time_ns": own[1], "shape": moved}],
        )  # fmt: skip
        bench.select([track], cause="test")
        bench.clock.seek(2_000_000_000)
        window.perform("edit.copy")
        bench.clock.seek(4_000_000_000)
        wait_for(window.docks.settled, what="the pictures of 4 s")
        before = bench.session.store.head()
        window.perform("annotation.copy")
        assert bench.session.store.head() == before + 1, window.status.said
        pasted = view.keyframes(bench.selected[0])[-1]
        assert pasted.time_ns > own[1]
        assert 50 < pasted.shape.x < 62  # half way, at the frame that showed
        bench.select([track], cause="test")
        window.perform("edit.paste_whole")
        (whole,) = bench.selected
        assert whole != track
        assert len(view.keyframes(whole)) == len(view.keyframes(track))
