"""Image references, read as Docker and BuildKit read them.

::

    alpine                          docker.io/library/alpine:latest
    user/app:cache                  docker.io/user/app:cache
    localhost:5000/app              localhost:5000/app:latest
    ghcr.io/org/app:v1@sha256:9f..  ghcr.io/org/app@sha256:9f..      the digest decides, the tag is a remark

The grammar and the defaults are those of ``github.com/distribution/reference`` (``ParseNormalizedNamed``,
``splitDockerDomain``), which BuildKit uses for ``ref=``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from cachegraph.errors import SpecError

__all__ = ["TAG", "Reference", "is_loopback", "parse_reference"]

_DOMAIN = (
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\]"
)
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
TAG = re.compile(_TAG)
"""What a tag looks like; a registry may list anything."""

_REFERENCE = re.compile(
    rf"(?P<host>(?:{_DOMAIN})(?::[0-9]+)?)/(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>{_TAG}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?"
)
_SHOWN = 300  # characters of what is no reference
_LONGEST_NAME = 255  # distribution/reference: RepositoryNameTotalLengthMax

_ALLOWED = "HOST[:PORT]/NAME[:TAG][@DIGEST], the name in lower case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a manifest is, fully spelled out.

    Attributes
    ----------
    host : str
        ``docker.io``, ``localhost:5000``, ...
    repository : str
        ``library/alpine``
    tag : str or None
        None where the text gave none; ``latest`` is then meant, unless there is a digest.
    digest : str or None
    """

    host: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """Host and repository: ``docker.io/library/alpine``."""
        return f"{self.host}/{self.repository}"

    @property
    def target(self) -> str:
        """What the registry is asked for: the digest, else the tag."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        return f"{self.name}{'@' if self.digest else ':'}{self.target}"


def parse_reference(text: str) -> Reference:
    """Parse an image reference and fill in Docker's defaults.

    Raises
    ------
    cachegraph.errors.SpecError
        The text is not a reference. The message leaves out what might be a password (``user:password@host``).

    Examples
    --------
    >>> str(parse_reference("alpine"))
    'docker.io/library/alpine:latest'
    """
    first, slash, rest = text.partition("/")
    is_host = bool(slash) and (first == "localhost" or any(c in first for c in ".:[") or first != first.lower())
    host, remainder = (first, rest) if is_host else ("docker.io", text)
    if host == "index.docker.io":
        host = "docker.io"
    if host == "docker.io" and "/" not in remainder:
        remainder = f"library/{remainder}"
    match = _REFERENCE.fullmatch(f"{host}/{remainder}")
    if match is None or len(match["repository"]) > _LONGEST_NAME:
        shown = f"***@{text.rpartition('@')[2]}" if "@" in text else text
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}.."
        raise SpecError(f"{shown!r} is not an image reference", hint=f"write {_ALLOWED}")
    return Reference(host=match["host"], repository=match["repository"], tag=match["tag"], digest=match["digest"])


def is_loopback(host: str) -> bool:
    """Say whether ``host[:port]`` is this machine: ``localhost``, 127.0.0.0/8 or ``[::1]``."""
    name = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
