"""Every row of the two tables in docs/seam.md, in process and through a real sandboxed kernel."""

import numpy as np
import pytest
import torch

from course_utils.checking import (
    CheckFailed,
    Handle,
    InProcess,
    NotAnswered,
    StudentCrash,
    StudentError,
    StudentGarbled,
    StudentTimeout,
    expect_close,
    forbid,
    student,
    using,
)

# What a test may do ------------------------------------------------------------------------------------------------------


def test_globals_are_values_or_handles(run):
    run("number, names, things = 3, ['a', ('b', 2.5)], {'x': {1, 2}}\ndef f():\n    pass")
    assert (student.number, student.names, student.things) == (3, ["a", ("b", 2.5)], {"x": {1, 2}})
    assert isinstance(student.f, Handle)
    assert student.has("number") and not student.has("elsewhere")


def test_a_function_is_looked_up_once_a_value_each_time():
    asked = []

    class Counting(InProcess):
        def ask(self, request, call_back, seconds):
            asked.append(request.get("name", request["op"]))
            return super().ask(request, call_back, seconds)

    namespace = {"calls": 0}
    exec("def f():\n    global calls\n    calls += 1\n    return calls", namespace)
    with using(Counting(namespace, [])):
        assert [student.f(), student.calls, student.f(), student.calls] == [1, 1, 2, 2]
    assert asked == ["f", "call", "calls", "call", "calls"]
    exec("def f():\n    return 'anew'", namespace)
    with using(Counting(namespace, [])):  # another check, perhaps after another cell
        assert student.f() == "anew"


def test_calls_copy_arguments_over_and_results_back(run):
    run("def f(x, k=1):\n    x[0] = 9\n    return x * k, type(x).__name__")
    mine = np.arange(3.0)
    result, kind = student.f(mine, k=2)
    assert kind == "ndarray" and result.tolist() == [18.0, 2.0, 4.0] and mine[0] == 0.0
    assert student.f(torch.arange(2), k=3)[1] == "Tensor"


MODULE = """
import torch
from torch import nn

class Cell(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.linear = nn.Linear(size, size)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.linear(x))
"""


def test_modules_are_built_loaded_and_called(run):
    run(MODULE)
    cell = student.Cell(2)
    weights = {"linear.weight": torch.eye(2) * 3, "linear.bias": torch.ones(2)}
    cell.load_state_dict(weights)
    cell.eval()
    assert cell.size == 2 and cell.training is False
    assert torch.equal(cell(torch.ones(1, 2)), torch.full((1, 2), 4.0))
    assert torch.equal(dict(cell.named_parameters())["linear.weight"], torch.eye(2) * 3)
    assert cell.state_dict().keys() == weights.keys()
    cell.double()
    assert cell(torch.ones(1, 2, dtype=torch.float64)).dtype == torch.float64


def test_generators_come_one_value_at_a_time(run):
    run(
        "def count():\n    n = 0\n    while True:\n        yield n\n        n += 1\ndef few():\n    yield 'a'"
    )
    generator = student.count()
    assert [next(generator) for _ in range(3)] == [0, 1, 2]
    assert list(student.few()) == ["a"]


def test_a_function_of_the_test_is_called_back(run):
    run("def search(step, start):\n    return [step(start + i, scale=2) for i in range(3)]")
    seen = []

    def step(state, scale):
        seen.append(state)
        return torch.tensor([state * scale])

    assert [int(t) for t in student.search(step, 5)] == [10, 12, 14] and seen == [5, 6, 7]


def test_arguments_changed_in_place(run):
    run("def clip(p, most):\n    p.grad.clamp_(-most, most)\ndef bump(x):\n    x += 1")
    p = student.share(torch.zeros(2), grad=torch.tensor([5.0, -0.5]))
    student.clip(p, 1.0)
    assert p.grad.tolist() == [1.0, -0.5]
    x = student.share(np.zeros(2))
    student.bump(x)
    assert student.value(x).tolist() == [1.0, 1.0]


def test_library_objects_are_built_over_there(run):
    run("def apply(layer, x):\n    return layer(x).shape")
    assert student.apply(student.build("torch.nn.Linear", 3, 2), torch.zeros(4, 3)) == (4, 2)


def test_gradients(run):
    run(MODULE + "\ndef cube(x, n):\n    return x ** 3 + 0 * n")
    g = student.backward(student.cube, torch.tensor([1.0, 2.0]), 3, weights=[torch.tensor([1.0, 10.0])])
    assert g.inputs[0].tolist() == [3.0, 120.0] and g.output.tolist() == [1.0, 8.0]
    cell = student.Cell(1)
    cell.eval()
    for _ in range(2):  # what the first leaves behind does not add to the second
        grads = student.backward(cell, torch.ones(1, 1)).parameters
        assert grads["linear.bias"].tolist() == [1.0] and grads["linear.weight"].tolist() == [[1.0]]


def test_a_result_without_gradient_says_so(run):
    run("def detached(x):\n    return x.detach() * 2")
    with pytest.raises(StudentError, match="outside autograd or detached"):
        student.backward(student.detached, torch.ones(2))


def test_attributes_are_assigned(run):
    run("class Box:\n    inside = 1")
    box = student.Box()
    student.assign(box, "inside", torch.ones(2))
    assert box.inside.tolist() == [1.0, 1.0]


def test_seed_covers_three_generators(run):
    run(
        "import random, numpy as np, torch\ndef draw():\n    return random.random(), np.random.rand(), torch.rand(1)"
    )
    student.seed(0)
    first = student.draw()
    student.seed(0)
    again = student.draw()
    assert first[:2] == again[:2] and torch.equal(first[2], again[2])


@pytest.mark.parametrize(
    "call",
    [
        "nn.RNNCell(2, 2)(x)",
        "getattr(nn, 'RN' + 'NCell')(2, 2)(x)",
        "torch._VF.rnn_tanh_cell(x, x, w, w, b, b)",
    ],
)
def test_without_refuses_the_librarys_own(run, call):
    run(
        "import torch\nfrom torch import nn\nw, b = torch.eye(2), torch.zeros(2)\n"
        f"def step(x):\n    return {call}\n"
    )
    with student.without("rnn"), pytest.raises(CheckFailed, match="asks you to write it"):
        student.step(torch.zeros(1, 2))
    assert student.step(torch.zeros(1, 2)).shape == (1, 2)  # and only inside the block


def test_source_rules_read_the_cells(run):
    run("from torch import nn as layers\ndef fancy(x):\n    return layers.RNN(1, 1)(x)")
    with pytest.raises(CheckFailed, match=r"yourself \(found `torch\.nn\.RNN`\)"):
        forbid("fancy", "torch.nn.RNN*", why="write it yourself")


def test_limit_is_restored(run):
    run("def f():\n    return 1")
    with student.limit(5):
        assert student.f() == 1


# What each failure gives -------------------------------------------------------------------------------------------------


def test_a_missing_name(run):
    with pytest.raises(NotAnswered, match="`nowhere` is not defined yet"):
        _ = student.nowhere
    run("dots = ...")
    with pytest.raises(NotAnswered, match="not answered yet"):
        _ = student.dots


def test_a_stub_says_its_own_sentence(run):
    run("def stub():\n    raise NotImplementedError('Exercise one: write it')")
    with pytest.raises(NotAnswered, match="Exercise one"):
        student.stub()


def test_any_other_exception(run):
    run("def broken():\n    return [][1]")
    with pytest.raises(StudentError, match="your code raised IndexError: list index out of range") as caught:
        student.broken()
    assert "LookupError" in caught.value.kinds


@pytest.mark.parametrize(
    "body",
    [
        "def __eq__(self, other): return True",
        "def __array__(self, *a, **k):\n        import numpy\n        return numpy.array([1.0])",
        "@classmethod\n    def __torch_function__(cls, *a, **k): return True",
        "def __getattr__(self, name): return self",
    ],
)
def test_lying_objects_are_no_values(run, body):
    run(f"class Liar:\n    {body}\ndef lie():\n    return Liar()")
    with pytest.raises(CheckFailed, match="Liar"):
        expect_close(student.lie(), [1.0], what="it")
    for operation in (lambda lie: lie == 1, float, bool, lambda lie: lie + 1, np.asarray):
        with pytest.raises(CheckFailed, match="Liar"):
            operation(student.lie())


def test_lying_tensors_arrive_as_their_numbers(run):
    run(
        "import torch\nclass Liar(torch.Tensor):\n"
        "    def __eq__(self, other): return True\n"
        "    def allclose(self, *a, **k): return True\n"
        "def lie():\n    return torch.zeros(2).as_subclass(Liar)"
    )
    got = student.lie()
    assert type(got) is torch.Tensor
    with pytest.raises(CheckFailed):
        expect_close(got, torch.ones(2), what="it")


def test_lying_numbers_and_dicts(run):
    run(
        "class N(int):\n    def __eq__(self, other): return True\n    def __int__(self): return 7\n"
        "class D(dict):\n    def items(self): return [('a', 2)]\n    def __getitem__(self, k): return 1\n"
        "n, d = N(3), D(a=0)"
    )
    assert type(student.n) is int and student.n in (3, 7)
    assert type(student.d) is dict and student.d == {"a": 2}


def test_exceptions_that_misbehave(run):
    run(
        "class Loud(Exception):\n    def __str__(self): raise ValueError('in str')\n"
        "def loud():\n    raise Loud\ndef long():\n    raise ValueError('x' * 10**6)\n"
        "def calls():\n    raise type('E', (Exception,), {'__str__': lambda self: str(loud_calls.append(1))})()\n"
        "loud_calls = []"
    )
    with pytest.raises(StudentError, match="Loud"):
        student.loud()
    with pytest.raises(StudentError) as caught:
        student.long()
    assert len(str(caught.value)) < 400
    with pytest.raises(StudentError):
        student.calls()
    assert student.has("loud_calls")


def test_recursion(run):
    run("def down(n):\n    return down(n + 1)\nloop = []\nloop.append(loop)\ndef itself():\n    return loop")
    with pytest.raises(StudentError, match="RecursionError"):
        student.down(0)
    with pytest.raises(StudentGarbled, match="nested deeper"):
        student.itself()


def test_values_that_are_too_large(run):
    run("import torch\ndef huge():\n    return torch.zeros(1).expand(2**28)")
    with pytest.raises(StudentGarbled, match="at most"):
        student.huge()


def test_a_callback_that_raises(run):
    run(
        "def use(step):\n    return step(1)\n"
        "def survive(step):\n    try:\n        return step(1)\n    except RuntimeError as error:\n        return str(error)"
    )

    def breaks(value):
        raise KeyError("mine")

    assert "KeyError" in student.survive(breaks)
    with pytest.raises(StudentError, match="KeyError"):
        student.use(breaks)

    def refuses(value):
        raise CheckFailed("called with the wrong thing")

    with pytest.raises(CheckFailed, match="wrong thing"):  # even if the student's code swallows it
        student.survive(refuses)


def test_a_callback_called_with_objects(run):
    """The student's side waits for the callback, so it can answer no question about what it passed."""
    run(
        "class State:\n    shape = (2,)\ndef search(step):\n    return step(State())\ndef well(step):\n    return step(3)"
    )
    with pytest.raises(CheckFailed, match="plain values"):
        student.search(lambda state: state.shape[0])
    assert student.well(lambda state: state + 1) == 4


def test_a_test_may_not_pass_its_own_objects(run):
    run("def f(x):\n    return 1")
    with pytest.raises(TypeError, match=r"student\.build"):
        student.f(object())


# Only a kernel can be stopped, killed or made to talk nonsense -------------------------------------------------------------

pytest_sandbox = pytest.mark.sandbox


@pytest.fixture
def far(kernel):
    with using(kernel):
        yield kernel


@pytest_sandbox
def test_endless_loops_are_stopped_and_the_rest_goes_on(far):
    far.run_cell("def forever():\n    while True:\n        pass\ndef fine():\n    return 1")
    with student.limit(1), pytest.raises(StudentTimeout, match="did not finish within 1 s"):
        student.forever()
    assert student.fine() == 1


@pytest_sandbox
def test_endless_values_are_stopped(far):
    far.run_cell(
        "class Endless(dict):\n    def items(self):\n        while True:\n            yield 1, 1\n"
        "def endless():\n    return Endless()\ndef fine():\n    return 2"
    )
    with student.limit(1), pytest.raises((StudentTimeout, StudentCrash, StudentError)):
        student.endless()
    assert student.fine() == 2


@pytest_sandbox
def test_a_death_costs_its_own_call_and_old_handles_are_lost(far):
    far.run_cell(
        "import os\nkept = [1]\ndef die():\n    os._exit(1)\nclass A:\n    x = 'a'\nclass B:\n    x = 'b'"
    )
    a = student.A()
    assert a.x == "a"
    with pytest.raises(StudentCrash, match="kernel died during this call"):
        student.die()
    assert student.kept == [1]
    assert student.B().x == "b"
    with pytest.raises(StudentCrash, match="lost"):  # not some other object that has the number now
        _ = a.x


@pytest_sandbox
def test_the_cell_that_kills_is_not_replayed(far):
    far.run_cell("before = 1")
    far.run_cell("import os\nnever = 1\nos._exit(1)")
    far.run_cell("after = before + 1")
    assert (student.before, student.after) == (1, 2)
    assert not student.has("never")


@pytest_sandbox
def test_memory_is_bounded(far):
    far.run_cell("def eat():\n    hoard = []\n    while True:\n        hoard.append(bytearray(b'x' * 10**8))")
    with pytest.raises((StudentCrash, StudentError)):
        student.eat()
    assert student.has("eat")


LIAR = """
import socket, struct
import course_utils.checking.servant as servant

def attend(path, first):
    if servant._line is None:
        servant._line = servant.Line(path)
    end = servant._line._socket
    while end.recv(2**16):
        end.sendall(REPLY)

servant.attend = attend
"""


@pytest_sandbox
@pytest.mark.parametrize(
    "reply",
    [
        b"nonsense",
        b"[1]",
        b'{"answer": 7}',
        b'{"answer": {"ok": {"t": "tensor"}}}',
        b'{"answer": {"ok": {"t": "ref", "id": Infinity, "type": 1, "callable": 1, "iterable": 1}}}',
        b'{"answer": {"raised": 3}}',
        b'{"answer": {"ok": ' + b"[" * 5000 + b"]" * 5000 + b"}}",
        b'{"answer": {"strange": 1}}',
        b"\xff\xfe",
    ],
)
def test_a_rewritten_servant_is_garbled(far, reply):
    far.run_cell(LIAR.replace("REPLY", repr(len(reply).to_bytes(4, "big") + reply)))
    with pytest.raises(StudentGarbled):
        _ = student.anything
    _fresh(far)


@pytest_sandbox
def test_a_message_without_end_is_refused(far):
    far.run_cell(LIAR.replace("REPLY", repr(b"\xff" * 8)))
    with pytest.raises(StudentGarbled, match="MiB"):
        _ = student.anything
    assert any("not the protocol's" in flag for flag in far.flags)
    _fresh(far)


@pytest_sandbox
def test_callbacks_without_end_are_stopped(far):
    reply = b'{"callback": {"id": 0, "args": [], "kwargs": {}}}'
    far.run_cell(LIAR.replace("REPLY", repr(len(reply).to_bytes(4, "big") + reply)))
    with pytest.raises((StudentGarbled, StudentTimeout)):
        _ = student.anything
    _fresh(far)


@pytest_sandbox
def test_a_servant_that_leaves_its_place_is_noticed(far):
    far.run_cell("import course_utils.checking.servant as s\ns.kept = s.attend\ns.attend = lambda *a: None")
    with pytest.raises((StudentGarbled, StudentTimeout)):
        _ = student.anything
    _fresh(far)


def _fresh(far):
    far._ran.clear()
    far._needs_replay = True


@pytest_sandbox
def test_a_flood_on_the_kernels_own_socket_stops_nothing(far):
    far.run_cell(
        "io = get_ipython().kernel.iopub_socket.io_thread\nflooding = True\n"
        "def flood():  # runs in the thread that owns the socket, and calls itself again\n"
        "    io.socket.send_multipart([b'stream', b'junk', b'x'])\n"
        "    if flooding:\n        io.schedule(flood)\n"
        "io.schedule(flood)\ndef fine():\n    return 3"
    )
    with student.limit(60):
        assert student.fine() == 3
    far.run_cell("flooding = False")
    _fresh(far)


@pytest_sandbox
def test_a_socket_that_two_threads_share_kills_its_own_kernel_at_most(far):
    """ZeroMQ may abort the process here: a matter of luck, and nobody's loss but the submission's."""
    far.run_cell(
        "import threading\nsocket = get_ipython().kernel.iopub_socket.io_thread.socket\n"
        "def flood():\n    while True:\n        socket.send_multipart([b'stream', b'junk', b'x'])\n"
        "threading.Thread(target=flood, daemon=True).start()\ndef fine():\n    return 3"
    )
    try:
        with student.limit(60):
            assert student.fine() == 3
    except (StudentCrash, StudentTimeout):
        pass
    _fresh(far)
    far.run_cell("def anew():\n    return 4")
    assert student.anew() == 4


@pytest_sandbox
def test_recorded_tables_come_from_the_submission_not_from_the_kernel(far):
    far.kept_records = {"study": [{"k": 1}], "odd": 3}
    assert student.recorded("study") == [{"k": 1}]
    with pytest.raises(NotAnswered, match="run the experiment"):
        student.recorded("other")
    with pytest.raises(StudentGarbled, match="no table"):
        student.recorded("odd")


def test_long_names_of_a_recorded_table_may_break_on_a_page():
    from course_utils.checking.records import _markdown

    assert _markdown([{"difference_mean": 0.5, "k": 1}]).splitlines()[0] == "| difference_\u200bmean | k |"


def test_recorded_in_a_notebook(capsys):
    from course_utils.checking import InProcess, record

    record("study", [{"k": 1, "error": torch.tensor(0.5)}])
    with using(InProcess({})):
        assert student.recorded("study") == [{"k": 1, "error": 0.5}]
    with pytest.raises(ValueError, match="same columns"):
        record("study", [{"a": 1}, {"b": 1}])
    with pytest.raises(ValueError, match="'a' holds a list"):
        record("study", [{"a": [1]}])
