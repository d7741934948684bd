"""One submission's kernel: it survives what cells do, and nothing of a hidden test is ever inside it."""

import os

import pytest
import torch

from course_admin.grading.limits import Limits
from course_admin.grading.session import StudentKernel
from course_admin.grading.watch import KernelDied
from course_admin.grading.worker import run_test
from course_utils.checking import StudentTimeout, student, using
from course_utils.checking.failures import Forbidden
from tests.grading import tiny
from tests.grading.conftest import LIMITS

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def shared():
    with StudentKernel(limits=Limits(**{**LIMITS, "restarts": 50})) as started:
        yield started


@pytest.fixture
def kernel(shared):
    shared.flags.clear()
    shared._ran.clear()
    shared.begin_test()
    return shared


def printed(outputs):
    return "".join(output["text"] for output in outputs if output["output_type"] == "stream")


def errors(outputs):
    return [output["ename"] for output in outputs if output["output_type"] == "error"]


def test_outputs_and_errors_of_a_cell(kernel):
    assert printed(kernel.run_cell("print('hello')")) == "hello\n"
    assert kernel.run_cell("1 + 1")[0]["data"] == {"text/plain": "2"}
    assert errors(kernel.run_cell("1 / 0")) == ["ZeroDivisionError"]
    assert errors(kernel.run_cell("this is no python")) == ["SyntaxError"]
    assert kernel.run_cell("1 / 0")[0]["traceback"][-1] == "ZeroDivisionError: division by zero"
    assert kernel.flags == []


def test_a_keyboard_is_not_there(kernel):
    assert errors(kernel.run_cell("input('?')")) == ["StdinNotImplementedError"]


def test_an_endless_cell_is_interrupted_and_its_definitions_stay(kernel):
    outputs = kernel.run_cell("here = 1\nwhile True: pass")
    assert "Timeout" in errors(outputs) and "stopped after" in kernel.flags[0]
    assert printed(kernel.run_cell("print(here)")) == "1\n"


def test_a_cell_that_ignores_interrupts_is_killed(kernel):
    kernel.run_cell("kept = 5")
    loop = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    assert "Timeout" in errors(kernel.run_cell(loop))
    assert printed(kernel.run_cell("print(kept)")) == "5\n"


def test_a_flood_of_output_is_stopped(kernel):
    outputs = kernel.run_cell("while True: print('x' * 100, flush=True)")
    assert set(errors(outputs)) <= {"TooMuchOutput", "Timeout"} and errors(outputs)
    assert len(printed(outputs)) < 300_000
    assert printed(kernel.run_cell("print('on')")) == "on\n"


def test_prints_of_a_call_go_nowhere_and_cost_nothing(kernel, source):
    """However large, and whatever their characters: the answer counts."""
    kernel.run_cell(
        "import sys\nimport numpy as np\n"
        "def scale(x, k):\n"
        "    print('y' * 60_000_000, chr(0xD800))\n"
        "    print('z' * 60_000_000, file=sys.stderr)\n"
        "    return np.asarray(x) * k"
    )
    cell = next(cell for cell in source["cells"] if cell["id"] == "scale-test")
    verdict, outputs = run_test(cell, kernel, 0, kernel.flags)
    assert verdict.outcome == "passed" and "yyy" not in str(outputs)
    assert printed(kernel.run_cell("print('on')")) == "on\n"


def test_what_a_check_refuses_works_again_in_the_next_cell(kernel):
    kernel.run_cell("import torch\nfrom torch import nn\ndef cell(x):\n    return nn.RNNCell(2, 2)(x)")
    x = torch.zeros(1, 2)
    with using(kernel):
        with student.without("rnn"):
            for _ in range(2):
                with pytest.raises(Forbidden, match="asks you to write it"):
                    student.cell(x)
        assert student.cell(x).shape == (1, 2)
        with student.without("rnn"), pytest.raises(Forbidden):
            student.cell(x)
    assert errors(kernel.run_cell("cell(torch.zeros(1, 2))")) == []


def test_memory_is_bounded():
    with StudentKernel(limits=Limits(**{**LIMITS, "cell_cpu_s": 60, "memory_mb": 1500})) as kernel:
        outputs = kernel.run_cell("hoard = []\nwhile True: hoard.append(bytearray(b'x' * 10**8))")
        assert set(errors(outputs)) & {"KernelDied", "MemoryError"}
        assert printed(kernel.run_cell("print('on')")) == "on\n"


def test_a_fork_bomb_ends_with_its_kernel(kernel):
    outputs = kernel.run_cell("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")
    assert set(errors(outputs)) & {"KernelDied", "Timeout"}
    assert printed(kernel.run_cell("print('on')")) == "on\n"


def test_background_processes_die_with_the_kernel():
    marker = f"cw-left-behind-{os.getpid()}"
    with StudentKernel(limits=Limits(**LIMITS)) as kernel:
        kernel.run_cell(
            "import subprocess\n"
            f"subprocess.Popen(['sh', '-c', 'sleep 1000; echo {marker}'], start_new_session=True)"
        )
        assert _alive(marker)
    assert not _alive(marker)


def _alive(marker):
    import psutil

    return [
        p for p in psutil.process_iter(["cmdline"]) if any(marker in part for part in p.info["cmdline"] or [])
    ]


def test_a_kernel_that_dies_too_often_is_given_up():
    with StudentKernel(limits=Limits(**{**LIMITS, "restarts": 1})) as kernel:
        for _ in range(4):
            assert errors(kernel.run_cell("import os; os._exit(1)")) == ["KernelDied"]
        assert errors(kernel.run_cell("1")) == ["KernelDied"]
        assert "crashed" in kernel.ask({"op": "get", "name": "x"}, lambda message: {}, 1.0)
        with pytest.raises(KernelDied, match="too often"):
            kernel._ready()


def test_the_folder_of_sockets_cannot_be_filled(kernel):
    code = """
import os
folder = os.path.dirname(get_ipython().config["IPKernelApp"]["connection_file"])
written = 0
try:
    for number in range(20):
        with open(f"{folder}/filler-{number}", "wb") as file:
            written += file.write(b"x" * 2**25)
except OSError:
    pass
"""
    kernel.run_cell(code)
    kernel.run_cell("import time\ntime.sleep(0.5)")
    size = sum(path.lstat().st_size for path in kernel._kernel.folder.rglob("*"))
    assert size <= (LIMITS["file_mb"] + 64) * 2**20


SPY = """
import gc, re, sys

# Written so that neither the pattern nor this cell holds what it looks for.
patterns = [re.compile(rb"[z]qx-hidden-tes[t]-text"), re.compile(rb"[k] is added, no[t] multiplied")]
seen = set()


def look():
    def note(where, value):
        if isinstance(value, str) and any(pattern.search(value.encode()) for pattern in patterns):
            seen.add(where)

    for thing in gc.get_objects():
        values = [*thing, *thing.values()] if type(thing) is dict else thing if type(thing) in (list, tuple, set) else []
        for value in list(values):
            note("object", value)
    frame = sys._getframe()
    while frame:
        for value in [*frame.f_locals.values(), *frame.f_code.co_consts]:
            note("frame", value)
        frame = frame.f_back
    for line in get_ipython().user_ns["In"]:
        note("history", line)
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if "rw" not in rights or "[v" in line:
                continue
            low, high = (int(end, 16) for end in span.split("-"))
            try:
                memory.seek(low)
                block = memory.read(min(high - low, 2**28))
            except (OSError, ValueError, OverflowError):
                continue
            if any(pattern.search(block) for pattern in patterns):
                seen.add("memory")


def scale(x, k):
    look()
    return [value * k for value in x] if isinstance(x, list) else x * k
"""


def test_hidden_tests_never_enter_the_students_process(kernel, source):
    """A spy in a right answer searches objects, frames, history and the raw memory of its process for the test's text."""
    assert errors(kernel.run_cell(SPY)) == []
    cell = next(cell for cell in source["cells"] if cell["id"] == "scale-test")
    with_time = dict(LIMITS, test_cpu_s=200.0)
    kernel.limits = Limits(**with_time)
    verdict, _ = run_test(cell, kernel, 0, kernel.flags)
    kernel.limits = Limits(**LIMITS)
    assert verdict.outcome == "passed" and tiny.MARKER in "".join(cell["source"])
    found = printed(kernel.run_cell("print(sorted(seen))"))
    assert found == "[]\n"
    planted = kernel.run_cell(
        "plant = ['-'.join(['zqx', 'hidden', 'test', 'text'])]\nscale(1, 1)\nprint(sorted(seen))"
    )
    assert printed(planted).endswith("['memory', 'object']\n")  # the spy does find what is there


def test_a_submission_has_a_time_of_its_own() -> None:
    with StudentKernel(limits=Limits(submission_s=0.0)) as kernel:
        (output,) = kernel.run_cell("x = 1")
        assert "not run" in output["evalue"]
        with using(kernel), pytest.raises(StudentTimeout):
            _ = student.x
    assert kernel.flags == ["the submission used up its 0 s; what came after was not run"]
