"""The layers of an image, whether it has inline cache or not: by reference, image layout or archive."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import msgspec

from cachegraph.core import gojson
from cachegraph.core.digests import sha256
from cachegraph.core.gojson import Wire
from cachegraph.errors import DecodeError, NotFoundError, SpecError
from cachegraph.loaders.base import Options
from cachegraph.loaders.http.failures import at
from cachegraph.loaders.oci.blobstores import ArchiveStore, BlobStore, DirectoryStore
from cachegraph.loaders.oci.manifests import (
    CACHE_CONFIG,
    Descriptor,
    Platform,
    child_manifests,
    is_image,
    parse_manifest,
)
from cachegraph.loaders.paths import kind_of, local_path
from cachegraph.loaders.registry import open_image
from cachegraph.loaders.specs.parse import check_keys, parse, required

__all__ = ["image_layers"]

_MAX_MANIFESTS = 1000


class _Config(Wire, frozen=True):
    """The platform of an image, out of its config."""

    os: str = ""
    architecture: str = ""
    variant: str = ""


_config = msgspec.json.Decoder(_Config)


def image_layers(image: str, options: Options) -> dict[str, tuple[str, ...]]:
    """Read the layers of an image.

    Parameters
    ----------
    image : str
        A reference, a directory, an archive, or a spec of ``type=registry`` or ``type=local``.
    options : Options

    Returns
    -------
    dict of str to tuple of str
        Blob digests, bottom first, by platform (``linux/amd64``).

    Raises
    ------
    cachegraph.errors.SpecError
        A spec of another kind.
    cachegraph.errors.NotFoundError
        No image there.
    cachegraph.errors.SourceError
        It cannot be read.
    """
    spec = parse(image)
    if spec.type == "registry":
        check_keys(spec, {"ref", "registry.insecure"})
        found = open_image(spec, options)
        with at(str(found.reference), hint="build the image again"):
            layers = _walk(found.manifest().content, found.fetch)
    elif spec.type == "local":
        path = local_path(required(spec, "src", "src=DIR"))
        kind = kind_of(path)
        if kind is None:
            raise NotFoundError(f"{path}: there is no such directory or archive", hint="check the path")
        store: BlobStore = (
            DirectoryStore(path, options.limits)
            if kind == "directory"
            else ArchiveStore(path, options.report, options.limits)
        )
        with contextlib.closing(store):
            layers = _walk(store.file("index.json") or b"{}", _reader(store, str(path)))
    else:
        raise SpecError(f"{spec.text}: type={spec.type} holds no image", hint="give a reference or an image layout")
    if not layers:
        raise NotFoundError(f"{spec.text}: there is no image in it", hint="give the image that was built")
    return layers


def _reader(store: BlobStore, place: str) -> Callable[[Descriptor], bytes]:
    def read(descriptor: Descriptor) -> bytes:
        digest = descriptor.digest
        if store.size(digest) is None:
            raise NotFoundError(f"{place}: blob {digest} is missing", hint="export the image again")
        data = store.read(digest)
        if sha256(data) != digest:
            raise DecodeError("the bytes do not match the digest", path=f"{place}: {digest}", hint="export it again")
        return data

    return read


def _walk(root: bytes, read: Callable[[Descriptor], bytes]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[bytes, Platform | None]] = [(root, None)]
    seen: set[str] = set()
    while waiting:
        data, platform = waiting.pop()
        manifest = parse_manifest(data)
        if not is_image(manifest):
            for child in reversed(child_manifests(manifest)):
                if child.digest not in seen and len(seen) < _MAX_MANIFESTS:
                    seen.add(child.digest)
                    waiting.append((read(child), child.platform))
            continue
        if manifest.config is None or manifest.config.media_type == CACHE_CONFIG or not manifest.layers:
            continue
        if platform is not None and platform.os == "unknown":
            continue  # an attestation
        config = gojson.read(read(manifest.config), _config, path="image config")
        named = platform or Platform(os=config.os, architecture=config.architecture, variant=config.variant)
        found[str(named)] = tuple(layer.digest for layer in manifest.layers)
    return found
