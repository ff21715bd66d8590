"""Places as the readers of reports want them: addresses of files, relative to the repository's root."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

__all__ = ["line_length", "name_as_path", "repository_root", "uri_of"]

_NOT_A_NAME = re.compile(r"[^\w.-]+")


@lru_cache(1024)
def repository_root(folder: str) -> str | None:
    """Find the folder, from this one upwards, that holds ``.git``; None if there is none.

    Parameters
    ----------
    folder : str
        Absolute.
    """
    for path in (Path(folder), *Path(folder).parents):
        if (path / ".git").exists():
            return str(path)
    return None


def uri_of(file: str) -> str:
    """Give the address of a file: relative to the repository that holds the current folder, else absolute.

    GitHub takes relative addresses as relative to the repository's root, whatever folder a program ran in, and
    follows no symbolic link.

    Parameters
    ----------
    file : str
        A path, absolute or relative to the current folder.
    """
    here = str(Path.cwd())
    path = os.path.realpath(file)
    for root in dict.fromkeys((repository_root(here) or here, here)):
        root = os.path.realpath(root)
        if os.path.commonpath([path, root]) == root and path != root:
            return quote(os.path.relpath(path, root).replace(os.sep, "/"), errors="backslashreplace")
    return Path(path).as_uri() if path.isprintable() else f"file://{quote(path, errors='backslashreplace')}"


_READ = 4 << 20
"""Bytes of a file that are read to see how long a line is."""


def line_length(file: str, line: int) -> int | None:
    """Count the characters of a line; None where the file cannot be read, or has no such line.

    Parameters
    ----------
    file : str
    line : int
        From 1.
    """
    lines = _lengths(os.path.realpath(file))
    return lines[line - 1] if 0 < line <= len(lines) else None


@lru_cache(64)
def _lengths(path: str) -> tuple[int, ...]:
    try:
        if not Path(path).is_file():
            return ()
        with Path(path).open("rb") as file:
            text = file.read(_READ).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ()
    return tuple(len(line.rstrip("\r")) for line in text.split("\n"))


def name_as_path(text: str) -> str:
    """Make a relative address of a name that is no file, as scanners of images do: ``registry.example.com/app-cache``.

    Parameters
    ----------
    text : str
        Such as a spec.
    """
    named = re.search(r"(?:^|,)(?:ref|name|src|scope)=([^,\s]+)", text)
    parts = (named[1] if named else text).split("/")
    kept = [_NOT_A_NAME.sub("-", part).strip("-.") for part in parts]
    return quote("/".join(part for part in kept if part)[:200]) or "cache"
