"""Grading again: only what changed changes, and a run that is cut anywhere ends, once resumed, where an uncut one ends.

The submissions are really graded; what is graded twice with the same bytes is computed once, since a grade is a pure function.
"""

import json
import shutil

import pytest
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from course_admin.build_release import tools_on_path
from course_admin.grading import classroom
from course_admin.grading.classroom import Course, grade_class, nbgrader_config
from course_admin.grading.recorder import Recorder
from course_admin.grading.submission import Outcome, grade_bytes
from tests.grading import postgres, tiny
from tests.grading.conftest import LIMITS

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

_computed: dict[bytes, bytes] = {}


@pytest.fixture
def serial(monkeypatch):
    """No cluster: one submission after the other, in this process's examiner. Returns the students really handed out."""
    asked = []

    def grade_tasks(tasks, **_):
        for task in tasks:
            asked.append(task.student)
            packed = task.to_bytes()
            if packed not in _computed:
                _computed[packed] = grade_bytes(packed)
            yield Outcome.from_bytes(_computed[packed])

    monkeypatch.setattr(classroom, "grade_tasks", grade_tasks)
    return asked


@pytest.fixture
def grade(serial):
    """`grade(course, resume=True)`: grades all; returns student → record."""

    def run(course, **options):
        serial.clear()
        mine = Course(course.root, tiny.NAME)
        records = grade_class(mine, mine.submitted(), **{"limits": LIMITS, **options})
        for record in records:
            assert not record.error, record.error
        return {record.student: record for record in records}

    return run


def db_url(course):
    return CourseDirectory(config=nbgrader_config(course.root)).db_url


def by_hand(course, student, cell, score):
    with Gradebook(db_url(course)) as gradebook:
        grade = gradebook.find_grade(cell, tiny.NAME, tiny.NAME, student)
        grade.manual_score, grade.needs_manual_grade = score, False
        gradebook.db.commit()


def rows(course):
    return {student: row[tiny.NAME] for student, row in postgres.rows_of(db_url(course)).items()}


def grades(course, student):
    return rows(course)[student]["grades"]


def edit_source(course, old, new):
    """The instructor changes a hidden test and builds again."""
    text = course.source.read_text(encoding="utf-8")
    assert text.count(old) == 1
    course.source.write_text(text.replace(old, new), encoding="utf-8")
    shutil.rmtree(course.release.parent)
    course.generate()


def state(course):
    """All that grading leaves: gradebook, graded notebooks with what lies beside them, and what the audit log holds for true."""
    files = {}
    for path in sorted((course.root / "autograded").rglob("*")):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".ipynb":
                notebook = json.loads(text)
                del notebook["metadata"]["course"]["seconds"]
                text = json.dumps(notebook, sort_keys=True)
            files[path.relative_to(course.root).as_posix()] = text
    last = classroom.Audit(course.root).last(tiny.NAME)
    for entry in last.values():
        del entry["time"]
    return rows(course), files, last


def copied(course, root):
    shutil.copytree(course.root, root)
    other = tiny.Tiny.__new__(tiny.Tiny)
    other.root = root
    other.release = root / course.release.relative_to(course.root)
    other.source = root / course.source.relative_to(course.root)
    return other


WRONG = "def scale(x, k):\n    return np.asarray(x) + k"


def test_one_changed_hidden_test_changes_that_questions_mark_alone(course, grade, serial):
    course.submit("ann", course.right())
    course.submit("bob", course.right(scale=WRONG, step="step = 1"))
    course.submit("cas", course.submission())
    grade(course)
    by_hand(course, "ann", "why", 1.5)
    by_hand(course, "bob", "step-test", 0.5)
    before = rows(course)
    assert before["ann"]["grades"]["scale-test"] == (3.0, None, None, False)
    edit_source(course, "[4.5, -6.0], what", "[4.0, -6.0], what")  # now no right answer passes it
    grade(course, resume=True)
    assert serial == ["ann", "bob", "cas"]
    after = rows(course)
    assert after["ann"]["grades"]["scale-test"] == (1.0, None, None, False)
    for student, row in after.items():
        for name, grade_row in row["grades"].items():
            if (student, name) != ("ann", "scale-test"):
                assert grade_row == before[student]["grades"][name]
        assert row["comments"] == before[student]["comments"]
    edit_source(
        course, "[4.0, -6.0], what", "[4.5, -6.0], what"
    )  # taken back: the marks of before, all of them
    grade(course)
    assert rows(course) == before


def test_manual_marks_stay_with_their_answers(course, grade):
    answers = {"ann": "One set of weights.", "bob": "It is so.", "cas": "Because."}
    for student, why in answers.items():
        course.submit(student, course.right(why=why, scale=WRONG))
    grade(course)
    for student in answers:
        by_hand(course, student, "why", 1.5)
        by_hand(course, student, "scale-test", 2.5)
        by_hand(course, student, "step-test", 2.0)
    before = rows(course)
    grade(course)
    assert rows(course) == before  # nothing is flagged as to be marked again either
    course.submit("ann", course.right(why="Fewer weights.", scale=WRONG))
    course.submit("bob", course.right(why=answers["bob"]))
    extra = course.right(why=answers["cas"], scale=WRONG)
    extra["cells"].insert(3, {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "a note"})
    course.submit("cas", extra)
    records = grade(course)
    ann, bob, cas = (grades(course, student) for student in answers)
    assert ann == {**before["ann"]["grades"], "why": (None, None, None, True)}
    assert bob == {**before["bob"]["grades"], "scale-test": (3.0, None, None, False)}
    assert cas == before["cas"]["grades"]
    assert (records["ann"].scores["why"], records["bob"].scores["why"]) == (None, 1.5)
    assert (records["ann"].to_mark, records["bob"].to_mark) == (1, 0)


def test_a_test_that_thinks_otherwise_asks_for_a_second_look(course, grade):
    course.submit("ann", course.right())
    grade(course)
    by_hand(course, "ann", "scale-test", 2.0)
    edit_source(course, "[4.5, -6.0], what", "[4.0, -6.0], what")
    grade(course)
    assert grades(course, "ann")["scale-test"] == (1.0, 2.0, None, True)


def test_resume_leaves_out_exactly_what_would_come_out_the_same(course, grade, serial):
    everybody = ["ann", "bob", "cas"]
    for student in everybody:
        course.submit(student, course.right(why=f"{student} thinks so."))
    course.submit("cas", b"{")
    first = grade(course, resume=True)
    assert serial == everybody and not any(record.resumed for record in first.values())

    again = grade(course, resume=True)
    assert serial == [] and all(record.resumed for record in again.values())
    for student in everybody:
        assert (again[student].scores, again[student].points) == (
            first[student].scores,
            first[student].points,
        )
        assert again[student].flags == first[student].flags

    course.submit("ann", course.right(scale=WRONG))
    assert grade(course, resume=True)["ann"].scores["scale-test"] == 0 and serial == ["ann"]

    changed = {**LIMITS, "restarts": 5}
    grade(course, resume=True, limits=changed)
    assert serial == everybody
    grade(course, resume=True, limits=changed)
    assert serial == []
    grade(course, resume=True)
    assert serial == everybody

    (course.root / "autograded" / "bob" / tiny.NAME / f"{tiny.NAME}.ipynb").unlink()
    grade(course, resume=True)
    assert serial == ["bob"]

    edit_source(course, "[4.5, -6.0], what", "[4.5, -6.0], atol=1e-6, what")
    grade(course, resume=True)
    assert serial == everybody

    before = state(course)
    (course.root / "gradebook.db").unlink()
    shutil.rmtree(course.release.parent)
    course.generate()
    grade(course, resume=True)
    assert serial == everybody and state(course) == before

    (course.root / "audit.jsonl").unlink()
    grade(course, resume=True)
    assert serial == everybody and state(course) == before

    grade(course)  # without resume, all of them
    assert serial == everybody and state(course) == before


class Cut(BaseException):
    """The machine stops here."""


def _cut(monkeypatch, place, turn):
    """Let the run break off at the `turn`th submission, before or after the step named."""
    owner, name, after = {
        "before the gradebook": (Recorder, "store", False),
        "between gradebook and notebook": (Recorder, "store", True),
        "before the notebook is whole": (classroom.write_notebook.__globals__["os"], "replace", False),
        "between notebook and audit": (classroom, "write_notebook", True),
        "after the audit": (classroom.Audit, "add", True),
    }[place]
    real, calls = getattr(owner, name), []

    def cutting(*arguments, **options):
        calls.append(1)
        if len(calls) == turn and not after:
            raise Cut
        result = real(*arguments, **options)
        if len(calls) == turn:
            raise Cut
        return result

    monkeypatch.setattr(owner, name, cutting)


PLACES = [
    "before the gradebook",
    "between gradebook and notebook",
    "before the notebook is whole",
    "between notebook and audit",
    "after the audit",
]


@pytest.fixture
def second_day(course, grade):
    """A graded and marked class; then some hand in again. The next run has all the rules at once to apply."""
    course.submit("ann", course.right(why="First."))
    course.submit("bob", course.right(why="Same.", step="step = 1"))
    course.submit("cas", course.right(why="Mine.", scale=WRONG))
    (course.folder("ann") / "notes.txt").write_text("old")
    grade(course)
    for student in ("ann", "bob", "cas"):
        by_hand(course, student, "why", 1.5)
        by_hand(course, student, "scale-test", 2.5)
    course.submit("ann", course.right(why="Second.", scale=WRONG))  # both manual marks have to go
    course.submit("bob", course.right(why="Same."))  # both stay
    course.submit("dan", course.right(why="New."))
    (course.folder("ann") / "notes.txt").unlink()
    (course.folder("bob") / "notes.txt").write_text("new")
    return course


@pytest.mark.parametrize("turn", [1, 2, 3])
@pytest.mark.parametrize("place", PLACES)
def test_a_run_cut_anywhere_ends_where_an_uncut_one_ends(
    second_day, grade, tmp_path, monkeypatch, place, turn
):
    uncut = copied(second_day, tmp_path / "uncut")
    grade(uncut, resume=True)
    with monkeypatch.context() as patching:
        _cut(patching, place, turn)
        with pytest.raises(Cut):
            grade(second_day, resume=True)
    assert state(second_day) != state(uncut) or (place, turn) == ("after the audit", 3)
    grade(second_day, resume=True)
    assert state(second_day) == state(uncut)
    assert grades(uncut, "ann")["why"] == (None, None, None, True)
    assert grades(uncut, "ann")["scale-test"] == (0.0, None, None, False)
    assert grades(uncut, "bob")["why"] == (None, 1.5, None, False)
    assert grades(uncut, "bob")["scale-test"] == (3.0, 2.5, None, False)


def test_our_way_and_nbgraders_autograde_leave_the_same_rows(course, grade, tmp_path):
    """The same submissions through `nbgrader autograde` with the configured preprocessors, as formgrader's button does it."""
    from nbgrader.apps import NbGraderAPI

    course.submit("ann", course.right())
    course.submit("bob", course.submission())
    course.submit("cas", b"{")
    course.submit("dan", course.right(scale=WRONG, why="Because."))
    course.submit("eve", course.right(scale="def scale(x, k):\n    return [v * k for v in np.atleast_1d(x)]"))
    (course.folder("ann") / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    with Gradebook(db_url(course)) as gradebook:
        gradebook.update_or_create_assignment(tiny.NAME, duedate="2026-03-01 11:00:00 UTC")
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    other = copied(course, tmp_path / "other")
    grade(course)
    api = NbGraderAPI(config=nbgrader_config(other.root))
    with tools_on_path():
        for student in Course(other.root, tiny.NAME).submitted():
            outcome = api.autograde(tiny.NAME, student)
            assert outcome["success"], outcome["log"]
    ours, theirs = rows(course), rows(other)
    assert ours == theirs
    assert ours["ann"]["penalty"] == 7.0 and ours["dan"]["penalty"] is None
    assert set(ours) == {"ann", "bob", "cas", "dan", "eve"}


def test_a_class_over_dask_into_postgresql(tmp_path):
    """End to end: built into, graded into and read from a PostgreSQL database that nbgrader_config.py names."""
    from nbgrader.apps import NbGraderAPI

    url = postgres.empty_gradebook("postgresql", tmp_path)
    config = (
        f"{tiny.OURS.format(limits=LIMITS)}"
        f"c.CourseDirectory.db_url = {url!r}\nc.CourseDirectory.course_id = 'tiny'\n"
    )
    course = tiny.Tiny(tmp_path / "course", config)
    merged = nbgrader_config(course.root)
    merged.GenerateAssignment.preprocessors = tiny.release_steps()
    merged.ClearMarkScheme.enforce_metadata = False
    with tools_on_path():
        outcome = NbGraderAPI(config=merged).generate_assignment(tiny.NAME)
    assert outcome["success"], outcome["log"]
    course.submit("ann", course.right())
    course.submit("bob", course.right(scale=WRONG))
    mine = Course(course.root, tiny.NAME)
    records = {r.student: r for r in grade_class(mine, mine.submitted(), jobs=2, limits=LIMITS)}
    assert {student: r.total for student, r in records.items()} == {"ann": 7.0, "bob": 4.0}
    by_hand(course, "ann", "why", 1.5)
    assert all(r.resumed for r in grade_class(mine, mine.submitted(), limits=LIMITS, resume=True))
    course.submit("bob", course.right())
    records = {r.student: r for r in grade_class(mine, mine.submitted(), jobs=2, limits=LIMITS)}
    assert {student: r.total for student, r in records.items()} == {"ann": 8.5, "bob": 7.0}
    assert not list(course.root.glob("*.db"))
    api = NbGraderAPI(config=nbgrader_config(course.root))
    assert {r["student"]: r["score"] for r in api.get_submissions(tiny.NAME)} == {"ann": 8.5, "bob": 7.0}


def test_a_student_who_goes_back_to_the_earlier_submission_after_a_cut(
    second_day, grade, tmp_path, monkeypatch
):
    """What the audit log said before the cut no longer holds for the one whose mark was being stored."""
    for place in PLACES[1:4]:
        course = copied(second_day, tmp_path / place)
        first = course.right(why="First.")
        with monkeypatch.context() as patching:
            _cut(patching, place, 1)
            with pytest.raises(Cut):
                grade(course, resume=True)
        course.submit("ann", first)
        grade(course, resume=True)
        assert grades(course, "ann")["scale-test"] == (3.0, None, None, False)
        assert course.graded("ann")["cells"] and "First." in json.dumps(course.graded("ann"))


def test_resume_heeds_when_it_was_handed_in(course, grade, serial):
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    with Gradebook(db_url(course)) as gradebook:
        gradebook.update_or_create_assignment(tiny.NAME, duedate="2026-03-01 12:00:00 UTC")
    for student, time in (("ann", "11:00:00"), ("bob", "13:00:00")):
        course.submit(student, course.right())
        (course.folder(student) / "timestamp.txt").write_text(f"2026-03-01 {time} UTC")
    grade(course, resume=True)
    assert rows(course)["ann"]["penalty"] is None and rows(course)["bob"]["penalty"] == 7.0
    entry = classroom.Audit(course.root).last(tiny.NAME)["bob"]
    assert (entry["late"], entry["total"]) == (7.0, 0.0)
    grade(course, resume=True)
    assert serial == []
    (course.folder("bob") / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    grade(course, resume=True)
    assert serial == ["bob"] and rows(course)["bob"]["penalty"] is None
    with Gradebook(db_url(course)) as gradebook:
        gradebook.update_or_create_assignment(tiny.NAME, duedate="2026-03-01 10:00:00 UTC")
    grade(course, resume=True)
    assert serial == ["ann", "bob"] and rows(course)["ann"]["penalty"] == 7.0


def test_a_time_that_cannot_be_read_stops_nobody(course, grade):
    for student in ("ann", "bob"):
        course.submit(student, course.right())
    (course.folder("ann") / "timestamp.txt").write_text("soon")
    records = grade(course)
    assert records["ann"].total == records["bob"].total == 7.0
    assert "timestamp.txt" in records["ann"].flags[0] and not records["bob"].flags


def test_resume_shows_the_marks_of_now(course, grade):
    course.submit("ann", course.right())
    grade(course)
    by_hand(course, "ann", "why", 1.5)
    record = grade(course, resume=True)["ann"]
    assert record.resumed and record.scores["why"] == 1.5


def test_no_mark_given_by_hand_goes_without_a_trace(course, grade):
    course.submit("ann", course.right(why="First."))
    grade(course)
    by_hand(course, "ann", "why", 1.5)
    course.submit("ann", course.right(why="Second."))
    record = grade(course)["ann"]
    assert any(flag.startswith("why: the answer changed; the 1.5 points") for flag in record.flags)
    lines = [json.loads(line) for line in (course.root / "audit.jsonl").read_text().splitlines()]
    assert [line["held"].get("why") for line in lines if "begun" in line] == [None, 1.5]
