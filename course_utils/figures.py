"""The course's style sheet, and showing a figure together with words for those who do not see it."""

from __future__ import annotations

import base64
import html
import io
import sys
from importlib.resources import as_file, files
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure
from PIL import Image

from course_utils.progress import running_kernel


def use_course_style() -> None:
    """Make the course's style sheet the default for every figure drawn from here on."""
    with as_file(files("course_utils") / "course.mplstyle") as path:
        matplotlib.style.use(path)


def show(fig: Figure, alt: str) -> None:
    """Display a figure in the notebook with words for those who do not see it. Elsewhere, do nothing.

    The output holds a small PNG with the text in its metadata, `<Figure: …>` as plain text, and an HTML image
    with the text as its alternative, which is the form that JupyterLab hands to a screen reader. The bytes
    depend on the drawing alone: no date, no version.

    Args:
        fig: the figure.
        alt: what the figure shows, in a sentence or two; the finding rather than the axes.

    Raises:
        ValueError: alt is blank.
    """
    if not alt.strip():
        raise ValueError("alt must say what the figure shows, got a blank text")
    if running_kernel() is None:
        return
    from IPython.display import display

    data, metadata = image_bundle(fig, alt)
    display(data, metadata=metadata, raw=True)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(fig)  # else the notebook would show it once more, without words


def image_bundle(fig: Figure, alt: str) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Return what `show` displays: data by MIME type, and metadata by MIME type."""
    png, (width, height) = to_png(fig)
    encoded = base64.b64encode(png).decode("ascii")
    source = f"data:image/png;base64,{encoded}"
    tag = f'<img src="{source}" width="{width}" height="{height}" alt="{html.escape(alt)}">'
    data = {"image/png": encoded, "text/html": tag, "text/plain": f"<Figure: {alt}>"}
    return data, {"image/png": {"alt": alt, "width": width, "height": height}}


def to_png(fig: Figure) -> tuple[bytes, tuple[int, int]]:
    """Return the figure as PNG of at most 128 colors (a third of the bytes), and its size in pixels."""
    raw = io.BytesIO()
    fig.savefig(raw, format="png", facecolor="white")
    picture = Image.open(raw).convert("RGB").quantize(128)  # drops what Matplotlib wrote about itself
    small = io.BytesIO()
    picture.save(small, format="PNG", optimize=True)
    return small.getvalue(), picture.size
