"""Grade attacks in a tiny course: with stock nbgrader, and with ours."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course_admin.grading.classroom import Course, Graded, feedback, grade_class
from tests.attacks.listener import listening
from tests.attacks.load import Attack
from tests.grading import tiny

LIMITS = {
    "cell_cpu_s": 3.0,
    "test_cpu_s": 4.0,
    "memory_mb": 1500,
    "file_mb": 64,
    "output_kb": 256,
    "restarts": 4,
}
HONEST = "zoe"  # graded after every attack of a batch
REPOSITORY = Path(__file__).parents[2]


@dataclass
class Batch:
    """A class of attacks graded by ours: the course, what became of each, what stood before and what stands after."""

    course: tiny.Tiny
    graded: dict[str, Graded]
    submitted_before: dict[str, bytes]
    submitted_after: dict[str, bytes]
    feedback_failed: dict[str, str]


def files(folder: Path) -> dict[str, bytes]:
    """Every plain file in a folder and what it holds."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def run_ours(root: Path, attacks: Iterable[Attack], jobs: int | None = None) -> Batch:
    """Grade the attacks and an honest submission as one class, then write feedback."""
    course = tiny.Tiny(root, tiny.OURS.format(limits=LIMITS))
    course.generate()
    names = []
    for attack in attacks:
        attack.submit(course, attack.name)
        names.append(attack.name)
    course.submit(HONEST, course.right())
    before = files(root / "submitted")
    with listening():
        graded = grade_class(Course(root, tiny.NAME), [*names, HONEST], jobs=jobs, limits=LIMITS)
    after = files(root / "submitted")
    failed = feedback(Course(root, tiny.NAME), [*names, HONEST])
    return Batch(course, {record.student: record for record in graded}, before, after, failed)


def stock_template(root: Path) -> tiny.Tiny:
    """A course for stock nbgrader: its own preprocessors, nothing configured."""
    course = tiny.Tiny(root, tiny.STOCK)
    course.generate()
    return course


def run_stock(template: tiny.Tiny, root: Path, attack: Attack) -> float | str:
    """Grade one attack and an honest submission with stock nbgrader, on a copy of `template`.

    It runs in a sandbox around nbgrader as a whole, so that an attack which succeeds succeeds against that copy alone.

    Returns:
        The attack's score, or what else became of the run.
    """
    if not attack.stock:
        return "not run: would harm the machine"
    shutil.copytree(template.root, root)
    course = tiny.Tiny.__new__(tiny.Tiny)
    course.root, course.release = root, root / "release" / tiny.NAME / f"{tiny.NAME}.ipynb"
    attack.submit(course, "attacker")
    course.submit(HONEST, course.right())
    try:
        subprocess.run(_boxed(root), timeout=240, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return "batch hung"
    return _stock_outcome(root / "gradebook.db")


def _boxed(root: Path) -> list[str]:
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    scripts = sysconfig.get_path("scripts")
    inner = (
        f"{sys.executable} -m tests.attacks.listener & cd {root} && {scripts}/nbgrader autograde {tiny.NAME}"
    )
    line = [bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent", "--new-session"]
    line += [
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--size",
        str(256 * 2**20),
        "--tmpfs",
        "/tmp",
    ]
    line += ["--bind", str(root), str(root), "--chdir", str(REPOSITORY)]
    environment = {"PATH": f"{scripts}:{os.environ.get('PATH', '')}", "HOME": "/tmp", "OMP_NUM_THREADS": "1"}
    line += ["--clearenv"]
    for name, value in environment.items():
        line += ["--setenv", name, value]
    limits = ["prlimit", f"--as={16 * 2**30}", "--nproc=4000", f"--fsize={256 * 2**20}", "--core=0"]
    return [*line, *limits, "--", "bash", "-c", inner]


def _stock_outcome(gradebook: Path) -> float | str:
    query = """
        SELECT student.id, SUM(COALESCE(grade.manual_score, grade.auto_score, 0)), COUNT(grade.auto_score)
        FROM grade JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
        JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
        JOIN student ON submitted_assignment.student_id = student.id GROUP BY student.id"""
    with sqlite3.connect(gradebook) as base:
        rows = {student: (score, marked) for student, score, marked in base.execute(query)}
    if HONEST not in rows or not rows[HONEST][1]:
        return "batch aborted"
    if "attacker" not in rows or not rows["attacker"][1]:
        return "no mark"
    if rows[HONEST][0] != 7.0:
        return f"{rows['attacker'][0]:g}, and changed another's mark"
    return float(rows["attacker"][0])
