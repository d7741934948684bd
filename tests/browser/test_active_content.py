"""Scripts in a submission never run in front of whoever reads it: a real browser opens what instructors and students open.

The same submission, shown by Jupyter's plain HTML export, does run them: that page is the proof that this test would see it.
"""

import copy
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from course_admin.grading.audit import Audit
from course_admin.grading.classroom import Course, feedback, grade_class
from course_admin.report import write_report
from tests.attacks.load import attacks
from tests.attacks.runners import LIMITS
from tests.browser.conftest import Lab, serving
from tests.grading import tiny

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
SCRIPT = "window.zqxRan = (window.zqxRan || 0) + 1; alert('zqx')"
MARKUP = (
    f'<script>{SCRIPT}</script><img src="zqx-missing.png" onerror="{SCRIPT}">'
    '<iframe srcdoc="<script>top.alert(1)</script>"></iframe>'
    f'<details open ontoggle="{SCRIPT}">x</details>'
    f'<form action="https://evil.example/zqx"><button autofocus onfocus="{SCRIPT}">b</button></form>'
    '<img src="https://evil.example/zqx-seen.png"><link rel="stylesheet" href="https://evil.example/zqx.css">'
    '<meta http-equiv="refresh" content="0;url=https://evil.example/zqx-away">'
)
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{SCRIPT}"><script>{SCRIPT}</script></svg>'
DATA = {
    "text/html": MARKUP,
    "application/javascript": SCRIPT,
    "image/svg+xml": SVG,
    "text/markdown": MARKUP,
    "text/latex": r"$\href{javascript:alert(1)}{x}$",
    "image/png": f'"><script>{SCRIPT}</script>',
    "application/vnd.jupyter.widget-view+json": {"model_id": "zqx", "version_major": 2, "version_minor": 0},
    "text/plain": f"{MARKUP} text",
}
OUTPUTS = [
    *({"output_type": "display_data", "data": {kind: data}, "metadata": {}} for kind, data in DATA.items()),
    {"output_type": "execute_result", "data": DATA, "metadata": {}, "execution_count": 1},
    {"output_type": "stream", "name": "stdout", "text": MARKUP},
    {
        "output_type": "error",
        "ename": MARKUP,
        "evalue": MARKUP,
        "traceback": [MARKUP, f"\x1b[31m{MARKUP}\x1b[0m"],
    },
]
DISPLAY = f"""\
from IPython.display import display
for kind, data in {DATA!r}.items():
    display({{kind: data}}, raw=True)
print({MARKUP!r})
"""
NAMED = "\"'><img src=x onerror=\"window.zqxRan = 1; alert('zqx')\">"  # a folder's name: no slash, at most 128 letters
STUDENTS = ["harm_everything", *(attack.name for attack in attacks() if attack.kind == "harm")]


@dataclass
class Watch:
    """What a page did that it should not."""

    dialogs: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)  # what it asked for at evil.example


@pytest.fixture
def watched(page) -> Watch:
    watch = Watch()

    def dialog(box) -> None:
        watch.dialogs.append(box.message)
        box.dismiss()

    page.on("dialog", dialog)
    page.on(
        "request", lambda asked: watch.strangers.append(asked.url) if "evil.example" in asked.url else None
    )
    page.route("**/*evil.example/**", lambda route: route.abort())
    return watch


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tiny.Tiny:
    """A class of submissions full of scripts, graded, with feedback."""
    course = tiny.Tiny(tmp_path_factory.mktemp("harm") / "course", tiny.OURS.format(limits=LIMITS))
    course.generate()
    course.submit("harm_everything", everything(course))
    for attack in attacks():
        if attack.kind == "harm":
            attack.submit(course, attack.name)
    raising = f"def scale(x, k):\n    raise ValueError({MARKUP[:280]!r})"
    course.submit(NAMED, course.right(tasks=f"review = {NAMED!r}", scale=raising))
    marks = grade_class(Course(course.root, tiny.NAME), [*STUDENTS, NAMED], limits=LIMITS)
    assert {record.error for record in marks} == {""}
    course.submit(f"{NAMED} unmarked", b"")
    with Audit(course.root).writing() as audit:
        audit.fail(f"{NAMED} unmarked", tiny.NAME, {}, MARKUP)
        audit.add("harm_everything", tiny.NAME, {"version": MARKUP}, {}, [MARKUP, f"please look: {MARKUP}"])
    assert feedback(Course(course.root, tiny.NAME), STUDENTS) == {}
    write_report(Course(course.root, tiny.NAME))
    return course


@pytest.fixture(scope="module")
def server(graded: tiny.Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with serving(graded.root, tmp_path_factory.mktemp("jupyter")) as running:
        yield running


def everything(course: tiny.Tiny) -> dict:
    """A right submission whose every cell carries markup, and an extra one that displays it when it is run."""
    notebook = course.right(why=f"Fine. {MARKUP}\n\n{SVG}\n\n[press](javascript:alert(1))")
    shown = copy.deepcopy(next(cell for cell in notebook["cells"] if cell["cell_type"] == "code"))
    shown |= {"id": "shown", "metadata": {}, "source": DISPLAY, "outputs": []}
    notebook["cells"].insert(2, shown)
    notebook["cells"].append({"cell_type": "markdown", "id": "raw", "metadata": {}, "source": MARKUP + SVG})
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = copy.deepcopy(OUTPUTS)
    return notebook


def stayed_harmless(page, watch: Watch, address: str) -> None:
    page.wait_for_timeout(1500)  # what an image's handler or a late script would take
    assert page.evaluate("window.zqxRan") is None
    assert (watch.dialogs, watch.strangers) == ([], [])
    assert page.url.startswith(address)


def test_this_test_would_see_a_script_run(page, watched: Watch, graded: tiny.Tiny, tmp_path: Path) -> None:
    from nbconvert import HTMLExporter

    raw = graded.folder("harm_everything") / f"{tiny.NAME}.ipynb"
    leave = json.dumps('http-equiv="refresh"')[1:-1]  # it would lead the browser away
    notebook = nbformat.reads(raw.read_text(encoding="utf-8").replace(leave, ""), as_version=4)
    text, _ = HTMLExporter(sanitize_html=False).from_notebook_node(notebook)
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri(), wait_until="domcontentloaded")
    page.wait_for_timeout(500)
    assert watched.dialogs and watched.strangers


@pytest.mark.parametrize("student", STUDENTS)
def test_feedback_runs_nothing(page, watched: Watch, graded: tiny.Tiny, student: str) -> None:
    file = graded.root / "feedback" / student / tiny.NAME / f"{tiny.NAME}.html"
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    stayed_harmless(page, watched, "file:")
    if student == "harm_everything":
        page.screenshot(path=Path(__file__).parents[2] / "build" / "screens" / "harm-feedback.png")


@pytest.mark.parametrize("policy", [True, False], ids=["as it is", "without its policy"])
def test_report_runs_nothing(page, watched: Watch, graded: tiny.Tiny, policy: bool) -> None:
    file = graded.root / "report" / f"{tiny.NAME}.html"
    text = file.read_text(encoding="utf-8")
    assert text.count("window.zqxRan") >= 8 and text.count("evil.example") >= 3  # it is all there, as text
    if not policy:  # escaping alone must do
        kept = [line for line in text.splitlines(keepends=True) if "Content-Security-Policy" not in line]
        file = file.with_name("without-policy.html")
        file.write_text("".join(kept), encoding="utf-8")
    page.on(
        "request", lambda asked: watched.strangers.append(asked.url) if asked.url != file.as_uri() else None
    )
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    page.wait_for_timeout(200)
    watched.strangers = [url for url in watched.strangers if not url.startswith("data:image/png;base64,")]
    stayed_harmless(page, watched, "file:")
    assert (
        page.locator(
            "script, iframe, object, embed, form, link, svg, [onerror], [onload], [ontoggle]"
        ).count()
        == 0
    )
    if policy:
        page.screenshot(
            path=Path(__file__).parents[2] / "build" / "screens" / "harm-report.png", full_page=True
        )


@pytest.mark.parametrize("student", STUDENTS)
def test_formgrader_runs_nothing(page, watched: Watch, server: Lab, student: str) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{server.root}/gradebook.db") as gradebook:
        number = gradebook.find_submission_notebook(tiny.NAME, tiny.NAME, student).id
    page.goto(server.address("lab"))  # signs in: the formgrader's own pages ask for the cookie
    page.wait_for_selector(".jp-LabShell")
    page.goto(server.address(f"formgrader/submissions/{number}/"), wait_until="domcontentloaded")
    page.locator("input.score").first.wait_for()
    stayed_harmless(page, watched, server.url)
    if student == "harm_everything":
        page.screenshot(path=server.screens / "harm-formgrader.png", full_page=True)
