"""Early stopping: end when the validation score no longer improves, and keep the weights of its best moment.

Prechelt (1998), "Early stopping — but when?". Ours is the simplest of its criteria with patience: stop after so many
evaluations in a row without a new best.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from torch import nn


class EarlyStopping:
    """Watches a score, such as a validation loss, and remembers the weights that gave the best one.

        stopping = EarlyStopping(patience=3)
        while not stopping.update(validation_loss(model), model):
            train_a_while(model)
        stopping.restore(model)

    A NaN is never a best score, so a training that diverges ends too.

    Args:
        patience: evaluations in a row without a new best after which to stop, at least 1.
        higher_is_better: for an accuracy; losses are best when low.
        least_gain: by how much a score must beat the best one so far to count, at least 0.

    Attributes:
        best: the best score, or None before the first.
        best_evaluation: how many evaluations came before and with it, from 1; 0 before the first.
        evaluations: how many there were.

    Raises:
        ValueError: patience < 1 or least_gain < 0.
    """

    def __init__(self, patience: int, *, higher_is_better: bool = False, least_gain: float = 0.0) -> None:
        if patience < 1:
            raise ValueError(f"patience must be at least 1, got {patience}")
        if not least_gain >= 0:
            raise ValueError(f"least_gain must be at least 0, got {least_gain}")
        self.patience, self.higher_is_better, self.least_gain = patience, higher_is_better, least_gain
        self.best: float | None = None
        self.best_evaluation = self.evaluations = 0
        self._weights: dict[str, Any] | None = None

    def update(self, score: float, model: nn.Module) -> bool:
        """Note a score; copy the weights when it is the best so far. Return True when it is time to stop."""
        self.evaluations += 1
        gain = math.inf if self.best is None else (score - self.best) * (1 if self.higher_is_better else -1)
        if gain > self.least_gain and not math.isnan(score):
            self.best, self.best_evaluation = score, self.evaluations
            self._weights = copy.deepcopy(model.state_dict())  # the state dict itself holds the live tensors
        return self.evaluations - self.best_evaluation >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Give the model the weights of the best score; without any, leave it as it is."""
        if self._weights is not None:
            model.load_state_dict(self._weights)
