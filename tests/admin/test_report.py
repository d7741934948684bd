"""The report: its figures are those of gradebook, audit and verdicts, and nothing that students wrote is more than text in it."""

import copy
import re
import stat
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import compute_checksum
from sqlalchemy import event
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from course_admin.cli import app
from course_admin.grading.audit import Audit
from course_admin.grading.classroom import Course, nbgrader_config
from course_admin.grading.graded_files import write_notebook
from course_admin.grading.outputs import error_output
from course_admin.grading.recorder import Recorder
from course_admin.report import NothingGraded, Report, collect, write_report
from course_admin.report_histogram import bands, counts_in, histogram
from course_admin.report_page import LONG, SHORT, page, visible

POINTS = {"tasks": 2.0, "count": 1.0, "double": 3.0, "counter": 2.0}
MARKUP = "</bdi></style><script>alert(1)</script><img src=x onerror=alert(1)> &amp; \"quoted\" 'so'"
HOSTILE = "\u202e\x1b[31m" + MARKUP.replace("/", "∕") + "\u2066"  # a folder may be called so


class Class:
    """The tiny course, and marks put where grading puts them, without running anything."""

    name = "01_tiny"

    def __init__(self, built) -> None:
        self.course = Course(built.root, self.name)
        config = nbgrader_config(built.root)
        self.directory = CourseDirectory(config=config)

    def grade(
        self,
        student: str,
        earned: dict[str, float] | None = None,
        said: dict[str, str] | None = None,
        why: str | None = "One set of weights.",
        flags: tuple[str, ...] = (),
        version: str = "v1",
    ) -> None:
        """Store a student's marks: all points but for `earned`; `said` is what the tests told; no `why`, no written answer."""
        notebook = copy.deepcopy(self.course.source())
        verdicts = []
        for cell in notebook["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            name = grade_id.removesuffix("-test")
            cell["source"] = "".join(cell["source"])
            if grade_id == "why":
                cell["source"] = why or cell["source"]
                cell["metadata"]["nbgrader"]["checksum"] = "" if why else self._checksum(cell)
            if name == grade_id or name not in POINTS:
                continue
            score, message = (earned or {}).get(name, POINTS[name]), (said or {}).get(name, "")
            blank = message == "blank"
            outcome = (
                "passed"
                if score == POINTS[name]
                else "unanswered"
                if blank
                else "partly"
                if score
                else "failed"
            )
            verdicts.append(
                {
                    "grade_id": grade_id,
                    "points": POINTS[name],
                    "earned": score,
                    "outcome": outcome,
                    "message": message,
                }
            )
            number = {"output_type": "execute_result", "data": {"text/plain": repr(score)}, "metadata": {}}
            cell["outputs"] = (
                [number | {"execution_count": None}] if score else [error_output("CheckFailed", message)]
            )
        notebook["metadata"]["course"] = {"flags": list(flags), "verdicts": verdicts}
        with Recorder(self.directory.db_url, self.directory.course_id, self.name) as recorder:
            marks = recorder.store(student, notebook, None)
        write_notebook(self.course.autograded(student), notebook, {})
        with Audit(self.course.root).writing() as audit:
            audit.add(student, self.name, {"version": version}, marks.scores, list(flags))

    def by_hand(self, student: str, grade_id: str, score: float) -> None:
        with Gradebook(self.directory.db_url, self.directory.course_id) as gradebook:
            grade = gradebook.find_grade(grade_id, self.name, self.name, student)
            grade.manual_score, grade.needs_manual_grade = score, False
            gradebook.db.commit()

    def collect(self) -> Report:
        return collect(self.course)

    def page(self) -> str:
        return write_report(self.course).read_text(encoding="utf-8")

    @staticmethod
    def _checksum(cell) -> str:
        return compute_checksum(nbformat.from_dict(cell))


@pytest.fixture
def klass(built) -> Class:
    return Class(built)


def question(report: Report, name: str):
    return next(question for question in report.questions if question.grade_id == name)


def test_nothing_is_graded_yet(klass) -> None:
    with pytest.raises(NothingGraded, match="nothing is graded yet; run: coursework grade 01"):
        klass.collect()
    said = CliRunner().invoke(app, ["report", "01", "--root", str(klass.course.root)])
    assert said.exit_code == 2 and "nothing is graded yet; run: coursework grade 01" in said.output
    assert not (klass.course.root / "report").exists()


def test_a_course_without_gradebook_gets_none(course) -> None:
    with pytest.raises(NothingGraded):
        collect(Course(course.root, course.name))
    assert not (course.root / "gradebook.db").exists()


def test_the_command_says_where_the_page_lies(klass) -> None:
    klass.grade("ann")
    said = CliRunner().invoke(app, ["report", "01", "--root", str(klass.course.root)])
    assert (said.exit_code, said.output.split()) == (0, ["✓", "report/01_tiny.html"])
    assert "<h1>01 A tiny notebook</h1>" in (klass.course.root / "report" / "01_tiny.html").read_text()


def test_figures_of_the_class(klass) -> None:
    klass.grade("ann")
    klass.grade("bob", {"double": 1.0, "counter": 0.0}, version="v2")
    klass.grade("cas", dict.fromkeys(POINTS, 0.0), dict.fromkeys(POINTS, "blank"), why=None)
    klass.by_hand("ann", "why", 1.5)
    (klass.course.root / "submitted" / "dan" / klass.name).mkdir(parents=True)
    report = klass.collect()
    assert [(m.student, m.total, m.to_mark) for m in report.students] == [
        ("ann", 9.5, 0),
        ("bob", 4.0, 1),
        ("cas", 0.0, 0),
    ]
    assert (report.submissions, report.points, report.versions) == (4, 10.0, {"v1": 2, "v2": 1})
    assert datetime.fromisoformat(report.graded).tzinfo is not None
    text = re.sub(r"<[^>]*>", " ", klass.page())
    for fact in (
        "submissions 4",
        "graded 3",
        "without a mark 1",
        "to mark by hand 1",
        "mean 4.5",
        "median 4.0",
        "s.d. 4.8",
    ):
        assert fact in " ".join(text.split()), fact


def test_answers_by_question(klass) -> None:
    klass.grade("ann")
    klass.grade("bob", {"double": 1.0, "counter": 0.0})
    klass.grade("cas", dict.fromkeys(POINTS, 0.0), dict.fromkeys(POINTS, "blank"), why=None)
    report = klass.collect()
    assert [q.grade_id for q in report.questions] == ["tasks", "count", "double", "counter", "why"]
    assert [q.kind for q in report.questions] == ["theory", "theory", "coding", "project", "written"]
    found = {q.grade_id: [state for state, n in q.counts.items() for _ in range(n)] for q in report.questions}
    assert found["double"] == ["full", "partial", "blank"] and found["counter"] == ["full", "none", "blank"]
    assert found["why"] == ["blank", "to mark", "to mark"]
    assert (
        question(report, "double").mean == pytest.approx(4 / 3)
        and question(report, "double").title == "Double a number"
    )


def test_what_the_class_holds(klass) -> None:
    wrong = "✓ three\n✗ an array [2]: double of an array: the square was taken\n✗ zero [1]: {}: 3 of 8 entries differ (by {})"
    for number, name in enumerate(("ann", "bob", "cas")):
        klass.grade(name, {"double": 0.0}, {"double": wrong.format("zeros", 0.5 + number)})
    klass.grade("dan", {"double": 1.0}, {"double": "✗ zero [1]: double(0): the square was taken"})
    klass.grade("eve", {"double": 0.0}, {"double": wrong.format("zeros", 9)})
    klass.by_hand("eve", "double-test", 3.0)  # a person says that it is right
    klass.grade("fay", {"double": 0.0}, {"double": "blank"})
    said = [(group.count, group.message) for group in question(klass.collect(), "double").said]
    assert said == [
        (4, "double of an array: the square was taken"),
        (3, "zeros: 3 of 8 entries differ (by 0.5)"),
    ]
    text = klass.page()
    assert "<b>4 of 6</b> <span><bdi>double of an array: the square was taken</bdi></span>" in text


def test_rare_messages_are_folded(klass) -> None:
    parts = [
        f"✗ part {word} [1]: it is {word} that is wrong here"
        for word in ("one", "two", "three", "four", "five")
    ]
    klass.grade("ann", {"double": 0.0}, {"double": "\n".join(parts)})
    folded = re.search(r"<details><summary>2 more</summary><ul>(.*?)</ul></details>", klass.page())
    assert folded and folded[1].count("<li>") == 2


def test_flags_by_kind(klass) -> None:
    klass.grade(
        "ann",
        flags=(
            "please look: double starts or ends processes",
            "count-test: its text was changed; the original counts",
        ),
    )
    klass.grade("bob", flags=("please look: a cell starts or ends processes",))
    klass.grade("cas")
    assert klass.collect().flags.keys() == {"ann", "bob"}
    text = klass.page()
    assert text.index("starts or ends processes</bdi> <small>2 students") < text.index(
        "its text was changed</bdi> <small>1 student<"
    )
    assert "2 of 3 submissions have any" in text


def test_why_there_is_no_mark(klass) -> None:
    klass.grade("ann")
    klass.grade("bob")
    for name in ("bob", "cas", "dan"):
        (klass.course.root / "submitted" / name / klass.name).mkdir(parents=True)
    with Audit(klass.course.root).writing() as audit:
        audit.fail("bob", klass.name, {}, "its worker died")
        audit.fail("cas", klass.name, {}, "its worker died")
    report = klass.collect()
    assert list(report.unmarked) == ["bob", "cas", "dan"] and report.unmarked["cas"] == "its worker died"
    assert (
        "earlier grading" in report.unmarked["bob"]
        and "coursework grade 01 --resume" in report.unmarked["dan"]
    )
    assert "<h2>Without a mark</h2>" in klass.page()


def test_a_notebook_without_verdicts_is_flagged(klass) -> None:
    for name, text in (("ann", "{"), ("bob", '{"metadata": {"course": {"verdicts": [5]}}}'), ("cas", None)):
        klass.grade(name)
        path = klass.course.autograded(name)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        path.unlink() if text is None else path.write_text(text)
    flags = klass.collect().flags
    assert (
        "verdicts" in flags["ann"][0] and "verdicts" in flags["bob"][0] and "no notebook" in flags["cas"][0]
    )


def test_late_penalty_and_name(klass) -> None:
    klass.grade("ann")
    klass.grade("bob")
    with Gradebook(klass.directory.db_url, klass.directory.course_id) as gradebook:
        gradebook.update_or_create_student("ann", first_name="Ann", last_name="Zola")
        gradebook.find_submission_notebook(klass.name, klass.name, "ann").late_submission_penalty = 3.0
        gradebook.db.commit()
    report = klass.collect()
    assert [(m.student, m.total, m.penalty) for m in report.students] == [
        ("bob", 8.0, 0.0),
        ("ann", 5.0, 3.0),
    ]
    assert "<bdi>Zola, Ann</bdi> <code><bdi>ann</bdi></code>" in page(report) and "−3<" in page(report)


def test_links_lead_to_feedback(klass) -> None:
    odd = "zoë #1 50%"
    for name in ("ann", odd):
        klass.grade(name)
    file = klass.course.root / "feedback" / odd / klass.name / f"{klass.name}.html"
    file.parent.mkdir(parents=True)
    file.write_text("")
    (link,) = re.findall(r'href="([^"]*)"', klass.page())
    assert urlsplit(link).path == link and (klass.course.root / "report" / unquote(link)).resolve() == file


# Hostile texts --------------------------------------------------------------------------------------------------------

TAGS = (
    "html head meta title style body header section h1 h2 p dl div dt dd img table thead tbody tr th td span i b code small "
    "ul li details summary bdi a"
)


class Reader(HTMLParser):
    """Tags and attributes that a page really has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def hostile(klass: Class) -> str:
    """A page of a class whose every text is hostile."""
    klass.grade(
        HOSTILE,
        {"double": 0.0},
        {"double": f"✗ zero [1]: {HOSTILE}\x00"},
        flags=(HOSTILE, f"please look: {HOSTILE}"),
        version=HOSTILE,
    )
    with Gradebook(klass.directory.db_url, klass.directory.course_id) as gradebook:
        gradebook.update_or_create_student(HOSTILE, first_name=MARKUP, last_name=HOSTILE)
        gradebook.db.commit()
    return klass.page()


def test_hostile_texts_are_text(klass) -> None:
    text = hostile(klass)
    seen = Reader(text).seen
    assert {tag for tag, _ in seen} <= set(TAGS.split())
    assert not [name for _, attributes in seen for name in attributes if name.startswith("on")]
    assert all(
        attributes["src"].startswith("data:image/png;base64,") for tag, attributes in seen if tag == "img"
    )
    assert text.count("&lt;script&gt;") >= 5 and "<script" not in text
    assert not set("\u202e\u2066\x1b") & set(text) and "\\u202e" in text and "\\x1b" in text


def test_the_page_forbids_itself_scripts_and_addresses(klass) -> None:
    klass.grade("ann")
    first = Reader(klass.page()).seen[3]
    assert first[0] == "meta" and first[1]["http-equiv"] == "Content-Security-Policy"
    assert "default-src 'none'" in first[1]["content"] and "script" not in first[1]["content"]


def test_a_long_text_is_folded_and_cut(klass) -> None:
    klass.grade("ann", {"double": 0.0}, {"double": "✗ zero: " + "long " * 5000}, flags=("f" * 50_000,))
    text = klass.page()
    assert len(text) < 100_000 and text.count("<details class=long>") >= 2
    assert "f" * SHORT in text and "f" * (LONG + 1) not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("two\n lines\t", "two lines"),
        ("\u202eabc", "\\u202eabc"),
        ("\udce9", "\\udce9"),
        ("e\u200bvil", "e\\u200bvil"),
        ("Zoë ± 2 α", "Zoë ± 2 α"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


# What it costs, and what it leaves alone ------------------------------------------------------------------------------


def test_same_page_twice_and_an_untouched_gradebook(klass) -> None:
    klass.grade("ann", {"double": 1.0}, {"double": "✗ zero [1]: double(0): the square was taken"})
    database = klass.course.root / "gradebook.db"
    before = database.read_bytes()
    assert klass.page() == klass.page()
    assert database.read_bytes() == before
    assert not (klass.course.root / "feedback").exists()


def test_more_students_are_no_more_queries(klass) -> None:
    def queries() -> int:
        count = 0

        def seen(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(Engine, "before_cursor_execute", seen)
        try:
            klass.collect()
        finally:
            event.remove(Engine, "before_cursor_execute", seen)
        return count

    klass.grade("ann")
    few = queries()
    for number in range(5):
        klass.grade(f"s{number}")
    assert queries() == few


# The histogram --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [0.3, 1, 7, 10, 12.5, 60, 100, 137, 2500])
def test_bands(points: float) -> None:
    borders = bands(points)
    widths = {round(high - low, 6) for low, high in pairwise(borders)}
    assert borders[0] == 0 and borders[-1] >= points and len(widths) == 1 and 2 <= len(borders) <= 13
    assert borders[-2] < points


def test_counts_in_bands() -> None:
    assert counts_in([0, 9.99, 10, 35, 40, 50], [0, 10, 20, 30, 40]) == [2, 1, 0, 3]
    assert counts_in([0.3], [0, 0.1, 0.2, 0.3, 0.4]) == [0, 0, 0, 1]


def test_the_picture_says_in_words_what_it_shows() -> None:
    picture, _, words = histogram([0, 4.5, 95, 100], 100)
    assert picture.startswith(b"\x89PNG") and len(picture) < 30_000
    assert words == "Totals of 4 students, in points: 2 from 0 to 10; 2 from 90 to 100. The median is 49.8."
