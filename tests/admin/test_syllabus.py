"""The course's own list is complete, and a mistake in such a list is named."""

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from course_admin.syllabus import AUTO_KINDS, Syllabus, SyllabusError, load_syllabus, parse_syllabus

ROOT = Path(__file__).parents[2]

# How many numbered items each section of each text holds.
A_SECTIONS = {1: 7, 2: 3, 3: 3, 4: 3, 5: 3}
B_SECTIONS = {1: 3, 2: 3, 3: 3, 4: 3, 5: 3, 6: 4, 7: 4, 8: 4, 9: 3}
PARTS_OF_15 = {1: "abcde", 3: "abc", 4: "abc", 8: "abc", 10: "abc"}
COUNTS = {"A": 19, "B": 30, "C": 9, "D": 9, "15": 47}

NOTEBOOKS = [
    "01_sequences_and_rnns",
    "02_training_through_time",
    "03_lstm",
    "04_gru_and_gated_cells",
    "05_deep_and_bidirectional",
    "06_seq2seq_and_attention",
    "07_decoding_and_evaluation",
    "08_generating_sequences",
    "09_time_series",
    "10_beyond_recurrence",
]


def expected_items() -> set[str]:
    """The name of every numbered item of the five texts."""
    names = {f"A {s}.{n}" for s, last in A_SECTIONS.items() for n in range(1, last + 1)}
    names |= {f"B {s}.{n}" for s, last in B_SECTIONS.items() for n in range(1, last + 1)}
    names |= {f"C quiz {n}" for n in range(1, 4)} | {f"C FAQ {n}" for n in range(1, 6)} | {"C tutorial"}
    names |= {"D rnn 1.1", "D rnn 1.2", "D rnn 2.1", "D rnn 2.2"} | {f"D lstm {n}" for n in range(1, 6)}
    for n in range(1, 36):
        names |= {f"15.{n} {part}" for part in PARTS_OF_15[n]} if n in PARTS_OF_15 else {f"15.{n}"}
    return names


def tiny() -> dict[str, Any]:
    """A correct syllabus small enough to spoil in one place."""
    return {
        "text": [
            {
                "name": "X",
                "title": "A text",
                "items": [
                    {"name": "X 1.1", "title": "First", "notebooks": ["01"]},
                    {"name": "X 1.2", "title": "Second", "notebooks": ["01_one", "02"]},
                    {"name": "X 2", "title": "Third", "notebooks": ["02"]},
                ],
            }
        ],
        "notebook": [{"name": "01_one", "title": "One"}, {"name": "02_two", "title": "Two"}],
        "question": [
            question("pick", covers=["X 1.1"]),
            question("say", kind="written", covers=["X 1.1"], companion="pick"),
            question("count", kind="number", notebook="02_two", covers=["X 1.2", "X 2"]),
        ],
    }


def question(name: str, **changes: Any) -> dict[str, Any]:
    row = {"id": name, "notebook": "01", "title": name, "kind": "choice"}
    return {**row, "points": 4, "minutes": 5, "difficulty": 1, "covers": [], **changes}


@pytest.fixture(scope="module")
def course() -> Syllabus:
    return load_syllabus(ROOT / "syllabus.toml")


# ------------------------------------------------------------------------------------------ the course's list


def test_every_item_of_the_texts_is_listed(course: Syllabus) -> None:
    names = [item.name for item in course.items]
    assert len(names) == len(set(names))
    assert set(names) == expected_items()


def test_number_of_items_of_each_text(course: Syllabus) -> None:
    assert Counter(item.text for item in course.items) == COUNTS


def test_ten_notebooks_each_with_items(course: Syllabus) -> None:
    assert [notebook.name for notebook in course.notebooks] == NOTEBOOKS
    for name in NOTEBOOKS:
        assert course.items_of(name), name


def test_titles_fit_the_report(course: Syllabus) -> None:
    assert [item.title for item in course.items if len(item.title) > 34] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_with_questions_covers_its_items_and_is_mostly_auto_graded(
    course: Syllabus, name: str
) -> None:
    questions = course.questions_of(name)
    if not questions:
        pytest.skip("its questions are not written yet")
    covered = {item for question in questions for item in question.covers}
    assert covered == {item.name for item in course.items_of(name)}
    points = sum(question.points for question in questions)
    assert sum(question.points for question in questions if question.auto) >= 0.8 * points
    kinds = {question.kind for question in questions}
    assert {"code", "project", "written"} <= kinds <= {*AUTO_KINDS, "written"}


def test_first_notebook_adds_up(course: Syllabus) -> None:
    questions = course.questions_of("01")
    assert sum(question.points for question in questions) == 100
    assert sum(question.points for question in questions if not question.auto) <= 20
    assert 4 <= sum(question.minutes for question in questions) / 60 <= 5


# ------------------------------------------------------------------------------------------------- reading it


def test_reads_a_correct_list() -> None:
    syllabus = parse_syllabus(tiny())
    assert [text.name for text in syllabus.texts] == ["X"]
    assert syllabus.items[1].notebooks == ("01_one", "02_two")
    assert syllabus.notebook("02") == syllabus.notebook("02_two")
    assert [question.id for question in syllabus.questions_of("01")] == ["pick", "say"]
    assert [item.name for item in syllabus.items_of("02")] == ["X 1.2", "X 2"]
    assert syllabus.question("pick").grade_cell == "pick-test"
    assert syllabus.question("say").grade_cell == "say"
    assert syllabus.question("count").auto and not syllabus.question("say").auto


def test_a_name_stands_for_its_parts() -> None:
    data = tiny()
    data["question"][0]["covers"] = ["X 1"]
    assert parse_syllabus(data).question("pick").covers == ("X 1.1", "X 1.2")


def test_unknown_names_are_refused() -> None:
    syllabus = parse_syllabus(tiny())
    with pytest.raises(SyllabusError, match=r'no notebook "03"; choose one of 01_one, 02_two'):
        syllabus.notebook("03")
    with pytest.raises(SyllabusError, match=r'no notebook "3_lstm"'):
        syllabus.questions_of("3_lstm")
    with pytest.raises(SyllabusError, match=r'no question "nothing"'):
        syllabus.question("nothing")


def test_missing_file_and_broken_toml(tmp_path: Path) -> None:
    with pytest.raises(SyllabusError, match=r"syllabus\.toml not found; "):
        load_syllabus(tmp_path / "syllabus.toml")
    (tmp_path / "syllabus.toml").write_text("[[text]\n", encoding="utf-8")
    with pytest.raises(SyllabusError, match=r"not valid TOML.*line 1"):
        load_syllabus(tmp_path / "syllabus.toml")


# ------------------------------------------------------------------------------------------- planted mistakes

# Where the mistake is planted, what is written there, and what the message must say.
MISTAKES = [
    ("question.0.covers", ["X 9"], r'question "pick": covers unknown item "X 9"; correct it'),
    ("question.0.covers", ["X"], r'question "pick": covers unknown item "X"'),
    ("question.0.covers", ["X 1.1", "X 1.1"], r'question "pick": covers "X 1.1" twice; name it once'),
    (
        "question.0.covers",
        ["X 2"],
        r'question "pick": covers "X 2", whose home is 02_two; drop it here or add 01',
    ),
    ("question.0.covers", [1], r'question "pick": "covers" must be a list of strings'),
    ("question.2.id", "pick", r'question "pick": duplicate id; .*rename one'),
    ("question.2.id", "my count", r'question "my count": an id is letters, digits and hyphens'),
    ("question.2.id", "pick-test", r'question "pick-test": .*name other cells; rename it'),
    ("question.2.id", "setup", r'question "setup": .*name other cells; rename it'),
    ("question.2.id", "", r'question number 3: "id" is empty; fill it in'),
    ("question.0.notebook", "07", r'question "pick": unknown notebook "07"; choose one of 01_one, 02_two'),
    ("question.0.kind", "essay", r'question "pick": unknown kind "essay"; choose one of choice, number'),
    ("question.0.points", 0, r'question "pick": points must be above 0, got 0'),
    ("question.0.points", -2.5, r'question "pick": points must be above 0, got -2.5'),
    ("question.0.points", float("nan"), r'question "pick": points must be above 0, got nan'),
    ("question.0.points", "4", r'question "pick": "points" must be int or float, got \'4\''),
    ("question.0.points", True, r'question "pick": "points" must be int or float, got True'),
    ("question.0.minutes", 0, r'question "pick": minutes must be above 0, got 0'),
    ("question.0.difficulty", 6, r'question "pick": difficulty must be in 1\.\.5, got 6'),
    ("question.0.difficulty", 0, r'question "pick": difficulty must be in 1\.\.5, got 0'),
    ("question.0.title", None, r'question "pick": "title" is missing; add it'),
    ("question.0.worth", 3, r'question "pick": unknown field "worth"; use only id, notebook'),
    ("question.1.companion", None, r'question "say": written without a companion; add companion ='),
    ("question.1.companion", "gone", r'question "say": companion "gone" is no question; correct the id'),
    ("question.1.companion", "say", r'question "say": companion "say" is written; name an auto-graded one'),
    (
        "question.1.companion",
        "count",
        r'question "say": companion "count" is in 02_two; name one of the same',
    ),
    ("question.1.covers", ["X 1.2"], r'question "say": companion "pick" covers none of its items'),
    ("question.0.companion", "count", r'question "pick": only a written question has a companion; remove'),
    (
        "text.0.items.0.name",
        "Y 1.1",
        r'text "X", item "Y 1.1": an item of text "X" begins with "X"; rename or move',
    ),
    ("text.0.items.1.name", "X 1.1", r'text "X", item "X 1.1": duplicate item; keep one'),
    ("text.0.items.0.notebooks", ["09"], r'text "X", item "X 1.1": unknown notebook "09"; choose one of'),
    ("text.0.items.0.notebooks", [], r'text "X", item "X 1.1": no notebook is its home; name at least one'),
    ("text.0.items", "X 1.1", r'text "X": "items" must be list'),
    ("text.0.items", ["X 1.1"], r'text "X", "item" must be a list of tables'),
    ("text", tiny()["text"] * 2, r'text "X": duplicate text; merge the two or rename one'),
    ("notebook.1.name", "two", r'notebook "two": a name is two digits'),
    ("notebook.1.name", "01_again", r'notebook "01_again": number 01 is taken; give each notebook its own'),
    ("question", "none", r'"question" must be a list of tables; write \[\[question\]\] before each'),
    ("questions", [], r'unknown table "questions"; use \[\[text\]\], \[\[notebook\]\] or \[\[question\]\]'),
]


def plant(data: Any, where: str, value: Any) -> None:
    """Put `value` at a dotted place; None takes the field out."""
    *path, last = where.split(".")
    for step in path:
        data = data[int(step) if isinstance(data, list) else step]
    if value is None:
        del data[last]
    else:
        data[last] = value


@pytest.mark.parametrize(("where", "value", "message"), MISTAKES, ids=lambda part: str(part)[:40])
def test_a_planted_mistake_is_named(where: str, value: Any, message: str) -> None:
    data = copy.deepcopy(tiny())
    plant(data, where, value)
    with pytest.raises(SyllabusError) as raised:
        parse_syllabus(data)
    assert any(re.match(message, problem) for problem in raised.value.problems), raised.value.problems


def test_all_mistakes_are_said_at_once() -> None:
    data = tiny()
    plant(data, "question.0.points", 0)
    plant(data, "question.2.covers", ["X 9"])
    with pytest.raises(SyllabusError) as raised:
        parse_syllabus(data)
    assert len(raised.value.problems) == 2
    assert all(problem in str(raised.value) for problem in raised.value.problems)
