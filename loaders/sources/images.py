"""Images: what a reference names, its config, and its files, from layouts, archives and registries.

Source: BuildKit ``util/imageutil`` (``Config``), ``source/containerimage``; containerd ``images.Manifest``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cachegraph.builds.content.layers import image_tree
from cachegraph.builds.content.nodes import Blob, Folder
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.images import ImageConfig, ResolvedImage, parse_image_config
from cachegraph.builds.llb import Platform
from cachegraph.builds.operations import ImageOrigin
from cachegraph.errors import CacheGraphError, DecodeError, NotFoundError
from cachegraph.loaders.base import Options
from cachegraph.loaders.oci.manifests import Manifest, is_image, parse_manifest
from cachegraph.loaders.sources.platforms import choose
from cachegraph.loaders.sources.stores import BlobSource, ImageStore, RegistryStore, open_store
from cachegraph.loaders.specs.reference import Reference, parse_reference

__all__ = ["KnownImages"]

_CONFIG = 16 << 20
_DEPTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A manifest, and where the rest of the image is."""

    store: BlobSource
    digest: str
    manifest: Manifest


@dataclass(slots=True, kw_only=True)
class KnownImages:
    """Finds images in the places that are given, and then in registries.

    Parameters
    ----------
    stores : sequence of ImageStore
        Layouts and archives, looked into in this order.
    pins : mapping of str to str
        Digests by reference (``--image REF=DIGEST``): what a reference names, without asking.
    options : Options
        How to ask registries.
    offline : bool
        Ask no registry.
    limit : int
        Bytes of layers that a registry may be asked for, for one image whose files are copied.
    """

    stores: Sequence[ImageStore] = ()
    pins: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    offline: bool = False
    limit: int = 64 << 20
    _resolved: dict[tuple[str, Platform], ResolvedImage | Unknown] = field(default_factory=dict)
    _trees: dict[tuple[str, Platform, str | None], Folder | Unknown] = field(default_factory=dict)

    def resolve(self, reference: str, platform: Platform) -> ResolvedImage | Unknown:
        """Find what a reference names, and the config for a platform.

        Raises
        ------
        NotFoundError
            A registry has no such image, or the image has no such platform.
        """
        key = (reference, platform)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(parse_reference(reference), platform)
        return self._resolved[key]

    def resolve_layout(self, layout: str, digest: str, platform: Platform) -> ResolvedImage | Unknown:
        """Find an image in an OCI layout by its digest."""
        return self._configured(self._in_layout(layout, digest), platform)

    @staticmethod
    def _in_layout(layout: str, digest: str) -> _Found:
        store = open_store(Path(layout))
        data = store.manifest_of(digest)
        if data is None:
            raise NotFoundError(f"{layout} has no {digest[:19]}", hint="check the named context")
        return _Found(store=store, digest=digest, manifest=parse_manifest(data))

    def image(self, origin: ImageOrigin) -> Folder | Unknown:
        """Give the files of an image."""
        key = (origin.digest, origin.platform, origin.layout)
        if key not in self._trees:
            try:
                self._trees[key] = self._tree(origin)
            except CacheGraphError as error:
                reason = f"the files of {origin.reference} cannot be read: {error.message}"
                self._trees[key] = Unknown(because="image", reason=reason)
        return self._trees[key]

    def is_near(self, origin: ImageOrigin) -> bool:
        """Tell whether an image is in a layout or an archive, so that its files are read without a download."""
        return origin.layout is not None or any(store.manifest_of(origin.digest) for store in self.stores)

    def _pinned(self, reference: Reference) -> Reference:
        """Give a reference the digest that the user says it has."""
        for text, digest in self.pins.items():
            if str(parse_reference(text)) == str(reference):
                return replace(reference, digest=digest)
        return reference

    def _resolve(self, reference: Reference, platform: Platform) -> ResolvedImage | Unknown:
        """Find an image."""
        named = reference if reference.digest else self._pinned(reference)
        found = self._find(named)
        if isinstance(found, Unknown):
            return ResolvedImage(digest=named.digest, config=found) if named.digest else found
        return self._configured(found, platform)

    def _find(self, reference: Reference) -> _Found | Unknown:
        """Look for a manifest; what the stores have comes first."""
        for store in self.stores:
            data = store.manifest_of(reference.digest) if reference.digest else None
            digest: str | None = reference.digest
            if data is None and (named := store.named(reference)) is not None:
                # What a store calls by this name is no proof that the registry does, if a digest says otherwise.
                if named[0] is not None and reference.digest not in (None, named[0]):
                    continue
                digest, data = reference.digest or named[0], named[1]
            if data is not None and digest is not None:
                return _Found(store=store, digest=digest, manifest=parse_manifest(data))
        if self.offline:
            return Unknown(because="image", reason=_missing(reference))
        registry = RegistryStore(reference, self.options)
        try:
            digest, data = registry.ask()
        except NotFoundError:
            raise
        except CacheGraphError as error:
            return Unknown(because="image", reason=f"{error.message}; {_missing(reference)}")
        return _Found(store=registry, digest=digest, manifest=parse_manifest(data))

    def _configured(self, found: _Found, platform: Platform) -> ResolvedImage:
        """Read the config for a platform."""
        image = self._platform(found, platform)
        return ResolvedImage(digest=found.digest, config=_config(found.store, image))

    def _platform(self, found: _Found, platform: Platform) -> Manifest:
        """Go from an index to the manifest of a platform; an image by itself is taken whatever its platform."""
        manifest = found.manifest
        for _ in range(_DEPTH):
            if is_image(manifest):
                return manifest
            child = choose(platform, manifest.manifests or ())
            if child is None:
                wanted = "/".join(filter(None, (platform.os, platform.architecture, platform.variant)))
                raise NotFoundError(f"{found.digest[:19]} has no image for {wanted}", hint="check the platform")
            manifest = parse_manifest(found.store.blob(child, _CONFIG))
        raise DecodeError(f"{found.digest[:19]}: more than {_DEPTH} indexes in one another")

    def _tree(self, origin: ImageOrigin) -> Folder | Unknown:
        """Put the layers of an image on one another."""
        found: _Found | Unknown
        if origin.layout:
            found = self._in_layout(origin.layout, origin.digest)
        else:
            found = self._find(replace(parse_reference(origin.reference), digest=origin.digest))
        if isinstance(found, Unknown):
            return found
        descriptors = self._platform(found, origin.platform).layers or ()
        size = sum(descriptor.size for descriptor in descriptors)
        if isinstance(found.store, RegistryStore) and size > self.limit:
            reason = f"the layers of {origin.reference} have {size:,} bytes and at most {self.limit:,} are downloaded"
            return Unknown(because="image", reason=f"{reason}; give it as a layout or an archive")
        layers: list[Blob] = [found.store.layer(descriptor) for descriptor in descriptors]
        return image_tree(layers)


def _config(store: BlobSource, image: Manifest) -> ImageConfig:
    """Read the config of an image."""
    if image.config is None:
        raise DecodeError("the manifest has no config", path="config")
    return parse_image_config(store.blob(image.config, _CONFIG), image.config.digest[:19])


def _missing(reference: Reference) -> str:
    return f"{reference} is in no layout or archive that was given; say what it is with --image {reference.name}=DIGEST"
