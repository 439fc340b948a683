"""What is planted in the generated scenes is found with what was measured, and nothing else is; a table says it all."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from planted_projects import Maker, PlantedProjects, checked
from random_edits import RandomEdits

from workstation.app.evidence import KeptEvidence, media_evidence
from workstation.app.opening import open_project
from workstation.app.validation import Validation, rules_for
from workstation.core.findings import Finding
from workstation.core.ontology import ErrorType
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.stopping import StopToken
from workstation.qa.incremental import KeptChecks

pytestmark = pytest.mark.slow

CLEAN = ("scene", "clip", "talk", "ct", "robot", "shop")
EXPECTED: dict[tuple[str, str], dict[str, int]] = {
    ("scene", "swapped_captions"): {"captions.pairing": 6},
    ("scene", "swapped_captions@3"): {"captions.pairing": 18},
    ("scene", "hallucinated_vase"): {"captions.absent": 1},
    ("scene", "partial_caption"): {"captions.partial": 1},
    ("scene", "template_captions"): {"captions.template": 1},
    ("scene", "copied_caption"): {"captions.pairing": 1},
    ("scene", "box_wide"): {"regions.loose": 1},
    ("scene", "wrong_relation"): {"relations.geometry": 1},
    ("scene", "wrong_phrase"): {"colours.wrong_thing": 1},
    ("clip", "caption_early"): {"clocks.caption": 1},
    ("clip", "boundary_off"): {"boundaries.shared": 1, "lips.noticed": 1},
    ("clip", "swapped_actions"): {"pairing.exchanged": 2},
    ("clip", "clip_level_audio"): {"granularity.levels": 1},
    ("clip", "absent_bark"): {"sounds.silent": 1, "pairing.unseen": 1},
    ("clip", "swapped_sounds"): {"pairing.exchanged": 2},
    ("talk", "audio_offset"): {"lips.noticed": 1},
    ("talk", "audio_offset@150"): {"clocks.sound_and_picture": 1},
    ("talk", "transcript_offset"): {"speech.late": 7, "clocks.sound_and_picture": 1},
    ("talk", "swapped_speakers"): {"speech.speaker": 6},
    ("talk", "missing_frown"): {"dialogue.face_missing": 1},
    ("talk", "missing_complaint"): {"dialogue.voice_and_words": 1},
    ("talk", "hostile_neutral"): {"dialogue.voice_level": 1},
    ("talk", "code_switch_normalised"): {"speech.code_switch": 1},
    ("shop", "navy_text"): {"colours.differ": 2},
    ("shop", "category_conflict"): {"texts.fact": 1},
    ("ct", "report_size"): {"reports.size": 2},
    ("ct", "report_left"): {"reports.side": 2},
    ("ct", "mirrored"): {"reports.density": 1},
    ("ct", "cyst"): {"reports.kind": 2},
    ("robot", "wrong_step"): {"texts.step": 1},
    ("robot", "contradiction"): {"texts.contradiction": 2},
}
"""What each variant holds, and how many findings say so: one for each caption, turn, sentence or side concerned."""
BELOW = (
    ("scene", "partial_caption@5"), ("scene", "box_wide@3"), ("clip", "caption_early@0.4"), ("clip", "boundary_off@1"),
    ("talk", "audio_offset@30"), ("talk", "transcript_offset@30"), ("ct", "report_size@2.5"),
)  # fmt: skip
"""Planted, and no more than is allowed."""
SUBJECTS = (
    "boundaries", "captions", "clocks", "colours", "dialogue", "granularity", "lips", "moments", "ontology", "pairing",
    "regions", "relations", "reports", "sounds", "speech", "texts",
)  # fmt: skip
Projects = Callable[..., Path]
Rows = list[tuple[str, str, int, int, int]]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory, made_once: Maker) -> PlantedProjects:
    return PlantedProjects(tmp_path_factory.mktemp("planted"), made_once)


def found_in(project: Path) -> list[tuple[str, Finding]]:
    found, missed = checked(project, *SUBJECTS)
    assert missed == []
    return found


TABLE: Rows = []


@pytest.mark.parametrize(("fixture", "variant"), EXPECTED, ids=[f"{name}-{variant}" for name, variant in EXPECTED])
def test_what_is_planted_is_found_and_nothing_else(projects: Projects, fixture: str, variant: str) -> None:
    expected = EXPECTED[fixture, variant]
    found = found_in(projects(fixture, variant))
    counts = Counter(finding.rule for _, finding in found)
    right = sum(min(counts[rule], count) for rule, count in expected.items())
    TABLE.append((fixture, variant, sum(expected.values()), right, counts.total() - right))
    assert dict(counts) == expected
    for _, finding in found:
        assert finding.suggestion
        assert finding.items


@pytest.mark.parametrize("fixture", CLEAN)
def test_clean_scenes_are_silent(projects: Projects, fixture: str) -> None:
    found = found_in(projects(fixture))
    TABLE.append((fixture, "clean", 0, 0, len(found)))
    assert [(key, each.rule, each.text) for key, each in found] == []


@pytest.mark.parametrize(("fixture", "variant"), BELOW, ids=[f"{name}-{variant}" for name, variant in BELOW])
def test_what_is_within_the_limit_is_silent(projects: Projects, fixture: str, variant: str) -> None:
    found = found_in(projects(fixture, variant))
    TABLE.append((fixture, f"{variant} (allowed)", 0, 0, len(found)))
    assert [(key, each.rule, each.text) for key, each in found] == []


def only(projects: Projects, fixture: str, variant: str, rule: str) -> list[Finding]:
    return [each for _, each in found_in(projects(fixture, variant)) if each.rule == rule]


def test_wrong_pairs_name_their_right_partner(projects: Projects) -> None:
    captions = found_in(projects("scene", "swapped_captions"))
    assert {(key, each.items[2].label) for key, each in captions} == {
        ("s01_cups", "s02_two_cars"), ("s02_two_cars", "s01_cups"),
    }  # fmt: skip
    (copied,) = only(projects, "scene", "copied_caption", "captions.pairing")
    assert copied.items[2].label == "s03_occluded"
    assert (copied.measured, copied.limit) == (0.0, 50.0)
    sounds = only(projects, "clip", "swapped_sounds", "pairing.exchanged")
    assert {each.items[0].id: each.items[2].id for each in sounds} == {
        sounds[0].items[0].id: sounds[1].items[0].id, sounds[1].items[0].id: sounds[0].items[0].id,
    }  # fmt: skip
    (phrase,) = only(projects, "scene", "wrong_phrase", "colours.wrong_thing")
    with open_project(projects("scene", "wrong_phrase"), read_only=True) as session:
        sample = session.store.sample_by_key("s02_two_cars")
        assert sample is not None
        names = {each.id: each.name for each in session.store.entities(sample.id)}
        boxes: dict[str, str] = {
            each.id: names[each.entity] for each in session.store.annotations(sample.id) if each.entity
        }
    assert [boxes[item.id] for item in phrase.items[2:]] == ["car blue (sedan)", "car red"]
    speakers = only(projects, "talk", "swapped_speakers", "speech.speaker")
    assert {(each.items[1].label, each.items[2].label) for each in speakers} == {
        ("Speaker A, left face", "Speaker B, right face"), ("Speaker B, right face", "Speaker A, left face"),
    }  # fmt: skip


def test_findings_say_what_was_measured(projects: Projects) -> None:
    (partial,) = only(projects, "scene", "partial_caption", "captions.partial")
    assert (partial.measured, partial.limit, partial.unit) == (60.0, 100.0, "%")
    assert partial.error_type is ErrorType.PARTIAL_ALIGNMENT
    (wide,) = only(projects, "scene", "box_wide", "regions.loose")
    assert (wide.measured, wide.limit) == (5.0, 3.0)
    assert "left 5 px too wide" in wide.text
    (early,) = only(projects, "clip", "caption_early", "clocks.caption")
    assert (early.measured, early.suggestion) == (800.0, "move the text by +0.80 s")
    (boundary,) = only(projects, "clip", "boundary_off", "boundaries.shared")
    assert (boundary.measured, boundary.limit, boundary.unit) == (2.0, 1.0, "frames")
    (amber,) = only(projects, "talk", "audio_offset", "lips.noticed")
    assert (amber.measured, amber.limit, amber.severity) == (70.0, 40.0, "warning")
    (red,) = only(projects, "talk", "audio_offset@150", "clocks.sound_and_picture")
    assert (red.measured, red.severity) == (150.0, "error")
    (size, _) = only(projects, "ct", "report_size", "reports.size")
    assert (size.measured, size.limit) == (9.0, 2.3)
    assert "says 3.2 cm, the region measures 23 mm" in size.text
    (navy, _) = only(projects, "shop", "navy_text", "colours.differ")
    assert "(as #000080)" in navy.text
    assert navy.measured == 0.0


def test_a_late_transcript_is_moved_and_passes(projects: Projects) -> None:
    late = only(projects, "talk", "transcript_offset", "speech.late")
    assert {each.measured for each in late} == {600.0}
    assert checked(projects("talk", "transcript_offset@180"), "speech")[0] == [], "within the limit of 200 ms"
    assert all("by -600 ms" in each.suggestion for each in late)
    folder = projects("talk", "transcript_offset@601")
    turns = [each.items[0].id for _, each in checked(folder, "speech.late")[0]]
    with open_project(folder, person="Ana") as session:
        session.run("turn.shift", turns=turns, by_ns=-600_000_000)
    assert found_in(folder) == []


def test_errors_of_a_batch_are_counted_by_type_as_they_were_planted(projects: Projects) -> None:
    folder = projects("batch", "errors@34")
    with open_project(folder, person="Ana") as session:
        session.run("project.set", tolerances={"sync_ms": 10.0, "caption_ms": 10.0, "same_scan_ms": 10.0})
    found = [(key, each) for key, each in checked(folder)[0] if key]
    types = Counter(each.error_type.value for _, each in found)
    TABLE.append(("batch", "errors@34", 340, min(340, len({key for key, _ in found})), max(0, len(found) - 340)))
    assert types == {"temporal": 136, "semantic": 102, "missing-reference": 68, "granularity": 34}
    assert len({key for key, _ in found}) == 340, "one finding for each planted error"


@pytest.mark.parametrize(
    ("fixture", "variant"),
    [("scene", "swapped_captions"), ("clip", "boundary_off"), ("talk", "swapped_speakers"), ("robot", "contradiction")],
)
def test_after_edits_of_any_kind_the_findings_are_those_of_a_full_run(
    projects: Projects, tmp_path: Path, fixture: str, variant: str
) -> None:
    """What rules declare of themselves holds on real labels and media, also of those that no small scene concerns."""
    project = Path(shutil.copytree(projects(fixture, variant), tmp_path / "p"))
    with open_project(project, role="lead") as session:
        sample = next(iter(session.store.samples())).id
        edits = RandomEdits(session, sample, seed=3)
        seen: int | None = None
        checks, known = KeptChecks(rules_for(session.store)), KeptEvidence(session.project)
        for number in range(10):
            with session.store.reader_elsewhere()() as reads:
                record = reads.get(RecordKind.SAMPLE, sample)
                assert isinstance(record, Sample)
                touched = None if seen is None else reads.touched_since(seen)
                outcomes = checks.check(reads, record, known.of(reads, sample), touched, near_first=number % 3 > 0)
                outcomes = checks.check_rest(record, StopToken()) if checks.left else outcomes
                seen = reads.head()
                assert outcomes is not None
                said = {(each.rule, each.fingerprint, each.text) for one in outcomes for each in one.findings}
                run = Validation(reads, sample=record, evidence=media_evidence(reads, session.project))
                assert said == {(each.rule, each.fingerprint, each.text) for _, some in run.findings() for each in some}
            assert {edits.one() for _ in range(3)} != {""}
        known.forget()


def test_every_error_type_is_used() -> None:
    from workstation.qa.findings import load_rules

    assert {each.error_type for each in load_rules()} == set(ErrorType)


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Printed last: what each variant holds, what was found of it, and what else was."""
    with capsys.disabled():
        sys.stdout.write(f"\n{'fixture':8} {'variant':36} {'planted':>7} {'found':>7} {'false':>7}\n")
        for fixture, variant, planted, found, false in TABLE:
            sys.stdout.write(f"{fixture:8} {variant:36} {planted:7} {found:7} {false:7}\n")
    assert all(planted == found and not false for _, _, planted, found, false in TABLE)
