"""Whether two specs name the same place, however they are spelt.

::

    cache          ./cache/         type=local,src=/home/you/cache          one directory
    app:latest     docker.io/library/app     type=registry,ref=app          one reference
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from cachegraph.errors import SpecError
from cachegraph.loaders.base import Spec
from cachegraph.loaders.paths import local_path
from cachegraph.loaders.specs.bare import path_spec
from cachegraph.loaders.specs.keys import KEYS, keys_of
from cachegraph.loaders.specs.parse import IRRELEVANT, OURS, canonical, parse, parse_all
from cachegraph.loaders.specs.reference import parse_reference

__all__ = ["identity", "place_of", "spec_of", "specs_of"]

_PATHS = {"local": "src", "config": "src", "daemon": "db"}
"""Keys that hold a path, by type."""


def spec_of(given: str | os.PathLike[str] | Spec) -> Spec:
    """Read what names one place; takes and raises what `specs_of` does, and refuses a list."""
    return parse(given) if isinstance(given, str) else specs_of(given)[0]


def specs_of(given: str | os.PathLike[str] | Spec) -> tuple[Spec, ...]:
    """Read what names one place or several; a path object is a path, whatever it looks like.

    Parameters
    ----------
    given : str, path or Spec

    Raises
    ------
    SpecError
        It cannot be understood.
    TypeError
        It is none of these.
    """
    if isinstance(given, Spec):
        return (given,)
    if isinstance(given, str):
        return parse_all(given)
    if not isinstance(given, os.PathLike):
        raise TypeError(f"a spec is a str or a path, not {type(given).__name__}: {given!r:.60}")
    path = os.fspath(given)
    if not isinstance(path, str):
        raise TypeError(f"a path is made of str, not {type(path).__name__}")
    return (path_spec(path if path.startswith(("/", ".", "~")) or Path(path).is_absolute() else f"./{path}"),)


def identity(spec: Spec) -> tuple[str, ...]:
    """Give what two specs of the same place have in common.

    Parameters
    ----------
    spec : Spec
        Keys that say nothing about the place, or that nothing reads, do not count.
    """
    read = {*keys_of(spec.type), *OURS.get(spec.type, ())} if spec.type in KEYS else {*spec.attrs}
    attrs = {key: value for key, value in spec.attrs.items() if key in read - IRRELEVANT}
    if spec.type == "local" and attrs.get("tag") == "latest":
        del attrs["tag"]  # which is the one that BuildKit looks for
    if spec.type == "registry" and attrs.get("ref"):
        with suppress(SpecError):  # it fails when it is read, and says why
            attrs["ref"] = str(parse_reference(attrs["ref"]))
    key = _PATHS.get(spec.type, "")
    if attrs.get(key) and attrs[key] != "-":
        with suppress(OSError, ValueError, RuntimeError):  # as above: no such user, a NUL, too long
            attrs[key] = os.path.realpath(local_path(attrs[key]))
    return (spec.type, *(f"{key}={value}" for key, value in sorted(attrs.items())))


def place_of(spec: Spec) -> str:
    """Name the place of a spec, as its exports' ``source`` does where one place holds one export.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    str
        Without credentials.

    Examples
    --------
    >>> place_of(parse("type=registry,ref=app:cache,mode=max"))
    'type=registry,ref=docker.io/library/app:cache'
    """
    key = "ref" if spec.type == "registry" else "src" if spec.type in ("local", "config") else ""
    if not spec.attrs.get(key):
        return spec.text
    named = {name: spec.attrs[name] for name in ("tag", "digest") if name in spec.attrs and spec.type == "local"}
    with suppress(SpecError):
        ref = str(parse_reference(spec.attrs[key])) if key == "ref" else spec.attrs[key]
        return canonical(spec.type, {key: ref, **named})
    return spec.text
