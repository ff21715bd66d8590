"""From operations to keys: the digest of each operation, and what each of its slots is cached by.

Sources: BuildKit ``solver/llbsolver/ops`` (``CacheMap``), ``source/containerimage/pull.go``, ``source/git/source.go``,
``source/http/source.go`` (``CacheKey``), ``solver/cachekey.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import msgspec

from cachegraph.builds.cachemaps import Dependency, dependencies, operation_text
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.llb import ImageKey, Platform, go_json
from cachegraph.builds.operations import GitOrigin, HttpOrigin, ImageOrigin, LocalOrigin, Operation

__all__ = [
    "Keys",
    "RemoteFile",
    "Remotes",
    "Resolved",
    "content_record",
    "git_text",
    "image_text",
    "key_of",
    "record_digest",
]

SOURCE_PREFIX = b"buildkit.source.v0:"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """What a server says of a file: its digest, and the ``Last-Modified`` of its answer, as it stands there."""

    digest: str
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a repository's reference names.

    Attributes
    ----------
    commit : str
        The commit, or the annotated tag.
    tagged : str
        The commit that an annotated tag names; empty for all else.
    ref : str
        The whole name of the reference, or the commit if that was asked for.
    """

    commit: str
    tagged: str = ""
    ref: str = ""


class Remotes(Protocol):
    """Asks servers what an address names today."""

    def file(self, origin: HttpOrigin) -> RemoteFile | Unknown:
        """Ask for a file."""

    def commit(self, origin: GitOrigin) -> Resolved | Unknown:
        """Ask for a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What an operation is cached by.

    Attributes
    ----------
    text : bytes
        What is hashed for the digest of its cache map.
    map_digest : str
    slots : tuple of Dependency
    """

    text: bytes
    slots: tuple[Dependency, ...] = ()

    @property
    def map_digest(self) -> str:
        """The digest of the cache map."""
        return _digest(self.text)

    @property
    def record(self) -> str:
        """The digest of its record: of output 0, the only one that a Dockerfile uses."""
        return record_digest(self.map_digest, 0)


def _digest(text: bytes) -> str:
    return f"sha256:{sha256(text).hexdigest()}"


def record_digest(map_digest: str, output: int) -> str:
    """Give the digest of an output's record; output -1 is a content key."""
    return _digest(f"{map_digest}@{output}".encode())


def content_record(content: str) -> str:
    """Give the digest of the record of a content key."""
    return record_digest(content, -1)


def key_of(operation: Operation, remotes: Remotes | None = None) -> Keys | Unknown:
    """Compute what an operation is cached by.

    Parameters
    ----------
    operation : Operation
    remotes : Remotes, optional
        Without it, what an address names is unknown.

    Returns
    -------
    Keys or Unknown
        Unknown with ``random`` for a folder of the client, which gets a new key in each build.
    """
    if operation.unknown is not None:
        return operation.unknown
    if operation.op.source is None:
        inputs = len(operation.inputs)
        text = operation_text(operation.op, inputs, operation.platform or Platform())
        assert text is not None
        return Keys(text=text, slots=dependencies(operation.op, inputs))
    key = _source_key(operation, remotes)
    return key if isinstance(key, Unknown) else Keys(text=SOURCE_PREFIX + key.encode())


def _source_key(operation: Operation, remotes: Remotes | None) -> str | Unknown:
    """Give what stands behind ``buildkit.source.v0:``."""
    match operation.origin:
        case ImageOrigin() as origin:
            return _digest(image_text(origin.digest, origin.platform))
        case LocalOrigin() as origin:
            return Unknown(because="random", reason=f"{origin.name} is a folder, which has a new key in each build")
        case HttpOrigin() as origin:
            return _http_key(origin, remotes)
        case GitOrigin() as origin:
            return _git_key(origin, remotes)
    raise AssertionError(operation.op)


def image_text(digest: str, platform: Platform) -> bytes:
    """Write what is hashed for an image (``mainManifestKey``): what its reference names, and the wanted platform."""
    return go_json(
        ImageKey(
            digest=digest,
            os=platform.os,
            arch=platform.architecture,
            variant=platform.variant or msgspec.UNSET,
            os_version=platform.os_version or msgspec.UNSET,
            os_features=platform.os_features or msgspec.UNSET,
        )
    )


def _http_key(origin: HttpOrigin, remotes: Remotes | None) -> str | Unknown:
    """Mirror ``formatCacheKey``. With a checksum in the Dockerfile nothing is asked, and no date is in the key."""
    if origin.checksum:
        found: RemoteFile | Unknown = RemoteFile(digest=origin.checksum)
    elif remotes is None:
        return Unknown(because="remote", reason=f"{origin.url} was not asked for")
    else:
        found = remotes.file(origin)
    if isinstance(found, Unknown):
        return found
    key: Mapping[str, object] = {
        "Filename": origin.filename,
        "Perm": 0,
        "UID": 0,
        "GID": 0,
        "Checksum": found.digest,
    } | ({"LastModTime": found.last_modified} if found.last_modified else {})
    return _digest(go_json(key))


def _git_key(origin: GitOrigin, remotes: Remotes | None) -> str | Unknown:
    """Mirror ``CacheKey`` and ``shaToCacheKey``."""
    if remotes is None:
        return Unknown(because="remote", reason=f"{origin.remote} was not asked for")
    found = remotes.commit(origin)
    if isinstance(found, Unknown):
        return found
    return git_text(origin, found)


def git_text(origin: GitOrigin, found: Resolved) -> str:
    """Write the key of a commit (``shaToCacheKey``)."""
    key = found.commit if origin.keep_git_dir else found.tagged or found.commit
    if origin.keep_git_dir:
        key += ".git" + (f"#{found.ref}" if found.ref else "")
    if origin.subdir:
        key += f":{origin.subdir}"
    if origin.skip_submodules:
        key += "(skip-submodules)"
    if origin.mtime not in ("", "checkout"):
        key += f"(mtime={origin.mtime})"
    return key
