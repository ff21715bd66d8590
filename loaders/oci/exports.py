"""A manifest to the exports that it leads to, whatever store it lies in.

Source: BuildKit ``cache/remotecache/import.go``, ``contentCacheImporter``.
"""

from __future__ import annotations

from cachegraph.core.decode import decode
from cachegraph.core.digests import sha256
from cachegraph.core.model import CacheExport, Kind
from cachegraph.core.progress import Report, quiet
from cachegraph.core.verdict import too_large
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.oci.inline import InlineImages
from cachegraph.loaders.oci.manifests import (
    CACHE_CONFIG,
    UNCOMPRESSED,
    Fetch,
    Present,
    distinct,
    is_image,
    listed_blob,
    parse_manifest,
    size_problems,
)

__all__ = ["read_manifest"]


def read_manifest(
    *,
    source: str,
    kind: Kind,
    manifest: bytes,
    manifest_digest: str,
    fetch: Fetch,
    present: Present | None = None,
    report: Report = quiet,
    limits: Limits = DEFAULT,
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
    limits : Limits

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
        images = InlineImages(source=source, refusal=refusal, fetch=fetch, present=present, limits=limits)
        images.read(manifest, manifest_digest, None)
        return images.exports()
    config = configs[-1]  # BuildKit keeps the last
    report("config", 0, None)
    data = fetch(config)
    sizes = present(listed) if present else {}
    return [
        CacheExport(
            source=source,
            kind=kind,
            config=decode(data),
            config_digest=sha256(data),
            config_bytes=len(data),
            blobs=tuple(listed_blob(d, d.annotations.get(UNCOMPRESSED), sizes) for d in distinct(listed)),
            manifest_digest=manifest_digest,
            shape="manifest" if is_image(top) else "index",
            refusal=too_large(manifest_digest, len(manifest)) or too_large(config.digest, config.size),
            problems=size_problems(listed, sizes),
        )
    ]
