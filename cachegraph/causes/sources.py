"""Causes outside the build's own files: base images, repositories, downloads."""

from __future__ import annotations

from collections.abc import Iterable

from cachegraph.builds.keys import SOURCE_PREFIX, Keys, image_text
from cachegraph.builds.llb import Platform
from cachegraph.builds.operations import GitOrigin, HttpOrigin, ImageOrigin, Origin
from cachegraph.causes.model import Cause
from cachegraph.solver.match import Matches

__all__ = ["PLATFORMS", "image_cause", "image_record", "platform_name", "source_cause"]

PLATFORMS = tuple(
    Platform(os="linux", architecture=architecture, variant=variant)
    for architecture, variant in (
        ("amd64", ""),
        ("arm64", ""),
        ("arm", "v7"),
        ("arm", "v6"),
        ("386", ""),
        ("ppc64le", ""),
        ("riscv64", ""),
        ("s390x", ""),
    )
)
"""Platforms that a cache may have been made for."""


def image_record(digest: str, platform: Platform) -> str:
    """Give the digest of an image's record."""
    from cachegraph.builds.content.nodes import digest_of

    return Keys(text=SOURCE_PREFIX + digest_of(image_text(digest, platform)).encode()).record


def platform_name(platform: Platform) -> str:
    """Write a platform: ``linux/arm/v7``."""
    return "/".join(filter(None, (platform.os, platform.architecture, platform.variant)))


def image_cause(record: int, origin: ImageOrigin, every: Iterable[Matches]) -> Cause:
    """Say why an image is not in the cache: it is there for another platform, or it is another image."""
    caches = list(every)
    for platform in PLATFORMS:
        if platform != origin.platform:
            digest = image_record(origin.digest, platform)
            if any(matches.cache.root(digest) is not None for matches in caches):
                there, here = platform_name(platform), platform_name(origin.platform)
                return Cause(
                    record=record,
                    kind="platform",
                    text=f"the cache was made for {there}, and this build is for {here}",
                    remedy=f"export a cache for {here} as well",
                    was=there,
                )
    name = origin.reference.partition("@")[0]
    return Cause(
        record=record,
        kind="base-image",
        text=f"the image {name} is another one than in the cache: it is {origin.digest[:19]} now",
        remedy=f"build once to cache it, or name the image by its digest ({name}@{origin.digest}) to keep it",
    )


def source_cause(record: int, origin: Origin) -> Cause | None:
    """Say that a repository or a download is another one."""
    match origin:
        case GitOrigin():
            return Cause(
                record=record,
                kind="source",
                text=f"the repository {origin.remote} is at another commit than in the cache",
                remedy="name a commit or a tag to keep it",
            )
        case HttpOrigin():
            return Cause(
                record=record,
                kind="source",
                text=f"{origin.url} gives another file than in the cache",
                remedy="give ADD a --checksum to keep it",
            )
    return None
