"""Nothing that belongs to the instructor may reach a student: a release is held against its source.

What is secret is read from the source notebook: the lines of solutions, hidden tests and mark schemes, and
the values of theory answers. What is allowed is listed: any output, tag, metadata key or attachment that a
release has no reason to carry is refused, whatever it holds.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from nbgrader.utils import compute_checksum

from course_admin.build_manuscript import NBVAL_RUNS_ONLY, TAGGED_ROLES
from course_admin.build_regions import HIDDEN_TESTS, MARK_SCHEME, SOLUTION, mention, public_lines, regions
from course_admin.leak_values import answer_values, answers, compared, mentions

_KINDS = {SOLUTION: "solution", HIDDEN_TESTS: "hidden test", MARK_SCHEME: "mark scheme"}
_CELL_KEYS = {"id", "cell_type", "metadata", "source", "outputs", "execution_count", "attachments"}
_CELL_METADATA = {"nbgrader", "tags", "deletable", "editable"}
_NOTEBOOK_METADATA = {
    "kernelspec": {"display_name", "language", "name"},
    "language_info": {"name"},
    "course": {"notebook"},
}
_MIN_WORD_CHARACTERS = 4  # a shorter line says nothing: `)`, `if x:`
_MIN_IN_BYTES = 4  # characters of a value that does not come about by chance in an image
_MIN_EMBEDDED = 12  # characters of a line that is looked for inside others


@dataclass(frozen=True)
class Leak:
    """One thing that a release may not hold."""

    # solution, hidden test, mark scheme, marker, output, execution count, metadata, tag, attachment …
    kind: str
    where: str  # the cell's id, or a file
    detail: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.where}: {self.detail}"


@dataclass(frozen=True)
class Secret:
    """One region of the source: its kind, its cell, and those of its lines that say something."""

    kind: str
    cell: str
    lines: tuple[str, ...]
    prose: bool  # written, not code


@dataclass
class Secrets:
    """What a source notebook keeps from students."""

    regions: list[Secret] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)  # an answer's value → its question
    answers: dict[str, Any] = field(default_factory=dict)  # the name of a theory answer → its value
    public: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.public_text = "\n".join(sorted(self.public))
        self.by_line = {line: secret for secret in self.regions for line in secret.lines}
        self.embedded = [line for line in self.by_line if len(line) >= _MIN_EMBEDDED]

    def find(self, line: str) -> Secret | None:
        """The region that this line gives away, if it gives away any."""
        line = normalize(line)
        if not line or line in self.public:
            return None
        if line in self.by_line:
            return self.by_line[line]
        return next((self.by_line[known] for known in self.embedded if known in line), None)

    def question_of(self, text: str, shortest: int = 1) -> str | None:
        """The theory question whose answer, of at least this length, is a word of the text."""
        values = [value for value in self.values if len(value) >= shortest and mentions(text, value)]
        return self.values[values[0]] if values else None


def normalize(line: str) -> str:
    """A line without indentation, comment and list marks, with single spaces."""
    return " ".join(line.split()).lstrip("#>*- ").strip()


def read_secrets(source: Any) -> Secrets:
    """The secrets of a source notebook."""
    public = {normalize(line) for cell in source.cells for line in public_lines(cell.source)} - {""}
    public_text = "\n".join(sorted(public))
    found: list[Secret] = []
    values: dict[str, str] = {}
    known: dict[str, Any] = {}
    for cell in source.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "?")
        for region in regions(cell.source):
            lines = [form for line in region.lines for form in _forms(line.text, cell.cell_type)]
            kept = [line for line in lines if _tells(line) and line not in public_text]
            prose = cell.cell_type != "code"
            found.append(Secret(_KINDS[region.name], name, tuple(dict.fromkeys(kept)), prose))
            if cell.cell_type == "code" and region.name == SOLUTION:
                given = answers(region.lines)
                known.update(given)
                values.update(dict.fromkeys(answer_values(given), name))
    return Secrets(found, values, known, public)


def check_leaks(source: Any, release: Any) -> list[Leak]:
    """Everything in a release notebook that a student must not have; empty when it may go out."""
    secrets = read_secrets(source)
    leaks = list(_notebook_metadata(release, source, secrets))
    theirs = {cell.get("id"): cell for cell in source.cells}
    for cell in release.cells:
        where = f"cell {cell.get('id', '?')}"
        if cell.get("id") not in theirs:
            leaks.append(Leak("cell", where, "the source has no such cell"))
        leaks.extend(check_text(secrets, cell.source, where))
        for name in compared(cell.source, secrets.answers) if cell.cell_type == "code" else []:
            leaks.append(Leak("solution", where, f"`{name}` is compared with its right value in plain sight"))
        leaks.extend(_outputs(cell, where, secrets))
        leaks.extend(_cell_metadata(cell, theirs.get(cell.get("id")), where, secrets))
        leaks.extend(_attachments(cell, where, secrets))
    return leaks


def check_text(secrets: Secrets, text: str, where: str) -> list[Leak]:
    """The secret lines and markers in a text, line by line."""
    leaks: list[Leak] = []
    for line in text.split("\n"):
        if mention(line):
            leaks.append(Leak("marker", where, f"`{line.strip()}`"))
        elif secret := secrets.find(line):
            leaks.append(Leak(secret.kind, where, f"a line of {secret.cell}: `{line.strip()}`"))
    return leaks


def _forms(line: str, cell_type: str) -> Iterator[str]:
    """A secret line, and the same without its trailing comment."""
    yield normalize(line)
    if cell_type == "code" and "#" in line:
        yield normalize(re.split(r"\s#", line, maxsplit=1)[0])


def _tells(line: str) -> bool:
    return len(re.findall(r"\w", line)) >= _MIN_WORD_CHARACTERS and not line.startswith(
        "raise NotImplementedError"
    )


def _outputs(cell: Any, where: str, secrets: Secrets) -> Iterator[Leak]:
    for output in cell.get("outputs", []):
        yield Leak("output", where, f"a release has no outputs{_holding(output, secrets)}")
    if cell.get("execution_count") is not None:
        yield Leak("execution count", where, f"the cell was run (In [{cell.execution_count}])")


def _notebook_metadata(release: Any, source: Any, secrets: Secrets) -> Iterator[Leak]:
    for key in sorted(set(release) - {"cells", "metadata", "nbformat", "nbformat_minor"}):
        yield Leak("metadata", "the notebook", f'unexpected key "{key}"{_holding(release[key], secrets)}')
    for key, value in release.metadata.items():
        theirs = source.metadata.get(key, {})
        extra = set(value) - _NOTEBOOK_METADATA.get(key, set()) if isinstance(value, dict) else {""}
        for inner in sorted(extra):
            name = f"{key}.{inner}" if inner else key
            held = value[inner] if inner else value
            yield Leak("metadata", "the notebook", f'unexpected key "{name}"{_holding(held, secrets)}')
        if not extra and key not in _NOTEBOOK_METADATA:
            yield Leak("metadata", "the notebook", f'unexpected key "{key}"')
        for inner in sorted(set(value) - extra if isinstance(value, dict) else ()):
            if value[inner] != theirs.get(inner):
                name = f"{key}.{inner}"
                yield Leak(
                    "metadata",
                    "the notebook",
                    f'"{name}" is not the source\'s{_holding(value[inner], secrets)}',
                )


def _cell_metadata(cell: Any, source: Any, where: str, secrets: Secrets) -> Iterator[Leak]:
    for key in sorted(set(cell) - _CELL_KEYS):
        yield Leak("metadata", where, f'unexpected key "{key}"{_holding(cell[key], secrets)}')
    for key in sorted(set(cell.metadata) - _CELL_METADATA):
        yield Leak("metadata", where, f'unexpected key "{key}"{_holding(cell.metadata[key], secrets)}')
    for key in ("deletable", "editable"):
        if not isinstance(cell.metadata.get(key, False), bool):
            yield Leak("metadata", where, f'"{key}" is no truth value{_holding(cell.metadata[key], secrets)}')
    for tag in cell.metadata.get("tags", []):
        if tag not in (*TAGGED_ROLES, NBVAL_RUNS_ONLY):
            yield Leak("tag", where, f'unexpected tag "{tag}"{_holding(tag, secrets)}')
    expected = dict(source.metadata.get("nbgrader", {})) if source is not None else {}
    note = cell.metadata.get("nbgrader", {})
    if "checksum" in note:
        expected["checksum"] = compute_checksum(cell)
    for key in sorted(note):
        if note[key] != expected.get(key):
            yield Leak(
                "metadata", where, f"nbgrader's \"{key}\" is not the source's{_holding(note[key], secrets)}"
            )


def _attachments(cell: Any, where: str, secrets: Secrets) -> Iterator[Leak]:
    for name, forms in cell.get("attachments", {}).items():
        if f"attachment:{name}" not in cell.source:
            yield Leak("attachment", where, f'"{name}" is shown nowhere in the cell')
        for kind, content in forms.items():
            text = _as_text(content)
            secret = next((found for line in text.split("\n") if (found := secrets.find(line))), None)
            question = secret.cell if secret else secrets.question_of(text, _MIN_IN_BYTES)
            if question:
                yield Leak("attachment", where, f'"{name}" ({kind}) holds the answer of {question}')


def _as_text(content: Any) -> str:
    """What an attachment says, base64 undone; bytes that are no text become characters all the same."""
    text = "".join(content) if isinstance(content, list) else str(content)
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text


def _holding(value: Any, secrets: Secrets) -> str:
    """The end of a message: whose answer the value holds, where it holds one."""
    texts = list(_leaves(value))
    secret = next(
        (found for text in texts for line in text.split("\n") if (found := secrets.find(line))), None
    )
    question = (
        secret.cell if secret else next((q for text in texts if (q := secrets.question_of(text))), None)
    )
    return f"; it holds the answer of {question}" if question else ""


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for item in value:
            yield from _leaves(item)
    else:
        yield str(value)
