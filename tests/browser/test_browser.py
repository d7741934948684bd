"""What students and instructors see, in a real browser. Screenshots go to build/screens/."""

import json
import time
from pathlib import Path

import pytest

from tests.browser.conftest import NAME, Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _open(page, lab: Lab, path: str) -> None:
    page.goto(lab.address(f"lab/tree/{path}") + "&reset")
    page.wait_for_selector(".jp-NotebookPanel-toolbar")
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    )


def _run(page, command: str) -> None:
    page.evaluate("name => window.jupyterapp.commands.execute(name)", command)


def _outputs(path: Path) -> dict[str, list[dict]]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return {cell["id"]: cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"}


def _wait_for(condition, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.5)


def test_a_student_opens_the_release_and_runs_it(page, lab: Lab) -> None:
    _open(page, lab, "work/untouched.ipynb")
    assert page.locator("h1", has_text="Sequences").count() >= 1
    page.screenshot(path=lab.screens / "lab-release.png")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    file = lab.root / "work" / "untouched.ipynb"
    _wait_for(
        lambda: any(
            output.get("ename") == "NotImplementedError" for o in _outputs(file).values() for output in o
        )
    )
    outputs = _outputs(file)
    assert "budget: quick" in "".join(outputs["setup"][0]["text"])
    page.screenshot(path=lab.screens / "lab-release-run.png")


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("untouched.ipynb", "The following cell failed"),
        ("solved.ipynb", "Success! Your notebook passes all the tests"),
    ],
)
def test_validate_answers(page, lab: Lab, file: str, says: str) -> None:
    _open(page, lab, f"work/{file}")
    page.locator(".jp-NotebookPanel-toolbar >> text=Validate").click()
    dialog = page.locator(".jp-Dialog", has_text="Validation Results")
    dialog.wait_for(timeout=240_000)
    page.screenshot(path=lab.screens / f"validate-{Path(file).stem}.png")
    assert says in dialog.inner_text()


def test_formgrader_autogrades_in_the_sandbox_and_shows_the_written_answer(page, lab: Lab) -> None:
    page.goto(lab.address("lab"))  # signs in: the formgrader's own pages ask for the cookie
    page.wait_for_selector(".jp-LabShell")
    page.goto(lab.address(f"formgrader/manage_submissions/{NAME}"))
    page.locator("td.autograde a").first.wait_for()
    page.screenshot(path=lab.screens / "formgrader-submissions.png")
    page.locator("td.autograde a").first.click()
    page.locator("#success-modal, #error-modal").locator("visible=true").wait_for(timeout=300_000)
    page.screenshot(path=lab.screens / "formgrader-autograded.png")
    graded = lab.root / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
    notes = json.loads(graded.read_text(encoding="utf-8"))["metadata"]["course"]
    assert notes["sandbox"] is True
    assert {verdict["outcome"] for verdict in notes["verdicts"]} <= {"passed", "partly"}

    page.goto(lab.address(f"formgrader/gradebook/{NAME}/{NAME}"))
    page.locator("td.reveal a, td.name a").first.wait_for()
    page.screenshot(path=lab.screens / "formgrader-manual.png")
    page.locator("td.name a").first.click()
    page.locator("input.score").first.wait_for()
    rubric = page.get_by_text("what earns points").first
    rubric.scroll_into_view_if_needed()
    page.screenshot(path=lab.screens / "formgrader-written.png")
    assert (
        page.locator("input.score").count()
        == len(notes["verdicts"]) + page.get_by_text("what earns points").count()
    )
