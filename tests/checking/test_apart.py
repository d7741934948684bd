"""In a notebook, the variables of a check cell leave those of an answer alone."""

import json
import subprocess
import sys

CELLS = [
    "import course_utils\nimport course_utils",
    "def check(n):\n    return n + 1\n\n\ndef count(n):\n    return check(n)\n\n\ndef answer(n):\n    return count(n)",
    'from course_utils.checking import checking, expect_number, student\n\nfor name in "ab":\n    count = name\n\n'
    'with checking("q") as check:\n    with check.part("one more", points=1):\n'
    '        expect_number(student.answer(1), 2, "answer(1)")',
    "earned = course_utils.checking.scoreboard.results['q'].earned\nname = 'name' in globals()\nagain = answer(2)",
]
RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
runs = [shell.run_cell(cell, store_history=True) for cell in json.loads(sys.argv[1])]
print(json.dumps([[run.success for run in runs], *(shell.user_ns.get(n) for n in ("earned", "name", "again")),
                  len(shell.ast_transformers)]))
"""


def run(cells):
    made = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(cells)], capture_output=True, text=True, check=True
    )
    return json.loads(made.stdout.splitlines()[-1])


def test_a_helper_may_be_called_as_a_variable_of_the_check():
    assert run(CELLS) == [[True] * 4, 1, False, 3, 1]


def test_a_check_that_fails_still_fails():
    said, earned, *_ = run([CELLS[0], CELLS[1].replace("n + 1", "n"), *CELLS[2:]])
    assert said == [True, True, False, True]
    assert earned == 0
