"""Platforms as ``containerd/platforms`` reads and writes them."""

from __future__ import annotations

import platform as machine
import re
from urllib.parse import unquote

import msgspec

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import join
from cachegraph.builds.llb import Platform

__all__ = ["default_platform", "format_platform", "normalize", "parse_platform", "short_platform"]

_OS = re.compile(r"([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?")
_PART = re.compile(r"[A-Za-z0-9_.-]+")
_SYSTEMS = frozenset({
    "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd",
    "openbsd", "plan9", "solaris", "windows", "zos",
})  # fmt: skip
_ARCHITECTURES = frozenset({
    "386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "ppc64", "ppc64le", "loong64", "mips", "mipsle",
    "mips64", "mips64le", "mips64p32", "mips64p32le", "ppc", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64",
    "wasm",
})  # fmt: skip
_MACHINES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "i686": "386",
    "i386": "386",
    "armv7l": "arm",
    "loongarch64": "loong64",
}
_ENCODED = (("%", "%25"), ("+", "%2B"), ("(", "%28"), (")", "%29"), ("/", "%2F"))


def default_platform() -> Platform:
    """Give the platform of a builder on this machine; builders run Linux."""
    name = machine.machine().lower()
    architecture = _MACHINES.get(name, name)
    return Platform(os="linux", architecture=architecture, variant="v7" if architecture == "arm" else "")


def parse_platform(text: str) -> Platform:
    """Read ``os[(version+features)][/architecture[/variant]]``, or an architecture alone.

    Raises
    ------
    DockerfileError
    """
    parts = text.split("/", 3)
    system = _OS.fullmatch(parts[0])
    if system is None or not all(map(_PART.fullmatch, parts[1:])) or len(parts) > 3:
        raise DockerfileError(f'"{text}" is no platform', hint='write it as in "linux/amd64" or "linux/arm/v7"')
    features = tuple(unquote(feature) for feature in system[3].split("+")[1:]) if system[3] else None
    version = unquote(system[2] or "")
    name = _system(system[1])
    if len(parts) == 1:
        return _bare(text, name, version, features)
    architecture, variant = _architecture(parts[1], parts[2] if len(parts) == 3 else "")
    if len(parts) == 2 and (architecture, variant) == ("arm", "v7"):
        variant = ""
    elif len(parts) == 3 and (architecture, variant) == ("arm64", ""):
        variant = "v8"
    return Platform(os=name, architecture=architecture, variant=variant, os_version=version, os_features=features)


def _bare(text: str, name: str, version: str, features: tuple[str, ...] | None) -> Platform:
    here = default_platform()
    if name in _SYSTEMS:
        return msgspec.structs.replace(here, os=name, variant="", os_version=version, os_features=features)
    architecture, variant = _architecture(text, "")
    if architecture not in _ARCHITECTURES:
        raise DockerfileError(
            f'"{text}": unknown operating system or architecture', hint='write it as in "linux/amd64"'
        )
    return Platform(os=here.os, architecture=architecture, variant="" if variant == "v7" else variant)


def _system(name: str) -> str:
    name = name.lower()
    return "darwin" if name == "macos" else name or "linux"


def _architecture(name: str, variant: str) -> tuple[str, str]:
    """Give the names that are meant (``normalizeArch``)."""
    name, variant = name.lower(), variant.lower()
    match name:
        case "i386":
            return "386", ""
        case "x86_64" | "x86-64" | "amd64":
            return "amd64", "" if variant == "v1" else variant
        case "aarch64" | "arm64":
            same = {"8": "", "v8": "", "v8.0": "", "9": "v9", "9.0": "v9", "v9.0": "v9"}
            return "arm64", same.get(variant, variant)
        case "armhf":
            return "arm", "v7"
        case "armel":
            return "arm", "v6"
        case "arm":
            same = {"": "v7", "7": "v7", "5": "v5", "6": "v6", "8": "v8"}
            return "arm", same.get(variant, variant)
    return name, variant


def normalize(platform: Platform) -> Platform:
    """Give a platform its usual names."""
    architecture, variant = _architecture(platform.architecture, platform.variant)
    features = tuple(sorted(set(platform.os_features))) if platform.os_features else platform.os_features
    return msgspec.structs.replace(
        platform, os=_system(platform.os), architecture=architecture, variant=variant, os_features=features
    )


def short_platform(platform: Platform) -> str:
    """Write a platform without the version of its system (``Format``)."""
    return join(platform.os, platform.architecture, platform.variant) if platform.os else "unknown"


def format_platform(platform: Platform) -> str:
    """Write a platform whole (``FormatAll``)."""
    if not platform.os:
        return "unknown"
    features = "+".join(map(_encoded, sorted({feature for feature in platform.os_features or () if feature})))
    options = _encoded(platform.os_version) + (f"+{features}" if features else "")
    return join(platform.os + (f"({options})" if options else ""), platform.architecture, platform.variant)


def _encoded(text: str) -> str:
    for plain, code in _ENCODED:
        text = text.replace(plain, code)
    return text
