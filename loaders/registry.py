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

from cachegraph.core.model import CacheExport, Problem
from cachegraph.errors import NoCacheError, NotFoundError, SourceError, SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.http_failures import at
from cachegraph.loaders.manifests import Descriptor, read_manifest
from cachegraph.loaders.reference import Reference, parse_reference
from cachegraph.loaders.registry_client import RegistryClient, shared_client
from cachegraph.loaders.spec import canonical, check_keys, required

__all__ = ["load"]

MAX_MANIFEST = 16 << 20
"""Bytes of a manifest that are downloaded; registries take 4 MiB at most."""

MAX_CONFIG = 128 << 20
"""Bytes of a config that are downloaded; BuildKit takes 1 MiB at most."""

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
    check_keys(spec, {"ref", "all-tags", "registry.insecure"})
    reference = parse_reference(required(spec, "ref", "ref=HOST/NAME:TAG"))
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
            repository,
            descriptor.digest,
            media_type=descriptor.media_type,
            size=descriptor.size,
            limit=min(limit, MAX_CONFIG),
        )

    def present(descriptors: Sequence[Descriptor]) -> Mapping[str, int | None]:
        sizes = {descriptor.digest: descriptor.size for descriptor in descriptors}

        def size(digest: str) -> int | None:
            return client.blob_size(repository, digest, expected=sizes[digest])

        return dict(zip(sizes, _at_once(size, list(sizes), options, f"probing {reference}"), strict=True))

    with at(str(reference), hint="export the cache again"):
        manifest = client.manifest(repository, reference.target, limit=MAX_MANIFEST)
        return read_manifest(
            source=canonical("registry", {"ref": str(reference)}),
            kind="registry",
            manifest=manifest.content,
            manifest_digest=manifest.digest,
            fetch=fetch,
            present=present if options.probe else None,
            report=options.report,
        )


def _load_all(client: RegistryClient, reference: Reference, glob: str, options: Options) -> list[CacheExport]:
    """Load each tag; only if none can be loaded does the first failure count."""
    with at(reference.name):
        tags = sorted(tag for tag in client.tags(reference.repository) if fnmatch.fnmatchcase(tag, glob))
        if not tags:
            raise NotFoundError(f"no tag matches {glob!r}", hint="check the name and the pattern")

    def load_tag(tag: str) -> list[CacheExport] | SourceError:
        try:
            return _load_one(client, dataclasses.replace(reference, tag=tag), options)
        except SourceError as error:
            return error

    loaded = list(_at_once(load_tag, tags, options, f"loading {reference.name}"))
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


def _at_once(work: Callable[[_T], _R], items: Sequence[_T], options: Options, what: str) -> Iterable[_R]:
    """Do the same for all, several at once, reporting; results come in the items' order."""
    options.report(what, 0, len(items))
    with ThreadPoolExecutor(options.concurrency) as pool:
        for done, result in enumerate(pool.map(work, items), start=1):
            options.report(what, done, len(items))
            yield result


def _flag(spec: Spec, key: str) -> bool:
    value = spec.attrs.get(key, "false")
    if value not in _TRUE | _FALSE:
        raise SpecError(f"{spec.text}: {key} is {value!r}", hint="write true or false")
    return value in _TRUE


def _glob(spec: Spec) -> str | None:
    value = spec.attrs.get("all-tags", "false")
    return "*" if value in _TRUE else None if value in _FALSE else value
