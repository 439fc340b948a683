"""The classes of the ontology as a tree of rows, searched by any word that stands for them. Without Qt.

The panel of classes and the inspector's picker ask; what is legal where comes from the compiled ontology, so that
every picker of the window offers the same ids.
"""

from __future__ import annotations

import locale
from collections.abc import Iterable, Iterator, Mapping

from workstation.app.looks import Paint, paint_of
from workstation.app.rows import Cell, Column, Row
from workstation.core.geometry import ShapeKind
from workstation.core.lexicon import folded
from workstation.core.ontology import OntologyClass, Surface, Word, name_in
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import StreamKind
from workstation.core.values import dataclass

COLUMNS = (
    Column(title="Class", stretch=True, help="Click or Enter: for the next shape, or for what is selected"),
    Column(title="Key", width=4, help="The key that does the same"),
    Column(title="Labels", width=7, spare=1, numeric=True, help="How many labels of the open sample count under it"),
    Column(title="", width=2, help="Shown or hidden (@classes.hide)"),
    Column(title="", width=2, help="Shown alone (@classes.solo)"),
    Column(title="", width=2, help="Locked against gestures (@classes.lock)"),
)
HIDE, SOLO, LOCK = 3, 4, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassWish:
    """What the list is to show. ``anywhere``: no stream is focused, so every class may be taken."""

    typed: str = ""
    language: str = ""
    stream: StreamKind | None = None
    anywhere: bool = True


def person_language(ontology: CompiledOntology) -> str:
    """The person's own language, if the ontology has names in it; else the ontology's."""
    own = (locale.getlocale()[0] or "")[:2]
    return own if own in languages_of(ontology) else ontology.ontology.language


def languages_of(ontology: CompiledOntology) -> list[str]:
    """The languages in which some class has a name, the ontology's first."""
    found = dict.fromkeys([ontology.ontology.language])
    for each in ontology.classes.values():
        found.update(dict.fromkeys(each.names))
    return list(found)


def class_rows(
    ontology: CompiledOntology,
    wish: ClassWish,
    *,
    counts: Mapping[str, int],
    sight: Mapping[str, tuple[bool, bool, bool]],
) -> list[Row]:
    """The tree, from above to below, in the order of the file; with a word typed what fits it and what is above.

    ``sight`` says for a class whether it is hidden, alone, locked.
    """
    fitting = _fitting(ontology, wish.typed)
    shown = {above for each in fitting for above in ontology.above(each)}
    legal = None if wish.anywhere else frozenset(ontology.classes_for(wish.stream))
    rows = []
    for class_id, depth in _tree(ontology):
        cls = ontology.classes[class_id]
        if class_id in shown and cls.retired is None:
            rows.append(_row(ontology, cls, wish, depth, fitting.get(class_id), legal, counts, sight))
    return rows


def class_name(ontology: CompiledOntology, class_id: str, language: str) -> str:
    """A class's name in a language."""
    return name_in(ontology.classes[class_id].names, language)


def _row(
    ontology: CompiledOntology,
    cls: OntologyClass,
    wish: ClassWish,
    depth: int,
    word: str | None,
    legal: frozenset[str] | None,
    counts: Mapping[str, int],
    sight: Mapping[str, tuple[bool, bool, bool]],
) -> Row:
    name = class_name(ontology, cls.id, wish.language)
    enabled = legal is None or cls.id in legal
    why = "" if enabled else f"{name} has no place on {_where(wish.stream)}"
    also = f" ({word})" if word and folded(word) != folded(name) else ""
    hidden, alone, locked = sight.get(cls.id, (False, False, False))
    count = counts.get(cls.id, 0)
    tip = "\n".join(filter(None, (name, cls.definition, why and f"{why}.")))
    return Row(
        key=cls.id,
        depth=depth,
        enabled=enabled,
        group="enabled" if enabled else "",
        cells=(
            Cell(text=f"{name}{also}", tip=tip, paint=class_paint(ontology, cls.id)),
            Cell(text=cls.key or "", tip=f"Key {cls.key}" if cls.key else "It has no key"),
            Cell(text=str(count) if count else "", tip=f"{count} labels here"),
            Cell(icon="eye_off" if hidden else "eye", tip=f"{'Hidden' if hidden else 'Shown'}: {name}"),
            Cell(icon="solo" if alone else "solo_off", tip=f"{'Shown alone' if alone else 'With the others'}: {name}"),
            Cell(icon="lock" if locked else "unlock", tip=f"{'Locked' if locked else 'Not locked'}: {name}"),
        ),
    )


def class_paint(ontology: CompiledOntology, class_id: str) -> Paint:
    """Its colour, mark and pattern."""
    return paint_of(ontology, class_id, None)


def _where(kind: StreamKind | None) -> str:
    return "the sample as a whole" if kind is None else f"{kind.value} streams"


def _tree(ontology: CompiledOntology) -> Iterator[tuple[str, int]]:
    children: dict[str | None, list[str]] = {}
    for cls in ontology.classes.values():
        children.setdefault(cls.parent, []).append(cls.id)

    def below(parent: str | None, depth: int) -> Iterator[tuple[str, int]]:
        for class_id in children.get(parent, ()):
            yield class_id, depth
            yield from below(class_id, depth + 1)

    yield from below(None, 0)


def _fitting(ontology: CompiledOntology, typed: str) -> dict[str, str]:
    """The classes that what was typed may mean, each with the word that fitted."""
    wanted = folded(typed)
    if not wanted:
        return dict.fromkeys(ontology.classes, "")
    found: dict[str, str] = {}
    for class_id, word in _words(ontology):
        if wanted in folded(word):
            found.setdefault(class_id, word)
    return found


def _words(ontology: CompiledOntology) -> Iterator[tuple[str, str]]:
    for cls in ontology.classes.values():
        for name in cls.names.values():
            yield cls.id, name
        yield cls.id, cls.id
    for word in ontology.ontology.lexicon:
        yield word.class_id, word.word


def class_text(ontology: CompiledOntology, class_id: str, language: str) -> list[tuple[str, list[str]]]:
    """What there is to read about a class: headings with paragraphs."""
    cls, whole = ontology.classes[class_id], ontology.ontology
    names = [f"{code}: {name}" for code, name in cls.names.items() if code != language]
    shapes = [
        f"{surface.value}: {', '.join(sorted(kind.value.replace('_', ' ') for kind in kinds))}"
        for surface in (*whole.modalities, Surface.SAMPLE)
        if (kinds := _shapes(ontology, class_id, surface))
    ]
    found: list[tuple[str, list[str]]] = [
        ("", [cls.definition or "No definition is written."]),
        ("In other languages", names),
        ("How it looks and sounds", _by_surface(cls.modalities)),
        ("Examples", _by_surface(cls.examples)),
        ("Not in", _by_surface(cls.not_in)),
        ("Drawn as", shapes),
        (
            "Words",
            [_word_line(word.language, word.word, word.relation.value) for word in _words_of(ontology, class_id)],
        ),
        ("Edge cases", list(_edge_cases(ontology, class_id))),
    ]
    return [(heading, lines) for heading, lines in found if lines]


def _edge_cases(ontology: CompiledOntology, class_id: str) -> Iterator[str]:
    for case in ontology.ontology.edge_cases:
        if case.retired is None and class_id in _reach(ontology, case.classes):
            yield f"{' '.join(filter(None, (case.id, case.title)))}: {case.text}"


def _word_line(language: str, word: str, relation: str) -> str:
    return f"{word} ({language}, {relation.removesuffix('s') if relation == 'synonyms' else relation})"


def _words_of(ontology: CompiledOntology, class_id: str) -> Iterable[Word]:
    return (word for word in ontology.ontology.lexicon if word.class_id == class_id)


def _reach(ontology: CompiledOntology, classes: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(ontology.below(each) for each in classes if each in ontology.classes))


def _by_surface(said: Mapping[Surface, str]) -> list[str]:
    return [f"{surface.value}: {text}" for surface, text in said.items()]


def _shapes(ontology: CompiledOntology, class_id: str, surface: Surface) -> frozenset[ShapeKind]:
    kind = None if surface is Surface.SAMPLE else StreamKind(surface.value)
    return ontology.shapes_for(class_id, kind)
