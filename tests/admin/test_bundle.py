"""The student's zip: complete, always the same, and nothing of the instructor's in it."""

import subprocess
import sys
import zipfile

import pytest

from course_admin.build import BuildError, LeakError, build_release
from course_admin.build_paths import library_dir, locate
from course_admin.bundle import bundle, bundle_leaks


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: info for info in archive.infolist()}


@pytest.fixture
def library(built):
    """A `course_utils` of the tiny course's own, to plant things in."""
    folder = built.root / "course_utils"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text('"""What a notebook imports."""\n')
    (folder / "models" / "__init__.py").write_text("")
    (folder / "course.mplstyle").write_text("figure.dpi: 100\n")
    return folder


def test_a_student_gets_notebook_library_and_how_to_install(built):
    path = bundle(built.root, "01")
    names = members(path)
    assert path.relative_to(built.root).as_posix() == "build/bundle/01_tiny.zip"
    assert {"01_tiny/01_tiny.ipynb", "01_tiny/README.md", "01_tiny/pyproject.toml"} <= set(names)
    assert {"01_tiny/course_utils/course.mplstyle", "01_tiny/course_utils/checking/__init__.py"} <= set(names)
    assert not [
        name for name in names if "course_admin" in name or "pycache" in name or name.endswith(".pyc")
    ]
    with zipfile.ZipFile(path) as archive:
        assert archive.read("01_tiny/01_tiny.ipynb") == built.release.read_bytes()
        assert b"# A tiny notebook" in archive.read("01_tiny/README.md")


def test_the_same_bytes_twice(built):
    path = bundle(built.root, "01")
    first = path.read_bytes()
    path.unlink()
    built.release.touch()
    assert bundle(built.root, "01").read_bytes() == first
    assert {info.date_time for info in members(path).values()} == {(1980, 1, 1, 0, 0, 0)}


def test_its_project_file_builds_a_package_with_course_utils_only(built, tmp_path):
    with zipfile.ZipFile(bundle(built.root, "01")) as archive:
        archive.extractall(tmp_path / "student")
    command = "from setuptools.build_meta import build_wheel; print(build_wheel('wheel'))"
    folder = tmp_path / "student" / "01_tiny"
    run = subprocess.run([sys.executable, "-c", command], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    wheel = zipfile.ZipFile(folder / "wheel" / run.stdout.splitlines()[-1])
    packages = {name.split("/")[0] for name in wheel.namelist() if "dist-info" not in name}
    assert packages == {"course_utils"} and "course_utils/course.mplstyle" in wheel.namelist()
    metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith("METADATA"))).decode()
    assert "Requires-Dist: torch" in metadata and "Requires-Dist: nbgrader" in metadata
    assert "dask" not in metadata and "typer" not in metadata


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("a.py", 'task_review = "many-to-one"\n', "solution in course_utils/a.py"),
        ("a.py", "### BEGIN SOLUTION\n", "marker in course_utils/a.py"),
        ("a.py", "from course_admin import bank\n", "imports course_admin"),
        ("bank/a.py", "x = 1\n", "belongs to the instructor"),
        ("a.md", "Half a point for translation in time.\n", "mark scheme in course_utils/a.md"),
        ("a.py", '"""One set of weights serves every step, whatever the length."""\n', "solution in course"),
        (
            "a.py",
            "twice_as_much = np.asarray(x) + np.asarray(x)\nreturn twice_as_much\n",
            "solution in course_utils/a.py",
        ),
        (
            "models/a.py",
            "twice_as_much = np.asarray(x) + np.asarray(x)\nreturn twice_as_much\n",
            None,
        ),
        (
            "b.py",
            'with check.part("an array", points=2):\n'
            '    expect_close(student.double([1.5, -2.0]), [3.0, -4.0], what="double of an array")\n',
            "hidden test in course_utils/b.py",
        ),
        ("b.ipynb", "{}", "a bundle holds one notebook"),
    ],
)  # fmt: skip
def test_a_leak_in_the_library_is_refused(built, library, file, text, says):
    (library / file).parent.mkdir(exist_ok=True)
    (library / file).write_text(text)
    if says is None:
        bundle(built.root, "01")
        return
    with pytest.raises(LeakError, match="release of 01_tiny refused") as caught:
        bundle(built.root, "01")
    assert says in str(caught.value)
    assert not (built.root / "build" / "bundle").exists()


def test_reference_networks_come_only_with_a_notebook_that_uses_them(built, library):
    (library / "models").mkdir(exist_ok=True)
    (library / "models" / "net.py").write_text('"""A reference network."""\n')
    assert not any("models" in name for name in zipfile.ZipFile(bundle(built.root, "01")).namelist())


def test_a_release_that_was_tampered_with_is_refused(built, library):
    built.release.write_text(built.release.read_text().replace("total = ...", "total = 64 * 64 + 4096"))
    with pytest.raises(LeakError, match="solution in cell count"):
        bundle(built.root, "01")


def test_instructor_files_are_known_by_path(built):
    paths, _ = locate(built.root, "01")
    for name in (
        "course_admin/x.py",
        "source/01_tiny/x.txt",
        "solutions/x.html",
        "gradebook.db",
        "tests/x.py",
    ):
        assert [leak.where for leak in bundle_leaks(paths, {name: b""})] == [name]


def test_no_bundle_before_a_release(course):
    with pytest.raises(BuildError, match=r"not found; run `coursework build 01` first"):
        bundle(course.root, "01")


def test_files_beside_the_notebook_travel_along(built):
    (built.source.parent / "table.csv").write_text("a,b\n1,2\n")
    build_release(built.root, "01")
    assert "01_tiny/table.csv" in members(bundle(built.root, "01"))


def test_the_library_is_the_roots_own_where_it_has_one(built, library):
    assert library_dir(built.root) == library
    assert "01_tiny/course_utils/training/__init__.py" not in members(bundle(built.root, "01"))
