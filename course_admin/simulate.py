"""Make a class from the bank: submissions whose marks are known beforehand, so that grading can be verified.

Most students are right, partly right or mostly wrong, some hand in the untouched notebook, and some
submissions are broken (`simulate_breaks.py`). The same seed and the same course give the same bytes.
"""

import copy
import json
import random
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from course_admin.bank.entries import Answer, QuestionBank, load_bank
from course_admin.bank.notebook import CourseNotebook, NotebookError, WrittenCell, load_json, read_notebook
from course_admin.simulate_breaks import BREAKS, Work, top_level_names

FIRST = (
    "ada bela caro dario emil fay gino hana ivo juna kiran lena milo nora oskar pia quinn rosa sami tove uma"
)
LAST = (
    "adler birk castell dorn eben falk grove hale ivers joyner keller lund marsh nash oakes quill stone vale"
)
PATTERN = [
    "right", "partial", "broken", "mostly-wrong", "partial",
    "right", "broken", "untouched", "partial", "broken",
]  # fmt: skip
SHARES = {  # of right, wrong and blank answers
    "right": (1.0, 0.0, 0.0),
    "partial": (0.55, 0.3, 0.15),
    "mostly-wrong": (0.1, 0.7, 0.2),
    "untouched": (0.0, 0.0, 1.0),
    "broken": (0.8, 0.1, 0.1),
}
QUALITIES = {"right": ["strong", "fair"], "mostly-wrong": ["weak", "blank"], "untouched": ["blank"]}
FAIR = "I think this is the main point, though I am less sure how it plays out over long sequences."
WEAK = [
    "It works because the network learns it from the data and remembers everything it has seen.",
    "The results depend on many factors, so more training would help here.",
    "A recurrent network is like a normal one but bigger, and that is why it is better.",
    "I ran it and it looked fine, as one can see in the plot.",
]


@dataclass(frozen=True)
class SimulatedStudent:
    """One made-up submission and what grading must make of it.

    Attributes:
        kind: `right`, `partial`, `mostly-wrong`, `untouched`, or the name of a break.
        note: what was done, for people.
        scores: expected points by question id; None where a person marks.
        answers: the answer's name in the bank, `reference`, `blank`, or how good a written answer is.
        flags: regular expressions; each must match one of the flags that the instructor gets.
    """

    student: str
    kind: str
    note: str
    scores: dict[str, float | None]
    answers: dict[str, str]
    flags: list[str]

    @property
    def total(self) -> float:
        """Points from the questions that a machine grades."""
        return sum(score or 0.0 for score in self.scores.values())


def simulate(root: Path, notebook: str, students: int, seed: int, out_dir: Path) -> list[SimulatedStudent]:
    """Write a class of submissions, and what to expect of each.

    They go to `out_dir/<student>/<notebook>/`, the expectations to `build/simulated/<notebook>.json`.
    Submissions of an earlier simulated class are replaced; any other submission in the way stops it.

    Args:
        root: the course's root.
        notebook: number or name; its source and release must be built.
        students: size of the class. 40 or more hold every kind of break.

    Raises:
        NotebookError: source or release is not built, or `out_dir` holds somebody else's submission.
        BankError: the bank cannot be used.
    """
    cells = read_notebook(root, notebook)
    release = root / "release" / cells.name / f"{cells.name}.ipynb"
    if not release.exists():
        raise NotebookError(
            f"release/{cells.name} is not built; run `coursework build {cells.name[:2]}` first"
        )
    blank, banks = load_json(release), load_bank(root, cells)
    record = root / "build" / "simulated" / f"{cells.name}.json"
    _clear_earlier(record, out_dir, cells.name)

    made, files = [], {}
    breaks = list(BREAKS)
    for number, name in enumerate(student_names(students, seed)):
        rng = random.Random(f"{seed}/{cells.name}/{name}")
        kind = PATTERN[number % len(PATTERN)]
        breakage = breaks.pop(0) if kind == "broken" else None
        breaks = breaks or list(BREAKS)
        student, text = _make(name, kind, breakage, cells, banks, blank, rng)
        made.append(student)
        files[out_dir / name / cells.name / f"{cells.name}.ipynb"] = text
    taken = [path.parent.parent.name for path in files if path.exists()]
    if taken:
        raise NotebookError(
            f"{out_dir.name}/ already holds submissions of {', '.join(taken)} that were not simulated"
        )
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    record.parent.mkdir(parents=True, exist_ok=True)
    data = {"notebook": cells.name, "seed": seed, "students": [asdict(student) for student in made]}
    record.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return made


def load_simulated(root: Path, notebook: str) -> list[SimulatedStudent]:
    """The class that was last simulated for a notebook (its full name); empty when there is none."""
    record = root / "build" / "simulated" / f"{notebook}.json"
    if not record.exists():
        return []
    return [SimulatedStudent(**entry) for entry in json.loads(record.read_text(encoding="utf-8"))["students"]]


def student_names(students: int, seed: int) -> list[str]:
    """Invented names, each once: `mira-holt`, and with a number where the list is used up."""
    names = [f"{first}-{last}" for first in FIRST.split() for last in LAST.split()]
    random.Random(seed).shuffle(names)
    return [
        names[n % len(names)] + (f"-{n // len(names) + 1}" if n >= len(names) else "")
        for n in range(students)
    ]


def _clear_earlier(record: Path, out_dir: Path, notebook: str) -> None:
    """Remove what an earlier simulation wrote, and nothing else."""
    if not record.exists():
        return
    for entry in json.loads(record.read_text(encoding="utf-8"))["students"]:
        folder = out_dir / entry["student"]
        shutil.rmtree(folder / notebook, ignore_errors=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _make(
    name: str,
    kind: str,
    breakage: str | None,
    cells: CourseNotebook,
    banks: dict[str, QuestionBank],
    blank: dict[str, Any],
    rng: random.Random,
) -> tuple[SimulatedStudent, str]:
    """One student and the text of the submitted file."""
    notebook = copy.deepcopy(blank)
    work = Work(notebook["cells"], [], {})
    answers: dict[str, str] = {}
    for question in cells.questions:
        bank = banks.get(question.id, QuestionBank(question.id, (), {}))
        text = question.reference + bank.after
        reference = Answer(question.id, "reference", True, text, question.points, None, "")
        answer = _choose(bank, reference, SHARES[kind], rng)
        answers[question.id] = answer.name if answer else "blank"
        work.scores[question.id] = answer.score if answer else 0.0
        if answer is not None:
            work.answered.append(question.id)
            if not top_level_names(question.reference) <= top_level_names(answer.text):
                work.unlike.append(question.id)
            work.cell(question.id)["source"] = answer.text.rstrip("\n")
    for written in cells.written:
        work.written.append(written.id)
        quality = rng.choice(QUALITIES.get(kind, ["strong", "fair", "weak"]))
        answers[written.id], work.scores[written.id] = quality, 0.0 if quality == "blank" else None
        if quality != "blank":
            work.cell(written.id)["source"] = written.answered(_written(written, quality, rng))
    if breakage and work.answered:
        BREAKS[breakage](work, rng)
    notebook["cells"] = work.cells
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if work.cut is not None:
        text = text[: int(len(text) * work.cut)]
    return SimulatedStudent(name, breakage or kind, work.note, work.scores, answers, work.flags), text


def _choose(
    bank: QuestionBank, reference: Answer, shares: Iterable[float], rng: random.Random
) -> Answer | None:
    """An answer of the bank; None for a blank one, also where a wrong one is wanted and the bank has none."""
    right, wrong = ([one for one in some if _is_its_own(one)] for some in (bank.right, bank.wrong))
    (verdict,) = rng.choices(["right", "wrong", "blank"], weights=list(shares))
    if verdict == "right":
        return rng.choice([reference, *right])
    return rng.choice(wrong) if verdict == "wrong" and wrong else None


def _is_its_own(answer: Answer) -> bool:
    """False where it records another question's table: its score in the bank is that of a notebook without that question."""
    return all(name == answer.question for name in re.findall(r"""\brecord\(\s*["']([^"']+)""", answer.text))


def _written(cell: WrittenCell, quality: str, rng: random.Random) -> str:
    """A written answer: the model's own words, half of them, or something that sounds like an answer."""
    if quality == "strong":
        return cell.model_answer
    if quality == "fair":
        sentences = re.split(r"(?<=[.!?])\s+", cell.model_answer)
        return " ".join([*sentences[: (len(sentences) + 1) // 2], FAIR])
    return rng.choice(WEAK)
