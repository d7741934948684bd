"""Outputs of student code: collected within bounds, and cleaned so that nothing in them can run in a reader's browser."""

from __future__ import annotations

import base64
import re
from typing import Any

from course_utils.checking.records import RECORD_MIME

# What a person may be shown. HTML, SVG, JavaScript, widgets and LaTeX-with-HTML stay out; text/plain always accompanies them.
SHOWN = ("text/plain", "image/png", "image/jpeg")
TEXT_LIMIT = 100_000
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class OutputFlood(Exception):
    """Student code printed or displayed more than it may."""


class Collector:
    """Takes iopub messages of one execution and makes notebook outputs of them.

    Args:
        limit: bytes before `OutputFlood` is raised.
    """

    def __init__(self, limit: int):
        self.outputs: list[dict] = []
        self.records: dict[str, list] = {}  # tables that `course_utils.checking.record` kept
        self._left = limit
        self._clear_next = False

    def take(self, kind: str, content: dict) -> None:
        """One message. Unknown kinds are ignored.

        Raises:
            OutputFlood: the limit is passed; what came before is kept.
        """
        if kind == "clear_output":
            self._clear_next = True
            return
        found = record_in(content)
        if found:
            self.records[found[0]] = found[1]
        output = _output(kind, content)
        if output is None:
            return
        self._left -= len(repr(output))
        if self._left < 0:
            raise OutputFlood
        if self._clear_next:
            self.outputs.clear()
            self._clear_next = False
        last = self.outputs[-1] if self.outputs else None
        if (
            last
            and output["output_type"] == last["output_type"] == "stream"
            and output["name"] == last["name"]
        ):
            last["text"] += output["text"]
        else:
            self.outputs.append(output)

    def error(self, name: str, message: str) -> None:
        """Add an error output of our own."""
        self.outputs.append(error_output(name, message))


def error_output(name: str, message: str) -> dict:
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": [f"{name}: {message}"]}


def stream_output(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def _output(kind: str, content: dict) -> dict | None:
    if kind == "stream" and content.get("name") in ("stdout", "stderr"):
        return {"output_type": "stream", "name": content["name"], "text": str(content.get("text", ""))}
    if kind in ("display_data", "execute_result", "update_display_data"):
        output: dict[str, Any] = {
            "output_type": "display_data",
            "data": content.get("data", {}),
            "metadata": content.get("metadata", {}),
        }
        if kind == "execute_result":
            output.update(output_type="execute_result", execution_count=None)
        return clean(output)
    if kind == "error":
        return clean(
            {"output_type": "error", **{key: content.get(key) for key in ("ename", "evalue", "traceback")}}
        )
    return None


def clean(output: Any) -> dict | None:
    """The output without anything that a browser could run; None if nothing is left.

    Args:
        output: a notebook output from a submission, of any shape.
    """
    if not isinstance(output, dict):
        return None
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": text_of(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        lines = [text_of(line) for line in lines][:200] if isinstance(lines, list) else []
        return {
            "output_type": "error",
            "ename": text_of(output.get("ename"))[:200],
            "evalue": text_of(output.get("evalue"))[:2000],
            "traceback": [ANSI.sub("", line).rstrip("\n") for line in lines],
        }
    if kind in ("display_data", "execute_result"):
        data = output.get("data")
        kept = (
            {mime: _shown(mime, data[mime]) for mime in SHOWN if mime in data}
            if isinstance(data, dict)
            else {}
        )
        kept = {mime: value for mime, value in kept.items() if value}
        if not kept:
            return None
        result: dict[str, Any] = {
            "output_type": kind,
            "data": kept,
            "metadata": _alt_text(output.get("metadata")),
        }
        if kind == "execute_result":
            result["execution_count"] = None
        return result
    return None


def record_in(output: Any) -> tuple[str, list] | None:
    """The table that `course_utils.checking.record` left in an output, as (name, rows), or None."""
    try:
        record = output["data"][RECORD_MIME]
        name, rows = record["name"], record["rows"]
    except (TypeError, KeyError):
        return None
    if not isinstance(name, str) or not isinstance(rows, list) or len(rows) > 10_000:
        return None
    columns = record.get("columns")
    if isinstance(columns, list) and all(isinstance(column, str) for column in columns):
        rows = [
            {column: row[column] for column in columns}
            if isinstance(row, dict) and row.keys() == set(columns)
            else row
            for row in rows
        ]
    plain = [row for row in rows if isinstance(row, dict) and all(_plain(v) for v in row.values())]
    return (name, plain) if len(plain) == len(rows) else None


def _plain(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, bool | int | float)
        or (isinstance(value, str) and len(value) < 1000)
    )


def _shown(mime: str, value: Any) -> str:
    text = text_of(value)
    if mime == "text/plain":
        return text
    try:
        base64.b64decode(text, validate=False)
    except ValueError:
        return ""
    return re.sub(r"[^A-Za-z0-9+/=\n]", "", "".join(value) if isinstance(value, list) else str(value))


def _alt_text(metadata: Any) -> dict:
    """Only the figure's alternative text and size, and only as plain text and numbers."""
    kept: dict[str, Any] = {}
    if isinstance(metadata, dict):
        png = metadata.get("image/png")
        if isinstance(png, dict):
            sizes = {k: png[k] for k in ("width", "height") if isinstance(png.get(k), int)}
            alt = {"alt": re.sub(r'[<>"&]', " ", png["alt"])[:500]} if isinstance(png.get("alt"), str) else {}
            if sizes or alt:
                kept["image/png"] = {**sizes, **alt}
    return kept


def text_of(value: Any) -> str:
    """Text of a field that may be text or a list of lines, bounded."""
    if isinstance(value, list):
        value = "".join(str(item) for item in value[:10_000])
    text = value if isinstance(value, str) else "" if value is None else str(value)
    text = text.encode(
        "utf-8", "replace"
    ).decode()  # JSON may hold half a surrogate, which no file and no database takes
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + "\n… (shortened)"


def shown_name(name: str) -> str:
    """A name from a submission as a flag may show it: one line, bounded, nothing that reorders or hides text."""
    plain = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in name[:100])
    return plain + "…" * (len(name) > 100)


def safe_markdown(text: str) -> str:
    """Markdown of a student with nothing that a browser could run or fetch.

    A `<` that could begin a tag gets a space behind it (mathematics and code stay legible); links and images become plain text,
    and so do TeX commands that make MathJax link, style or load.
    """
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", text)
    text = re.sub(r"\\(?=(?:href|url|style|class|cssId|require|includegraphics|data|html)\b)", r"\\ ", text)
    return text.replace("](", "] (").replace(
        "]:", "] :"
    )  # `[a]: address` may stand in a list or run over lines
