"""What each backend takes: its types, keys and values, in each direction.

Source: BuildKit v0.34.2 ``client/solve.go`` (``parseCacheOptions``), ``control/control.go``
(``parseCacheExportMode``, ``parseCacheExportIgnoreError``), ``cache/remotecache/*`` (``getConfig``,
``ResolveCacheExporterFunc``, ``ResolveCacheImporterFunc``), ``util/compression/attrs.go``,
``cmd/buildkitd/main.go`` (the exporters and importers that it has).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cachegraph.lint.values import Direction

__all__ = ["BACKENDS", "COMPRESSION", "SECRETS", "VALUES", "Checked", "keys_of"]

_OF_EXPORTS = frozenset({"mode", "ignore-error"})
COMPRESSION = frozenset({"compression", "compression-level", "force-compression"})
_MANIFESTS = frozenset({"image-manifest", "oci-mediatypes", "oci-artifact"})
_S3 = frozenset(
    {
        "bucket",
        "region",
        "prefix",
        "manifests_prefix",
        "blobs_prefix",
        "name",
        "touch_refresh",
        "endpoint_url",
        "access_key_id",
        "secret_access_key",
        "session_token",
        "use_path_style",
        "upload_parallelism",
        "disable_accept_encoding",
        "retry_mode",
        "retry_max_attempts",
    }
)
_AZURE = frozenset(
    {
        "secret_access_key",
        "account_name",
        "account_url",
        "prefix",
        "manifests_prefix",
        "blobs_prefix",
        "name",
        "container",
    }
)
_GITHUB = frozenset({"scope", "timeout", "token", "url", "url_v2", "repository", "ghtoken", "version"})

BACKENDS: Mapping[str, Mapping[Direction, frozenset[str]]] = {
    "registry": {
        "from": frozenset({"ref", "registry.insecure"}),
        "to": frozenset({"ref", "registry.insecure"}) | _MANIFESTS | COMPRESSION | _OF_EXPORTS,
    },
    "local": {
        "from": frozenset({"src", "tag", "digest"}),
        "to": frozenset({"dest", "tag", "reset"}) | _MANIFESTS | COMPRESSION | _OF_EXPORTS,
    },
    "gha": {"from": _GITHUB, "to": _GITHUB | _OF_EXPORTS},
    "s3": {"from": _S3, "to": _S3 | COMPRESSION | _OF_EXPORTS},
    "azblob": {"from": _AZURE, "to": _AZURE | _OF_EXPORTS},
    "inline": {"to": _OF_EXPORTS},
}
"""Keys by type and direction. ``inline`` can be written only."""

SECRETS = frozenset({"access_key_id", "ghtoken", "secret_access_key", "session_token", "token"})
"""Keys whose values are credentials."""


def keys_of(kind: str, direction: Direction) -> frozenset[str] | None:
    """Give the keys that a backend reads; None if it is unknown."""
    return BACKENDS.get(kind, {}).get(direction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a key takes.

    Attributes
    ----------
    takes : str
        In words.
    holds : callable
        Tells whether a text is taken.
    otherwise : str
        What becomes of another text.
    fails : bool
        Whether the build, or the import, fails then.
    words : tuple of str
        All texts, if they can be listed.
    """

    takes: str
    holds: Callable[[str], object]
    otherwise: str
    fails: bool = False
    words: tuple[str, ...] = ()


_DURATION = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|[-+]?0")
_BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})
_REFUSED = "BuildKit refuses it"


def _words(*words: str, otherwise: str, fails: bool = False) -> Checked:
    return Checked(takes=" or ".join(words), holds=words.__contains__, otherwise=otherwise, fails=fails, words=words)


def _boolean(otherwise: str, *, fails: bool = False) -> Checked:
    return Checked(
        takes="true or false", holds=_BOOLEANS.__contains__, otherwise=otherwise, fails=fails, words=("true", "false")
    )


def _positive(text: str) -> bool:
    return bool(re.fullmatch(r"\+?0*[1-9][0-9]{0,17}", text))


_GO_DURATION = "a duration such as 24h or 90m (there is no unit for days)"

VALUES: Mapping[str, Checked] = {
    "mode": _words("min", "max", otherwise="it counts as min, without a word"),
    "compression": _words("uncompressed", "gzip", "estargz", "zstd", otherwise=_REFUSED, fails=True),
    "compression-level": Checked(
        takes="a whole number",
        holds=re.compile(r"[-+]?[0-9]{1,18}").fullmatch,
        otherwise=_REFUSED,
        fails=True,
    ),
    "force-compression": Checked(
        takes="true or false",
        holds=(_BOOLEANS | {""}).__contains__,
        otherwise=_REFUSED,
        fails=True,
        words=("true", "false"),
    ),
    "ignore-error": _boolean("it counts as false, without a word"),
    "image-manifest": _boolean(_REFUSED, fails=True),
    "oci-mediatypes": _boolean(_REFUSED, fails=True),
    "registry.insecure": _boolean(_REFUSED, fails=True),
    "reset": _boolean(_REFUSED, fails=True),
    "use_path_style": _boolean("it counts as false, without a word"),
    "disable_accept_encoding": _boolean("it counts as false, without a word"),
    "touch_refresh": Checked(
        takes=_GO_DURATION, holds=_DURATION.fullmatch, otherwise="it counts as 24h, without a word"
    ),
    "timeout": Checked(takes=_GO_DURATION, holds=_DURATION.fullmatch, otherwise=_REFUSED, fails=True),
    "retry_mode": _words("standard", "adaptive", otherwise=_REFUSED, fails=True),
    "retry_max_attempts": Checked(takes="a number above 0", holds=_positive, otherwise=_REFUSED, fails=True),
    "upload_parallelism": Checked(takes="a number above 0", holds=_positive, otherwise=_REFUSED, fails=True),
}
"""What keys take; a key that is not here takes any text."""
