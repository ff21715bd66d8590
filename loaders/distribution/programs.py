"""Programs that answer a question on standard output, such as credential helpers: for so long, and so much."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from cachegraph.loaders.deadline import Deadline

__all__ = ["Printed", "ask_program"]

_CHUNK = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What a program left: its exit code, and what it printed."""

    code: int
    output: bytes
    errors: bytes


def ask_program(command: Sequence[str], question: bytes, limit: int, seconds: float) -> Printed:
    """Run a program, and read what it prints.

    Parameters
    ----------
    command : sequence of str
        A full path and its arguments; no shell.
    question : bytes
        Its standard input.
    limit : int
        Bytes that it may print.
    seconds : float
        That it may take.

    Raises
    ------
    TimeoutError
        It took longer, and was killed.
    OverflowError
        It printed more, and was killed.
    OSError
        It cannot be run.
    """
    deadline = Deadline(seconds)
    process = subprocess.Popen(  # noqa: S603 - the program that the user's Docker config names
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with suppress(BrokenPipeError):  # one that does not read its question; it fits into the pipe, so nothing hangs
            process.stdin.write(question)
            process.stdin.close()
        output, errors = _read(process.stdout, process.stderr, limit, deadline)
        try:
            code = process.wait(max(deadline.left(), 0.0))
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        return Printed(code=code, output=output, errors=errors)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                stream.close()


def _read(stdout: IO[bytes], stderr: IO[bytes], limit: int, deadline: Deadline) -> tuple[bytes, bytes]:
    """Read both streams to their ends."""
    printed = {stdout: bytearray(), stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for stream in printed:
            selector.register(stream, selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(max(deadline.left(), 0.0))
            if not ready or deadline.left() <= 0:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                printed[key.data] += chunk
                if not chunk:
                    selector.unregister(key.fileobj)
            if sum(map(len, printed.values())) > limit:
                raise OverflowError
    return bytes(printed[stdout]), bytes(printed[stderr])
