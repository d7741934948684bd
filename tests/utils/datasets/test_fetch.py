"""Fetching: downloads from a local server that behaves well or badly, the two folders, and the registry itself."""

import gzip
import hashlib
import http.server
import re
import socket
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest

from course_utils.datasets import fetch
from course_utils.datasets.fetch import DataError, Entry, UnreachableError, WrongFileError

SHARED = Path(__file__).parents[4] / "shared" / "data"
CONTENT = bytes(range(256)) * 700  # 175 KiB: several steps of the bar
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Answers by the last part of the path; counts the answers. `half` says when half a `slow` one is out."""

    def __init__(self, together=1):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = 0
        self.together = threading.Barrier(together, timeout=20)
        self.half, self.go_on = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked += 1
        getattr(self, self.path.rsplit("/", 1)[-1])()

    def start(self, length, **headers):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def good(self):
        self.start(len(CONTENT))
        self.wfile.write(CONTENT)

    def truncated(self):
        self.start(1000)
        self.wfile.write(CONTENT[:1000])

    def wrong(self):
        self.start(len(CONTENT))
        self.wfile.write(CONTENT[::-1])

    def empty(self):
        self.start(0)

    def broken(self):
        self.start(len(CONTENT))
        self.wfile.write(CONTENT[:100_000])

    def zipped(self):
        body = gzip.compress(CONTENT)
        self.start(len(body), Content_Encoding="gzip")
        self.wfile.write(body)

    def missing(self):
        self.send_error(404)

    def meet(self):
        self.server.together.wait()
        self.good()

    def slow(self):
        self.start(len(CONTENT))
        self.wfile.write(CONTENT[:100_000])
        self.wfile.flush()
        self.server.half.set()
        assert self.server.go_on.wait(20)
        self.wfile.write(CONTENT[100_000:])


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """Start a server and a registry whose set `toy` has one file `a/data.bin`, answered in the way asked for."""
    servers = []

    def start(behavior, together=1):
        server = Server(together)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        register(f"{server.url}/{behavior}", monkeypatch)
        return server

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(fetch.DATA_VARIABLE, raising=False)
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(tmp_path / "cache"))
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def register(url, monkeypatch):
    row = Entry("toy", "a/data.bin", url, SHA256, len(CONTENT), "none")
    monkeypatch.setattr(fetch, "_registry", lambda: {"toy": {"a/data.bin": row}})


def place(folder, content=CONTENT):
    path = folder / "toy" / "a" / "data.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def everything_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("behavior", ["good", "zipped"])
def test_a_file_is_downloaded_once(serve, behavior, tmp_path, capfd):
    server = serve(behavior)
    path = fetch.fetch("toy", "a/data.bin")
    assert path == tmp_path / "cache/toy/a/data.bin" and path.read_bytes() == CONTENT
    assert fetch.fetch("toy", "a/data.bin") == path and fetch.fetch_all("toy") == [path]
    assert server.asked == 1 and everything_in(tmp_path) == [path]
    assert capfd.readouterr() == ("", "")


def test_others_may_read_what_was_downloaded(serve, tmp_path):
    serve("good")
    plain = tmp_path / "plain"
    plain.touch()
    assert fetch.fetch("toy", "a/data.bin").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("behavior, size", [("truncated", 1000), ("wrong", len(CONTENT)), ("empty", 0)])
def test_a_wrong_download_is_named_and_not_kept(serve, behavior, size, tmp_path):
    server = serve(behavior)
    with pytest.raises(WrongFileError) as caught:
        fetch.fetch("toy", "a/data.bin")
    message = str(caught.value)
    found = hashlib.sha256((CONTENT[::-1] if behavior == "wrong" else CONTENT)[:size]).hexdigest()
    assert "toy/a/data.bin" in message and server.url in message
    assert f"expected sha256 {SHA256} ({len(CONTENT)} bytes), found {found} ({size} bytes)" in message
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize(
    "behavior, reason",
    [("broken", r"ChunkedEncodingError, .*100000 bytes read"), ("missing", "the server answered 404")],
)
def test_a_download_that_breaks_off_or_is_refused_names_two_ways_out(serve, behavior, reason, tmp_path):
    server = serve(behavior)
    with pytest.raises(UnreachableError) as caught:
        fetch.fetch("toy", "a/data.bin")
    message = str(caught.value)
    assert "toy/a/data.bin" in message and f"{server.url}/{behavior}" in message
    assert re.search(reason, message)
    assert "COURSE_DATA (not set now)" in message and "another network" in message
    assert everything_in(tmp_path) == []


def test_offline_names_set_address_and_ways_out_and_a_later_call_succeeds(serve, monkeypatch, tmp_path):
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/good"
        register(url, monkeypatch)
        monkeypatch.setenv(fetch.DATA_VARIABLE, str(tmp_path))
        with pytest.raises(UnreachableError) as caught:
            fetch.fetch("toy", "a/data.bin")
    message = str(caught.value)
    assert all(words in message for words in ("toy/a/data.bin", url, "another network"))
    assert "refused" in message and "Max retries" not in message  # what the system said, in one line,
    assert caught.value.__cause__ is None and caught.value.__suppress_context__  # not pages of traceback
    assert f"COURSE_DATA (now {str(tmp_path)!r}, which lacks it)" in message
    assert everything_in(tmp_path) == []
    serve("good")
    assert fetch.fetch("toy", "a/data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"\n", CONTENT.replace(b"\n", b"\r\n")])
@pytest.mark.parametrize("variable", [fetch.CACHE_VARIABLE, fetch.DATA_VARIABLE])
def test_a_wrong_file_that_was_found_is_named_and_left_untouched(
    serve, monkeypatch, tmp_path, variable, content
):
    server = serve("good")
    folder = tmp_path / "own"
    monkeypatch.setenv(variable, str(folder))
    path = place(folder, content)
    before = path.stat()
    with pytest.raises(WrongFileError) as caught:
        fetch.fetch("toy", "a/data.bin")
    message = str(caught.value)
    assert str(path) in message and SHA256 in message and hashlib.sha256(content).hexdigest() in message
    after = path.stat()
    assert path.read_bytes() == content and (before.st_ino, before.st_mtime_ns) == (
        after.st_ino,
        after.st_mtime_ns,
    )
    assert server.asked == 0 and everything_in(tmp_path) == [path]


def test_a_folder_of_copies_is_read_and_never_written(serve, monkeypatch, tmp_path):
    server = serve("good")
    path = place(tmp_path / "copies")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(fetch.DATA_VARIABLE, "~/copies")
    assert fetch.fetch("toy", "a/data.bin") == path
    assert server.asked == 0 and everything_in(tmp_path) == [path]
    path.unlink()  # what is missing there is downloaded into the cache
    cached = fetch.fetch("toy", "a/data.bin")
    assert (
        server.asked == 1
        and everything_in(tmp_path) == [cached]
        and cached.is_relative_to(tmp_path / "cache")
    )


def test_a_folder_that_does_not_exist_is_an_error(serve, monkeypatch, tmp_path):
    server = serve("good")
    monkeypatch.setenv(fetch.DATA_VARIABLE, str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"COURSE_DATA must name a folder that exists, got .*typo"):
        fetch.fetch("toy", "a/data.bin")
    assert server.asked == 0


def test_half_a_file_is_never_seen_under_its_name(serve, tmp_path):
    server = serve("slow")
    final = tmp_path / "cache/toy/a/data.bin"
    with ThreadPoolExecutor() as pool:
        job = pool.submit(fetch.fetch, "toy", "a/data.bin")
        assert server.half.wait(20)
        assert not final.exists()
        server.go_on.set()
        assert job.result(20) == final
    assert everything_in(tmp_path) == [final]


def test_what_a_killed_download_left_is_no_file(serve, tmp_path):
    serve("good")
    stray = tmp_path / "cache/toy/a/.data.bin.x1.part"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(CONTENT[:9])
    assert fetch.fetch("toy", "a/data.bin").read_bytes() == CONTENT


def test_many_may_download_the_same_file_at_once(serve, tmp_path):
    server = serve("meet", together=6)  # no one is answered before all six have asked
    with ThreadPoolExecutor(6) as pool:
        paths = list(pool.map(lambda _: fetch.fetch("toy", "a/data.bin"), range(6)))
    assert server.asked == 6 and len(set(paths)) == 1
    assert everything_in(tmp_path) == paths[:1] and paths[0].read_bytes() == CONTENT


def test_a_file_that_appears_meanwhile_is_not_replaced(serve, tmp_path):
    server = serve("slow")
    with ThreadPoolExecutor() as pool:
        job = pool.submit(fetch.fetch, "toy", "a/data.bin")
        assert server.half.wait(20)
        path = tmp_path / "cache/toy/a/data.bin"
        path.write_bytes(b"somebody's own")
        server.go_on.set()
        with pytest.raises(WrongFileError, match="left as it is"):
            job.result(20)
    assert path.read_bytes() == b"somebody's own" and everything_in(tmp_path) == [path]


@pytest.mark.parametrize(
    "stop, raised", [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left"), DataError)]
)
def test_an_interrupted_download_leaves_nothing(serve, monkeypatch, tmp_path, stop, raised):
    serve("good")

    def downloader(**_):
        def download(url, file, _):
            file.write(CONTENT[:5])
            raise stop

        return download

    monkeypatch.setattr(fetch.pooch, "HTTPDownloader", downloader)
    with pytest.raises(raised):
        fetch.fetch("toy", "a/data.bin")
    assert everything_in(tmp_path) == []


def test_a_cache_that_cannot_be_written_to_is_named(serve, monkeypatch, tmp_path):
    serve("good")
    (tmp_path / "plain").write_text("no folder")
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(tmp_path / "plain"))
    with pytest.raises(
        DataError, match=r"cache .*plain cannot be written to: .* Let COURSE_CACHE name another"
    ):
        fetch.fetch("toy", "a/data.bin")


@pytest.mark.parametrize("behavior", ["good", "zipped", "broken"])
def test_the_bar_counts_the_whole_file_and_is_taken_away(serve, monkeypatch, behavior):
    serve(behavior)
    seen = []

    def bar(iterable, label):
        seen.append(label)
        yield from iterable
        seen.append(len(iterable))

    monkeypatch.setattr(fetch, "progress", bar)
    try:
        fetch.fetch("toy", "a/data.bin")
    except UnreachableError:
        assert behavior == "broken"
    assert seen == ["toy/a/data.bin", -(-len(CONTENT) // 2**15)]


def test_the_real_bar_leaves_an_empty_line(serve, monkeypatch):
    from course_utils import progress

    class Terminal:
        text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.delenv(progress.PROGRESS_VARIABLE, raising=False)
    monkeypatch.delenv("COURSE_BUDGET", raising=False)
    server = serve("slow")
    threading.Thread(target=lambda: (server.half.wait(20), time.sleep(0.7), server.go_on.set())).start()
    fetch.fetch("toy", "a/data.bin")
    assert "toy/a/data.bin" in terminal.text  # it was there, after half a second,
    assert terminal.text.rsplit("\r", 2)[-2].strip() == "" and terminal.text.endswith("\r")  # and is gone


def test_unknown_names_are_errors():
    with pytest.raises(ValueError, match=r"set_name must be one of .*sst2.*got 'sst3'"):
        fetch.fetch("sst3", "train.tsv")
    with pytest.raises(
        ValueError, match=r"file must be one of dev.tsv, test.tsv, train.tsv for sst2, got '../x'"
    ):
        fetch.fetch("sst2", "../x")


def test_the_registry_is_well_formed():
    entries = [fetch.entry(name, file) for name in fetch.sets() for file in fetch.files(name)]
    assert len(fetch.sets()) == 23 and len(entries) == 190
    for entry in entries:
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256) and entry.bytes > 0 and entry.licence
        assert re.fullmatch(r"https://[^ ]+/[0-9a-f]{40}/[^ ]+", entry.url)  # pinned to a commit
        path = PurePosixPath(str(entry))
        assert not path.is_absolute() and ".." not in path.parts and "\\" not in str(path)
    assert len({entry.sha256 for entry in entries}) == len({entry.url for entry in entries}) == len(entries)


@pytest.mark.skipif(not SHARED.is_dir(), reason="no copies of the real files beside the repository")
def test_the_registry_agrees_with_the_copies(monkeypatch):
    with (SHARED / "MANIFEST.toml").open("rb") as file:
        sets = tomllib.load(file)["dataset"]
    theirs = {row["path"]: (row["url"], row["sha256"], row["bytes"]) for one in sets for row in one["file"]}
    entries = [fetch.entry(name, file) for name in fetch.sets() for file in fetch.files(name)]
    assert {str(entry): (entry.url, entry.sha256, entry.bytes) for entry in entries} == theirs
    monkeypatch.setenv(fetch.DATA_VARIABLE, str(SHARED))
    paths = [path for name in fetch.sets() for path in fetch.fetch_all(name)]
    assert sorted(str(path.relative_to(SHARED)) for path in paths) == sorted(theirs)
