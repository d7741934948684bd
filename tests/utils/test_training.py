"""The training loop, its progress bar and repeats over seeds."""

import io
import math
import os
import sys
import warnings
from queue import Empty
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_client.manager import start_new_kernel
from torch import nn
from torch.nn import functional as F

from course_utils.progress import _CellOutput
from course_utils.training import (
    EarlyStopping,
    History,
    Repeats,
    accuracy,
    fit,
    minibatches,
    predict,
    progress,
    repeat,
)


def line(slope=0.0):
    """A model of one weight, y = slope · x."""
    model = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(model.weight, slope)
    return model


UNUSED: Any = None  # a loss or an optimizer that is never reached


def one_point(x, y):
    while True:
        yield torch.tensor([[x]], dtype=torch.float64), torch.tensor([[y]], dtype=torch.float64)


@pytest.mark.parametrize("clip", [None, 1e9, 3.0])
def test_fit_takes_the_steps_of_gradient_descent_worked_by_hand(clip):
    model, w, losses, norms = line(), 0.0, [], []
    for _ in range(4):  # loss (2 w - 6)², gradient 4 (2 w - 6)
        losses.append((2 * w - 6) ** 2)
        gradient = 4 * (2 * w - 6)
        norms.append(abs(gradient))
        w -= 0.05 * gradient * min(1.0, (clip or math.inf) / abs(gradient))
    history = fit(
        model,
        one_point(2.0, 6.0),
        F.mse_loss,
        torch.optim.SGD(model.parameters(), lr=0.05),
        steps=4,
        clip=clip,
    )
    np.testing.assert_allclose(history.losses, losses, rtol=1e-5)
    np.testing.assert_allclose(history.grad_norms, norms, rtol=1e-5)
    assert model.weight.item() == pytest.approx(w, rel=1e-5)


def test_fit_hands_every_part_but_the_last_to_the_model_and_trains_in_training_mode():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(()))

        def forward(self, a, b):
            assert self.training
            return self.w * (a + b)

    model = Sum().eval()
    history = fit(
        model, [(1.0, 2.0, 5.0)], lambda out, y: y - out, torch.optim.SGD(model.parameters(), 1.0), 1
    )
    assert history.losses.tolist() == [2.0] and history.grad_norms.tolist() == [3.0]


def test_fit_steps_the_scheduler_after_each_update():
    model = line()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    fit(model, one_point(1.0, 0.0), lambda out, _: out.sum(), optimizer, 3, scheduler=scheduler)
    assert model.weight.item() == -(1 + 0.5 + 0.25)


def test_fit_stops_before_it_asks_for_a_batch_too_many():
    asked = []

    def batches():
        for pair in one_point(1.0, 1.0):
            asked.append(1)
            yield pair

    model = line()
    fit(model, batches(), F.mse_loss, torch.optim.SGD(model.parameters(), 0.1), 3)
    assert len(asked) == 3


def descend(steps, scores, **options):
    """Train y = w x on one point with rate 1/2 and gradient 2 a step: w = 1, 2, …, with scores given beforehand."""
    model, given, seen = line(), iter(scores), []

    def evaluate(network):
        assert network is model and not model.training and not torch.is_grad_enabled()
        seen.append(model.weight.item())
        return next(given)

    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    history = fit(
        model, one_point(2.0, 0.0), lambda out, _: -out.sum(), optimizer, steps, evaluate=evaluate, **options
    )
    return model, history, seen


def test_fit_evaluates_every_so_many_updates_and_after_the_last():
    model, history, seen = descend(7, [0.3, 0.2, 0.1], every=3)
    assert history.evaluated_at.tolist() == [3, 6, 7] and history.evaluations.tolist() == [0.3, 0.2, 0.1]
    assert seen == [3, 6, 7] and model.weight.item() == 7 and model.training
    assert len(History(np.ones(1), np.ones(1)).evaluations) == 0


def test_fit_stops_early_and_restores_the_best_weights():
    stopping = EarlyStopping(patience=2)
    model, history, seen = descend(50, [5, 1, 3, 2, 0], every=2, stopping=stopping)
    assert history.evaluated_at.tolist() == [2, 4, 6, 8] and len(history.losses) == 8 == len(
        history.grad_norms
    )
    assert seen[-1] == 8 and model.weight.item() == 4 and stopping.best == 1 and stopping.best_evaluation == 2


def test_fit_restores_the_best_weights_also_when_it_runs_to_the_end():
    model, _, _ = descend(4, [2, 1, 3, 2], every=1, stopping=EarlyStopping(patience=9))
    assert model.weight.item() == 2


@pytest.mark.parametrize(
    "scores, options, stops_at, best",
    [
        ([1, 2, 2], {}, 3, 1),
        ([1, 1, 1], {}, 3, 1),  # as good is no gain
        ([1, 0.95, 0.91, 0.9], {"least_gain": 0.1}, 3, 1),  # small gains do not add up to a new start
        ([1, 3, 2, 2], {"higher_is_better": True}, 4, 3),
        ([math.nan, math.nan], {}, 2, None),
        ([math.inf, 2, math.nan, math.nan], {}, 4, 2),
    ],
)
def test_early_stopping_counts_evaluations_without_a_new_best(scores, options, stops_at, best):
    stopping, model = EarlyStopping(patience=2, **options), line()
    said = [stopping.update(score, model) for score in scores]
    assert said.index(True) + 1 == stops_at and stopping.best == best


def test_early_stopping_keeps_buffers_and_a_copy_rather_than_the_live_weights():
    model = nn.BatchNorm1d(2)
    stopping = EarlyStopping(patience=1)
    stopping.restore(model)  # nothing to restore yet
    stopping.update(1.0, model)
    model(torch.randn(8, 2) + 5)
    with torch.no_grad():
        model.weight.fill_(7.0)
    stopping.restore(model)
    assert model.weight.eq(1).all() and not model.running_mean.any() and model.num_batches_tracked == 0


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 20), data=st.data(), seed=st.integers(0, 99))
def test_minibatches_visit_every_row_once_an_epoch_and_keep_rows_together(n, data, seed):
    size = data.draw(st.integers(1, n))
    x = torch.arange(n)
    batches = minibatches(x, -x, batch_size=size, seed=seed)
    orders = []
    for _ in range(3):
        epoch = [next(batches) for _ in range(math.ceil(n / size))]
        assert all(torch.equal(a, -b) for a, b in epoch) and all(len(a) == size for a, _ in epoch[:-1])
        orders.append(torch.cat([a for a, _ in epoch]))
        assert orders[-1].sort().values.tolist() == list(range(n))
    again = minibatches(x, -x, batch_size=size, seed=seed)
    assert torch.equal(torch.cat([next(again)[0] for _ in range(math.ceil(n / size))]), orders[0])
    if n >= 15:
        assert not torch.equal(orders[0], orders[1])


def test_predict_is_the_model_in_evaluation_mode_without_gradients():
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    model.train()
    x = torch.randn(7, 3)
    out = predict(model, x, batch_size=3)
    torch.testing.assert_close(out, model[0](x))
    assert model.training and not out.requires_grad
    assert torch.equal(predict(lambda a, b: a + b, x, x, batch_size=2), 2 * x)


def test_accuracy_counts_and_does_not_broadcast():
    logits = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert accuracy(logits, torch.tensor([1, 0, 0, 0])) == 0.75
    with pytest.raises(ValueError, match=r"target must be \(4,\), got \(4, 1\)"):
        accuracy(logits, torch.zeros(4, 1, dtype=torch.long))


def test_repeat_seeds_everything_and_reports_mean_and_sample_deviation():
    result = repeat(lambda seed: [1.0 + seed, 2.0], seeds=[0, 1, 2])
    assert result.values.shape == (3, 2)
    assert result.mean.tolist() == [2.0, 2.0] and result.sd.tolist() == [1.0, 0.0]
    noisy = [repeat(lambda seed: torch.rand(()) + np.random.rand(), seeds=[0, 1]).values for _ in range(2)]
    assert np.array_equal(noisy[0], noisy[1]) and noisy[0][0] != noisy[0][1]


def test_repeats_are_written_as_mean_and_deviation():
    assert f"{Repeats(np.array([0.95, 0.97])):.3f}" == "0.960 ± 0.014"
    one = Repeats(np.array([0.95]))
    with warnings.catch_warnings(action="error"):
        assert f"{one:.3f}" == "0.950" and math.isnan(one.sd)
    with pytest.raises(ValueError, match=r"got shape \(2, 3\)"):
        f"{Repeats(np.zeros((2, 3))):.3f}"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: fit(line(), [], UNUSED, UNUSED, 0), "steps must be at least 1, got 0"),
        (lambda: fit(line(), [], UNUSED, UNUSED, 1, clip=0.0), "clip must be positive or None, got 0.0"),
        (lambda: fit(line(), [], UNUSED, UNUSED, 5), "batches ended after 0 of 5 steps"),
        (lambda: fit(line(), [], UNUSED, UNUSED, 1, every=0), "every must be at least 1, got 0"),
        (lambda: fit(line(), [], UNUSED, UNUSED, 1, stopping=EarlyStopping(1)), "evaluate is None"),
        (lambda: EarlyStopping(0), "patience must be at least 1, got 0"),
        (lambda: EarlyStopping(1, least_gain=-1.0), "least_gain must be at least 0, got -1.0"),
        (lambda: minibatches(batch_size=1, seed=0), r"one length N, got lengths \[\]"),
        (lambda: minibatches(torch.zeros(2), torch.zeros(3), batch_size=1, seed=0), r"lengths \[2, 3\]"),
        (lambda: minibatches(torch.zeros(2), batch_size=3, seed=0), r"batch_size must be in 1\.\.N=2, got 3"),
        (lambda: repeat(lambda seed: 0.0, []), "at least one seed, got none"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("variable, value", [("COURSE_PROGRESS", "0"), ("COURSE_BUDGET", "quick")])
def test_progress_is_silent_when_told(monkeypatch, variable, value):
    monkeypatch.delenv("COURSE_BUDGET", raising=False)
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    monkeypatch.setattr(sys, "stderr", Terminal())
    items = range(3)
    assert progress(items, "loop") is not items
    monkeypatch.setenv(variable, value)
    assert progress(items, "loop") is items


def test_progress_in_a_terminal_clears_its_line(monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "default")
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar: Any = progress(range(3), "loop")
    bar.delay = bar.mininterval = 0
    assert list(bar) == [0, 1, 2]
    written = terminal.getvalue()
    assert "loop" in written and not written.split("\r")[-2].strip() and written.endswith("\r")


def test_progress_is_silent_where_nobody_watches(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    items = range(3)
    assert progress(items, "loop") is items


def test_a_loop_that_ends_at_once_shows_nothing_in_a_notebook(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *arguments, **_: shown.append(arguments))
    _CellOutput().write("\r        \r")
    assert shown == []


def run_cell(client, code, watched):
    """Run code in a kernel; return the outputs as a front end would store them, and all that ever stood there."""
    outputs, shown = {}, []
    client.execute(code, allow_stdin=watched)
    while True:
        message = client.get_iopub_msg(timeout=60)
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            break
        if kind in ("display_data", "update_display_data"):
            outputs[content["transient"]["display_id"]] = content["data"]
            shown.append(content["data"].get("text/plain", ""))
        elif kind in ("stream", "error"):
            raise AssertionError(content)
    with pytest.raises(Empty):
        client.get_iopub_msg(timeout=0.05)
    return outputs, shown


def test_progress_in_a_notebook_shows_a_bar_and_leaves_an_empty_display():
    environment = {**os.environ, "COURSE_BUDGET": "default", "COURSE_PROGRESS": ""}
    manager, client = start_new_kernel(env=environment)
    try:
        code = "from course_utils.progress import progress\nbar = progress(range(3), 'loop')\n"
        watched = code + "bar.delay = bar.mininterval = 0\nfor _ in bar: pass"
        outputs, shown = run_cell(client, watched, watched=True)
        assert list(outputs.values()) == [{"text/plain": ""}]
        assert any("loop" in text and "3/3" in text for text in shown)
        outputs, shown = run_cell(client, code + "assert bar == range(3)", watched=False)
        assert outputs == {} and shown == []
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
