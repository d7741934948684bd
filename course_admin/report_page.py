"""The report as one HTML page: no script, nothing fetched, and every text from a submission, a name or a flag escaped.

Such a text gets into the page through `said` or `visible` alone. In case one slipped through, the policy in the page's head
forbids scripts and every address.
"""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Iterable
from datetime import datetime
from importlib.resources import files
from statistics import mean, median, stdev
from urllib.parse import quote

from course_admin.report import STATES, Question, Report
from course_admin.report_histogram import histogram
from course_admin.report_messages import UNANSWERED, Group, flags_by_kind

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
SHORT = 260  # characters of a text that stand in the page; the rest is folded
LONG = 3000  # characters that are kept at all
MOST_OFTEN = 7  # messages that stand above the questions
TOP = 3  # messages of a question that are not folded
OPEN_UP_TO = 8  # flags of a kind that are not folded


def page(report: Report) -> str:
    """The whole page. The same report gives the same bytes."""
    style = files("course_admin").joinpath("report.css").read_text(encoding="utf-8")
    body = "\n".join(
        [
            _head(report),
            _distribution(report),
            _questions(report),
            _flags(report),
            _unmarked(report),
            _students(report),
        ]
    )
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Report: {visible(report.title)}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def visible(text: str, most: int = LONG) -> str:
    """Text on one line, escaped, at most so long; control, bidirectional and other unseen characters are written as codes."""
    cut = text if len(text) <= most else text[:most].rstrip() + " …"
    line = " ".join(cut.split())
    return html.escape("".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line))


def said(text: str) -> str:
    """Text of any origin, set apart from its surroundings; a long one is folded."""
    if len(text) <= SHORT:
        return f"<bdi>{visible(text)}</bdi>"
    return f"<details class=long><summary><bdi>{visible(text, SHORT)}</bdi></summary><bdi>{visible(text)}</bdi></details>"


def _head(report: Report) -> str:
    totals = [marks.total for marks in report.students]
    waiting = [marks.to_mark for marks in report.students if marks.to_mark]
    missing = report.submissions - len(report.students)
    facts = {
        "submissions": f"{report.submissions}",
        "graded": f"{len(report.students)}",
        "without a mark": f"{missing}",
        "to mark by hand": f"{sum(waiting)}",
        "mean": f"{mean(totals):.1f} <small>of {report.points:g}</small>",
        "median": f"{median(totals):.1f}",
        "s.d.": f"{stdev(totals):.1f}" if len(totals) > 1 else "–",
    }
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    note = ""
    if waiting:
        note = (
            f"<p class=note>{sum(waiting)} answers of {len(waiting)} students wait for a person; "
            "one that has no mark yet counts as 0 in every total.</p>\n"
        )
    return f"""\
<header>
<h1>{visible(report.title)}</h1>
<p class=note>For instructors only. {_origin(report)}</p>
<dl class=facts>{cells}</dl>
{note}</header>"""


def _origin(report: Report) -> str:
    """When and by which version of the course the marks were given."""
    when = "no grading is recorded in audit.jsonl"
    if report.graded:
        try:
            when = f"{datetime.fromisoformat(report.graded):%Y-%m-%d %H:%M} UTC"
        except ValueError:
            when = visible(report.graded, 40)
    known = sum(report.versions.values())
    versions = [
        f"<code>{visible(version, 40)}</code>" + (f" ({count} of {known} marks)" if count < known else "")
        for version, count in sorted(report.versions.items(), key=lambda item: (-item[1], item[0]))
    ]
    return f"Newest grading: {when}." + (
        f" Version of the course: {', '.join(versions)}." if versions else ""
    )


def _distribution(report: Report) -> str:
    picture, size, words = histogram([marks.total for marks in report.students], report.points)
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    return f"""\
<section>
<h2>Distribution of totals</h2>
<img src="{source}" width="{size[0]}" height="{size[1]}" alt="{html.escape(words)}">
</section>"""


def _questions(report: Report) -> str:
    legend = "".join(f'<span><i class="{_css(state)}"></i>{state}</span>' for state in STATES)
    heads = "".join(f'<th class="n" scope="col">{state}</th>' for state in STATES)
    rows = "\n".join(_question(question, len(report.students)) for question in report.questions)
    return f"""\
<section>
<h2>Questions, and what the class holds</h2>
{_often(report)}<p class=note>Under each question: what its failed tests said most often, in groups that say the same.</p>
<p class=legend>{legend}</p>
<table class=questions>
<thead><tr><th scope="col">question</th><th scope="col">kind</th><th class="n" scope="col">points</th>
<th class="n" scope="col">mean</th><th scope="col">answers</th>{heads}</tr></thead>
{rows}
</table>
</section>"""


def _often(report: Report) -> str:
    """What most students were told, whatever the question; nothing where no two were told the same."""
    found = [(group, question) for question in report.questions for group in question.said]
    shared = [pair for pair in found if pair[0].count > 1 and pair[0].message != UNANSWERED]
    items = [
        _item(group, len(report.students), f" <code>{visible(question.grade_id)}</code>")
        for group, question in sorted(shared, key=lambda pair: -pair[0].count)[:MOST_OFTEN]
    ]
    return f"<p class=note>Most often:</p>\n<ul class=often>{''.join(items)}</ul>\n" if items else ""


def _item(group: Group, students: int, behind: str = "") -> str:
    return f"<li><b>{group.count} of {students}</b> <span>{said(group.message)}{behind}</span></li>"


def _question(question: Question, students: int) -> str:
    parts = [(state, question.counts[state]) for state in STATES]
    words = ", ".join(f"{count} {state}" for state, count in parts if count)
    bar = "".join(
        f'<i class="{_css(state)}" style="width:{100 * count / students:.2f}%"></i>'
        for state, count in parts
        if count
    )
    counts = "".join(f'<td class="n">{count or ""}</td>' for _, count in parts)
    average = "–"
    if question.mean is not None and question.points:
        so_far = " <small>so far</small>" if question.counts["to mark"] else ""
        average = f"{100 * question.mean / question.points:.0f} %{so_far}"
    return f"""\
<tbody>
<tr><th scope="row">{visible(question.title)} <code>{visible(question.grade_id)}</code></th><td>{question.kind}</td>
<td class="n">{question.points:g}</td><td class="n">{average}</td>
<td><span class=bar role=img aria-label="{words}">{bar}</span></td>{counts}</tr>
{_misconceptions(question.said, students)}</tbody>"""


def _misconceptions(groups: list[Group], students: int) -> str:
    if not groups:
        return ""
    items = [_item(group, students) for group in groups]
    rest = ""
    if len(items) > TOP:
        rest = f"<details><summary>{len(items) - TOP} more</summary><ul>{''.join(items[TOP:])}</ul></details>"
    return f'<tr class=said><td colspan="{5 + len(STATES)}"><ul>{"".join(items[:TOP])}</ul>{rest}</td></tr>\n'


def _flags(report: Report) -> str:
    if not report.flags:
        return "<section>\n<h2>Flags</h2>\n<p>None.</p>\n</section>"
    kinds = []
    for kind, found in flags_by_kind(report.flags).items():
        items = "".join(
            f"<li><b>{said(student)}</b> <span>{said(flag)}</span></li>" for student, flag in found
        )
        state = " open" if len(found) <= OPEN_UP_TO else ""
        count = _students_in(who for who, _ in found)
        kinds.append(
            f"<details{state}><summary><bdi>{visible(kind)}</bdi> <small>{count}</small></summary>"
            f"<ul class=pairs>{items}</ul></details>"
        )
    return f"""\
<section class=flags>
<h2>Flags</h2>
<p class=note>{len(report.flags)} of {len(report.students)} submissions have any. A flag asks for a look; it changes no mark.</p>
{chr(10).join(kinds)}
</section>"""


def _students_in(names: Iterable[str]) -> str:
    count = len(set(names))
    return f"{count} student" + ("s" if count > 1 else "")


def _unmarked(report: Report) -> str:
    if not report.unmarked:
        return ""
    items = "".join(
        f"<li><b>{said(student)}</b> <span>{said(why)}</span></li>"
        for student, why in report.unmarked.items()
    )
    return f"<section>\n<h2>Without a mark</h2>\n<ul class=pairs>{items}</ul>\n</section>"


def _students(report: Report) -> str:
    rows = []
    for marks in report.students:
        shown = (
            said(marks.student)
            if not marks.name
            else f"{said(marks.name)} <code>{said(marks.student)}</code>"
        )
        link = ""
        if marks.student in report.feedback:
            link = f'<a href="{_address(marks.student, report.notebook)}" rel="noreferrer">feedback</a>'
        numbers = (
            f"{marks.total:.2f}",
            f"−{marks.penalty:g}" if marks.penalty else "",
            f"{marks.to_mark or ''}",
            f"{len(report.flags.get(marks.student, [])) or ''}",
        )
        cells = "".join(f'<td class="n">{number}</td>' for number in numbers)
        rows.append(f'<tr><th scope="row">{shown}</th>{cells}<td>{link}</td></tr>')
    heads = (f"total of {report.points:g}", "late", "to mark", "flags")
    titles = "".join(f'<th class="n" scope="col">{head}</th>' for head in heads)
    return f"""\
<section>
<h2>Students</h2>
<table class=students>
<thead><tr><th scope="col">student</th>{titles}<th scope="col">page</th></tr></thead>
<tbody>
{chr(10).join(rows)}
</tbody>
</table>
</section>"""


def _address(student: str, notebook: str) -> str:
    """The feedback page, relative to the report; a name holds whatever a folder's may."""
    return f"../feedback/{quote(os.fsencode(student), safe='')}/{quote(notebook)}/{quote(notebook)}.html"


def _css(state: str) -> str:
    return state.replace(" ", "-")
