"""Outputs: bounded while they are collected, and cleaned of everything that a reader's browser could run or fetch."""

import json
import re

import pytest
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from course_admin.grading.outputs import (
    TEXT_LIMIT,
    Collector,
    OutputFlood,
    clean,
    record_in,
    safe_markdown,
    text_of,
)

RECORD = "application/vnd.course.record+json"


def test_only_plain_text_and_pictures_are_shown():
    mimes = [
        "text/html",
        "image/svg+xml",
        "application/javascript",
        "text/latex",
        "text/markdown",
        "application/x",
    ]
    data = {mime: "<script>" for mime in mimes}
    assert clean({"output_type": "display_data", "data": data, "metadata": {}}) is None
    kept = clean({"output_type": "execute_result", "data": data | {"text/plain": "3", "image/png": "aGk="}})
    assert kept["data"] == {"text/plain": "3", "image/png": "aGk="}


def test_a_picture_is_base64_and_nothing_else():
    data = {"image/png": '"><script>alert</script>', "text/plain": "shown"}
    kept = clean({"output_type": "display_data", "data": data, "metadata": {}})
    assert not set('<>"') & set(kept["data"].get("image/png", ""))


def test_alternative_text_stays_plain():
    metadata = {"image/png": {"alt": '"><img onerror=x>', "width": 5, "evil": 1}, "other": 2}
    kept = clean({"output_type": "display_data", "data": {"image/png": "aGk="}, "metadata": metadata})[
        "metadata"
    ]
    assert kept["image/png"]["width"] == 5 and not set('<>"&') & set(kept["image/png"]["alt"])
    assert kept.keys() == {"image/png"} and "evil" not in kept["image/png"]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        3,
        [],
        {},
        {"output_type": "x"},
        {"output_type": "display_data", "data": 3},
        {"output_type": ["stream"]},
    ],
)
def test_odd_outputs_vanish(odd):
    assert clean(odd) is None


def test_errors_and_streams_are_bounded():
    error = {
        "output_type": "error",
        "ename": "E" * 9999,
        "evalue": ["x"],
        "traceback": ["\x1b[31mred\x1b[0m"] * 999,
    }
    kept = clean(error)
    assert len(kept["ename"]) == 200 and len(kept["traceback"]) == 200 and kept["traceback"][0] == "red"
    assert len(clean({"output_type": "stream", "text": "x" * 10**6})["text"]) < TEXT_LIMIT + 100
    assert clean({"output_type": "stream", "name": "evil", "text": 5})["name"] == "stdout"


def test_a_flood_is_stopped_and_what_came_first_is_kept():
    collector = Collector(1000)
    with pytest.raises(OutputFlood):
        for _ in range(100):
            collector.take("stream", {"name": "stdout", "text": "x" * 100})
    assert 0 < len(collector.outputs[0]["text"]) <= 1000


def test_messages_become_outputs():
    collector = Collector(10_000)
    collector.take("stream", {"name": "stdout", "text": "a"})
    collector.take("stream", {"name": "stdout", "text": "b"})
    collector.take("stream", {"name": "stderr", "text": "c"})
    collector.take("execute_result", {"data": {"text/plain": "3"}, "execution_count": 7})
    collector.take("comm_open", {"data": {}})
    collector.take("display_data", {})
    kinds = [(o["output_type"], o.get("text")) for o in collector.outputs]
    assert kinds == [("stream", "ab"), ("stream", "c"), ("execute_result", None)]
    collector.take("clear_output", {})
    collector.take("stream", {"name": "stdout", "text": "new"})
    assert len(collector.outputs) == 1


def test_records():
    rows = [{"k": 1, "error": 0.5, "name": "x"}]
    assert record_in({"data": {RECORD: {"name": "study", "rows": rows}}}) == ("study", rows)
    for wrong in (
        None,
        {},
        {"data": [RECORD]},
        {"data": {RECORD: {"name": 3, "rows": rows}}},
        {"data": {RECORD: {"name": "s", "rows": [3]}}},
        {"data": {RECORD: {"name": "s", "rows": [{"a": [1]}]}}},
        {"data": {RECORD: {"name": "s", "rows": [{}] * 10_001}}},
    ):
        assert record_in(wrong) is None


def test_a_saved_table_keeps_the_order_of_its_columns():
    """Jupyter saves notebooks with their keys sorted."""
    made = {"name": "study", "columns": ["setting", "accuracy"], "rows": [{"setting": "a", "accuracy": 0.5}]}
    saved = json.loads(json.dumps({"data": {RECORD: made}}, sort_keys=True))
    name, rows = record_in(saved)
    assert name == "study" and [list(row) for row in rows] == [["setting", "accuracy"]]
    for columns in ([3], [["a"]], "ab", ["setting"], None):
        saved["data"][RECORD]["columns"] = columns
        assert record_in(saved) == ("study", [{"accuracy": 0.5, "setting": "a"}])


DANGEROUS = [
    "<script>alert(1)</script>",
    "a<svg/onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<iframe src='https://evil.example'></iframe>",
    "<!-- -->",
    "[x](javascript:alert(1))",
    "![p](https://evil.example/z.png)",
    "[f]: https://evil.example/f.png\n\n![f]",
    "- [a]: https://evil.example/x.png\n\n![pic][a] ![a]",
    "> - [g]: https://evil.example/g.png\n\n![g]",
    "1. [b]: https://evil.example/w.png\n\n   ![b]",
    "[foo\nbar]: https://evil.example/y.png\n\n![foo\nbar]",
    "$$\\begin{x}<img src=x>\\end{x}$$",
    "![a](attachment:x.png)",
]


@pytest.mark.parametrize("text", DANGEROUS)
def test_markdown_fetches_and_runs_nothing(text):
    html = markdown2html_mistune(safe_markdown(text))
    assert not re.search(r"<(script|svg|img|iframe|!)", html), html
    assert 'href="javascript' not in html


@pytest.mark.parametrize(
    "command", ["href{javascript:alert(1)}{x}", "style{color:red}{x}", "cssId{a}{x}", "require{x}"]
)
def test_mathjax_commands_with_effects_are_defused(command):
    assert f"\\{command}" not in safe_markdown(f"$\\{command}$")


def test_mathematics_and_code_stay_legible():
    text = "$a < b$ and $\\displaystyle h_t = \\tanh(W x_t)$, `x[1:2]` and 3 <4"
    assert safe_markdown(text) == text


def test_text_of_anything():
    assert text_of(["a\n", "b"]) == "a\nb" and text_of(None) == "" and text_of(5) == "5"
    assert len(text_of("x" * 10**6)) < TEXT_LIMIT + 100
