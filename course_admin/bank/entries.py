"""The bank's answers to one question, read from `course_admin/bank/<notebook>/<question>/`. The format: docs/bank.md.

Everything wrong with a folder is said at once, each line naming the file or the entry and what to do about it.
"""

import ast
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_admin.bank.notebook import CourseNotebook, QuestionCells
from course_utils.checking.cells import statements

BANK = Path("course_admin") / "bank"
AFTER_REFERENCE = "after_reference.py"
_HEADER = re.compile(r"#\s?(?P<key>[A-Za-z_]+):\s*(?P<value>.*)$")
_CONTINUED = re.compile(r"#\s{2,}(?P<value>\S.*)$")
_KEYS = {"right": {"why", "code", "patch"}, "wrong": {"why", "code", "patch", "score", "says"}}


class BankError(ValueError):
    """The bank cannot be used; `problems` holds one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Answer:
    """One right or wrong answer.

    Attributes:
        name: file name without suffix, or the entry's place, as in `wrong 3`.
        text: the whole answer cell.
        score: what the test cell must give.
        says: regular expression that the failure's message must match; None for a right answer.
        why: what the answer does, for people.
    """

    question: str
    name: str
    right: bool
    text: str
    score: float
    says: str | None
    why: str


@dataclass(frozen=True)
class QuestionBank:
    """All answers to one question.

    Attributes:
        equivalent: the mutants explained as equivalent, name → why.
        after: code that runs after the reference and what is made from it, in the place of the notebook's experiment.
    """

    question: str
    answers: tuple[Answer, ...]
    equivalent: dict[str, str]
    after: str = ""

    @property
    def right(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.right)

    @property
    def wrong(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if not answer.right)


def load_bank(root: Path, notebook: CourseNotebook, exercise: str | None = None) -> dict[str, QuestionBank]:
    """The answers to every question of a notebook, or to one; a question without a folder has no entry.

    Raises:
        BankError: with every mistake found.
        NotebookError: `exercise` is no machine-graded question of the notebook.
    """
    folder = root / BANK / notebook.name
    wanted = [notebook.question(exercise)] if exercise else list(notebook.questions)
    problems: list[str] = []
    known = {question.id for question in notebook.questions}
    for child in sorted(folder.iterdir()) if folder.is_dir() else []:
        if child.is_dir() and child.name not in known and not child.name.startswith(("_", ".")):
            problems.append(f"{child.name}: no machine-graded question of {notebook.name}; rename the folder")
    banks = {}
    for question in wanted:
        if (folder / question.id).is_dir():
            banks[question.id] = _load_question(folder / question.id, question, problems)
    if problems:
        raise BankError(problems)
    return banks


def _load_question(folder: Path, question: QuestionCells, problems: list[str]) -> QuestionBank:
    answers: list[Answer] = []
    equivalent: dict[str, str] = {}
    after = folder / AFTER_REFERENCE
    experiment = split_header(after.read_text(encoding="utf-8"))[1] if after.exists() else ""
    for path in sorted(folder.iterdir()):
        where = f"{question.id}/{path.name}"
        if path.name.startswith((".", "__pycache__")) or path == after:
            continue
        if path.suffix == ".py" and path.stem.startswith(("right_", "wrong_")):
            answers += _read_file(path, where, question, experiment, problems)
        elif path.name == "answers.toml":
            answers += _read_answers(path, where, question, experiment, problems)
        elif path.name == "mutants.toml":
            equivalent = _read_equivalent(path, where, problems)
        else:
            problems.append(
                f"{where}: name it right_*.py, wrong_*.py, answers.toml, mutants.toml or {AFTER_REFERENCE}"
            )
    if not answers and not any(problem.startswith(f"{question.id}/") for problem in problems):
        problems.append(f"{question.id}: the folder holds no answer; add one or remove it")
    return QuestionBank(question.id, tuple(answers), equivalent, experiment)


def _read_file(
    path: Path, where: str, question: QuestionCells, experiment: str, problems: list[str]
) -> list[Answer]:
    header, text = split_header(path.read_text(encoding="utf-8"))
    kind = "right" if path.stem.startswith("right_") else "wrong"
    entry: dict[str, Any] = dict(header)
    if "score" in entry:
        try:
            entry["score"] = float(entry["score"])
        except ValueError:
            problems.append(f"{where}: score must be a number, got {entry['score']!r}")
            return []
    if not text.strip():
        problems.append(f"{where}: holds no answer under its header")
        return []
    if experiment and not _records(text):
        text = f"{text}\n\n{experiment}"
    return _answer(path.stem, where, kind, entry, text, question, problems)


def _records(text: str) -> bool:
    """Whether an answer records a table itself."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "record"
        for statement in statements(text)
        for node in ast.walk(statement)
    )


def split_header(text: str) -> tuple[dict[str, str], str]:
    """The `# key: value` lines that a file begins with, and the text after them.

    A line that begins with `#` and two or more spaces continues the value above it.
    """
    header: dict[str, str] = {}
    lines = text.splitlines()
    last = ""
    for number, line in enumerate(lines):  # noqa: B007
        if match := _HEADER.match(line):
            last = match["key"]
            header[last] = match["value"].strip()
        elif last and (match := _CONTINUED.match(line)):
            header[last] += " " + match["value"].strip()
        else:
            break
    else:
        number = len(lines)
    return header, "\n".join(lines[number:]).strip("\n") + "\n"


def _read_toml(path: Path, where: str, tables: set[str], problems: list[str]) -> dict[str, list[dict]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{where}: not valid TOML: {error}")
        return {}
    for key in data.keys() - tables:
        problems.append(
            f'{where}: unknown table "{key}"; use {" or ".join(f"[[{t}]]" for t in sorted(tables))}'
        )
    lists = {key: data[key] for key in sorted(tables) if key in data}
    for key, entries in lists.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            problems.append(f'{where}: "{key}" must be a list of tables; write [[{key}]] before each')
            return {}
    return lists


def _read_answers(
    path: Path, where: str, question: QuestionCells, experiment: str, problems: list[str]
) -> list[Answer]:
    answers = []
    for kind, entries in _read_toml(path, where, {"right", "wrong"}, problems).items():
        for number, entry in enumerate(entries, 1):
            place = f"{where}, {kind} {number}"
            text = _made_from_reference(entry, place, question, experiment, problems)
            if text is not None:
                answers += _answer(f"{kind} {number}", place, kind, entry, text, question, problems)
    return answers


def _made_from_reference(
    entry: dict, where: str, question: QuestionCells, experiment: str, problems: list[str]
) -> str | None:
    reference = question.reference
    run = entry.pop("experiment", True)
    given = entry.keys() & {"code", "patch"}
    if not isinstance(run, bool):
        problems.append(f"{where}: experiment must be true or false, got {run!r}")
        return None
    if len(given) > 1 or (run and not given):
        problems.append(f"{where}: give either code or patch")
        return None
    experiment = experiment if run else ""
    if not given:
        return reference
    if "code" in entry:
        if not isinstance(entry["code"], str):
            problems.append(f"{where}: code must be text")
            return None
        return f"{reference}{experiment}{entry['code'].strip()}\n"
    pairs, text = entry["patch"], reference
    if not isinstance(pairs, list) or not pairs or not all(_is_pair(pair) for pair in pairs):
        problems.append(f'{where}: patch must be a list of pairs, [["old text", "new text"]]')
        return None
    for old, new in pairs:
        if old not in text:
            problems.append(f"{where}: {old!r} does not stand in the reference solution")
            return None
        text = text.replace(old, new)
    if _code(text) == _code(reference):
        problems.append(f"{where}: the patch changes no code")
        return None
    return text + experiment


def _is_pair(pair: Any) -> bool:
    return (
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair) and pair[0] != ""
    )


def _code(text: str) -> str:
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return text


def _answer(
    name: str, where: str, kind: str, entry: dict, text: str, question: QuestionCells, problems: list[str]
) -> list[Answer]:
    found = len(problems)
    right = kind == "right"
    for key in sorted(entry.keys() - _KEYS[kind] - {"score"}):
        problems.append(f'{where}: unknown key "{key}"; use {", ".join(sorted(_KEYS[kind]))}')
    score, says, why = (
        entry.get("score", question.points if right else None),
        entry.get("says"),
        entry.get("why", ""),
    )
    if not right:
        for key in ("score", "says"):
            if entry.get(key) in (None, ""):
                problems.append(f'{where}: a wrong answer needs "{key}"')
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        problems.append(f"{where}: score must be a number, got {score!r}")
    elif right and score != question.points:
        problems.append(f"{where}: a right answer has the full {question.points:g} points; remove its score")
    elif score is not None and not right and not 0 <= score < question.points:
        problems.append(
            f"{where}: the score of a wrong answer lies in 0..{question.points:g}, below the full"
        )
    for key, value in (("says", says), ("why", why)):
        if value is not None and not isinstance(value, str):
            problems.append(f"{where}: {key} must be text")
    if isinstance(says, str):
        try:
            re.compile(says)
        except re.error as error:
            problems.append(f"{where}: says is no regular expression: {error}")
    if len(problems) > found or score is None:
        return []
    return [Answer(question.id, name, right, text, float(score), says, why)]


def _read_equivalent(path: Path, where: str, problems: list[str]) -> dict[str, str]:
    equivalent = {}
    for number, entry in enumerate(
        _read_toml(path, where, {"equivalent"}, problems).get("equivalent", []), 1
    ):
        if entry.keys() != {"mutant", "why"} or not all(
            isinstance(v, str) and v.strip() for v in entry.values()
        ):
            problems.append(
                f'{where}, equivalent {number}: needs "mutant" and "why", both text, and nothing else'
            )
            continue
        equivalent[entry["mutant"]] = entry["why"]
    return equivalent
