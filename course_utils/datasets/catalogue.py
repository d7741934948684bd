"""Every data set of the course by name: its card, its function, and whether it needs a download.

print(card("sst2"))
train, valid, test = load("sst2")

Nothing is imported before it is asked for, so that a look at the list costs nothing.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from course_utils.datasets import fetch

LINES = ("Origin", "Licence", "Size", "Splits", "Good for", "Not good for")  # what every card says, in order

# Module, functions that need no network, and functions that fetch files, each with the sets of the registry
# that it can read.
_OFFLINE: dict[str, tuple[str, ...]] = {
    "brackets": ("brackets",),
    "dynamics": ("irregular_oscillators", "mackey_glass"),
    "heartbeats": ("heartbeats",),
    "memory": ("copy_memory", "digit_reversal", "generate_delays", "measure_delays"),
    "music": ("chorales", "folk_songs"),
    "names": ("first_names",),
    "number_words": ("number_words",),
    "prices": ("google_prices",),
    "prose": ("python_prose", "python_words"),
    "reviews": ("reviews",),
    "series": ("eeg",),
    "spelling": ("spelling",),
    "synthetic": ("adding_problem", "event_order", "number_sequences", "topic_documents"),
}
_FETCHED: dict[str, dict[str, tuple[str, ...]]] = {
    "clinical": {
        "icu_stays": ("physionet2012",),
    },
    "music": {
        "jsb_quarters": ("jsb_chorales",),
        "jsb_sixteenths": ("jsb_chorales",),
        "nottingham": ("nottingham_abc",),
    },
    "prices": {
        "stock_prices": ("stock_aapl_1984_2008", "stock_aapl_2012_2017", "stock_sp500"),
    },
    "series": {
        "labelled_series": ("nab",),
    },
    "text": {
        "rt_polarity": ("rt_polarity", "rt_polarity_utf8"),
        "sst2": ("sst2",),
        "tiny_shakespeare": ("tiny_shakespeare",),
        "ud_english_ewt": ("ud_english_ewt",),
        "ud_english_partut": ("ud_english_partut",),
    },
    "translation": {
        "eng_fra_tatoeba": ("eng_fra_tatoeba",),
        "multi30k": ("multi30k",),
    },
    "words": {
        "names_by_language": ("names_by_language",),
        "names_makemore": ("names_makemore",),
        "spell_birkbeck": ("spell_birkbeck",),
        "spell_norvig": ("spell_norvig",),
        "spell_wikipedia": ("spell_wikipedia",),
        "words_google10k": ("words_google10k",),
        "words_opensubtitles": ("words_opensubtitles",),
        "words_symspell": ("words_symspell",),
    },
}


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Attributes:
        name: of the set and of its function.
        module: the module of `course_utils.datasets` that has the function.
        fetched: the sets of the registry that the function reads; none when it needs no network.
    """

    name: str
    module: str
    fetched: tuple[str, ...] = ()

    @property
    def offline(self) -> bool:
        """Whether the set is there without a download."""
        return not self.fetched

    def function(self) -> Callable[..., Any]:
        """Import and return the function that loads or draws the set."""
        return getattr(import_module(f"course_utils.datasets.{self.module}"), self.name)


def names(*, offline_only: bool = False) -> list[str]:
    """Return the names of all sets, or of those that need no download, sorted."""
    return sorted(name for name, data in _SETS.items() if data.offline or not offline_only)


def find(name: str) -> DataSet:
    """Return what the catalogue knows about a set.

    Raises:
        ValueError: there is no set of that name.
    """
    if name not in _SETS:
        raise ValueError(f"name must be one of {', '.join(names())}, got {name!r}")
    return _SETS[name]


def card(name: str) -> str:
    """Return the card of a set as text to print: how to call it, what it is, and the six lines of `LINES`.

    Raises:
        ValueError: there is no set of that name.
    """
    data = find(name)
    function = data.function()
    source = "no download" if data.offline else "downloaded by name"
    said = [f"{line}: {text}" for line, text in card_lines(function).items()]
    wrapped = [textwrap.fill(text, 100, subsequent_indent="    ") for text in said]
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", f"{name}{inspect.signature(function)}")
    return "\n".join([signature, f"{_summary(function)} ({source})", *wrapped])


def load(name: str, /, **options: Any) -> Any:
    """Load or draw a set: `load("sst2")`, `load("stock_prices", name="aapl_2012_2017")`.

    Args:
        name: one of `names()`.
        options: go to the set's function, which says what it takes, returns and raises.

    Raises:
        ValueError: there is no set of that name.
    """
    return find(name).function()(**options)


def download(name: str) -> list[Path]:
    """Fetch all files that a set reads, so that `load` needs no network later; errors as `fetch.fetch`.

    Returns:
        The paths of the files; none for a set that needs no download.
    """
    return [path for set_name in find(name).fetched for path in fetch.fetch_all(set_name)]


def card_lines(function: Callable[..., Any]) -> dict[str, str]:
    """Return the lines of the data card in a function's docstring, by what they begin with.

    A card begins with `Data card:` and holds lines such as `Origin: …`, each with further indented ones below.

    Raises:
        ValueError: the docstring has no card.
    """
    text = inspect.getdoc(function) or ""
    found = re.search(r"^Data card:\n((?:[ ]+.*\n|\n)*)", text + "\n", re.MULTILINE)
    if not found:
        raise ValueError(f"function must have a data card in its docstring, got {function.__qualname__}")
    lines: dict[str, str] = {}
    name = ""
    for line in textwrap.dedent(found[1]).split("\n"):
        if line and not line.startswith(" "):
            name, _, line = line.partition(":")
        if line.strip():
            lines[name] = f"{lines.get(name, '')} {line.strip()}".strip()
    return lines


def _summary(function: Callable[..., Any]) -> str:
    first = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
    return first.removesuffix(".").removesuffix("(see the card below)").strip() + "."


_SETS = {name: DataSet(name, module) for module, offline in _OFFLINE.items() for name in offline} | {
    name: DataSet(name, module, sets)
    for module, loaders in _FETCHED.items()
    for name, sets in loaders.items()
}
