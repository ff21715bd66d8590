"""What a folder is that was given for an image layout and has no ``index.json``: said in a sentence, with what to do.

A copy of a bucket that ``type=s3`` or ``type=azblob`` wrote to::

    FOLDER/blobs/sha256:<64 hexadecimal digits>      programs that copy may write the colon as another sign
    FOLDER/manifests/NAME                            a cache config; a NAME may have slashes
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from cachegraph.loaders.oci.tags import tags_in_words
from cachegraph.loaders.paths import kind_of

__all__ = ["what_instead"]

_MOST_PATHS = 1000  # that are looked at
_CONFIG = re.compile(rb'"layers"\s*:\s*\[\s*\{\s*"blob"|"records"\s*:\s*\[')
_BLOB = re.compile(r"sha256.?[0-9a-f]{64}")


def what_instead(path: Path) -> tuple[str, str]:
    """Say what is wrong with a folder, or an archive, that has no ``index.json``, and what to give.

    Parameters
    ----------
    path : pathlib.Path
    """
    hint = "give the directory that --cache-to type=local,dest=DIR wrote to"
    what = "there is no index.json, so this is not an image layout"
    if kind_of(path) != "directory":
        return what, hint
    with suppress(OSError):
        there = sorted(islice(path.iterdir(), _MOST_PATHS))
        if not there:
            return "the directory is empty", hint
        if manifests := _manifests(path):
            first, *others = manifests
            more = f"; others: {tags_in_words(others)}" if others else ""
            return (
                "this is a copy of a bucket (type=s3 or type=azblob), not an image layout",
                f"read a manifest of it (no blob is looked for): cachegraph check {shlex.quote(first)}{more}",
            )
        configs = [str(one) for one in there if one.suffix == ".json" and _is_config(one)]
        if configs:
            return what, f"cache configs there: {tags_in_words(configs)}"
        below = [str(one) for one in there if kind_of(one / "index.json") == "file"]
        if below:
            return what, f"image layouts there: {tags_in_words(below)}"
    return what, hint


def _manifests(path: Path) -> list[str]:
    """Name the manifests of a copied bucket, of which its folder of manifests may be given as well; else none."""
    bucket = path.parent if path.name == "manifests" else path
    blobs, manifests = bucket / "blobs", bucket / "manifests"
    if kind_of(blobs) != "directory" or kind_of(manifests) != "directory":
        return []
    if not any(_BLOB.fullmatch(one.name) for one in islice(blobs.iterdir(), _MOST_PATHS)):
        return []
    return sorted(str(one) for one in islice(_files(manifests), _MOST_PATHS) if _is_config(one))


def _files(folder: Path) -> Iterator[Path]:
    for one in folder.rglob("*"):
        if kind_of(one) == "file":
            yield one


def _is_config(path: Path) -> bool:
    """Tell whether a file is a bare cache config, by how it begins."""
    if kind_of(path) != "file":
        return False
    with path.open("rb") as file:
        return _CONFIG.search(file.read(4096)) is not None
