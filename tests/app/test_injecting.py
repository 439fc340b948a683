"""Known errors in a copy, and the score of the checks: against sums worked out by hand and records read back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import workstation
from workstation.app.demo_mixed import build
from workstation.app.injecting import PLAN_FILE, Wish, counted, inject
from workstation.app.opening import new_project
from workstation.app.scoring import interval, read_plan, score, score_rows
from workstation.core.annotation import Annotation
from workstation.core.errors import DataError, UserError
from workstation.core.findings import Finding, Item, fingerprint_of
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.inject.kind import load_kinds
from workstation.inject.plan import Plan, Planted, Target, encoded

COUNT = 14


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some moments with noise, all labels right."""
    place = tmp_path_factory.mktemp("mixed")
    folder = new_project(place / "p", profile="driving", in_force=True, person="Ana")
    with workstation.open_project(folder, kind="import", tool="demo") as session:
        build(session, place, count=COUNT)
    return folder


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in (folder / "media").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def planted(original: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    copy = tmp_path_factory.mktemp("copy") / "c"
    return copy, inject(original, copy, Wish(seed=3, share=1.0))


def test_the_plan_names_records_that_were_changed_and_the_original_stays(
    original: Path, planted: tuple[Path, Plan]
) -> None:
    copy, plan = planted
    before = _hashes(original)
    assert {each: _hashes(copy)[each] for each in before} == before
    assert read_plan(copy / PLAN_FILE) == plan
    assert plan.samples == COUNT
    assert len({each.sample for each in plan.planted}) == len(plan.planted) == COUNT
    with (
        workstation.open_project(original, read_only=True) as was,
        workstation.open_project(copy, read_only=True) as now,
    ):
        for each in plan.planted:
            assert any(_differs(was.store, now.store, target) for target in each.items), each
        untouched = [s.key for s in was.store.samples() if s.key not in {each.sample for each in plan.planted}]
        assert untouched == []


def _differs(was: Any, now: Any, target: Target) -> bool:
    kind = RecordKind(target.kind)
    before, after = was.get(kind, target.id), now.get(kind, target.id)
    moved = kind is RecordKind.ANNOTATION and list(was.keyframes(target.id)) != list(now.keyframes(target.id))
    return before != after or moved


def test_a_time_is_off_by_what_the_plan_says(original: Path, tmp_path: Path) -> None:
    plan = inject(original, tmp_path / "c", Wish(seed=1, share=0.5, kinds=("late_sound",)))
    assert {each.error_type for each in plan.planted} == {"temporal"}
    with workstation.open_project(tmp_path / "c", read_only=True) as session:
        for each in plan.planted:
            marks = [session.store.require(RecordKind.ANNOTATION, t.id) for t in each.items if t.kind == "annotation"]
            begins = []
            for mark in marks:
                assert isinstance(mark, Annotation)
                stream = session.store.require(RecordKind.STREAM, str(mark.stream))
                begins.append(stream.time_map.to_session(mark.start_ns) / 1e6)  # type: ignore[attr-defined]
            assert abs(begins[0] - begins[1]) == pytest.approx(each.size, abs=1e-3)
            assert each.expected == (each.size is not None and each.size > 40)


def test_the_same_seed_plants_the_same_and_another_does_not(original: Path, tmp_path: Path) -> None:
    wish = Wish(seed=5, share=0.4)
    first, again = inject(original, tmp_path / "a", wish), inject(original, tmp_path / "b", wish)
    other = inject(original, tmp_path / "c", Wish(seed=6, share=0.4))
    assert [(e.sample, e.kind, e.size) for e in first.planted] == [(e.sample, e.kind, e.size) for e in again.planted]
    assert [e.sample for e in other.planted] != [e.sample for e in first.planted]


def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(original: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x", encoding="utf-8")
    for copy, wish, said in (
        (tmp_path / "full", Wish(), "not empty"),
        (original / "inside", Wish(), "inside the project"),
        (tmp_path / "new", Wish(kinds=("no_such",)), "no kind of error 'no_such'"),
        (tmp_path / "new", Wish(share=0.0), "share"),
        (tmp_path / "new", Wish(samples=("nobody",)), "nobody"),
    ):
        with pytest.raises(UserError, match=said):
            inject(original, copy, wish)
    assert not (tmp_path / "new").exists()


NO_PLANS = [b"", b"{}x", b"[]", b'{"format": "other"}', b'{"planted": 1}', b"\xff\xfe", b"[" * 5000, b'{"version": 99}']


@pytest.mark.parametrize("data", NO_PLANS)
def test_a_file_that_is_no_plan_is_named(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "planted.json"
    path.write_bytes(data)
    with pytest.raises(DataError, match="planted.json"):
        read_plan(path)


def _finding(kind: ErrorType, *ids: str) -> Finding:
    items = tuple(Item("annotation", each) for each in ids)
    return Finding(
        rule="r.x", version=1, error_type=kind, severity=Severity.ERROR, items=items, text="x",
        fingerprint=fingerprint_of("r.x", items),
    )  # fmt: skip


def test_the_score_is_the_sum_worked_out_by_hand() -> None:
    def plant(sample: str, error: str, **more: Any) -> Planted:
        return Planted(
            sample=sample, kind=f"k_{error}", error_type=error, items=(Target("annotation", sample),), **more
        )

    old = _finding(ErrorType.SEMANTIC, "old")
    plan = Plan(
        baseline=(old.fingerprint,),
        planted=(
            plant("a", "temporal", size=300.0, limit=100.0),
            plant("b", "temporal", size=50.0, limit=100.0, expected=False),
            plant("c", "temporal", size=110.0, limit=100.0),
            plant("d", "semantic"),
            plant("e", "semantic"),
            plant("f", "semantic"),
        ),
    )
    found = [
        (None, [old]),
        ("a", [_finding(ErrorType.TEMPORAL, "a", "other"), _finding(ErrorType.GRANULARITY, "elsewhere")]),
        ("b", [_finding(ErrorType.TEMPORAL, "b")]),
        ("c", []),
        ("d", [_finding(ErrorType.SEMANTIC, "d")]),
        ("e", [_finding(ErrorType.TEMPORAL, "e")]),
        ("clean", [old]),
    ]
    rows = {row["name"]: row for row in score_rows(score(plan, found))}
    temporal, semantic, whole = rows["temporal"], rows["semantic"], rows["all"]
    assert (temporal["planted"], temporal["found"], temporal["below_limit"], temporal["spoke_below"]) == (1, 1, 1, 1)
    assert (temporal["near_limit"], temporal["near_found"]) == (1, 0)
    assert (semantic["planted"], semantic["found"], semantic["named_otherwise"]) == (3, 1, 1)
    assert semantic["recall"] == pytest.approx(1 / 3, abs=1e-4)
    assert (temporal["true_findings"], temporal["false_findings"]) == (2, 1)
    assert rows["granularity"]["false_findings"] == 1
    assert (whole["planted"], whole["found"], whole["false_findings"], whole["true_findings"]) == (4, 2, 2, 3)
    assert rows["k_semantic"]["precision"] is None


def test_the_interval_is_wilsons() -> None:
    low, high = interval(95, 100)
    assert (low, high) == (pytest.approx(0.8882, abs=1e-3), pytest.approx(0.9785, abs=1e-3))
    assert interval(0, 0) == (0.0, 1.0)


def test_every_error_type_can_be_planted_and_kinds_say_what_they_do() -> None:
    kinds = load_kinds()
    assert {each.error_type for each in kinds} == {each.value for each in ErrorType}
    assert all(each.help for each in kinds)
    assert all(each.sizes is None or each.sizes.least < each.sizes.limit < each.sizes.most for each in kinds)


def test_the_counts_of_a_plan_add_up(planted: tuple[Path, Plan]) -> None:
    _, plan = planted
    rows = counted(plan)
    assert sum(row["planted"] + row["below"] for row in rows) == len(plan.planted)
    assert json.loads(encoded(plan))["seed"] == 3
