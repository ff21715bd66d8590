"""What every loader takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cachegraph.core.model import CacheExport
from cachegraph.core.progress import Report, quiet

__all__ = ["MAX_CONFIG", "Loader", "Options", "Spec"]

MAX_CONFIG = 128 << 20
"""Bytes of a cache config that are downloaded: some 400,000 records. BuildKit takes 1 MiB from a registry or a
directory, and has no limit for object stores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A spec, parsed.

    Attributes
    ----------
    type : str
        ``local``, ``registry``, ``s3``, ...: the loader's name in the catalogue.
    attrs : mapping of str to str
        Its keys and values, without ``type``.
    text : str
        The spec as the user wrote it, credentials masked; safe to print.
    """

    type: str
    attrs: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to read, whatever the source.

    Attributes
    ----------
    probe : bool
        Ask the store whether it has each listed blob (local directories always look).
    verify : bool
        Read every blob of a local directory and check it against its digest.
    timeout : float
        Seconds that one request may take.
    concurrency : int
        Requests under way at once.
    insecure_registries : frozenset of str
        ``host[:port]`` that may be spoken to over plain HTTP.
    tag_glob : str or None
        Read all tags of a repository that match, such as ``*`` or ``cache-*``, instead of one.
    report : Report
    """

    probe: bool = False
    verify: bool = False
    timeout: float = 30.0
    concurrency: int = 8
    insecure_registries: frozenset[str] = field(default_factory=frozenset)
    tag_glob: str | None = None
    report: Report = quiet


class Loader(Protocol):
    """Reads every export that a spec names."""

    def __call__(self, spec: Spec, options: Options) -> Sequence[CacheExport]:
        """Read the exports.

        Raises
        ------
        cachegraph.errors.SpecError
            A key is missing, unknown or out of range.
        cachegraph.errors.SourceError
            Nothing there, no rights, or bytes that cannot be read.
        """
