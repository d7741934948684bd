"""Real English text by name: Shakespeare as characters, film reviews with their sentiment, tagged sentences.

Every set is fetched (see `fetch`), so each function also raises what `fetch.fetch` raises. The sentences have
`tokens` as those of `reviews.reviews` have, with `label` or `tags` beside them: code for one reads the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from course_utils.datasets.base import Splits, split_by_seed, split_in_order
from course_utils.datasets.records import hold_out, read_lines, read_text

UNIVERSAL_TAGS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT"),
    *("SCONJ", "SYM", "VERB", "X"),
)  # the 17 of Nivre et al. (2020)
ENCODINGS = {"rt_polarity": "cp1252", "rt_polarity_utf8": "utf-8"}  # the two copies of `rt_polarity`


@dataclass(frozen=True)
class Opinion:
    """A tokenized sentence and its label, 1 positive or 0 negative."""

    tokens: tuple[str, ...]
    label: int


@dataclass(frozen=True)
class TaggedSentence:
    """A sentence as its syntactic words.

    Attributes:
        tokens: the words ("don't" is two, "do" and "n't").
        tags: the universal part of speech of each, in `UNIVERSAL_TAGS`.
        xpos: the finer tag of the treebank's own tag set, for each.
        document: what names its document; empty where the treebank marks none.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    xpos: tuple[str, ...]
    document: str = ""


def tiny_shakespeare() -> Splits[str]:
    """Load tiny Shakespeare: 1.1 million characters of plays as one text (see the card below).

    Data card:
        Origin: Karpathy's char-rnn (2015): 40 000 lines of Shakespeare's plays. Downloaded.
        Licence: MIT; the text itself is in the public domain.
        Size: 1 115 394 characters of 65 kinds, all ASCII.
        Splits: in the order of the text, 90, 5 and 5 percent; the first 90 are what others train on, and the
            last 10, which others call validation, are halved.
        Good for: a first language model of characters, whose loss compares with published ones. A 4-gram with
            add-0.1 smoothing has 1.784 nats a character on the last 10 percent.
        Not good for: words (too little text), modern English, or asking what a model knows about the world.

    Returns:
        Three strings which, joined, are the file.
    """
    characters = read_text("tiny_shakespeare", "input.txt", "ascii")
    return split_in_order(characters, valid=0.05, test=0.05).map("".join)


def rt_polarity(*, copy: str = "rt_polarity", seed: int = 0) -> Splits[list[Opinion]]:
    """Load sentences of film reviews, half praise, half blame (see the card below).

    Data card:
        Origin: Pang & Lee (2005), "Seeing stars", ACL: sentences from Rotten Tomatoes, labeled by the review's
            verdict. Downloaded, in one of two copies that differ in 30 lines (dashes and ellipses lost or not).
        Licence: not stated; the source asks to cite the paper.
        Size: 10 662 sentences, 5331 of each label, 1 to 59 tokens, in lower case.
        Splits: none upstream; 80, 10 and 10 percent dealt by `seed`. No sentence occurs twice.
        Good for: sentiment in real language at a size that trains in minutes. Without pretrained vectors
            accuracies lie near 0.76 (Kim, 2014, table 2).
        Not good for: long texts, other domains, or high accuracies: many labels need the whole review.
            Sentences of one review may stand in two splits; nothing in the files tells. `sst2` relabels
            sentences from here: never train on one and test on the other.

    Args:
        copy: "rt_polarity", the copy in Windows-1252, or "rt_polarity_utf8".
        seed: of the splits.

    Raises:
        ValueError: copy is neither.
    """
    if copy not in ENCODINGS:
        raise ValueError(f"copy must be one of {', '.join(ENCODINGS)}, got {copy!r}")
    opinions = [
        Opinion(tuple(line.split()), label)
        for label, ending in enumerate(("neg", "pos"))
        for line in read_lines(copy, f"rt-polarity.{ending}", ENCODINGS[copy])
    ]
    return split_by_seed(opinions, seed=seed)


def sst2() -> Splits[list[Opinion]]:
    """Load the Stanford Sentiment Treebank's whole sentences with two labels (see the card below).

    Data card:
        Origin: Socher et al. (2013), "Recursive deep models", EMNLP: sentences of `rt_polarity` read again by
            three people; neutral ones left out. Downloaded, in a copy without hyphens, its brackets written lrb and rrb.
        Licence: not stated.
        Size: 6920, 872 and 1821 sentences, 1 to 53 tokens, ASCII in lower case; 52, 51 and 50 percent positive.
        Splits: the published ones. Nine sentences of train occur twice there; two sentences of test occur in
            train too, and stay, so that accuracies compare with published ones.
        Good for: sentiment beside published results, such as those of Tai et al. (2015), table 2: 0.875 for a
            bidirectional LSTM with pretrained vectors, which saw the phrases too.
        Not good for: learning word vectors from nothing (6920 sentences), or the labels of phrases, which are
            not here.
    """
    return Splits("train", "dev", "test").map(_sst2_part)


def _sst2_part(name: str) -> list[Opinion]:
    rows = [line.split("\t") for line in read_lines("sst2", f"{name}.tsv", "ascii")]
    return [Opinion(tuple(sentence.split()), int(label)) for sentence, label in rows]


def ud_english_ewt(*, seed: int = 0) -> Splits[list[TaggedSentence]]:
    """Load English web text with part-of-speech tags (see the card below).

    Data card:
        Origin: Silveira et al. (2014), "A gold standard dependency corpus for English", LREC; Universal
            Dependencies English EWT: blogs, newsgroups, e-mails, reviews and answers. Downloaded.
        Licence: CC BY-SA 4.0.
        Size: 4078 sentences, 50 241 words, 17 universal tags, 49 finer ones.
        Splits: test is the published one, 2077 sentences. The published train file (some 12 500 sentences) is not
            in the registry: train and valid are the published dev set, 318 documents of which a tenth, dealt
            by `seed`, are valid.
        Good for: tagging real text: spelling errors, addresses, one-word sentences.
        Not good for: comparing with published accuracies, which had six times as much to learn from.

    Args:
        seed: of the documents that go to valid.
    """
    set_name, file = "ud_english_ewt", "en_ewt-ud-{}.conllu"
    dev = list(read_conllu(read_lines(set_name, file.format("dev"), "utf-8")))
    train, valid = hold_out(dev, lambda sentence: sentence.document, seed=seed)
    return Splits(train, valid, list(read_conllu(read_lines(set_name, file.format("test"), "utf-8"))))


def ud_english_partut() -> Splits[list[TaggedSentence]]:
    """Load sentences of law, news and encyclopedia with part-of-speech tags (see the card below).

    Data card:
        Origin: Bosco & Sanguinetti (2014), "Towards a Universal Stanford Dependencies parallel treebank", TLT;
            Universal Dependencies English ParTUT. Downloaded.
        Licence: CC BY-NC-SA 4.0, for non-commercial use only.
        Size: 1781, 156 and 153 sentences; 43 504, 2722 and 3408 words; 17 universal tags, 38 of its own.
        Splits: the published ones. INTJ does not occur in valid, nor SYM in test.
        Good for: tagging edited text with a train split that is complete.
        Not good for: informal language; sentences are long (24 words on average, up to 209). Its own tags are
            not the Penn Treebank's, so `xpos` cannot be mixed with that of `ud_english_ewt`.
    """
    return Splits("train", "dev", "test").map(
        lambda part: list(
            read_conllu(read_lines("ud_english_partut", f"en_partut-ud-{part}.conllu", "utf-8"))
        )
    )


def read_conllu(lines: Iterable[str]) -> Iterator[TaggedSentence]:
    """Yield the sentences of a CoNLL-U file: its syntactic words, with both kinds of tags.

    Lines for a written token that holds several words (id 8-9) and for a word that is not written (id 8.1)
    are skipped: the words themselves have lines of their own.

    Raises:
        ValueError: a line that is no comment and has not ten columns.
    """
    words: list[tuple[str, str, str]] = []
    document = ""
    for number, line in enumerate((*lines, ""), start=1):  # a file may lack its last blank line
        if line.startswith("#"):
            if line.startswith("# newdoc"):
                document = line.partition("=")[2].strip()
        elif line:
            columns = line.split("\t")
            if len(columns) != 10:
                raise ValueError(f"lines must have 10 columns, got {len(columns)} in line {number}")
            if columns[0].isdecimal():
                words.append((columns[1], columns[3], columns[4]))
        elif words:
            tokens, tags, xpos = zip(*words, strict=True)
            yield TaggedSentence(tokens, tags, xpos, document)
            words = []
