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
