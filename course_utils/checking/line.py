"""The line between the two halves of the seam while a check runs: messages of JSON over a stream socket.

A message is its length in four bytes, then that many bytes of JSON. `Line` is the student's end; an interrupt that falls
between two messages is swallowed, one within a message does not tear it.
"""

import json
import socket
import struct
from typing import Any

HEAD = struct.Struct(">I")
BLOCK = 2**18


class Line:
    """A connection to the test's side.

    Args:
        path: of the Unix socket on which it listens.
    """

    def __init__(self, path: str):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._unread = bytearray()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message, whole."""
        data = frame(message)
        sent = 0
        while sent < len(data):
            try:
                sent += self._socket.send(memoryview(data)[sent : sent + BLOCK])
            except KeyboardInterrupt:
                continue

    def receive(self) -> dict[str, Any]:
        """Wait for the next message.

        Raises:
            EOFError: the other side is gone.
        """
        while True:
            try:
                message = take(self._unread)
                if message is not None:
                    return json.loads(message)
                block = self._socket.recv(BLOCK)
                if not block:
                    raise EOFError("the check has ended")
                self._unread += block
            except KeyboardInterrupt:
                continue


def frame(message: dict[str, Any]) -> bytes:
    """A message as it goes over the line."""
    data = json.dumps(message).encode()
    return HEAD.pack(len(data)) + data


def take(unread: bytearray) -> bytes | None:
    """Take the first whole message off what was read so far; None if it has not all come yet."""
    if len(unread) < HEAD.size:
        return None
    (length,) = HEAD.unpack_from(unread)
    if len(unread) < HEAD.size + length:
        return None
    message = bytes(memoryview(unread)[HEAD.size : HEAD.size + length])
    del unread[: HEAD.size + length]
    return message
