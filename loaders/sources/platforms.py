"""Which image of an index a builder takes: containerd's ``platforms.Only``."""

from __future__ import annotations

from collections.abc import Iterable

from cachegraph.builds.dockerfile.platforms import normalize
from cachegraph.builds.llb import Platform
from cachegraph.loaders.oci.manifests import MANIFEST_TYPES, Descriptor

__all__ = ["choose"]


def choose(platform: Platform, descriptors: Iterable[Descriptor]) -> Descriptor | None:
    """Choose the manifest of an index for a platform; of equals the first.

    Parameters
    ----------
    platform : Platform
        The one that is wanted. An older variant does as well: linux/arm/v6 for linux/arm/v7.
    descriptors : iterable of Descriptor

    Returns
    -------
    Descriptor or None
    """
    wanted = _accepted(normalize(platform))
    best: tuple[int, Descriptor] | None = None
    for descriptor in descriptors:
        if descriptor.media_type not in ("", *MANIFEST_TYPES) or descriptor.platform is None:
            continue
        offered = normalize(
            Platform(
                architecture=descriptor.platform.architecture,
                os=descriptor.platform.os,
                variant=descriptor.platform.variant,
            )
        )
        key = (offered.os, offered.architecture, offered.variant)
        if key in wanted and (best is None or wanted.index(key) < best[0]):
            best = (wanted.index(key), descriptor)
    return best[1] if best else None


def _accepted(platform: Platform) -> list[tuple[str, str, str]]:
    """List the platforms whose programs run on one, the best first (``platformVector``)."""
    variants = [(platform.architecture, platform.variant)]
    number = platform.variant.removeprefix("v")
    match platform.architecture:
        case "amd64":
            if number.isdecimal() and int(number) > 1:
                variants += [("amd64", f"v{older}" if older > 1 else "") for older in range(int(number) - 1, 0, -1)]
            variants.append(("386", ""))
        case "arm":
            if number.isdecimal() and int(number) > 5:
                variants += [("arm", f"v{older}") for older in range(int(number) - 1, 4, -1)]
        case "arm64":
            if platform.variant:
                variants.append(("arm64", ""))
            variants += [("arm", f"v{older}") for older in range(8, 4, -1)]
    return [(platform.os, architecture, variant) for architecture, variant in variants]
