"""Count parameters, and find the width that gives a network the number it is allowed.

Two architectures compare fairly when they have equally many parameters, not equally many units: an LSTM has
four times the recurrent weights of a vanilla network with the same hidden size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from course_utils.models.checks import check_sizes


def count_parameters(model: nn.Module) -> int:
    """Return how many numbers training may change; a weight that two places share counts once."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def width_for(
    make: Callable[[int], nn.Module], target: int, *, multiple_of: int = 1, tolerance: float = 0.05
) -> int:
    """Return the width whose model comes nearest to `target` parameters.

    >>> width_for(lambda width: nn.Linear(width, 10), target=1000)
    99

    Args:
        make: builds the model of a width; more width, more parameters. The models built here have shapes but
            no memory, and drawing their weights moves no random generator.
        target: wished number of parameters, at least 1.
        multiple_of: try only multiples of this: a Transformer's number of heads, for example. Where these are
            too far apart, search its ff_size, at a fixed size, for the rest.
        tolerance: largest miss allowed, as a share of target.

    Raises:
        ValueError: target or multiple_of below 1, or no width within the tolerance.
    """
    check_sizes(target=target, multiple_of=multiple_of)

    def count(units: int) -> int:
        with torch.device("meta"):
            return count_parameters(make(units * multiple_of))

    high = 1
    while count(high) < target:
        high *= 2
    low = high // 2  # count(low) < target <= count(high); 0 stands for a width that does not exist
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < target else (low, middle)
    nearest = min((units for units in (low, high) if units), key=lambda units: abs(count(units) - target))
    if abs(count(nearest) - target) > tolerance * target:
        raise ValueError(
            f"target must be within {tolerance:.0%} of a width's count, got {target}; "
            f"width {nearest * multiple_of} has {count(nearest)}"
        )
    return nearest * multiple_of
