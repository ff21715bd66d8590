"""Manifests, whatever store they lie in: their shapes, their blobs, and what BuildKit refuses of them.

The two shapes of an export, and an image with inline cache
::

    {"mediaType": "application/vnd.oci.image.manifest.v1+json",             the default today
     "config": {"mediaType": "application/vnd.buildkit.cacheconfig.v0", "digest": "sha256:..", "size": 2345},
     "layers": [{"digest": "sha256:..", "size": 32, "annotations": {"containerd.io/uncompressed": "sha256:.."}}]}

    {"mediaType": "application/vnd.oci.image.index.v1+json",                image-manifest=false
     "manifests": [{"digest": "sha256:..", "size": 32}, ..,
                   {"mediaType": "application/vnd.buildkit.cacheconfig.v0", "digest": "sha256:..", "size": 2345}]}

    an image manifest, or an index of some, whose image config holds the records:
    {"rootfs": {"diff_ids": [..]}, "history": [..], "moby.buildkit.cache.v0": "<base64 of the records array>"}

Source: BuildKit ``cache/remotecache/import.go``, ``contentCacheImporter``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from cachegraph.core import gojson
from cachegraph.core.gojson import GoInt, Wire
from cachegraph.core.model import Blob, Fault, Problem
from cachegraph.errors import DecodeError

__all__ = [
    "CACHE_CONFIG",
    "MANIFEST_TYPES",
    "UNCOMPRESSED",
    "Descriptor",
    "Fetch",
    "Manifest",
    "Platform",
    "Present",
    "check_digest",
    "child_manifests",
    "distinct",
    "is_image",
    "listed_blob",
    "parse_manifest",
    "size_problems",
]

CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
UNCOMPRESSED = "containerd.io/uncompressed"

_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFEST_TYPES = (*_MANIFESTS, *_INDEXES)
"""Media types of manifests and indexes; everything else is a config or a layer."""

_LAYER = re.compile(
    r"|application/vnd\.oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+gzip|\+zstd)?"
    r"|application/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.gzip|\.zstd)?"
)
"""Media types from which containerd unpacks a layer (``images.DiffCompression``); a descriptor may leave it out."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class Platform(Wire, frozen=True, rename={"os_version": "os.version", "os_features": "os.features"}):
    """The platform of an image in an index."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Descriptor(Wire, frozen=True, rename="camel"):
    """What a manifest says of a blob."""

    media_type: str = ""
    digest: str = ""
    size: GoInt = 0
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    platform: Platform | None = None


class Manifest(Wire, frozen=True, rename="camel"):
    """An image manifest, or an index: what both hold together."""

    media_type: str | None = None
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] | None = None
    manifests: tuple[Descriptor, ...] | None = None


class Fetch(Protocol):
    """Reads a blob."""

    def __call__(self, descriptor: Descriptor) -> bytes:
        """Read the blob, and check its bytes against the descriptor's digest.

        Raises
        ------
        cachegraph.errors.SourceError
            Not there, more bytes than a limit allows, or other bytes than the digest says.
        """


Present = Callable[[Sequence[Descriptor]], Mapping[str, int | None]]
"""Asks a store which blobs it has: their sizes in bytes by digest, None for one that is missing. A digest left out of
the answer is one that nobody could look for."""

_MANIFEST = msgspec.json.Decoder(Manifest)


def parse_manifest(data: bytes) -> Manifest:
    """Read an image manifest or an index.

    Parameters
    ----------
    data : bytes

    Raises
    ------
    DecodeError
        Not JSON, or of a shape that BuildKit refuses.

    Notes
    -----
    Source: BuildKit ``util/imageutil/config.go``, ``DetectManifestBlobMediaType``.
    """
    manifest = gojson.read(data, _MANIFEST, hint="is this an image manifest or an index?")
    if is_image(manifest) and manifest.manifests is not None:
        raise DecodeError("the manifest has both layers and manifests, BuildKit refuses it", path="manifests")
    expected = _MANIFESTS if is_image(manifest) else _INDEXES
    if manifest.media_type in MANIFEST_TYPES and manifest.media_type not in expected:
        raise DecodeError(f"{manifest.media_type} does not match the manifest's contents", path="mediaType")
    return manifest


def is_image(manifest: Manifest) -> bool:
    """Tell an image manifest from an index, by its fields as BuildKit does."""
    return manifest.config is not None or manifest.layers is not None


def child_manifests(index: Manifest) -> list[Descriptor]:
    """List the manifests and indexes that an index leads to, and what says nothing of its type.

    What says that it is something else is a layer, a config or an artifact: it is never downloaded as a manifest.
    (BuildKit's ``allDistributionManifests`` reads it, and fails.)
    """
    return [child for child in index.manifests or () if child.media_type in ("", *MANIFEST_TYPES)]


def check_digest(digest: str) -> tuple[str, str]:
    """Split a digest into algorithm and hexadecimal digits.

    Parameters
    ----------
    digest : str

    Raises
    ------
    DecodeError
        Anything but sha256 or sha512 and their number of digits: such a text may lead anywhere.
    """
    if not _DIGEST.fullmatch(digest):
        raise DecodeError(f"{digest[:100]!r} is not a digest, expected sha256: and 64 hexadecimal digits")
    algorithm, _, digits = digest.partition(":")
    return algorithm, digits


def distinct(descriptors: Sequence[Descriptor]) -> list[Descriptor]:
    """Keep one for each digest; of several, BuildKit keeps the last."""
    return list({d.digest: d for d in descriptors}.values())


def listed_blob(descriptor: Descriptor, diff_id: str | None, sizes: Mapping[str, int | None]) -> Blob:
    """Describe a blob that a manifest lists, whether the store has it, and what keeps it from being loaded."""
    size = sizes.get(descriptor.digest, ...)
    return Blob(
        digest=descriptor.digest,
        size=descriptor.size,
        media_type=descriptor.media_type or None,
        diff_id=diff_id,
        present=None if size is ... else size is not None,
        fault=_fault(descriptor, diff_id, None if size is ... else size),
    )


def _fault(descriptor: Descriptor, diff_id: str | None, size: int | None) -> Fault | None:
    """Say why a blob cannot be loaded, as far as its descriptor and its size tell (``cache/manager.go``, GetByBlob)."""
    if size is not None and size != descriptor.size:
        return "wrong-size"
    if not diff_id:
        return "no-diff-id"
    return None if _LAYER.fullmatch(descriptor.media_type) else "wrong-media-type"


def size_problems(descriptors: Sequence[Descriptor], sizes: Mapping[str, int | None]) -> tuple[Problem, ...]:
    """Name the blobs that have another size in the store than the manifest says."""
    return tuple(
        Problem(
            code="size-mismatch",
            digest=d.digest,
            severity="error",
            message=f"blob {d.digest[:19]} has {size:,} bytes and the manifest says {d.size:,}: loading it fails; "
            "export again",
        )
        for d in distinct(descriptors)
        if (size := sizes.get(d.digest)) is not None and size != d.size
    )
