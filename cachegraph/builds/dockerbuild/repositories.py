"""Repositories as sources: what provenance tells of the commit that a build took.

::

    {"identifier": "git://github.com/org/app.git#refs/heads/main:docs", "attrs": {"git.fullurl": "https://github.com/.."}}
    {"uri": "https://github.com/org/app.git#refs/heads/main", "digest": {"sha1": "5f2a.."}}       a dependency

Source: BuildKit ``source/git/identifier.go`` (``NewGitIdentifier``, ``Capture``), ``source/git/source.go``
(``resolveMetadata``, ``CacheKey``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from cachegraph.builds import llb
from cachegraph.builds.keys import Resolved, git_text
from cachegraph.builds.operations import GitOrigin

__all__ = ["commits_of", "git_key", "git_origin"]

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CREDENTIALS = re.compile(r"//[^/@]*@")
_IN_NO_KEY = frozenset({"git.authtokensecret", "git.authheadersecret", "git.mountsshsock", "git.knownsshhosts"})
_IN_KEYS = frozenset(
    {"git.fullurl", "git.checksum", "git.mtime", "git.keepgitdir", "git.skipsubmodules", "git.fetchbycommit"}
)


def git_origin(source: llb.SourceOp) -> GitOrigin:
    """Read a repository (``NewGitIdentifier``).

    Parameters
    ----------
    source : llb.SourceOp
        With an identifier that begins with ``git://``.
    """
    attributes = source.attrs
    location, _, fragment = source.identifier.removeprefix("git://").partition("#")
    ref, _, subdir = fragment.partition(":")
    return GitOrigin(
        remote=attributes.get("git.fullurl") or f"https://{location}",
        ref=ref,
        subdir="" if posixpath.normpath(subdir) in (".", "/", "//") else subdir,
        checksum=attributes.get("git.checksum", ""),
        mtime=attributes.get("git.mtime", ""),
        keep_git_dir=attributes.get("git.keepgitdir") == "true",
        skip_submodules=attributes.get("git.skipsubmodules") == "true",
        fetch_by_commit=attributes.get("git.fetchbycommit") == "true",
    )


def commits_of(dependencies: Iterable[tuple[str, Mapping[str, str]]]) -> dict[str, str]:
    """Give the commits that a build resolved, by address.

    Parameters
    ----------
    dependencies : iterable of (str, mapping of str to str)
        Address with ``#ref``, and digests by algorithm. A Dockerfile's own repository stands there twice.
    """
    found: dict[str, str] = {}
    for uri, digests in dependencies:
        commit = digests.get("sha1") or digests.get("gitCommit") or digests.get("sha256", "")
        if _COMMIT.fullmatch(commit) and not uri.startswith("pkg:"):
            found[_plain(uri)] = commit
    return found


def _plain(uri: str) -> str:
    """Leave out credentials, which provenance masks."""
    return _CREDENTIALS.sub("//", uri)


def git_key(source: llb.SourceOp, commits: Mapping[str, str]) -> tuple[str, None] | tuple[None, str]:
    """Write what a repository's key is made of, or say why it cannot be known.

    Parameters
    ----------
    source : llb.SourceOp
    commits : mapping of str to str
        As `commits_of` gives them.

    Returns
    -------
    text : str or None
    reason : str or None

    Notes
    -----
    Provenance tells what a name resolved to: of an annotated tag this is the tag's own hash, while the key has the
    commit's. So a name that can be a tag tells no key, unless ``.git`` is kept, when the tag's hash is taken.
    """
    origin = git_origin(source)
    odd = source.attrs.keys() - _IN_KEYS - _IN_NO_KEY
    if odd:
        return None, f"{min(odd)} is not known here"
    if _COMMIT.fullmatch(origin.ref):
        return git_text(origin, Resolved(commit=origin.ref, ref=origin.ref)), None
    if origin.fetch_by_commit and _COMMIT.fullmatch(origin.checksum):
        name = origin.ref if origin.ref.startswith("refs/") else f"refs/heads/{origin.ref}"
        return git_text(origin, Resolved(commit=origin.checksum, ref=name if origin.ref else origin.checksum)), None
    commit = commits.get(_plain(f"{origin.remote}#{origin.ref}" if origin.ref else origin.remote))
    if commit is None:
        return None, "provenance does not tell its commit"
    whole = origin.ref.startswith("refs/")
    if not whole and origin.keep_git_dir:
        return None, "its key has the whole name of the reference, and provenance tells only the short one"
    if not origin.keep_git_dir and (origin.ref.startswith("refs/tags/") or (origin.ref and not whole)):
        return None, f"{origin.ref} can be an annotated tag, whose commit provenance does not tell; refs/heads/ cannot"
    return git_text(origin, Resolved(commit=commit, ref=origin.ref)), None
