"""The library as a whole: documented, in its place, quiet when imported, of a size to read, and right."""

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.bench.agreement import FAMILIES

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "course_utils"
FILES = sorted(LIBRARY.rglob("*.py"))
LONGEST = 260  # lines of a file that is read in one sitting
EXCUSED = {  # with the lines they may have, and why
    "checking/handles.py": (400, "the seam's two ends of every handle, which only make sense side by side"),
    "checking/expect.py": (270, "one function for each kind of comparison"),
    "models/recurrence.py": (275, "a third of it is the contract of layers, in docstrings"),
}
HEAVY = ("IPython", "music21", "torchdiffeq", "matplotlib.pyplot", "faker", "sklearn", "scipy")
# Such as (B, T, H), (…, V), (4H, I), (steps, B, H).
SHAPE = re.compile(r"\((?:…|\.\.\.|steps|\d?[A-Z]\b)[^()]*\)|\bscalar\b|\bany shape\b")


def module_name(path: Path) -> str:
    """Return course_utils.models.rnn for its file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def public(path: Path) -> list[tuple[str, object]]:
    """Return the public functions and classes that a file defines, and the public methods of its classes."""
    module = importlib.import_module(module_name(path))
    found: list[tuple[str, object]] = []
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            found.append((name, value))
        if inspect.isclass(value):
            members = [(part, member) for part, member in vars(value).items() if not part.startswith("_")]
            found += [
                (f"{name}.{part}", getattr(value, part))
                for part, member in members
                if inspect.isfunction(member) or isinstance(member, classmethod | staticmethod)
            ]
            found += [(f"{name}.{part}", member) for part, member in members if isinstance(member, property)]
    return found


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_every_module_and_every_public_name_is_documented(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text and len(text) > 20, "the module must say what it is"
    names = public(path)
    if (
        path.parent.name == "checking"
    ):  # methods there are the two ends of the seam, which docs/seam.md describes
        names = [(name, value) for name, value in names if "." not in name]
    assert not [
        name for name, value in names if not (inspect.getdoc(value) or "").strip()
    ]  # or of a base class


@pytest.mark.parametrize("path", sorted((LIBRARY / "models").glob("*.py")), ids=module_name)
def test_what_takes_or_gives_tensors_tells_their_shapes(path):
    """In its own docstring, in that of its class, or in that of another model's name to which one of them sends the reader."""
    models = (LIBRARY / "models").glob("*.py")
    known = {name.split(".")[-1] for each in models for name, _ in public(each)}
    shapeless = []
    for name, value in public(path):
        if not inspect.isfunction(value) or name.endswith(".extra_repr"):
            continue
        tensors = [
            kind for kind in value.__annotations__.values() if re.search(r"(?<!\[str, )Tensor", str(kind))
        ]
        owner = getattr(sys.modules[value.__module__], name.split(".")[0])
        text = (inspect.getdoc(value) or "") + (inspect.getdoc(owner) or "" if "." in name else "")
        sent_on = known & set(re.findall(r"`(?:\w+\.)?(\w+)`", text))
        if tensors and not SHAPE.search(text) and not sent_on:
            shapeless.append(name)
    assert not shapeless


def test_importing_any_module_alone_works_and_changes_nothing():
    """Each module in a fork of a process that has only torch, NumPy and matplotlib: quiet, light, stateless."""
    script = """
import json, os, random, sys, importlib
import matplotlib, matplotlib.figure, numpy, torch, pooch, tqdm
heavy, names = json.loads(sys.argv[1])
def state():
    drawn = random.getstate(), numpy.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()
    set_to = torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(), dict(matplotlib.rcParams)
    return drawn, set_to, dict(os.environ), os.getcwd()
for name in names:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        out, complaint = os.fdopen(writer, "w"), ""
        try:
            old, known = state(), set(sys.modules)
            importlib.import_module(name)
            new = set(sys.modules) - known
            loaded = [part for part in heavy if part in new]
            complaint = f"imports {loaded}" if loaded else ""
            complaint += " changes global state" if state() != old else ""
            folder = name.split(".")[1] if "." in name else ""
            if folder in ("models", "datasets"):
                allowed = {folder, "progress", "runtime", "apart"}  # the package itself loads the last
                others = {part.split(".")[1] for part in new if part.startswith("course_utils.")} - allowed
                complaint += f" loads {sorted(others)}" if others else ""
        except BaseException as error:
            complaint = repr(error)
        out.write(complaint)
        out.flush()
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        complaint = pipe.read()
    os.waitpid(pid, 0)
    if complaint:
        print(f"{name}: {complaint}")
"""
    told = json.dumps([HEAVY, [module_name(path) for path in FILES]])
    result = subprocess.run([sys.executable, "-c", script, told], capture_output=True, text=True, cwd=ROOT)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_every_file_is_read_in_one_sitting(path):
    name = path.relative_to(LIBRARY).as_posix()
    most, _ = EXCUSED.get(name, (LONGEST, ""))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most


def test_nothing_is_excused_that_needs_no_excuse():
    for name in EXCUSED:
        assert len((LIBRARY / name).read_text(encoding="utf-8").splitlines()) > LONGEST, name


@pytest.mark.parametrize("family", FAMILIES, ids=" | ".join)
def test_every_family_agrees_with_its_reference(family):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            cases = list(FAMILIES[family]())
    finally:
        torch.set_num_threads(threads)
    assert cases
    assert max(output for output, _ in cases) < 1e-11
    assert max(gradient or 0.0 for _, gradient in cases) < 1e-10


def test_every_network_has_a_reference():
    """Each file of models with a network in it is compared somewhere in the table of agreement."""
    compared = "".join(path.read_text("utf-8") for path in (ROOT / "tests/bench/agreement").glob("*.py"))
    for path in sorted((LIBRARY / "models").glob("*.py")):
        networks = [
            value
            for name, value in public(path)
            if inspect.isclass(value) and issubclass(value, torch.nn.Module)
        ]
        told = f"course_utils.models.{path.stem} import" in compared
        assert told or not networks or path.stem in ("recurrence", "multihead", "packed")


def test_the_guide_names_every_module_and_nothing_that_is_gone():
    guide = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?!course_)[a-z0-9_]+(?:/[a-z0-9_]+)?\.py)`", guide))  # from course_utils/ on
    there = {path.relative_to(LIBRARY).as_posix() for path in FILES if path.name != "__init__.py"}
    described_elsewhere = {name for name in there if name.startswith(("datasets/", "checking/"))}
    assert named <= there
    assert there - described_elsewhere <= named
