"""Bytes over a socket, for requests that no HTTP client would send."""

import contextlib
import http.client
import socket
from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back."""

    status_code: int
    headers: Message
    content: bytes


def exchange(port: int, request: bytes, *, address: str) -> RawAnswer:
    """Sends the bytes from this loopback address, and reads one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(address, 0)) as connection:
        # Refused before it was all sent: the answer is there.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return RawAnswer(answer.status, answer.headers, answer.read())
