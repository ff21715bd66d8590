"""Exports behind the distribution API: ``type=registry,ref=REF``, and images with inline cache.

::

    type=registry,ref=ghcr.io/org/app:cache              one tag, or one digest
    type=registry,ref=ghcr.io/org/app,all-tags=true      every tag of the repository
    type=registry,ref=ghcr.io/org/app,all-tags=main-*    those that match
    type=registry,ref=reg.lan:5000/app,registry.insecure=true     BuildKit's word for --insecure-registry

The manifest is one of the two shapes that a layout holds, or an image; `cachegraph.loaders.oci.manifests` reads it.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping, Sequence

from cachegraph.core.model import CacheExport, Problem
from cachegraph.errors import NoCacheError, NotFoundError, SourceError, SpecError
from cachegraph.loaders.base import MAX_CONFIG, Options, Spec
from cachegraph.loaders.distribution.client import RawManifest, RegistryClient, shared_client
from cachegraph.loaders.http.failures import at
from cachegraph.loaders.http.parallel import concurrently
from cachegraph.loaders.oci.exports import read_manifest
from cachegraph.loaders.oci.manifests import Descriptor
from cachegraph.loaders.specs.parse import FALSE, TRUE, canonical, check_keys, flag, required
from cachegraph.loaders.specs.reference import Reference, parse_reference

__all__ = ["Image", "load", "open_image"]

MAX_MANIFEST = 16 << 20
"""Bytes of a manifest that are downloaded; registries take 4 MiB at most."""


def load(spec: Spec, options: Options) -> Sequence[CacheExport]:
    """Read the exports of a reference, or of all tags of a repository.

    Only manifests and configs are downloaded. With `Options.probe`, the registry is asked for each listed blob.

    Raises
    ------
    cachegraph.errors.SpecError
        No reference, or a key that makes no sense.
    cachegraph.errors.SourceError
        The registry cannot be reached, refuses, has no such thing, or what it has cannot be read.
    """
    check_keys(spec, {"ref", "all-tags", "registry.insecure"})
    image = open_image(spec, options)
    reference = image.reference
    glob = _glob(spec) or options.tag_glob
    if glob is None:
        return _load_one(image, options)
    if reference.tag or reference.digest:
        raise SpecError(f"{reference}: all tags are asked for, and one", hint=f"write ref={reference.name}")
    return _load_all(image, glob, options)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A reference, and the client of its registry."""

    reference: Reference
    client: RegistryClient

    def manifest(self) -> RawManifest:
        """Download the manifest that the reference names."""
        return self.client.manifest(self.reference.repository, self.reference.target, limit=MAX_MANIFEST)

    def fetch(self, descriptor: Descriptor, limit: int = MAX_CONFIG) -> bytes:
        """Download a manifest or a config of at most `limit` bytes, and of no more than `MAX_CONFIG`."""
        return self.client.fetch(
            self.reference.repository,
            descriptor.digest,
            media_type=descriptor.media_type,
            size=descriptor.size,
            limit=min(limit, MAX_CONFIG),
        )

    def blob_size(self, descriptor: Descriptor) -> int | None:
        """Ask for the size of a blob; None if the registry has no such blob."""
        return self.client.blob_size(self.reference.repository, descriptor.digest, expected=descriptor.size)


def open_image(spec: Spec, options: Options) -> Image:
    """Read the reference of a spec (``ref``, ``registry.insecure``); nothing is asked yet.

    Raises
    ------
    cachegraph.errors.SpecError
        No reference.
    cachegraph.errors.SourceError
        The environment's proxies or certificates cannot be used.
    """
    reference = parse_reference(required(spec, "ref", "ref=HOST/NAME:TAG"))
    if flag(spec, "registry.insecure"):
        insecure = options.insecure_registries | {reference.host}
        options = dataclasses.replace(options, insecure_registries=insecure)
    with at(str(reference)):
        return Image(reference=reference, client=shared_client(reference.host, options))


def _load_one(image: Image, options: Options) -> list[CacheExport]:
    reference = str(image.reference)

    def present(descriptors: Sequence[Descriptor]) -> Mapping[str, int | None]:
        distinct = list({descriptor.digest: descriptor for descriptor in descriptors}.values())
        sizes = concurrently(image.blob_size, distinct, options, f"probing {reference}")
        return {descriptor.digest: size for descriptor, size in zip(distinct, sizes, strict=True)}

    with at(reference, hint="export the cache again"):
        manifest = image.manifest()
        return read_manifest(
            source=canonical("registry", {"ref": reference}),
            kind="registry",
            manifest=manifest.content,
            manifest_digest=manifest.digest,
            fetch=image.fetch,
            present=present if options.probe else None,
            report=options.report,
        )


def _load_all(image: Image, glob: str, options: Options) -> list[CacheExport]:
    """Load each tag; only if none can be loaded does the first failure count."""
    client, reference = image.client, image.reference
    with at(reference.name):
        tags = sorted(tag for tag in client.tags(reference.repository) if fnmatch.fnmatchcase(tag, glob))
        if not tags:
            raise NotFoundError(f"no tag matches {glob!r}", hint="check the name and the pattern")

    def load_tag(tag: str) -> list[CacheExport] | SourceError:
        try:
            tagged = Image(client=client, reference=dataclasses.replace(reference, tag=tag))
            return _load_one(tagged, options)
        except SourceError as error:
            return error

    loaded = concurrently(load_tag, tags, options, f"loading {reference.name}")
    exports = [export for found in loaded if not isinstance(found, SourceError) for export in found]
    failures = [found for found in loaded if isinstance(found, SourceError)]
    real = [error for error in failures if not isinstance(error, NoCacheError)]
    if not exports:
        raise (real or failures)[0]
    problems = tuple(
        Problem(code="manifest-missing", severity="error", message=f"another tag there was not read: {error}")
        for error in real
    )
    return [dataclasses.replace(export, problems=export.problems + problems) for export in exports]


def _glob(spec: Spec) -> str | None:
    value = spec.attrs.get("all-tags", "false")
    return "*" if value in TRUE else None if value in FALSE else value
