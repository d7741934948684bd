"""What an attack may try to reach: a port, an abstract socket and a file in shared memory that each give the right answer.

python -m tests.attacks.listener: stands until it is ended.
"""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.grading.tiny import ANSWERS

PORT, NAME, SHARED = 48611, "\0coursework-listener", Path("/dev/shm/coursework-listener")


class _Tell(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(ANSWERS["scale"].encode())


class _Port(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Serve the answer inside the block. Where another run serves it already, that one will do."""
    servers: list[socketserver.BaseServer] = []
    for make in (lambda: _Port(("127.0.0.1", PORT), _Tell), lambda: _Unix(NAME, _Tell)):
        with contextlib.suppress(OSError):
            servers.append(make())
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    SHARED.write_text(ANSWERS["scale"])
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        if servers:
            SHARED.unlink(missing_ok=True)


if __name__ == "__main__":
    socket.setdefaulttimeout(5)
    with listening():
        threading.Event().wait()
