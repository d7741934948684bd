"""The catalogue: no data set is missing, every card is whole, and "needs no download" is true."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import datasets
from course_utils.datasets import catalogue, fetch
from course_utils.datasets.catalogue import LINES, DataSet, card, card_lines, download, find, load, names

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"
REQUIRED = {"count": 4, "delay": 4, "documents": 2, "length": 20, "seed": 0, "steps": 50, "streams": 2}


def small(name):
    """Return options that make `load(name)` work: values for the arguments that have no default."""
    parameters = inspect.signature(find(name).function()).parameters.values()
    return {p.name: REQUIRED[p.name] for p in parameters if p.default is p.empty}


def test_every_function_with_a_card_is_listed_and_nothing_else():
    written = {
        (node.name, path.stem)
        for path in Path(datasets.__file__).parent.glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if "Data card:\n" in (ast.get_docstring(node) or "") and path.stem != "catalogue"
    }
    assert {(name, find(name).module) for name in names()} == written


@pytest.mark.parametrize("name", names())
def test_every_card_is_whole(name):
    lines = card_lines(find(name).function())
    assert tuple(lines) == LINES
    assert all(text and text[-1] in ".:)" for text in lines.values()), lines
    text = card(name)
    assert text.startswith(f"{name}(") and all(f"\n{line}: " in text for line in LINES)
    assert max(map(len, text.split("\n")[1:])) <= 130
    if not find(name).offline:
        assert "(downloaded by name)" in text


@pytest.mark.parametrize("name", names(offline_only=True))
def test_what_needs_no_download_does_without(name, monkeypatch, tmp_path_factory):
    def no_network(*_, **__):
        raise AssertionError(f"{name} asked for a download")

    monkeypatch.setattr(fetch, "_fetch", no_network)
    parsed_scores = tmp_path_factory.getbasetemp() / "music_cache"  # shared with the tests of `music`
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(parsed_scores))
    assert find(name).offline and download(name) == []
    assert load(name, **small(name)) is not None


@pytest.mark.skipif(not SHARED.is_dir(), reason="no copies of the real files beside the repository")
@pytest.mark.parametrize("name", sorted(set(names()) - set(names(offline_only=True))))
def test_what_is_downloaded_reads_the_sets_it_says(name, monkeypatch, tmp_path_factory):
    real, read = fetch._fetch, set()

    def watched(wanted, **options):
        read.add(wanted.set_name)
        return real(wanted, **options)

    monkeypatch.setattr(fetch, "_fetch", watched)
    monkeypatch.setenv(fetch.DATA_VARIABLE, str(SHARED))
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(tmp_path_factory.getbasetemp() / "music_cache"))
    load(name, **small(name))
    assert read and read <= set(find(name).fetched)
    assert download(name) and read == set(find(name).fetched)


def test_every_set_of_the_registry_has_a_loader():
    assert {each for name in names() for each in find(name).fetched} == set(fetch.sets())


def test_the_guide_names_every_set():
    guide = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE) != []
    assert sorted(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE)) == names()


def test_a_look_at_the_list_imports_no_loader():
    code = "import sys; from course_utils.datasets.catalogue import names; names(); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(modules.stdout.split())
    assert "course_utils.datasets.catalogue" in loaded and "torch" not in loaded
    assert not loaded & {f"course_utils.datasets.{find(name).module}" for name in names()}


def test_options_and_errors_are_those_of_the_function():
    first, second = (load("adding_problem", count=2, length=5, seed=1) for _ in range(2))
    assert first[0].shape == (2, 5, 2) and all((a == b).all() for a, b in zip(first, second, strict=True))
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        load("adding_problem", count=0, seed=1)
    with pytest.raises(ValueError, match="gold"):
        load("stock_prices", name="gold")  # an option may have the name of our own argument
    for call in (find, card, load, download):
        with pytest.raises(ValueError, match=r"name must be one of .*sst2.*, got 'sst3'"):
            call("sst3")


def test_a_card_is_read_line_by_line():
    def function():
        """Load it.

        Data card:
            Origin: here: and
                there.
            Good for: two

                paragraphs.

        Args:
            Origin: not this.
        """

    assert card_lines(function) == {"Origin": "here: and there.", "Good for": "two paragraphs."}
    with pytest.raises(ValueError, match="function must have a data card in its docstring, got DataSet"):
        card_lines(DataSet)
    assert catalogue.card("multi30k").startswith(
        "multi30k(source: str = 'en', target: str = 'fr', *, seed: int = 0)"
    )
