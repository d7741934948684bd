"""Echo state network (Jaeger, 2001, "The 'echo state' approach", GMD report 148; corrected in 2010).

A large random recurrent network, the reservoir, is never trained. Only a linear readout is, in closed form:

    h_t = (1 - a) h_{t-1} + a tanh(W_ih x_t + W_hh h_{t-1} + b)          a: leak, 0 < a ≤ 1
    y_t = W_ho [x_t, h_t] + b_o                                          ridge regression

(the leaky units are those of Jaeger, Lukoševičius, Popovici & Siewert, 2007, with a step of 1). To
generate, the output becomes the next input. That is Jaeger's feedback through W_back: training shows the network
its targets in place of its outputs (teacher forcing), so no extra weights are needed.

Batch first: B batch, T time, I input, H hidden, O output. Weights are drawn by NumPy from a seed and kept in
float64: ridge regression on hundreds of almost parallel states needs the digits.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.models.checks import check_layer_call, check_sizes
from course_utils.models.sequences import last_steps, length_mask, zero_padding


def spectral_radius(weight: Tensor) -> float:
    """Return the largest |eigenvalue| of a square matrix (H, H)."""
    return torch.linalg.eigvals(weight).abs().max().item()


class Reservoir(nn.Module):
    """A fixed random network of leaky tanh units; a recurrent layer whose weights are buffers.

    Args:
        input_size: I, at least 1.
        hidden_size: H, at least 1.
        spectral_radius: the largest |eigenvalue| that W_hh is scaled to, at least 0. Below 1 a reservoir fed with zeros
            forgets its past; under strong input it may still do so above 1.
        leak: a, in (0, 1]; a small one makes slow units.
        density: share of W_hh that is not zero, in (0, 1]: each unit listens to round(density · H) others or
            itself, at least one.
        input_scale, bias_scale: W_ih and b are uniform between plus and minus these.
        seed: of all weights.

    Buffers: `weight_ih` (H, I), `weight_hh` (H, H), `bias` (H,), float64.

    Raises:
        ValueError: an argument out of range.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        spectral_radius: float = 0.95,
        leak: float = 1.0,
        density: float = 0.1,
        input_scale: float = 1.0,
        bias_scale: float = 0.2,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        for name, value in (("leak", leak), ("density", density)):
            if not 0 < value <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {value}")
        scales = {"spectral_radius": spectral_radius, "input_scale": input_scale, "bias_scale": bias_scale}
        for name, value in scales.items():
            if not value >= 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        self.input_size, self.hidden_size, self.leak = input_size, hidden_size, leak
        rng = np.random.default_rng(seed)
        recurrent = rng.uniform(-1, 1, (hidden_size, hidden_size))
        # As many connections into each unit: then every unit lies behind some loop, and the radius is not zero.
        order = rng.random((hidden_size, hidden_size)).argsort(axis=1)
        recurrent[order >= max(1, round(density * hidden_size))] = 0.0
        recurrent *= spectral_radius / np.abs(np.linalg.eigvals(recurrent)).max()
        self.register_buffer("weight_hh", torch.from_numpy(recurrent))
        self.register_buffer(
            "weight_ih", torch.from_numpy(input_scale * rng.uniform(-1, 1, (hidden_size, input_size)))
        )
        self.register_buffer("bias", torch.from_numpy(bias_scale * rng.uniform(-1, 1, hidden_size)))

    def forward(
        self, x: Tensor, state: Tensor | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run over all steps.

        Args:
            x: (B, T, I), T at least 1, of the weights' dtype.
            state: h_0 (B, H), or None for zeros.
            lengths: (B,) int64, the real steps of each row, or None when all T are.

        Returns:
            output: h_1 … h_T, (B, T, H), zero at padding.
            state: each row's last h, (B, H).

        Raises:
            ValueError: x, state or lengths have another shape or range.
        """
        x, h, lengths = check_layer_call(x, state, lengths, self.input_size, self.hidden_size)
        outputs = []
        for projected in (x @ self.weight_ih.T + self.bias).unbind(1):  # T times (B, H)
            h = (1 - self.leak) * h + self.leak * torch.tanh(projected + h @ self.weight_hh.T)
            outputs.append(h)
        output = torch.stack(outputs, dim=1)  # (B, T, H)
        state = last_steps(output, lengths)  # (B, H)
        return (output if lengths is None else zero_padding(output, lengths)), state


def ridge_regression(features: Tensor, targets: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Return the weight and bias that minimize Σ |y - W f - b|² + penalty · |W|²; the bias is not penalized.

    By the singular values s of the centered features, W = V diag(s / (s² + penalty)) Uᵀ Y. The normal
    equations would square s and lose half the digits.

    Args:
        features: (N, F).
        targets: (N, O).
        penalty: at least 0. With 0, the least-squares solution of least norm.

    Returns:
        weight (O, F), bias (O,).

    Raises:
        ValueError: shapes that do not belong together, or a penalty below 0.
    """
    if features.dim() != 2 or targets.dim() != 2 or len(features) != len(targets) or len(features) < 1:
        got = f"{tuple(features.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"features must be (N, F) and targets (N, O) with one N >= 1, got {got}")
    if not penalty >= 0:
        raise ValueError(f"penalty must be at least 0, got {penalty}")
    mean_f, mean_y = features.mean(0), targets.mean(0)
    u, s, vh = torch.linalg.svd(features - mean_f, full_matrices=False)  # (N, K), (K,), (K, F)
    tiny = s.max() * max(features.shape) * torch.finfo(s.dtype).eps  # what rounding leaves of a zero
    shrink = torch.where(s > tiny, s / (s * s + penalty), 0.0) if penalty == 0 else s / (s * s + penalty)
    weight = ((targets - mean_y).T @ u * shrink) @ vh  # (O, F)
    return weight, mean_y - weight @ mean_f


class EchoStateNetwork(nn.Module):
    """A reservoir and its linear readout of [x_t, h_t].

    Args:
        reservoir: gives the states.
        output_size: O, at least 1.

    Buffers: `weight_ho` (O, I + H) and `bias_o` (O,), zero until `fit`.

    Raises:
        ValueError: output_size below 1.
    """

    weight_ho: Tensor
    bias_o: Tensor

    def __init__(self, reservoir: Reservoir, output_size: int) -> None:
        super().__init__()
        check_sizes(output_size=output_size)
        self.reservoir, self.output_size = reservoir, output_size
        width = reservoir.input_size + reservoir.hidden_size
        self.register_buffer("weight_ho", reservoir.weight_hh.new_zeros(output_size, width))
        self.register_buffer("bias_o", reservoir.weight_hh.new_zeros(output_size))

    @torch.no_grad()
    def fit(
        self,
        x: Tensor,
        y: Tensor,
        *,
        washout: int = 100,
        penalty: float = 1e-6,
        lengths: Tensor | None = None,
    ) -> EchoStateNetwork:
        """Set the readout by ridge regression of y on [x, h]; return self.

        Args:
            x: (B, T, I).
            y: (B, T, O), the target of each step.
            washout: first steps of each row that only warm up the state, 0..T-1.
            penalty: see `ridge_regression`.
            lengths: (B,), real steps of each row, or None.

        Raises:
            ValueError: y has another shape, washout is out of range or leaves no step to learn from.
        """
        if y.shape != (*x.shape[:2], self.output_size):
            raise ValueError(f"y must be {(*x.shape[:2], self.output_size)}, got {tuple(y.shape)}")
        h, _ = self.reservoir(x, None, lengths)
        steps = x.shape[1]
        used = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)  # (B, T)
        if lengths is not None:
            used = length_mask(lengths, steps)
        used = used & (torch.arange(steps, device=x.device) >= washout)
        if washout < 0 or not used.any():
            raise ValueError(f"washout must be at least 0 and leave a step to learn from, got {washout}")
        features = torch.cat((x, h), dim=-1)[used]  # (N, I + H)
        self.weight_ho, self.bias_o = ridge_regression(features, y[used], penalty)
        return self

    def read(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the output (…, O) from inputs (…, I) and the states they led to (…, H)."""
        return torch.cat((x, h), dim=-1) @ self.weight_ho.T + self.bias_o

    def forward(
        self, x: Tensor, state: Tensor | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return outputs (B, T, O), zero at padding, and the last states (B, H); see `Reservoir.forward`."""
        h, state = self.reservoir(x, state, lengths)
        if lengths is None:
            return self.read(x, h), state
        return zero_padding(self.read(zero_padding(x, lengths), h), lengths), state

    @torch.no_grad()
    def generate(self, x: Tensor, steps: int, state: Tensor | None = None) -> Tensor:
        """Listen to x, then run freely: each output is the next input. For networks fitted to predict x_{t+1}.

        Args:
            x: (B, T, I), what really happened; it drives the state.
            steps: values to generate, at least 1.
            state: h_0 (B, H), or None for zeros.

        Returns:
            (B, steps, O): the forecasts of steps T + 1, T + 2, …

        Raises:
            ValueError: O is not I, or steps below 1.
        """
        if self.output_size != self.reservoir.input_size:
            sizes = f"O={self.output_size}, I={self.reservoir.input_size}"
            raise ValueError(f"only a network with as many outputs as inputs runs freely, got {sizes}")
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        y, state = self(x, state)
        outputs = [y[:, -1:]]
        for _ in range(steps - 1):
            y, state = self(outputs[-1], state)
            outputs.append(y)
        return torch.cat(outputs, dim=1)  # (B, steps, O)
