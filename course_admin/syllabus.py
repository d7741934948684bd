"""The list of every question and of every item of the texts: `syllabus.toml`, loaded and checked.

Whoever needs to know what the course asks (build, coverage, report) reads it here, never from the notebooks.
All that is wrong with the file is said at once, each line naming the entry and what to do about it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AUTO_KINDS = ("choice", "number", "text", "code", "project")  # graded by machine
HAND_KINDS = ("written",)  # marked by a person
KINDS = AUTO_KINDS + HAND_KINDS
RESERVED_IDS = ("setup", "scoreboard")  # grade ids that every notebook uses for itself

_NUMBER = (int, float)
_TABLES: dict[str, dict[str, tuple[type, ...]]] = {
    "text": {"name": (str,), "title": (str,), "items": (list,)},
    "item": {"name": (str,), "title": (str,), "notebooks": (list,)},
    "notebook": {"name": (str,), "title": (str,)},
    "question": {
        "id": (str,),
        "notebook": (str,),
        "title": (str,),
        "kind": (str,),
        "points": _NUMBER,
        "minutes": _NUMBER,
        "difficulty": (int,),
        "covers": (list,),
        "companion": (str,),
    },
}
_OPTIONAL = {"companion"}


class SyllabusError(ValueError):
    """The syllabus cannot be used; `problems` holds one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Text:
    """One of the five texts the course covers."""

    name: str
    title: str


@dataclass(frozen=True)
class Item:
    """One numbered item of a text, and the notebooks that are its home."""

    name: str
    text: str
    title: str
    notebooks: tuple[str, ...]


@dataclass(frozen=True)
class Notebook:
    """One notebook: `name` is also its file name, without suffix."""

    name: str
    title: str

    @property
    def number(self) -> str:
        """The two digits that the name begins with."""
        return self.name[:2]


@dataclass(frozen=True)
class Question:
    """One question a student is given points for."""

    id: str
    notebook: str
    title: str
    kind: str
    points: float
    minutes: float
    difficulty: int
    covers: tuple[str, ...]
    companion: str | None = None

    @property
    def auto(self) -> bool:
        """True when a machine grades it."""
        return self.kind in AUTO_KINDS

    @property
    def grade_cell(self) -> str:
        """The grade id of the cell that holds its points."""
        return f"{self.id}-test" if self.auto else self.id


@dataclass(frozen=True)
class Syllabus:
    """Everything `syllabus.toml` says, each list in the order of the file."""

    texts: tuple[Text, ...]
    items: tuple[Item, ...]
    notebooks: tuple[Notebook, ...]
    questions: tuple[Question, ...]

    def notebook(self, key: str) -> Notebook:
        """The notebook with this number ("01") or name; `SyllabusError` when there is none."""
        for notebook in self.notebooks:
            if key in (notebook.name, notebook.number):
                return notebook
        raise SyllabusError([f'no notebook "{key}"; choose one of {_listed(n.name for n in self.notebooks)}'])

    def questions_of(self, notebook: str) -> tuple[Question, ...]:
        """The questions of one notebook, given by number or name, in the order a student meets them."""
        name = self.notebook(notebook).name
        return tuple(question for question in self.questions if question.notebook == name)

    def items_of(self, notebook: str) -> tuple[Item, ...]:
        """The items whose home this notebook is."""
        name = self.notebook(notebook).name
        return tuple(item for item in self.items if name in item.notebooks)

    def question(self, question_id: str) -> Question:
        """The question with this id; `SyllabusError` when there is none."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise SyllabusError([f'no question "{question_id}"; its id must stand in syllabus.toml'])


def load_syllabus(path: Path | str) -> Syllabus:
    """Read and check a syllabus file.

    Raises `SyllabusError` when the file is not there, is not TOML, or has any mistake in it.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SyllabusError([f"{path.name} not found; name the file or run from the course's root"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SyllabusError([f"{path.name} is not valid TOML: {error}; correct that line"]) from error
    return parse_syllabus(data)


def parse_syllabus(data: Mapping[str, Any]) -> Syllabus:
    """The same for a table that is already parsed."""
    problems: list[str] = []
    for key in data:
        if key not in ("text", "notebook", "question"):
            problems.append(f'unknown table "{key}"; use [[text]], [[notebook]] or [[question]]')
    notebooks = _read_notebooks(data, problems)
    texts, items = _read_texts(data, notebooks, problems)
    questions = _read_questions(data, notebooks, items, problems)
    _check_companions(questions, problems)
    if problems:
        raise SyllabusError(problems)
    return Syllabus(tuple(texts), tuple(items), tuple(notebooks), tuple(questions))


def _listed(names: Any) -> str:
    return ", ".join(str(name) for name in names) or "(none)"


def _entries(
    raw: Any, table: str, problems: list[str], within: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each well-formed entry of a table with the words that name it; the others become problems."""
    fields = _TABLES[table]
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        problems.append(f'{within}"{table}" must be a list of tables; write [[{table}]] before each')
        return
    for position, entry in enumerate(raw, 1):
        label = entry.get("id", entry.get("name"))
        where = f'{within}{table} "{label}"' if label else f"{within}{table} number {position}"
        found = len(problems)
        for key, value in entry.items():
            if key not in fields:
                problems.append(f'{where}: unknown field "{key}"; use only {_listed(fields)}')
            elif not isinstance(value, fields[key]) or isinstance(value, bool):
                expected = " or ".join(kind.__name__ for kind in fields[key])
                problems.append(f'{where}: "{key}" must be {expected}, got {value!r}')
            elif isinstance(value, list) and table != "text" and not all(isinstance(v, str) for v in value):
                problems.append(f'{where}: "{key}" must be a list of strings, got {value!r}')
            elif isinstance(value, str) and not value.strip():
                problems.append(f'{where}: "{key}" is empty; fill it in')
        for key in fields:
            if key not in entry and key not in _OPTIONAL:
                problems.append(f'{where}: "{key}" is missing; add it')
        if len(problems) == found:
            yield where, entry


def _read_notebooks(data: Mapping[str, Any], problems: list[str]) -> list[Notebook]:
    notebooks: list[Notebook] = []
    for where, entry in _entries(data.get("notebook", []), "notebook", problems):
        if not re.fullmatch(r"\d\d_[a-z0-9_]+", entry["name"]):
            problems.append(
                f'{where}: a name is two digits, "_" and lower-case words, as in "03_lstm"; rename it'
            )
        elif any(notebook.number == entry["name"][:2] for notebook in notebooks):
            problems.append(f"{where}: number {entry['name'][:2]} is taken; give each notebook its own")
        else:
            notebooks.append(Notebook(entry["name"], entry["title"]))
    return notebooks


def _home(key: str, where: str, notebooks: list[Notebook], problems: list[str]) -> str | None:
    """The full name of a notebook given by number or name."""
    for notebook in notebooks:
        if key in (notebook.name, notebook.number):
            return notebook.name
    problems.append(f'{where}: unknown notebook "{key}"; choose one of {_listed(n.name for n in notebooks)}')
    return None


def _read_texts(
    data: Mapping[str, Any], notebooks: list[Notebook], problems: list[str]
) -> tuple[list[Text], list[Item]]:
    texts: list[Text] = []
    items: list[Item] = []
    for where, entry in _entries(data.get("text", []), "text", problems):
        name = entry["name"]
        if any(text.name == name for text in texts):
            problems.append(f"{where}: duplicate text; merge the two or rename one")
            continue
        texts.append(Text(name, entry["title"]))
        for item_where, row in _entries(entry["items"], "item", problems, f'text "{name}", '):
            if not row["name"].startswith((f"{name} ", f"{name}.")):
                problems.append(
                    f'{item_where}: an item of text "{name}" begins with "{name}"; rename or move it'
                )
            if any(item.name == row["name"] for item in items):
                problems.append(f"{item_where}: duplicate item; keep one")
                continue
            if not row["notebooks"]:
                problems.append(f"{item_where}: no notebook is its home; name at least one")
            homes = [_home(key, item_where, notebooks, problems) for key in row["notebooks"]]
            items.append(Item(row["name"], name, row["title"], tuple(home for home in homes if home)))
    return texts, items


def _read_questions(
    data: Mapping[str, Any], notebooks: list[Notebook], items: list[Item], problems: list[str]
) -> list[Question]:
    questions: list[Question] = []
    for where, entry in _entries(data.get("question", []), "question", problems):
        if any(question.id == entry["id"] for question in questions):
            problems.append(f"{where}: duplicate id; ids are unique in the whole course, rename one")
            continue
        if not re.fullmatch(r"[A-Za-z0-9-]+", entry["id"]):
            problems.append(f"{where}: an id is letters, digits and hyphens; rename it")
        if entry["id"].endswith("-test") or entry["id"] in RESERVED_IDS:
            problems.append(f'{where}: {_listed(RESERVED_IDS)} and "…-test" name other cells; rename it')
        if entry["kind"] not in KINDS:
            problems.append(f'{where}: unknown kind "{entry["kind"]}"; choose one of {_listed(KINDS)}')
        for key in ("points", "minutes"):
            if not 0 < entry[key] < float("inf"):  # nan fails too
                problems.append(f"{where}: {key} must be above 0, got {entry[key]}")
        if not 1 <= entry["difficulty"] <= 5:
            problems.append(f"{where}: difficulty must be in 1..5, got {entry['difficulty']}")
        home = _home(entry["notebook"], where, notebooks, problems)
        covers = _read_covers(entry["covers"], where, home, items, problems)
        entry = {**entry, "notebook": home or entry["notebook"], "covers": covers}
        questions.append(Question(**entry))
    return questions


def _read_covers(
    names: list[str], where: str, home: str | None, items: list[Item], problems: list[str]
) -> tuple[str, ...]:
    """The items a question names, a name such as "B 4" or "15.1" replaced by the parts it stands for."""
    texts = {item.text for item in items}
    covers: list[str] = []
    for name in names:
        found = [item for item in items if item.name == name]
        if not found and name not in texts:
            found = [item for item in items if item.name.startswith((f"{name} ", f"{name}."))]
        if not found:
            problems.append(
                f'{where}: covers unknown item "{name}"; correct it or list the item under its [[text]]'
            )
        for item in found:
            if item.name in covers:
                problems.append(f'{where}: covers "{item.name}" twice; name it once')
            elif home and item.notebooks and home not in item.notebooks:
                problems.append(
                    f'{where}: covers "{item.name}", whose home is {_listed(item.notebooks)}; '
                    f"drop it here or add {home[:2]} to the item's notebooks"
                )
            covers.append(item.name)
    return tuple(covers)


def _check_companions(questions: list[Question], problems: list[str]) -> None:
    """Every written question has a machine-graded one beside it that tests the same idea."""
    by_id = {question.id: question for question in questions}
    for question in questions:
        where = f'question "{question.id}"'
        if question.kind not in HAND_KINDS:
            if question.companion is not None:
                problems.append(f"{where}: only a written question has a companion; remove the field")
            continue
        if question.companion is None:
            problems.append(
                f'{where}: written without a companion; add companion = "<id of an auto-graded question>"'
            )
            continue
        other = by_id.get(question.companion)
        if other is None:
            problems.append(f'{where}: companion "{question.companion}" is no question; correct the id')
        elif not other.auto:
            problems.append(f'{where}: companion "{other.id}" is {other.kind}; name an auto-graded one')
        elif other.notebook != question.notebook:
            problems.append(
                f'{where}: companion "{other.id}" is in {other.notebook}; name one of the same notebook'
            )
        elif question.covers and not set(question.covers) & set(other.covers):
            problems.append(
                f'{where}: companion "{other.id}" covers none of its items; name one that tests the same'
            )
