"""Objects of a git repository, asked for one after the other.

::

    git cat-file --batch            <object> <type> <size>, then its bytes
    git cat-file --batch-check      <object> <type> <size>
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from cachegraph.errors import SourceError
from cachegraph.loaders.sources.git import SAFE

__all__ = ["GitObjects"]

_BLOB_LIMIT = 2**31


class GitObjects:
    """A ``git cat-file`` that answers until it is closed.

    Parameters
    ----------
    git_dir : pathlib.Path
    with_bytes : bool
        Whether objects are read; else only their types and sizes.

    Raises
    ------
    SourceError
        There is no git.
    """

    def __init__(self, git_dir: Path, *, with_bytes: bool = True) -> None:
        command = ["git", f"--git-dir={git_dir}", "cat-file", "--batch" if with_bytes else "--batch-check"]
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, env=os.environ | SAFE)  # noqa: S603 - git alone
        except OSError as error:
            raise SourceError(f"git cat-file: {error}") from None
        self._with_bytes = with_bytes
        self._lock = threading.Lock()

    def close(self) -> None:
        """End it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait(timeout=10)

    def ask(self, name: str) -> tuple[str, int, bytes] | None:
        """Read an object: its type, size and bytes; None if there is none of this name."""
        with self._lock:
            question, answer = self._process.stdin, self._process.stdout
            if question is None or answer is None or "\n" in name:
                return None
            try:
                question.write(os.fsencode(name) + b"\n")
                question.flush()
                head = answer.readline().split()
                if len(head) != 3:
                    return None
                size = int(head[2])
                if not self._with_bytes:
                    return head[1].decode(), size, b""
                if size > _BLOB_LIMIT:
                    raise SourceError(f"object {name} has {size:,} bytes, at most {_BLOB_LIMIT:,} are read")
                data = answer.read(size)
                answer.read(1)
            except (OSError, ValueError) as error:
                raise SourceError(f"git cat-file {name}: {error}") from None
            return head[1].decode(), size, data
