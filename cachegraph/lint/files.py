"""Files that hold cache entries, one by one: what ``--from-file`` takes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cachegraph.errors import SpecError
from cachegraph.lint.finding import kind_by_name
from cachegraph.lint.model import Repository
from cachegraph.lint.reader import read_one
from cachegraph.lint.values import Direction
from cachegraph.loaders.limits import DEFAULT, Limits

__all__ = ["FORMATS", "FoundSpec", "specs_in_file"]

FORMATS = (".hcl", ".json", ".yaml", ".yml")
"""Ends of names of files that are told by what stands in them; others are told by their whole names."""

_HINT = "give a docker-bake.hcl or .json, a compose file or a workflow"
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSpec:
    """A cache entry of a file; either ``text`` or ``reason`` is None.

    Attributes
    ----------
    file : str
    line : int or None
        From 1; None where the format's reader does not tell.
    path : str
        Where in the document, such as ``services.web.build.cache_from[0]``.
    direction : {"from", "to"}
        Whether the build reads the cache or writes it.
    text : str or None
        The spec as buildx gets it. Not in the repr: it can hold credentials.
    reason : str or None
        Why the text is not known before the build runs.
    """

    file: str
    line: int | None = None
    path: str
    direction: Direction
    text: str | None = field(default=None, repr=False)
    reason: str | None = None

    @property
    def place(self) -> str:
        """File, line and path, to print."""
        return f"{self.file}:{self.line}: {self.path}" if self.line else f"{self.file}: {self.path}"


def specs_in_file(path: Path, environ: Mapping[str, str] | None = None, limits: Limits = DEFAULT) -> list[FoundSpec]:
    """Find the cache entries of a file.

    Parameters
    ----------
    path : pathlib.Path
        A bake file, a compose file, a GitHub workflow or a composite action, ``.gitlab-ci.yml``, ``devcontainer.json``,
        ``skaffold.yaml``, a shell script, a Makefile or a Jenkinsfile. Workflows and actions that it calls, and what it
        includes, are read with it.
    environ : mapping of str to str, optional
        Variables that bake and compose files may use; this process's own by default.
    limits : Limits

    Returns
    -------
    list of FoundSpec
        In the file's order, each once, with its text or the reason why it is not known. None of them is loaded.

    Raises
    ------
    cachegraph.errors.SpecError
        A file of no such kind, by its name.
    cachegraph.errors.MissingExtraError
        The reader of the format is not installed.
    cachegraph.errors.SourceError
        No such file, no right to read it, or not what its name says.
    """
    if path.suffix.lower() not in FORMATS and kind_by_name(path) is None:
        raise SpecError(
            f"{path}: {path.suffix or 'no suffix'} is not a kind of file that holds cache entries", hint=_HINT
        )
    read = read_one(path, environ=os.environ if environ is None else environ, limits=limits)
    unique = dict.fromkeys(_found(read, str(path)))
    return sorted(unique, key=lambda spec: (spec.file != str(path), spec.file, spec.line or 0, _natural(spec.path)))


def _natural(path: str) -> list[tuple[bool, int, str]]:
    """Put ``[10]`` behind ``[9]``."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _DIGITS.split(path)]


def _found(read: Repository, name: str) -> Iterator[FoundSpec]:
    for _, entry in read.entries:
        place = entry.place
        if entry.value.is_empty:
            continue
        yield FoundSpec(
            file=place.file,
            line=place.line or None,
            path=place.path,
            direction=entry.direction,
            text=entry.value.text,
            reason=entry.value.reason,
        )
    for one in read.unresolved:
        if one.direction is not None:
            yield FoundSpec(
                file=one.place.file or name,
                line=one.place.line or None,
                path=one.place.path,
                direction=one.direction,
                reason=one.reason,
            )
