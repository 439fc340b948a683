"""The law of checking while people edit: whatever is edited, the findings are those of a full run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from plain_snapshot import PlainSnapshot, PlainStale, Scene, ontology

from workstation.core.annotation import (
    Annotation,
    DecisionValue,
    FindingDecision,
    Keyframe,
    Link,
    LinkEnd,
    State,
    TargetKind,
    Track,
)
from workstation.core.evidence import NoEvidence
from workstation.core.findings import Item
from workstation.core.geometry import Box, TextSpan
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind, record_kind
from workstation.core.sample import Parked, QueueItem, Sample
from workstation.core.snapshot import Snapshot
from workstation.core.stopping import StopToken
from workstation.core.timemap import offset_map
from workstation.qa.findings import CannotRunError, Fault, Reach, Rule, load_rules
from workstation.qa.incremental import KeptChecks
from workstation.qa.runner import run_rules

CLASSES = ("car", "truck", "van", "omnibus", "dog", "cat", "sound", "unheard_of", None)
TYPES = ("refers_to", "chases", "near", "same_object", "same_object", "causes", "never_known")
QUOTES = ("the dog", "a cat", "puppy and wolf", "an animal", "a van", "")
Touched = dict[RecordKind, set[str]]
SCENE_RULES = ontology()


class AskedAt(StopToken):
    """Asked to stop while it looks for the so manieth time: in the middle of a rule, wherever that is."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def look(self) -> None:
        self.left -= 1
        if not self.left:
            self.ask()
        super().look()


class Edits:
    """A small sample, and every kind of edit on what it finds there. Tells what it touched, as a store would."""

    def __init__(self, draw: st.DataObject) -> None:
        self.draw = draw
        self.scene = Scene(SCENE_RULES)
        self.touched: Touched = {}
        for _ in range(self.number(1, 4)):
            self.add_entity()
        for _ in range(self.number(2, 8)):
            self.add_label()
        for _ in range(self.number(1, 6)):
            self.add_link()
        self.touched = {}

    def token(self) -> StopToken:
        """One that nobody asks to stop, or one that is asked at some look."""
        return AskedAt(self.number(1, 900)) if self.one((False, False, True)) else StopToken()

    def number(self, low: int, high: int) -> int:
        return self.draw.draw(st.integers(low, high))

    def one(self, values: Any) -> Any:
        return self.draw.draw(st.sampled_from(list(values)))

    def of(self, kind: RecordKind) -> list[Any]:
        return [each for each in self.scene.snapshot.held if record_kind(each) is kind]

    def touch(self, record: Any) -> None:
        self.touched.setdefault(record_kind(record), set()).add(record.id)
        stale = self.scene.snapshot.stale
        stale[:] = [each for each in stale if each.link.id != record.id]
        if isinstance(record, Keyframe):
            self.touched.setdefault(RecordKind.ANNOTATION, set()).add(record.annotation)

    def put(self, record: Any) -> None:
        held = self.scene.snapshot.held
        for at, each in enumerate(held):
            if each.id == record.id:
                held[at] = record
                break
        else:
            held.append(record)
        self.touch(record)

    def take_out(self, record: Any) -> None:
        self.scene.snapshot.held.remove(record)
        self.touch(record)

    # --- what a person does -------------------------------------------------------------------------------------

    def add_entity(self) -> None:
        self.touch(self.scene.entity(self.one(CLASSES[:-1]), self.number(1, 99)))

    def add_label(self) -> None:
        entities = [None, *(each.id for each in self.of(RecordKind.ENTITY))]
        stream = self.one(("image", "cloud", "audio", "text"))
        more: dict[str, Any] = {"entity": self.one(entities), "state": self.one(State)}
        if stream == "text":
            texts = [
                None,
                *(each.id for each in self.of(RecordKind.ANNOTATION) if each.stream == self.scene.streams["text"]),
            ]
            more["shape"] = TextSpan(((0, 3),), self.one(QUOTES), self.one(texts))
            more["language"] = self.one((None, "de"))
        if stream == "image" and self.one((True, False)):
            more |= {"shape": None, "track": Track()}
        else:
            start = self.number(0, 9) * 10**8
            more |= {"start_ns": start, "end_ns": start + self.number(0, 5) * 10**8}
        self.touch(self.scene.label(stream, self.one(CLASSES), **more))

    def add_link(self) -> None:
        given: Any = {"id": self.scene.ids.new(), "sample": self.scene.sample, "ends": self.ends()}
        self.put(Link(**given, type_id=self.one(TYPES), state=self.one(State)))

    def ends(self) -> tuple[LinkEnd, ...]:
        able = [
            *((TargetKind.ANNOTATION, each.id) for each in self.of(RecordKind.ANNOTATION)),
            *((TargetKind.ENTITY, each.id) for each in self.of(RecordKind.ENTITY)),
            (TargetKind.STREAM, self.scene.streams["cloud"]), (TargetKind.MODALITY, "cloud"),
        ]  # fmt: skip
        roles = self.one((("phrase", "thing"), ("hunter", "hunted"), ("cause", "effect"), ("view", "view")))
        chosen = zip(roles, (self.one(able), self.one(able)), strict=True)
        return tuple(LinkEnd(role=role, kind=kind, target=target) for role, (kind, target) in chosen)

    def edit(self) -> None:
        self.one(
            (
                self.add_entity, self.add_label, self.add_label, self.add_link, self.add_link, self.change_entity,
                self.change_label, self.change_label, self.move_label, self.change_link, self.delete_label,
                self.delete_link, self.keyframe, self.goes_stale, self.decide, self.paper, self.shift_clock,
                self.absent,
            )
        )()  # fmt: skip

    def change_entity(self) -> None:
        if found := self.of(RecordKind.ENTITY):
            self.put(replace(self.one(found), class_id=self.one(CLASSES[:-1])))

    def change_label(self) -> None:
        if found := self.of(RecordKind.ANNOTATION):
            entities = [None, *(each.id for each in self.of(RecordKind.ENTITY))]
            given = {"class_id": self.one(CLASSES), "entity": self.one(entities), "state": self.one(State)}
            name = self.one(given)
            self.put(replace(self.one(found), **{name: given[name]}))

    def move_label(self) -> None:
        if found := [each for each in self.of(RecordKind.ANNOTATION) if each.start_ns is not None]:
            start = self.number(0, 9) * 10**8
            self.put(replace(self.one(found), start_ns=start, end_ns=start + 10**8))

    def change_link(self) -> None:
        if found := self.of(RecordKind.LINK):
            given = {"ends": self.ends(), "type_id": self.one(TYPES), "state": self.one(State), "holds": False}
            name = self.one(given)
            self.put(replace(self.one(found), **{name: given[name]}))

    def delete_label(self) -> None:
        """Also from under a link, which no gate would allow."""
        if found := self.of(RecordKind.ANNOTATION):
            label = self.one(found)
            for each in [each for each in self.of(RecordKind.KEYFRAME) if each.annotation == label.id]:
                self.take_out(each)
            self.take_out(label)

    def delete_link(self) -> None:
        if found := self.of(RecordKind.LINK):
            self.take_out(self.one(found))

    def keyframe(self) -> None:
        kept = self.of(RecordKind.KEYFRAME)
        if kept and self.one((True, False)):
            self.take_out(self.one(kept))
        elif found := [each for each in self.of(RecordKind.ANNOTATION) if each.track is not None]:
            given: Any = {"id": self.scene.ids.new(), "annotation": self.one(found).id, "time_ns": self.number(0, 9)}
            self.put(Keyframe(**given, shape=Box(1, 1, 2, 2), attributes=self.one(({}, {"signal": "on"}))))

    def goes_stale(self) -> None:
        """An end changes so much that a link is stale, or changes back."""
        if found := [each for each in self.of(RecordKind.LINK) if each.ends[0].kind is TargetKind.ANNOTATION]:
            link = self.one(found)
            stale = self.scene.snapshot.stale
            known = [each for each in stale if each.link.id == link.id]
            stale[:] = [each for each in stale if each.link.id != link.id]
            if not known:
                stale.append(PlainStale(link, link.ends[0], "box moved 40 px"))
            self.touched.setdefault(RecordKind.ANNOTATION, set()).add(link.ends[0].target)

    def decide(self) -> None:
        if found := full(self.scene.snapshot):
            finding = self.one(sorted(found))
            given: Any = {"id": self.scene.ids.new(), "sample": self.scene.sample, "person": self.scene.ids.new()}
            self.put(FindingDecision(**given, rule=finding[0], fingerprint=finding[1], decision=DecisionValue.DISMISSED,
                                     reason="seen"))  # fmt: skip

    def paper(self) -> None:
        given: Any = {"id": self.scene.ids.new(), "sample": self.scene.sample}
        if self.one((True, False)):
            self.put(Parked(**given, origin="coco", kind="annotation", payload="", problems=("odd",)))
        elif found := self.of(RecordKind.ANNOTATION):
            asked: Any = {"ontology_number": 2, "question": "which?", "target_kind": TargetKind.ANNOTATION}
            self.put(QueueItem(**given, **asked, target=self.one(found).id))

    def shift_clock(self) -> None:
        stream = self.one(self.of(RecordKind.STREAM))
        self.put(replace(stream, time_map=offset_map(self.number(0, 9) * 10**8)))

    def absent(self) -> None:
        if found := self.of(RecordKind.ENTITY):
            ends = {"item": self.one(found), "missing_from": (TargetKind.MODALITY, "cloud")}
            self.touch(self.scene.link("absent", ends, reason=self.one(("hidden", ""))))


def _thing(label: Annotation) -> str:
    return label.entity or label.id


def see_all(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """Looks at everything a rule of reach near may look at, from every label, and tells all of it."""
    labels = list(snapshot.annotations(sample.id))
    links = list(snapshot.links(sample.id))
    entities = {each.id: each for each in snapshot.entities(sample.id)}
    by_id = {each.id: each for each in labels}

    def things_at(link: Link) -> set[str]:
        ends = [each.target for each in link.ends if each.kind in (TargetKind.ANNOTATION, TargetKind.ENTITY)]
        return {_thing(by_id[each]) if each in by_id else each for each in ends}

    def tell(things: set[str], those: list[Link]) -> list[Any]:
        shown = [each for each in labels if _thing(each) in things]
        frames = [frame for each in shown for frame in snapshot.keyframes(each.id)]
        return [shown, frames, [entities[each] for each in sorted(things & entities.keys())], those]

    for first in sorted({_thing(each) for each in labels} | entities.keys()):
        own = [each for each in links if first in things_at(each)]
        others = {first}.union(*(things_at(each) for each in own))
        for each in labels:
            of = each.shape.of if isinstance(each.shape, TextSpan) else None
            if of in by_id and first in (_thing(each), _thing(by_id[of])):
                others |= {_thing(each), _thing(by_id[of])}
        about = next((each for each in labels if _thing(each) == first), None) or entities[first]
        yield Fault(text=repr(tell(others, own)), items=(Item(record_kind(about).value, about.id),), aspect="thing")
    for link in links:
        those = [each for each in links if things_at(each) & things_at(link)]
        yield Fault(text=repr(tell(things_at(link), those)), items=(Item("link", link.id),), aspect="link")


SEE_ALL = Rule(
    id="test.see_all", version=1, error_type=ErrorType.SEMANTIC, severity=Severity.INFO, help="", check=see_all,
    reach=Reach.NEAR,
)  # fmt: skip
RULES = (*load_rules(), SEE_ALL)


def full(snapshot: PlainSnapshot) -> set[tuple[Any, ...]]:
    return said(run_rules(snapshot, RULES, snapshot.samples(), project=False))


def said(outcomes: Any) -> set[tuple[Any, ...]]:
    """Everything that is told, order apart."""
    found = set()
    for outcome in outcomes:
        if outcome.not_run is not None:
            found.add((outcome.rule.id, "not run", outcome.not_run))
        for each in outcome.findings:
            found.add((each.rule, each.fingerprint, each.text, each.items, each.measured, each.state.value))
    return found


@settings(max_examples=30)
@given(st.data())
def test_after_any_edits_the_findings_are_those_of_a_full_run(data: st.DataObject) -> None:
    edits = Edits(data)
    snapshot = edits.scene.snapshot
    checks = KeptChecks(RULES)
    for _ in range(edits.number(2, 7)):
        (sample,) = snapshot.samples()
        later = edits.one((True, False))
        outcomes = checks.check(snapshot, sample, NoEvidence(), edits.touched, edits.token(), near_first=later)
        if outcomes is None:  # asked to stop somewhere: begun anew, as the window does
            outcomes = checks.check(snapshot, sample, NoEvidence(), None)
        if checks.left and edits.one((True, True, False)):
            outcomes = checks.check_rest(sample, edits.token())
        if not checks.left:
            assert said(outcomes) == full(snapshot)
        edits.touched = {}
        for _ in range(edits.number(1, 3)):
            edits.edit()


def small() -> tuple[Scene, KeptChecks, Any]:
    scene = Scene(SCENE_RULES)
    (sample,) = scene.snapshot.samples()
    return scene, KeptChecks(RULES), sample


def test_a_rule_is_not_run_for_what_it_does_not_look_at_and_only_near_what_changed() -> None:
    scene, checks, sample = small()
    cars = [scene.label("image", "car", entity=scene.entity("truck", number).id) for number in range(30)]
    checks.check(scene.snapshot, sample, NoEvidence(), None)
    assert checks.judged["ontology.labels_conflict"] == 60
    changed = replace(cars[3], class_id="truck")
    scene.snapshot.held[scene.snapshot.held.index(cars[3])] = changed
    outcomes = checks.check(scene.snapshot, sample, NoEvidence(), {RecordKind.ANNOTATION: {changed.id}})
    assert outcomes is not None
    assert checks.judged["ontology.labels_conflict"] == 2
    assert "clocks.off" not in checks.judged
    assert "ontology.queue" not in checks.judged
    assert sum(len(each.findings) for each in outcomes if each.rule.id == "ontology.labels_conflict") == 29


def test_a_moved_label_is_no_news_for_its_thing_s_other_labels_nor_for_who_only_asks_which_links_there_are() -> None:
    scene, checks, sample = small()
    thing = scene.entity("dog").id
    box, cuboid = scene.label("image", "dog", entity=thing), scene.label("cloud", "dog", entity=thing)
    sound = scene.label("audio", "sound")
    link = scene.link("causes", {"cause": box, "effect": sound})
    checks.check(scene.snapshot, sample, NoEvidence(), None)
    told = []
    for changed in (box, cuboid, sound, link):
        checks.check(scene.snapshot, sample, NoEvidence(), {record_kind(changed): {changed.id}})
        told.append([each for each in ("moments.apart", "pairing.unseen", "space.counts") if each in checks.judged])
    heard = ["moments.apart", "pairing.unseen"]
    assert told == [["moments.apart"], [], heard, [*heard, "space.counts"]]


def test_a_rule_that_could_not_judge_is_asked_again_and_one_that_stops_judging_takes_its_findings_along() -> None:
    def picky(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
        for each in snapshot.annotations(sample.id):
            if each.class_id is None:
                raise CannotRunError("a label has no class")
            yield Fault(text="seen", items=(Item("annotation", each.id),))

    scene, _, sample = small()
    checks = KeptChecks([Rule(**{**_fields(SEE_ALL), "check": picky})])
    labels = [scene.label("image", "car"), scene.label("image", "van")]
    told = []
    for class_id in ("car", None, "car"):
        labels[0] = replace(labels[0], class_id=class_id)
        scene.snapshot.held[-2:] = labels
        (outcome,) = checks.check(scene.snapshot, sample, NoEvidence(), {RecordKind.ANNOTATION: {labels[0].id}}) or ()
        told.append((len(outcome.findings), outcome.not_run))
    assert told == [(2, None), (0, "a label has no class"), (2, None)]


def test_a_stopped_check_says_nothing_and_the_next_one_begins_anew() -> None:
    scene, checks, sample = small()
    scene.label("image", "unheard_of")
    assert checks.check(scene.snapshot, sample, NoEvidence(), None, asked()) is None
    outcomes = checks.check(scene.snapshot, sample, NoEvidence(), {})
    assert said(outcomes) == full(scene.snapshot)


def asked() -> StopToken:
    token = StopToken()
    token.ask()
    return token


def test_a_rule_is_left_in_the_middle_and_run_anew_later() -> None:
    """Of 3,000 labels a rule that is told to stop at the 40th sees no more than a stride further."""
    scene, _, sample = small()
    for number in range(3000):
        scene.label("image", f"class {number}")
    token, thought = StopToken(), []

    def slow(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
        for label in snapshot.annotations(sample.id):
            thought.append(label.id)
            if len(thought) == 40:
                token.ask()
        yield Fault(text=f"{len(thought)} labels", items=())

    checks = KeptChecks([Rule(**{**_fields(SEE_ALL), "check": slow, "reach": Reach.SAMPLE})])
    assert checks.check(scene.snapshot, sample, NoEvidence(), None, token) is None
    assert 40 <= len(thought) < 200
    thought.clear()
    (outcome,) = checks.check(scene.snapshot, sample, NoEvidence(), {}) or ()
    assert len(thought) >= 3000
    assert len(outcome.findings) == 1


def _fields(rule: Rule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in Rule.__slots__}
