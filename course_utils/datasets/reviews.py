"""Short film reviews written by a grammar: sentiment that hangs on word order, and a part of speech for each word.

One review holds the author's own verdict, somewhere among sentences that decide nothing. Four rules, which a
reader knows without being told, give its sentiment:

    negation   turns a clause round, from near ("is not dull") or far ("i doubt that anything about … is dull");
               two negations cancel ("there is no doubt that", "i do not think that the plot is not dull")
    contrast   in "A but B", "although A , B", "B although A", "despite A , B" the main clause B decides
    source     what a critic, a sister or a poster says is not the author's verdict
    degree     "very" changes nothing; a downtoner ("somewhat dull") leaves a reader of two minds

Tags are the universal ones (Nivre et al., 2020, "Universal Dependencies v2", LREC). Many words bear more than
one: "i like it" (VERB), "like a play" (ADP); "a flat script" (ADJ), "my flat" (NOUN).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from course_utils.datasets import review_words as lexicon
from course_utils.datasets.base import NAMES, Splits
from course_utils.datasets.review_words import AND, COMMA, STOP, Phrase

T = TypeVar("T")
LONGEST = 40  # tokens

# How often a pattern occurs: so that the words of a verdict, without their order, say little of its label, and a
# recurrent network still learns the rules within a minute.
NEGATED = 0.15  # clauses with "not", "far from", …
AHEAD = 0.08  # clauses with "nothing about" (half of them), "much in", …
FRAMED = 0.2  # statements with "i doubt that" (half of them), "i would say that", …
FORMS = (
    26 * ["B"]
    + 4 * ["B and B", "A , but B", "although A , B", "B although A"]
    + 2 * ["A . still , B", "despite A , B", "B despite A"]
    + ["A and B"]
)
DOWNTONED = 0.875  # the chance that a reader agrees with a downtoned verdict
MIXED = 0.5  # the chance that "A and B", one positive and one negative, is read as positive


@dataclass(frozen=True)
class Review:
    """One review.

    Attributes:
        tokens: its words and marks, in lower case.
        tags: the universal part of speech of each, in `review_words.UPOS`.
        label: 1 positive, 0 negative: what one reader said.
        chance: the chance that a reader says positive, so that `label` is one draw from it.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    label: int
    chance: float


def reviews(*, train: int = 8000, valid: int = 1000, test: int = 2000, seed: int = 0) -> Splits[list[Review]]:
    """Draw reviews (see the card below).

    Data card:
        Origin: made by rule, by the grammar of this file.
        Licence: that of this package; nothing is taken from anywhere.
        Size: as asked for; 8000, 1000 and 2000 by default, 5 to 40 tokens, 20 on average, half of them positive.
        Splits: no review occurs twice, in one split or in two. A person's name occurs in one split only, so
            that the tag of an unknown word must come from its context. The test part does not change with the
            sizes of the others.
        Good for: showing what order is worth. A verdict's words say little about its label: logistic regression
            on a bag of words reaches 0.62, on words and pairs of neighbors 0.71, a BiLSTM of 64 units 0.95.
            For calibration: `chance` is the true probability, and the mean of max(chance, 1 - chance) is the
            best accuracy that any model can have, about 0.975. For learning two tasks at once: each word's
            most frequent tag is right for 0.92 of the tokens, and some tags need the words on both sides.
        Not good for: hard tagging (a BiLSTM reaches 1.00 in two hundred steps), nor for claims about real
            language. The lexicon has a few hundred words and the grammar a few dozen patterns; a network that
            reads these has not learned to read reviews. Verdict words are the same in all splits, since an
            unknown one could not be understood.

    Args:
        train, valid, test: number of reviews, each at least 1.
        seed: of all three.

    Raises:
        ValueError: a count below 1.
    """
    counts = dict(zip(NAMES, (train, valid, test), strict=True))
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    people = lexicon.deal_names(seed)
    seen: set[tuple[str, ...]] = set()
    parts = {}
    for name in reversed(NAMES):  # test first: what is drawn later gives way to it
        writer = _Writer(random.Random(f"reviews {seed} {name}"), people[name])
        parts[name] = [writer.new_review(seen) for _ in range(counts[name])]
    return Splits(**parts)


class _Writer:
    """Writes reviews for one split. A polarity is 0 or 1, and polarity ^ 1 is its opposite."""

    def __init__(self, rng: random.Random, people: list[Phrase]) -> None:
        self.rng = rng
        self.slots = lexicon.SLOTS | {"{name}": people}

    def new_review(self, seen: set[tuple[str, ...]]) -> Review:
        """Write a review that is not too long and whose tokens are not in `seen`, and add them."""
        review = self.review()
        while review.tokens in seen or len(review.tokens) > LONGEST:
            review = self.review()
        seen.add(review.tokens)
        return review

    def review(self) -> Review:
        polarity = self.rng.randrange(2)
        verdict, agreement = self.verdict(polarity)
        sentences = [self.aside() for _ in range(self.pick((0, 1, 1, 2)))]
        sentences.insert(self.rng.randrange(len(sentences) + 1), verdict)
        tokens, tags = zip(*(pair for sentence in sentences for pair in sentence), strict=True)
        chance = agreement if polarity else 1 - agreement
        return Review(tokens, tags, int(self.maybe(chance)), chance)

    def verdict(self, polarity: int) -> tuple[Phrase, float]:
        """Return the author's verdict, and the chance that a reader finds `polarity` in it."""
        downtoned = self.maybe(0.1)
        main = self.statement(polarity, downtoned)
        agreement = DOWNTONED if downtoned else 1.0
        other = self.statement(polarity ^ 1, self.maybe(0.1))
        match self.pick(FORMS):
            case "A , but B":
                sentence = other + COMMA + self.pick(lexicon.BUTS) + main
            case "A . still , B":
                sentence = other + STOP + self.pick(lexicon.TURNS) + main
            case "although A , B":
                sentence = self.pick(lexicon.ALTHOUGHS) + other + COMMA + main
            case "B although A":
                sentence = main + self.pick(lexicon.ALTHOUGHS) + other
            case "despite A , B":
                sentence = self.despite(polarity ^ 1) + COMMA + main
            case "B despite A":
                sentence = main + self.despite(polarity ^ 1)
            case "B and B":
                sentence = main + AND + self.statement(polarity, downtoned)
            case "A and B":
                first, second = self.rng.sample([main, other], 2)
                sentence, agreement = first + AND + second, MIXED
            case _:
                sentence = main
        return sentence + STOP, agreement

    def aside(self) -> Phrase:
        """Return a sentence that decides nothing: neutral, or somebody else's opinion."""
        if self.maybe(0.75):
            return self.fill(self.pick(lexicon.NEUTRAL))
        source = self.fill(self.pick(lexicon.SOURCES)) + self.pick(lexicon.SAYS)
        return source + self.clause(self.rng.randrange(2)) + STOP

    def statement(self, polarity: int, downtoned: bool = False) -> Phrase:
        """Return what the author holds: a clause, at times in a frame, which may turn it round."""
        frame: Phrase = []
        if self.maybe(FRAMED):
            negative = self.maybe(0.5)
            frame = self.pick(lexicon.NEGATIVE_FRAMES if negative else lexicon.PLAIN_FRAMES)
            polarity ^= negative
        if self.maybe(0.2) and not downtoned:
            return frame + self.feeling(polarity)
        return frame + self.clause(polarity, downtoned)

    def feeling(self, polarity: int) -> Phrase:
        """Return what a viewer does: "i do not love the plot"."""
        verb: Phrase = []
        if self.maybe(NEGATED):
            polarity, verb = polarity ^ 1, [("do", "AUX"), *self.pick(lexicon.VERB_NEGATIONS)]
        return self.pick(lexicon.VIEWERS) + verb + self.pick(lexicon.FEELINGS[polarity]) + self.aspect()

    def clause(self, polarity: int, downtoned: bool = False) -> Phrase:
        """Return what a part of the film is or does: "no part of the plot is very dull"."""
        subject = self.aspect()
        if self.maybe(AHEAD):
            negative = self.maybe(0.5)
            subject = self.pick(lexicon.AHEAD_NEGATIONS if negative else lexicon.PLAIN_AHEAD) + subject
            polarity ^= negative
        kind = "ADJ" if downtoned else self.pick(("ADJ", "ADJ", "NOUN", "VERB", "ADV"))
        negation: Phrase = [("still", "ADV")] if self.maybe(0.1) else []
        if self.maybe(NEGATED) and not downtoned:  # "not a bit dull" would mean something else
            negation = self.pick(lexicon.VERB_NEGATIONS if kind == "VERB" else lexicon.NEGATIONS)
            polarity ^= 1
        if kind == "VERB":
            return subject + self.pick(lexicon.DOES) + negation + self.pick(lexicon.VERBS[polarity])
        subject = subject + self.pick(lexicon.BE) + negation
        if kind == "NOUN":
            return [*subject, ("a", "DET"), *self.pick(lexicon.NOUNS[polarity])]
        if kind == "ADV":
            return subject + self.pick(lexicon.MANNERS[polarity]) + self.pick(lexicon.MADE)
        if downtoned:
            subject = subject + self.pick(lexicon.DOWNTONERS)
        elif self.maybe(0.3):
            subject = subject + self.pick(lexicon.INTENSIFIERS)
        return subject + self.pick(lexicon.ADJECTIVES[polarity])

    def aspect(self) -> Phrase:
        modifier = self.fill(self.pick(lexicon.MODIFIERS)) if self.maybe(0.15) else []
        return [("the", "DET"), *self.pick(lexicon.ASPECTS), *modifier]

    def despite(self, polarity: int) -> Phrase:
        adjective, noun = self.pick(lexicon.ADJECTIVES[polarity]), self.pick(lexicon.ASPECTS)
        return [("despite", "ADP"), ("the", "DET"), *adjective, *noun]

    def fill(self, phrase: Phrase) -> Phrase:
        """Return the phrase with a filler in place of each slot."""
        filled: Phrase = []
        for pair in phrase:
            filled += self.pick(self.slots[pair[0]]) if pair[0] in self.slots else [pair]
        return filled

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.random() * len(options))]

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance
