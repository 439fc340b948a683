"""A mask carried over a film whose truth the test draws: where it goes, where it ends, and what is kept of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from tests.tiny_graphs import prompt_folder
from workstation.app import prompted_masks
from workstation.app.carried_masks import FLOW, Carried, CarryWish, carry, propose
from workstation.app.models import models_shelf
from workstation.app.opening import new_project, open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.cli.main import main
from workstation.core.annotation import State
from workstation.core.errors import UserError
from workstation.core.geometry import Mask
from workstation.core.ids import SampleId
from workstation.core.pixels import runs_of_mask
from workstation.core.sample import Stream, StreamKind
from workstation.prelabel.masks import FoundMask
from workstation.prelabel.promptable_memory import ROLES
from workstation.prelabel.providers import Verdict

FRAMES, GONE = 14, 9
ONTOLOGY = """
version: 1
name: discs
language: en
modalities: [video]
shapes: {video: [mask, box]}
classes:
  disc: {name: Disc}
"""


def truth(number: int) -> np.ndarray:
    down, across = np.mgrid[:120, :200] + 0.5
    return np.asarray(np.hypot(across - 50 - 4 * number, down - 60 - number) <= 22)


def frame(number: int) -> np.ndarray:
    """A bright disc that goes right and down over ground of its own; from ``GONE`` on nothing is there."""
    ground = np.random.default_rng(3).integers(20, 90, (30, 50, 3)).repeat(4, 0).repeat(4, 1)
    if number < GONE:
        ground[truth(number)] = (230, 210, 60)
    return ground.astype(np.uint8)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    (folder / "o.yaml").write_text(ONTOLOGY)
    files = [folder / f"f_{number:02}.png" for number in range(FRAMES)]
    for number, each in enumerate(files):
        Image.fromarray(frame(number)).save(each)
    made = new_project(folder / "p", ontology=str(folder / "o.yaml"), in_force=True, person="ann")
    told = [str(each) for each in files]
    assert main(["add", str(made), *told, "--sample", "s", "--stream", "front", "--kind", "video"]) == 0
    return made


def stream_of(session: Session) -> Stream:
    (stream,) = session.store.streams(sample_of(session))
    return stream


def sample_of(session: Session) -> SampleId:
    (sample,) = session.store.samples()
    return sample.id


def start(project: Path, stream: Stream, count: int) -> CarryWish:
    return CarryWish(
        project=project, stream=stream, index=0, count=count, mask=FoundMask(left=0, top=0, mask=truth(0), score=1.0)
    )  # fmt: skip


def overlaps(carried: Carried) -> list[float]:
    found = []
    for each in carried.masks:
        laid = np.zeros((120, 200), np.bool_)
        height, width = each.found.mask.shape
        laid[each.found.top : each.found.top + height, each.found.left : each.found.left + width] = each.found.mask
        found.append(float((laid & truth(each.index)).sum() / (laid | truth(each.index)).sum()))
    return found


def test_flow_follows_the_disc_and_ends_where_it_is_gone(film: Path, tmp_path: Path) -> None:
    shelf = models_shelf(tmp_path / "models")
    told: list[int] = []
    with open_project(film, read_only=True) as session:
        stream = stream_of(session)
    carried = carry(start(film, stream, FRAMES), shelf=lambda: shelf, tell=lambda done, _: told.append(done))
    assert [each.index for each in carried.masks] == list(range(1, GONE))
    assert min(overlaps(carried)) > 0.9
    assert carried.source.name == FLOW
    assert carried.ended == "after 8 what lies under it looks like something else"
    assert told == list(range(1, GONE))
    whole = carry(start(film, stream, 3), shelf=lambda: shelf)
    assert (len(whole.masks), whole.ended) == (3, "")


def test_what_is_kept_is_one_proposed_track_of_the_same_thing(film: Path, tmp_path: Path) -> None:
    shelf = models_shelf(tmp_path / "models")
    with open_project(film, person="ann") as session:
        stream, sample = stream_of(session), sample_of(session)
        session.open_sample("s")
        height, width = truth(0).shape
        counts = runs_of_mask(truth(0))
        shape = {"kind": "mask_rle", "x": 0, "y": 0, "width": width, "height": height, "counts": counts}
        first = session.run("track.add", stream=stream.id, class_id="disc",
                            keyframes=({"time_ns": stream_times(session, stream)[0], "shape": shape},))  # fmt: skip
        record = SampleView(session.store, sample).annotations[first]
        carried = carry(start(film, stream, 5), shelf=lambda: shelf)
        with session.together("Carry") as run:
            made = propose(run, start(film, stream, 5), record, carried.masks[:4], carried.source)
        view = SampleView(session.store, sample)
        kept = view.annotations[made]
        assert (kept.state, kept.entity) == (State.PROPOSED, record.entity)
        assert kept.confidence == pytest.approx(min(each.found.score for each in carried.masks[:4]), abs=1e-3)
        frames = view.keyframes(made)
        assert [each.time_ns for each in frames] == [each.own_ns for each in carried.masks[:4]]
        assert all(isinstance(each.shape, Mask) for each in frames)
        session.undo()
        assert made not in {each.id for each in session.store.annotations(sample)}


def stream_times(session: Session, stream: Stream) -> list[int]:
    from workstation.app.reading import Formats
    from workstation.app.streams import OpenStreams

    with OpenStreams(session.project.path, readers=Formats().readers) as readers:
        return [int(each) for each in readers.reader(stream).table.times_ns]  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_model_of_the_sam_class_follows_where_one_is(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    prompt_folder(tmp_path / "models" / "tiny-sam")
    with open_project(film, read_only=True) as session:
        stream = stream_of(session)
    carried = carry(start(film, stream, 4), shelf=lambda: models_shelf(tmp_path / "models"))
    assert carried.source.name == "tiny-sam"
    assert carried.source.weights_sha256
    assert min(overlaps(carried)) > 0.75  # 64 × 64 pixels are all it sees
    assert carried.note == ""


class FollowsWhatIsYellow:
    """In place of a model's process: graphs with memory, of which the decoder finds what is yellow."""

    providers = ("CPUExecutionProvider",)

    def __init__(self, path: Path, **_more: object) -> None:
        self._role = path.stem

    def __enter__(self) -> FollowsWhatIsYellow:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing to end."""

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        plain: dict[str, dict[str, Any]] = {
            "decoder": {"obj_ptr": np.zeros((1, 4)), "mask_for_mem": np.zeros((1, 1, 8, 8))},
            "memory_attention": {"image_embed": feeds.get("current_vision_feat")},
            "memory_encoder": {"maskmem_features": np.zeros((1, 2, 2, 2)), "maskmem_pos_enc": np.zeros((4, 1, 2)),
                               "temporal_code": np.zeros((7, 1, 1, 2))},
        }  # fmt: skip
        if self._role == "encoder":
            image = feeds["image"]
            yellow = (image[:, :1] - image[:, 2:]) * 20 - 8
            names = ("pix_feat", "high_res_feat0", "high_res_feat1", "vision_feats", "vision_pos_embed")
            return dict.fromkeys(names, yellow)
        if self._role == "decoder":
            return {**plain["decoder"], "pred_mask": feeds["image_embed"]}
        return plain[self._role]


def test_a_model_with_memory_comes_first(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompted_masks, "Worker", FollowsWhatIsYellow)
    verdict = Verdict(provider="CPUExecutionProvider", milliseconds=0.0, attempts=())
    monkeypatch.setattr(prompted_masks, "verdict_of", lambda *_said, **_more: verdict)
    monkeypatch.setattr(prompted_masks, "here", lambda: None)
    folder = tmp_path / "models" / "remembers"
    folder.mkdir(parents=True)
    files = []
    for role in ROLES:
        (folder / f"{role}.onnx").write_bytes(role.encode())
        files.append(f"{role}: {{path: {role}.onnx, sha256: {hashlib.sha256(role.encode()).hexdigest()}}}")
    (folder / "model.yaml").write_text(
        "schema: 1\nid: remembers\ntask: promptable-seg\nfamily: sam2-video\n"
        f"files: {{{', '.join(files)}}}\ninput: {{size: [64, 64], scale: 0.0039, resize: stretch}}\n"
    )
    with open_project(film, read_only=True) as session:
        stream = stream_of(session)
    carried = carry(start(film, stream, FRAMES), shelf=lambda: models_shelf(tmp_path / "models"))
    assert carried.source.name == "remembers"
    assert carried.source.parameters["tool"] == "mask carried by its own memory"
    assert [each.index for each in carried.masks] == list(range(1, GONE))  # and ends where nothing is yellow
    assert min(overlaps(carried)) > 0.75


def test_a_stream_that_is_no_film_is_refused_in_words(film: Path, tmp_path: Path) -> None:
    with open_project(film, read_only=True) as session:
        film_stream = stream_of(session)
        stream = replace(film_stream, kind=StreamKind.IMAGE, files=film_stream.files[:1], reader="")
    with pytest.raises(UserError, match="no film"):
        carry(start(film, stream, 2), shelf=lambda: models_shelf(tmp_path / "models"))
