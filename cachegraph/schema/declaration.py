"""The graph's schema, declared once: labels, relationship types, properties and what each means.

NetworkX, Neo4j, the data frames, constraints, indexes and the schema page all come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["BOOKKEEPING", "NODES", "RELATIONSHIPS", "Node", "Property", "Relationship", "node", "relationship"]

Type = Literal["string", "integer", "boolean", "time", "integers", "strings"]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a node or relationship.

    Attributes
    ----------
    name : str
    type : str
        ``time`` is UTC with nanoseconds, ``integers`` and ``strings`` are lists.
    description : str
        What it means, its unit, and when it is null.
    indexed : bool
        Whether a store keeps an index on it.
    """

    name: str
    type: Type
    description: str
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A label. Its first property is its key."""

    label: str
    description: str
    properties: tuple[Property, ...]

    @property
    def key(self) -> str:
        """Name of the property that identifies a node."""
        return self.properties[0].name


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship type between two labels."""

    type: str
    start: str
    end: str
    description: str
    properties: tuple[Property, ...] = ()


NODES: tuple[Node, ...] = (
    Node(
        "Export",
        "One cache export: what one builder wrote in one go.",
        (
            Property("id", "string", "sha256 over source, config digest and, for inline caches, platform."),
            Property("source", "string", "The spec that names it, without credentials.", indexed=True),
            Property("kind", "string", "local, registry, inline, s3, azblob, gha, daemon or config."),
            Property("platform", "string", "os/arch[/variant] of an inline cache's image, else null."),
            Property("config_digest", "string", "sha256 of the cache config's bytes."),
            Property("manifest_digest", "string", "Digest of the manifest; null where there is none."),
            Property("bytes", "integer", "Bytes of the cache config."),
            Property("bytes_limit", "integer", "Bytes after which BuildKit refuses it; null where there is no limit."),
            Property("layers_bytes", "integer", "Bytes of it that describe layers."),
            Property("inputs_bytes", "integer", "Bytes of it that describe inputs of records."),
            Property("results_bytes", "integer", "Bytes of it that describe results of records."),
            Property("other_bytes", "integer", "Bytes of it for digests and the rest."),
            Property("records", "integer", "Number of its records."),
            Property("roots", "integer", "Number of its records without inputs."),
            Property("loadable_steps", "integer", "Number of its records with inputs that have a loadable result."),
            Property("layers", "integer", "Number of its layers."),
            Property(
                "blob_bytes", "integer", "Bytes of the blobs that its manifest lists, as far as known; null for none."
            ),
            Property(
                "results_known", "boolean", "False where the source tells keys only, such as a builder's address."
            ),
            Property("importable", "boolean", "Whether BuildKit imports it."),
            Property("import_error", "string", "BuildKit's words for refusing it, else null."),
            Property("store", "string", "What its stray blobs lie in, such as a directory; null where nobody looked."),
            Property("loaded_at", "time", "When it was read; in Neo4j, when its load was complete."),
        ),
    ),
    Node(
        "Record",
        "A cache key of an export.",
        (
            Property("id", "string", "<export id>/r<index>."),
            Property("index", "integer", "Index in the export's own records."),
            Property("digest", "string", "Digest of the key; several records may share one.", indexed=True),
            Property(
                "key_id",
                "string",
                "Identity across exports: over digest and, for each slot, the set of (selector, key_id).",
                indexed=True,
            ),
            Property("op", "string", "merge, diff, exec, file, source, content or unknown."),
            Property("name", "string", "What it does, in plain text; null where nobody can say."),
            Property("is_root", "boolean", "Whether it has no inputs."),
            Property("is_merge", "boolean", "Whether it is a merge: its digest and the number of its slots say so."),
            Property("loadable", "boolean", "Whether it has a loadable result."),
            Property("bridged", "boolean", "Whether a loadable record depends on it, directly or not."),
            Property(
                "missing_reason",
                "string",
                "Why a record that is no root has no loadable result: blob-missing, blob-not-listed or not-exported.",
                indexed=True,
            ),
            Property(
                "downstream_loadable",
                "integer",
                "How many loadable records depend on a root or one with a missing_reason; else null, or behind a loop.",
            ),
            Property(
                "root_reasons",
                "strings",
                "Why a root can give nothing: orphan, dead, lost; empty if it can, null for records with inputs.",
                indexed=True,
            ),
            Property("lost_merge", "integer", "Of a lost root: index of the merge record that holds its layers."),
            Property("lost_slot", "integer", "Of a lost root: the slot of that merge."),
            Property("lost_layers", "integers", "Of a lost root: positions in the merged result; null if unknown."),
            Property("merged_layers", "integer", "Of a merge: layers of its result; null if none is loadable."),
            Property(
                "folds_into",
                "integer",
                "Index of the record that BuildKit makes this one part of, else null.",
                indexed=True,
            ),
            Property("dropped_results", "integer", "Results that this folding loses; null where nothing is folded."),
        ),
    ),
    Node(
        "Result",
        "What a record's operation made, as far as the export holds it.",
        (
            Property("id", "string", "<record id>/<layers or chains><n>."),
            Property("kind", "string", "layer (a layer with all of its parents) or chain (exactly these layers)."),
            Property("created_at", "time", "When it was made; null where nobody knows."),
            Property("loadable", "boolean", "Whether BuildKit can load it."),
            Property("reason", "string", "Why not: blob-missing, blob-not-listed or invalid; null if it can."),
        ),
    ),
    Node(
        "Layer",
        "A layer of an export: a blob upon a parent.",
        (
            Property("id", "string", "<export id>/l<index>."),
            Property("index", "integer", "Index in the export's own layers."),
            Property("created_at", "time", "When it was made; null where nobody says."),
            Property("created_by", "string", "The step that made it, from the image's history; null elsewhere."),
            Property("bytes", "integer", "Bytes of its blob, as the export's manifest says; null where it does not."),
            Property("used", "boolean", "Whether some loadable result uses it."),
        ),
    ),
    Node(
        "Problem",
        "Something wrong with the place an export was read from.",
        (
            Property("id", "string", "<export id>/p<index>."),
            Property("index", "integer", "Order in which they were met."),
            Property(
                "code", "string", "size-mismatch, digest-mismatch, image-ignored, manifest-missing or source-note."
            ),
            Property("severity", "string", "error, warning or note."),
            Property("digest", "string", "Digest of the blob concerned; null for none."),
            Property("message", "string", "What is wrong, what it costs, what to do."),
        ),
    ),
    Node(
        "Blob",
        "A blob, shared by all exports.",
        (
            Property("digest", "string", "Digest of the blob."),
            Property("size", "integer", "Bytes; null where nobody says."),
            Property("media_type", "string", "Media type; null where nobody says."),
            Property("diff_id", "string", "Digest of its uncompressed bytes; null where nobody says."),
        ),
    ),
)

RELATIONSHIPS: tuple[Relationship, ...] = (
    Relationship("HAS_RECORD", "Export", "Record", "The export holds the record."),
    Relationship("HAS_LAYER", "Export", "Layer", "The export holds the layer."),
    Relationship(
        "LISTS",
        "Export",
        "Blob",
        "The export's manifest lists the blob.",
        (Property("present", "boolean", "Whether the store has it; null when nobody looked."),),
    ),
    Relationship(
        "HAS_STRAY",
        "Export",
        "Blob",
        "The export's store holds the blob, and no manifest there reaches it.",
        (
            Property("bytes", "integer", "Its bytes in that store."),
            Property(
                "modified_at", "string", "When it was written, in the store's words; null where it does not tell."
            ),
        ),
    ),
    Relationship("HAS_PROBLEM", "Export", "Problem", "The loader noticed the problem."),
    Relationship(
        "INPUT",
        "Record",
        "Record",
        "The record depends on the other: one alternative of one slot.",
        (
            Property("slot", "integer", "Which dependency of the operation; all slots must match."),
            Property("alternative", "integer", "Which alternative of the slot; one must match."),
            Property("selector", "string", "Digest of the paths the input is narrowed to; null for all."),
            Property(
                "relation",
                "string",
                "Of a merge: prefix, subset, scattered, absent or no-result; null where nothing can be compared.",
            ),
            Property("start", "integer", "Of a merge: first position of the input's layers in the merged result."),
            Property("stop", "integer", "Of a merge: position behind the last."),
            Property(
                "inferred",
                "boolean",
                "Of a merge: whether the positions follow from the other slots alone; null for others.",
            ),
        ),
    ),
    Relationship(
        "HAS_RESULT",
        "Record",
        "Result",
        "The record has the result.",
        (Property("position", "integer", "Order in which BuildKit reads it: layers before chains."),),
    ),
    Relationship(
        "USES",
        "Result",
        "Layer",
        "The result holds the layer.",
        (Property("position", "integer", "From the bottom, 0 first."),),
    ),
    Relationship("PARENT", "Layer", "Layer", "The layer lies upon the other."),
    Relationship("BLOB", "Layer", "Blob", "The layer's blob."),
)

BOOKKEEPING: tuple[Property, ...] = (
    Property("complete", "boolean", "Whether all of it is there: written last, and taken away first."),
    Property("current", "boolean", "Whether it is complete and the newest of its source and platform."),
    Property("superseded_at", "time", "When a newer one of its source and platform was complete; null while current."),
    Property("fingerprint", "string", "sha256 over all that the loader saw; another one has it written anew."),
    Property("claimed_by", "string", "Token of the load under way, else null."),
    Property("claimed_until", "time", "When that load counts as dead unless it reports before."),
    Property("claimed_step", "integer", "Batches that it has written."),
)
"""Properties of an ``Export`` that only a store keeps."""


def node(label: str) -> Node:
    """Find a label's declaration."""
    return next(declared for declared in NODES if declared.label == label)


def relationship(type_: str) -> Relationship:
    """Find a relationship type's declaration."""
    return next(declared for declared in RELATIONSHIPS if declared.type == type_)
