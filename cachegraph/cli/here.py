"""What to do in this folder: the caches that its files name, and the commands that look at them.

It is what ``cachegraph`` alone says, and what a command says that needs a SPEC and got none. Nothing is asked of a
network: the files are read as ``lint`` reads them.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cachegraph.cli.findings import folded
from cachegraph.cli.output import Output, styled
from cachegraph.errors import CacheGraphError, MissingExtraError, SpecError
from cachegraph.lint.linting import Linted, lint_paths
from cachegraph.loaders.specs.identity import identity
from cachegraph.loaders.specs.parse import specs_of_setting
from cachegraph.text.clean import one_line
from cachegraph.text.words import plural

__all__ = ["Here", "look_around", "told"]

_MARKS = ("Dockerfile", ".gitlab-ci.yml", "docker-bake.hcl", "docker-bake.json")
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_ON_EXPORT = re.compile(r",(?:mode|compression|compression-level|force-compression|ignore-error|oci-mediatypes)=[^,]*")
"""Keys of an entry that say how a cache is written, and not which it is."""
_MOST = 5
"""Caches that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What there is to look at.

    Attributes
    ----------
    caches : mapping of str to str
        Where each cache is first named, by its spec.
    patterns : mapping of str to str
        The same of caches whose names only a run knows, such as ``type=gha,scope=*``.
    files : tuple of str
        The files that name the caches, from the current folder.
    problems : str
        What ``lint`` finds: ``2 warnings``; empty for nothing.
    has_dockerfile : bool
        In the current folder.
    """

    caches: Mapping[str, str]
    patterns: Mapping[str, str]
    files: tuple[str, ...]
    problems: str
    has_dockerfile: bool


def look_around() -> Here | None:
    """Look at the repository of the current folder, or at the files in it; None where nothing says how to build.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        There are such files, and the reader of YAML is not installed.
    """
    in_repository = any((folder / ".git").exists() for folder in (Path.cwd(), *Path.cwd().parents))
    files = [path for name in (*_MARKS, *_COMPOSE) if (path := Path(name)).is_file()]
    files += sorted(Path(".github/workflows").glob("*.y*ml"))
    if not files and not in_repository:
        return None
    try:
        linted = lint_paths([] if in_repository else files)
    except MissingExtraError:
        raise
    except CacheGraphError:
        return None
    if not linted.repository.files and not linted.dockerfiles:
        return None
    return _here(linted)


def _here(linted: Linted) -> Here:
    from cachegraph.cli.linted import counted

    caches: dict[tuple[str, ...], tuple[str, str]] = {}
    patterns: dict[str, str] = {}
    files: dict[str, None] = {}
    for _, entry in linted.repository.entries:
        place = entry.place
        file = _relative(linted, place.file)
        at = f"{file}:{place.line}" if place.line else file
        if entry.value.text is None:
            patterns.setdefault(_ON_EXPORT.sub("", entry.shown), at)
            continue
        try:
            specs = specs_of_setting(entry.value.text, entry.direction, str(place))
        except SpecError:  # lint says what is wrong with it
            continue
        for spec in specs:
            caches.setdefault(identity(spec), (spec.text, at))
            files[file] = None
    return Here(
        caches=dict(caches.values()),
        patterns=patterns,
        files=tuple(files),
        problems=counted([finding.severity for finding in linted.findings]),
        has_dockerfile=Path("Dockerfile").is_file(),
    )


def _relative(linted: Linted, name: str) -> str:
    path = linted.path(name)
    return os.path.relpath(path) if path is not None else name


def told(here: Here, output: Output, command: str = "check") -> Iterator[str]:
    """Say what there is, and which commands look at it.

    Parameters
    ----------
    here : Here
    output : Output
        Lines are folded for it.
    command : str
        That was called without a SPEC; another is named where it takes no files of caches.
    """
    named = {**here.caches, **here.patterns}
    if named:
        yield f"The files here name {plural(len(named), 'cache')}:"
        for text, at in list(named.items())[:_MOST]:
            yield f"  {_told_at(text, at, here, output)}"
        if len(named) > _MOST:
            yield f"  and {len(named) - _MOST:,} more"
    else:
        said = "No file here names a cache, so a build on another machine runs every step."
        yield folded(said, output, before=0, indent=2)
    yield ""
    if here.files:
        options = " ".join(f"--from-file {shlex.quote(file)}" for file in here.files)
        if command == "records":
            yield from _command("Their records", f"records {options}", output)
        yield from _command("What they hold, and what is wrong with it", f"check {options}", output)
    problems = f" ({here.problems})" if here.problems else ""
    yield from _command(f"What is wrong with how caches are written and read{problems}", "lint", output)
    if here.has_dockerfile:
        first = next(iter(here.caches), "SPEC")
        yield from _command(
            "Which steps of ./Dockerfile will be cached", f"predict --cache-from {shlex.quote(first)} .", output
        )


def _told_at(text: str, at: str, here: Here, output: Output) -> str:
    unknown = "" if text in here.caches else "; only a run knows its name"
    return folded(f"{one_line(text)} ({at}{unknown})", output, before=2, indent=4)


def _command(about: str, command: str, output: Output) -> Iterable[str]:
    return (
        folded(f"{about}:", output, before=0, indent=2),
        f"  {styled(f'cachegraph {one_line(command)}', output, bold=True)}",
    )
