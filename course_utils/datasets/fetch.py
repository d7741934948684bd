"""Real data by name: each file is found or downloaded, checked by its sha256, and never half there.

A file is looked for in three places, in this order, each laid out as `<set>/<file>`:

1. the folder that COURSE_DATA names: copies put there by hand, for rooms without a network; only ever read;
2. the cache: the folder that COURSE_CACHE names, else the one that the system keeps for `rnn-coursework`;
3. the address in `registry.toml`, from which it is downloaded into the cache.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pooch
from requests import RequestException

from course_utils.progress import progress

DATA_VARIABLE = "COURSE_DATA"
CACHE_VARIABLE = "COURSE_CACHE"
_CHUNK = 2**15  # bytes between two steps of the bar


class DataError(RuntimeError):
    """A file of a named set cannot be had."""


class UnreachableError(DataError):
    """The file is neither on this machine nor to be downloaded now."""


class WrongFileError(DataError):
    """There is a file of that name, with other bytes than the course uses."""


@dataclass(frozen=True)
class Entry:
    """One file of the registry; `bytes` is its size, `licence` that of its set."""

    set_name: str
    file: str
    url: str
    sha256: str
    bytes: int
    licence: str

    def __str__(self) -> str:
        return f"{self.set_name}/{self.file}"


def sets() -> list[str]:
    """Return the names of the sets that can be fetched, sorted."""
    return sorted(_registry())


def files(set_name: str) -> list[str]:
    """Return the files of a set, as `fetch` takes them, sorted.

    Raises:
        ValueError: the registry has no set of that name.
    """
    return sorted(_entries(set_name))


def entry(set_name: str, file: str) -> Entry:
    """Return what the registry says about one file.

    Raises:
        ValueError: no such set, or no such file in it.
    """
    entries = _entries(set_name)
    if file not in entries:
        raise ValueError(f"file must be one of {', '.join(sorted(entries))} for {set_name}, got {file!r}")
    return entries[file]


def fetch(set_name: str, file: str) -> Path:
    """Return the path of a file whose bytes are those of the registry, downloading it if need be.

    Any number of processes may fetch the same file at once. Open the path for reading only.

    Args:
        set_name: one of `sets()`.
        file: one of `files(set_name)`.

    Raises:
        ValueError: no such set or file.
        WrongFileError: the file that was found, or downloaded, has another sha256. One that was found is left
            as it is; nothing of a download is kept.
        UnreachableError: the file is not on this machine and the download failed or broke off.
        DataError: COURSE_DATA is no folder, or the cache cannot be written to.
    """
    return _fetch(entry(set_name, file), bar=True)


def fetch_all(set_name: str) -> list[Path]:
    """Return the verified paths of all files of a set, in the order of `files`. Errors as `fetch`."""
    entries = [entry(set_name, file) for file in files(set_name)]
    return [_fetch(each, bar=False) for each in progress(entries, set_name)]


def cache_folder() -> Path:
    """Return the folder that downloads go to; it may not exist yet."""
    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("rnn-coursework")).expanduser()


@cache
def _registry() -> dict[str, dict[str, Entry]]:
    text = resources.files(__package__).joinpath("registry.toml").read_text(encoding="utf-8")
    return {
        name: {
            file: Entry(name, file, licence=table["licence"], **row) for file, row in table["files"].items()
        }
        for name, table in tomllib.loads(text).items()
    }


def _entries(set_name: str) -> dict[str, Entry]:
    if set_name not in _registry():
        raise ValueError(f"set_name must be one of {', '.join(sets())}, got {set_name!r}")
    return _registry()[set_name]


def _fetch(wanted: Entry, bar: bool) -> Path:
    given = os.environ.get(DATA_VARIABLE)
    if given:
        folder = Path(given).expanduser()
        if not folder.is_dir():
            raise DataError(f"{DATA_VARIABLE} must name a folder that exists, got {given!r}")
        path = folder / wanted.set_name / wanted.file
        if path.exists():
            return _verified(path, wanted, "Put the right copy in its place.")
    path = cache_folder() / wanted.set_name / wanted.file
    if not path.exists():
        _download(wanted, path, bar)
    return _verified(path, wanted, "Move it away and fetch again.")


def _verified(path: Path, wanted: Entry, remedy: str) -> Path:
    problem = _difference(path, wanted)
    if problem:
        raise WrongFileError(
            f"{path} is not the file that the course uses for {wanted}: {problem}. It was left as it is. {remedy}"
        )
    return path


def _difference(path: Path, wanted: Entry) -> str:
    """Return in words how a file differs from the wanted one; empty when it does not."""
    found = pooch.file_hash(str(path), alg="sha256")
    if found == wanted.sha256:
        return ""
    size = path.stat().st_size
    return f"expected sha256 {wanted.sha256} ({wanted.bytes} bytes), found {found} ({size} bytes)"


def _download(wanted: Entry, path: Path, bar: bool) -> None:
    """Download to a name of its own beside `path`, verify, and only then rename: others see all or nothing."""
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file, closing(_Steps(wanted, bar)) as steps:
            pooch.HTTPDownloader(progressbar=steps, chunk_size=_CHUNK)(wanted.url, file, None)
            os.fsync(file.fileno())
        problem = _difference(part, wanted)
        if problem:
            raise WrongFileError(
                f"what {wanted.url} sent is not the file that the course uses for {wanted}: {problem}. "
                "Nothing of it was kept."
            )
        if not path.exists():  # another process may have been faster
            part.replace(path)
    except RequestException as error:
        raise _unreachable(wanted, error) from None  # its own trace fills pages
    except OSError as error:  # after RequestException, which is one too
        raise _unwritable(error) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _unreachable(wanted: Entry, error: Exception) -> UnreachableError:
    given = os.environ.get(DATA_VARIABLE)
    now = f"now {given!r}, which lacks it" if given else "not set now"
    return UnreachableError(
        f"{wanted} is not on this machine, and {wanted.url} could not be downloaded: {_reason(error)}. "
        f"Two ways out: let {DATA_VARIABLE} ({now}) name a folder that holds {wanted}, "
        "or run this again on another network."
    )


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code}"
    cause: BaseException | None = error  # what requests raises wraps what the system said
    while cause is not None and getattr(cause, "errno", None) is None:
        cause = cause.__context__
    return f"{type(error).__name__}, {cause or error}"


def _unwritable(error: OSError) -> DataError:
    return DataError(
        f"the cache {cache_folder()} cannot be written to: {error}. Let {CACHE_VARIABLE} name another folder."
    )


class _Steps:
    """What pooch's downloader asks of a progress bar, as steps of a `progress` loop over chunks."""

    total = 0  # set by the downloader, perhaps to a compressed size: the registry knows the true one

    def __init__(self, wanted: Entry, shown: bool) -> None:
        chunks = range(-(-wanted.bytes // _CHUNK))
        self.steps: Iterator[int] = iter(progress(chunks, str(wanted)) if shown else chunks)

    def update(self, count: int) -> None:
        for _ in islice(self.steps, count // _CHUNK):
            pass

    def reset(self) -> None:
        """Do nothing: the downloader is about to close."""

    def close(self) -> None:
        """Run to the end, which takes the bar away; also after a download that broke off."""
        for _ in self.steps:
            pass
