"""Tokens, names and likeness, with graphs of arithmetic: the test chose each vector, so the answer is known."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError, UserError
from workstation.prelabel import texts_entities, texts_tokens
from workstation.prelabel.api import BadOutput, InputSpec
from workstation.prelabel.image_text import NotEnoughEvidence, TagConsistency, TwoTowers, prepared
from workstation.prelabel.texts_entities import SpacyEntities, TokenClassifier, open_spacy
from workstation.prelabel.texts_similar import SentenceModel, alike, duplicates, matching_labels
from workstation.prelabel.texts_tokens import WordPiece, padded, read_tokenizer

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "dog", "puppy", "cat", "car", "run", "##ning", "##s", ",", ".", "ana",
          "lee", "in", "rome", "##n", "京"]  # fmt: skip
TOKENIZER = WordPiece(vocabulary={each: n for n, each in enumerate(PIECES)}, lowercase=True, strip_accents=True)
MEANING = {"dog": (1, 0, 0), "puppy": (0.9, 0.1, 0), "cat": (0.6, 0.6, 0), "car": (0, 0, 1), "run": (0, 1, 0)}


class Meanings:
    """Each piece has the vector that the test gave it; others none."""

    def __init__(self) -> None:
        self.texts = 0

    def run(self, feeds: Any) -> Any:
        self.texts += len(feeds["input_ids"])
        table = np.zeros((len(PIECES), 3), np.float32)
        for name, vector in MEANING.items():
            table[PIECES.index(name)] = vector
        return {"last_hidden_state": table[feeds["input_ids"]]}


def test_pieces_and_their_places_by_hand() -> None:
    made = TOKENIZER.tokens("  Running dögs,\u200b京x!", 99)
    names = [PIECES[each] for each in made.ids]
    assert names == ["[CLS]", "run", "##ning", "dog", "##s", ",", "京", "[UNK]", "[UNK]", "[SEP]"]
    text = "  Running dögs,\u200b京x!"
    shown = [text[a:b] for a, b in made.places]
    assert shown == ["", "Run", "ning", "dög", "s", ",", "京", "x", "!", ""]


@given(text=st.text(max_size=60), most=st.integers(2, 12))
@settings(max_examples=80, deadline=None)
def test_places_lie_in_the_text_in_order_and_no_more_than_asked(text: str, most: int) -> None:
    made = TOKENIZER.tokens(text, most)
    assert 2 <= len(made.ids) == len(made.places) <= most
    inner = made.places[1:-1]
    assert all(0 <= a < b <= len(text) for a, b in inner)
    assert all(one[1] <= other[0] or one == other for one, other in itertools.pairwise(inner))
    ids, mask, _ = padded(TOKENIZER, [text, "dog"], most)
    assert ids.shape == mask.shape
    assert mask[0].sum() == len(made.ids)


def written(folder: Path, said: Any) -> Path:
    path = folder / "tokenizer.json"
    path.write_bytes(said if isinstance(said, bytes) else json.dumps(said).encode())
    return path


def test_a_tokenizer_file_is_read_and_what_is_wrong_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = {"model": {"type": "WordPiece", "vocab": TOKENIZER.vocabulary, "unk_token": "[UNK]"},
            "normalizer": {"lowercase": True}}  # fmt: skip
    assert read_tokenizer(written(tmp_path, good)).tokens("Dögs", 9) == TOKENIZER.tokens("Dögs", 9)
    for bad, word in ((b"", "cannot be read"), (b"\xff\xfe", "cannot be read"), (b"[" * 100_000, "cannot be read"),
                      ([], "names no model"), ({"model": {"type": "WordPiece"}}, "pieces"),
                      ({"model": {"type": "WordPiece", "vocab": {"a": "b"}}}, "pieces"),
                      ({"model": {"type": "WordPiece", "vocab": {"a": 1}}}, "lacks")):  # fmt: skip
        with pytest.raises(DataError, match=word):
            read_tokenizer(written(tmp_path, bad))
    monkeypatch.setattr(texts_tokens.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match="needs the package tokenizers"):
        read_tokenizer(written(tmp_path, {"model": {"type": "BPE"}}))


def test_likeness_is_the_cosine_of_the_mean_of_the_words() -> None:
    model = SentenceModel(Meanings(), TOKENIZER)
    found = alike(model, ["dog"], ["puppy", "car", "dog car", "", "..."])
    assert found[0] == pytest.approx([0.9 / np.hypot(0.9, 0.1), 0, 1 / np.sqrt(2), 0, 0], abs=1e-6)


def test_each_text_is_looked_at_once_whatever_its_company() -> None:
    graph = Meanings()
    model = SentenceModel(graph, TOKENIZER)
    one = model.vectors(["dog", "cat", "dog"])
    assert graph.texts == 2
    assert np.array_equal(model.vectors(["dog running cat", "dog"])[1], one[0])
    assert graph.texts == 3
    assert model.vectors([]).shape[0] == 0


def test_duplicates_and_labels_that_a_word_may_mean() -> None:
    model = SentenceModel(Meanings(), TOKENIZER)
    found = duplicates(model, ["dog", "car", "puppy", "dog."], above=0.95)
    assert [(each.first, each.second) for each in found] == [(0, 3), (0, 2), (2, 3)]
    matches = matching_labels(model, "puppy", {"animal": ["dog", "cat"], "vehicle": ["car"], "deed": []})
    assert [each.label for each in matches] == ["animal"]
    assert matching_labels(model, " ", {"animal": ["dog"]}) == []


@pytest.mark.parametrize("answer", [{}, {"x": np.zeros(3)}, {"x": np.full((1, 3, 2), np.nan)}])
def test_a_sentence_graph_that_answers_nonsense_is_named(answer: Any) -> None:
    model = SentenceModel(type("R", (), {"run": lambda _self, _feeds: answer})(), TOKENIZER)
    with pytest.raises(BadOutput):
        model.vectors(["dog"])


CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


class Names:
    """ana, lee: person; rome: place. The rest of a word says nonsense, which must not count."""

    def run(self, feeds: Any) -> Any:
        sure = {"ana": 1, "lee": 2, "rome": 3, "##n": 4}
        out = np.zeros((*feeds["input_ids"].shape, 5), np.float32)
        for column, each in enumerate(feeds["input_ids"][0].tolist()):
            out[0, column, sure.get(PIECES[each], 0)] = 6.0
        return {"logits": out}


def test_names_are_found_with_their_code_points() -> None:
    text = "Ana Lee, in Romen. " + "dog " * 400 + "Ana"
    found = TokenClassifier(Names(), TOKENIZER, CLASSES, name="n").entities(text)
    assert [(text[each.start : each.stop], each.label) for each in found] == [
        ("Ana Lee", "PER"), ("Romen", "LOC"), ("Ana", "PER"),
    ]  # fmt: skip
    assert all(each.score > 0.9 for each in found)
    assert TokenClassifier(Names(), TOKENIZER, CLASSES, name="n").entities("") == []
    assert TokenClassifier(Names(), TOKENIZER, CLASSES, name="n").entities("ana ana")[1].start == 4
    with pytest.raises(BadOutput, match="instead of one tensor"):
        TokenClassifier(Names(), TOKENIZER, CLASSES[:3], name="n").entities("Ana")
    with pytest.raises(DataError, match="names no classes"):
        TokenClassifier(Names(), TOKENIZER, (), name="n")


def test_a_spacy_folder_is_opened_by_whoever_trusts_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="may run code"):
        open_spacy(tmp_path, trusted=False)
    monkeypatch.setattr(texts_entities.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match="spacy is not installed"):
        open_spacy(tmp_path, trusted=True)
    monkeypatch.setattr(texts_entities.importlib.util, "find_spec", lambda _name: object())
    with pytest.raises(DataError, match=r"no config\.cfg"):
        open_spacy(tmp_path, trusted=True)
    span = type("E", (), {"start_char": 2, "end_char": 5, "label_": "ORG"})
    (found,) = SpacyEntities(lambda _text: type("D", (), {"ents": [span]}), "s").entities("a bcd")
    assert (found.start, found.stop, found.label) == (2, 5, "ORG")
    # As the small English model answers for a name at the end of a line; the second is nothing but that.
    ends = [type("E", (), {"start_char": 10, "end_char": end, "label_": "PERSON"}) for end in (16, 16)]
    ends[1].start_char = 15
    (found,) = SpacyEntities(lambda _text: type("D", (), {"ents": ends}), "s").entities("President Obama\n")
    assert (found.start, found.stop) == (10, 15)


class Colours:
    """A picture's vector is its mean colour."""

    def run(self, feeds: Any) -> Any:
        pixels = feeds["pixel_values"]
        assert pixels.shape[1:] == (3, 32, 32)
        return {"image_embeds": pixels.mean(axis=(2, 3))}


class ColourWords:
    def run(self, feeds: Any) -> Any:
        assert feeds["input_ids"].shape[1] == 77
        words = {"dog": (1, 0, 0), "cat": (0, 1, 0), "car": (0, 0, 1)}
        out = np.full((len(feeds["input_ids"]), 3), 1e-3, np.float32)
        for row, ids in enumerate(feeds["input_ids"].tolist()):
            for each in ids:
                out[row] += words.get(PIECES[each], (0, 0, 0))
        return {"text_embeds": out}


INPUT = InputSpec(width=32, height=32, scale=1 / 255)


def test_a_scorer_of_two_graphs_ranks_the_text_that_fits_first() -> None:
    towers = TwoTowers(name="t", image=Colours(), text=ColourWords(), tokenizer=TOKENIZER, input=INPUT)
    red = np.zeros((50, 90, 3), np.uint8)
    red[..., 0] = 200
    scores = towers.scores(red, ["a dog", "a cat", "a car"])
    assert scores[0] > 0.99
    assert (scores[1:] < 0.1).all()
    assert towers.scores(red, []).shape == (0,)
    with pytest.raises(BadOutput, match="no length"):
        towers.scores(np.zeros((9, 9, 3), np.uint8), ["dog"])


def test_pictures_are_cut_to_their_middle_or_stretched() -> None:
    wide = np.zeros((10, 100, 3), np.uint8)
    wide[:, 45:55] = 255
    middle = prepared(wide, INPUT)
    assert middle.shape == (3, 32, 32)
    assert middle.mean() > 0.95
    assert prepared(wide, InputSpec(width=32, height=32, scale=1 / 255, resize="stretch")).mean() < 0.2
    blue = np.zeros((8, 8, 3), np.uint8)
    blue[..., 2] = 255
    spec = InputSpec(width=16, height=16, scale=1 / 255, mean=(0.5,) * 3, std=(0.25,) * 3, color="BGR")
    assert prepared(blue, spec)[:, 0, 0] == pytest.approx([2, -2, -2])
    for bad in (np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3))):
        with pytest.raises(DataError):
            prepared(bad, INPUT)
    with pytest.raises(DataError, match="makes no sense"):
        prepared(blue, InputSpec(width=0, height=-3))


def test_few_tags_are_no_evidence_and_give_no_score() -> None:
    stand_in = TagConsistency(SentenceModel(Meanings(), TOKENIZER))
    with pytest.raises(NotEnoughEvidence, match="2 different tags"):
        stand_in.scores(["dog", "Dog ", "", "cat"], ["a dog"])
    fits, fails = stand_in.scores(["dog", "puppy", "cat"], ["a dog", "a car"])
    assert fits > 0.8 > 0.1 > fails
