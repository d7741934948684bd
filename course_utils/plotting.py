"""Figures of the course: one style, colors that color-blind readers tell apart, and words for every picture.

    use_course_style()
    show(loss_curves({"tanh": losses}), alt="The tanh network's loss falls from 0.17 to 0.01 in 400 steps.")

How does training go?              loss_curves, gradient_flow
How do settings compare?           heatmap_table, bars, results_by_length, confusion_matrix, reliability_diagram
What does the network do inside?   attention_heatmap, gate_activity, hidden_trajectories, hidden_scatter
What does a series do next?        forecast, forecast_fan, anomaly_spans
What did it compose?               piano_roll
How is it built?                   unrolled_network, stacked_network, bidirectional_network, lstm_cell

Each function draws into `ax`, or into a new figure when it gets none, and returns the figure; those with several
panels always make their own. New figures are unknown to pyplot: nothing appears twice and nothing has to be closed.
"""

from course_utils.diagrams import (
    bidirectional_network,
    lstm_cell,
    stacked_network,
    unrolled_network,
)
from course_utils.figures import show, use_course_style
from course_utils.plots.base import AMBER, BLACK, BLUE, GRAY, GREEN, ORANGE, PURPLE, SKY, YELLOW
from course_utils.plots.calibration import reliability_diagram
from course_utils.plots.curves import gradient_flow, loss_curves, results_by_length
from course_utils.plots.music import piano_roll
from course_utils.plots.series import anomaly_spans, forecast, forecast_fan
from course_utils.plots.states import hidden_scatter, hidden_trajectories, principal_components
from course_utils.plots.tables import bars, confusion_matrix, heatmap_table
from course_utils.plots.tokens import attention_heatmap, gate_activity

__all__ = [
    "AMBER",
    "BLACK",
    "BLUE",
    "GRAY",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "SKY",
    "YELLOW",
    "anomaly_spans",
    "attention_heatmap",
    "bars",
    "bidirectional_network",
    "confusion_matrix",
    "forecast",
    "forecast_fan",
    "gate_activity",
    "gradient_flow",
    "heatmap_table",
    "hidden_scatter",
    "hidden_trajectories",
    "loss_curves",
    "lstm_cell",
    "piano_roll",
    "principal_components",
    "reliability_diagram",
    "results_by_length",
    "show",
    "stacked_network",
    "unrolled_network",
    "use_course_style",
]
