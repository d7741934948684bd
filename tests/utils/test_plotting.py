"""Figures: what is drawn, and the words that go with it."""

import base64
import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from course_utils import figures
from course_utils.diagrams import INPUT, OUTPUT, STATE
from course_utils.figures import image_bundle, to_png
from course_utils.plotting import (
    bars,
    forecast,
    heatmap_table,
    loss_curves,
    show,
    unrolled_network,
    use_course_style,
)


@pytest.fixture(autouse=True)
def course_style():
    with mpl.rc_context():
        use_course_style()
        yield


def points(line):
    return np.asarray(line.get_xydata(), dtype=float)


DRAWINGS = {
    "loss_curves": lambda: loss_curves({"a": np.ones((3, 5)), "b": np.arange(5)}, references={"best": 0.5}),
    "heatmap_table": lambda: heatmap_table(
        np.array([[1, 2], [3, np.nan]]), ["a", "b"], ["c", "d"], label="error"
    ),
    "bars": lambda: bars({"a": 1.0, "b": 2.0}, sds={"a": 0.1}, label="loss (nats)", references={"best": 0.5}),
    "forecast": lambda: forecast(np.arange(6), {"raw": [3, 4], "scaled": [4, 5]}),
    "unrolled_network": unrolled_network,
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_a_small_png_whose_bytes_repeat(name):
    png, (width, height) = to_png(DRAWINGS[name]())
    assert to_png(DRAWINGS[name]())[0] == png
    picture = Image.open(io.BytesIO(png))
    assert picture.size == (width, height) and 500 <= width <= 900 and len(png) < 20_000
    assert not picture.info.keys() & {"Software", "Creation Time", "date:create"}
    assert len(np.unique(np.asarray(picture))) > 10  # something is drawn


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name != "unrolled_network"])
def test_every_axis_is_labeled_or_names_its_rows(name):
    for ax in DRAWINGS[name]().axes:
        for axis in (ax.xaxis, ax.yaxis):
            words = [axis.get_label().get_text(), *(tick.get_text() for tick in axis.get_ticklabels())]
            is_bare = ax.get_label() == "<colorbar>" and axis is ax.xaxis
            assert is_bare or any(any(c.isalpha() for c in word) for word in words)


def test_no_drawing_is_left_in_pyplot():
    before = plt.get_fignums()
    for draw in DRAWINGS.values():
        draw()
    assert plt.get_fignums() == before


def test_colors_are_those_of_okabe_and_ito():
    colors = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    published = [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233)]
    assert [to_hex(c) for c in colors[:6]] == [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in published]


def test_loss_curves_draw_mean_and_one_sample_deviation():
    runs = np.array([[1.0, 4.0], [3.0, 8.0]])
    ax = loss_curves({"net": runs}, log=True).axes[0]
    np.testing.assert_allclose(points(ax.lines[0]), [[1, 2], [2, 6]])
    band = np.asarray(ax.collections[0].get_paths()[0].vertices)
    half = np.sqrt([2, 8])
    for x, mean, sd in ((1, 2, half[0]), (2, 6, half[1])):
        ys = band[band[:, 0] == x, 1]
        assert ys.min() == pytest.approx(mean - sd) and ys.max() == pytest.approx(mean + sd)
    assert ax.get_yscale() == "log"


def test_loss_curves_average_over_the_past_only():
    ax = loss_curves({"net": [4.0, 2.0, 0.0, 1.0]}, smooth=3).axes[0]
    np.testing.assert_allclose(points(ax.lines[0])[:, 1], [4.0, 3.0, 2.0, 1.0])
    assert not ax.collections


def test_heatmap_writes_every_number_readably():
    fig = heatmap_table([[0.01, 1.0]], ["tanh"], ["a", "b"], sds=[[0.002, np.nan]], label="error", log=True)
    texts = fig.axes[0].texts
    assert [t.get_text() for t in texts] == ["0.010 ± 0.002", "1.000"]
    assert [t.get_color() for t in texts] == ["white", "black"]  # on the dark and on the bright end


def test_bars_run_from_top_to_bottom_and_write_mean_and_deviation():
    ax = bars({"a": 1.0, "b": 2.0}, sds={"a": 0.1}, label="loss").axes[0]
    assert [t.get_text() for t in ax.texts] == ["1.000 ± 0.100", "2.000"]
    assert ax.yaxis_inverted()


def test_forecast_puts_predictions_at_the_end():
    ax = forecast([10, 11, 12, 13], {"net": [12.5, 13.5]}).axes[0]
    np.testing.assert_allclose(points(ax.lines[1]), [[2, 12.5], [3, 13.5]])


@pytest.mark.parametrize(
    "kind, inputs, outputs", [("many-to-many", 6, 6), ("many-to-one", 6, 2), ("one-to-many", 2, 6)]
)
def test_unrolled_network_draws_what_the_kind_says(kind, inputs, outputs):
    ax = unrolled_network(kind, steps=5).axes[0]  # five steps beside one folded network
    colors = [to_hex(patch.get_facecolor()).upper() for patch in ax.patches if hasattr(patch, "get_boxstyle")]
    assert [colors.count(c) for c in (INPUT, STATE, OUTPUT)] == [inputs, 6, outputs]
    words = [text.get_text() for text in ax.texts]
    assert words.count("$W_{hh}$") == 5 and words.count("$W_{ih}$") == inputs


def test_the_bundle_says_the_same_in_every_form():
    alt = 'tanh < relu & "both" fall'
    data, metadata = image_bundle(loss_curves({"net": [2.0, 1.0]}), alt)
    assert data["text/plain"] == f"<Figure: {alt}>"
    assert metadata["image/png"]["alt"] == alt
    assert 'alt="tanh &lt; relu &amp; &quot;both&quot; fall"' in data["text/html"]
    assert data["image/png"] in data["text/html"]
    size = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).size
    assert size == (metadata["image/png"]["width"], metadata["image/png"]["height"])


def test_show_outside_a_notebook_does_nothing(capsys):
    fig = plt.figure()
    show(fig, alt="an empty figure")
    assert capsys.readouterr() == ("", "") and plt.fignum_exists(fig.number)
    plt.close(fig)


def test_show_in_a_notebook_displays_once_and_closes(monkeypatch):
    published = []
    monkeypatch.setattr(figures, "running_kernel", object)
    monkeypatch.setattr("IPython.core.interactiveshell.InteractiveShell.initialized", lambda: True)
    monkeypatch.setattr(
        "IPython.core.display_functions.publish_display_data",
        lambda data, metadata, **_: published.append((data, metadata)),
    )
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    show(fig, alt="a rising line")
    assert len(published) == 1 and published[0] == image_bundle(fig, "a rising line")
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: show(Figure(), alt=" "), "alt must say what the figure shows"),
        (lambda: loss_curves({}), "at least one curve, got none"),
        (lambda: loss_curves({"a": [1.0]}, smooth=0), "smooth must be at least 1, got 0"),
        (lambda: loss_curves({"a": np.zeros((1, 2, 3))}), r"histories\['a'\] must be .*got \(1, 2, 3\)"),
        (lambda: heatmap_table([[1, 2]], ["a"], ["b"], label=""), r"means must be \(1, 1\), got \(1, 2\)"),
        (lambda: heatmap_table([[1]], ["a"], ["b"], sds=[1], label=""), r"sds must be \(1, 1\), got \(1,\)"),
        (lambda: forecast([[1]], {}), r"truth must be \(T,\), got \(1, 1\)"),
        (lambda: forecast([1], {"a": [1, 2]}), r"predictions\['a'\] must be \(K,\), K <= 1, got \(2,\)"),
        (lambda: unrolled_network("many"), "kind must be in .*got 'many'"),
        (lambda: unrolled_network(steps=1), r"steps must be in 2\.\.8, got 1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
