"""Mutants: which changes are made, where, and how they are called."""

import ast

import pytest
from bank_course import BankCourse

from course_admin.bank.mutants import make_mutants, mutants_of
from course_admin.bank.notebook import read_notebook


def changed(line: str, before: str = "") -> list[str]:
    """What becomes of one line inside a function, as the mutants' names tell it."""
    source = f'def f(x, h, W, U, b, n, done):\n    """About x + 1."""\n    {before or "pass"}\n    {line}\n'
    return [mutant.name.split(" -> ", 1)[1] for mutant in make_mutants(source, {4})]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return x + b", ["return x - b", "return x", "return b"]),
        ("return x - b", ["return x + b", "return b - x", "return x"]),
        ("return x @ W", ["return W @ x"]),
        ("return x < n", ["return x <= n", "return x >= n"]),
        ("return x is None", ["return x is not None"]),
        ("return not done", ["return done"]),
        ("return x and done", ["return x or done"]),
        ("return x[1:]", ["return x[:]", "return x[2:]", "return x[0:]", "return x[-1:]"]),
        ("return x[:-1]", ["return x[:]", "return x[1:-1]", "return x[:0]", "return x[:-2]", "return x[:1]"]),
        (
            "return x.sum(axis=1)",
            ["return x.mean(axis=1)", "return x.sum()", "return x.sum(axis=0)", "return x.sum(axis=2)"],
        ),
        ("return x.shape[0]", ["return x.shape[1]"]),
        ("return torch.tanh(x)", ["return torch.relu(x)", "return torch.sigmoid(x)", "return x"]),
        ("return np.tanh(x)", ["return x"]),
        ("return x.detach()", ["return x"]),
        ("return range(n)", ["return range(n - 1)", "return range(n + 1)", "return range(1, n)"]),
        ("return True", ["return False"]),
        ("return x, h", ["return (h, x)", "return x"]),
        ("x += h", ["x -= h", "x = h", "removed"]),
        ("h.value = x", ["removed"]),
        ("return f(x, W, k=b)", ["return f(x, W)", "return f(x, k=b)", "return f(W, x, k=b)"]),
        ("return [t for t in x if t]", ["return [t for t in x]", "return [t for t in x if not t]"]),
    ],
)
def test_changes(line, expected):
    assert changed(line) == expected


def test_another_local_value_is_returned():
    assert changed("return sums", before="sums = x; last = h") == ["return done", "return last"]


def test_a_block_loses_its_header_or_its_whole():
    source = "def f(model):\n    with torch.no_grad():\n        model.eval()\n    return model\n"
    names = [mutant.name for mutant in make_mutants(source, {2, 3})]
    assert names == ["line 2: with torch.no_grad(): -> its body alone", "line 3: model.eval() -> removed"]


def test_messages_annotations_docstrings_and_imports_stay():
    source = (
        'def f(x: "int" = 0) -> int:\n    """One 1."""\n    import math\n    y: int = x\n'
        '    if y:\n        raise ValueError(f"got {x + 1}" + "a")\n    return y\n'
    )
    names = [mutant.name for mutant in make_mutants(source, set(range(2, 8)))]
    assert names == [
        "line 5: if y: -> if not y:",
        "line 5: if y: -> removed",
        "line 6: raise ValueError(f'got {x + 1}' + 'a') -> removed",
        "line 7: return y -> return x",
    ]


def test_only_the_solution_region_changes_and_names_are_unique(tmp_path):
    question = read_notebook(BankCourse(tmp_path).root, "01").question("running-sum")
    mutants = mutants_of(question)
    names = [mutant.name for mutant in mutants]
    assert len(names) == len(set(names)) and len({mutant.text for mutant in mutants}) == len(mutants)
    assert all(int(name.split()[1].rstrip(":")) in range(4, 10) for name in names)
    assert "line 7: last = last + x[t] -> last = last - x[t]" in names
    assert "line 6: for t in range(len(x)): -> for t in range(1, len(x)):" in names
    original = ast.unparse(ast.parse(question.source))
    assert all(ast.unparse(ast.parse(mutant.text)) != original for mutant in mutants)
    assert mutants_of(question) == mutants


def test_theory_has_no_mutants(tmp_path):
    assert mutants_of(read_notebook(BankCourse(tmp_path).root, "01").question("total")) == []
