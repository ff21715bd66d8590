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
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from cachegraph.core.model import CacheExport
from cachegraph.errors import NotFoundError, SourceError, SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.distribution.client import RawManifest, RegistryClient, shared_client
from cachegraph.loaders.http.failures import at
from cachegraph.loaders.http.parallel import concurrently
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.oci.exports import read_manifest
from cachegraph.loaders.oci.manifests import Descriptor
from cachegraph.loaders.specs.parse import FALSE, TRUE, canonical, flag, required
from cachegraph.loaders.specs.reference import TAG, Reference, parse_reference
from cachegraph.text.nearest import nearest
from cachegraph.text.words import some_of

__all__ = ["Image", "expand", "load", "open_image", "tags_wanted"]

_SHOWN_TAGS = 10
_MOST_TAGS = 1000  # that are listed for somebody who named another: the first page
_FAULT = "this is the registry's fault"


def load(spec: Spec, options: Options) -> Sequence[CacheExport]:
    """Read the exports of a reference; one for all tags of a repository is not for this, but for `expand`.

    Only manifests and configs are downloaded. With `Options.probe`, the registry is asked for each listed blob.

    Raises
    ------
    cachegraph.errors.SpecError
        No reference, or a value that makes no sense.
    cachegraph.errors.SourceError
        The registry cannot be reached, refuses, has no such thing, or what it has cannot be read.
    """
    return _load_one(open_image(spec, options), options)


def expand(spec: Spec, options: Options) -> Iterator[Spec | SourceError] | None:
    """List the tags that a spec asks for, each as a spec of its own: one that cannot be read concerns no other.

    Returns
    -------
    iterator of Spec or SourceError, or None
        An error in place of a tag that is none. None if the spec names one reference.

    Raises
    ------
    cachegraph.errors.SpecError
        No reference, a value that makes no sense, or all tags and one are asked for.
    cachegraph.errors.SourceError
        The registry cannot be reached or refuses, or no tag matches.
    """
    glob = tags_wanted(spec, options)
    if glob is None:
        return None
    image = open_image(spec, options)
    reference = image.reference
    if reference.tag or reference.digest:
        raise SpecError(f"{reference}: all tags are asked for, and one", hint=f"write ref={reference.name}")
    with at(reference.name):
        listed = image.client.tags(reference.repository)
        tags = sorted({tag for tag in listed if fnmatch.fnmatchcase(tag, glob)})
        if not tags:
            raise NotFoundError(f"no tag matches {glob!r}", hint="check the name and the pattern")
    return (_tag_spec(spec, reference, tag) for tag in tags)


def _tag_spec(spec: Spec, reference: Reference, tag: str) -> Spec | SourceError:
    if TAG.fullmatch(tag) is None:
        return SourceError(f"{reference.name}: the registry lists {tag[:130]!r}, which is not a tag", hint=_FAULT)
    text = f"{reference.name}:{tag}"
    rest = {key: value for key, value in spec.attrs.items() if key not in ("ref", "all-tags")}
    return Spec(type="registry", attrs={"ref": text, **rest}, text=text)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A reference, and the client of its registry."""

    reference: Reference
    client: RegistryClient
    limits: Limits

    def manifest(self) -> RawManifest:
        """Download the manifest that the reference names."""
        return self.client.manifest(self.reference.repository, self.reference.target, limit=self.limits.manifest_bytes)

    def fetch(self, descriptor: Descriptor) -> bytes:
        """Download a manifest or a config of at most ``Limits.config_bytes``."""
        return self.client.fetch(
            self.reference.repository,
            descriptor.digest,
            media_type=descriptor.media_type,
            size=descriptor.size,
            limit=self.limits.config_bytes,
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
        return Image(reference=reference, client=shared_client(reference.host, options), limits=options.limits)


def _load_one(image: Image, options: Options) -> list[CacheExport]:
    reference = str(image.reference)

    left = options.probe_blobs

    def present(descriptors: Sequence[Descriptor]) -> Mapping[str, int | None]:
        nonlocal left
        distinct = list({descriptor.digest: descriptor for descriptor in descriptors}.values())
        if not options.probe and len(distinct) > left:
            return {}
        left -= len(distinct)
        try:
            sizes = concurrently(image.blob_size, distinct, options, f"probing {reference}")
        except SourceError:
            if options.probe:
                raise
            return {}  # nobody asked for it: what is there is not known
        return {descriptor.digest: size for descriptor, size in zip(distinct, sizes, strict=True)}

    with at(reference, hint="export the cache again", buildkit="skip"):
        manifest = _manifest(image)
        return read_manifest(
            source=canonical("registry", {"ref": reference}),
            kind="registry",
            manifest=manifest.content,
            manifest_digest=manifest.digest,
            fetch=image.fetch,
            present=present if options.probe or options.probe_blobs else None,
            report=options.report,
            limits=options.limits,
        )


def _manifest(image: Image) -> RawManifest:
    """Download the manifest; of a tag that is not there, say which are."""
    try:
        return image.manifest()
    except NotFoundError as error:
        if image.reference.digest:
            raise
        tags = _tags_there(image)
        if not tags:
            raise
        wanted = image.reference.target
        near = nearest(wanted, tags)
        meant = f"did you mean {near}? " if near else ""
        shown = sorted(tags, key=lambda tag: (tag != near, tag))[:_SHOWN_TAGS]
        raise NotFoundError(error.message, hint=f"{meant}tags there: {some_of(shown, len(tags))}") from None


def _tags_there(image: Image) -> list[str]:
    """List the tags of a repository, as far as the first of them go; empty where the registry does not say."""
    try:
        found = list(islice(image.client.tags(image.reference.repository), _MOST_TAGS))
    except SourceError:
        return []
    return sorted({tag for tag in found if TAG.fullmatch(tag)})


def tags_wanted(spec: Spec, options: Options) -> str | None:
    """Give the pattern of the tags that are asked for; None for one reference."""
    return _glob(spec) or options.tag_glob


def _glob(spec: Spec) -> str | None:
    value = spec.attrs.get("all-tags", "false")
    return "*" if value in TRUE else None if value in FALSE else value
