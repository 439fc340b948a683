"""Phrases of captions that still lack a region: by hand what is linked, declared and left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workstation.app.open_phrases import not_seen, open_phrases
from workstation.app.opening import new_project, open_project
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.text_source import Anchor, Body, Sheet
from workstation.core.annotation import Link

TEXT = "I see a blue car ahead and a dog near the old church."
BOX = {"kind": "box", "x": 10, "y": 10, "width": 40, "height": 30}


class Caption:
    """A picture with a car in it, and a caption."""

    def __init__(self, session: Session, language: str = "en") -> None:
        self.session = session
        self.run = session.run
        self.run("sample.add", key="s")
        session.open_sample("s")
        self.run("stream.add", key="picture", kind="image")
        self.run("stream.add", key="captions", kind="text")
        self.text = self.run("annotation.add", stream="captions", class_id="caption", kind="tag", text=TEXT,
                             language=language)  # fmt: skip
        self.run("link.add", type_id="describes", ends={"text": self.text, "subject": "stream:picture"})
        self.car = self.run("annotation.add", stream="picture", class_id="car", shape=BOX,
                            attributes={"occlusion": "none", "truncated": False})  # fmt: skip

    @property
    def view(self) -> SampleView:
        assert self.session.sample is not None
        return SampleView(self.session.store, self.session.sample)

    def mark(self, quote: str, **more: Any) -> str:
        start = TEXT.index(quote)
        shape = {"kind": "text_span", "parts": [[start, start + len(quote)]], "quote": quote, "of": self.text}
        made: str = self.run("annotation.add", stream="captions", shape=shape, **more)
        return made

    def found(self) -> tuple[list[str], str]:
        view = self.view
        stream = view.annotations[self.text].stream
        found = open_phrases(view, Sheet(bodies=[Body(anchor=Anchor(stream, self.text), text=TEXT, title="")]))
        return [each.quote for each in found.found], found.words()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    new_project(tmp_path / "p", profile="vision_language", person="Ana")
    with open_project(tmp_path / "p", kind="person") as opened:
        yield opened


def test_phrases_stay_open_until_they_are_linked_or_declared(session: Session) -> None:
    """CAP-05."""
    caption = Caption(session)
    assert caption.found() == (["a blue car", "a dog", "the old church"], "3 phrases without a region")
    phrase = caption.mark("a blue car", class_id="car", attributes={"occlusion": "unknown"})
    assert len(caption.found()[0]) == 3  # marked is not linked
    link = caption.run("link.add", type_id="refers_to", state="proposed", ends={"phrase": phrase, "thing": caption.car})
    assert len(caption.found()[0]) == 3  # nor is a proposal
    caption.run("link.accept", links=[link])
    assert caption.found()[0] == ["a dog", "the old church"]
    absence = not_seen(caption.view)
    assert absence == ("absent", "stream:picture", "not_visual")
    church = caption.mark("the old church")
    caption.run("link.absent", of=f"annotation:{church}", missing_in=absence[1], reason=absence[2])
    assert caption.found() == (["a dog"], "1 phrase without a region")
    session.undo()
    assert len(caption.found()[0]) == 2


def test_another_language_says_that_its_phrases_are_not_known(session: Session) -> None:
    assert Caption(session, language="de").found() == ([], "phrases of de are not known here")


def test_a_text_that_describes_no_picture_has_no_open_phrases(session: Session) -> None:
    caption = Caption(session)
    (link,) = [each for each in caption.view.links.values() if isinstance(each, Link)]
    caption.run("link.remove", links=[link.id])
    assert caption.found() == ([], "")
