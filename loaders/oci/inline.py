"""Images with inline cache: an export for each image that an index leads to.

Source: BuildKit ``cache/remotecache/import.go``, ``importInlineCache`` and ``allDistributionManifests``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from cachegraph.builds.history_names import layer_names
from cachegraph.core import gojson
from cachegraph.core.decode import decode_records
from cachegraph.core.digests import sha256
from cachegraph.core.gojson import GoTime, Wire
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig, CacheExport, CacheLayer, Problem
from cachegraph.core.times import parse_times
from cachegraph.errors import DecodeError, NoCacheError
from cachegraph.loaders.limits import Limits, over_limit
from cachegraph.loaders.oci.manifests import (
    Descriptor,
    Fetch,
    Manifest,
    Platform,
    Present,
    child_manifests,
    distinct,
    is_image,
    listed_blob,
    parse_manifest,
    size_problems,
)

__all__ = ["InlineImages", "refused_together"]

_MAX_DEPTH = 8
_NO_CACHE = "build it with --cache-to type=inline, or name the ref that --cache-to wrote to"


class _RootFS(Wire, frozen=True):
    diff_ids: tuple[str, ...] = ()


class _History(Wire, frozen=True):
    created: GoTime | None = None
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


_IMAGE = msgspec.json.Decoder(_Image)


class InlineImages:
    """Collects the inline caches of the images that an index leads to."""

    def __init__(
        self, *, source: str, refusal: str | None, fetch: Fetch, present: Present | None, limits: Limits
    ) -> None:
        self.source = source
        self.refusal = refusal
        self.fetch = fetch
        self.present = present
        self.limits = limits
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
                if len(self.seen) > self.limits.manifests:
                    raise over_limit(self.source, self.limits.manifests, "manifests", "manifests")
                self.read(self.fetch(child), child.digest, child.platform, depth + 1)

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
        image = gojson.read(self.fetch(manifest.config), _IMAGE, path="image config")
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
            # Go's decoder passes over line ends, and nothing else.
            data = base64.b64decode((image.cache or "").replace("\n", "").replace("\r", ""), validate=True)
        except (binascii.Error, ValueError):
            raise DecodeError("expected base64", path="image config.moby.buildkit.cache.v0") from None
        sizes = self.present(layers) if self.present else {}
        self._check_times(image)
        history = [entry for entry in image.history if not entry.empty_layer]
        short = len(history) < len(layers)
        panic = f"panic: runtime error: index out of range [{len(history)}] with length {len(history)}"
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
            blobs=tuple(listed_blob(d, diff_ids[d.digest], sizes) for d in distinct(layers)),
            manifest_digest=digest,
            shape="manifest",
            refusal=self.refusal or (panic if short else None),
            layer_history=tuple((entry.created, entry.created_by or None) for entry in history),
            layer_names=layer_names([entry.created_by or None for entry in history]),
            problems=(*(_panics(digest, len(history), len(layers)) if short else ()), *size_problems(layers, sizes)),
        )


def _panics(digest: str, history: int, layers: int) -> tuple[Problem]:
    message = (
        f"importing this image ends buildkitd, with every build on it: its history tells of {history} of its {layers} "
        "layers, and BuildKit counts on all; take it out of --cache-from, and build the image again"
    )
    return (Problem(code="builder-panic", digest=digest, severity="error", message=message),)


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
