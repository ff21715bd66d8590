"""How much anything from outside may cost: every limit in one table, each with an option and a clear error.

``--limit NAME=VALUE`` on the command line and `Options.limits` in Python change any of them::

    cachegraph check --limit archive-bytes=64G --limit source-seconds=900 cache.tar.gz

Two more budgets follow from ``--timeout``: a request may take that long altogether, from the first packet to the last
byte, and a source as long as `source_seconds` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from cachegraph.errors import DecodeError, UsageError

__all__ = ["DEFAULT", "Limits", "limit_table", "over_limit", "parse_limits", "source_seconds"]

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30
_UNITS = {"": 1, "K": _KIB, "M": _MIB, "G": _GIB}
_VALUE = re.compile(r"(\d{1,15})([KMG]?)")


def _limit(default: int, of: str) -> Any:  # noqa: ANN401 - what dataclasses.field gives
    return field(default=default, metadata={"of": of})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be read, in bytes, items and seconds. The name says the unit."""

    source_seconds: int = _limit(0, "reading one source over the network, all requests together; 0: from --timeout")
    config_bytes: int = _limit(128 * _MIB, "a cache config or image config that is downloaded")
    manifest_bytes: int = _limit(16 * _MIB, "a manifest that is downloaded")
    file_bytes: int = _limit(512 * _MIB, "a manifest or config in a directory or archive; a config or names file")
    database_bytes: int = _limit(4 * _GIB, "a daemon's database, as far as it is in use")
    page_bytes: int = _limit(4 * _MIB, "one page of a listing, and a token server's answer")
    names_bytes: int = _limit(_GIB, "an answer of a daemon's debug address")
    header_bytes: int = _limit(_MIB, "headers, trailers and framing of one HTTP answer")
    pages: int = _limit(10_000, "pages of one listing (tags, GitHub's entries, objects)")
    items: int = _limit(1_000_000, "entries of one listing")
    manifests: int = _limit(10_000, "manifests and indexes that one reference leads to")
    archive_bytes: int = _limit(64 * _GIB, "an archive, decompressed")
    archive_header_bytes: int = _limit(256 * _MIB, "headers, long names and pax records of an archive, all together")
    archive_members: int = _limit(250_000, "members of an archive")
    archive_seconds: int = _limit(600, "going through an archive once")
    helper_bytes: int = _limit(_MIB, "a credential helper's answer, and Docker's config.json")
    settings_bytes: int = _limit(4 * _MIB, "a bake file, compose file or workflow")
    expanded_bytes: int = _limit(_MIB, "the texts of a bake file, compose file or workflow with variables filled in")


DEFAULT = Limits()
"""The limits of who sets none."""


def option_name(name: str) -> str:
    """Write a limit's name as the option takes it: ``archive-bytes``."""
    return name.replace("_", "-")


def limit_table() -> list[tuple[str, int, str]]:
    """List every limit: the option's name, the default, and what it bounds."""
    return [
        (option_name(limit.name), getattr(DEFAULT, limit.name), str(limit.metadata["of"])) for limit in fields(Limits)
    ]


def parse_limits(settings: Iterable[str], base: Limits | None = None) -> Limits:
    """Read ``NAME=VALUE`` settings; a value may end in K, M or G (powers of 1,024).

    Raises
    ------
    cachegraph.errors.UsageError
        No such limit, or no such value.

    Examples
    --------
    >>> parse_limits(["archive-bytes=1G"]).archive_bytes
    1073741824
    """
    names = {option_name(limit.name): limit.name for limit in fields(Limits)}
    changed: dict[str, int] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        match = _VALUE.fullmatch(value)
        if name not in names:
            raise UsageError(f"--limit {name}: there is no such limit", hint=f"known limits: {', '.join(names)}")
        if match is None:
            raise UsageError(f"--limit {setting}: not a number", hint="write a whole number, or one with K, M or G")
        changed[names[name]] = int(match[1]) * _UNITS[match[2]]
    return replace(base or DEFAULT, **changed)


def source_seconds(limits: Limits, timeout: float) -> float:
    """Give the seconds that one source may take over the network.

    Unless set, 2.25 times the timeout, and more for the patient: 6.75 s at 3 s, 5 minutes at the usual 30 s.
    """
    return limits.source_seconds or timeout * max(2.25, timeout / 3)


def over_limit(what: str, allowed: int, of: str, name: str) -> DecodeError:
    """Make the error of a limit that was reached: ``cache.tar: more than 250,000 members``.

    Parameters
    ----------
    what : str
        What has too much.
    allowed : int
    of : str
        Of what, such as ``bytes``.
    name : str
        The field of `Limits`.
    """
    hint = f"if you trust it, allow more with --limit {option_name(name)}=NUMBER"
    return DecodeError(f"{what}: more than {allowed:,} {of}", hint=hint)
