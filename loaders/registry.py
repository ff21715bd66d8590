"""Exports behind the distribution API: ``type=registry,ref=REF``, and images with inline cache.

::

    type=registry,ref=ghcr.io/org/app:cache              one tag, or one digest
    type=registry,ref=ghcr.io/org/app,all-tags=true      every tag of the repository
    type=registry,ref=ghcr.io/org/app,all-tags=main-*    those that match
    type=registry,ref=reg.lan:5000/app,registry.insecure=true     BuildKit's word for --insecure-registry

The manifest is one of the two shapes that a layout holds, or an image; `cachegraph.loaders.manifests` reads it.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cachegraph.core.model import CacheExport
from cachegraph.errors import NotFoundError, SpecError
from cachegraph.loaders.base import Options, Report, Spec
from cachegraph.loaders.http import at
from cachegraph.loaders.manifests import Descriptor, read_manifest
from cachegraph.loaders.reference import Reference, parse_reference
from cachegraph.loaders.registry_client import RegistryClient, shared_client

__all__ = ["load"]

MANIFEST_LIMIT = 16 << 20
"""Bytes of a manifest that are read; registries take 4 MiB at most."""

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})  # Go's strconv.ParseBool
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_T = TypeVar("_T")
_R = TypeVar("_R")


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
    reference = parse_reference(spec.attrs.get("ref") or _missing_ref(spec))
    glob = _glob(spec) or options.tag_glob
    if _flag(spec, "registry.insecure"):
        insecure = options.insecure_registries | {reference.host}
        options = dataclasses.replace(options, insecure_registries=insecure)
    with at(str(reference)):
        client = shared_client(reference.host, options)
    if glob is None:
        return _load_one(client, reference, options)
    if reference.tag or reference.digest:
        raise SpecError(f"{reference}: all tags are asked for, and one", hint=f"write ref={reference.name}")
    return _load_all(client, reference, glob, options)


def _load_one(client: RegistryClient, reference: Reference, options: Options) -> list[CacheExport]:
    repository = reference.repository

    def fetch(descriptor: Descriptor, limit: int) -> bytes:
        return client.fetch(
            repository, descriptor.digest, media_type=descriptor.media_type, size=descriptor.size, limit=limit
        )

    def present(descriptors: Sequence[Descriptor]) -> Mapping[str, int | None]:
        sizes = {descriptor.digest: descriptor.size for descriptor in descriptors}
        found = _at_once(
            lambda digest: client.has_blob(repository, digest), list(sizes), options, f"probing {reference}"
        )
        return {digest: sizes[digest] if is_there else None for digest, is_there in zip(sizes, found, strict=True)}

    with at(str(reference)):
        manifest = client.manifest(repository, reference.target, limit=MANIFEST_LIMIT)
        return read_manifest(
            source=str(reference),
            kind="registry",
            manifest=manifest.content,
            manifest_digest=manifest.digest,
            fetch=fetch,
            present=present if options.probe else None,
            report=options.report,
        )


def _load_all(client: RegistryClient, reference: Reference, glob: str, options: Options) -> list[CacheExport]:
    """Load each tag; images without a cache among them are passed over, unless there is nothing else."""
    with at(reference.name):
        tags = sorted(tag for tag in client.tags(reference.repository) if fnmatch.fnmatchcase(tag, glob))
        if not tags:
            raise NotFoundError(f"no tag matches {glob!r}", hint="check the name and the pattern")

    def load_tag(tag: str) -> list[CacheExport] | NotFoundError:
        try:
            return _load_one(client, dataclasses.replace(reference, tag=tag), options)
        except NotFoundError as exc:
            return exc

    loaded = list(_at_once(load_tag, tags, options, f"loading {reference.name}"))
    exports = [export for found in loaded if not isinstance(found, NotFoundError) for export in found]
    if not exports:
        raise NotFoundError(f"{reference.name}: none of {len(tags)} tags holds a cache", hint="check the pattern")
    return exports


def _at_once(work: Callable[[_T], _R], items: Sequence[_T], options: Options, what: str) -> Iterable[_R]:
    """Do the same for all, several at once, reporting; results come in the items' order."""
    options.report(what, 0, len(items))
    with ThreadPoolExecutor(options.concurrency) as pool:
        for done, result in enumerate(pool.map(work, items), start=1):
            options.report(what, done, len(items))
            yield result


def _missing_ref(spec: Spec) -> str:
    raise SpecError(f"{spec.text}: ref is missing", hint="write type=registry,ref=HOST/NAME:TAG")


def _flag(spec: Spec, key: str) -> bool:
    value = spec.attrs.get(key, "false")
    if value not in _TRUE | _FALSE:
        raise SpecError(f"{spec.text}: {key} is {value!r}", hint="write true or false")
    return value in _TRUE


def _glob(spec: Spec) -> str | None:
    value = spec.attrs.get("all-tags", "false")
    return "*" if value in _TRUE else None if value in _FALSE else value
