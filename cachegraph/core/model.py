"""What an export is: the cache config's own structs, and the export around it.

The structs mirror BuildKit's ``cache/remotecache/v1/types`` (``CacheConfig`` and its parts), with BuildKit's field
names on the wire and Go's zero values as defaults. An annotated sample::

    {"layers":  [{"blob": "sha256:75..", "parent": -1},          a bottom layer
                 {"blob": "sha256:74.."}],                       parent left out: 0
     "records": [{"digest": "sha256:a0..", },                    a root: no inputs
                 {"digest": "sha256:66..",
                  "inputs": [[{"selector": "sha256:8a..", "link": 0}]],    one slot, one alternative
                  "layers": [{"layer": 1, "createdAt": "2026-11-23T20:36:07.3Z"}],
                  "chains": [{"layers": [1], "createdAt": "0001-01-01T00:00:00Z"}]}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from cachegraph.core.gojson import GoInt, GoTime, Wire

__all__ = [
    "ZERO_TIME",
    "Blob",
    "CacheConfig",
    "CacheExport",
    "CacheInput",
    "CacheLayer",
    "CacheRecord",
    "CacheResult",
    "ChainedResult",
    "Fault",
    "Kind",
    "LayerAnnotations",
    "Name",
    "Names",
    "Op",
    "Problem",
    "ProblemCode",
    "Shape",
    "StrayBlob",
]

ZERO_TIME = "0001-01-01T00:00:00Z"
"""Go's zero time, which means that nobody knows when."""

Kind = Literal["local", "registry", "inline", "s3", "azblob", "gha", "daemon", "config"]
"""Where an export came from."""

Shape = Literal["manifest", "index"]
"""What lists an export's blobs: an image manifest (the default since BuildKit 0.21), or an image index."""

Fault = Literal["wrong-size", "wrong-digest", "no-diff-id", "wrong-media-type", "wrong-diff-id"]
"""Why a blob that is there cannot be loaded all the same.

wrong-size, wrong-digest, wrong-diff-id: its bytes are not those that the manifest describes. no-diff-id: the manifest
lacks the annotation ``containerd.io/uncompressed``. wrong-media-type: the manifest calls it what no layer is, or what
its bytes are not.
"""

Op = Literal["merge", "diff", "exec", "file", "source", "content", "unknown"]
"""The operation behind a record."""

ProblemCode = Literal[
    "size-mismatch", "digest-mismatch", "image-ignored", "builder-panic", "manifest-missing", "spec-trap", "source-note"
]
"""What a loader can notice about a source without giving it up."""


class LayerAnnotations(Wire, frozen=True, rename="camel", omit_defaults=False):
    """What S3, Azure and GitHub exports say of a layer, having no manifest."""

    media_type: str = ""
    diff_id: str = msgspec.field(default="", name="diffID")
    size: GoInt = 0
    created_at: GoTime = ZERO_TIME


class CacheLayer(Wire, frozen=True):
    """A layer: its blob and the index of the layer below it (-1 for none)."""

    blob: str = ""
    parent: GoInt = 0
    annotations: LayerAnnotations | None = None


class CacheInput(Wire, frozen=True):
    """One alternative of a slot: a record index, and the paths the input is narrowed to."""

    selector: str = ""
    link: GoInt = 0


class CacheResult(Wire, frozen=True, rename="camel", omit_defaults=False):
    """A result that is a layer with all of its parents."""

    layer: GoInt = 0
    created_at: GoTime = ZERO_TIME


class ChainedResult(Wire, frozen=True, rename="camel", omit_defaults=False):
    """A result that is exactly these layers, without their parents."""

    layers: tuple[GoInt, ...] = ()
    created_at: GoTime = ZERO_TIME


class CacheRecord(Wire, frozen=True):
    """A cache key, the slots it depends on, and its results."""

    layers: tuple[CacheResult, ...] = ()
    chains: tuple[ChainedResult, ...] = ()
    digest: str = ""
    inputs: tuple[tuple[CacheInput, ...], ...] = ()


class CacheConfig(Wire, frozen=True):
    """The document that an export is."""

    layers: tuple[CacheLayer, ...] = ()
    records: tuple[CacheRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A blob that the export's manifest lists.

    Attributes
    ----------
    digest : str
    size : int or None
        Bytes; None where nothing says.
    media_type, diff_id : str or None
    present : bool or None
        Whether the store has it; None when the loader did not look.
    fault : str or None
        Why it cannot be loaded although it is listed and, as far as known, there.
    """

    digest: str
    size: int | None = None
    media_type: str | None = None
    diff_id: str | None = None
    present: bool | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayBlob:
    """A blob in the store that no manifest reaches, with its size in bytes and, where known, its time."""

    digest: str
    size: int
    modified_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with a source that does not stop it from being read.

    Attributes
    ----------
    code : ProblemCode
    digest : str or None
        The blob concerned.
    message : str
        One sentence: what is wrong, what it costs, what to do.
    severity : {"error", "warning", "note"}
    """

    code: ProblemCode
    message: str
    digest: str | None = None
    severity: Literal["error", "warning", "note"] = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheExport:
    """One export, whole and immutable: what a loader makes and everything else reads.

    Attributes
    ----------
    source : str
        The spec that names it, canonical and without credentials.
    kind : Kind
    config : CacheConfig
    config_digest : str
        sha256 of the bytes that ``config`` was read from.
    config_bytes : int
        Their number.
    blobs : tuple of Blob, or None
        What the manifest lists; None when there is no manifest and every layer's blob counts as listed.
    platform : str or None
        ``os/arch[/variant]`` of an inline cache's image.
    manifest_digest : str or None
    shape : {"manifest", "index"} or None
        What lists the blobs; None where there is no manifest.
    refusal : str or None
        BuildKit's words if it refuses the export before it reads the config (too large).
    layer_history : tuple of (created_at, created_by)
        For inline images, of each layer in order; each may be None.
    layer_names : tuple of Name or None
        For inline images, what made each layer in order, as its history says.
    problems : tuple of Problem
    strays : tuple of StrayBlob, or None
        Blobs of the same store that no manifest reaches; None when the loader did not look. Exports of one store
        carry the same tuple.
    store : str
        Names the store that ``strays`` belong to, such as the directory.
    results_known : bool
        False where the source tells keys only: then it is not known what is loadable.
    unknown : frozenset of tuple of (record, slot)
        Of a build that has not run: slots that may take content which only the build will tell (what a step makes).
        A slot of -1 stands for the record's own digest. Empty for a real export.
    uncached : frozenset of int
        Of a build that has not run: records that it looks for in no cache (``--no-cache``). Empty for a real export.
    given : str
        The spec as its reader was given it, without credentials; empty where none was.
    """

    source: str
    kind: Kind
    config: CacheConfig
    config_digest: str
    config_bytes: int
    blobs: tuple[Blob, ...] | None = None
    platform: str | None = None
    manifest_digest: str | None = None
    shape: Shape | None = None
    refusal: str | None = None
    layer_history: tuple[tuple[str | None, str | None], ...] = ()
    layer_names: tuple[Name | None, ...] = field(default=(), compare=False)
    problems: tuple[Problem, ...] = ()
    strays: tuple[StrayBlob, ...] | None = None
    store: str = ""
    results_known: bool = True
    unknown: frozenset[tuple[int, int]] = frozenset()
    uncached: frozenset[int] = frozenset()
    given: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a record does, from a plaintext: its operation and a line that a build engineer recognises.

    ``places`` are the files and lines that ask for it, where a Dockerfile named it; ``text`` is the command with its
    line ends, where it is known and has some.
    """

    op: Op
    name: str
    places: tuple[tuple[str, int], ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Plaintexts by digest.

    Attributes
    ----------
    records : mapping of str to Name
        By the digest of a record.
    selectors : mapping of str to str
        The path or paths that a selector's digest stands for.
    layers : mapping of tuple of str to Name
        What made the last of these layers, by the digests of blobs, or of their content (diff IDs), bottom first.
    """

    records: Mapping[str, Name] = field(default_factory=dict)
    selectors: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[tuple[str, ...], Name] = field(default_factory=dict)

    def __or__(self, other: Names) -> Names:
        """Join names; of what both name, the right one counts."""
        return Names(
            records={**self.records, **other.records},
            selectors={**self.selectors, **other.selectors},
            layers={**self.layers, **other.layers},
        )
