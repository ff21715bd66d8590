"""OCI image layouts: ``type=local,src=DIR[,tag=][,digest=]``, a bare directory, an archive of one.

::

    DIR/oci-layout
    DIR/index.json      {"manifests": [{"digest": "sha256:..", "size": 1234,
                                        "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}
    DIR/blobs/sha256/<64 hexadecimal digits>

The directory keeps blobs of earlier exports that nothing points at any more: they are given as strays.

BuildKit's client reads the manifest with the tag, by default ``latest``; if there is none, it skips the cache with a
warning. A path without ``type=`` is no such order: it gives what is there, if ``latest`` is not.

Source: BuildKit ``client/solve.go`` (``parseCacheOptions``), ``client/ociindex`` (``Get``),
``cache/remotecache/local/local.go``.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cachegraph.builds.dockerbuild.reading import is_record
from cachegraph.core.model import CacheExport, Fault, Problem, StrayBlob
from cachegraph.errors import DecodeError, NoCacheError, NotFoundError, SourceError, SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.limits import over_limit
from cachegraph.loaders.oci.blobstores import ArchiveStore, BlobStore, DirectoryStore
from cachegraph.loaders.oci.exports import read_manifest
from cachegraph.loaders.oci.folders import what_instead
from cachegraph.loaders.oci.manifests import CACHE_CONFIG, Descriptor, check_digest, parse_manifest
from cachegraph.loaders.oci.tags import other_tags, tag_of, tags_in_words, tags_of, with_tag
from cachegraph.loaders.oci.verify import find_fault
from cachegraph.loaders.paths import kind_of, local_path
from cachegraph.loaders.specs.bare import looks_like_path
from cachegraph.loaders.specs.parse import canonical, required

__all__ = ["load", "load_store"]

_DEPTH = 8
_FAULTS: dict[Fault, str] = {
    "wrong-digest": "has other bytes than its digest says",
    "wrong-diff-id": "unpacks to other bytes than its diff ID says",
    "wrong-media-type": "is compressed otherwise than its media type says",
}


def load(spec: Spec, options: Options) -> Sequence[CacheExport]:
    """Read the exports of an image layout.

    Parameters
    ----------
    spec : Spec
        ``src``: the directory or archive. ``tag``: one of its tags, by default ``latest``; of a bare path all, where
        ``latest`` is not among them. ``digest``: a manifest's digest.
    options : Options
        ``tag_glob`` asks for the tags that match.

    Returns
    -------
    sequence of CacheExport

    Raises
    ------
    NotFoundError
        No such directory, tag or digest, no layout, or no cache in it.
    DecodeError
        Damaged, or made to lead out of the directory.
    """
    path = local_path(required(spec, "src", "src=DIR"))
    kind = kind_of(path)
    if kind is None:
        raise _no_such_path(spec, path)
    if kind == "other":
        raise NotFoundError(f"{path}: neither a directory nor an archive", hint="check the path")
    store: BlobStore
    if kind == "directory":
        store = DirectoryStore(path, options.limits)
    else:
        store = ArchiveStore(path, options.report, options.limits)
    return load_store(store, path, spec, options)


def load_store(store: BlobStore, path: Path, spec: Spec, options: Options) -> list[CacheExport]:
    """Read the exports of an image layout whose files are at hand, and close it; see `load`.

    Parameters
    ----------
    store : BlobStore
    path : pathlib.Path
        What errors call it.
    spec : Spec
    options : Options
    """
    with closing(store):
        try:
            return _Layout(store, path, spec, options).load()
        except SourceError as error:
            if is_record(path):
                raise NotFoundError(
                    f"{path}: this is a build record, no cache",
                    hint=f"why its steps ran: cachegraph explain {path}; names of a cache's steps: --names {path}",
                ) from None
            if not isinstance(error, DecodeError):
                raise
            message = error.message if str(path) in error.message else f"{path}: {error.message}"
            raise DecodeError(
                message, hint=error.hint or "it is damaged, export again", buildkit=error.buildkit
            ) from None


def _no_such_path(spec: Spec, path: Path) -> NotFoundError:
    if not spec.bare:
        return NotFoundError(f"{path}: there is no such directory or archive", hint="check the path", buildkit="skip")
    image = "" if looks_like_path(spec.attrs["src"]) else "; an image is HOST[:PORT]/NAME[:TAG], in lower case"
    return NotFoundError(
        f"{path}: there is no such file or directory",
        hint=f"check the path and the current folder{image}",
        buildkit="skip",
    )


class _Layout:
    def __init__(self, store: BlobStore, path: Path, spec: Spec, options: Options) -> None:
        self.unlike: set[str] = set()
        self.store = store
        self.path = path
        self.spec = spec
        self.options = options

    def load(self) -> list[CacheExport]:
        """Read every export asked for; only if none can be read does the first failure count."""
        entries = self._entries()
        found: list[CacheExport] = []
        failures: list[SourceError] = []
        for entry in self._chosen(entries):
            try:
                found += self._read(entry)
            except SourceError as error:
                failures.append(error)
        if not found and failures:
            raise failures[0]
        problems = tuple(
            Problem(code="manifest-missing", severity="error", message=f"another manifest there was not read: {error}")
            for error in failures
            if not isinstance(error, NoCacheError)
        )
        problems += self._others(entries)
        strays = self._strays(entries)
        if self.options.verify:
            found = [self._verified(export) for export in found]
        return [
            replace(export, strays=strays, store=str(self.path), problems=export.problems + problems)
            for export in found
        ]

    def _others(self, entries: list[Descriptor]) -> tuple[Problem, ...]:
        """Say which tags were not looked at, or that the one that BuildKit looks for is not there."""
        asked = self.spec.attrs.keys() & {"tag", "digest"}
        if asked or self.options.tag_glob is not None:
            return ()
        tags = tags_of(entries)
        if with_tag(entries, "latest") is not None:
            others = [tag for tag in tags if tag != "latest"]
            message = f"Other tags are there and were not read: {tags_in_words(others)}. --all-tags reads them."
            return (Problem(code="source-note", message=message, severity="note"),) if others else ()
        if not tags:
            return ()
        message = f"No manifest has the tag latest, which type=local looks for without tag=: add tag={tags[0]} there."
        return (Problem(code="source-note", message=message, severity="note"),)

    def _entries(self) -> list[Descriptor]:
        """Read index.json."""
        data = self.store.file("index.json")
        if data is None:
            what, hint = what_instead(self.path)
            raise NotFoundError(f"{self.path}: {what}", hint=hint, buildkit="skip")
        return list(parse_manifest(data).manifests or ())

    def _chosen(self, entries: list[Descriptor]) -> list[Descriptor]:
        """Pick what the spec asks for."""
        if digest := self.spec.attrs.get("digest"):
            check_digest(digest)
            size = self.store.size(digest)
            if size is None:
                raise NotFoundError(
                    f"{self.path}: there is no manifest {digest}", hint=other_tags(entries), buildkit="skip"
                )
            return [Descriptor(digest=digest, size=size)]
        if (glob := self.options.tag_glob) is not None and "tag" not in self.spec.attrs:
            chosen = [entry for entry in entries if fnmatch.fnmatchcase(tag_of(entry) or "", glob)]
            if not chosen:
                raise NotFoundError(
                    f"{self.path}: no tag matches {glob!r}", hint=f"tags there: {tags_in_words(tags_of(entries))}"
                )
            return list({entry.digest: entry for entry in chosen}.values())
        if not entries:
            raise NotFoundError(
                f"{self.path}: index.json lists nothing", hint="export the cache again", buildkit="skip"
            )
        tag = self.spec.attrs.get("tag", "latest")
        if not tag:
            raise SpecError(f"{self.spec.text}: tag is empty", hint="leave it out for latest", buildkit="fail")
        named = with_tag(entries, tag)
        if named is not None:
            return [named]
        if self.spec.bare and "tag" not in self.spec.attrs:
            return list({entry.digest: entry for entry in entries}.values())
        raise NotFoundError(
            f"{self.path}: there is no tag {tag}: BuildKit skips this cache with a warning, and every step runs",
            hint=other_tags(entries),
            buildkit="skip",
        )

    def _read(self, entry: Descriptor) -> list[CacheExport]:
        tag = tag_of(entry)
        name = {"digest": entry.digest} if tag is None or "digest" in self.spec.attrs else {"tag": tag}
        manifest = self._fetch(entry)
        exports = read_manifest(
            source=canonical("local", {"src": self.spec.attrs["src"], **name}),
            kind="local",
            manifest=manifest,
            manifest_digest=entry.digest,
            fetch=self._fetch,
            present=self._present,
            report=self.options.report,
            limits=self.options.limits,
        )
        damage = tuple(map(_unlike, sorted(self.unlike)))
        self.unlike.clear()
        return [replace(export, problems=export.problems + damage) for export in exports]

    def _fetch(self, descriptor: Descriptor) -> bytes:
        check_digest(descriptor.digest)
        size = self.store.size(descriptor.digest)
        if size is None:
            raise NotFoundError(
                f"{self.path}: blob {descriptor.digest} is missing", hint="the directory is damaged, export again"
            )
        if size > self.options.limits.file_bytes:
            raise over_limit(f"blob {descriptor.digest}", self.options.limits.file_bytes, "bytes", "file_bytes")
        data = self.store.read(descriptor.digest)
        if not self.store.matches(descriptor.digest):
            if descriptor.media_type == CACHE_CONFIG and len(data) == descriptor.size:
                self.unlike.add(descriptor.digest)
                return data
            raise DecodeError(
                f"blob {descriptor.digest} has other bytes than its digest says", hint="it is damaged, export again"
            )
        return data

    def _present(self, descriptors: Sequence[Descriptor]) -> Mapping[str, int | None]:
        for descriptor in descriptors:
            check_digest(descriptor.digest)
        return {d.digest: self.store.size(d.digest) for d in descriptors}

    def _verified(self, export: CacheExport) -> CacheExport:
        """Read every listed blob, and mark those that are not what the manifest says."""
        there = {blob.digest: blob for blob in export.blobs or () if blob.present}
        problems = []
        for number, (digest, blob) in enumerate(there.items(), 1):
            self.options.report("checking blobs", number, len(there))
            fault = find_fault(self.store.chunks(digest), blob, self.options.limits)
            if fault is None:
                continue
            there[digest] = replace(blob, fault=blob.fault or fault)
            message = f"blob {digest[:19]} {_FAULTS[fault]}: loading it fails; export again"
            problems.append(Problem(code="digest-mismatch", digest=digest, severity="error", message=message))
        blobs = None if export.blobs is None else tuple(there.get(blob.digest, blob) for blob in export.blobs)
        return replace(export, blobs=blobs, problems=(*export.problems, *problems))

    # --- What nothing points at ------------------------------------------------------------------------------------

    def _strays(self, entries: list[Descriptor]) -> tuple[StrayBlob, ...] | None:
        """List the blobs that no manifest reaches; None when a manifest cannot be read, since then it is not known."""
        reached: set[str] = set()
        try:
            for entry in entries:
                self._reach(entry, reached, 0)
        except SourceError:
            return None
        blobs = self.store.blobs()
        return tuple(StrayBlob(digest=d, size=size) for d, size in sorted(blobs.items()) if d not in reached)

    def _reach(self, descriptor: Descriptor, reached: set[str], depth: int) -> None:
        if descriptor.digest in reached or depth > _DEPTH:
            return
        reached.add(descriptor.digest)
        if not ("manifest" in descriptor.media_type or "index" in descriptor.media_type or depth == 0):
            return
        manifest = parse_manifest(self._fetch(descriptor))
        for child in (manifest.config, *(manifest.layers or ()), *(manifest.manifests or ())):
            if child is not None:
                self._reach(child, reached, depth + 1)


def _unlike(digest: str) -> Problem:
    message = (
        f"the cache config {digest[:19]} has other bytes than its digest says, and BuildKit imports it unchecked: find "
        "out what writes to the directory, and export again"
    )
    return Problem(code="digest-mismatch", digest=digest, severity="warning", message=message)
