"""What a build record says, once read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cachegraph.builds.dockerbuild.keys import BuildKeys, build_keys
from cachegraph.builds.operation_names import clean, describe_operation
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.core.model import Name, Names, Op

if TYPE_CHECKING:
    from cachegraph.builds.dockerbuild.operations import Operation, Operations

__all__ = ["BuildRecord", "CacheImport", "RecordStep", "RecordWarning"]

_IMAGE = re.compile(r"docker-image://(.+)@(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStep:
    """One vertex of a build: a step, a source, or the frontend's and client's own work.

    Attributes
    ----------
    digest : str
        Of the vertex. It cannot be compared between builds of buildx: the local context has a session's id in it.
    name : str
        As the progress display shows it, such as ``[build 2/3] RUN make``.
    inputs : tuple of str
        Digests of the vertices that it takes.
    executed : bool or None
        Whether it really ran; None where it never started.
    loaded : bool
        Whether a result of it was loaded from a cache.
    cached : bool
        Whether it was called cached at any time, as BuildKit counts cached steps.
    started, completed : str or None
        First start and last completion, RFC 3339.
    seconds : float or None
        Time in which it was at work; None where it never completed.
    error : str or None
    record_digests : tuple of str, or None
        Digests of its cache records, one for each output that is taken; empty for what has no record (local sources,
        the client's work), None where the record does not tell.
    """

    digest: str
    name: str
    inputs: tuple[str, ...]
    executed: bool | None
    loaded: bool
    cached: bool
    started: str | None
    completed: str | None
    seconds: float | None
    error: str | None
    record_digests: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheImport:
    """A cache that the build was given with ``--cache-from``.

    Attributes
    ----------
    type : str
        ``registry``, ``local``, ``gha``, ..
    attributes : mapping of str to str
        What buildx keeps of it: ``ref`` and ``scope`` only. So a registry or GitHub's cache can be read again, the
        directory of a local one and the bucket of S3 are gone.
    read : bool or None
        Whether BuildKit could read it; None where the record does not tell.
    error : str or None
        Why it could not.
    """

    type: str
    attributes: Mapping[str, str]
    read: bool | None
    error: str | None

    @property
    def spec(self) -> str | None:
        """The spec to read it with; None where its place was cut out of the record."""
        if not self.attributes:
            return None
        return ",".join([f"type={self.type}", *(f"{key}={value}" for key, value in sorted(self.attributes.items()))])


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordWarning:
    """A warning of the build: the step's vertex digest, the text, and where to read more."""

    vertex: str
    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class BuildRecord:
    """One build: what was asked for, what ran, and the keys of its steps.

    Attributes
    ----------
    source : str
        The file it was read from.
    ref : str
        BuildKit's name of the build.
    attributes : mapping of str to str
        The frontend's: ``filename``, ``target``, ``platform``, ``build-arg:NAME``, ..
    platforms : tuple of str
        Asked for, or the builder's own.
    created, completed : str or None
        RFC 3339.
    error : str or None
        Why the build failed; None for one that did not.
    image_digest : str or None
        Of the image that was exported.
    steps : tuple of RecordStep
        In order of their first start; those that never started last.
    cache_imports : tuple of CacheImport
        In the order of the command line, where the last one counts most.
    cached_steps, total_steps, completed_steps : int
        BuildKit's own counters, over all vertices.
    warnings : tuple of RecordWarning
    operations : Operations
        What provenance tells of the steps; empty where the record has none, as of a build that failed.
    """

    source: str
    ref: str
    attributes: Mapping[str, str]
    platforms: tuple[str, ...]
    created: str | None
    completed: str | None
    error: str | None
    image_digest: str | None
    steps: tuple[RecordStep, ...]
    cache_imports: tuple[CacheImport, ...]
    cached_steps: int
    total_steps: int
    completed_steps: int
    warnings: tuple[RecordWarning, ...]
    operations: Operations = field(repr=False)

    @cached_property
    def by_digest(self) -> Mapping[str, RecordStep]:
        """The steps by the digest of their vertex."""
        return {step.digest: step for step in self.steps}

    @property
    def has_provenance(self) -> bool:
        """Whether the keys of the steps are known."""
        return bool(self.operations.steps)

    @cached_property
    def keys(self) -> BuildKeys:
        """The keys that the build asked for, as the graph of an export; none where there is no provenance."""
        return build_keys(self.operations, f"{self.source} ({self.ref})" if self.ref else self.source)

    @cached_property
    def names(self) -> Names:
        """The names that the progress gave to the steps, by the digests of their records."""
        records: dict[str, Name] = {}
        for vertex, operation in self.operations.steps.items():
            step = self.by_digest.get(vertex)
            for digest in operation.record_digests or () if step else ():
                records.setdefault(digest, Name(op=_op(operation), name=clean(step.name if step else "")))
        return Names(records=records)

    @cached_property
    def texts(self) -> Mapping[str, Plaintext]:
        """What BuildKit hashed for the steps, by digest."""
        found: dict[str, Plaintext] = {}
        for operation in self.operations.steps.values():
            found |= operation.plaintexts
        return found

    @cached_property
    def references(self) -> Mapping[str, str]:
        """How the build called its images, by manifest digest."""
        found: dict[str, str] = {}
        for operation in self.operations.steps.values():
            if operation.source is not None and (match := _IMAGE.fullmatch(operation.source.identifier)):
                found[match[2]] = match[1]
        return found

    @property
    def target(self) -> str | None:
        """The stage that was asked for; None for the last one."""
        return self.attributes.get("target") or None

    @property
    def arguments(self) -> Mapping[str, str]:
        """Build arguments by name."""
        prefix = "build-arg:"
        return {key.removeprefix(prefix): value for key, value in self.attributes.items() if key.startswith(prefix)}


def _op(operation: Operation) -> Op:
    if operation.source is not None:
        return "source"
    described = describe_operation(operation.text or b"")
    return described.op if described else "unknown"
