"""Gradebooks to test with: SQLite files, and databases of a PostgreSQL server that lives as long as the test process.

The server is Debian's, in a folder of its own, reached by a Unix socket in that folder only; so several may run at once.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

KINDS = ("sqlite", "postgresql")
COURSE = "default_course"
_numbers = itertools.count(1)


class Server:
    """A PostgreSQL server. It refuses to run as root, so root starts it as somebody else."""

    def __init__(self, programs: Path):
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path holds some 100 letters
        self._programs = programs
        self._as: list[str] = []
        if os.getuid() == 0:
            somebody = _account()
            self._as = ["setpriv", f"--reuid={somebody}", f"--regid={_group(somebody)}", "--clear-groups"]
            shutil.chown(self.folder, somebody)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "course", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = f"-c listen_addresses= -k {self.folder} -F -c max_connections=40"
        self._control = ["-D", data, "-w", "-t", "120"]
        self._run("pg_ctl", *self._control, "-l", str(self.folder / "log"), "-o", options, "start")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as, str(self._programs / program), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{program}: {done.stdout} {log.read_text() if log.exists() else ''}")

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        return f"{driver}://course@/{database}?host={self.folder}"

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of another; returns its name."""
        name = f"course_{next(_numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def execute(self, statement: str) -> None:
        """Run a statement as the server's owner, outside any transaction."""
        import psycopg

        with psycopg.connect(
            f"host={self.folder} user=course dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        self._run("pg_ctl", *self._control, "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


@lru_cache(maxsize=1)
def server() -> Server:
    """The server of this test process, started on first use and stopped at its end; skips where it cannot be had."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: float(p.parts[-3]))
    if not found:
        pytest.skip("PostgreSQL's server is not installed (apt install postgresql)")
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL's server does not run as root, and setpriv is not installed")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    started = Server(found[-1].parent)
    atexit.register(started.stop)
    return started


def _account() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _group(account: str) -> int:
    return pwd.getpwnam(account).pw_gid


def new_gradebook(kind: str, folder: Path, built: Path) -> str:
    """The db_url of a gradebook of its own, which knows the cells of a built course.

    Args:
        folder: for a SQLite file.
        built: the built course's gradebook.db.
    """
    if kind == "sqlite":
        path = folder / f"gradebook-{next(_numbers)}.db"
        shutil.copyfile(built, path)
        return f"sqlite:///{path}"
    return server().url(server().create(_template(built)))


@lru_cache(maxsize=4)
def _template(built: Path) -> str:
    """A database with the rows of a SQLite gradebook."""
    from nbgrader.api import Base
    from sqlalchemy import create_engine, text

    name = server().create()
    old, new = create_engine(f"sqlite:///{built}"), create_engine(server().url(name))
    Base.metadata.create_all(new)
    with old.connect() as reading, new.begin() as writing:
        for table in Base.metadata.sorted_tables:
            rows: list[Any] = [dict(row._mapping) for row in reading.execute(table.select())]
            for row in rows:
                if (
                    "course_id" in row
                ):  # nbgrader's nameless course has no row; only SQLite lets an assignment point to it
                    row["course_id"] = row["course_id"] or COURSE
            if table.name == "course":
                rows = [{"id": COURSE}, *(row for row in rows if row["id"] != COURSE)]
            if rows:
                writing.execute(table.insert(), rows)
        version = reading.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        writing.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        writing.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
    old.dispose()
    new.dispose()
    return name


def empty_gradebook(kind: str, folder: Path) -> str:
    """The db_url of a gradebook that is still to be made."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/empty-{next(_numbers)}.db"
    return server().url(server().create())


def rows_of(db_url: str, ids: bool = False) -> dict[str, Any]:
    """All that a gradebook says of its students, by names; with the rows' ids too if `ids`."""
    from nbgrader.api import Gradebook

    with Gradebook(db_url) as gradebook:
        found: dict[str, Any] = {}
        for student in gradebook.students:
            found[student.id] = {}
            for submission in student.submissions:
                (notebook,) = submission.notebooks
                row = {
                    "timestamp": submission.timestamp,
                    "penalty": notebook.late_submission_penalty,
                    "flagged": notebook.flagged,
                    "grades": {
                        g.name: (g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade)
                        for g in notebook.grades
                    },
                    "comments": {c.name: (c.auto_comment, c.manual_comment) for c in notebook.comments},
                }
                if ids:
                    everything = [submission, notebook, *notebook.grades, *notebook.comments]
                    row["ids"] = sorted(thing.id for thing in everything)
                found[student.id][submission.name] = row
        return found
