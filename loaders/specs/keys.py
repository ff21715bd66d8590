"""What BuildKit's cache backends know: their types, their keys, the values that they take, and what holds without.

Read from BuildKit v0.34.2: ``getConfig`` of ``cache/remotecache/{s3,azblob,gha}``, ``ResolveCacheExporterFunc`` and
``ResolveCacheImporterFunc`` of ``{local,registry,inline}``, ``parseCacheOptions`` of ``client/solve.go``,
``parseCacheExportMode`` of ``control/control.go``, ``ParseAttributes`` of ``util/compression``; and from the README
(``Export cache``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["FALSE", "KEYS", "TRUE", "TYPES", "Direction", "Key", "Values", "keys_of"]

Direction = Literal["from", "to"]
"""``from``: the cache is read (``--cache-from``); ``to``: it is written (``--cache-to``)."""

TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
"""What Go's ``strconv.ParseBool`` takes."""

_DURATION = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_INTEGER = re.compile(r"[-+]?\d{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The values that a key takes.

    Attributes
    ----------
    words : tuple of str
        Every value, or what to write in the place of one that is not taken.
    pattern : Pattern or None
        What a value looks like, where ``words`` are examples only.
    refused : bool
        Whether another value makes the export fail, and the import be left out; else it is passed over in silence.
    """

    words: tuple[str, ...]
    pattern: re.Pattern[str] | None = None
    refused: bool = True

    def take(self, value: str) -> bool:
        """Tell whether a value is taken."""
        return self.pattern.fullmatch(value) is not None if self.pattern else value in self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that a backend reads.

    Attributes
    ----------
    name : str
    reads, writes : bool
        Whether ``--cache-from`` and ``--cache-to`` look at it.
    default : str
        What it is where it is left out; empty where there is no such value.
    otherwise : str
        What BuildKit does without it, to follow "BuildKit", if it has no default; empty where nothing is to be said.
    values : Values or None
        None for any text.
    """

    name: str
    reads: bool = True
    writes: bool = True
    default: str = ""
    otherwise: str = ""
    values: Values | None = None

    def counts(self, direction: Direction | None) -> bool:
        """Tell whether a direction looks at it; without one, whether any does."""
        return direction is None or (self.reads if direction == "from" else self.writes)


_BOOLS = ("true", "false", *sorted((TRUE | FALSE) - {"true", "false"}))
_BOOL = Values(words=_BOOLS)
_MODE = Key(name="mode", reads=False, default="min", values=Values(words=("max", "min"), refused=False))
_IGNORE = Key(
    name="ignore-error",
    reads=False,
    default="false",
    values=Values(words=_BOOLS, refused=False),
)
_COMPRESSION = (
    Key(
        name="compression",
        reads=False,
        default="gzip",
        values=Values(words=("zstd", "gzip", "estargz", "uncompressed")),
    ),
    Key(name="compression-level", reads=False, values=Values(words=("3",), pattern=_INTEGER)),
    Key(name="force-compression", reads=False, values=Values(words=(*_BOOLS, ""))),
)
_MANIFEST = (
    Key(name="image-manifest", reads=False, values=_BOOL),
    Key(name="oci-mediatypes", reads=False, values=_BOOL),
)
_STORED = (
    Key(name="prefix"),
    Key(name="manifests_prefix"),
    Key(name="blobs_prefix"),
    Key(name="name", default="buildkit"),
)

_FAILS = "has no {}, and the build fails"

KEYS: Mapping[str, tuple[Key, ...]] = {
    "registry": (
        Key(name="ref", otherwise=_FAILS.format("ref")),
        Key(name="registry.insecure", values=_BOOL),
        *(_MODE, _IGNORE, *_MANIFEST, *_COMPRESSION),
    ),
    "local": (
        Key(name="src", writes=False, otherwise=_FAILS.format("src")),
        Key(name="dest", reads=False, otherwise=_FAILS.format("dest")),
        Key(name="tag", default="latest"),
        Key(name="digest", writes=False, otherwise="looks for the tag"),
        Key(name="reset", reads=False, default="false", values=_BOOL),
        *(_MODE, _IGNORE, *_MANIFEST, *_COMPRESSION),
    ),
    "inline": (),
    "gha": (
        Key(name="scope", default="buildkit"),
        Key(name="url", otherwise="takes the address that buildx finds in the environment"),
        Key(name="url_v2", otherwise="takes the address that buildx finds in the environment"),
        Key(name="token", otherwise="takes the token that buildx finds in the environment"),
        Key(name="version", values=Values(words=("2", "1"), pattern=_INTEGER)),
        Key(name="timeout", default="10m", values=Values(words=("10m",), pattern=_DURATION)),
        Key(name="repository", reads=False),
        Key(name="ghtoken", reads=False),
        *(_MODE, _IGNORE),
    ),
    "s3": (
        Key(name="bucket", otherwise="takes the bucket of its own environment"),
        Key(name="region", otherwise="takes the region of its own environment"),
        *_STORED,
        Key(name="endpoint_url", otherwise="asks AWS"),
        Key(name="access_key_id", otherwise="looks for other credentials"),
        Key(name="secret_access_key", otherwise="looks for other credentials"),
        Key(name="session_token"),
        Key(
            name="use_path_style",
            default="false",
            values=Values(words=_BOOLS, refused=False),
        ),
        Key(name="disable_accept_encoding", default="false", values=Values(words=_BOOLS, refused=False)),
        Key(name="retry_mode", values=Values(words=("standard", "adaptive"))),
        Key(name="retry_max_attempts", values=Values(words=("3",), pattern=re.compile(r"\+?0*[1-9]\d{0,8}"))),
        Key(
            name="touch_refresh",
            reads=False,
            default="24h",
            values=Values(words=("24h",), pattern=_DURATION, refused=False),
        ),
        Key(
            name="upload_parallelism",
            reads=False,
            values=Values(words=("4",), pattern=re.compile(r"\+?0*[1-9]\d{0,8}")),
        ),
        *(_MODE, _IGNORE, *_COMPRESSION),
    ),
    "azblob": (
        Key(name="account_url", otherwise="takes the account of its own environment"),
        Key(name="account_name"),
        Key(name="container", default="buildkit-cache"),
        *_STORED,
        Key(name="secret_access_key", otherwise="looks for other credentials"),
        *(_MODE, _IGNORE),
    ),
}
"""The keys of each type, the most common first."""

TYPES: Mapping[Direction, tuple[str, ...]] = {
    "from": ("registry", "local", "gha", "s3", "azblob"),
    "to": ("registry", "local", "gha", "s3", "azblob", "inline"),
}
"""The types that a daemon knows (BuildKit ``cmd/buildkitd/main.go``)."""


def keys_of(kind: str) -> dict[str, Key]:
    """Give the keys that a type knows, by name; none of a type that does not exist."""
    return {key.name: key for key in KEYS.get(kind, ())}
