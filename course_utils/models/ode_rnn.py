"""ODE-RNN (Rubanova, Chen & Duvenaud, 2019, "Latent ODEs for irregularly-sampled time series", algorithm 1).

Between two observations the state follows an ordinary differential equation; at each one a gated or a plain
recurrent cell updates it. Time t_0 is where the sequence begins, with state h_0:

    h'_i = ODESolve(f, h_{i-1}, from t_{i-1} to t_i)        evolve
    h_i  = cell(x_i, h'_i)   where x_i was observed         update
    h_i  = h'_i              where it was not: a question about time t_i

Batch first: B batch, T time, I input, H hidden. Each row of a batch has gaps of its own. All of them are solved
together on one clock s from 0 to 1, on which a row with gap Δ follows dh/ds = Δ f(h). The fixed-step solvers
are ours; those of torchdiffeq, adaptive ones too, go by the name "torchdiffeq:…", such as "torchdiffeq:dopri5".
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.models.checks import check_layer_call, check_sizes
from course_utils.models.sequences import last_steps, length_mask, zero_padding

Field = Callable[[Tensor, Tensor], Tensor]

# Explicit Runge–Kutta methods as (a, b, c) of Butcher (1963): stage j stands at time c_j and builds on the
# stages before it with weights a_j; the step adds all stages with weights b. "rk4" is Kutta's (1901) classical
# method, "rk4_38" his 3/8 rule, which is what torchdiffeq calls "rk4". Both have order 4.
TABLEAUS: dict[str, tuple[tuple[tuple[float, ...], ...], tuple[float, ...], tuple[float, ...]]] = {
    "euler": (((),), (1.0,), (0.0,)),
    "midpoint": (((), (1 / 2,)), (0.0, 1.0), (0.0, 1 / 2)),
    "rk4": (
        ((), (1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)),
        (1 / 6, 1 / 3, 1 / 3, 1 / 6),
        (0.0, 1 / 2, 1 / 2, 1.0),
    ),
    "rk4_38": (
        ((), (1 / 3,), (-1 / 3, 1.0), (1.0, -1.0, 1.0)),
        (1 / 8, 3 / 8, 3 / 8, 1 / 8),
        (0.0, 1 / 3, 2 / 3, 1.0),
    ),
}
LIBRARY = "torchdiffeq:"


def runge_kutta_step(field: Field, t: Tensor, h: Tensor, dt: Tensor, method: str = "rk4") -> Tensor:
    """Return h (B, …) at time t + dt, by one step of an explicit Runge–Kutta method.

    Args:
        field: dh/dt = field(t, h), t (B,) and h (B, …) to the shape of h.
        t: (B,), the time of each row.
        h: (B, …), the state at that time.
        dt: (B,), the length of each row's step; negative goes back in time.
        method: "euler" (order 1), "midpoint" (2), "rk4" or "rk4_38" (4).

    Raises:
        ValueError: an unknown method.
    """
    if method not in TABLEAUS:
        raise ValueError(f"method must be in {list(TABLEAUS)}, got {method!r}")
    wide = dt.view(-1, *[1] * (h.dim() - 1))  # (B, 1, …)
    stages: list[Tensor] = []
    a, b, c = TABLEAUS[method]
    for a_j, c_j in zip(a, c, strict=True):
        stages.append(field(t + c_j * dt, _add(h, wide, a_j, stages)))
    return _add(h, wide, b, stages)


def _add(h: Tensor, dt: Tensor, weights: tuple[float, ...], stages: list[Tensor]) -> Tensor:
    """Return h + dt Σ w_j k_j; a weight of zero costs nothing."""
    terms = [w * k for w, k in zip(weights, stages, strict=True) if w]
    return h + dt * torch.stack(terms).sum(0) if terms else h


def solve(
    field: Field,
    h: Tensor,
    start: Tensor,
    end: Tensor,
    *,
    method: str = "rk4",
    steps: int = 1,
    rtol: float = 1e-6,
    atol: float = 1e-8,
) -> Tensor:
    """Follow dh/dt = field(t, h) from `start` to `end`, each row over its own interval.

    Gradients flow through every operation of the solver ("discretize, then optimize").

    Args:
        field: as for `runge_kutta_step`.
        h: (B, …), the state at time `start`.
        start, end: (B,), in units of time. Where they are equal, the state stays as it is.
        method: one of TABLEAUS, or "torchdiffeq:" and the name of one of its solvers. An adaptive one chooses
            its steps for the whole batch: which rows stand together then matters, within the tolerance.
        steps: number of equal steps, for methods with a fixed one. Long intervals get long steps.
        rtol, atol: relative and absolute error allowed to adaptive methods, per step.

    Returns:
        (B, …), the state at time `end`.

    Raises:
        ValueError: an unknown method, steps below 1, or times that are not (B,).
        ImportError: a method of torchdiffeq where that is not installed.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    for name, times in (("start", start), ("end", end)):
        if times.shape != h.shape[:1]:
            raise ValueError(f"{name} must be (B,)=({len(h)},), got {tuple(times.shape)}")
    if method.startswith(LIBRARY):
        return _solve_with_library(field, h, start, end, method.removeprefix(LIBRARY), steps, rtol, atol)
    dt = (end - start) / steps
    for step in range(steps):
        h = runge_kutta_step(field, start + step * dt, h, dt, method)
    return h


def _solve_with_library(
    field: Field, h: Tensor, start: Tensor, end: Tensor, name: str, steps: int, rtol: float, atol: float
) -> Tensor:
    from torchdiffeq import odeint  # imported only by those who ask for it

    gap = end - start
    wide = gap.view(-1, *[1] * (h.dim() - 1))  # (B, 1, …)
    # Methods with a fixed step take these times as their steps; adaptive ones choose their own in between.
    clock = torch.linspace(0, 1, steps + 1, dtype=h.dtype, device=h.device)
    on_clock = lambda s, state: wide * field(start + s * gap, state)  # dh/ds = Δ f
    return odeint(on_clock, h, clock, rtol=rtol, atol=atol, method=name)[-1]


class ODERNN(nn.Module):
    """A recurrent layer whose state moves between observations.

    The field is a small network of the state alone, f(h) = W_2 tanh(W_1 h + b_1) + b_2, as in the paper: the
    law does not change with time, only the state does.

    Args:
        input_size: I, at least 1. To say which of several features were seen, put their mask beside them in x.
        hidden_size: H, at least 1.
        cell: "gru" or "rnn", the update at an observation (torch.nn's).
        width: units of the field's hidden layer; None for H.
        method: of the solver; see `solve`.
        steps: solver steps for each gap, for methods with a fixed step.
        rtol, atol: for adaptive methods.

    Raises:
        ValueError: a size below 1, an unknown cell or method.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        cell: str = "gru",
        width: int | None = None,
        method: str = "rk4",
        steps: int = 1,
        rtol: float = 1e-4,
        atol: float = 1e-5,
    ) -> None:
        super().__init__()
        width = hidden_size if width is None else width
        check_sizes(input_size=input_size, hidden_size=hidden_size, width=width)
        cells: dict[str, type[nn.Module]] = {"gru": nn.GRUCell, "rnn": nn.RNNCell}
        if cell not in cells:
            raise ValueError(f"cell must be in {list(cells)}, got {cell!r}")
        if method not in TABLEAUS and not method.startswith(LIBRARY):
            raise ValueError(f"method must be in {list(TABLEAUS)} or begin with {LIBRARY!r}, got {method!r}")
        self.input_size, self.hidden_size = input_size, hidden_size
        self.method, self.steps, self.rtol, self.atol = method, steps, rtol, atol
        self.field = nn.Sequential(nn.Linear(hidden_size, width), nn.Tanh(), nn.Linear(width, hidden_size))
        self.cell = cells[cell](input_size, hidden_size)

    def evolve(self, h: Tensor, gap: Tensor) -> Tensor:
        """Return h (B, H) after `gap` (B,) units of time without an observation."""
        zero = torch.zeros_like(gap)
        settings = {"method": self.method, "steps": self.steps, "rtol": self.rtol, "atol": self.atol}
        return solve(lambda t, state: self.field(state), h, zero, gap, **settings)  # type: ignore[arg-type]

    def forward(
        self,
        x: Tensor,
        state: Tensor | None = None,
        lengths: Tensor | None = None,
        *,
        gaps: Tensor | None = None,
        observed: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run over all steps.

        Args:
            x: (B, T, I), T at least 1. What stands at a step that was not observed is ignored.
            state: h_0 (B, H), or None for zeros.
            lengths: (B,) int64, the real steps of each row, or None when all T are.
            gaps: (B, T), time since the step before (for the first: since h_0), at least 0; None for 1.
            observed: (B, T) bool, False where the state is only asked for; None when all were observed.

        Returns:
            output: h_1 … h_T, (B, T, H), zero at padding.
            state: each row's last h, (B, H).

        Raises:
            ValueError: an argument has another shape, or a gap is negative or not a number.
        """
        x, h, lengths = check_layer_call(x, state, lengths, self.input_size, self.hidden_size)
        B, T, _ = x.shape
        gaps = x.new_ones(B, T) if gaps is None else gaps.to(x.dtype)
        observed = (
            torch.ones(B, T, dtype=torch.bool, device=x.device) if observed is None else observed.bool()
        )
        for name, given in (("gaps", gaps), ("observed", observed)):
            if given.shape != (B, T):
                raise ValueError(f"{name} must be (B, T)={(B, T)}, got {tuple(given.shape)}")
        if lengths is not None:
            gaps = zero_padding(gaps, lengths)  # no time passes in padding and nothing is seen
            observed = observed & length_mask(lengths, T)
        wrong = (~((gaps >= 0) & gaps.isfinite())).nonzero()
        if len(wrong):
            row, step = wrong[0].tolist()
            got = gaps[row, step].item()
            raise ValueError(f"gaps must be finite and at least 0, got {got} at row {row}, step {step}")
        x = torch.where(observed[..., None], x, x.new_zeros(()))
        outputs = []
        for x_t, gap, seen in zip(x.unbind(1), gaps.unbind(1), observed.unbind(1), strict=True):
            h = self.evolve(h, gap)  # (B, H)
            h = torch.where(seen[:, None], self.cell(x_t, h), h)
            outputs.append(h)
        output = torch.stack(outputs, dim=1)  # (B, T, H)
        state = last_steps(output, lengths)  # (B, H)
        return (output if lengths is None else zero_padding(output, lengths)), state
