"""The folders that builds start in, from the root of the repository: what their relative paths are relative to."""

from __future__ import annotations

import posixpath
import re

from cachegraph.lint.model import Build
from cachegraph.lint.values import Unknown, Value

__all__ = ["folder_of", "start_of"]

_ROOTS = frozenset({"github.workspace", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"})
_GOES_ELSEWHERE = re.compile(r"cd |pushd")


def folder_of(value: Value | None, start: str = "") -> str | None:
    """Give a folder from the root of the repository; None if that is not known, or if it is outside.

    Parameters
    ----------
    value : Value or None
        As written: relative, or from where the runner has the repository (``${{ github.workspace }}/app``). None for
        where it starts.
    start : str
        The folder that a relative one starts in.
    """
    parts = () if value is None else value.parts
    if parts and isinstance(parts[0], Unknown) and parts[0].name in _ROOTS:
        parts, start = (".", *parts[1:]), ""
    if not all(isinstance(part, str) for part in parts):
        return None
    text = "".join(map(str, parts))
    if "://" in text or text.startswith(("/", "~", "git@", "-")):
        return None
    path = posixpath.normpath(posixpath.join(start, text))
    return None if path.startswith("..") else path


def start_of(build: Build) -> str | None:
    """Give the folder, from the root, that a build's relative paths start in; None if that cannot be told."""
    if build.kind == "compose":
        return posixpath.dirname(build.place.file)
    if build.job is None:
        # Bake takes paths from where it is called, which is the root as a rule; of a script nobody knows.
        return folder_of(build.directory) if build.kind == "bake" else None
    checkouts = build.job.uses("actions/checkout")
    if checkouts and all("path" in step.inputs for step in checkouts):
        return None  # the root of the repository is somewhere below
    script = build.step.run if build.step is not None else None
    if script is not None and _GOES_ELSEWHERE.search(script.pattern):
        return None
    return folder_of(build.directory)
