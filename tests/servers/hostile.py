"""Servers that never end: raw sockets on loopback that drip, repeat themselves or say nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

Script = Callable[[socket.socket, threading.Event], None]
Start = Callable[[Script], str]

STEP = 0.05  # seconds between two bytes that are dripped


def drip(text: bytes, then: bytes | None = None) -> Script:
    """Say a text at once, then the same bytes again and again, one at a time."""

    def script(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(text)
        while not stop.wait(STEP):
            connection.sendall(then or b"x")

    return script


def flood(text: bytes, again: bytes) -> Script:
    """Say a text, then others without end, as fast as they are taken."""

    def script(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(text)
        while not stop.is_set():
            connection.sendall(again)

    return script


def silent(connection: socket.socket, stop: threading.Event) -> None:
    """Take the request and say nothing."""
    stop.wait()


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

ENDLESS: dict[str, Script] = {
    "silence": silent,
    "a status line, byte by byte": drip(b"HTTP/1.1 200 O"),
    "a header, byte by byte": drip(OK + b"X-Slow: "),
    "headers, line by line": drip(OK, b"X-More: 1\r\n"),
    "headers, as fast as it can": flood(OK, b"X-More: " + b"x" * 60_000 + b"\r\n"),
    "100 Continue, again and again": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "100 Continue, as fast as it can": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "103 Early Hints": drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body, byte by byte": drip(OK + b"Content-Length: 100000\r\n\r\n"),
    "a body without a length": drip(OK + b"Connection: close\r\n\r\n"),
    "a chunk's extension, byte by byte": drip(CHUNKED + b"5;x="),
    "a chunk's extension, as fast as it can": flood(CHUNKED + b"5;x=", b"y" * 60_000),
    "empty looking chunks": drip(CHUNKED, b"1\r\nx\r\n"),
    "trailers, line by line": drip(CHUNKED + b"0\r\n", b"X-More: 1\r\n"),
    "trailers, as fast as it can": flood(CHUNKED + b"0\r\n", b"X-More: 1\r\n" * 1000),
    "an error's body, byte by byte": drip(b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n"),
    "a redirect's body, byte by byte": drip(b"HTTP/1.1 302 Go\r\nLocation: /x\r\nContent-Length: 100000\r\n\r\n"),
}
"""What each server does, and how."""


@pytest.fixture
def endless() -> Iterator[Start]:
    """Start a server that runs a script for each connection after its request came; give ``host:port``."""
    stop = threading.Event()
    listeners: list[socket.socket] = []

    def serve(listener: socket.socket, script: Script) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection, script), daemon=True).start()

    def answer(connection: socket.socket, script: Script) -> None:
        with connection:
            try:
                connection.recv(65536)
                script(connection, stop)
            except OSError:
                pass

    def start(script: Script) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, script), daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stop.set()
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
