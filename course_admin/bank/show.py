"""What `coursework bank check` prints, and the same figures as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course_admin.bank.check import KILLED_SHARE, NAMED_SHARE, QuestionResult, Totals, totals_of


def show(results: Sequence[QuestionResult], proved: bool, console: Console, detailed: bool = False) -> None:
    """Print one row a question, the totals, then what is wrong, question by question.

    Args:
        detailed: also list every answer with its score and message, and the survivors with their explanations.
    """
    if detailed:
        for result in results:
            _show_answers(result, console)
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("question", no_wrap=True)
    for heading in ("accepted", "rejected", "named", "killed", "explained", "stub", "s"):
        table.add_column(
            heading, justify="right", no_wrap=True, min_width=7 if heading == "named" else len(heading)
        )
    for result in results:
        stub = result.outcomes["stub"]
        blank = "✓" if stub.kind == "not-answered" and stub.score == 0 else "✗"
        seconds = sum(outcome.seconds for outcome in [*result.outcomes.values(), *result.mutants.values()])
        style = "red" if result.problems else ""
        table.add_row(result.cells.id, *_figures(totals_of([result])), blank, f"{seconds:.1f}", style=style)
    totals = totals_of(results)
    table.add_section()
    table.add_row("together", *_figures(totals), "", "", style="bold")
    console.print(table)
    for result in results:
        if result.problems:
            console.print(f"\n[bold]{result.cells.id}[/]")
            for problem in result.problems:
                console.print(f"  • {escape(problem)}", style="red", highlight=False, soft_wrap=True)
    if totals.test_errors:
        console.print(
            f"\n{totals.test_errors} TEST ERRORS: a test cell raised something of its own. Mend the test first.",
            style="bold white on red",
        )
    console.print()
    console.print(_verdict(totals, proved), style="bold green" if proved else "bold red", highlight=False)


def _figures(totals: Totals) -> list[str]:
    return [
        f"{totals.accepted}/{totals.right}",
        f"{totals.rejected}/{totals.wrong}",
        f"{totals.named}/{totals.wrong}",
        f"{totals.killed}/{totals.mutants}" if totals.mutants else "–",
        f"{totals.explained}/{totals.explained + totals.unexplained}" if totals.mutants else "–",
    ]


def _verdict(totals: Totals, proved: bool) -> str:
    named = totals.named / totals.wrong if totals.wrong else 1.0
    killed = totals.killed / totals.mutants if totals.mutants else 1.0
    return (
        f"{'proved' if proved else 'not proved'}: right accepted {totals.accepted}/{totals.right}, wrong rejected "
        f"{totals.rejected}/{totals.wrong}, misconception named {named:.1%} (at least {NAMED_SHARE:.0%}), mutants killed "
        f"{killed:.1%} (at least {KILLED_SHARE:.0%}), survivors unexplained {totals.unexplained}"
    )


def _show_answers(result: QuestionResult, console: Console) -> None:
    table = Table(
        title=f"{result.cells.id} ({result.cells.points:g} points)", title_justify="left", show_lines=True
    )
    for heading in ("answer", "should get", "got", "what it does, and what the student reads"):
        table.add_column(heading)
    rows = [("reference", result.cells.points, ""), *((a.name, a.score, a.why) for a in result.bank.answers)]
    for name, score, why in [*rows, ("stub", 0.0, "")]:
        if (outcome := result.outcomes.get(name)) is not None:
            said = "\n".join(filter(None, [why, outcome.message]))
            table.add_row(name, f"{score:g}", f"{outcome.score:g} {outcome.kind}", escape(said))
    console.print(table)
    for name in result.survivors:
        console.print(f"survivor: {escape(name)}", highlight=False, soft_wrap=True)
        console.print(f"    {escape(result.bank.equivalent.get(name, 'not explained'))}", highlight=False)


def write_json(results: Sequence[QuestionResult], proved: bool, path: Path) -> None:
    """Write the figures, totals first, then each question with its problems and survivors."""
    data = {
        "proved": proved,
        "totals": asdict(totals_of(results)),
        "questions": {
            result.cells.id: {
                "kind": result.cells.kind,
                "points": result.cells.points,
                **asdict(totals_of([result])),
                "answers": {
                    name: {"score": outcome.score, "kind": outcome.kind, "seconds": outcome.seconds}
                    for name, outcome in sorted(result.outcomes.items())
                },
                "survivors": {name: result.bank.equivalent.get(name) for name in result.survivors},
                "stale": result.stale,
                "problems": result.problems,
            }
            for result in results
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
