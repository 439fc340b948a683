"""The noun phrases of an English text: "I see *a blue car* ahead". For marking which words of a caption still lack a
region; other languages are not known, and the answer says so.

No model: words that are no nouns are listed (articles, pronouns, prepositions, common verbs, adverbs and adjectives),
and what runs between them is a phrase. Good for captions and reports; a rare verb without an object may be taken for a
noun, which costs a look and hides nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\d+[.,]\d+|[^\W_]+(?:['’][^\W_]+|-[^\W_]+)*|[^\w\s]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BEFORE_NOUNS = _words(
    "a an the this that these those my your his her its our their some any each every no another both all several "
    "many few more most much other either neither such one two three four five six seven eight nine ten eleven "
    "twelve twenty hundred dozen"
)
_PREPOSITIONS = _words(
    "of in on at by for with from to into onto over under above below beneath between among behind beside besides "
    "beyond near off out outside inside through across along around against toward towards up down upon within "
    "without during before after since until till about like as than per via amid past opposite next despite "
    "except including"
)
_JOINING = _words(
    "and or but nor so yet if because while although though when where which who whom whose what whether that"
)
_PRONOUNS = _words(
    "i you he she it we they me him us them myself yourself himself herself itself ourselves themselves somebody "
    "someone something anybody anyone anything nobody nothing everyone everybody everything mine yours hers ours "
    "theirs there here"
)
_HELPING = _words(
    "am is are was were be been being do does did doing done have has had having will would shall should can "
    "could may might must ought isn't aren't wasn't weren't don't doesn't didn't can't won't not n't let's"
)
_ADVERBS = _words(
    "ahead away back forward backward backwards forwards now then soon later again already still also too very "
    "quite rather almost just only even ever never always often sometimes together apart alone upstairs "
    "downstairs nearby abroad twice once perhaps maybe well far fast indoors outdoors sideways upright aside "
    "else instead however therefore otherwise please yes no anymore straight"
)
_VERBS = _words(
    "measure weigh extend increase decrease change see look watch show stand sit lie lay lean walk run drive ride "
    "turn stop brake wait cross pass park move hold carry wear eat drink cook cut pick put place take bring give "
    "get go come leave enter follow lead play throw catch kick hit jump climb fall fly swim dance sing talk speak "
    "say tell ask call point smile laugh cry sleep rest work read write draw paint open close shut push pull lift "
    "drop hang fill pour serve prepare wash clean build make use try help keep seem appear become begin start end "
    "grow cover surround contain include feature depict face reach touch fit sport perform travel approach slow "
    "honk bark shine reflect float land stretch gather graze feed pose prepare share enjoy think know want need "
    "like love hate feel hear listen smell taste meet greet hug kiss wave clap cheer suggest indicate demonstrate "
    "reveal remain stay live exist happen occur belong consist depend join connect attach tie dress chase hunt "
    "swing slide roll spin bend kneel crouch squat hide peek peer stare gaze glance block yield merge overtake "
    "accelerate signal hoot ring sound pair match grip grasp grab release rotate align pack load unload"
)
_NOUNS_TOO = _words(
    "stop park walk drive ride work play stand turn match swing slide signal sound wash paint cover dress point "
    "face start end cut fit sport drop block build group clip lock mark pack roll building painting crossing "
    "parking clothing wedding"
)
_PAST = _words(
    "saw seen stood sat lay lain leant ran drove driven rode ridden held carried wore worn ate eaten drank drunk "
    "cut put took taken brought gave given got went gone came left led threw thrown caught hit fell fallen flew "
    "flown swam sang spoke spoken said told slept wrote written drew drawn shut hung built made kept became began "
    "begun grew grown thought knew known felt heard met swung slid spun bent knelt hid hidden fed shone lit "
    "surrounded filled covered"
)
_ADJECTIVES = _words(
    "red blue green yellow white black grey gray brown orange purple pink silver golden dark light bright pale "
    "colourful colorful big large small little tiny huge tall short long wide narrow high low deep thick thin "
    "heavy old young new modern ancient clean dirty wet dry hot cold warm cool full empty open closed busy quiet "
    "calm happy sad angry tired hungry thirsty beautiful pretty ugly nice good bad fine ready visible hidden "
    "clear cloudy sunny rainy snowy foggy blurry sharp round square flat straight curved wooden metallic shiny "
    "dull soft hard rough smooth ripe fresh alive dead asleep awake alone available similar different same likely "
    "able normal enlarged unremarkable mild moderate severe acute chronic left right upper lower central lateral "
    "medial"
)
_STOPS = _PREPOSITIONS | _JOINING | _PRONOUNS | _HELPING | _ADVERBS


def _forms(verb: str) -> tuple[str, ...]:
    """A verb as it may stand in a sentence."""
    stem = verb[:-1] if verb.endswith("e") else verb
    twice = verb + verb[-1]
    third = f"{verb[:-1]}ies" if verb.endswith("y") and verb[-2] not in "aeiou" else (
        f"{verb}es" if verb.endswith(("s", "x", "z", "ch", "sh")) else f"{verb}s"
    )  # fmt: skip
    past = f"{verb[:-1]}ied" if third.endswith("ies") else f"{stem}ed"
    return verb, third, past, f"{stem}ing", f"{twice}ed", f"{twice}ing"


_DOING = frozenset(form for verb in _VERBS for form in _forms(verb)) | _PAST
_SPOILED = ("ing", "ed")
_WHOLE = frozenset({"all", "both", "such"})
_PLACES = frozenset({"back", "front", "top", "left", "right", "inside", "outside", "past", "home"})
"""Nouns after an article: "the back of a van"."""
_SEVERAL = frozenset({"people", "children", "men", "women", "police", "cattle", "sheep", "fish"})
_LEAST = 4
_OF_PEOPLE = re.compile(r"['’]s$")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int

    @property
    def known(self) -> str:
        return self.text.casefold().replace("’", "'")


def noun_phrases(text: str, language: str) -> list[tuple[int, int]] | None:
    """From where to where each phrase goes, in code points and in order; ``None`` where the language is not known."""
    if language.partition("-")[0].casefold() != "en":
        return None
    words = [_Word(each.group(), each.start(), each.end()) for each in _TOKEN.finditer(text)]
    found: list[tuple[int, int]] = []
    phrase: list[_Word] = []
    for number, word in enumerate(words):
        if _goes_on(phrase, word, words[number + 1] if number + 1 < len(words) else None, _one_before(words, number)):
            phrase.append(word)
            continue
        found += _kept(phrase)
        phrase = [word] if _begins(word, words[number + 1] if number + 1 < len(words) else None,
                                   _one_before(words, number)) else []  # fmt: skip
    found += _kept(phrase)
    return found


def _one_before(words: list[_Word], number: int) -> str:
    return words[number - 1].known if number else ""


def _is_word(word: _Word | None) -> bool:
    return word is not None and (word.text[0].isalnum())


def _is_open(word: _Word | None) -> bool:
    """Whether a word may be a noun or stand before one."""
    return word is not None and _is_word(word) and word.known not in _STOPS


def _begins(word: _Word, after: _Word | None, before: str) -> bool:
    known = word.known
    if not _is_word(word):
        return False
    if known in _BEFORE_NOUNS:
        return known != "that" or _is_open(after)
    if known in _STOPS:
        return False
    if known in _DOING:
        # "parked cars": what was done to things; "cars parked", "is parked": what is done.
        return known.endswith(_SPOILED) and before not in _HELPING and _is_noun(after) and not before.isalpha()
    return not (known.endswith("ly") and len(known) > _LEAST)


def _goes_on(phrase: list[_Word], word: _Word, after: _Word | None, before: str) -> bool:
    if not phrase or not _is_word(word):
        return False
    known, last = word.known, phrase[-1].known
    if known in _BEFORE_NOUNS:
        return last in _WHOLE if known in ("a", "an", "the") else last in _BEFORE_NOUNS  # all the, these two
    if known in ("very", "quite", "rather", "too", "almost", "other"):
        return last in _BEFORE_NOUNS and _is_open(after)
    if known in _STOPS:
        return known in _PLACES and last in _BEFORE_NOUNS
    opened = last in _BEFORE_NOUNS or last in _ADJECTIVES or last in ("very", "quite", "rather") or (
        last.endswith("ly") or _OF_PEOPLE.search(last) is not None
    )  # fmt: skip
    if known in _DOING:
        if not opened:
            # "the bus stop": a verb without an ending has no single thing before it; "the dogs stop" has several.
            several = last in _SEVERAL or (last.endswith("s") and not last.endswith(("us", "ss")))
            return known in _NOUNS_TOO and not several
        return not known.endswith(_SPOILED) or _is_noun(after) or phrase[0].known in _BEFORE_NOUNS
    if known[0].isdigit():
        return last in _BEFORE_NOUNS
    if known.endswith("ly") and len(known) > _LEAST:
        return opened and _is_open(after)
    return True


def _is_noun(word: _Word | None) -> bool:
    return _is_open(word) and word is not None and word.known not in _BEFORE_NOUNS and word.known not in _DOING


def _kept(phrase: list[_Word]) -> list[tuple[int, int]]:
    """The phrase, if it names something: not articles alone, nor what only says how something is."""
    said = [each for each in phrase if each.known not in _BEFORE_NOUNS]
    if not said or all(each.known in _ADJECTIVES or each.known in _STOPS - _PLACES for each in said):
        return []
    if all(each.text[0].isdigit() for each in said):
        return []
    return [(phrase[0].start, phrase[-1].end)]
