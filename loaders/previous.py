"""Earlier exports of the same cache, where its store still has them.

A directory keeps the blobs of earlier exports that its index no longer points at, manifests among them; GitHub keeps
superseded index entries for a while. The other stores are asked for what a spec names, and give one export.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport
from cachegraph.errors import CacheGraphError, NotFoundError
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.oci.blobstores import DirectoryStore
from cachegraph.loaders.oci.manifests import CACHE_CONFIG, parse_manifest
from cachegraph.loaders.paths import kind_of, local_path
from cachegraph.loaders.specs.parse import parse
from cachegraph.text.words import plural

__all__ = ["before", "split_version", "versions"]

_MAX_MANIFEST = 4 << 20
_MAX_MANIFESTS = 10_000
_HINT = "give both exports, such as two directories or two digests of one"


def split_version(text: str) -> tuple[str, int]:
    """Split ``SPEC^2`` into the spec and how many exports to go back; 0 without ``^``.

    Examples
    --------
    >>> split_version("./cache^1")
    ('./cache', 1)
    >>> split_version("type=local,src=./cache")
    ('type=local,src=./cache', 0)
    """
    spec, caret, number = text.rpartition("^")
    if not caret or not number.isdecimal() or not 0 < len(number) < 5:
        return text, 0
    return spec, int(number)


def versions(text: str, options: Options) -> list[CacheExport]:
    """Read every export of a cache that its store still has.

    Parameters
    ----------
    text : str
        A spec.
    options : Options

    Returns
    -------
    list of CacheExport
        Oldest first; the one that a build imports today last.

    Raises
    ------
    cachegraph.errors.CacheGraphError
        The spec cannot be read.
    """
    spec = parse(text)
    loaded = catalogue.load([spec], options)
    if loaded.failures:
        raise loaded.failures[0].error
    today = list(loaded.exports)
    if spec.type == "gha":
        from cachegraph.loaders.gha import load_superseded

        return [*load_superseded(spec, options), *sorted(today, key=_age)]
    if spec.type != "local" or not today or kind_of(local_path(spec.attrs.get("src", ""))) != "directory":
        return today
    known = {export.manifest_digest for export in today}
    earlier = [export for export in _earlier(spec, today[0], options) if export.manifest_digest not in known]
    return [*sorted(earlier, key=_age), *sorted(today, key=_age)]


def before(text: str, back: int, options: Options) -> CacheExport:
    """Read the export that was written before the one of today, or further back.

    Parameters
    ----------
    text : str
        A spec.
    back : int
        1 for the one before.
    options : Options

    Raises
    ------
    cachegraph.errors.NotFoundError
        The store has none so far back.
    """
    found = versions(text, options)
    if len(found) <= back:
        has = f"{plural(len(found) - 1, 'earlier export')}, not {back:,}" if len(found) > 1 else "no earlier export"
        raise NotFoundError(f"{parse(text).text}: the store has {has}", hint=_HINT)
    return found[-1 - back]


def _earlier(spec: Spec, today: CacheExport, options: Options) -> Sequence[CacheExport]:
    """Read the exports whose manifests nothing points at any more."""
    root = spec.attrs["src"]
    store = DirectoryStore(local_path(root), options.limits)
    small = [stray.digest for stray in today.strays or () if stray.size <= _MAX_MANIFEST][:_MAX_MANIFESTS]
    found: list[CacheExport] = []
    for digest in small:
        data = store.read(digest)
        if CACHE_CONFIG.encode() not in data[:65536]:
            continue
        try:
            manifest = parse_manifest(data)
        except CacheGraphError:
            continue
        configs = (manifest.config, *(manifest.manifests or ()))
        if any(config is not None and config.media_type == CACHE_CONFIG for config in configs):
            earlier = replace(
                spec, attrs={"src": root, "digest": digest}, text=f"type=local,src={root},digest={digest}"
            )
            found += catalogue.load([earlier], options).exports
    return found


def _age(export: CacheExport) -> int:
    return max(ExportGraph(export).result_times, default=0)
