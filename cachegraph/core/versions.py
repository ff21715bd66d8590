"""What depends on the builder's version, in one table.

=============== ==================================================================================================
BuildKit        what differs for who imports a cache
=============== ==================================================================================================
before 0.10     skips ``chains`` (``cache/remotecache/v1/spec.go``: the field came with 0.10)
0.25.0 - 0.32.2 loses links at random (``cache/remotecache/v1/cachestorage.go``, ``addItemToStorage``)
all             refuses a manifest or config over a limit (``cache/remotecache/import.go``, ``readBlob``): 1 MiB so far
=============== ==================================================================================================

None as a version is the newest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cachegraph.errors import UsageError

__all__ = ["EVERY", "LOSES_LINKS", "NO_CHAINS", "Version", "Versions", "config_limit", "parse_version"]

Version = tuple[int, int]
"""Major and minor: no patch release changed what is told here."""

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.\d{1,6})?(?:[-+].{0,80})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """A range of versions.

    Attributes
    ----------
    since : Version or None
        The first; None for all before.
    until : Version or None
        The first that is not in it any more; None if the newest is.
    """

    since: Version | None = None
    until: Version | None = None

    def hold(self, version: Version | None) -> bool:
        """Tell whether a version is in the range.

        Parameters
        ----------
        version : Version or None
            None for the newest.
        """
        if version is None:
            return self.until is None
        return (self.since is None or version >= self.since) and (self.until is None or version < self.until)

    def __str__(self) -> str:
        """Write it for people: ``before 0.10``, ``0.25 to 0.32``."""
        if self.until is None:
            return "every version" if self.since is None else f"{_text(self.since)} and newer"
        if self.since is None:
            return f"before {_text(self.until)}"
        return f"{_text(self.since)} to {_text((self.until[0], self.until[1] - 1))}"


EVERY = Versions()
NO_CHAINS = Versions(until=(0, 10))
"""Those that skip ``chains``."""
LOSES_LINKS = Versions(since=(0, 25), until=(0, 33))
"""Those whose importer loses links at random, see `cachegraph.core.lost_links`."""

_LIMITS: tuple[tuple[Versions, int], ...] = ((EVERY, 1 << 20),)
"""Bytes that a manifest or a cache config may have in a registry or a directory; the first range that fits counts."""


def config_limit(version: Version | None = None) -> int:
    """Give the bytes over which a builder refuses a manifest or cache config of a registry or a directory.

    Parameters
    ----------
    version : Version or None
    """
    return next(limit for versions, limit in _LIMITS if versions.hold(version))


def parse_version(text: str | None) -> Version | None:
    """Read a version of BuildKit.

    Parameters
    ----------
    text : str or None
        Such as ``0.31`` or ``v0.31.2``; None for the newest.

    Raises
    ------
    UsageError
        Anything else.
    """
    if text is None:
        return None
    if match := _VERSION.fullmatch(text.strip()):
        return int(match[1]), int(match[2])
    raise UsageError(f"{text!r} is not a version of BuildKit", hint="write it as 0.31 or v0.31.2")


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
