"""`forbid` finds what an answer's text uses, however it is spelled, and lets alone what it does not use."""

import pytest

from course_utils.checking import CheckFailed, InProcess, NotAnswered, forbid, using
from course_utils.checking.rules import mentioned

PREAMBLE = "import torch\nfrom torch import nn\nimport numpy as np"


def refused(*cells, name="f", pattern="torch.nn.RNN*"):
    with using(InProcess({}, [PREAMBLE, *cells])):
        try:
            forbid(name, pattern, why="write it yourself")
        except CheckFailed as failure:
            return str(failure)
    return ""


@pytest.mark.parametrize(
    "cells",
    [
        ["def f(x):\n    return nn.RNN(1, 1)(x)"],
        ["def f(x):\n    return torch.nn.RNNCell(1, 1)(x)"],
        ["import torch.nn as layers\ndef f(x):\n    return layers.RNN(1, 1)(x)"],
        ["from torch.nn import RNN as Net\ndef f(x):\n    return Net(1, 1)(x)"],
        ["def f(x):\n    from torch.nn import RNN\n    return RNN(1, 1)(x)"],
        ["def f(x):\n    import torch as t\n    return t.nn.RNN(1, 1)(x)"],
        ["def f(x):\n    return getattr(nn, 'RN' + 'N')(1, 1)(x)"],
        ["class f(nn.RNN):\n    pass"],
        ["net = nn.RNN(1, 1)", "def f(x):\n    return net(x)"],
        ["def helper(x):\n    return nn.RNN(1, 1)(x)", "def f(x):\n    return helper(x)"],
        ["def f(x):\n    pass", "def f(x):\n    return nn.RNN(1, 1)(x)"],
        ["class f:\n    pass", "f.forward = lambda self, x: nn.RNN(1, 1)(x)"],
        ["if True:\n    def f(x):\n        return nn.RNN(1, 1)(x)"],
        ["def f(x):\n    return torch._VF.rnn_tanh_cell(x)"],
        ["def f(x):\n    import course_utils.models.rnn as r\n    return r.RNN()(x)"],
        ["class f:\n    nn = nn\n    def go(self, x):\n        return nn.RNN(1, 1)(x)"],
        ["class f:\n    def a(self):\n        nn = 1\n    def go(self, x):\n        return nn.RNN(1, 1)(x)"],
        ["def f(x):\n    y = [nn for nn in x]\n    return nn.RNN(1, 1)(x)"],
        ["def f(x, net=nn.RNN(1, 1)):\n    return net(x)"],
        ["[f := nn.RNN(1, 1) for _ in range(2)]"],
        ["def f(nn):\n    def inner():\n        global nn\n        return nn.RNN(1, 1)\n    nn = 2"],
        ["net = torch.jit.load('net.pt')", "def f(x):\n    return net(x)"],
        [
            "from torch.fx.experimental.proxy_tensor import make_fx",
            "f = make_fx(vars(nn)['NNR'[::-1]](1, 1))(x)",
        ],
        ["%%time\ndef f(x):\n    return nn.RNN(1, 1)(x)"],
        [
            "def f(x):\n    pass",
            "files = !ls\ndef f(x):\n    %matplotlib inline\n    return nn.RNN(1, 1)(x)\nf?",
        ],
        ["def f(x):\n    pass", "%time f = nn.RNN(1, 1)"],
        ["def f(x):\n    return nn.RNN(1, 1)(x)", "%%script true\ndef f(x):\n    pass"],
    ],
)
def test_uses_are_found(cells):
    assert refused(*cells).startswith("write it yourself (found `")


@pytest.mark.parametrize(
    "cells",
    [
        ["def f(x):\n    return torch.tanh(x)"],
        ["def f(x):\n    'unlike nn.RNN'\n    return x  # nn.RNN"],
        ["reference = nn.RNN(1, 1)", "def f(x):\n    return x"],
        ["def f(x):\n    return nn.RNN(1, 1)(x)", "def f(x):\n    return x"],
        ["this is no Python", "def f(x):\n    return nn.Linear(1, 1)(x)"],
        ["def f(x):\n    return f(x)"],
        ["@torch.jit.script\ndef f(x):\n    return x", "f = torch.compile(f)"],
        ["def f(x):\n    nn = x\n    return nn.RNN"],
        ["count = nn.RNN", "def f(x):\n    def count(y):\n        return y\n    return count(x)"],
        [
            "e = nn.RNN",
            "def f(x):\n    try:\n        return x\n    except ValueError as e:\n        return e",
        ],
        ["def f(nn):\n    return [nn.RNN for _ in range(2)]"],
        ["def g(x):\n    return x", "def f(x):\n    return g(x)", "y = [g(nn.RNN) for g in (1, 2)]"],
        ["def f(x):\n    for nn in x:\n        g = lambda: nn.RNN\n    return g()"],
    ],
)
def test_what_is_not_used_is_let_alone(cells):
    assert refused(*cells) == ""


def test_a_missing_definition_is_not_answered():
    with using(InProcess({}, ["g = 1"])), pytest.raises(NotAnswered, match="`f` is not defined yet"):
        forbid("f", "torch.nn.RNN*", why="write it yourself")


def test_the_way_to_what_was_found_is_told():
    said = refused("def helper(x):\n    return nn.RNN(1, 1)(x)", "def f(x):\n    return helper(x)")
    assert said == (
        "write it yourself (found `torch.nn.RNN`: `f`, which uses `helper`, which uses `torch.nn.RNN`)"
    )


def test_a_test_cell_of_the_notebook_is_no_part_of_an_answer():
    test = 'from torch.nn import RNN\n\nwith checking("f") as check:\n    count = RNN(1, 1)'
    history = [PREAMBLE, "def count(x):\n    return x\n\n\ndef f(x):\n    return count(x)", test]
    with using(InProcess({"In": history})):
        forbid("f", "torch.nn.RNN*", why="write it yourself")


def test_names_resolve_through_imports():
    names = mentioned("f", ["import numpy as np", "def f(x):\n    return np.linalg.norm(x)"])
    assert "numpy.linalg.norm" in names


MAGICS = [
    "%%time\ndef f(x):\n    return x",
    "\n%%capture kept --no-stderr\n%matplotlib inline\ndef f(x):\n    return x",
    "!pip install numpy\ndef f(x):\n    %time y = x\n    return y\n?f",
    "%time f = lambda x: x",
    "names = %who_ls\n?f\nf = abs",
]


@pytest.mark.parametrize("cell", MAGICS)
def test_magics_hide_no_definition(cell):
    """Neither in the text of a cell nor in what IPython makes of it, which is what a notebook knows of itself."""
    from IPython.core.inputtransformer2 import TransformerManager

    assert refused(cell) == ""
    assert refused(TransformerManager().transform_cell(cell)) == ""


@pytest.mark.parametrize(
    "cell", ["%%bash\nf = 1", "%%writefile f.py\ndef f(x):\n    pass", "%%time", "f = (", "%%"]
)
def test_what_runs_elsewhere_defines_nothing(cell):
    assert "not defined yet" in refused(cell)


def test_a_magic_that_fails_hides_nothing_else():
    cell = "get_ipython().run_line_magic('time', 'no Python')\ndef f(x):\n    return nn.RNN(1, 1)(x)"
    assert refused("def f(x):\n    pass", cell).startswith("write it yourself")


@pytest.mark.parametrize(
    "text", ["{k: 1 for k in x}", "[k for k, _ in x if k]", "max(k + j for j in x for k in j)"]
)
def test_a_comprehensions_variable_is_no_use_of_a_name_of_the_notebook(text):
    assert not refused("k = nn.RNN(1, 1)", f"def f(x):\n    return {text}")


@pytest.mark.parametrize(
    "text", ["[k for k in k(x)]", "[k for j in x]", "[j for j in x if k(j)]", "{j: k(j) for j in x}"]
)
def test_what_a_comprehension_takes_from_outside_is_a_use(text):
    assert "which uses" in refused("k = nn.RNN(1, 1)", f"def f(x):\n    return {text}")
