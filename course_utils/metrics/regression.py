"""Errors of forecasts, in the data's own unit, in percent, and beside the naive forecast.

Sources: Hyndman & Koehler (2006), "Another look at measures of forecast accuracy", International Journal of
Forecasting 22, which also tells when MAPE misleads: it explodes near zero, and it is kinder to forecasts that are too
low (an error of at most 100 %) than to those too high (no limit).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from course_utils.metrics.arrays import as_floats


def mae(predicted: ArrayLike | Tensor, target: ArrayLike | Tensor) -> float:
    """Return the mean absolute error, in the target's unit. Any one shape.

    Raises:
        ValueError: unequal shapes, nothing inside, or an entry that is not finite.
    """
    return float(np.abs(_errors(predicted, target)[0]).mean())


def rmse(predicted: ArrayLike | Tensor, target: ArrayLike | Tensor) -> float:
    """Return the root of the mean squared error, in the target's unit; large errors weigh more. As `mae`."""
    return float(np.sqrt(np.square(_errors(predicted, target)[0]).mean()))


def mape(predicted: ArrayLike | Tensor, target: ArrayLike | Tensor) -> float:
    """Return the mean of |error| / |target| in percent: 100 means errors as large as the values.

    Raises:
        ValueError: a target of 0, for which no percentage exists, or as `mae`.
    """
    errors, wanted = _errors(predicted, target)
    zeros = np.argwhere(wanted == 0)
    if len(zeros):
        place = ", ".join(map(str, zeros[0]))
        raise ValueError(
            f"target must not be 0 for a percentage, got {len(zeros)} zeros, the first at position {place}; "
            "use mae or mase"
        )
    return float(100 * np.abs(errors / wanted).mean())


def mase(
    predicted: ArrayLike | Tensor, target: ArrayLike | Tensor, history: ArrayLike | Tensor, *, period: int = 1
) -> float:
    """Return the mean absolute error over that of the naive forecast on the history (Hyndman & Koehler, 2006).

    Below 1, the forecast beats "as one period ago" at its one-step-ahead best.

    Args:
        predicted, target: any one shape.
        history: (N,), the training series, which alone sets the scale.
        period: steps in a season; 1 repeats the last value.

    Raises:
        ValueError: a period outside 1..N-1, a history in which the naive forecast is never wrong, or as `mae`.
    """
    past = as_floats("history", history, ("N",))
    if not 1 <= period < len(past):
        raise ValueError(f"period must be in 1..N-1={len(past) - 1}, got {period}")
    scale = np.abs(past[period:] - past[:-period]).mean()
    if scale == 0:
        raise ValueError(f"history must not repeat itself exactly every {period} steps: the scale would be 0")
    return float(mae(predicted, target) / scale)


def _errors(
    predicted: ArrayLike | Tensor, target: ArrayLike | Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    wanted = as_floats("target", target)
    return as_floats("predicted", predicted, wanted.shape) - wanted, wanted
