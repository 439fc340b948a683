"""Every planted fault of space, pairs, tracks, chains and views is found with its size, and nothing else is.

The projects are what was delivered, wrong as it is; what is planted stands in the generator's truth alone. A table
(planted, found, false) is printed by the last test (``-s``).
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from drive_projects import drive_project

from tests.long_drive import LONG_DRIVE
from workstation import open_project
from workstation.app.calibration_report import report_of
from workstation.app.demo_batch import build as build_batch
from workstation.app.demo_generated import add_generated
from workstation.app.demo_mixed import build as build_mixed
from workstation.app.demo_robot import label as label_robot
from workstation.app.evidence import media_evidence
from workstation.app.opening import new_project
from workstation.app.resources import resource
from workstation.core.annotation import Annotation
from workstation.core.calibration_error import Cause
from workstation.core.findings import Finding
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.qa.findings import load_rules
from workstation.qa.runner import run_rules
from workstation.synth import batch as batches
from workstation.synth.drive.fixture import drive
from workstation.synth.robot import RobotOptions, robot
from workstation.synth.truth import Planted, Truth

pytestmark = pytest.mark.slow
OF_PEOPLE = frozenset({"guideline"})
NOT_OF_SPACE = OF_PEOPLE | {"granularity"}
"""How fine classes are is compared over a thousand samples; a part of the batch is too few for that."""
ROBOT = RobotOptions(scale=0.5)
"""As other tests make it, so that a run makes its media once."""
SMALL_BATCH = 300


@dataclass
class Row:
    """One line of the table."""

    variant: str
    planted: tuple[Planted, ...]
    findings: list[Finding]
    expected: Counter[str] = field(default_factory=Counter)

    @property
    def false(self) -> int:
        return sum((Counter(each.rule for each in self.findings) - self.expected).values())

    @property
    def missed(self) -> int:
        return sum((self.expected - Counter(each.rule for each in self.findings)).values())


TABLE: list[Row] = []


def found_in(project: Path, skipped: frozenset[str]) -> list[Finding]:
    rules = [each for each in load_rules() if each.subject not in skipped]
    with open_project(project, read_only=True) as session:
        store = session.store
        evidence = media_evidence(store, session.project)
        outcomes = list(run_rules(store, rules, store.samples(), evidence=evidence))
    # Comparing texts with pictures takes a model, and the tests have none: that is rightly not run.
    missed = [(each.rule.id, each.not_run) for each in outcomes if each.not_run and each.rule.subject != "likeness"]
    assert missed == []
    return [finding for each in outcomes for finding in each.findings]


def noted(
    made: Truth, project: Path, expected: dict[str, int], skipped: frozenset[str] = OF_PEOPLE,
    beside: frozenset[str] = frozenset(),
) -> list[Finding]:  # fmt: skip
    """``beside``: rules that rightly say the same of single labels, and are not counted."""
    found = [each for each in found_in(project, skipped) if each.rule not in beside]
    row = Row(made.variant, made.planted, found, Counter(expected))
    TABLE.append(row)
    assert Counter(each.rule for each in row.findings) == row.expected, [each.text for each in row.findings]
    return row.findings


@pytest.fixture(scope="module")
def driven(made_once: Callable[..., Truth]) -> Path:
    """The media of the drive, made once; its clean delivery."""
    return made_once(drive, options=LONG_DRIVE).folder


DRIVES: list[tuple[str, dict[str, int], float | None, float]] = [
    # variant, rules with how many findings, what is measured, within
    ("clean", {}, None, 0),
    ("lidar_offset", {"calibration.late": 1}, 50.0, 1.5),
    ("lidar_offset@12", {"calibration.late": 1}, 12.0, 1.5),
    ("lidar_offset@8", {}, None, 0),
    ("drift", {"calibration.late": 1}, 50.0, 5.0),
    ("yaw", {"calibration.turned": 1}, 0.3, 0.02),
    ("yaw@0.08", {}, None, 0),
    ("missing_lidar_label", {"space.missing": 1}, None, 0),
    ("class_conflict", {"ontology.labels_conflict": 1}, None, 0),
    ("next_sweep", {"moments.same_scan": 1}, 100.0, 16.7),
    ("crossed_links", {"boxes.crossed": 2}, None, 0),
    ("swapped_tracks", {"boxes.exchanged": 2}, None, 0),
    ("biased_cuboids", {"calibration.size": 1}, 0.1, 0.02),
    ("biased_cuboids@0.04", {}, None, 0),
    ("cuboid_off", {"calibration.misplaced": 1}, 0.5, 0.12),
    ("cuboid_off@0.15", {}, None, 0),
    ("box_wide", {"boxes.overrun": 1}, 8.0, 1.0),
    ("box_wide@4", {}, None, 0),
    ("state_conflict", {"states.conflict": 1, "states.signal": 1}, None, 0),
    ("missing_link", {"pairs.unlinked": 1}, None, 0),
    ("contradiction", {"chains.contradiction": 1}, None, 0),
    ("imu_offset", {"clocks.turning": 1}, 80.0, 1.5),
    ("imu_offset@8", {}, None, 0),
]


@pytest.mark.parametrize(("variant", "expected", "size", "within"), DRIVES, ids=[each[0] for each in DRIVES])
def test_the_drive(
    driven: Path, tmp_path: Path, variant: str, expected: dict[str, int], size: float | None, within: float
) -> None:
    made = drive(driven, variant=variant, options=LONG_DRIVE)
    findings = noted(made, drive_project(made, tmp_path / "p"), expected)
    if size is not None:
        (finding,) = findings
        assert finding.measured == pytest.approx(size, abs=within), finding.text
    the_report_says_the_same(tmp_path / "p", findings)
    shutil.rmtree(tmp_path / "p")


def the_report_says_the_same(project: Path, findings: list[Finding]) -> None:
    """Cameras that are off, single cuboids and clocks, as the checks found them; the panel shows this report."""
    with open_project(project, read_only=True) as session:
        (sample,) = session.store.samples()
        report = report_of(session.store, session.project, sample)
    by_rule = {rule: [each for each in findings if each.rule == f"calibration.{rule}"]
               for rule in ("turned", "shifted", "late", "misplaced")}  # fmt: skip
    assert [each.camera for each in report.cameras if each.off] == [
        finding.items[0].label for finding in (*by_rule["turned"], *by_rule["shifted"])
    ]
    for finding in by_rule["turned"]:
        (error,) = (each.error for each in report.cameras if each.off)
        assert error is not None
        assert abs(error.turned_deg) == pytest.approx(finding.measured, abs=0.001)
        assert {each.cause for each in report.suspects()} == {Cause.CALIBRATION}
    assert all(bool(each.late) == bool(by_rule["late"]) for each in report.cameras)
    accused = {label for each in report.suspects() if each.cause is Cause.CUBOID for label in each.off.labels}
    assert bool(accused) == bool(by_rule["misplaced"])
    assert all(finding.items[0].id in accused for finding in by_rule["misplaced"])
    assert (Cause.CLOCK in {each.cause for each in report.suspects()}) <= bool(by_rule["late"])


@pytest.fixture(scope="module")
def filmed(made_once: Callable[..., Truth]) -> Path:
    """The media of the robot, made once."""
    return made_once(robot, options=ROBOT).folder


ROBOTS: list[tuple[str, dict[str, int], float | None]] = [
    ("clean", {}, None),
    ("side_shift", {"views.late": 1}, 5000 / 30),
    ("side_shift@1", {}, None),
    ("swapped_ids", {"views.exchanged": 1}, None),
    ("boundary", {"moments.apart": 1}, 100.0),
    ("boundary@1", {}, None),
]


@pytest.mark.parametrize(("variant", "expected", "size"), ROBOTS, ids=[each[0] for each in ROBOTS])
def test_the_robot(filmed: Path, tmp_path: Path, variant: str, expected: dict[str, int], size: float | None) -> None:
    made = robot(filmed, variant=variant, options=ROBOT)
    project = new_project(tmp_path / "p", profile="manipulation", person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        add_generated(session, made, label_robot)
    findings = noted(made, project, expected)
    if size is not None:
        assert findings[0].measured == pytest.approx(size, abs=0.5)
    if variant == "swapped_ids":  # both views are named
        assert {"overhead", "side"} == {word for word in ("overhead", "side", "wrist") if word in findings[0].text}


BATCHES: list[tuple[str, dict[str, int], str]] = [
    # variant, rules with how many findings, what the findings say
    ("clean", {}, ""),
    ("biased_annotator", {"corpus.bias": 1}, "p3 makes cuboids 0.10 m too short"),
    ("biased_annotator@0.04", {}, ""),
    ("wrong_pairing", {"delivered.other_sample": 30}, " instead of "),
    ("isolated_modality", {"corpus.isolated": 1}, "series labels are linked to nothing in 30 of 30 samples"),
    ("drift", {"granularity.drift": 1}, "since week 3 image labels say sedan, hatchback where text labels stay at car"),
]
FINER = frozenset({"ontology.labels_coarser", "ontology.word_warns"})
"""What single labels say of a picture that got finer than its text or its scan: true, label by label."""


@pytest.fixture(scope="module")
def heaped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The media of a small batch, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "COUNT", SMALL_BATCH)
        folder = tmp_path_factory.mktemp("batch")
        batches.batch(folder)
        yield folder


@pytest.mark.parametrize(("variant", "expected", "says"), BATCHES, ids=[each[0] for each in BATCHES])
def test_the_batch(heaped: Path, tmp_path: Path, variant: str, expected: dict[str, int], says: str) -> None:
    made = batches.batch(heaped, variant=variant)
    words = str(resource("demo", "batch", "ontology.yaml"))
    project = new_project(tmp_path / "p", profile="batch", person="Ana", ontology=words, in_force=True)
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        build_batch(session, made)
    drifts = variant == "drift"
    findings = noted(made, project, expected, OF_PEOPLE if drifts else NOT_OF_SPACE, FINER if drifts else frozenset())
    assert all(says in each.text for each in findings)
    if variant == "wrong_pairing":
        the_right_partner_is_named(project, made, findings)


def the_right_partner_is_named(project: Path, made: Truth, findings: list[Finding]) -> None:
    """The label that the truth joins with the first one in the clean delivery."""
    with open_project(project, read_only=True) as session:
        store = session.store
        streams: dict[str, str] = {each.id: each.key for sample in store.samples() for each in store.streams(sample.id)}
        samples = {each.id: each.key for each in store.samples()}
        named = set()
        for each in findings:
            labels = [store.get(RecordKind.ANNOTATION, item.id) for item in each.items]
            own, _, right = [label for label in labels if isinstance(label, Annotation)]
            assert own.sample == right.sample
            named.add((samples[own.sample], streams[own.stream or ""], streams[right.stream or ""]))
    wrong = {planted.items[0].partition("/")[0] for planted in made.planted}
    ends = {each["item"]: [end["role"] for end in each["ends"]] for each in made.labels["links"]}
    assert named == {(key, *ends[key]) for key in wrong}


def test_clean_moments_with_noise_on_every_label_are_silent(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p", profile="driving", in_force=True, person="Ana")
    with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
        build_mixed(session, tmp_path / "media", count=40, seed=11)
    found = found_in(project, OF_PEOPLE)
    TABLE.append(Row("mixed, 40 clean", (), found))
    assert [(each.rule, each.text) for each in found] == []


def test_the_table() -> None:
    """Recall 100 %, no false finding, over everything that ran above."""
    out = sys.stdout.write
    out(f"\n{'variant':24} {'planted':>7} {'found':>6} {'false':>6}\n")
    for row in TABLE:
        wanted = sum(row.expected.values())
        out(f"{row.variant:24} {len(row.planted):7} {wanted - row.missed:3}/{wanted:<2} {row.false:6}\n")
    assert not any(row.false or row.missed for row in TABLE)
