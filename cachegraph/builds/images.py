"""What a build must know of an image before it can go on: its digest and its config."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.llb import Platform
from cachegraph.core.untrusted import decode_json

__all__ = ["ImageConfig", "Images", "ResolvedImage", "parse_image_config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What of an image's config a build goes on with.

    Attributes
    ----------
    env : tuple of str
        ``NAME=VALUE``.
    layers : int
        How many layers it has; BuildKit takes an image without any for ``scratch``.
    """

    platform: Platform = field(default_factory=Platform)
    env: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    shell: tuple[str, ...] = ()
    on_build: tuple[str, ...] = ()
    layers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedImage:
    """An image that a reference names.

    Attributes
    ----------
    digest : str
        Of what the reference names: of a multi-platform image the index's.
    config : ImageConfig or Unknown
    """

    digest: str
    config: ImageConfig | Unknown


class Images(Protocol):
    """Finds images."""

    def resolve(self, reference: str, platform: Platform) -> ResolvedImage | Unknown:
        """Find an image.

        Parameters
        ----------
        reference : str
            Spelled out, such as ``docker.io/library/alpine:3`` or ``.. :3@sha256:..``.
        platform : Platform

        Raises
        ------
        cachegraph.errors.NotFoundError
            BuildKit would not find it either: there is no such image, or none for the platform.
        """

    def resolve_layout(self, layout: str, digest: str, platform: Platform) -> ResolvedImage | Unknown:
        """Find an image in an OCI layout that a named context gives, by its digest."""


class _Process(msgspec.Struct, frozen=True):
    Env: tuple[str, ...] | None = None
    WorkingDir: str | None = None
    User: str | None = None
    Shell: tuple[str, ...] | None = None
    OnBuild: tuple[str, ...] | None = None


class _RootFS(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...] | None = None


class _History(msgspec.Struct, frozen=True):
    empty_layer: bool | None = None


class _Config(msgspec.Struct, frozen=True, rename={"os_version": "os.version", "os_features": "os.features"}):
    """An image config (``image-spec``), as far as it is used."""

    architecture: str | None = None
    os: str | None = None
    variant: str | None = None
    os_version: str | None = None
    os_features: tuple[str, ...] | None = None
    config: _Process | None = None
    rootfs: _RootFS | None = None
    history: tuple[_History, ...] | None = None


_CONFIG = msgspec.json.Decoder(_Config)


def parse_image_config(data: bytes, place: str) -> ImageConfig:
    """Read an image's config.

    Raises
    ------
    cachegraph.errors.DecodeError
    """
    config = decode_json(data, _CONFIG, "no image config", path=place)
    process = config.config or _Process()
    diff_ids = (config.rootfs and config.rootfs.diff_ids) or ()
    # BuildKit counts the history where the layers say nothing, as old images do.
    written = [entry for entry in config.history or () if not entry.empty_layer]
    return ImageConfig(
        platform=Platform(
            os=config.os or "",
            architecture=config.architecture or "",
            variant=config.variant or "",
            os_version=config.os_version or "",
            os_features=config.os_features,
        ),
        env=process.Env or (),
        working_dir=process.WorkingDir or "",
        user=process.User or "",
        shell=process.Shell or (),
        on_build=process.OnBuild or (),
        layers=len(diff_ids) or len(written),
    )
