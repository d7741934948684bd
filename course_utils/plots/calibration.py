"""Reliability diagrams: can a model's confidence be believed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from course_utils.plots.base import GRAY, ORANGE, SKY, require_some

if TYPE_CHECKING:  # plots work without the metrics, which some notebooks ask you to write
    from course_utils.metrics.classification import Reliability


def reliability_diagram(models: Mapping[str, Reliability], *, title: str = "") -> Figure:
    """Draw accuracy against confidence (Guo et al., 2017, figure 1), a column a model, and how many fell where.

    Bars are the accuracy in each bin, the hatched gap reaches to the mean confidence there. Below the diagonal a model
    is too sure of itself. The histogram below shows which bins carry weight.

    Args:
        models: name to what `metrics.reliability` returned.

    Raises:
        ValueError: no models.
    """
    require_some("models", models)
    fig = Figure(figsize=(min(max(4.4, 0.7 + 3.2 * len(models)), 10), 4.6))
    panels = fig.subplots(2, len(models), sharex=True, sharey="row", squeeze=False, height_ratios=[3, 1])
    fig.suptitle(title, x=0.01, ha="left", fontsize=12)
    for (name, result), (top, low) in zip(models.items(), panels.T, strict=True):
        centers = (result.edges[1:] + result.edges[:-1]) / 2
        width, filled = np.diff(result.edges), result.counts > 0
        centers, width = centers[filled], width[filled]
        accuracy, gap = result.accuracy[filled], (result.confidence - result.accuracy)[filled]
        top.bar(centers, accuracy, width, color=SKY, edgecolor="white", linewidth=0.8, label="accuracy")
        top.bar(
            centers, gap, width, bottom=accuracy, facecolor="none", edgecolor=ORANGE, hatch="////",
            linewidth=1.0, label="gap to confidence",
        )  # fmt: skip
        top.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1.4, label="perfect")
        top.text(
            0.97, 0.04, f"ECE {result.ece:.3f}", transform=top.transAxes, ha="right", va="bottom",
            bbox={"facecolor": "white", "edgecolor": GRAY, "boxstyle": "round,pad=0.3"},
        )  # fmt: skip
        top.set(title=name, xlim=(0, 1), ylim=(0, 1))
        low.bar(centers, result.counts[filled] / result.counts.sum(), width, color=GRAY, edgecolor="white")
        low.set(xlabel="confidence")
    panels[0, 0].set(ylabel="accuracy")
    panels[1, 0].set(ylabel="share")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, columnspacing=1.2, handlelength=1.6)
    return fig
