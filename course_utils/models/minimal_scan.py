"""minGRU and minLSTM (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi, 2024, "Were RNNs all we needed?").

Gates that read only the input, never the state before, leave a recurrence that is linear in the state:

    h_t = a_t ⊙ h_{t-1} + b_t

    minGRU     z = σ(W_z x + b_z)       a = 1 - z          b = z ⊙ h̃
    minLSTM    f, i = σ(…), σ(…)        a = f / (f + i)    b = i / (f + i) ⊙ h̃
    both       h̃ = g(W_h x + b_h),      g(v) = v + 1/2 for v ≥ 0, else σ(v): positive, so that it has a logarithm

So all h_t follow at once from running sums (appendix B of the paper; Heinsen, 2023, "Efficient
parallelization of a ubiquitous sequential computation"). With A_t = Σ_{s≤t} log a_s,

    h_t = exp(A_t) h_0 + exp(A_t + log Σ_{s≤t} exp(log b_s - A_s))

Batch first: B batch, T time, I input, H hidden. In float32 the sums lose digits as A_t falls: expect the forms to
differ by about 1e-4; compare them in float64.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.checks import check_layer_call, check_sizes
from course_utils.models.sequences import last_steps, zero_padding


def sequential_scan(log_a: Tensor, log_b: Tensor, h0: Tensor) -> Tensor:
    """Return h_1 … h_T of h_t = a_t h_{t-1} + b_t, one step after another: T steps, each O(1).

    Args:
        log_a, log_b: (B, T, H), logarithms of a and of b.
        h0: (B, H), of any sign.

    Returns:
        (B, T, H).
    """
    h, outputs = h0, []
    for a, b in zip(log_a.exp().unbind(1), log_b.exp().unbind(1), strict=True):
        h = a * h + b
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def log_space_scan(log_a: Tensor, log_b: Tensor, h0: Tensor) -> Tensor:
    """Return what `sequential_scan` does, by running sums in log space over all steps at once.

    Arguments and result as there. h_0 enters outside the logarithm, since the recurrence is linear in it: it may
    be zero or negative.
    """
    total = log_a.cumsum(dim=1)  # A_t, (B, T, H)
    log_h = total + torch.logcumsumexp(log_b - total, dim=1)
    return total.exp() * h0[:, None] + log_h.exp()


def doubling_scan(log_a: Tensor, log_b: Tensor, h0: Tensor) -> Tensor:
    """Return what `sequential_scan` does, in log2 T rounds that join neighbors (Hillis & Steele, 1986).

    Arguments and result as there. After round k, (a_t, b_t) carries h_{t-2^k} to h_t. Joining (a, b) and then
    (a', b') gives (a'a, a'b + b').
    """
    a, b = log_a.exp(), log_b.exp()
    span, steps = 1, a.shape[1]
    while span < steps:
        joined_a = a[:, span:] * a[:, :-span]  # (B, T - span, H)
        joined_b = a[:, span:] * b[:, :-span] + b[:, span:]
        a = torch.cat((a[:, :span], joined_a), dim=1)  # the first `span` steps already start from h_0
        b = torch.cat((b[:, :span], joined_b), dim=1)
        span *= 2
    return a * h0[:, None] + b


SCANS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "log": log_space_scan,
    "doubling": doubling_scan,
    "sequential": sequential_scan,
}


def log_g(v: Tensor) -> Tensor:
    """Return log g(v) of any shape, with g(v) = v + 1/2 for v ≥ 0 and σ(v) below: continuous, positive, increasing.

    The clamp keeps the logarithm from v = -1/2, where its 1/0 would turn the other branch's gradient into NaN.
    """
    return torch.where(v >= 0, (v.clamp(min=0) + 0.5).log(), F.logsigmoid(v))


class _MinimalLayer(nn.Module):
    """What both layers share: one product for the gates of all steps, a scan, and the layer contract."""

    GATES: int

    def __init__(self, input_size: int, hidden_size: int, scan: str = "log") -> None:
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        if scan not in SCANS:
            raise ValueError(f"scan must be in {list(SCANS)}, got {scan!r}")
        self.input_size, self.hidden_size, self.scan = input_size, hidden_size, scan
        self.weight_ih = nn.Parameter(torch.empty(self.GATES * hidden_size, input_size))
        self.bias = nn.Parameter(torch.empty(self.GATES * hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator: each gate Xavier uniform, the bias zero."""
        for gate in self.weight_ih.chunk(self.GATES):
            nn.init.xavier_uniform_(gate)
        nn.init.zeros_(self.bias)

    def log_terms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return log a and log b, each (…, H), from x (…, I)."""
        raise NotImplementedError

    def forward(
        self, x: Tensor, state: Tensor | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run over all steps.

        Args:
            x: (B, T, I), T at least 1.
            state: h_0 (B, H), of any sign, or None for zeros.
            lengths: (B,) int64, the real steps of each row, or None when all T are.

        Returns:
            output: h_1 … h_T, (B, T, H), zero at padding.
            state: each row's last h, (B, H).

        Raises:
            ValueError: x, state or lengths have another shape or range.
        """
        x, h, lengths = check_layer_call(x, state, lengths, self.input_size, self.hidden_size)
        output = SCANS[self.scan](*self.log_terms(x), h)  # (B, T, H)
        state = last_steps(output, lengths)  # (B, H)
        return (output if lengths is None else zero_padding(output, lengths)), state


class MinGRU(_MinimalLayer):
    """The minimal GRU (section 3.1): an update gate and a candidate, 2 H (I + 1) parameters.

    Args:
        input_size: I, at least 1.
        hidden_size: H, at least 1.
        scan: "log" (parallel, the paper's), "doubling" (parallel, without logarithms) or "sequential".

    Parameters: `weight_ih` (2H, I), `bias` (2H,); the gate's rows first, then the candidate's.

    Raises:
        ValueError: a size below 1 or an unknown scan.
    """

    GATES = 2

    def log_terms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return log (1 - z) and log (z h̃), each (…, H), from x (…, I)."""
        gate, candidate = F.linear(x, self.weight_ih, self.bias).chunk(2, dim=-1)
        # log σ(k) = -softplus(-k) and 1 - σ(k) = σ(-k)
        return -F.softplus(gate), -F.softplus(-gate) + log_g(candidate)


class MinLSTM(_MinimalLayer):
    """The minimal LSTM (section 3.2): forget and input gate, made to add to one, and a candidate: 3 H (I + 1).

    Arguments and errors as for `MinGRU`. Parameters: `weight_ih` (3H, I), `bias` (3H,); rows in the order
    forget, input, candidate.
    """

    GATES = 3

    def log_terms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return log f' and log (i' h̃), each (…, H), from x (…, I)."""
        forget, enter, candidate = F.linear(x, self.weight_ih, self.bias).chunk(3, dim=-1)
        odds = F.softplus(-forget) - F.softplus(-enter)  # log i - log f, and f' = 1 / (1 + i / f)
        return -F.softplus(odds), -F.softplus(-odds) + log_g(candidate)
