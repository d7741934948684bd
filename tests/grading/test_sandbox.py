"""What a submission can see and do from inside, and what happens where there is no bubblewrap."""

import os
import shutil

import pytest

from course_admin.grading.limits import Limits
from course_admin.grading.sandbox import Box, SandboxUnavailable, probe, remedy
from course_admin.grading.session import StudentKernel
from tests.grading.conftest import LIMITS


@pytest.fixture(scope="module")
def ask():
    """`ask(expression)`: its repr, evaluated inside a sandbox; `raised Name` if it raises."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    os.environ["COURSE_TEST_SECRET"] = "zqx-secret-of-the-instructor"
    with StudentKernel(limits=Limits(**LIMITS)) as kernel:

        def run(expression, setup="pass"):
            code = f"import os, socket, sys\n{setup}\ntry:\n    print(repr(({expression})))\n"
            code += "except BaseException as error:\n    print('raised', type(error).__name__)"
            outputs = kernel.run_cell(code)
            return "".join(output.get("text", "") for output in outputs).strip()

        yield run
    del os.environ["COURSE_TEST_SECRET"]


sandbox = pytest.mark.sandbox


@sandbox
def test_the_course_is_not_there(ask):
    import course_admin

    folder = os.path.dirname(course_admin.__file__)
    assert ask(f"os.path.exists({folder!r})") == "False"
    assert ask("__import__('course_admin').__file__") in (
        "raised ModuleNotFoundError",
        "raised AttributeError",
        "None",
    )
    assert ask(f"sorted(set(os.listdir({os.path.dirname(folder)!r})) - {{'.venv', 'course_utils'}})") in (
        "[]",
        "raised FileNotFoundError",
    )


@sandbox
def test_the_home_folder_and_the_environment_are_not_there(ask):
    assert ask("os.environ['HOME'], os.environ['USER']") == "('/tmp', 'student')"
    assert "zqx-secret" not in ask("dict(os.environ)")
    for number in ("1", "self"):
        assert "zqx-secret" not in ask(f"open('/proc/{number}/environ').read()")
    assert ask("open('/etc/shadow').read()").startswith("raised")
    assert ask("os.listdir('/root')").startswith(("raised", "['.pyenv']", "[]", "['.local"))


@sandbox
def test_only_its_own_processes_are_there(ask):
    assert int(ask("len([p for p in os.listdir('/proc') if p.isdigit()])")) < 10
    assert ask(f"os.kill({os.getpid()}, 0)").startswith("raised")


@sandbox
def test_no_network(ask):
    assert ask("socket.create_connection(('127.0.0.1', 22), timeout=2)").startswith("raised")
    assert ask("socket.create_connection(('1.1.1.1', 53), timeout=2)").startswith("raised")
    assert ask("socket.gethostbyname('example.org')") == "raised gaierror"
    assert ask("[name for _, name in socket.if_nameindex()]") == "['lo']"


@sandbox
def test_nothing_outside_its_own_folders_is_written(ask):
    import course_utils

    for folder in (
        "/",
        "/usr",
        "/etc",
        "/proc",
        os.path.dirname(course_utils.__file__),
        os.path.dirname(os.__file__),
    ):
        assert ask(f"open({folder!r} + '/zqx-written', 'w')").startswith("raised"), folder
    assert ask("open('/tmp/zqx', 'w').write('x')") == "1"
    assert ask("os.getcwd(), open('zqx', 'w').write('x')") == "('/tmp/work', 1)"
    assert not os.path.exists("/tmp/zqx")


@sandbox
def test_no_privileges(ask):
    assert ask("os.getuid() == 0") == "False"
    assert ask("os.setuid(0)").startswith("raised")
    assert ask("os.chroot('/tmp')").startswith("raised")
    assert ask("[line for line in open('/proc/self/status') if line.startswith('CapEff')]").count(
        "0000000000000000"
    )


@sandbox
def test_files_are_bounded(ask):
    megabytes = LIMITS["file_mb"] * 2
    setup = "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    for folder in ("/tmp", "/dev/shm"):
        one = f"open('{folder}/big', 'wb').write(b'x' * {megabytes} * 2**20)"
        assert ask(one, setup) == "raised OSError"
        many = f"[open('{folder}/f%d' % i, 'wb').write(b'x' * 2**24) for i in range({megabytes} // 16)]"
        assert ask(many, setup) == "raised OSError"
        ask(f"[os.remove('{folder}/' + f) for f in os.listdir('{folder}') if f.startswith(('f', 'big'))]")


@sandbox
def test_probe_runs():
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    probe()


def test_without_bubblewrap_it_refuses_and_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match=r"apt install bubblewrap.*--unsafe"):
        probe()
    with pytest.raises(SandboxUnavailable):
        Box(tmp_path, Limits()).command(["true"])


def test_a_bubblewrap_that_fails_is_explained(tmp_path, monkeypatch):
    false = tmp_path / "bwrap"
    false.write_text(
        "#!/bin/sh\necho 'bwrap: Creating new namespace failed: Operation not permitted' >&2\nexit 1\n"
    )
    false.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SandboxUnavailable, match=r"bubblewrap\) does not start.*Operation not permitted"):
        probe()
    assert remedy("anything")


def test_other_systems_are_told(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(SandboxUnavailable, match="needs Linux"):
        probe()


def test_limits_refuse_unknown_names():
    with pytest.raises(ValueError, match="unknown limits"):
        Limits.from_dict({"cpu": 3})
    assert Limits.from_dict(Limits().as_dict()) == Limits()
