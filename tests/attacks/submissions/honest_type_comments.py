# kind: honest
# deserved: 7
# flag: false
# about: annotations of every sort, and comments for a type checker
# right: tasks scale step

# %% cell tasks
review: str = "many-to-one"  # type: ignore[assignment]

# %% cell scale
from __future__ import annotations

from collections.abc import Sequence


def scale(x, k):  # type: (Sequence[float] | float, float) -> np.ndarray
    # noqa: D103
    y = np.asarray(x)  # type: ignore
    return y * k


# %% cell step
def step(x: torch.Tensor, h: "torch.Tensor", w: Unknown | None, u: list[Unknown]) -> torch.Tensor:
    return torch.tanh(x @ w + h @ u)  # type: ignore[operator]
