"""The lexicon of `reviews`: its words, phrases and sentences, each word with its universal part of speech.

A phrase is a list of (word, tag) pairs. In the sentences below, {name}, {day} and the like are slots. Paired
lists hold the negative words first, so that a polarity, 0 or 1, is an index.
"""

from __future__ import annotations

import random

Phrase = list[tuple[str, str]]

UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN"),
    *("NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "VERB"),
)


def _words(tag: str, words: str) -> list[Phrase]:
    """Read words, set apart by spaces, that share a tag."""
    return [[(word, tag)] for word in words.split()]


def _phrases(text: str, between: str = "\n") -> list[Phrase]:
    """Read phrases, one a line, written as word/TAG; a slot keeps an empty tag until it is filled."""
    lines = text.strip().split(between)
    return [
        [(word, tag) for word, _, tag in (pair.partition("/") for pair in line.split())] for line in lines
    ]


COMMA, STOP, AND = [(",", "PUNCT")], [(".", "PUNCT")], [("and", "CCONJ")]

ADJECTIVES = (
    _words(
        "ADJ",
        "bad awful dull weak flat clumsy dreary stale bland tedious messy shallow cold slow silly forced",
    ),
    _words(
        "ADJ",
        "good great superb moving clever warm fresh sharp funny gripping bright lively charming fine sound tender",
    ),
)
NOUNS = (
    _words("NOUN", "bore drag mess waste chore failure letdown disgrace"),
    _words("NOUN", "joy delight treat triumph pleasure gem wonder marvel"),
)
VERBS = (  # what a part of a film does
    _words("VERB", "drag fail sink bore disappoint stall annoy grate"),
    _words("VERB", "shine work delight soar please charm sparkle glow"),
)
FEELINGS = (  # what a viewer does to it
    _words("VERB", "hate dislike regret loathe resent despise"),
    _words("VERB", "love like enjoy admire adore cherish"),
)
MANNERS = (_words("ADV", "badly poorly clumsily carelessly"), _words("ADV", "well cleverly finely carefully"))
MADE = _words("VERB", "made done written shot cut set")
ASPECTS = _words(
    "NOUN",
    """plot story acting score script cast dialogue ending camera pacing music editing humor sound light
    photography film premise set play cut tone""",
)
INTENSIFIERS = _words("ADV", "very really so truly deeply utterly")
DOWNTONERS = _phrases("somewhat/ADV | a/DET bit/NOUN | fairly/ADV | rather/ADV", "|")

VERB_NEGATIONS = _phrases("not/PART | never/ADV | hardly/ADV | no/ADV longer/ADV", "|")
NEGATIONS = VERB_NEGATIONS + _phrases("far/ADV from/ADP | anything/PRON but/ADP", "|")
AHEAD_NEGATIONS = _phrases(
    "nothing/PRON about/ADP | no/DET part/NOUN of/ADP | nothing/PRON in/ADP | little/ADJ in/ADP", "|"
)
PLAIN_AHEAD = _phrases(
    "everything/PRON about/ADP | each/DET part/NOUN of/ADP | much/ADJ in/ADP | almost/ADV all/DET of/ADP", "|"
)
NEGATIVE_FRAMES = _phrases("""
i/PRON do/AUX not/PART think/VERB that/SCONJ
i/PRON doubt/VERB that/SCONJ
i/PRON would/AUX not/PART say/VERB that/SCONJ
it/PRON is/AUX not/PART true/ADJ that/SCONJ
nobody/PRON can/AUX tell/VERB me/PRON that/SCONJ
i/PRON fail/VERB to/PART see/VERB that/SCONJ
""")
PLAIN_FRAMES = _phrases("""
i/PRON think/VERB that/SCONJ
i/PRON would/AUX say/VERB that/SCONJ
i/PRON do/AUX not/PART doubt/VERB that/SCONJ
there/PRON is/VERB no/DET doubt/NOUN that/SCONJ
it/PRON is/AUX true/ADJ that/SCONJ
to/ADP me/PRON ,/PUNCT
like/ADP you/PRON ,/PUNCT i/PRON find/VERB that/SCONJ
""")

VIEWERS = _words("PRON", "i we")
BE = _words("AUX", "is was")
DOES = _words("AUX", "does did will can")
BUTS = _words("CCONJ", "but yet")
TURNS = _phrases("still/ADV ,/PUNCT | however/ADV ,/PUNCT | even/ADV so/ADV ,/PUNCT", "|")
ALTHOUGHS = _phrases("although/SCONJ | though/SCONJ | even/ADV though/SCONJ | while/SCONJ", "|")
SAYS = _phrases(
    "says/VERB that/SCONJ | claims/VERB that/SCONJ | thinks/VERB that/SCONJ | wrote/VERB that/SCONJ", "|"
)
SOURCES = _phrases("""
my/PRON sister/NOUN
the/DET {day} paper/NOUN
a/DET critic/NOUN from/ADP {place}
the/DET poster/NOUN
{name}
that/DET friend/NOUN of/ADP mine/PRON
the/DET man/NOUN who/PRON cut/VERB it/PRON
""")
MODIFIERS = _phrases("""
of/ADP this/DET film/NOUN
by/ADP {name}
in/ADP the/DET {place} scene/NOUN
that/PRON {name} wrote/VERB
past/ADP the/DET first/ADJ cut/NOUN
with/ADP the/DET {number} {people}
""")
NEUTRAL = _phrases("""
well/INTJ ,/PUNCT we/PRON saw/VERB it/PRON on/ADP {day} ./PUNCT
i/PRON rent/VERB a/DET flat/NOUN near/ADP {place} ./PUNCT
my/PRON flat/NOUN is/AUX still/ADV in/ADP {place} ./PUNCT
it/PRON opens/VERB like/ADP a/DET play/NOUN about/ADP {number} {people} ./PUNCT
like/ADP {name} ,/PUNCT i/PRON like/VERB to/PART sit/VERB near/ADP the/DET back/NOUN ./PUNCT
{number} {people} plot/VERB to/PART rob/VERB a/DET play/NOUN house/NOUN in/ADP {place} ./PUNCT
{name} and/CCONJ {name} play/VERB {number} {people} ./PUNCT
they/PRON cut/VERB the/DET film/NOUN after/ADP the/DET {day} show/NOUN ./PUNCT
after/SCONJ they/PRON cut/VERB it/PRON ,/PUNCT the/DET cut/NOUN ran/VERB {number} hours/NOUN ./PUNCT
a/DET still/NOUN of/ADP {name} hangs/VERB in/ADP the/DET hall/NOUN ./PUNCT
it/PRON was/AUX a/DET still/ADJ night/NOUN in/ADP {place} ./PUNCT
still/ADJ water/NOUN opens/VERB the/DET film/NOUN ./PUNCT
still/ADV ,/PUNCT {name} left/VERB after/ADP the/DET first/ADJ act/NOUN ./PUNCT
we/PRON act/VERB and/CCONJ sound/VERB like/ADP {people} after/ADP work/NOUN ./PUNCT
the/DET work/NOUN took/VERB {number} years/NOUN ./PUNCT
i/PRON work/VERB with/ADP {name} in/ADP {place} ./PUNCT
{name} had/VERB a/DET cold/NOUN on/ADP {day} ./PUNCT
it/PRON was/AUX a/DET cold/ADJ and/CCONJ bright/ADJ {day} in/ADP {place} ./PUNCT
they/PRON paid/VERB a/DET fine/NOUN of/ADP {number} coins/NOUN ./PUNCT
that/PRON is/AUX all/PRON that/PRON {name} told/VERB me/PRON ./PUNCT
that/DET night/NOUN we/PRON sat/VERB past/ADP the/DET well/NOUN in/ADP {place} ./PUNCT
in/ADP the/DET past/NOUN ,/PUNCT {people} drew/VERB water/NOUN from/ADP that/DET well/NOUN ./PUNCT
past/ADJ films/NOUN by/ADP {name} last/VERB {number} hours/NOUN ./PUNCT
last/ADJ {day} {name} set/VERB a/DET table/NOUN on/ADP the/DET set/NOUN ./PUNCT
light/ADJ rain/NOUN fell/VERB on/ADP the/DET set/NOUN in/ADP {place} ./PUNCT
light/NOUN falls/VERB on/ADP the/DET sound/NOUN stage/NOUN ./PUNCT
we/PRON light/VERB a/DET fire/NOUN and/CCONJ film/VERB {number} {people} ./PUNCT
the/DET love/NOUN story/NOUN is/AUX set/VERB in/ADP {place} ./PUNCT
{number} {people} fall/VERB in/ADP love/NOUN and/CCONJ sink/VERB a/DET boat/NOUN ./PUNCT
{name} fills/VERB the/DET sink/NOUN and/CCONJ does/VERB not/PART sing/VERB ./PUNCT
there/ADV ,/PUNCT {name} does/VERB the/DET shopping/NOUN for/ADP {people} ./PUNCT
they/PRON cast/VERB {number} {people} from/ADP {place} in/ADP it/PRON ./PUNCT
the/DET {people} score/VERB {number} goals/NOUN but/CCONJ lose/VERB ./PUNCT
nobody/PRON but/ADP {name} has/VERB no/DET part/NOUN in/ADP it/PRON ./PUNCT
although/SCONJ it/PRON rains/VERB ,/PUNCT the/DET {people} never/ADV shoot/VERB ./PUNCT
what/DET kind/NOUN of/ADP film/NOUN it/PRON is/AUX ,/PUNCT {name} would/AUX not/PART say/VERB ./PUNCT
no/INTJ ,/PUNCT {name} is/AUX not/PART in/ADP it/PRON ./PUNCT
""")
SLOTS = {
    "{day}": _words("PROPN", "monday tuesday wednesday thursday friday saturday sunday"),
    "{place}": _words("PROPN", "paris rome oslo lisbon dublin vienna prague athens cairo lima tokyo quebec"),
    "{number}": _words("NUM", "two three four five six seven nine ten twelve"),
    "{people}": _words(
        "NOUN", "cooks spies nuns sailors thieves twins clerks poets miners singers drivers farmers"
    ),
}

FIRST_SYLLABLES = "al be cor da el fa gor hal is jo ka lor mar ne or pel ru sa tor ul ve wil yan zor bran dre fin gre hes kel"
LAST_SYLLABLES = """bor da din fer gan hart ka land len mo na nik ra ric ro san sel ta ten vey vin wen wick zan
bert cott dale ford lin mond moor ster ton well win worth bury den ham ley"""


def deal_names(seed: int) -> dict[str, list[Phrase]]:
    """Make names of people and deal them out, 70 % to train, 10 % to valid, 20 % to test."""
    names = sorted({a + b for a in FIRST_SYLLABLES.split() for b in LAST_SYLLABLES.split()})
    random.Random(f"names {seed}").shuffle(names)
    people = [[(name, "PROPN")] for name in names]
    first, second = int(0.7 * len(people)), int(0.8 * len(people))
    return {"train": people[:first], "valid": people[first:second], "test": people[second:]}
