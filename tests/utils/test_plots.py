"""The drawing functions of `course_utils.plots` and the cell diagrams: what the artists hold, and what is refused."""

import io
from functools import cache

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle
from PIL import Image
from sklearn.decomposition import PCA

from course_utils.diagrams import BACK, INPUT, OUTPUT, STATE
from course_utils.figures import to_png
from course_utils.metrics import reliability
from course_utils.plotting import (
    AMBER,
    anomaly_spans,
    attention_heatmap,
    bidirectional_network,
    confusion_matrix,
    forecast_fan,
    gate_activity,
    gradient_flow,
    hidden_scatter,
    hidden_trajectories,
    loss_curves,
    lstm_cell,
    piano_roll,
    principal_components,
    reliability_diagram,
    results_by_length,
    stacked_network,
    use_course_style,
)

RNG = np.random.default_rng(0)
STATES = RNG.normal(size=(12, 5)) * [3, 2, 1, 0.5, 0.1]
SURE = np.linspace(0.05, 0.95, 40)
HALF = np.arange(40) % 2 == 0
TEXT = 'He said "open it."\n'

DRAWINGS = {
    "gradient_flow": lambda: gradient_flow(
        {"vanilla": np.logspace(-9, 0, 20)[None].repeat(3, 0), "LSTM": np.ones(20)}
    ),
    "results_by_length": lambda: results_by_length(
        {"GRU": [[1, 0.9], [1, 0.7]]}, [5, 10], ylabel="accuracy", trained_to=7, references={"chance": 0.5}
    ),
    "confusion_matrix": lambda: confusion_matrix([[9, 1], [2, 8]], ["down", "up"]),
    "attention_heatmap": lambda: attention_heatmap(np.eye(3), list("abc"), ["le", "chat", "dort"]),
    "gate_activity": lambda: gate_activity(RNG.random((2, len(TEXT))), TEXT, width=10),
    "hidden_trajectories": lambda: hidden_trajectories({"one": STATES, "two": STATES[:4] + 1}),
    "hidden_scatter": lambda: hidden_scatter(STATES, np.arange(12), label="bracket depth"),
    "reliability_diagram": lambda: reliability_diagram(
        {"a": reliability(SURE, HALF), "b": reliability(SURE, ~HALF)}
    ),
    "piano_roll": lambda: piano_roll([(60, 1), (None, 1), (67, 2)]),
    "anomaly_spans": lambda: anomaly_spans(np.sin(SURE * 9), [(3, 6)], HALF, score=SURE, threshold=0.5),
    "forecast_fan": lambda: forecast_fan(SURE, {0.1: [0.7, 0.6], 0.5: [0.8, 0.8], 0.9: [0.9, 1.0]}),
    "stacked_network": lambda: stacked_network(2, 3),
    "residual": lambda: stacked_network(3, 3, residual=True),
    "bidirectional_network": lambda: bidirectional_network(3),
    "lstm_cell": lstm_cell,
}
DIAGRAMS = ("stacked_network", "residual", "bidirectional_network", "lstm_cell")


@pytest.fixture(autouse=True)
def course_style():
    with mpl.rc_context():
        use_course_style()
        yield


@cache
def drawing(name):
    return DRAWINGS[name]()


def points(line):
    return np.asarray(line.get_xydata(), dtype=float)


def ticks(axis):
    return [tick.get_text() for tick in axis.get_ticklabels()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_a_small_png_as_wide_as_a_notebook_at_most(name):
    png, (width, height) = to_png(drawing(name))
    picture = Image.open(io.BytesIO(png))
    assert picture.size == (width, height) and 250 <= width <= 900 and len(png) < 30_000
    assert len(np.unique(np.asarray(picture))) > 10


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_is_clipped_and_no_text_is_too_small(name):
    fig = drawing(name)
    fig.draw_without_rendering()  # lays it out
    drawn, page = fig.get_tightbbox(), fig.bbox_inches.padded(0.03)
    assert page.x0 <= drawn.x0 <= drawn.x1 <= page.x1 and page.y0 <= drawn.y0 <= drawn.y1 <= page.y1
    assert min(text.get_fontsize() for text in fig.findobj(mpl.text.Text) if text.get_text()) >= 9


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name not in DIAGRAMS])
def test_every_figure_has_labeled_axes(name):
    for ax in drawing(name).axes:
        if ax.get_label() == "<colorbar>":
            assert ax.yaxis.get_label().get_text()
            continue
        fig = ax.get_figure()
        for which in ("x", "y"):
            labels = [
                getattr(other, f"get_{which}label")()
                for other in fig.axes
                if other.get_label() != "<colorbar>"
            ]
            names = [t for t in ticks(getattr(ax, f"{which}axis")) if any(c.isalpha() for c in t)]
            assert any(labels) or names


def test_no_drawing_is_left_in_pyplot():
    before = plt.get_fignums()
    for draw in DRAWINGS.values():
        draw()
    assert plt.get_fignums() == before


def test_gradient_flow_draws_the_median_and_all_repeats_on_a_logarithmic_axis():
    norms = np.array([[1e-8, 1e-2], [1e-6, 1e-1], [1e-3, 1.0]])
    ax = gradient_flow({"vanilla": norms, "LSTM": [0.0, 1.0]}).axes[0]
    np.testing.assert_allclose(points(ax.lines[0]), [[1, 1e-6], [2, 1e-1]])
    band = np.asarray(ax.collections[0].get_paths()[0].vertices)
    assert set(band[band[:, 0] == 1, 1]) == {1e-8, 1e-3} and len(ax.collections) == 1
    assert ax.get_yscale() == "log" and np.isnan(points(ax.lines[1])[0, 1])  # 0 has no place on the axis
    assert legend(ax) == ["vanilla", "LSTM"]


def test_curves_differ_in_more_than_color():
    for ax in (
        loss_curves({name: [1.0, 2.0] for name in "abcde"}).axes[0],
        gradient_flow({name: [1.0, 2.0] for name in "abcde"}).axes[0],
    ):
        assert len({str(line._unscaled_dash_pattern) for line in ax.lines}) == 5


def test_a_band_on_a_logarithmic_axis_stays_above_zero():
    ax = loss_curves({"net": [[0.1, 0.1], [9.9, 0.3]]}, log=True).axes[0]
    band = np.asarray(ax.collections[0].get_paths()[0].vertices)
    assert band[band[:, 0] == 1, 1].min() == 0.1
    assert band[band[:, 0] == 2, 1].min() == pytest.approx(0.2 - np.sqrt(0.02))


def test_results_by_length_draw_mean_deviation_and_what_lies_beyond_training():
    ax = results_by_length(
        {"GRU": [[1, 0.9], [1, 0.7]], "LSTM": [1, 1]}, [5, 10], ylabel="accuracy", trained_to=7, log=True
    ).axes[0]
    np.testing.assert_allclose(points(ax.lines[0]), [[5, 1], [10, 0.8]])
    (whiskers,) = ax.containers[0][2]
    low, high = whiskers.get_segments()[1][:, 1]
    assert (low, high) == pytest.approx((0.8 - np.sqrt(0.02), 0.8 + np.sqrt(0.02)))
    assert ticks(ax.xaxis) == ["5", "10"] and legend(ax) == ["GRU", "LSTM", "longer than in training"]
    assert [patch.get_x() for patch in ax.patches] == [7]


def test_confusion_matrix_colors_by_the_row_and_writes_counts():
    ax = confusion_matrix([[9, 1], [0, 0]], ["down", "up"]).axes[0]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.9, 0.1], [0, 0]])
    assert [text.get_text() for text in ax.texts] == ["90 %\n(9)", "10 %\n(1)", "0", "0"]
    assert [text.get_color() for text in ax.texts][:2] == ["black", "white"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


def test_attention_heatmap_puts_source_below_and_target_at_the_side():
    weights = [[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]
    ax = attention_heatmap(weights, ["a", " ", "b"], ["$x$", "y"]).axes[0]
    np.testing.assert_allclose(ax.images[0].get_array(), weights)
    assert ticks(ax.xaxis) == ["a", "␣", "b"] and ticks(ax.yaxis) == [r"\$x\$", "y"]
    assert ax.images[0].get_clim() == (0, 1)


def test_gate_activity_breaks_lines_and_loses_no_token():
    values = np.arange(2 * len(TEXT)).reshape(2, -1) / 40
    fig = gate_activity(values, TEXT, ["gate 3", "gate 7"], width=8)
    panels = [ax for ax in fig.axes if ax.get_label() != "<colorbar>"]
    assert "".join(t for ax in panels for t in ticks(ax.xaxis)) == TEXT.replace(" ", "␣").replace("\n", "↵")
    np.testing.assert_allclose(np.concatenate([ax.images[0].get_array() for ax in panels], 1), values)
    assert all(ticks(ax.yaxis) == ["gate 3", "gate 7"] and ax.get_xlim() == (-0.5, 7.5) for ax in panels)
    assert {ax.images[0].get_clim() for ax in panels} == {(0, 1)}
    assert panels[-1].images[0].get_extent()[1] == len(TEXT) % 8 - 0.5  # the last line is not stretched
    one = gate_activity(values[0], TEXT).axes[0]
    assert ticks(one.yaxis) == ["unit 0"]


@settings(deadline=None, max_examples=30)
@given(n=st.integers(4, 10), h=st.integers(3, 6), seed=st.integers(0, 99))
def test_principal_components_are_those_of_scikit_learn(n, h, seed):
    states = np.random.default_rng(seed).normal(size=(n, h))
    directions, shares, mean = principal_components(states, 2)
    theirs = PCA(2).fit(states)
    np.testing.assert_allclose(np.abs(directions), np.abs(theirs.components_), atol=1e-8)
    np.testing.assert_allclose(shares, theirs.explained_variance_ratio_)
    np.testing.assert_allclose(mean, theirs.mean_)
    assert (directions.max(axis=1) == np.abs(directions).max(axis=1)).all()


def test_trajectories_share_one_plane():
    ax = hidden_trajectories({"a": STATES[:8], "b": STATES[8:]}, tokens={"b": list("wxyz")}).axes[0]
    directions, shares, mean = principal_components(STATES)
    paths = [line for line in ax.lines if line.get_label() in "ab"]
    drawn = np.concatenate([points(line) for line in paths])
    np.testing.assert_allclose(drawn, (STATES - mean) @ directions.T)
    assert [text.get_text() for text in ax.texts] == list("wxyz")
    assert ax.get_xlabel() == f"component 1 ({100 * shares[0]:.0f} % of variance)"
    assert legend(ax) == ["a", "b", "first state", "last state"]
    assert [to_hex(line.get_color()) for line in paths] == [
        "#0072b2",
        "#d55e00",
    ]  # markers take no color of the cycle


def test_scatter_is_colored_by_the_values():
    fig = hidden_scatter(STATES, np.arange(12), label="bracket depth")
    assert fig.axes[0].collections[0].get_array().tolist() == list(range(12))
    assert fig.axes[1].get_ylabel() == "bracket depth"


def test_reliability_diagram_draws_accuracy_gap_and_counts():
    result = reliability([0.3, 0.8, 0.9], [0, 1, 0], bins=2)
    top, low = reliability_diagram({"GRU": result}).axes
    accuracy, gap = top.containers
    assert [bar.get_height() for bar in accuracy] == [0, 0.5]
    assert [bar.get_y() + bar.get_height() for bar in gap] == pytest.approx([0.3, 0.85])
    assert [bar.get_height() for bar in low.patches] == pytest.approx([1 / 3, 2 / 3])
    assert top.texts[0].get_text() == f"ECE {result.ece:.3f}" and top.get_title(loc="left") == "GRU"


def test_piano_roll_is_a_box_a_note():
    ax = piano_roll([(60, 1), (None, 0.5), (67, 2)], bar=2).axes[0]
    boxes = [(p.get_x(), p.get_width(), p.get_y() + p.get_height() / 2) for p in ax.containers[0]]
    np.testing.assert_allclose(boxes, [(0, 1, 60), (1.5, 2, 67)])
    assert [line.get_xdata()[0] for line in ax.lines] == [0, 2]
    assert {"C4", "G4"} <= set(ticks(ax.yaxis)) and "C#4" not in ticks(ax.yaxis)
    assert ax.get_xlim() == (0, 3.5) and ax.get_xlabel() == "time (quarter notes)"


def test_anomalies_are_shaded_where_labeled_and_marked_where_flagged():
    series = np.arange(6.0)
    top, low = anomaly_spans(series, [(1, 3), (5, 6)], [0, 1, 0, 0, 0, 1], score=series, threshold=2.5).axes
    for ax in (top, low):
        shaded = [p for p in ax.patches if isinstance(p, Rectangle)]
        assert [(p.get_x(), p.get_x() + p.get_width()) for p in shaded] == [(0.5, 2.5), (4.5, 5.5)]
        assert {to_hex(p.get_facecolor()).upper() for p in shaded} == {AMBER}
    np.testing.assert_allclose(points(top.lines[1]), [[1, 1], [5, 5]])
    assert low.lines[1].get_ydata()[0] == 2.5 and legend(top) == ["labeled anomaly", "alarm"]
    assert len(anomaly_spans(series, [], [0] * 6).axes) == 1


@pytest.mark.parametrize("scored", [False, True])
def test_title_and_legend_of_anomalies_do_not_cover_each_other(scored):
    title = "a series with a name that is rather long, as those of benchmarks are"
    fig = anomaly_spans(SURE, [(1, 3)], HALF, score=SURE if scored else None, title=title)
    with io.BytesIO() as file:
        fig.savefig(file)  # lays the figure out
    top = fig.axes[0]
    legend, written = top.get_legend().get_window_extent(), top.title.get_window_extent()
    assert legend.y0 >= top.get_window_extent().y1 - 1 and written.y0 >= legend.y1 - 1
    assert written.y1 <= fig.bbox.y1 + 1


def test_fan_stands_at_the_end_with_the_widest_band_below():
    levels = {0.25: [4, 4], 0.75: [6, 6], 0.05: [3, 2], 0.95: [7, 8], 0.5: [5, 5]}
    ax = forecast_fan(np.arange(5), levels).axes[0]
    assert legend(ax) == ["90 % band", "50 % band", "median forecast", "true"]
    wide = np.asarray(ax.collections[0].get_paths()[0].vertices)
    assert set(wide[:, 0]) == {3, 4} and set(wide[wide[:, 0] == 4, 1]) == {2, 8}
    np.testing.assert_allclose(points(ax.lines[0]), [[3, 5], [4, 5]])


@pytest.mark.parametrize(
    "draw, colors, sums",
    [
        (lambda: stacked_network(3, 4), {INPUT: 4, STATE: 12, OUTPUT: 4}, 0),
        (lambda: stacked_network(2, 3, residual=True), {INPUT: 3, STATE: 6, OUTPUT: 3}, 6),
        (lambda: bidirectional_network(4), {INPUT: 4, STATE: 4, BACK: 4, OUTPUT: 4}, 0),
        (lstm_cell, {STATE: 3, INPUT: 1, OUTPUT: 1}, 4),
    ],
)
def test_diagrams_have_the_parts_they_should(draw, colors, sums):
    ax = draw().axes[0]
    boxes = [to_hex(p.get_facecolor()).upper() for p in ax.patches if isinstance(p, FancyBboxPatch)]
    assert {color: boxes.count(color) for color in colors} == colors
    assert sum(isinstance(p, Circle) for p in ax.patches) == sums


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: gradient_flow({}), "norms must hold at least one curve, got none"),
        (lambda: gradient_flow({"a": [-1.0]}), r"norms\['a'\] must be at least 0, got -1"),
        (
            lambda: gradient_flow({"a": np.ones((1, 1, 1))}),
            r"norms\['a'\] must be \(repeats, T\) or \(T,\), got \(1, 1, 1\)",
        ),
        (
            lambda: results_by_length({"a": [1, 2]}, [1], ylabel=""),
            r"results\['a'\] must have L=1 lengths, got 2",
        ),
        (lambda: results_by_length({"a": [1, 2]}, [2, 1], ylabel=""), r"lengths must be \(L,\) and rise"),
        (lambda: confusion_matrix([[1, 2]], ["a"]), r"counts must be \(1, 1\), got \(1, 2\)"),
        (lambda: confusion_matrix([[-1]], ["a"]), "counts must be at least 0, got -1"),
        (
            lambda: attention_heatmap([[1.0]], ["a", "b"], ["c"]),
            r"weights must be \(T, S\)=\(1, 2\), got \(1, 1\)",
        ),
        (lambda: attention_heatmap([[1.5]], ["a"], ["c"]), r"weights must be in 0\.\.1"),
        (lambda: gate_activity([0.5], "ab"), r"activity must be \(U, T\)=\(1, 2\), got \(1, 1\)"),
        (lambda: gate_activity([0.5], "a", width=0), "width must be at least 1, got 0"),
        (lambda: hidden_trajectories({"a": [[1, 2]], "b": [[1, 2, 3]]}), r"share one H, got \[2, 3\]"),
        (
            lambda: hidden_trajectories({"a": STATES}, tokens={"a": "xy"}),
            r"tokens\['a'\] must be T=12 tokens, got 2",
        ),
        (lambda: hidden_scatter(STATES, [1], label=""), r"values must be \(N,\)=\(12,\), got \(1,\)"),
        (lambda: principal_components(STATES, 6), r"count must be in 1\.\.5, got 6"),
        (lambda: reliability_diagram({}), "models must hold at least one"),
        (lambda: piano_roll([(None, 1)]), "at least one note that sounds"),
        (lambda: piano_roll([(60, 0)]), "positive durations, got 0 at position 0"),
        (lambda: piano_roll([(200, 1)]), r"pitches in 0\.\.127, got 200"),
        (lambda: piano_roll([(60, 1)], bar=0), "bar must be positive or None, got 0"),
        (lambda: anomaly_spans([1, 2], [(1, 3)], [0, 0]), r"labeled must be in 0\.\.T=2.*got \(1, 3\)"),
        (lambda: anomaly_spans([1, 2], [], [0]), r"flags must be \(2,\), got \(1,\)"),
        (lambda: anomaly_spans([1, 2], [], [0, 0], score=[1]), r"score must be \(2,\), got \(1,\)"),
        (lambda: anomaly_spans([1, 2], [], [0, 0], threshold=1), "score is None"),
        (lambda: forecast_fan([1, 2], {0.1: [1]}), r"pairs q and 1 - q, got \[0\.1\]"),
        (lambda: forecast_fan([1, 2], {0.0: [1], 1.0: [2]}), "levels more than 0"),
        (lambda: forecast_fan([1, 2], {0.1: [1], 0.9: [1, 2]}), r"of one K in 1\.\.T=2"),
        (lambda: forecast_fan([1, 2], {0.1: [2], 0.9: [1]}), "quantiles must not cross"),
        (lambda: stacked_network(1), r"layers must be in 2\.\.4, got 1"),
        (lambda: stacked_network(2, 9), r"steps must be in 2\.\.6, got 9"),
        (lambda: bidirectional_network(1), r"steps must be in 2\.\.6, got 1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
