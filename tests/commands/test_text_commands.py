"""Transcripts and texts: typing never moves times, and spans stay on their words."""

from __future__ import annotations

import pytest
from command_work import MS, Work

from workstation.core.annotation import Annotation
from workstation.core.errors import UserError
from workstation.core.geometry import TextSpan


def turn(work: Work, *words: tuple[str, int, int], **more: object) -> str:
    spoken = [{"text": text, "start_ns": start * MS, "end_ns": end * MS} for text, start, end in words]
    return str(
        work.run(
            "turn.add", sample="drive-1", stream="mic", start_ns=0, end_ns=1000 * MS, words=spoken,
            class_id="speech", **more,
        )
    )  # fmt: skip


def spoken(work: Work, annotation: str) -> list[tuple[str, int | None, int | None]]:
    return [
        (w.text, None if w.start_ns is None else w.start_ns // MS, None if w.end_ns is None else w.end_ns // MS)
        for w in work.words(annotation)
    ]


def word_id(work: Work, annotation: str, text: str) -> str:
    return next(word.id for word in work.words(annotation) if word.text == text)


def phrase(work: Work, annotation: str, quote: str, *, stream: str = "report", class_id: str = "car") -> str:
    text = work.annotation(annotation).text or ""
    start = text.index(quote)
    shape = {"kind": "text_span", "parts": [[start, start + len(quote)]], "quote": quote, "of": annotation}
    return str(work.run("annotation.add", sample="drive-1", stream=stream, class_id=class_id, shape=shape))


def quoted(work: Work, span: str) -> str:
    made = work.annotation(span)
    assert isinstance(made.shape, TextSpan)
    text = work.annotation(str(made.shape.of)).text or ""
    assert made.shape.quote == " ".join(text[start:end] for start, end in made.shape.parts)
    return made.shape.quote


@pytest.fixture
def watch_out(work: Work) -> str:
    return turn(work, ("watch", 0, 100), ("out", 100, 200), ("red", 300, 400), ("car", 400, 600))


def test_a_turn_is_kept_word_by_word_and_as_a_text(work: Work, watch_out: str) -> None:
    assert work.annotation(watch_out).text == "watch out red car"
    assert spoken(work, watch_out)[-1] == ("car", 400, 600)


def test_typing_never_moves_times(work: Work, watch_out: str) -> None:
    before = spoken(work, watch_out)
    work.run("word.edit", word=word_id(work, watch_out, "red"), text="blue")
    assert work.annotation(watch_out).text == "watch out blue car"
    assert [times[1:] for times in spoken(work, watch_out)] == [times[1:] for times in before]
    for bad in ("", "two words", "tab\t", "\x07"):
        with pytest.raises(UserError, match="one piece of visible text"):
            work.run("word.edit", word=word_id(work, watch_out, "blue"), text=bad)


def test_an_inserted_word_is_untimed_until_it_is_placed(work: Work, watch_out: str) -> None:
    made = work.run("word.insert", annotation=watch_out, text="the", before=word_id(work, watch_out, "red"))
    assert spoken(work, watch_out)[2:4] == [("the", None, None), ("red", 300, 400)]
    with pytest.raises(UserError, match="between 200000000 and 300000000"):
        work.run("word.place", word=made, start_ns=150 * MS, end_ns=250 * MS)
    work.run("word.place", word=made, start_ns=210 * MS, end_ns=290 * MS)
    assert spoken(work, watch_out)[2] == ("the", 210, 290)


def test_a_hundred_words_fit_between_two(work: Work, watch_out: str) -> None:
    for number in range(100):
        work.run("word.insert", annotation=watch_out, text=f"w{number}", before=word_id(work, watch_out, "out"))
    said = [text for text, _, _ in spoken(work, watch_out)]
    assert said == ["watch", *(f"w{n}" for n in range(100)), "out", "red", "car"]
    assert spoken(work, watch_out)[-1] == ("car", 400, 600)


def test_a_deleted_word_leaves_its_time_to_its_neighbours(work: Work, watch_out: str) -> None:
    work.run("word.delete", words=[word_id(work, watch_out, "red")])
    assert spoken(work, watch_out) == [("watch", 0, 100), ("out", 100, 350), ("car", 350, 600)]
    work.run("word.delete", words=[word_id(work, watch_out, "watch"), word_id(work, watch_out, "out")])
    assert spoken(work, watch_out) == [("car", 0, 600)]
    with pytest.raises(UserError, match="without a word"):
        work.run("word.delete", words=[word_id(work, watch_out, "car")])


def test_typing_the_whole_text_keeps_the_words_that_stay(work: Work, watch_out: str) -> None:
    work.run("text.edit", annotation=watch_out, text="watch out for the green car")
    assert spoken(work, watch_out) == [
        ("watch", 0, 100), ("out", 100, 200), ("for", 300, 400), ("the", None, None), ("green", None, None),
        ("car", 400, 600),
    ]  # fmt: skip
    work.run("text.edit", annotation=watch_out, text="car")
    assert [text for text, _, _ in spoken(work, watch_out)] == ["car"]


def test_spans_stay_on_their_words(work: Work, watch_out: str) -> None:
    span = phrase(work, watch_out, "red car")
    work.run("word.insert", annotation=watch_out, text="please", before=word_id(work, watch_out, "watch"))
    assert quoted(work, span) == "red car"
    work.run("word.edit", word=word_id(work, watch_out, "red"), text="crimson")
    assert quoted(work, span) == "crimson car"
    work.run("word.delete", words=[word_id(work, watch_out, "crimson")])
    assert quoted(work, span) == "car"
    for _ in range(3):
        assert work.store.undo() is not None
    assert quoted(work, span) == "red car"


def test_deleting_the_last_character_of_a_span_asks_what_becomes_of_its_links(work: Work) -> None:
    report = work.run(
        "annotation.add", sample="drive-1", stream="report", shape={"kind": "tag"},
        text="The red car brakes.",
    )  # fmt: skip
    span, box = phrase(work, report, "red car"), work.box()
    link = work.run("link.add", sample="drive-1", type_id="refers_to", ends={"phrase": span, "thing": box})
    with pytest.raises(UserError, match=f"refers_to {link}"):
        work.run("text.edit", annotation=report, text="The brakes.")
    assert quoted(work, span) == "red car"
    work.run("text.edit", annotation=report, text="The brakes.", links="remove")
    assert work.gone(Annotation, span)
    assert work.store.links_of(box) == []


def test_cutting_a_turn_takes_words_and_spans_to_their_side(work: Work, watch_out: str) -> None:
    left, right = phrase(work, watch_out, "watch out"), phrase(work, watch_out, "car")
    across = phrase(work, watch_out, "out red")
    red = word_id(work, watch_out, "red")
    with pytest.raises(UserError, match="lies across the cut"):
        work.run("turn.split", word=red)
    work.run("annotation.delete", annotations=[across])
    second = work.run("turn.split", word=red)
    assert spoken(work, watch_out) == [("watch", 0, 100), ("out", 100, 200)]
    assert spoken(work, second) == [("red", 300, 400), ("car", 400, 600)]
    assert (work.annotation(watch_out).end_ns, work.annotation(second).start_ns) == (300 * MS, 300 * MS)
    assert (quoted(work, left), quoted(work, right)) == ("watch out", "car")
    shape = work.annotation(right).shape
    assert isinstance(shape, TextSpan)
    assert shape.of == second
    work.run("turn.join", first=second, second=watch_out)
    assert work.annotation(watch_out).text == "watch out red car"
    assert spoken(work, watch_out)[-1] == ("car", 400, 600)
    assert work.gone(Annotation, second)
    assert quoted(work, right) == "car"
    assert work.annotation(watch_out).end_ns == 1000 * MS


def test_a_text_goes_only_with_its_spans(work: Work, watch_out: str) -> None:
    span = phrase(work, watch_out, "car")
    with pytest.raises(UserError, match="1 text spans are anchored"):
        work.run("annotation.delete", annotations=[watch_out])
    work.run("annotation.delete", annotations=[watch_out, span])
    assert work.words(watch_out) == []
