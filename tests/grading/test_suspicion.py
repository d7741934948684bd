"""Signs that ask for a look: attacks show them, the bank's honest answers do not."""

from pathlib import Path

import pytest

from course_admin.grading.suspicion import signs_in

BANK = Path(__file__).parents[2] / "course_admin" / "bank"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import torch\ntorch.allclose = lambda *a, **k: True", "comparison"),
        ("get_ipython().ast_transformers.append(Drop())", "kernel"),
        ("class Yes:\n    def __eq__(self, other): return True", "compare"),
        ("open('/proc/1/environ').read()", "files"),
        ("import subprocess", "processes"),
        ("os._exit(0)", "processes"),
        ("from course_utils.models.rnn import RNNCell", "reference"),
        ("import sys\nsys.modules['numpy.testing'] = Yes()", "modules"),
        ("exec(text)", "from text"),
        ("error.__traceback__.tb_frame.f_back", "frames"),
        ("os.walk('/home')", "files"),
        ("# \u202edaer si ti", "order"),
    ],
)
def test_a_sign_is_named(code: str, reason: str) -> None:
    assert any(reason in sign for sign in signs_in(code))


@pytest.mark.parametrize("path", sorted(BANK.glob("*/*/right_*.py")), ids=lambda path: path.stem)
def test_right_answers_show_no_sign(path: Path) -> None:
    assert signs_in(path.read_text(encoding="utf-8")) == []


def test_prose_may_speak_of_what_code_may_not_do() -> None:
    prose = "The error signal fades on its way back; see source/ and the input( ... ) of the exit( ) gate."
    assert signs_in(prose, code=False) == []
    assert signs_in(prose) != []
    assert signs_in("<script>x</script>", code=False) == ["holds web code"]
    assert signs_in("signal = torch.sin(steps)\nplt.plot(signal)") == []
