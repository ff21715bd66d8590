"""Where images are: OCI layouts, archives of ``docker image save``, registries.

::

    index.json     {"manifests": [{"digest": "sha256:..", "annotations": {"io.containerd.image.name": "docker.io/.."}}]}
    manifest.json  [{"Config": "blobs/sha256/..", "RepoTags": ["app:1"], "Layers": ["blobs/sha256/..", ..]}]

``docker image save`` writes both since Docker 25. Before, it wrote ``manifest.json`` alone, which does not say what the
image's digest is in its registry.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from cachegraph.builds.content.nodes import Blob, Bytes, digest_of, read_start
from cachegraph.builds.content.unknown import Unknown
from cachegraph.core.progress import quiet
from cachegraph.core.untrusted import decode_json
from cachegraph.errors import CacheGraphError, DecodeError, NotFoundError, SpecError
from cachegraph.loaders.base import Options
from cachegraph.loaders.distribution.client import shared_client
from cachegraph.loaders.http.failures import at
from cachegraph.loaders.limits import DEFAULT
from cachegraph.loaders.oci.blobstores import ArchiveStore, BlobStore, DirectoryStore
from cachegraph.loaders.oci.manifests import Descriptor, parse_manifest
from cachegraph.loaders.specs.reference import Reference, parse_reference

__all__ = ["BlobSource", "ImageStore", "LayoutStore", "RegistryStore", "open_store"]

_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_MANIFEST = 16 << 20


class BlobSource(Protocol):
    """Holds the parts of an image."""

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """Read a manifest or a config of at most `limit` bytes.

        Raises
        ------
        SourceError
        """

    def layer(self, descriptor: Descriptor) -> Blob:
        """Give a layer, to be read later."""


class ImageStore(BlobSource, Protocol):
    """Holds images that can be looked for."""

    def named(self, reference: Reference) -> tuple[str | None, bytes] | None:
        """Give digest and manifest of what a reference names; None if it names nothing here.

        The digest is None where the store does not know what it is in the image's registry.
        """

    def manifest_of(self, digest: str) -> bytes | None:
        """Give a manifest by its digest; None if it is not here."""


class _Saved(msgspec.Struct, frozen=True):
    """An image in ``manifest.json``."""

    Config: str = ""
    RepoTags: tuple[str, ...] | None = None
    Layers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _StoredBlob:
    """A layer in a layout; its bytes are checked when it is opened."""

    store: BlobStore
    object_name: str
    size: int

    @property
    def identity(self) -> None:
        """Nothing of a layer is kept between runs."""
        return

    def open(self) -> BinaryIO | Unknown:
        """Read it."""
        try:
            if self.store.size(self.object_name) is None:
                return Unknown(because="image", reason=f"the layer {self.object_name[:19]} is not there")
            data = self.store.read(self.object_name)
        except CacheGraphError as error:
            return Unknown(because="image", reason=error.message)
        if self.object_name.startswith("sha256:") and digest_of(data) != self.object_name:
            return Unknown(because="image", reason=f"the layer {self.object_name[:19]} has other bytes than it should")
        return BytesIO(data)

    def start(self) -> bytes | Unknown:
        """Read its first bytes."""
        return read_start(self)

    def digest(self, header: bytes) -> str | Unknown:
        """Hash a header and the layer."""
        opened = self.open()
        return opened if isinstance(opened, Unknown) else digest_of(header + opened.read())


class LayoutStore:
    """An OCI layout, or an archive of one.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    NotFoundError, DecodeError
        There is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise NotFoundError(f"{path}: there is no such layout or archive", hint="check the path")
        self._store: BlobStore = DirectoryStore(path, DEFAULT) if path.is_dir() else ArchiveStore(path, quiet, DEFAULT)
        weakref.finalize(self, self._store.close)
        index, saved = self._store.file("index.json"), self._store.file("manifest.json")
        if index is None and saved is None:
            raise DecodeError(f"{path}: no index.json", hint="give an OCI layout, or what docker image save wrote")
        self._manifests = parse_manifest(index).manifests or () if index else ()
        self._is_saved = saved is not None
        self._saved = _read_saved(saved, path) if saved is not None and index is None else ()
        # Of an archive without blobs/: the file of each config and layer.
        self._files: dict[str, str] = {}

    def named(self, reference: Reference) -> tuple[str | None, bytes] | None:
        """Give digest and manifest of what a reference names."""
        for names in (_names, _names_path):
            for annotation in _NAMES:
                for descriptor in self._manifests:
                    if names(descriptor.annotations.get(annotation, ""), reference):
                        data = self.manifest_of(descriptor.digest)
                        if data is not None:
                            return (None if self._was_rewritten(data) else descriptor.digest), data
        for saved in self._saved:
            if any(_names(tag, reference) for tag in saved.RepoTags or ()):
                return None, self._write_manifest(saved)
        return None

    def tagged(self, tag: str) -> str | None:
        """Give the digest of what the index calls by a tag; of an index with one manifest, that of the one."""
        for descriptor in self._manifests:
            named = descriptor.annotations.get("org.opencontainers.image.ref.name", "")
            if named == tag or named.rpartition(":")[2] == tag:
                return descriptor.digest
        return self._manifests[0].digest if len(self._manifests) == 1 else None

    def _was_rewritten(self, manifest: bytes) -> bool:
        """Tell whether Docker wrote the manifest when it saved the image: its layers are not compressed then."""
        layers = parse_manifest(manifest).layers or ()
        return self._is_saved and any(layer.media_type.endswith(".tar") for layer in layers)

    def _write_manifest(self, saved: _Saved) -> bytes:
        """Write the manifest that an older archive leaves out; a layer goes by its diff ID, which it hashes to."""
        config = self._store.file(saved.Config)
        if config is None:
            raise DecodeError(f"{self.path} has no {saved.Config}", hint="save the image again")
        diff_ids = decode_json(config, _CONFIG, str(self.path), path=saved.Config).rootfs.diff_ids or ()
        self._files = {digest_of(config): saved.Config, **dict(zip(diff_ids, saved.Layers or (), strict=False))}
        return msgspec.json.encode(
            {"config": {"digest": digest_of(config)}, "layers": [{"digest": diff_id} for diff_id in diff_ids]}
        )

    def manifest_of(self, digest: str) -> bytes | None:
        """Give a manifest by its digest."""
        if self._store.size(digest) is None:
            return None
        return self.blob(Descriptor(digest=digest), _MANIFEST)

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """Read a manifest or a config."""
        if descriptor.digest in self._files:
            return self._store.file(self._files[descriptor.digest]) or b""
        size = self._store.size(descriptor.digest)
        if size is None:
            raise NotFoundError(f"{self.path} has no blob {descriptor.digest[:19]}", hint="make the layout again")
        if size > limit:
            raise DecodeError(f"{self.path}: {descriptor.digest[:19]} has {size:,} bytes, at most {limit:,} are read")
        if not self._store.matches(descriptor.digest):
            raise DecodeError(f"{self.path}: {descriptor.digest[:19]} has other bytes than its digest says")
        return self._store.read(descriptor.digest)

    def layer(self, descriptor: Descriptor) -> Blob:
        """Give a layer."""
        if descriptor.digest in self._files:
            return Bytes(self._store.file(self._files[descriptor.digest]) or b"")
        return _StoredBlob(self._store, descriptor.digest, descriptor.size)


class _RootFS(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...] | None = None


class _Config(msgspec.Struct, frozen=True):
    rootfs: _RootFS = _RootFS()


_CONFIG = msgspec.json.Decoder(_Config)
_SAVED = msgspec.json.Decoder(tuple[_Saved, ...])


def _read_saved(data: bytes, path: Path) -> tuple[_Saved, ...]:
    """Read ``manifest.json``."""
    return decode_json(data, _SAVED, str(path), path="manifest.json")


def _names(text: str, reference: Reference) -> bool:
    """Tell whether a name in an index is a reference; a tag alone may be any image's."""
    if "/" not in text and ":" not in text:
        return False
    try:
        named = parse_reference(text)
    except SpecError:
        return False
    return named.name == reference.name and (named.tag or "latest") == (reference.tag or "latest")


def _names_path(text: str, reference: Reference) -> bool:
    """Tell whether a name without a registry, as layouts have them, is a reference's repository and tag."""
    first = text.partition("/")[0]
    return "/" in text and not set(first) & {".", ":"} and _names(f"{reference.host}/{text}", reference)


class RegistryStore:
    """A repository in a registry.

    Parameters
    ----------
    reference : Reference
    options : Options
    """

    def __init__(self, reference: Reference, options: Options) -> None:
        self._reference = reference
        with at(str(reference)):
            self._client = shared_client(reference.host, options)

    def ask(self) -> tuple[str, bytes]:
        """Ask for the manifest of the reference.

        Raises
        ------
        SourceError
        """
        with at(str(self._reference)):
            raw = self._client.manifest(self._reference.repository, self._reference.target, limit=_MANIFEST)
        return raw.digest, raw.content

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """Download a manifest or a config."""
        with at(str(self._reference)):
            return self._client.fetch(
                self._reference.repository,
                descriptor.digest,
                media_type=descriptor.media_type,
                size=descriptor.size,
                limit=limit,
            )

    def layer(self, descriptor: Descriptor) -> Blob:
        """Download a layer; how large it may be is up to the caller."""
        return Bytes(self.blob(descriptor, descriptor.size))


@lru_cache(maxsize=16)
def open_store(path: Path) -> LayoutStore:
    """Open a layout or an archive, once.

    Raises
    ------
    NotFoundError, DecodeError, AccessError
    """
    return LayoutStore(path)
