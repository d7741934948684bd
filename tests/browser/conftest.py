"""A real JupyterLab server over a course of its own, and a real Chromium that looks at it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "01_sequences_and_rnns"
BROWSER_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Lab:
    """A running JupyterLab: its address, its course folder, and where screenshots go."""

    url: str
    root: Path
    screens: Path

    def address(self, path: str) -> str:
        return f"{self.url}/{path}?token=secret"


def _solved(root: Path) -> dict:
    """The release notebook with the reference's answers in it."""
    read = lambda folder: json.loads((root / folder / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    source, release = read("source"), read("release")
    grader = lambda cell: cell["metadata"].get("nbgrader", {})
    answers = {
        grader(cell)["grade_id"]: cell["source"] for cell in source["cells"] if grader(cell).get("solution")
    }
    for cell in release["cells"]:
        if grader(cell).get("solution"):
            cell["source"] = answers[grader(cell)["grade_id"]]
    return release


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with section 01 built and one submission, of a student who solved everything."""
    root = tmp_path_factory.mktemp("course")
    for name in ("manuscript", "syllabus.toml", "nbgrader_config.py"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, root / name)
    subprocess.run(
        [sys.executable, "-P", "-m", "course_admin.cli", "build", "01"],
        cwd=root,
        check=True,
        capture_output=True,
    )
    handed_in = root / "submitted" / "ada" / NAME / f"{NAME}.ipynb"
    handed_in.parent.mkdir(parents=True)
    handed_in.write_text(json.dumps(_solved(root)), encoding="utf-8")
    (root / "work").mkdir()
    shutil.copy(root / "release" / NAME / f"{NAME}.ipynb", root / "work" / "untouched.ipynb")
    (root / "work" / "solved.ipynb").write_text(json.dumps(_solved(root)), encoding="utf-8")
    return root


@contextmanager
def serving(course: Path, home: Path) -> Iterator[Lab]:
    """JupyterLab over a course folder, with settings of its own in `home`."""
    screens = ROOT / "build" / "screens"
    screens.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bin_folder = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": bin_folder + os.pathsep + os.environ["PATH"],
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "COURSE_BUDGET": "quick",
        "OMP_NUM_THREADS": "1",
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--IdentityProvider.token=secret", f"--ServerApp.root_dir={course}", "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=course, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{url}/api?token=secret", timeout=5)
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, (home / "log").read_text()[-2000:]
                time.sleep(0.25)
        yield Lab(url, course, screens)
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture(scope="session")
def lab(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with serving(course, tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as started:
        instance = started.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        yield instance
        instance.close()


@pytest.fixture
def page(browser) -> Iterator:
    opened = browser.new_page(viewport={"width": 1400, "height": 1000})
    opened.set_default_timeout(60_000)
    yield opened
    opened.close()
