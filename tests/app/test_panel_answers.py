"""What the panels are told, without a window: selecting by words, relations on offer, pages, forms, history."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.class_rows import ClassWish, class_rows, class_text
from workstation.app.entity_preview import merged
from workstation.app.entity_table import EntityTable, as_text
from workstation.app.history_rows import change_rows, history_rows, record_history_rows
from workstation.app.inspecting import Editor, InspectorField, sections_of
from workstation.app.inspecting_edits import Change, make_change
from workstation.app.keyframe_rows import keyframe_rows
from workstation.app.link_rows import UNLINKED, link_rows
from workstation.app.linking import offers
from workstation.app.opening import new_project, open_project
from workstation.app.sample_pages import PAGE, Order, SamplePages, Wish, whole_row
from workstation.app.sample_view import SampleView
from workstation.app.selecting import select_where
from workstation.app.session import Session
from workstation.app.shape_fields import shape_fields, with_number
from workstation.core.errors import UserError
from workstation.core.geometry import Box, Cuboid
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.core.records import RecordKind
from workstation.core.sample import SampleState, StreamKind
from workstation.store.yaml import load_yaml

SECOND = 1_000_000_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """One sample with a microphone and a camera that need no files for their labels."""
    new_project(tmp_path / "p", profile="driving", person="Ada")
    with open_project(tmp_path / "p", role="lead", kind="person") as opened:
        opened.run("sample.add", key="s")
        opened.open_sample("s")
        opened.run("stream.add", key="mic", kind="audio", time_map={"knots": [[0, 5 * SECOND]]})
        opened.run("stream.add", key="cam", kind="video")
        yield opened


def viewed(session: Session) -> SampleView:
    assert session.sample is not None
    return SampleView(session.store, session.sample)


def horn(session: Session, start_s: float = 1, end_s: float = 2) -> str:
    return str(
        session.run("annotation.add", stream="mic", class_id="horn", kind="span",
                    start_ns=round(start_s * SECOND), end_ns=round(end_s * SECOND))
    )  # fmt: skip


def box(session: Session, class_id: str = "car", x: float = 10.0, **more: Any) -> str:
    shape = {"kind": "box", "x": x, "y": 20.0, "width": 30.0, "height": 40.0}
    return str(
        session.run("annotation.add", stream="cam", class_id=class_id, start_ns=0, end_ns=SECOND, shape=shape, **more)
    )


# --- selecting by words -----------------------------------------------------------------------------------------


def test_words_select_what_they_say(session: Session) -> None:
    car, van, sound = box(session), box(session, "van"), horn(session)
    session.run("annotation.set_state", annotations=[van], state="proposed")
    view = viewed(session)
    assert select_where(view, "class:car") == [car]
    assert select_where(view, "class:vehicle") == [car, van]  # what is below counts too
    assert select_where(view, "class:Auto") == [car]  # a name in another language
    assert select_where(view, "state:proposed,rejected stream:cam") == [van]
    assert select_where(view, "-stream:mic -state:proposed") == [car]
    assert select_where(view, "kind:span") == [sound]
    assert select_where(view, "stream:audio linked:no") == [sound]
    assert select_where(view, "horn") == [sound]
    assert select_where(view, "  ") == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("class:elefant", "no class is called"), ("state:perfect", "no state"), ("stream:nose", "no stream"),
        ("colourful:yes", "nothing called"), ("class:", "needs a value"), ("kind:blob", "no kind of shape"),
        ("linked:maybe", "yes or no"), ("type:friend", "no link type"),
    ],
)  # fmt: skip
def test_a_word_that_means_nothing_is_refused_in_a_sentence(session: Session, query: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        select_where(viewed(session), query)


@given(st.text(max_size=40))
def test_no_text_breaks_the_query(query: str) -> None:
    class Nothing:
        annotations: dict[str, Any] = {}  # noqa: RUF012 - a stand-in without records
        links: dict[str, Any] = {}  # noqa: RUF012
        streams: dict[str, Any] = {}  # noqa: RUF012
        entities: dict[str, Any] = {}  # noqa: RUF012
        ontology = None

    with contextlib.suppress(UserError):
        assert select_where(Nothing(), query) == []  # type: ignore[arg-type]


# --- links ------------------------------------------------------------------------------------------------------


def test_only_legal_relations_are_offered_and_each_has_a_key_of_its_own(session: Session) -> None:
    one, other = box(session), box(session, x=200.0)
    sound = horn(session)
    view = viewed(session)
    offered = offers(view, one, other)
    keys = [each.key for each in offered]
    assert "same_object" in {each.type_id for each in offered}
    assert len(keys) == len(set(keys))
    assert all(keys)
    for each in offered + offers(view, sound, one):
        session.run(
            "link.add", type_id=each.type_id, ends=each.ends, rationale="as seen and heard"
        )  # the gate agrees with what was offered
    assert offers(view, one, one) == []


def test_links_are_listed_with_the_reason_for_staleness_and_what_has_none(session: Session) -> None:
    one, other, lonely = box(session), box(session, x=200.0), horn(session)
    made = session.run("link.add", type_id="same_object", ends=offers(viewed(session), one, other)[0].ends)
    view = viewed(session)
    rows = link_rows(view, session.store.stale_links(view.id))
    assert [row.key for row in rows if "link" in row.group.split()] == [made]
    assert [row.ids for row in rows if UNLINKED in row.group.split()] == [(lonely,)]
    session.run("annotation.move", annotations=[one], by=[300.0, 0.0])
    view = viewed(session)
    (stale,) = [row for row in link_rows(view, session.store.stale_links(view.id)) if row.key == made]
    assert stale.cells[-1].text.startswith("stale: ")
    session.undo()
    view = viewed(session)
    (fresh,) = [row for row in link_rows(view, session.store.stale_links(view.id)) if row.key == made]
    assert "stale" not in fresh.cells[-1].text


def test_a_thing_is_labelled_absent_with_a_reason_or_missing(session: Session) -> None:
    car = box(session)
    entity = session.run("entity.add", class_id="car", annotations=[car])
    view = viewed(session)
    table = EntityTable(view)
    titles = [each.title for each in table.columns()]
    (row,) = table.rows(())
    assert dict(zip(titles, [cell.text for cell in row.cells], strict=True))["cam"] == "labelled"
    assert dict(zip(titles, [cell.text for cell in row.cells], strict=True))["mic"] == "missing"
    session.run("link.absent", of=f"entity:{entity}", missing_in="stream:mic", reason="silent")
    assert row.group.split() == ["labelled", "missing", "unlinked"]
    (row,) = EntityTable(viewed(session)).rows(())
    assert "absent: silent" in [cell.text for cell in row.cells]
    assert "unlinked" not in row.group
    lines = as_text(table.columns(), [row]).splitlines()
    assert [len(line.split("\t")) for line in lines] == [len(titles), len(titles)]
    assert "absent: silent" in lines[1].split("\t")


def test_only_rows_of_things_that_changed_are_made_again(session: Session) -> None:
    first, second = box(session), box(session, x=300.0)
    things = [session.run("entity.add", class_id="car", annotations=[each]) for each in (first, second)]
    view = viewed(session)
    session.changed.connect(view.apply)
    table = EntityTable(view)
    before = {row.key: row for row in table.rows(())}
    session.run("track.make", annotation=second, at_ns=0)
    after = {row.key: row for row in table.rows(())}
    assert after[things[0]] is before[things[0]]
    assert "labelled, 1 key" in [cell.text for cell in after[things[1]].cells]
    session.run("entity.set", entity=things[0], name="the red one")
    renamed = {row.key: row for row in table.rows(())}
    assert renamed[things[0]].cells[0].text == "the red one"
    assert renamed[things[1]] is after[things[1]]
    session.undo()
    session.undo()
    undone = {row.key: row for row in table.rows(())}
    assert [cell.text for cell in undone[things[1]].cells] == [cell.text for cell in before[things[1]].cells]


# --- the inspector ----------------------------------------------------------------------------------------------


def field(session: Session, ids: tuple[str, ...], key: str) -> InspectorField:
    fields = [each for section in sections_of(viewed(session), ids, 0) for each in section.fields]
    return next(each for each in fields if each.key == key)


def set_field(session: Session, ids: tuple[str, ...], key: str, value: object) -> None:
    change = Change(view=viewed(session), ids=ids, key=key, value=value, now_ns=0)
    with session.together("Set") as run:
        make_change(run, change)


def test_many_show_what_they_share_and_are_changed_in_one_step(session: Session) -> None:
    ids = (box(session), box(session, "van"))
    assert field(session, ids, "class").mixed
    assert not field(session, ids, "state").mixed
    head = session.store.head()
    set_field(session, ids, "class", "truck")
    assert session.store.head() == head + 1
    assert field(session, ids, "class").value == "truck"
    session.undo()
    assert field(session, ids, "class").mixed


def test_classes_on_offer_are_those_that_the_gate_lets_through(session: Session) -> None:
    sound = horn(session)
    choices = [key for key, _ in field(session, (sound,), "class").choices]
    assert "siren" in choices
    assert "crosswalk" not in choices
    for each in choices[:6]:
        set_field(session, (sound,), "class", each)


def test_attributes_have_the_editor_of_their_type_and_only_legal_values(session: Session) -> None:
    car = box(session)
    view = viewed(session)
    assert view.ontology is not None
    wanted = {each.id: each for each in view.ontology.attributes_of("car")}
    shown = {
        each.key.partition(":")[2]: each
        for section in sections_of(view, (car,), 0)
        for each in section.fields
        if each.key.startswith("attribute:")
    }
    assert set(shown) == set(wanted)
    for name, each in shown.items():
        assert each.editor.value == wanted[name].type.value
        assert [key for key, _ in each.choices] == [o.id for o in wanted[name].options if o.retired is None]
        if each.editor is Editor.CHOICE:
            set_field(session, (car,), each.key, each.choices[0][0])
            assert field(session, (car,), each.key).value == each.choices[0][0]
            set_field(session, (car,), each.key, None)
            assert field(session, (car,), each.key).value is None


def test_time_and_geometry_are_typed_as_numbers(session: Session) -> None:
    sound, car = horn(session), box(session)
    set_field(session, (sound,), "end", 3.25)
    assert viewed(session).annotations[sound].end_ns == 3_250_000_000
    set_field(session, (car,), "shape:width", 55.5)
    changed = viewed(session).annotations[car].shape
    assert isinstance(changed, Box)
    assert (changed.width, changed.x) == (55.5, 10.0)


def test_a_label_is_given_a_thing_and_a_merge_says_what_it_changes(session: Session) -> None:
    ids = (box(session), box(session, "van"))
    for each in ids:
        set_field(session, (each,), "entity", "new")
    view = viewed(session)
    things = [view.annotations[each].entity for each in ids]
    assert None not in things
    preview = merged(view, str(things[0]), str(things[1]))
    said = " ".join(line.text for part in preview.parts for line in part.lines)
    assert "→ Car 1" in said
    assert "its labels keep Van" in said
    assert "two boxs on cam" not in said
    assert "two boxes on cam" in said
    set_field(session, (ids[0],), "entity", "none")
    assert viewed(session).annotations[ids[0]].entity is None


def test_nothing_selected_shows_the_sample_in_plain_words(session: Session) -> None:
    (section,) = sections_of(viewed(session), (), 0)
    said = {each.title: each.value for each in section.fields}
    assert said["Name"] == "s"
    assert said["State"] == "new"
    assert "Driving" in said["Ontology"]


def test_keyframes_and_gaps_are_listed_where_they_are_in_session_time(session: Session) -> None:
    shape = {"kind": "box", "x": 0.0, "y": 0.0, "width": 5.0, "height": 5.0}
    frames = [{"time_ns": n * SECOND, "shape": shape} for n in (0, 4)]
    track = session.run("track.add", stream="cam", class_id="car", keyframes=frames)
    session.run("track.add_gap", annotation=track, start_ns=SECOND, end_ns=2 * SECOND, reason="behind a lorry")
    view = viewed(session)
    rows = keyframe_rows(view, view.annotations[track])
    assert [row.time_ns for row in rows] == [0, SECOND, 4 * SECOND]
    assert "behind a lorry" in rows[1].cells[1].text


@given(
    st.floats(-180, 180, exclude_min=True), st.floats(-179, 179),
    st.tuples(*(st.floats(-50, 50) for _ in range(3))),
)  # fmt: skip
def test_the_yaw_that_is_typed_is_the_yaw_that_is_shown(before: float, typed: float, centre: Any) -> None:
    half = math.radians(before) / 2
    cuboid = Cuboid(center=centre, size=(4.0, 2.0, 1.5), rotation=(math.cos(half), 0.0, 0.0, math.sin(half)))
    turned = with_number(cuboid, "yaw", typed)
    shown = {each.key: each.value for each in shape_fields(turned)}
    assert shown["yaw"] == pytest.approx(typed, abs=1e-6)
    assert [shown[f"center.{i}"] for i in range(3)] == list(centre)


# --- classes ----------------------------------------------------------------------------------------------------

_ONTOLOGY = """
version: 1
name: Streets
language: en
modalities: [video, audio]
classes:
  vehicle:
    name: {en: Vehicle, hi: वाहन, ar: مركبة}
    definition: Carries people.
    shapes: {video: [box]}
    children:
      car:
        name: {en: Car, hi: कार, ar: سيارة}
        key: c
  horn:
    name: {en: Horn, hi: हॉर्न}
    shapes: {audio: [span]}
lexicon:
  car:
    en: {synonyms: [saloon, motor car]}
edge_cases:
  E-1: {title: Toy cars, text: A toy car is not a car., classes: [vehicle]}
"""


@pytest.fixture(scope="module")
def ontology() -> CompiledOntology:
    return compile_ontology(parse_ontology(load_yaml(_ONTOLOGY, source="o.yaml"), source="o.yaml"))


@pytest.mark.parametrize(
    ("typed", "found"),
    [("saloon", ["vehicle", "car"]), ("कार", ["vehicle", "car"]), ("سيارة", ["vehicle", "car"]), ("HORN", ["horn"]),
     ("motor-car", ["vehicle", "car"]), ("zzz", [])],
)  # fmt: skip
def test_classes_are_found_by_any_word_in_any_script(ontology: CompiledOntology, typed: str, found: list[str]) -> None:
    rows = class_rows(ontology, ClassWish(typed=typed, language="en"), counts={}, sight={})
    assert [row.key for row in rows] == found


def test_a_class_that_has_no_place_here_says_so(ontology: CompiledOntology) -> None:
    wish = ClassWish(language="hi", stream=StreamKind.VIDEO, anywhere=False)
    rows = {row.key: row for row in class_rows(ontology, wish, counts={"car": 3}, sight={"car": (True, False, False)})}
    assert rows["car"].enabled
    assert not rows["horn"].enabled
    assert "no place on video" in rows["horn"].cells[0].tip
    assert rows["car"].cells[0].text == "कार"
    assert rows["car"].cells[2].text == "3"
    assert rows["car"].cells[3].icon == "eye_off"


def test_edge_cases_of_a_class_are_those_of_the_classes_above_too(ontology: CompiledOntology) -> None:
    read = dict(class_text(ontology, "car", "en"))
    assert read["Edge cases"] == ["E-1 Toy cars: A toy car is not a car."]


# --- samples and history ----------------------------------------------------------------------------------------


def test_samples_come_in_pages_in_any_order_and_fit_what_was_asked(session: Session) -> None:
    with session.together("Many") as run:
        for number in range(450):
            run("sample.add", key=f"n{number:04}", notes="night" if number % 100 == 0 else "")
    session.open_sample("n0200")
    session.run("sample.quarantine", reason="blurred")
    session.open_sample("s")
    store = session.store
    pages = SamplePages(store)
    first = pages.next_page()
    assert [each.key for each in first] == [f"n{number:04}" for number in range(PAGE)]
    assert not pages.ended
    rest = pages.next_page() + pages.next_page()
    assert pages.ended
    assert [each.key for each in first + rest] == [*(f"n{number:04}" for number in range(450)), "s"]
    by_state = SamplePages(store, Wish(order=Order.STATE)).next_page(500, within_s=10)
    assert by_state[-1].key == "n0200"
    assert by_state[-1].state is SampleState.QUARANTINED
    assert len(by_state) == 451
    rare = SamplePages(store, Wish(typed="night"))
    found: list[str] = []
    while not rare.ended:
        found += [each.key for each in rare.next_page(within_s=0.0)]  # in turns so short that each looks at one page
    assert found == ["n0000", "n0100", "n0200", "n0300", "n0400"]


def test_progress_is_told_for_every_lane(session: Session) -> None:
    done = horn(session)
    horn(session, 3, 4)
    box(session)
    session.run("annotation.set_state", annotations=[done], state="done")
    sample = session.store.sample_by_key("s")
    assert sample is not None
    row = whole_row(session.store, sample, findings=7)
    assert row.cells[2].text == "1 of 3"
    assert sorted(row.cells[2].tip.splitlines()) == ["cam: 0 of 1", "mic: 1 of 2"]
    assert row.cells[2].shares == (0.0, 0.5)
    assert row.cells[3].text == "7"


def test_history_marks_what_was_taken_back_and_says_what_changed(session: Session) -> None:
    sound = horn(session)
    session.run("annotation.set_state", annotations=[sound], state="done")
    rev = session.store.head()
    (change,) = change_rows(session.store, rev, {sound: "Horn"})
    assert change.cells[0].text == "Horn"
    assert "state: draft → done" in change.cells[1].text
    assert not [row for row in history_rows(session.store, session.sample) if "undone" in row.group.split()]
    session.undo()
    assert [row.key for row in history_rows(session.store, session.sample) if "undone" in row.group.split()] == [
        str(rev)
    ]
    session.redo()
    assert not [row for row in history_rows(session.store, session.sample) if "undone" in row.group.split()]
    steps = record_history_rows(session.store, RecordKind.ANNOTATION, sound)
    assert [row.cells[1].text for row in steps] == ["Ada"] * 4
    assert "made" in steps[-1].cells[0].text
