"""Prove a notebook's hidden tests with the bank: every right answer passes, every wrong one fails for its own reason.

For each machine-graded question: the reference and the right answers must get full points, each wrong answer the score and the
misconception that it states, the blank stub nothing but "not answered", and every mutant of the reference must lose a point or
be explained as equivalent in `mutants.toml`.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from course_admin.bank.entries import Answer, BankError, QuestionBank, load_bank
from course_admin.bank.mutants import mutants_of
from course_admin.bank.notebook import CourseNotebook, NotebookError, QuestionCells, read_notebook
from course_admin.bank.runner import Outcome, SetupError, Task, run

NAMED_SHARE = 0.90  # of wrong answers, those whose misconception the message names
KILLED_SHARE = 0.95  # of mutants
LEAST = {"right": 2, "wrong": 8}  # answers that a coding question or a project needs
MUTANT_CPU_SECONDS = 12.0
MUTANT_CALL_SECONDS = 2.0
MUTANT_STOP_SECONDS = 0.5  # then no further part once a point is lost, unless one exercise is checked alone


@dataclass
class QuestionResult:
    """What the check found for one question. `problems` is empty where all is well."""

    cells: QuestionCells
    bank: QuestionBank
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by answer name; also "reference" and "stub"
    mutants: dict[str, Outcome] = field(default_factory=dict)  # by mutant name

    def accepted(self, answer: Answer) -> bool:
        outcome = self.outcomes[answer.name]
        return outcome.kind == "passed" and outcome.score == self.cells.points

    def rejected(self, answer: Answer) -> bool:
        outcome = self.outcomes[answer.name]
        return outcome.kind not in ("passed", "test-error") and abs(outcome.score - answer.score) < 1e-9

    def named(self, answer: Answer) -> bool:
        outcome = self.outcomes[answer.name]
        flags = re.IGNORECASE | re.DOTALL
        return outcome.kind != "test-error" and bool(re.search(answer.says or "", outcome.message, flags))

    @property
    def survivors(self) -> list[str]:
        """Mutants that get full points."""
        return [name for name, outcome in self.mutants.items() if outcome.score >= self.cells.points]

    @property
    def unexplained(self) -> list[str]:
        return [name for name in self.survivors if name not in self.bank.equivalent]

    @property
    def stale(self) -> list[str]:
        """Explanations of mutants that a test kills, or that no longer exist."""
        return [name for name in self.bank.equivalent if name not in self.survivors]

    @property
    def test_errors(self) -> dict[str, str]:
        """Answers on which the test cell itself broke: a flaw of the test."""
        every = {**self.outcomes, **self.mutants}
        return {name: outcome.message for name, outcome in every.items() if outcome.kind == "test-error"}

    @property
    def problems(self) -> list[str]:
        """Everything that keeps the question from being proved, a line each."""
        cells, found = self.cells, []
        for name, message in self.test_errors.items():
            found.append(f"TEST ERROR on {name}: the test cell raised {message}")
        found += self._problems_of_reference_and_stub()
        for answer in self.bank.right:
            if not self.accepted(answer):
                found.append(
                    f"{answer.name} is right but got {_told(self.outcomes[answer.name], cells.points)}"
                )
        for answer in self.bank.wrong:
            told = _told(self.outcomes[answer.name], cells.points)
            if not self.rejected(answer):
                found.append(f"{answer.name} ({answer.why}) should get {answer.score:g} but got {told}")
            if not self.named(answer):
                found.append(f"{answer.name} ({answer.why}): no message matches /{answer.says}/; got {told}")
        found += [f"survivor without explanation: {name}" for name in self.unexplained]
        found += [f"stale explanation: {name}" for name in self.stale]
        if cells.kind in ("code", "project") and self.bank.answers:
            for kind, answers in (("right", self.bank.right), ("wrong", self.bank.wrong)):
                if len(answers) < LEAST[kind]:
                    found.append(
                        f"{len(answers)} {kind} answers; a {cells.kind} question needs {LEAST[kind]}"
                    )
        if not self.bank.answers:
            found.append("no answers in the bank")
        return found

    def _problems_of_reference_and_stub(self) -> list[str]:
        found, points = [], self.cells.points
        reference = self.outcomes["reference"]
        if reference.kind != "passed":
            found.append(f"the reference solution got {_told(reference, points)}")
        elif reference.total is not None and abs(reference.total - points) > 1e-9:
            found.append(
                f"the parts of the test cell add up to {reference.total:g} points, the cell has {points:g}"
            )
        stub = self.outcomes["stub"]
        if stub.kind != "not-answered" or stub.score != 0:
            found.append(f"the blank stub should be nothing but not answered; it got {_told(stub, points)}")
        return found


def _told(outcome: Outcome, points: float) -> str:
    """An outcome in a line or a few: score, kind, what was said."""
    error = f"; its cell raised {outcome.cell_error}" if outcome.cell_error else ""
    message = "\n      ".join(outcome.message.splitlines())
    return f"{outcome.score:g} of {points:g} ({outcome.kind}{error})" + (
        f":\n      {message}" if message else ""
    )


def check_bank(
    root: Path,
    notebook: str,
    exercise: str | None = None,
    sandbox: bool = False,
    jobs: int = 1,
    json_file: Path | None = None,
    console: Console | None = None,
) -> int:
    """Check one notebook's bank, or one exercise of it, and print what was found.

    Args:
        root: the course's root folder.
        notebook: number or name.
        exercise: only this question, and then every part of its test runs on every mutant.
        sandbox: run right, wrong, reference and stub as grading does; mutants always run in process.
        jobs: how many answers to run at once.
        json_file: where to write the same numbers.

    Returns:
        0 when every right answer is accepted, every wrong one rejected with the stated score, at least 90 % of them
        named, at least 95 % of the mutants killed and each survivor explained, and no test cell broke; else 1;
        2 when the check could not begin, for what it printed.
    """
    from course_admin.bank.show import show, write_json

    console = console or Console()
    try:
        cells = read_notebook(root, notebook)
        banks = load_bank(root, cells, exercise)
        wanted = [cells.question(exercise)] if exercise else list(cells.questions)
        results = [
            QuestionResult(question, banks.get(question.id, _nothing(question))) for question in wanted
        ]
        run_all(cells, results, sandbox, jobs, thorough=exercise is not None)
    except (BankError, NotebookError, SetupError) as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    proved = proves(results)
    show(results, proved, console, detailed=exercise is not None)
    if json_file is not None:
        write_json(results, proved, json_file)
    return 0 if proved else 1


def _nothing(question: QuestionCells) -> QuestionBank:
    return QuestionBank(question.id, (), {})


def run_all(
    notebook: CourseNotebook,
    results: Sequence[QuestionResult],
    sandbox: bool,
    jobs: int,
    thorough: bool = False,
) -> None:
    """Fill in every outcome. `thorough`: run every part of the test on a mutant, dead or not, to find broken tests."""
    answers: list[tuple[QuestionResult, str, Task]] = []
    mutants: list[tuple[QuestionResult, str, Task]] = []
    for result in results:
        cells = result.cells
        after = result.bank.after
        texts = {"reference": cells.reference + after} | {
            answer.name: answer.text for answer in result.bank.answers
        }
        texts["stub"] = cells.stub
        answers += [(result, name, Task(text, cells.test, cells.points)) for name, text in texts.items()]
        for mutant in mutants_of(cells):
            task = Task(
                mutant.text + after,
                cells.test,
                cells.points,
                cpu_seconds=MUTANT_CPU_SECONDS,
                call_seconds=MUTANT_CALL_SECONDS,
                stop_seconds=None if thorough else MUTANT_STOP_SECONDS,
            )
            mutants.append((result, mutant.name, task))
    if sandbox:
        _run_answers_in_sandbox(notebook.setup, answers, jobs)
    quick = mutants if sandbox else [*answers, *mutants]
    for index, outcome in run(notebook.setup, [task for _, _, task in quick], jobs):
        result, name, _ = quick[index]
        (result.mutants if index >= len(quick) - len(mutants) else result.outcomes)[name] = outcome
    for result in results:  # outcomes come as they end; reports keep the bank's order
        names = [name for owner, name, _ in mutants if owner is result]
        result.mutants = {name: result.mutants[name] for name in names}


def _run_answers_in_sandbox(setup: str, answers: list[tuple[QuestionResult, str, Task]], jobs: int) -> None:
    """Through the grader's own kernel; the outcomes are those of the quick check."""
    from course_admin.grading.trial import run_in_sandbox

    def one(answer: tuple[QuestionResult, str, Task]) -> None:
        result, name, task = answer
        outcome = run_in_sandbox(setup, task.candidate, task.test, task.points)
        result.outcomes[name] = Outcome(outcome.score, outcome.kind, outcome.message)

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        list(pool.map(one, answers))


@dataclass(frozen=True)
class Totals:
    """The figures of several questions together."""

    right: int
    accepted: int
    wrong: int
    rejected: int
    named: int
    mutants: int
    killed: int
    explained: int
    unexplained: int
    test_errors: int


def totals_of(results: Sequence[QuestionResult]) -> Totals:
    """Count over the questions."""
    pairs = [(result, answer) for result in results for answer in result.bank.answers]
    return Totals(
        right=sum(answer.right for _, answer in pairs),
        accepted=sum(result.accepted(answer) for result, answer in pairs if answer.right),
        wrong=sum(not answer.right for _, answer in pairs),
        rejected=sum(result.rejected(answer) for result, answer in pairs if not answer.right),
        named=sum(result.named(answer) for result, answer in pairs if not answer.right),
        mutants=sum(len(result.mutants) for result in results),
        killed=sum(len(result.mutants) - len(result.survivors) for result in results),
        explained=sum(len(result.survivors) - len(result.unexplained) for result in results),
        unexplained=sum(len(result.unexplained) for result in results),
        test_errors=sum(len(result.test_errors) for result in results),
    )


def proves(results: Sequence[QuestionResult]) -> bool:
    """Whether the tests are proved; the only problems allowed are a few messages that do not name the misconception."""
    totals = totals_of(results)
    only_naming = all("no message matches" in problem for result in results for problem in result.problems)
    return (
        only_naming
        and totals.named >= NAMED_SHARE * totals.wrong
        and totals.killed >= KILLED_SHARE * totals.mutants
        and totals.unexplained == 0
    )
