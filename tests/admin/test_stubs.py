"""A stub tells the contract and nothing of the answer."""

import ast

import pytest

from course_admin.stubs import WRITTEN_STUB, StubError, make_stub


def code(source: str, title: str = "Do it") -> str:
    """The stub of a coding answer; `<<` and `>>` stand for the markers."""
    marked = source.replace("<<", "### BEGIN SOLUTION").replace(">>", "### END SOLUTION")
    return make_stub(marked, "code", "q", title)


def theory(*lines: str) -> str:
    return make_stub("\n".join(["### BEGIN SOLUTION", *lines, "### END SOLUTION"]), "choice", "q", "Do it")


def test_a_function_keeps_signature_and_docstring():
    stub = code('def f(x):\n    """Twice x."""\n    <<\n    y = x\n    return 2 * y\n    >>')
    assert stub == (
        'def f(x):\n    """Twice x."""\n    # TODO: write f\n'
        '    raise NotImplementedError("Exercise q: Do it")'
    )


def test_a_title_with_quotes_stays_valid_python():
    stub = code('def f():\n    """."""\n    <<\n    return 1\n    >>', 'A "b" \\ c')
    namespace: dict = {}
    exec(stub, namespace)
    with pytest.raises(NotImplementedError, match=r'Exercise q: A "b" \\ c'):
        namespace["f"]()


def test_each_region_of_a_class_becomes_a_stub_of_its_own():
    stub = code(
        'class C:\n    """A cell."""\n\n    def __init__(self):\n        super().__init__()\n'
        "        <<\n        self.a = 1\n        >>\n\n"
        "    def forward(self, x):\n        for t in x:\n            <<\n            h = t\n"
        "            >>\n        return x\n"
    )
    assert "        super().__init__()\n        # TODO: write C.__init__\n        raise" in stub
    assert "            # TODO: write C.forward\n            raise" in stub
    assert stub.count("NotImplementedError") == 2 and "self.a" not in stub and "h = t" not in stub
    ast.parse(stub)


def test_what_stands_outside_the_regions_stays():
    stub = code(
        "LIMIT = 3\n\n\ndef helper(x):\n    return x\n\n\n"
        'def f(x):\n    """."""\n    <<\n    return 1\n    >>\n'
    )
    assert stub.startswith("LIMIT = 3\n\n\ndef helper(x):\n    return x\n\n\ndef f(x):")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def f():\n    return 1", "no solution region"),
        ("<<\ndef f():\n    return 1\n>>", "outside any function"),
        (
            'class C:\n    """."""\n\n    <<\n    def f(self):\n        return 1\n    >>',
            "outside any function",
        ),
        ("def f():\n    <<\n    return 1\n    >>", "`f` has no docstring"),
        (
            'def f():\n    <<\n    """Hidden contract."""\n    return 1\n    >>',
            "`f` has no docstring",
        ),
        ("def f(:\n    <<\n    return 1\n    >>", "not valid Python"),
        (
            'def f():\n    """."""\n<<\n    return 1\n>>',
            "not indented",
        ),
    ],
)
def test_a_coding_answer_that_has_no_good_stub(source: str, says: str):
    with pytest.raises(StubError, match=says):
        code(source)


@pytest.mark.parametrize(
    ("line", "stub"),
    [
        ('x = "b"  # a) the second', "x = ...  # a) the second"),
        ('x = "# no comment"  # this is # one', "x = ...  # this is # one"),
        ("x = {1: 'a', 2: 'b'}  # a dict", "x = ...  # a dict"),
        ("x = 3*4 # shape", "x = ...  # shape"),
    ],
)
def test_a_theory_line_keeps_name_and_comment(line: str, stub: str):
    assert theory(line) == stub


def test_working_in_comments_is_cut_and_order_kept():
    assert (
        theory("# 3 * 4 = 12", "a = 12  # cells", "", "b = 13  # rows") == "a = ...  # cells\nb = ...  # rows"
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x = 3", "`x` has no comment"),
        ("x, y = 3, 4  # both", "one `name = value"),
        ("x = y = 3  # both", "one `name = value"),
        ("x: int = 3  # typed", "one `name = value"),
        ("x += 3  # more", "one `name = value"),
        ("x[0] = 3  # item", "one `name = value"),
        ("a = 1; b = 2  # two", "one `name = value"),
        ("print(3)  # no", "one `name = value"),
        ("x = (", "one `name = value"),
        ("    x = 3  # indented", "one `name = value"),
        ("# only a comment", "assigns nothing"),
    ],
)
def test_a_theory_answer_is_one_assignment_a_line(line: str, says: str):
    with pytest.raises(StubError, match=says):
        theory(line)


def test_the_line_at_fault_is_named():
    with pytest.raises(StubError) as caught:
        theory("a = 1  # one", "", "b = 2")
    assert caught.value.index == 3


def test_a_written_answer_keeps_question_and_rubric():
    source = "Why? Rubric: a (1).\n\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION"
    assert make_stub(source, "written", "q", "") == f"Why? Rubric: a (1).\n\n{WRITTEN_STUB}"
    with pytest.raises(StubError, match="one solution region"):
        make_stub(f"{source}\n{source}", "written", "q", "")
