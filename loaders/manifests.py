"""A manifest to exports, whatever store it lies in.

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

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec

from cachegraph.core import gojson
from cachegraph.core.decode import decode, decode_records
from cachegraph.core.gojson import GoInt, Wire
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Blob, CacheConfig, CacheExport, CacheLayer, Kind, Problem
from cachegraph.core.progress import Report, quiet
from cachegraph.core.times import parse_times
from cachegraph.core.verdict import too_large
from cachegraph.errors import DecodeError, NoCacheError

__all__ = [
    "CACHE_CONFIG",
    "MANIFEST_TYPES",
    "MAX_READ",
    "Descriptor",
    "Fetch",
    "Manifest",
    "check_digest",
    "child_manifests",
    "is_image",
    "parse_manifest",
    "read_manifest",
    "refused_together",
    "sha256",
]

CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
UNCOMPRESSED = "containerd.io/uncompressed"
MAX_READ = 512 << 20
"""Bytes after which a manifest or config is not read any further."""

_MAX_DEPTH = 8
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFEST_TYPES = (*_MANIFESTS, *_INDEXES)
"""Media types of manifests and indexes; everything else is a config or a layer."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_NO_CACHE = "build it with --cache-to type=inline, or name the ref that --cache-to wrote to"


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


class _RootFS(Wire, frozen=True):
    diff_ids: tuple[str, ...] = ()


class _History(Wire, frozen=True):
    created: str | None = None
    created_by: str = ""
    empty_layer: bool = False


class _Image(Wire, frozen=True):
    """The parts of an image config that matter here."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    rootfs: _RootFS = _RootFS()
    history: tuple[_History, ...] = ()
    cache: str | None = msgspec.field(default=None, name="moby.buildkit.cache.v0")


class Fetch(Protocol):
    """Reads a blob."""

    def __call__(self, descriptor: Descriptor, limit: int) -> bytes:
        """Read the blob, and check its bytes against the descriptor's digest.

        Raises
        ------
        cachegraph.errors.SourceError
            Not there, more than `limit` bytes, or other bytes than the digest says.
        """


Present = Callable[[Sequence[Descriptor]], Mapping[str, int | None]]
"""Asks a store which blobs it has: their sizes in bytes by digest, None for one that is missing. A digest left out of
the answer is one that nobody could look for."""

_MANIFEST = msgspec.json.Decoder(Manifest)
_IMAGE = msgspec.json.Decoder(_Image)


def read_manifest(
    *,
    source: str,
    kind: Kind,
    manifest: bytes,
    manifest_digest: str,
    fetch: Fetch,
    present: Present | None = None,
    report: Report = quiet,
) -> list[CacheExport]:
    """Read every export that a manifest leads to.

    Parameters
    ----------
    source : str
        The canonical spec of the export.
    kind : Kind
        Of an export with a config of its own; inline caches are of kind ``inline``.
    manifest : bytes
    manifest_digest : str
    fetch : Fetch
    present : callable, optional
        Asks the store for the listed blobs.
    report : Report

    Returns
    -------
    list of CacheExport
        One, or for inline caches one for each platform; never empty.

    Raises
    ------
    NoCacheError
        An image without inline cache.
    DecodeError
        Neither manifest nor index, a config that cannot be read, indexes nested too deeply.
    """
    top = parse_manifest(manifest)
    described = (top.config, *(top.manifests or ()))
    configs = [d for d in described if d is not None and d.media_type == CACHE_CONFIG]
    listed = [*(top.layers or ()), *(d for d in top.manifests or () if d.media_type != CACHE_CONFIG)]
    if not configs:
        refusal = too_large(manifest_digest, len(manifest))
        images = _Images(source=source, refusal=refusal, fetch=fetch, present=present)
        images.read(manifest, manifest_digest, None)
        return images.exports()
    config = configs[-1]  # BuildKit keeps the last
    report("config", 0, None)
    data = fetch(config, MAX_READ)
    sizes = present(listed) if present else {}
    return [
        CacheExport(
            source=source,
            kind=kind,
            config=decode(data),
            config_digest=sha256(data),
            config_bytes=len(data),
            blobs=tuple(_blob(d, d.annotations.get(UNCOMPRESSED), sizes) for d in _distinct(listed)),
            manifest_digest=manifest_digest,
            refusal=too_large(manifest_digest, len(manifest)) or too_large(config.digest, config.size),
            problems=_size_problems(listed, sizes),
        )
    ]


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
        raise DecodeError(f"{digest[:100]!r} is no digest, expected sha256: and 64 hexadecimal digits")
    algorithm, _, digits = digest.partition(":")
    return algorithm, digits


def sha256(data: bytes) -> str:
    """Digest of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


# --- Images with inline cache --------------------------------------------------------------------------------------


class _Images:
    """Collects the inline caches of the images that an index leads to."""

    def __init__(self, *, source: str, refusal: str | None, fetch: Fetch, present: Present | None) -> None:
        self.source = source
        self.refusal = refusal
        self.fetch = fetch
        self.present = present
        self.found: list[CacheExport] = []
        self.ignored: list[Problem] = []
        self.seen: set[str] = set()

    def read(self, data: bytes, digest: str, platform: Platform | None, depth: int = 0) -> None:
        """Read a manifest, or every manifest of an index."""
        if depth > _MAX_DEPTH:
            raise DecodeError(f"indexes are nested more than {_MAX_DEPTH} deep at {digest}")
        manifest = parse_manifest(data)
        if is_image(manifest):
            self._image(manifest, digest, platform)
            return
        for child in child_manifests(manifest):
            if child.digest not in self.seen:
                self.seen.add(child.digest)
                self.read(self.fetch(child, MAX_READ), child.digest, child.platform, depth + 1)

    def exports(self) -> list[CacheExport]:
        """Give what was found; what was ignored goes with each."""
        if not self.found:
            why = self.ignored[0].message if self.ignored else "the image has no inline cache"
            raise NoCacheError(f"{self.source}: {why}", hint=_NO_CACHE)
        problems = tuple(self.ignored)
        return refused_together([replace(export, problems=export.problems + problems) for export in self.found])

    def _image(self, manifest: Manifest, digest: str, platform: Platform | None) -> None:
        layers = manifest.layers or ()
        if manifest.config is None or not manifest.config.digest or not layers:
            return
        if platform is not None and platform.os == platform.architecture == "unknown":
            return  # an attestation
        image = gojson.read(self.fetch(manifest.config, MAX_READ), _IMAGE, path="image config")
        where = str(platform or Platform(os=image.os, architecture=image.architecture, variant=image.variant))
        if len(image.rootfs.diff_ids) != len(layers):
            counts = f"{len(layers)} layers and {len(image.rootfs.diff_ids)} diff IDs"
            self.ignored.append(
                Problem(
                    code="image-ignored",
                    digest=digest,
                    message=f"BuildKit ignores the image of {where or 'unknown platform'}: it has {counts}",
                )
            )
            return
        if image.cache is None:
            return
        self.found.append(self._inline(image, layers, digest, where))

    def _check_times(self, image: _Image) -> None:
        for index, entry in enumerate(image.history):
            try:
                parse_times([entry.created] if entry.created is not None else [])
            except ValueError:
                path = f"image config.history[{index}].created"
                raise DecodeError(f"expected an RFC 3339 time, got {entry.created!r}", path=path) from None

    def _inline(self, image: _Image, layers: Sequence[Descriptor], digest: str, platform: str) -> CacheExport:
        try:
            data = base64.b64decode("".join((image.cache or "").split()), validate=True)
        except (binascii.Error, ValueError):
            raise DecodeError("expected base64", path="image config.moby.buildkit.cache.v0") from None
        sizes = self.present(layers) if self.present else {}
        self._check_times(image)
        history = [entry for entry in image.history if not entry.empty_layer]
        short = f"panic: runtime error: index out of range [{len(history)}] with length {len(history)}"
        diff_ids = dict(zip((d.digest for d in layers), image.rootfs.diff_ids, strict=True))
        return CacheExport(
            source=self.source,
            kind="inline",
            platform=platform or None,
            config=CacheConfig(
                layers=tuple(CacheLayer(blob=d.digest, parent=i - 1) for i, d in enumerate(layers)),
                records=decode_records(data),
            ),
            config_digest=sha256(data),
            config_bytes=len(data),
            blobs=tuple(_blob(d, diff_ids[d.digest], sizes) for d in _distinct(layers)),
            manifest_digest=digest,
            refusal=self.refusal or (short if len(history) < len(layers) else None),
            layer_history=tuple((entry.created, entry.created_by or None) for entry in history),
            problems=_size_problems(layers, sizes),
        )


def refused_together(exports: list[CacheExport]) -> list[CacheExport]:
    """Mark exports that BuildKit imports in one go: if it refuses one, it refuses all.

    Parameters
    ----------
    exports : list of CacheExport

    Returns
    -------
    list of CacheExport
        With the words for the first refused one as the refusal of every one that has none of its own.
    """
    if len(exports) < 2:
        return exports
    errors = [ExportGraph(export).import_error for export in exports]
    first = next((error for error in errors if error is not None), None)
    return [
        replace(export, refusal=first) if error is None else export
        for export, error in zip(exports, errors, strict=True)
    ]


def _distinct(descriptors: Sequence[Descriptor]) -> list[Descriptor]:
    """Keep one for each digest; of several, BuildKit keeps the last."""
    return list({d.digest: d for d in descriptors}.values())


def _blob(descriptor: Descriptor, diff_id: str | None, sizes: Mapping[str, int | None]) -> Blob:
    size = sizes.get(descriptor.digest, ...)
    return Blob(
        digest=descriptor.digest,
        size=descriptor.size,
        media_type=descriptor.media_type or None,
        diff_id=diff_id,
        present=None if size is ... else size is not None,
    )


def _size_problems(descriptors: Sequence[Descriptor], sizes: Mapping[str, int | None]) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            code="size-mismatch",
            digest=d.digest,
            severity="error",
            message=f"blob {d.digest[:19]} has {size:,} bytes and the manifest says {d.size:,}: loading it fails; "
            "export again",
        )
        for d in _distinct(descriptors)
        if (size := sizes.get(d.digest)) is not None and size != d.size
    )
