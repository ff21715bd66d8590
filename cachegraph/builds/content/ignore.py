"""The ignore file of a build context: ``frontend/dockerui``, and ``ignorefile`` of github.com/moby/patternmatcher."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from cachegraph.builds.content.nodes import File, Folder, read_blob
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find
from cachegraph.errors import DecodeError, SourceError

__all__ = ["NAME", "IgnoreFile", "find_ignore_file", "parse_ignore"]

NAME = ".dockerignore"

_BOM = b"\xef\xbb\xbf"
# Go's scanner takes no longer line; BuildKit then ends the build (bufio: MaxScanTokenSize).
_LINE = 64 * 1024
_SIZE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreFile:
    """The patterns of an ignore file.

    Parameters
    ----------
    name : str
        The file they are from, ``""`` where there is none.
    patterns : tuple of str
        In their order.
    """

    name: str = ""
    patterns: tuple[str, ...] = ()


def find_ignore_file(context: Folder, dockerfile: Folder | None = None, name: str = "Dockerfile") -> IgnoreFile:
    """Read the ignore file that BuildKit takes: the Dockerfile's own, else the context's.

    Parameters
    ----------
    context : Folder
        The context, nothing left out.
    dockerfile : Folder, optional
        Where the Dockerfile is; by default the context. A named context has no Dockerfile: see `named`.
    name : str
        The Dockerfile's path in there; ``""`` for a named context, which has no Dockerfile's own ignore file.

    Raises
    ------
    SourceError
        The file cannot be read, or is not what BuildKit takes.
    """
    if name:
        own = _read(dockerfile or context, f"{name}{NAME}")
        if own is not None:
            return IgnoreFile(name=f"{name}{NAME}", patterns=parse_ignore(own, f"{name}{NAME}"))
    shared = _read(context, NAME)
    return IgnoreFile() if shared is None else IgnoreFile(name=NAME, patterns=parse_ignore(shared, NAME))


def _read(folder: Folder, path: str) -> bytes | None:
    """Read a file of a folder, links followed within it."""
    found = find(folder, "/" + path, follow=True)
    if not isinstance(found, Unknown):
        if not isinstance(found[1], File):
            return None
        data = read_blob(found[1].blob, _SIZE)
        if isinstance(data, bytes):
            return data
        found = data
    raise SourceError(f"{path}: {found.reason}")


def parse_ignore(data: bytes, name: str = NAME) -> tuple[str, ...]:
    """Read patterns, one a line; ``#`` at the start of a line makes a comment.

    Raises
    ------
    DecodeError
        A line is too long for BuildKit.
    """
    patterns = []
    for number, line in enumerate(data.removeprefix(_BOM).split(b"\n"), 1):
        if len(line) >= _LINE:
            message = f"the line has {len(line)} bytes, BuildKit takes at most {_LINE - 1}"
            raise DecodeError(message, path=f"{name}:{number}")
        text = line.removesuffix(b"\r").decode("utf-8", "surrogateescape")
        if text.startswith("#") or not text.strip():
            continue
        text = text.strip()
        negated = text.startswith("!")
        if negated:
            text = text[1:].strip()
        if text:
            text = posixpath.normpath(text)
            # One slash in front or, as POSIX keeps them, two: Go keeps one, and that one is dropped.
            text = (text.lstrip("/") or "/") if text.startswith("/") else text
        patterns.append(f"!{text}" if negated else text)
    return tuple(patterns)
