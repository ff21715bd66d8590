"""What the shell may offer for a SPEC: types, their keys and values, paths, and the caches that the project names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cachegraph.errors import CacheGraphError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["complete_names", "complete_spec"]

_PROJECT = ("docker-bake.hcl", "docker-bake.json", "compose.yaml", "compose.yml", "docker-compose.yml")
_WORKFLOWS = Path(".github/workflows")
_FILES = 12
"""Files of the project that are read for the caches that they name: a key was pressed, and somebody waits."""
_LISTED = 5000
"""Entries of a folder that are looked at."""
_MOST = 200
"""What is offered at most."""
_OWN = {"config": ("src",), "daemon": ("db", "debug")}
"""Types of ours that BuildKit does not have, and their keys."""


def complete_spec(incomplete: str) -> list[CompletionItem]:
    """Offer what a SPEC can go on with.

    Parameters
    ----------
    incomplete : str
        What is there so far: ``ty``, ``type=lo``, ``type=local,sr``, ``type=local,src=./ca``, ``./ca``, ``app:``.

    Returns
    -------
    list of click.shell_completion.CompletionItem
        Whole words, what is there so far among it. One that ends in ``=``, ``,`` or ``/`` goes on.
    """
    from click.shell_completion import CompletionItem

    done, comma, field = incomplete.rpartition(",")
    if field.startswith("type=") or comma:
        found = [f"{done}{comma}{one}" for one in _fields(done, field)]
        found += [known for known in _known() if known.startswith(incomplete)]
    else:
        kinds = [f"type={kind}," for kind in _types()]
        references = (one.partition("ref=")[2] for one in _known() if one.startswith("type=registry,ref="))
        others = [one for one in (*kinds, *references) if incomplete and one.startswith(incomplete)]
        if not others:  # the shell knows best how to go through folders
            return [CompletionItem(incomplete, type="file")]
        found = [*others, *_paths(incomplete)]
    return [CompletionItem(one) for one in islice(dict.fromkeys(filter(str.isprintable, found)), _MOST)]


def complete_names(names: Iterable[str], incomplete: str, end: str = "") -> list[CompletionItem]:
    """Offer the names that begin with what is there.

    Parameters
    ----------
    names : iterable of str
    incomplete : str
    end : str
        What follows each, such as ``=``.
    """
    from click.shell_completion import CompletionItem

    return [CompletionItem(f"{name}{end}") for name in names if name.startswith(incomplete)]


def _types() -> list[str]:
    from cachegraph.loaders.specs.keys import TYPES

    return [*TYPES["from"], *_OWN]


def _fields(done: str, field: str) -> Iterator[str]:
    """Go on with the last field of a spec, of which others are done."""
    from cachegraph.loaders.specs.keys import keys_of

    attributes = dict(part.partition("=")[::2] for part in done.split(","))
    kind = attributes.get("type", "")
    key, equals, value = field.partition("=")
    if not equals:
        keys = _OWN.get(kind) or [one.name for one in keys_of(kind).values() if one.reads]
        yield from (f"{name}=" for name in keys if name.startswith(key) and name not in attributes)
    elif key == "type":
        yield from (f"type={one}," for one in _types() if one.startswith(value))
    elif key in ("src", "db"):
        yield from (f"{key}={path}" for path in _paths(value))
    elif key == "ref":
        known = (one.partition("ref=")[2] for one in _known() if one.startswith("type=registry,ref="))
        yield from (f"ref={one}" for one in known if one.startswith(value))
    else:
        about = keys_of(kind).get(key)
        words = about.values.words if about is not None and about.values is not None else ()
        words = ("true", "false") if {"true", "false"} <= set(words) else words
        yield from (f"{key}={word}" for word in words if word.startswith(value))


def _paths(text: str) -> Iterator[str]:
    """List the files and folders that begin so; folders end in a slash."""
    folder, slash, name = text.rpartition("/")
    try:
        with os.scandir(Path(f"{folder}{slash}").expanduser() if slash else Path()) as entries:
            near = [one for one in islice(entries, _LISTED) if one.name.startswith(name)]
    except (OSError, ValueError, RuntimeError):
        return
    for one in sorted(near, key=lambda entry: entry.name):
        if (name or not one.name.startswith(".")) and not set(one.name) & set(" ,\"'\\"):
            yield f"{folder}{slash}{one.name}{'/' if one.is_dir() else ''}"


def _known() -> Iterator[str]:
    """Give the caches that the files of this folder name."""
    from cachegraph.lint.files import specs_in_file

    try:
        workflows = sorted(_WORKFLOWS.glob("*.y*ml")) if _WORKFLOWS.is_dir() else []
    except OSError:
        workflows = []
    for path in islice((path for path in (*map(Path, _PROJECT), *workflows) if path.is_file()), _FILES):
        try:
            found = specs_in_file(path)
        except CacheGraphError:
            continue
        for entry in found:
            if entry.text:
                yield entry.text if "=" in entry.text else f"type=registry,ref={entry.text}"
