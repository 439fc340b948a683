"""Noun phrases against sentences marked by hand: [ and ] stand where a person put them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.noun_phrases import noun_phrases

MARKED = """\
I see [a blue car] ahead.
[Two cups] and [a keyboard].
[The red car] brakes behind [the white van].
[A man] in [a red coat] walks along [the street] with [his dog].
There is [a vase] on [the wooden table].
[Three people] are waiting at [the bus stop].
[A woman] is holding [an umbrella] while [two children] play in [the rain].
[The man's hat] lies on [the chair].
[A very old truck] is parked next to [a house].
On [a wooden table] lie [a keyboard] and [a red cup].
[The pedestrian] crosses [the road] slowly.
She puts [the blue bowl] into [the sink].
[A dog] barks at [the mailman].
[The traffic light] is red.
[A parked car] blocks [the bicycle lane].
[People] sit in [a small cafe] near [the river].
[The sky] is cloudy and [the road] looks wet.
[A smiling girl] eats [an apple].
[A group] of [cyclists] rides past [the town hall].
There are no [clouds] in [the sky].
[The robot] picks up [the red cup] and places it in [the bowl].
[A 5 mm nodule] is seen in [the right upper lobe].
[The heart] is not enlarged.
It was [a cold winter morning] in [the city].
[All the windows] of [the tall building] are open.
He drives [a silver sedan] through [heavy traffic].
[A brightly lit room] with [a large window].
[The horn] of [the truck] sounds twice.
You can see [mountains] in [the background].
[A cat] sleeps on top of [the refrigerator].
[This picture] shows [a kitchen] with [a stove] and [an oven].
[Several birds] fly over [the lake] towards [the forest].
[The player] throws [the ball] to [another player].
Behind [the counter] stands [a waiter] who wears [a black apron].
[A plate] of [pasta] with [tomato sauce].
"""


def truth(line: str) -> tuple[str, list[tuple[int, int]]]:
    text, found, start = "", [], 0
    for sign in line:
        if sign == "[":
            start = len(text)
        elif sign == "]":
            found.append((start, len(text)))
        else:
            text += sign
    return text, found


def test_captions_are_cut_as_a_person_cuts_them() -> None:
    """At least nineteen of twenty phrases, and as few false ones."""
    right = said = there = 0
    wrong = []
    for line in MARKED.splitlines():
        text, wanted = truth(line)
        got = noun_phrases(text, "en-GB") or []
        right += len(set(got) & set(wanted))
        said += len(got)
        there += len(wanted)
        wrong += [f"{text}: {[text[a:b] for a, b in got]}"] * (got != wanted)
    assert right / there >= 0.95, wrong
    assert right / said >= 0.95, wrong


@pytest.mark.parametrize("language", ["de", "hi", "ar", ""])
def test_other_languages_are_not_known(language: str) -> None:
    assert noun_phrases("ein blaues Auto", language) is None


@pytest.mark.parametrize("text", ["", "   ", "it is.", "the", "123", "!!! ??", "very quickly"])
def test_where_nothing_is_named_there_is_nothing(text: str) -> None:
    assert noun_phrases(text, "en") == []


@given(st.text(max_size=200))
def test_phrases_lie_in_the_text_in_order_and_apart(text: str) -> None:
    found = noun_phrases(text, "en")
    assert found is not None
    edges = [edge for phrase in found for edge in phrase]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) and text[start:end].strip() == text[start:end] for start, end in found)
