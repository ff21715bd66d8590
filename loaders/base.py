"""What every loader takes and gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cachegraph.core.model import CacheExport
from cachegraph.core.progress import Report, quiet
from cachegraph.errors import SourceError
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.specs.traps import Trap

__all__ = ["Expand", "Loader", "Options", "Spec"]


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
    notes : tuple of str
        What is to be said of it beside its exports, a sentence each.
    traps : tuple of Trap
        What BuildKit ignores of it, or takes otherwise than meant.
    bare : bool
        Whether it was a path or a reference, and what it is was told by what lies there or how it looks.
    place : str
        The file and line that name it; empty where no file does.
    """

    type: str
    attrs: Mapping[str, str]
    text: str
    notes: tuple[str, ...] = ()
    traps: tuple[Trap, ...] = ()
    bare: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to read, whatever the source.

    Attributes
    ----------
    probe : bool
        Ask the store whether it has each listed blob (local directories always look).
    probe_blobs : int
        Blobs of one source that the store is asked for where `probe` is False: all of an export's, or none. What keeps
        it from answering is no error then.
    verify : bool
        Read every blob of a local directory and check it against its digest.
    timeout : float
        Seconds that one request may take, from its first packet to its last; a source gets a multiple of it
        (`cachegraph.loaders.limits.source_seconds`).
    concurrency : int
        Requests under way at once.
    insecure_registries : frozenset of str
        ``host[:port]`` that may be spoken to over plain HTTP.
    tag_glob : str or None
        Read all tags of a repository that match, such as ``*`` or ``cache-*``, instead of one.
    report : Report
    limits : Limits
        How much anything from outside may cost.
    """

    probe: bool = False
    probe_blobs: int = 0
    verify: bool = False
    timeout: float = 30.0
    concurrency: int = 8
    insecure_registries: frozenset[str] = field(default_factory=frozenset)
    tag_glob: str | None = None
    report: Report = quiet
    limits: Limits = DEFAULT


class Loader(Protocol):
    """Reads every export that a spec names."""

    def __call__(self, spec: Spec, options: Options) -> Sequence[CacheExport]:
        """Read the exports.

        Raises
        ------
        cachegraph.errors.SpecError
            A key is missing, or its value out of range.
        cachegraph.errors.SourceError
            Nothing there, no rights, or bytes that cannot be read.
        """


class Expand(Protocol):
    """Tells a spec that stands for many sources from one; a loader's module may have one, as ``expand``."""

    def __call__(self, spec: Spec, options: Options) -> Iterator[Spec | SourceError] | None:
        """List the sources, an error in place of one that cannot be asked for; None if the spec is one itself."""
