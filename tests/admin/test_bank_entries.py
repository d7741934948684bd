"""Reading the bank: what a folder may hold, and what is said about what it may not."""

import pytest
from bank_course import BankCourse

from course_admin.bank.entries import BankError, QuestionBank, load_bank, split_header
from course_admin.bank.notebook import NotebookError, read_notebook


@pytest.fixture
def bank_course(tmp_path) -> BankCourse:
    return BankCourse(tmp_path)


def load(course: BankCourse) -> dict[str, QuestionBank]:
    return load_bank(course.root, read_notebook(course.root, "01"))


def test_the_cells_of_a_question_come_from_the_source(bank_course):
    notebook = read_notebook(bank_course.root, "01")
    question = notebook.question("running-sum")
    assert notebook.name == "01_tiny" and "numpy" in notebook.setup
    assert question.points == 4 and question.kind == "code"
    assert "SOLUTION" not in question.reference and "sums[t] = last" in question.reference
    assert question.regions == [range(4, 10)]
    assert "NotImplementedError" in question.stub
    assert notebook.written[0].model_answer.startswith("The sums share")
    assert notebook.written[0].answered("Mine.") == "**Why?** One point a reason.\n\nMine."


def test_without_a_release_the_stub_is_the_one_the_build_makes(bank_course):
    (bank_course.root / "release" / "01_tiny" / "01_tiny.ipynb").unlink()
    question = read_notebook(bank_course.root, "01").question("total")
    assert question.stub == "total = ...  # parameters"


def test_missing_source_says_what_to_run(bank_course):
    (bank_course.root / "source" / "01_tiny" / "01_tiny.ipynb").unlink()
    with pytest.raises(NotebookError, match="coursework build 01"):
        read_notebook(bank_course.root, "01")


def test_a_cell_that_the_syllabus_promises_must_be_there(bank_course):
    del bank_course.cells["total-test"]
    bank_course.write()
    with pytest.raises(NotebookError, match="lacks the cells total-test"):
        read_notebook(bank_course.root, "01")


def test_answers_of_every_form_are_read(bank_course):
    bank = load(bank_course)["running-sum"]
    by_name = {answer.name: answer for answer in bank.answers}
    assert set(by_name) == {"right_library", "right 1", "wrong 1", "wrong_same"}
    same = by_name["wrong_same"]
    assert (same.score, same.says) == (0, "one sum for all")
    assert same.why == "the whole sum everywhere, of whatever length"
    assert same.text.startswith("def running_sum") and not same.right
    assert "range(len(x) - 1)" in by_name["wrong 1"].text
    assert by_name["right_library"].score == 4 and by_name["right_library"].says is None
    total = load(bank_course)["total"]
    assert total.wrong[0].text == "total = 12  # parameters\ntotal = 15\n"


def test_the_experiment_runs_after_each_answer_that_records_no_table_itself(bank_course):
    bank_course.put("total/after_reference.py", "# why: one run\n\nrecord('total', [{'k': 1}])\n")
    bank_course.put("total/right_plain.py", "# why: a sum\ntotal = 6 + 6\n")
    bank_course.put("total/right_own.py", "# why: its own run\ntotal = 12\nrecord('total', [{'k': 2}])\n")
    table = bank_course.bank / "total" / "answers.toml"
    table.write_text(f'{table.read_text()}\n[[wrong]]\nexperiment = false\nscore = 1\nsays = "no results"\n')
    bank = load(bank_course)["total"]
    texts = {answer.name: answer.text for answer in bank.answers}
    assert texts["right_plain"] == "total = 6 + 6\n\n\nrecord('total', [{'k': 1}])\n"
    assert texts["right_own"].count("record") == 1 and "'k': 2" in texts["right_own"]
    assert texts["wrong 1"] == "total = 12  # parameters\nrecord('total', [{'k': 1}])\ntotal = 15\n"
    assert bank.wrong[-1].text == "total = 12  # parameters\n"


def test_a_header_ends_where_its_lines_end():
    assert split_header("# why: so\n\n# note: mine\nx = 1\n") == ({"why": "so"}, "# note: mine\nx = 1\n")
    assert split_header("# plain comment\nx = 1\n") == ({}, "# plain comment\nx = 1\n")


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("total/wrong_a.py", "# says: x\ntotal = 1\n", 'needs "score"'),
        ("total/wrong_a.py", "# score: 0\ntotal = 1\n", 'needs "says"'),
        ("total/wrong_a.py", "# score: none\n# says: x\ntotal = 1\n", "score must be a number"),
        ("total/wrong_a.py", "# score: 2\n# says: x\ntotal = 1\n", "below the full"),
        ("total/wrong_a.py", "# score: 0\n# says: (\ntotal = 1\n", "no regular expression"),
        ("total/wrong_a.py", "# score: 0\n# says: x\n# hint: no\ntotal = 1\n", 'unknown key "hint"'),
        ("total/wrong_a.py", "# score: 0\n# says: x\n", "holds no answer"),
        ("total/right_a.py", "# says: x\ntotal = 12\n", 'unknown key "says"'),
        ("total/right_a.py", "# score: 1\ntotal = 12\n", "full 2 points"),
        ("total/answer.py", "total = 12\n", "name it right_"),
        ("total/answers.toml", "[[wrong]\n", "not valid TOML"),
        ("total/answers.toml", "[[maybe]]\n", 'unknown table "maybe"'),
        ("total/answers.toml", "[wrong]\nscore = 0\n", "must be a list of tables"),
        ("total/answers.toml", '[[right]]\nwhy = "x"\n', "either code or patch"),
        ("total/answers.toml", "[[right]]\nexperiment = 0\n", "experiment must be true or false"),
        ("total/answers.toml", '[[right]]\npatch = [["13", "12"]]\n', "'13' does not stand in the reference"),
        ("total/answers.toml", '[[right]]\npatch = [["# parameters", "# so"]]\n', "changes no code"),
        ("total/answers.toml", '[[right]]\npatch = ["12", "13"]\n', "list of pairs"),
        ("total/mutants.toml", '[[equivalent]]\nmutant = "x"\n', 'needs "mutant" and "why"'),
        ("tota/right_a.py", "total = 12\n", "no machine-graded question"),
        ("why/right_a.py", "text", "no machine-graded question"),
    ],
)
def test_every_mistake_is_named(bank_course, path, text, said):
    bank_course.put(path, text)
    with pytest.raises(BankError) as error:
        load(bank_course)
    assert any(said in problem and path.split("/")[0] in problem for problem in error.value.problems)


def test_an_empty_folder_is_a_mistake(bank_course):
    (bank_course.bank / "total" / "answers.toml").unlink()
    with pytest.raises(BankError, match="total: the folder holds no answer"):
        load(bank_course)


def test_an_unknown_exercise_is_refused_with_the_known_ones(bank_course):
    with pytest.raises(NotebookError, match="it has total, running-sum"):
        load_bank(bank_course.root, read_notebook(bank_course.root, "01"), "totl")
