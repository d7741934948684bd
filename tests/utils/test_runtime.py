"""Seed, device and budget."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from course_utils.runtime import Budget, budget, device, seed_everything, single_thread, steps


def draw():
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_one_seed_fixes_all_three_generators():
    assert seed_everything(7) == 7
    first = draw()
    seed_everything(8)
    assert not set(first) & set(draw())
    seed_everything(7)
    assert draw() == first


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_named(seed):
    with pytest.raises(ValueError, match=rf"seed must be in 0\.\.2\*\*32 - 1, got {seed}"):
        seed_everything(seed)


@pytest.mark.parametrize(
    "value, level", [(None, "default"), ("", "default"), ("quick", "quick"), ("full", "full")]
)
def test_the_environment_chooses_the_budget(monkeypatch, value, level):
    monkeypatch.delenv("COURSE_BUDGET", raising=False)
    if value is not None:
        monkeypatch.setenv("COURSE_BUDGET", value)
    assert budget() is Budget(level)
    assert steps(quick=1, default=20, full=300) == {"quick": 1, "default": 20, "full": 300}[level]


def test_a_wrong_budget_names_variable_value_and_levels(monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "Quick")
    with pytest.raises(ValueError, match="COURSE_BUDGET must be one of quick, default, full, got 'Quick'"):
        steps(quick=1, default=2, full=3)


def test_every_count_is_checked_whatever_the_level(monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "quick")
    with pytest.raises(ValueError, match="full must be at least 1, got 0"):
        steps(quick=1, default=2, full=0)


@pytest.mark.parametrize("cuda, kind", [(True, "cuda"), (False, "cpu")])
def test_the_device_is_cuda_or_else_the_cpu(monkeypatch, cuda, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert device() == torch.device(kind)


def test_single_thread_restores_the_number_of_threads_after_an_error():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(RuntimeError), single_thread():
            assert torch.get_num_threads() == 1
            raise RuntimeError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_importing_it_does_not_import_torch():
    code = "import sys, course_utils.runtime; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
