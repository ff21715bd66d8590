"""OCI image layouts: ``type=local,src=DIR[,tag=][,digest=]``, a bare directory, an archive of one.

::

    DIR/oci-layout
    DIR/index.json      {"manifests": [{"digest": "sha256:..", "size": 1234,
                                        "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}
    DIR/blobs/sha256/<64 hexadecimal digits>

The directory keeps blobs of earlier exports that nothing points at any more: they are given as strays.

Source: buildx ``build/localcache.go``; BuildKit ``cache/remotecache/local/local.go``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cachegraph.core.model import CacheExport, Fault, Problem, StrayBlob
from cachegraph.errors import DecodeError, NoCacheError, NotFoundError, SourceError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.limits import over_limit
from cachegraph.loaders.oci.blobstores import ArchiveStore, BlobStore, DirectoryStore
from cachegraph.loaders.oci.exports import read_manifest
from cachegraph.loaders.oci.manifests import Descriptor, check_digest, parse_manifest
from cachegraph.loaders.oci.verify import find_fault
from cachegraph.loaders.paths import kind_of, local_path
from cachegraph.loaders.specs.parse import canonical, check_keys, required

__all__ = ["load"]

_REF_NAME = "org.opencontainers.image.ref.name"
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
        ``src``: the directory or archive. ``tag``: one of its tags; all without. ``digest``: a manifest's digest.
    options : Options

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
    check_keys(spec, {"src", "tag", "digest"})
    path = local_path(required(spec, "src", "src=DIR"))
    kind = kind_of(path)
    if kind is None:
        raise NotFoundError(f"{path}: there is no such directory or archive", hint="check src=")
    if kind == "other":
        raise NotFoundError(f"{path}: neither a directory nor an archive", hint="check src=")
    store: BlobStore
    if kind == "directory":
        store = DirectoryStore(path, options.limits)
    else:
        store = ArchiveStore(path, options.report, options.limits)
    with closing(store):
        try:
            return _Layout(store, path, spec, options).load()
        except DecodeError as error:
            message = error.message if str(path) in error.message else f"{path}: {error.message}"
            raise DecodeError(message, hint=error.hint or "it is damaged, export again") from None


class _Layout:
    def __init__(self, store: BlobStore, path: Path, spec: Spec, options: Options) -> None:
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
        strays = self._strays(entries)
        if self.options.verify:
            found = [self._verified(export) for export in found]
        return [
            replace(export, strays=strays, store=str(self.path), problems=export.problems + problems)
            for export in found
        ]

    def _entries(self) -> list[Descriptor]:
        """Read index.json."""
        data = self.store.file("index.json")
        if data is None:
            empty = kind_of(self.path) == "directory" and not any(self.path.iterdir())
            what = "the directory is empty" if empty else "there is no index.json, so this is not an image layout"
            raise NotFoundError(
                f"{self.path}: {what}", hint="give the directory that --cache-to type=local,dest=DIR wrote to"
            )
        return list(parse_manifest(data).manifests or ())

    def _chosen(self, entries: list[Descriptor]) -> list[Descriptor]:
        """Pick what the spec asks for."""
        if digest := self.spec.attrs.get("digest"):
            check_digest(digest)
            size = self.store.size(digest)
            if size is None:
                raise NotFoundError(f"{self.path}: there is no manifest {digest}", hint="leave digest= out to see all")
            return [Descriptor(digest=digest, size=size)]
        if tag := self.spec.attrs.get("tag"):
            chosen = [entry for entry in entries if entry.annotations.get(_REF_NAME) == tag]
            if not chosen:
                tags = ", ".join(sorted({e.annotations[_REF_NAME] for e in entries if _REF_NAME in e.annotations}))
                raise NotFoundError(f"{self.path}: there is no tag {tag}", hint=f"tags there: {tags or 'none'}")
            return chosen[-1:]
        if not entries:
            raise NotFoundError(f"{self.path}: index.json lists nothing", hint="export the cache again")
        return list({entry.digest: entry for entry in entries}.values())

    def _read(self, entry: Descriptor) -> list[CacheExport]:
        tag = entry.annotations.get(_REF_NAME)
        name = {"digest": entry.digest} if tag is None or "digest" in self.spec.attrs else {"tag": tag}
        manifest = self._fetch(entry)
        return read_manifest(
            source=canonical("local", {"src": self.spec.attrs["src"], **name}),
            kind="local",
            manifest=manifest,
            manifest_digest=entry.digest,
            fetch=self._fetch,
            present=self._present,
            report=self.options.report,
            limits=self.options.limits,
        )

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
