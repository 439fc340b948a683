"""Texts beside labels and pictures, scored by a stand-in whose scores the test chose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from plain_snapshot import PlainSnapshot, Scene

from workstation.core.annotation import TargetKind
from workstation.core.evidence import Likeness, NoEvidence, Unmeasured
from workstation.core.geometry import Box
from workstation.core.sample import Project
from workstation.qa.findings import load_rules
from workstation.qa.rules.likeness import told_pairs
from workstation.qa.runner import judge


class Scored(NoEvidence):
    """Says how well a text fits by the first word of it."""

    def __init__(self, **scores: float) -> None:
        self.scores = scores
        self.asked: list[Any] = []

    def tag_likeness(self, tags: Sequence[str], texts: Sequence[str]) -> Likeness:  # type: ignore[override]
        self.asked.append(tuple(tags))
        if len(tags) < 2:
            raise Unmeasured("not enough evidence: 1 different tag")
        return Likeness(tuple(self.scores[text.split()[0]] for text in texts), "stand-in 1")

    def picture_likeness(self, stream: Any, session_ns: int, texts: Sequence[str]) -> Likeness:  # type: ignore[override]
        self.asked.append((stream.key, session_ns))
        return Likeness(tuple(self.scores[text.split()[0]] for text in texts), "stand-in 1")


class Limited(PlainSnapshot):
    def project(self) -> Project:
        return Project(id="p", name="p", tolerances={"tag_likeness": 0.3, "picture_likeness": 0.3})  # type: ignore[arg-type]


def scene_with(text: str, known: Any, *, limits: bool = True, things: int = 2) -> Scene:
    scene = Scene()
    if limits:
        scene.snapshot = Limited(scene.snapshot.rules, scene.snapshot.held)
    scene.snapshot.known = known
    for number, class_id in enumerate(["dog", "van", "cat"][:things]):
        scene.label("image", class_id, shape=Box(number * 20, 0, 9, 9))
    caption = scene.says(text, start_ns=0, end_ns=4)
    scene.link("describes", {"text": caption, "what": (TargetKind.STREAM, scene.streams["image"])})
    return scene


def said(scene: Scene, rule_id: str) -> tuple[list[Any], str | None]:
    rule = next(each for each in load_rules() if each.id == rule_id)
    (sample,) = scene.snapshot.samples()
    return judge(scene.snapshot, rule, sample)


@pytest.mark.parametrize("rule_id", ["likeness.tags", "likeness.picture"])
def test_a_text_below_the_limit_is_flagged_with_score_model_and_limit(rule_id: str) -> None:
    known = Scored(fits=0.6, fails=0.05)
    assert said(scene_with("fits well", known), rule_id) == ([], None)
    (finding,), not_run = said(scene_with("fails badly", known), rule_id)
    assert not_run is None
    assert (finding.measured, finding.limit) == (0.05, 0.3)
    assert "stand-in 1" in finding.text
    assert "fails badly" in finding.text


def test_tags_are_the_words_of_what_is_labelled_in_the_picture() -> None:
    scene = scene_with("fits", Scored(fits=1.0))
    (sample,) = scene.snapshot.samples()
    (pair,) = told_pairs(scene.snapshot, sample)
    assert pair.tags == ("dog", "van")


@pytest.mark.parametrize("rule_id", ["likeness.tags", "likeness.picture"])
def test_without_a_model_or_a_limit_it_is_not_run_and_never_passed(rule_id: str) -> None:
    _, why = said(scene_with("fits", NoEvidence()), rule_id)
    assert why is not None
    assert "not at hand" in why
    _, why = said(scene_with("fits", Scored(fits=0.9), limits=False), rule_id)
    assert why is not None
    assert "report likeness" in why


def test_too_few_tags_are_not_run_and_a_sample_without_captions_asks_nothing() -> None:
    found, why = said(scene_with("fails", Scored(fails=0.0), things=1), "likeness.tags")
    assert (found, why) == ([], "not enough evidence: 1 different tag")
    bare, known = Scene(), Scored()
    bare.snapshot.known = known
    assert said(bare, "likeness.tags") == ([], None)
    assert known.asked == []
