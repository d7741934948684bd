"""The equations of the papers once more, for one sequence and one step: vectors x (I,) and h (H,)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchdiffeq import odeint

from tests.bench.agreement.comparing import padded, rows

State = tuple[Tensor, ...]
Step = Callable[[Any, Tensor, State], State]


def rnn_step(cell: Any, x: Tensor, state: State) -> State:
    """Return h of the vanilla network, with layer norm if it has one."""
    total = cell.weight_ih @ x + cell.bias + cell.weight_hh @ state[0]
    if isinstance(cell.norm, nn.LayerNorm):
        spread = ((total - total.mean()).pow(2).mean() + cell.norm.eps).sqrt()
        total = cell.norm.weight * (total - total.mean()) / spread + cell.norm.bias
    return (torch.sigmoid(total) if cell.activation == "sigmoid" else torch.tanh(total),)


def gru_step(cell: Any, x: Tensor, state: State) -> State:
    """Return h of the first paper's GRU: the reset gate before the product."""
    (h,), (w_r, w_z, w_n), (b_r, b_z, b_n) = state, cell.weight_ih.chunk(3), cell.bias.chunk(3)
    u_r, u_z, u_n = cell.weight_hh.chunk(3)
    r, z = torch.sigmoid(w_r @ x + u_r @ h + b_r), torch.sigmoid(w_z @ x + u_z @ h + b_z)
    return ((1 - z) * torch.tanh(w_n @ x + u_n @ (r * h) + b_n) + z * h,)


def mgu_step(cell: Any, x: Tensor, state: State) -> State:
    """Return h of the minimal gated unit."""
    (h,), (w_f, w_n), (u_f, u_n), (b_f, b_n) = (
        state,
        cell.weight_ih.chunk(2),
        cell.weight_hh.chunk(2),
        cell.bias.chunk(2),
    )
    f = torch.sigmoid(w_f @ x + u_f @ h + b_f)
    return ((1 - f) * h + f * torch.tanh(w_n @ x + u_n @ (f * h) + b_n),)


def peephole_step(cell: Any, x: Tensor, state: State) -> State:
    """Return (h, c) of the LSTM whose gates see the cell."""
    h, c = state
    i, f, g, o = (cell.weight_ih @ x + cell.weight_hh @ h + cell.bias).chunk(4)
    p_i, p_f, p_o = cell.peephole
    c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
    return torch.sigmoid(o + p_o * c) * torch.tanh(c), c


def written_out(step: Step, cell: Any, x: Tensor, state: State, lengths: Tensor) -> tuple[Tensor, State]:
    """Return output (B, T, H) and final states, one sequence and one step after another."""
    outputs, finals = [], []
    for number, row in enumerate(rows(x, lengths)):
        now, seen = tuple(part[number] for part in state), []
        for x_t in row:
            now = step(cell, x_t, now)
            seen.append(now[0])
        outputs.append(torch.stack(seen))
        finals.append(now)
    return padded(outputs), tuple(torch.stack(parts) for parts in zip(*finals, strict=True))


def score(kind: str, attention: Any, s: Tensor, h: Tensor) -> Tensor:
    """Return e of one query s (Q,) and one state h (M,)."""
    if kind == "additive":
        return attention.v.weight[0] @ torch.tanh(attention.query.weight @ s + attention.memory.weight @ h)
    if kind == "general":
        return s @ attention.memory.weight @ h
    return s @ h / (math.sqrt(len(s)) if kind == "scaled dot" else 1)


def attend(kind: str, attention: Any, s: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Return the context (M,) and the weights (S,) of one query and a whole memory (S, M)."""
    raised = torch.stack([score(kind, attention, s, h) for h in memory]).exp()
    return raised / raised.sum() @ memory, raised / raised.sum()


def answers(model: Any, kind: str | None, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return features (T, H + M + E) and α (T, S) of one source (S,) and target (T,), token by token."""
    memory, h = [], source.new_zeros(model.decoder.hidden_size, dtype=torch.float64)
    for token in source:
        (h,) = gru_step(model.encoder.cell, model.source_embedding.weight[token], (h,))
        memory.append(h)
    states, context, rows_of_weights, features = torch.stack(memory), h, [], []
    for token in [torch.tensor(model.bos), *target[:-1]]:
        embedded = model.target_embedding.weight[token]
        if kind:
            context, weights = attend(kind, model.attention, h, states)
            rows_of_weights.append(weights)
        (h,) = gru_step(model.decoder.cell, torch.cat([embedded, context]), (h,))
        features.append(torch.cat([h, context, embedded]))
    return torch.stack(features), torch.stack(rows_of_weights) if kind else None


def evolve(field: Callable[[Tensor], Tensor], h: Tensor, gap: Tensor, method: str) -> Tensor:
    """Return h after `gap`, in three steps."""
    if method == "rk4_38":  # torchdiffeq's "rk4"
        clock = torch.linspace(0, 1, 4, dtype=h.dtype)
        return odeint(lambda _, state: gap * field(state), h, clock, method="rk4")[-1]
    for _ in range(3):
        d = gap / 3
        k_1 = field(h)
        k_2 = field(h + d / 2 * k_1)
        k_3 = field(h + d / 2 * k_2)
        k_4 = field(h + d * k_3)
        h = h + d / 6 * (k_1 + 2 * k_2 + 2 * k_3 + k_4)
    return h
