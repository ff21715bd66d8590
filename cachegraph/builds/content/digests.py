"""BuildKit's content hash of what an operation takes from a tree: ``cache/contenthash``, ``Checksum``."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence

from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.included import Included, included_paths
from cachegraph.builds.content.nodes import Folder, Link, digest_of
from cachegraph.builds.content.selection import Selection, clean, has_wildcards, without_repeats
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find

__all__ = ["content_digest"]


def content_digest(tree: Folder | Unknown, selections: Iterable[Selection], hasher: Hasher) -> str | Unknown:
    """Hash what an operation takes from one input.

    Parameters
    ----------
    tree : Folder or Unknown
        What the input holds.
    selections : iterable of Selection
        Of this operation and this input, in any order; repeats are dropped as BuildKit drops them.
    hasher : Hasher
        Keeps the digests of files and folders; use one for all of a build.

    Returns
    -------
    str or Unknown
        The digest of the content key: its record is ``sha256("<digest>@-1")``. Unknown if something in it is, and
        ``refused`` if BuildKit would end the build, such as for a path that is not there.

    Raises
    ------
    BadPatternError
        A pattern that BuildKit refuses.
    """
    if isinstance(tree, Unknown):
        return tree
    digests = []
    for selection in without_repeats(selections) or (Selection(path="/"),):
        digest = _checksum(tree, selection, hasher)
        if isinstance(digest, Unknown):
            return digest
        digests.append(digest)
    return digest_of("\0".join(digests).encode())


def _checksum(tree: Folder, selection: Selection, hasher: Hasher) -> str | Unknown:
    """Hash one selection."""
    path = clean(selection.path)
    if selection.is_plain:
        return _plain(tree, path, hasher, follow=selection.follow)
    found = _included(tree, path, selection)
    if isinstance(found, Unknown):
        return found
    prefix, included = found
    hasher.prepare(one.node for one in included)
    digests: list[tuple[str, str]] = []
    for one in included:
        if selection.follow and one.parent is None and isinstance(one.node, Link):
            digest = _plain(tree, one.path, hasher, follow=selection.follow)
        else:
            digest = hasher.header(one.node) if isinstance(one.node, Folder) else hasher.digest(one.node)
        if isinstance(digest, Unknown):
            return digest
        digests.append((one.path, digest))
    if len(digests) == 1 and _base(path) == _base(digests[0][0]):
        return digests[0][1]
    listed = bytearray()
    for where, digest in digests:
        listed += os.fsencode(where.removeprefix(prefix)).replace(b"/", b"\0") or b"\0"
        listed += digest.encode()
    return digest_of(bytes(listed))


def _plain(tree: Folder, path: str, hasher: Hasher, *, follow: bool) -> str | Unknown:
    """Hash one path (``lazyChecksum``)."""
    found = find(tree, path, follow=follow)
    if isinstance(found, Unknown):
        return found
    _, node = found
    if node is None:
        return Unknown(because="refused", reason=f"{path}: not found")
    return hasher.digest(node)


def _base(path: str) -> str:
    """Mirror Go's ``path.Base``."""
    return posixpath.basename(path.rstrip("/")) or ("/" if path else ".")


def _included(tree: Folder, path: str, selection: Selection) -> tuple[str, Sequence[Included]] | Unknown:
    """List what wildcards and patterns select (``includedPaths``), and the part of the path before them."""
    prefix = _fixed_part(path) if selection.wildcard else path
    top = "" if prefix == "/" else prefix
    found = find(tree, prefix, follow=selection.wildcard)
    if isinstance(found, Unknown):
        return found
    node = found[1]
    included = included_paths(node, top, "" if path == "/" else path, selection) if node is not None else []
    for required in selection.required:
        if not any(one.path.startswith(required) for one in included):
            return Unknown(because="refused", reason=f"{required}: not found")
    return top, included


def _fixed_part(path: str) -> str:
    """Give the folders of a pattern before its first wildcard (``splitWildcards``)."""
    fixed = []
    for part in path.split("/"):
        if has_wildcards(part):
            break
        fixed.append(part)
    return "/".join(fixed) or "/"
