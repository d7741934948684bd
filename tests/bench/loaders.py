"""Every entry of the catalogue loaded once, counted and timed: `python -m tests.bench.loaders`.

Real files are read from the folder that COURSE_DATA names, else from `../shared/data` where that is there; without either
only the sets that need no download are loaded. Beside a real set stands what the MANIFEST of that folder counts in
its files. Prints tables and writes build/bench/loaders.json. A set with several members (a language, a series, a
share) is counted over all of them. Some twenty seconds; more the first time, when scores are parsed.
"""

from __future__ import annotations

import inspect
import json
import os
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from course_utils.datasets import catalogue, fetch
from course_utils.datasets.base import NAMES, Splits
from course_utils.datasets.names import LANGUAGES
from course_utils.datasets.prices import STOCKS
from course_utils.datasets.series import LabelledSeries, labelled_series_names

REPOSITORY = Path(__file__).resolve().parents[2]
BESIDE = REPOSITORY.parent / "shared" / "data"
DRAWN = {"count": 64, "delay": 20, "documents": 50, "length": 20, "seed": 0, "steps": 500, "streams": 8}

# Sets with several members: each is loaded, and the counts are added.
MEMBERS: dict[str, list[dict[str, Any]]] = {
    "event_order": [{"split": name} for name in NAMES],
    "first_names": [{"language": language} for language in LANGUAGES],
    "labelled_series": [{"name": name} for name in labelled_series_names()],
    "stock_prices": [{"name": name} for name in STOCKS],
    "rt_polarity": [{"copy": "rt_polarity"}],  # the other copy has the same sentences
}

# Where a set has other records than its files: how many there must be by the MANIFEST's other facts, and why.
Facts = dict[str, Any]
BY_FACTS: dict[str, tuple[Callable[[Facts], int], str]] = {
    "icu_stays": (lambda facts: facts["stays_here"], "a record is a stay, not a measurement"),
    "multi30k": (lambda facts: sum(facts["lines"].values()), "a record is a line in two languages of three"),
    "names_makemore": (lambda facts: facts["unique_names"], "repeated names are kept once"),
    "spell_birkbeck": (
        lambda facts: facts["misspellings"] - facts["entries_equal_to_their_target"],
        "what equals its target is left out",
    ),
}
UNCOUNTED = {  # the MANIFEST has no count of these
    "eng_fra_tatoeba": "pairs that differ in blanks alone are kept once",
    "names_by_language": "a name is kept once a language",
    "nottingham": "four tunes repeat another's notes",
    "spell_norvig": "a record is a misspelling, not a word; words of both of its sets are in test alone",
}


def size(part: Any) -> int:
    """Return how many records a part holds: rows of a list, of tensors, of a series; characters; words."""
    if isinstance(part, tuple):
        return len(part[0])
    return len(part.values) if isinstance(part, LabelledSeries) else len(part)


def counts(loaded: Any) -> dict[str, int]:
    """Return the records of each split; of all, where there are none."""
    if isinstance(loaded, Splits):
        return {name: size(part) for name, part in zip(NAMES, loaded, strict=True)}
    if isinstance(loaded, dict) and set(loaded) <= set(NAMES):
        return {name: size(part) for name, part in loaded.items()}
    return {"all": size(loaded)}


def options(name: str) -> list[dict[str, Any]]:
    """Return the arguments of every call that a set takes: its members, and a draw for those without end."""
    parameters = inspect.signature(catalogue.find(name).function()).parameters.values()
    required = {p.name: DRAWN[p.name] for p in parameters if p.default is p.empty}
    return [required | member for member in MEMBERS.get(name, [{}])]


def manifest() -> dict[str, dict[str, Any]]:
    """Return the MANIFEST's table of each set in the data folder; none where there is no MANIFEST."""
    path = Path(os.environ.get(fetch.DATA_VARIABLE, "")) / "MANIFEST.toml"
    if not os.environ.get(fetch.DATA_VARIABLE) or not path.is_file():
        return {}
    return {table["name"]: table for table in tomllib.loads(path.read_text(encoding="utf-8"))["dataset"]}


def counted_upstream(name: str, tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return how many records the MANIFEST makes us expect, and why not as many as in the files that were read."""
    fetched = ("rt_polarity",) if name == "rt_polarity" else catalogue.find(name).fetched
    read = [tables[each] for each in fetched if each in tables]
    if not read:
        return {}
    count, why = sum(table["records"] for table in read), UNCOUNTED.get(name, "")
    row = {"in_files": count, "unit": read[0]["record_unit"], "expected": None if why else count, "why": why}
    if name in BY_FACTS:
        expect, row["why"] = BY_FACTS[name]
        row["expected"] = expect(read[0]["facts"])
    return row


def measure(name: str, tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Load a set, and return its row."""
    began = time.perf_counter()
    total: dict[str, int] = {}
    calls = options(name)
    for call in calls:
        for split, count in counts(catalogue.load(name, **call)).items():
            split = call.get("split", split)
            total[split] = total.get(split, 0) + count
    row = {
        "set": name,
        "offline": catalogue.find(name).offline,
        "calls": len(calls),
        "counts": total,
        "total": sum(total.values()),
        "seconds": round(time.perf_counter() - began, 3),
    }
    return row | counted_upstream(name, tables)


def main() -> None:
    """Load, print, write."""
    if not os.environ.get(fetch.DATA_VARIABLE) and BESIDE.is_dir():
        os.environ[fetch.DATA_VARIABLE] = str(BESIDE)
    tables = manifest()
    wanted = catalogue.names(offline_only=not os.environ.get(fetch.DATA_VARIABLE))
    found = [measure(name, tables) for name in wanted]
    target = REPOSITORY / "build" / "bench" / "loaders.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    console = Console(width=150)
    for title, offline in (("always there", True), ("fetched by name", False)):
        rows = [row for row in found if row["offline"] is offline]
        if not rows:
            continue
        shown = Table(title=title)
        columns = ["set", "calls", *NAMES, "all", "seconds"]
        for column in columns if offline else [*columns, "in the files", "expected", "why"]:
            shown.add_column(column, justify="left" if column in ("set", "why") else "right")
        for row in rows:
            cells = [row["set"], str(row["calls"]), *(str(row["counts"].get(name, "")) for name in NAMES)]
            cells += [str(row["total"]), f"{row['seconds']:.2f}"]
            if not offline and "in_files" in row:
                wanted_here = "–" if row["expected"] is None else str(row["expected"])
                cells += [f"{row['in_files']} {row['unit']}", wanted_here, row["why"]]
            shown.add_row(*cells)
        console.print(shown)
    wrong = [row["set"] for row in found if row.get("expected") not in (None, row["total"])]
    print(f"counts unlike the MANIFEST's: {', '.join(wrong) or 'none'}")
    print(f"{len(found)} of {len(catalogue.names())} sets in {sum(row['seconds'] for row in found):.0f} s")


if __name__ == "__main__":
    main()
