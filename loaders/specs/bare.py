"""Paths and references, as people write them where a cache string could stand.

::

    ./cache  cache.tar  cache.json  a directory, an archive, a bare cache config
    app:latest                      an image reference
    docker://app:latest             skopeo's names: docker://, oci:DIR:TAG, oci-archive:FILE, docker-archive:FILE, dir:

What lies there decides, else how it looks: what can be a path only is never asked for in a network.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from cachegraph.errors import SpecError
from cachegraph.loaders.base import Spec
from cachegraph.loaders.paths import kind_of, local_path
from cachegraph.loaders.specs.reference import parse_reference
from cachegraph.loaders.specs.shown import shown

__all__ = ["looks_like_path", "path_or_reference", "path_spec", "reference", "skopeo"]

_ARCHIVE = re.compile(r"\.(tar|tgz|tar\.(gz|bz2|xz|zst))$", re.IGNORECASE)
_FILE = re.compile(r"\.(json|db|dockerbuild|hcl|ya?ml|toml)$", re.IGNORECASE)
_TRANSPORT = re.compile(r"(docker|oci|oci-archive|docker-archive|dir|file|https?|containers-storage|docker-daemon):")


def path_or_reference(text: str) -> Spec:
    """Tell what a path or a reference is by what lies there, else by how it looks.

    Parameters
    ----------
    text : str
        Without blanks around it.

    Returns
    -------
    Spec
        What can be a path only is ``type=local``, also where nothing lies there: reading it says so.

    Raises
    ------
    cachegraph.errors.SpecError
        Neither.
    """
    if kind_of(local_path(text)) is not None or looks_like_path(text):
        return path_spec(text)
    return reference(text)


def reference(text: str) -> Spec:
    """Make the spec of an image reference; what is none and has no tag either is a path that is not there."""
    try:
        parse_reference(text)
    except SpecError:
        if ":" in text.rpartition("/")[2] or "@" in text:
            raise
        return path_spec(text)
    return Spec(type="registry", attrs={"ref": text}, text=shown(text), bare=True)


def path_spec(text: str) -> Spec:
    """Tell what a path is: a directory or an archive, a database, another file."""
    path = local_path(text)
    there = kind_of(path)
    kind, key = "local", "src"
    if there == "directory" or _ARCHIVE.search(text):
        pass
    elif path.suffix == ".db":
        kind, key = "daemon", "db"
    elif there == "file" or path.suffix == ".json":
        kind = "config"
    return Spec(type=kind, attrs={key: text}, text=shown(text), bare=True)


def looks_like_path(text: str) -> bool:
    """Tell what can be a path only, or is one by the company it keeps."""
    if text.startswith((".", "/", "~")) or text.endswith("/") or "\\" in text or _ARCHIVE.search(text):
        return True
    first, slash, rest = text.partition("/")
    if ":" in rest or ":" in first or "@" in text:
        return False
    # build/cache is a path where there is a folder build, and an image of the user build where there is none.
    return bool(_FILE.search(text)) or (bool(slash) and "." not in first and kind_of(Path(first)) == "directory")


def skopeo(text: str) -> Spec | None:
    """Read a name as skopeo and containers-image write it; None where it is a reference that only looks so.

    Raises
    ------
    cachegraph.errors.SpecError
        A daemon's own store, which cannot be read; or no reference.
    """
    match = _TRANSPORT.match(text)
    if match is None:
        return None
    scheme, rest = match[1], text[match.end() :]
    if scheme in ("docker", "http", "https", "oci") and rest.startswith("//"):
        return replace(reference(rest[2:].rstrip("/")), text=shown(text))
    if scheme == "file":
        return path_spec(rest.removeprefix("//"))
    if scheme in ("docker-daemon", "containers-storage"):
        raise SpecError(
            f"{shown(text)}: an image in a daemon's own store cannot be read",
            hint="push it, or write it with docker buildx build --output type=oci,dest=image.tar",
        )
    if scheme not in ("oci", "oci-archive", "docker-archive", "dir") or not rest:
        return None
    path, tag = rest, ""
    if kind_of(local_path(rest)) is None and ":" in rest:
        path, _, tag = rest.rpartition(":")
    if scheme == "oci" and kind_of(local_path(path)) is None and "/" not in rest:
        return None  # an image may be called oci
    attrs = {"src": path, "tag": tag} if tag else {"src": path}
    return Spec(type="local", attrs=attrs, text=shown(text), bare=not tag)
