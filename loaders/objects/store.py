"""Exports in an object store: what S3 and Azure Blob have in common.

BuildKit keeps a cache there as plain objects, and no manifest but the cache config itself::

    <manifests prefix><name>       the cache config, one for each name
    <blobs prefix><digest>         the layers, shared by all names

A layer's media type, size and diff ID stand in the config, in ``layers[i].annotations``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, Protocol

from cachegraph.core.decode import decode
from cachegraph.core.model import Blob, CacheExport, Kind, Problem, StrayBlob
from cachegraph.errors import DecodeError, NotFoundError, SourceError
from cachegraph.loaders.base import Options
from cachegraph.loaders.config import annotated_blobs, export_from_config
from cachegraph.loaders.deadline import source_deadline
from cachegraph.loaders.http.parallel import concurrently
from cachegraph.loaders.objects.libraries import one_line
from cachegraph.loaders.specs.parse import canonical
from cachegraph.text.words import some_of

__all__ = [
    "ObjectStore",
    "Place",
    "StoredObject",
    "given",
    "read_exports",
    "read_limited",
    "stored_export",
]

_LOOKED_THROUGH = 5000  # objects that are listed to name what is there
_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-f]{32,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object in a listing: its key, its size in bytes, and when it was last written (RFC 3339)."""

    key: str
    size: int
    modified_at: str


class ObjectStore(Protocol):
    """A bucket or container, open for reading. Every method raises `SourceError` when the store fails."""

    def get(self, key: str, *, limit: int) -> bytes | None:
        """Return an object of at most ``limit`` bytes, or None where the store has none of that key."""

    def list(self, prefix: str) -> Iterable[StoredObject]:
        """Return every object whose key starts with ``prefix``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a store a spec's exports are.

    Attributes
    ----------
    kind : {"s3", "azblob"}
    where : mapping of str to str
        The keys of a spec that name the store, without ``name``, defaults and credentials.
    names : tuple of str
    manifests, blobs : str
        What every key of a manifest and of a blob starts with.
    """

    kind: Literal["s3", "azblob"]
    where: Mapping[str, str]
    names: tuple[str, ...]
    manifests: str
    blobs: str

    @property
    def store(self) -> str:
        """The store as a spec without ``name``."""
        return canonical(self.kind, self.where)

    @property
    def label(self) -> str:
        """The bucket or container, to begin a message with."""
        key = "bucket" if self.kind == "s3" else "container"
        return f"{key} {self.where[key]!r}"

    def source(self, name: str) -> str:
        """Return the canonical spec of one name."""
        return canonical(self.kind, {**self.where, "name": name})


def read_limited(key: str, chunks: Iterable[bytes], announced: int, limit: int) -> bytes:
    """Join the chunks of an object, unless it has, or announces, more than ``limit`` bytes.

    Raises
    ------
    cachegraph.errors.DecodeError
        It is larger than a cache config may be.
    """
    data = bytearray()
    deadline = source_deadline()
    for chunk in chunks if announced <= limit else ():
        data += chunk
        if deadline is not None and deadline.left() <= 0:
            raise deadline.error(f"object {key!r}: reading it ({len(data):,} bytes read)")
        if len(data) > limit:
            break
    size = max(announced, len(data))
    if size > limit:
        raise DecodeError(
            f"object {key!r} has {size:,} bytes or more; a cache config may have {limit:,}",
            hint="is this a cache config? Check the name and the prefixes",
        )
    return bytes(data)


def given(**attrs: str) -> dict[str, str]:
    """Return the attributes that are not empty."""
    return {key: value for key, value in attrs.items() if value}


def read_exports(store: ObjectStore, place: Place, options: Options) -> Sequence[CacheExport]:
    """Read the export of each name, and with ``options.probe`` look which blobs are there.

    Parameters
    ----------
    store : ObjectStore
    place : Place
    options : Options

    Returns
    -------
    sequence of CacheExport
        One for each name that has a manifest, in the order of the names.

    Raises
    ------
    cachegraph.errors.NotFoundError
        No name has a manifest. BuildKit itself goes on with an empty cache then.
    cachegraph.errors.SourceError
        The store failed, or a manifest is not a cache config.
    """
    exports: list[CacheExport] = []
    missing: list[str] = []
    contents = concurrently(
        lambda name: store.get(place.manifests + name, limit=options.limits.config_bytes),
        place.names,
        options,
        "reading manifests",
    )
    for name, data in zip(place.names, contents, strict=True):
        if data is None:
            missing.append(name)
        else:
            called = f"{place.label}: manifest {place.manifests + name!r}"
            source = place.source(name)
            exports.append(stored_export(data, source=source, kind=place.kind, store=place.store, called=called))
    if not exports:
        raise _no_manifest(store, place)
    problems = tuple(_missing_manifest(place, name) for name in missing)
    exports = [replace(export, problems=problems) for export in exports]
    if options.probe:
        return _probe(store, place, exports, options)
    return _look_for(store, place, exports, options.probe_blobs) if options.probe_blobs else exports


def stored_export(data: bytes, *, source: str, kind: Kind, store: str, called: str) -> CacheExport:
    """Make the export of a cache config that lies in a store without a manifest.

    Parameters
    ----------
    data : bytes
    source, kind, store
        As in `CacheExport`.
    called : str
        What an error calls it.

    Raises
    ------
    cachegraph.errors.DecodeError
        No cache config.
    """
    try:
        export = export_from_config(data, source=source, kind=kind)
    except DecodeError as error:
        raise DecodeError(f"{called}: {error.message}", hint=error.hint or "export the cache again") from error
    return replace(export, blobs=annotated_blobs(export.config), store=store)


def _no_manifest(store: ObjectStore, place: Place) -> NotFoundError:
    keys = ", ".join(repr(place.manifests + name) for name in place.names)
    hint = "BuildKit takes this for an empty cache and says nothing"
    try:
        listed = islice(store.list(place.manifests), _LOOKED_THROUGH)
        names = [found.key.removeprefix(place.manifests) for found in listed if not _is_blob(place, found.key)]
    except SourceError:
        names = []
    if names:
        hint += f"; names there: {some_of(map(one_line, names[:5]), len(names))}"
    return NotFoundError(f"{place.label}: no manifest {keys}", hint=hint)


def _missing_manifest(place: Place, name: str) -> Problem:
    return Problem(
        code="manifest-missing",
        message=f"Name {name!r} has no manifest {place.manifests + name!r}: BuildKit takes it for an empty cache.",
    )


def _manifest_keys(store: ObjectStore, place: Place) -> list[str]:
    """List the manifests; with empty prefixes the blobs lie among them, and are known by their digests."""
    return [found.key for found in store.list(place.manifests) if not _is_blob(place, found.key)]


def _is_blob(place: Place, key: str) -> bool:
    return key.startswith(place.blobs) and _DIGEST.fullmatch(key.removeprefix(place.blobs)) is not None


def _probe(store: ObjectStore, place: Place, exports: Sequence[CacheExport], options: Options) -> list[CacheExport]:
    there: dict[str, StoredObject] = {}
    for found in store.list(place.blobs):
        if _is_blob(place, found.key):
            there[found.key.removeprefix(place.blobs)] = found
            options.report("listing blobs", len(there), None)
    used, unread = _used(store, place, exports, options)
    strays = (
        None
        if unread
        else tuple(
            StrayBlob(digest=digest, size=found.size, modified_at=found.modified_at)
            for digest, found in there.items()
            if digest not in used
        )
    )
    return [_probed(export, there, strays, unread) for export in exports]


def _look_for(store: ObjectStore, place: Place, exports: list[CacheExport], most: int) -> list[CacheExport]:
    """Look for the blobs of some exports in one short listing; of a long one, what was not met is not known."""
    wanted = {blob.digest for export in exports for blob in export.blobs or ()}
    if not wanted or len(wanted) > most:
        return exports
    there: dict[str, StoredObject] = {}
    looked = 0
    try:
        for found in islice(store.list(place.blobs), _LOOKED_THROUGH):
            looked += 1
            digest = found.key.removeprefix(place.blobs)
            if digest in wanted:
                there[digest] = found
                if len(there) == len(wanted):
                    break
    except SourceError:
        return exports  # nobody asked for it: what is there is not known
    whole = looked < _LOOKED_THROUGH
    return [_probed(export, there, None, (), whole=whole) for export in exports]


def _probed(
    export: CacheExport,
    there: Mapping[str, StoredObject],
    strays: tuple[StrayBlob, ...] | None,
    unread: Sequence[Problem],
    *,
    whole: bool = True,
) -> CacheExport:
    blobs = tuple(_looked_at(blob, there.get(blob.digest), whole=whole) for blob in export.blobs or ())
    sizes = tuple(
        Problem(
            code="size-mismatch",
            digest=blob.digest,
            message=f"{blob.digest} has {there[blob.digest].size:,} bytes; the cache config says {blob.size:,}.",
        )
        for blob in blobs
        if blob.fault == "wrong-size"
    )
    return replace(export, blobs=blobs, strays=strays, problems=(*export.problems, *sizes, *unread))


def _looked_at(blob: Blob, found: StoredObject | None, *, whole: bool) -> Blob:
    """Say of a blob whether it is there, and as it should be; of a listing that was cut short, no more than it told."""
    if found is None:
        return replace(blob, present=False) if whole else blob
    wrong = blob.size is not None and found.size != blob.size
    return replace(blob, present=True, fault="wrong-size" if wrong else blob.fault)


def _used(
    store: ObjectStore, place: Place, exports: Sequence[CacheExport], options: Options
) -> tuple[set[str], list[Problem]]:
    """Return the digests that any manifest of the store uses, and what stopped a manifest from being read."""
    used = {blob.digest for export in exports for blob in export.blobs or ()}
    read = {export.source for export in exports}
    names = [key.removeprefix(place.manifests) for key in _manifest_keys(store, place)]
    others = [name for name in names if place.source(name) not in read]

    def digests(name: str) -> set[str] | Problem:
        try:
            data = store.get(place.manifests + name, limit=options.limits.config_bytes)
            # A manifest that went away since it was listed uses nothing any more.
            return {layer.blob for layer in decode(data).layers} if data is not None else set()
        except SourceError as error:
            text = f"Stray blobs are unknown: manifest {place.manifests + name!r} cannot be read ({error.message})."
            return Problem(code="source-note", message=text, severity="note")

    unread: list[Problem] = []
    for answer in concurrently(digests, others, options, "reading manifests"):
        if isinstance(answer, Problem):
            unread.append(answer)
        else:
            used |= answer
    return used, unread
