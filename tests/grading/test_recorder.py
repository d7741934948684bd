"""Marks in the gradebook: the rows that nbgrader's own steps would leave, in one transaction, in SQLite and PostgreSQL alike."""

import gc
from datetime import datetime, timedelta

import pytest
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, GradeCell, Notebook, SubmittedNotebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from sqlalchemy import create_engine, event, text
from traitlets.config import Config

from course_admin.build_release import tools_on_path
from course_admin.grading import recorder as recording
from course_admin.grading.outputs import error_output
from course_admin.grading.reassemble import reassemble
from course_admin.grading.recorder import NotStored, Recorder
from tests.grading import postgres, tiny

DUE = datetime(2026, 3, 1, 12, 0)
LATE = "2026-03-01 14:00:00 UTC"  # two hours late
EARLY = "2026-02-28 23:59:59 UTC"


@pytest.fixture(params=postgres.KINDS)
def db_url(request, built, tmp_path):
    """A gradebook that knows the tiny course's cells."""
    return postgres.new_gradebook(request.param, tmp_path, built.root / "gradebook.db")


@pytest.fixture
def reference(built, tmp_path):
    """A second gradebook of the same course, for nbgrader's own steps."""
    return postgres.new_gradebook("sqlite", tmp_path, built.root / "gradebook.db")


@pytest.fixture
def graded(built, source, release):
    """`graded(submission, scale_test=1.5)`: graded, without running it: full marks where no score is given; "error" for none."""

    def make(submission=None, /, **scores):
        notebook = reassemble(submission or built.right(), source, release).notebook
        for cell in notebook["cells"]:
            score = scores.get(cell["id"].replace("-", "_"))
            if score == "error":
                cell["outputs"] = [error_output("CheckFailed", "no")]
            elif score is not None:
                data = {"data": {"text/plain": repr(score)}, "metadata": {}, "execution_count": None}
                cell["outputs"] = [{"output_type": "execute_result", **data}]
        return notebook

    return make


@pytest.fixture
def submissions(built, graded):
    """Every kind of graded notebook."""
    without = built.right()
    without["cells"] = [cell for cell in without["cells"] if cell["id"] not in ("why", "step")]
    nothing = {"tasks_test": "error", "scale_test": "error", "step_test": "error"}
    return {
        "right": graded(),
        "blank": graded(built.submission(), **nothing),
        "partly": graded(scale_test=1.5, step_test=0.3333),
        "failing": graded(scale_test="error"),
        "blank but one": graded(built.submission(why="Because."), **nothing),
        "unreadable": graded({"cells": []}, **nothing),
        "cells gone": graded(without, step_test="error"),
        "Zoë 𝔷 'O\"Neil; --%s": graded(tasks_test=0.0),
    }


def opened(db_url, config=None):
    return Recorder(db_url, "", tiny.NAME, config)


def nbgraders_own(db_url, student, notebook, timestamp=None, config=None):
    """What `nbgrader autograde` does to a gradebook once a notebook is executed."""
    import nbformat

    with Gradebook(db_url) as gradebook:
        gradebook.update_or_create_student(student)
        when = {} if timestamp is None else {"timestamp": timestamp}
        gradebook.update_or_create_submission(tiny.NAME, student, **when)
    names = {"notebook": tiny.NAME, "assignment": tiny.NAME, "student": student, "db_url": db_url}
    for step in (SaveAutoGrades, AssignLatePenalties):
        step(config=config).preprocess(nbformat.from_dict(notebook), {"nbgrader": names})


def set_due(db_url, due=DUE, extensions=()):
    with Gradebook(db_url) as gradebook:
        gradebook.find_assignment(tiny.NAME).duedate = due
        for student, longer in extensions:
            gradebook.find_submission(tiny.NAME, student).extension = longer
        gradebook.db.commit()


def by_hand(db_url, student, cell, **values):
    """An instructor marks in formgrader."""
    with Gradebook(db_url) as gradebook:
        grade = gradebook.find_grade(cell, tiny.NAME, tiny.NAME, student)
        for name, value in {"needs_manual_grade": False, **values}.items():
            setattr(grade, name, value)
        gradebook.db.commit()


def grade_of(db_url, student, cell):
    return postgres.rows_of(db_url)[student][tiny.NAME]["grades"][cell]


def test_the_rows_are_nbgraders_and_a_second_time_changes_nothing(db_url, reference, submissions):
    with opened(db_url) as recorder:
        for student, notebook in submissions.items():
            nbgraders_own(reference, student, notebook)
            recorder.store(student, notebook, None)
        assert recorder.known() == set(submissions)
    ours = postgres.rows_of(db_url, ids=True)
    assert {name: row[tiny.NAME].pop("ids") is None for name, row in ours.items()}  # ids differ by gradebook
    assert ours == postgres.rows_of(reference)
    assert ours["blank"][tiny.NAME]["comments"]["why"] == ("No response.", None)
    assert ours["partly"][tiny.NAME]["grades"]["scale-test"] == (1.5, None, None, False)
    assert ours["right"][tiny.NAME]["grades"]["why"] == (None, None, None, True)
    before = postgres.rows_of(db_url, ids=True)
    with opened(db_url) as recorder:
        for student, notebook in submissions.items():
            recorder.store(student, notebook, notebook)
    assert postgres.rows_of(db_url, ids=True) == before


def test_a_changed_submission_gets_the_rows_of_the_new_one(db_url, reference, submissions):
    first, then = submissions["right"], submissions["blank"]
    with opened(db_url) as recorder:
        for old, new in ((None, first), (first, then), (then, first)):
            nbgraders_own(reference, "ann", new)
            recorder.store("ann", new, old)
            assert postgres.rows_of(db_url) == postgres.rows_of(reference)


class PerHour(LateSubmissionPlugin):
    """One point an hour; more than there is to take for those who hand in a year late, a gift for `odd`, nothing for `known`."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {"odd": -1.0, "known": None}.get(student_id, total_seconds_late / 3600)


def _penalties(plugin, **options):
    config = Config()
    config.AssignLatePenalties.plugin_class = plugin
    config.LateSubmissionPlugin = Config(options)
    return config


@pytest.mark.parametrize(
    "config", [None, _penalties(LateSubmissionPlugin, penalty_method="zero"), _penalties(PerHour)]
)
def test_late_submissions(db_url, reference, graded, config):
    handed_in = {
        "ann": LATE,
        "bob": EARLY,
        "cas": None,
        "dan": "2027-03-01 12:00:00 UTC",
        "odd": LATE,
        "known": LATE,
        "eve": DUE,
        "fay": LATE,
    }
    with opened(db_url, config) as recorder:
        for due in (None, DUE, DUE - timedelta(days=400), None):  # moved during the term, and taken back
            longer = [("fay", timedelta(hours=1.5))] if due else []
            set_due(db_url, due, longer)
            set_due(reference, due, longer)
            if due is None:
                for url in (db_url, reference):
                    set_due(url, None, [("fay", None)] if recorder.known() else [])
            penalties = {}
            for student, timestamp in handed_in.items():
                nbgraders_own(reference, student, graded(), timestamp, config)
                penalties[student] = recorder.store(student, graded(), graded(), timestamp).penalty
            rows = postgres.rows_of(db_url)
            assert rows == postgres.rows_of(reference)
            assert penalties == {name: row[tiny.NAME]["penalty"] or 0.0 for name, row in rows.items()}
            if due == DUE and config is not None and "plugin_class" in config.AssignLatePenalties:
                assert rows["ann"][tiny.NAME]["penalty"] == (7.0 if config.LateSubmissionPlugin else 2.0)
                assert rows["dan"][tiny.NAME]["penalty"] == 7.0  # never more than the score
                assert rows["bob"][tiny.NAME]["penalty"] is None


def test_a_time_once_known_counts_when_its_file_is_gone(db_url, reference, graded):
    config = _penalties(PerHour)
    for timestamp in (LATE, None):
        set_due(db_url)
        set_due(reference)
        nbgraders_own(reference, "ann", graded(), timestamp, config)
        with opened(db_url, config) as recorder:
            assert recorder.store("ann", graded(), None, timestamp).penalty == 2.0
    assert postgres.rows_of(db_url) == postgres.rows_of(reference)


def test_an_extension_without_a_due_date_is_no_lateness(db_url, graded):
    with opened(db_url, _penalties(PerHour)) as recorder:
        recorder.store("ann", graded(), None, LATE)
        set_due(db_url, None, [("ann", timedelta(days=1))])
        assert recorder.store("ann", graded(), None, LATE).penalty == 0


def test_what_resume_asks(db_url, graded):
    """`recorded` knows the marks, also those given since, and says None as soon as storing would change more."""
    set_due(db_url)
    with opened(db_url, _penalties(PerHour)) as recorder:
        assert recorder.recorded("ann", LATE) is None
        stored = recorder.store("ann", graded(), None, LATE)
        assert recorder.recorded("ann", LATE) == recorder.recorded("ann") == stored
        by_hand(db_url, "ann", "why", manual_score=1.5)
        assert recorder.recorded("ann", LATE).scores["why"] == recorder.held("ann").scores["why"] == 1.5
        assert recorder.recorded("ann", EARLY) is None  # another time
        set_due(db_url, DUE - timedelta(hours=1))
        assert recorder.recorded("ann", LATE) is None  # later than it was
        assert recorder.held("ann").penalty == 2.0 and recorder.held("bob") is None
        set_due(db_url)
        assert recorder.recorded("ann", LATE) is not None


def test_a_question_added_by_a_rebuilt_notebook_gets_its_rows(db_url, graded, built):
    with opened(db_url) as recorder:
        recorder.store("ann", graded(), None)
    before = postgres.rows_of(db_url, ids=True)["ann"][tiny.NAME]
    with Gradebook(db_url) as gradebook:
        gradebook.add_grade_cell("new", tiny.NAME, tiny.NAME, max_score=4, cell_type="markdown")
        gradebook.add_solution_cell("new", tiny.NAME, tiny.NAME)
        gradebook.add_task_cell("all", tiny.NAME, tiny.NAME, max_score=2, cell_type="markdown")
    rebuilt = graded()
    note = tiny.grader("new", "markdown", grade=True, solution=True, points=4)
    rebuilt["cells"].append({"cell_type": "markdown", "id": "new", "metadata": note, "source": "an answer"})
    with opened(db_url) as recorder:
        marks = recorder.store("ann", rebuilt, graded())
        recorder.store("bob", rebuilt, None)
    assert marks.scores["new"] is None and marks.scores["all"] is None and marks.points["new"] == 4
    rows = postgres.rows_of(db_url, ids=True)
    after = rows["ann"][tiny.NAME]
    assert after["grades"]["new"] == after["grades"]["all"] == (None, None, None, True)
    assert after["comments"]["new"] == after["comments"]["all"] == (None, None)
    assert set(before["ids"]) < set(after["ids"]) and len(after["ids"]) == len(before["ids"]) + 4
    assert {n: after["grades"][n] for n in before["grades"]} == before["grades"]
    assert rows["bob"][tiny.NAME]["grades"] == after["grades"]


def _fail_at(monkeypatch, number):
    """Let the `number`th look at a cell's outputs raise, in the middle of a submission."""
    calls = []
    real = recording.utils.determine_grade

    def counting(*arguments):
        calls.append(1)
        if len(calls) == number:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(recording.utils, "determine_grade", counting)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_an_exception_in_the_middle_leaves_the_gradebook_as_it_was(db_url, graded, monkeypatch, number):
    with opened(db_url) as recorder:
        recorder.store("ann", graded(), None)
        before = postgres.rows_of(db_url, ids=True)
        for student in ("ann", "bob"):
            with monkeypatch.context() as patching:
                _fail_at(patching, number)
                with pytest.raises(KeyboardInterrupt):
                    recorder.store(student, graded(scale_test="error"), None, LATE)
            assert postgres.rows_of(db_url, ids=True) == before
        assert recorder.store("ann", graded(scale_test=1.0), None).scores["scale-test"] == 1.0


class Broken(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        raise ZeroDivisionError("an instructor's plugin")


def test_a_penalty_belongs_to_the_same_transaction(db_url, graded):
    set_due(db_url)
    with opened(db_url, _penalties(PerHour)) as recorder:
        recorder.store("ann", graded(), None, LATE)
    before = postgres.rows_of(db_url, ids=True)
    assert before["ann"][tiny.NAME]["penalty"] == 2.0
    with opened(db_url, _penalties(Broken)) as recorder:
        for student in ("ann", "bob"):
            with pytest.raises(NotStored, match="ZeroDivisionError: an instructor's plugin"):
                recorder.store(student, graded(scale_test="error"), None, LATE)
            assert postgres.rows_of(db_url, ids=True) == before


def test_objects_do_not_pile_up(db_url, graded):
    notebook, partly = graded(), graded(scale_test=1.0)
    kinds = (Grade, Comment, SubmittedNotebook, BaseCell)

    def alive():
        gc.collect()
        return sum(isinstance(thing, kinds) for thing in gc.get_objects())

    before = alive()
    with opened(db_url) as recorder:
        for number in range(200):
            recorder.store(f"student-{number % 150}", partly if number % 2 else notebook, notebook)
        assert not list(recorder.gradebook.db())  # at once, not when the collector comes by
        assert alive() == before
        assert len(recorder.known()) == 150
        assert recorder.gradebook.engine.pool.checkedout() == 0  # no transaction is left open


def test_no_question_to_the_gradebook_reads_the_rows_of_the_whole_class(reference, graded):
    asked = {}
    with opened(reference) as recorder:
        recorder.store("ann", graded(), None)
        session = recorder.gradebook.db
        event.listen(session.bind, "before_cursor_execute", lambda *said: asked.setdefault(said[2], said[3]))
        recorder.store("bob", graded(), None)
        recorder.store("bob", graded(scale_test=1.0), graded())
        recorder.held("ann")
        plans = {
            statement: [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            for statement, values in list(asked.items())
            if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE"))
        }  # fmt: skip
    assert len(plans) > 5
    growing = {
        f"SCAN {table}"
        for table in ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")
    }
    whole = [(step, statement) for statement, steps in plans.items() for step in steps if step in growing]
    assert not whole


def test_a_gradebook_that_may_not_be_indexed_is_graded_all_the_same(reference, graded, monkeypatch):
    monkeypatch.setattr(recording, "INDEXES", ["CREATE INDEX nothing ON nothing (at_all)"])
    with opened(reference) as recorder:
        assert recorder.store("ann", graded(), None).scores["scale-test"] == 3


def test_nbgraders_api_reads_the_result(db_url, course, submissions):
    """What formgrader shows: its lists count a submission where gradebook and graded notebook agree."""
    from nbgrader.apps import NbGraderAPI

    marks = {}
    with opened(db_url) as recorder:
        for student, notebook in submissions.items():
            course.submit(student, notebook)
            marks[student] = recorder.store(student, notebook, None).scores
            recording.write_notebook(
                course.root / "autograded" / student / tiny.NAME / f"{tiny.NAME}.ipynb", notebook, {}
            )
    by_hand(db_url, "right", "why", manual_score=2.0)
    marks["right"]["why"] = 2.0
    config = Config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.db_url = db_url
    api = NbGraderAPI(config=config)
    rows = {row["student"]: row for row in api.get_submissions(tiny.NAME)}
    lists = {row["student"]: row for row in api.get_notebook_submissions(tiny.NAME, tiny.NAME)}
    assert set(rows) == set(lists) == set(marks)
    for student, scores in marks.items():
        total = sum(score or 0.0 for score in scores.values())
        assert rows[student]["score"] == lists[student]["score"] == pytest.approx(total)
        assert rows[student]["max_score"] == sum(tiny.POINTS.values())
        assert rows[student]["needs_manual_grade"] == lists[student]["needs_manual_grade"]
        assert rows[student]["needs_manual_grade"] == (None in scores.values())
        assert rows[student]["autograded"]
    below = {
        student
        for student, scores in marks.items()
        if any(scores[name] < most for name, most in tiny.POINTS.items() if name != "why")
    }
    assert {student for student, row in lists.items() if row["failed_tests"]} == below
    assert {row["id"]: row["score"] for row in api.get_students()}["right"] == 9.0
    assert api.get_assignment(tiny.NAME)["num_submissions"] == len(submissions)


def test_a_mark_given_by_hand_stays_with_its_answer(db_url, graded, built):
    same, other = graded(), graded(built.right(why="Fewer weights."))
    with opened(db_url) as recorder:
        recorder.store("ann", same, None)
        by_hand(db_url, "ann", "why", manual_score=1.5, extra_credit=0.5)
        marks = recorder.store("ann", same, same)
        assert (marks.scores["why"], marks.dropped) == (2.0, {})
        assert grade_of(db_url, "ann", "why") == (None, 1.5, 0.5, False)
        marks = recorder.store("ann", other, same)
        assert (marks.scores["why"], marks.dropped) == (None, {"why": 2.0})
        assert grade_of(db_url, "ann", "why") == (None, None, None, True)


def test_an_override_stays_with_its_answer(db_url, graded, built):
    same, step = graded(scale_test=1.0), graded(built.right(step="step = None"), scale_test=1.0)
    scale = graded(built.right(scale="scale = None"), scale_test="error")
    with opened(db_url) as recorder:
        recorder.store("ann", same, None)
        by_hand(db_url, "ann", "scale-test", manual_score=2.5)
        recorder.store("ann", step, same)  # another question's answer
        assert grade_of(db_url, "ann", "scale-test") == (1.0, 2.5, None, False)
        recorder.store("ann", graded(scale_test=2.0), step)  # the test sees it differently now
        assert grade_of(db_url, "ann", "scale-test") == (2.0, 2.5, None, True)
        assert recorder.store("ann", scale, same).dropped == {"scale-test": 2.5}
        assert grade_of(db_url, "ann", "scale-test") == (0.0, None, None, False)


def test_where_the_earlier_answer_is_not_known_a_person_looks_again(db_url, graded):
    with opened(db_url) as recorder:
        recorder.store("ann", graded(), None)
        by_hand(db_url, "ann", "why", manual_score=1.5)
        assert recorder.store("ann", graded(), None).scores["why"] == 1.5
        assert grade_of(db_url, "ann", "why") == (None, 1.5, None, True)


@pytest.mark.parametrize("name", ["x" * 129, b"caf\xe9".decode("utf-8", "surrogateescape")])
def test_names_that_no_gradebook_holds(db_url, graded, name):
    with opened(db_url) as recorder:
        with pytest.raises(NotStored, match="rename the folder"):
            recorder.store(name, graded(), None)
        assert recorder.known() == set()
        recorder.store("x" * 128, graded(), None)


def test_text_that_no_checksum_is_made_of(db_url, graded, built):
    """Half a surrogate, as JSON may hold it: reassembling puts a question mark in its place, and the mark is as any other."""
    with opened(db_url) as recorder:
        marks = recorder.store("ann", graded(built.right(why="half \ud800")), None)
        assert marks.scores == recorder.store("bob", graded(built.right(why="half ?")), None).scores
        assert recorder.known() == {"ann", "bob"}


def test_a_notebook_that_the_gradebook_does_not_know(db_url):
    with pytest.raises(FileNotFoundError, match="coursework build 02"):
        Recorder(db_url, "", "02_other")


def test_a_gradebook_that_is_locked(graded, reference):
    """Another program writes for longer than we wait: this submission has no mark, and the next ones have theirs."""
    with opened(reference + "?timeout=0.2") as recorder:
        recorder.store("ann", graded(), None)
        other = create_engine(reference)
        with other.connect() as busy:
            busy.execute(text("BEGIN IMMEDIATE"))
            with pytest.raises(NotStored, match="database is locked"):
                recorder.store("bob", graded(), None)
            busy.rollback()
        other.dispose()
        assert recorder.known() == {"ann"}
        recorder.store("bob", graded(), None)
        assert recorder.known() == {"ann", "bob"}


def test_a_server_that_hangs_up_between_two_submissions(built, tmp_path, graded):
    db_url = postgres.new_gradebook("postgresql", tmp_path, built.root / "gradebook.db")
    with opened(db_url) as recorder:
        recorder.store("ann", graded(), None)
        postgres.server().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'course'"
                                  " AND pid <> pg_backend_pid()")  # fmt: skip
        recorder.store("bob", graded(scale_test=1.0), None)
        assert recorder.known() == {"ann", "bob"}


def test_a_url_that_names_no_driver(built, tmp_path, graded):
    db_url = postgres.new_gradebook("postgresql", tmp_path, built.root / "gradebook.db")
    plain = db_url.replace("postgresql+psycopg:", "postgresql:")
    try:
        driver = create_engine(plain).dialect.driver
    except ModuleNotFoundError as missing:  # SQLAlchemy before 2.1 takes it for psycopg2
        pytest.skip(f"this SQLAlchemy wants {missing.name} for postgresql://")
    assert driver in ("psycopg", "psycopg2")
    with opened(plain) as recorder:
        recorder.store("ann", graded(), None)
    assert postgres.rows_of(db_url)["ann"][tiny.NAME]["grades"]["why"] == (None, None, None, True)


@pytest.mark.parametrize("kind", postgres.KINDS)
def test_the_first_gradebook_is_made_by_the_build(kind, course, tmp_path, graded):
    """nbgrader's own generate_assignment creates the tables, wherever `db_url` points."""
    from nbgrader.apps import NbGraderAPI

    db_url = postgres.empty_gradebook(kind, tmp_path)
    config = Config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.db_url = db_url
    config.CourseDirectory.course_id = "tiny"  # PostgreSQL refuses an assignment of a course without a name
    config.GenerateAssignment.preprocessors = tiny.release_steps()
    config.ClearMarkScheme.enforce_metadata = False
    with tools_on_path():
        outcome = NbGraderAPI(config=config).generate_assignment(tiny.NAME)
    assert outcome["success"], outcome["log"]
    with Gradebook(db_url) as gradebook:
        (notebook,) = gradebook.db.query(Notebook)
        assert {cell.name: cell.max_score for cell in gradebook.db.query(GradeCell)} == tiny.POINTS
        assert notebook.name == tiny.NAME
    with opened(db_url) as recorder:
        assert recorder.store("ann", graded(), None).scores == {**tiny.POINTS, "why": None}
