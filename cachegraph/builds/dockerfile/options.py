"""The options of a build as the Dockerfile frontend reads them (BuildKit ``frontend/dockerui/config.go``, ``attr.go``).

They are ``buildctl build --opt NAME=VALUE``; ``docker buildx build`` makes them of its own flags.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cachegraph.builds.dockerfile.errors import BuildOptionError, DockerfileError
from cachegraph.builds.dockerfile.gotext import parse_bool, parse_int
from cachegraph.builds.dockerfile.mounts import csv_fields
from cachegraph.builds.dockerfile.platforms import default_platform, normalize, parse_platform
from cachegraph.builds.llb import HostIP, Platform, Ulimit

__all__ = ["BuildOptions", "read_options"]

_NETWORKS = {"": 0, "sandbox": 0, "host": 1, "none": 2}
_RESOLVE_MODES = frozenset({"", "default", "pull", "local"})
_ULIMITS = frozenset({
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
    "rttime", "sigpending", "stack",
})  # fmt: skip
_LIMITS: Mapping[str, tuple[int, bool]] = {
    "memory": (1, True), "memswap": (-1, True), "cpushares": (1, False), "cpuperiod": (1, False), "cpuquota": (1, True),
}  # fmt: skip
_CPUSET = re.compile(r"[0-9, -]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What a build was asked for.

    Attributes
    ----------
    target : str
        Empty for the last stage.
    platforms : tuple of Platform
        Empty where none was asked for: the builder's own is built then.
    builder : Platform
        The builder's own platform.
    build_args : mapping of str to str
    contexts : mapping of str to str
        Named contexts by name, such as ``docker-image://alpine:3``.
    filename : str
    check : str or None
        Replaces the directive ``# check=``.
    syntax : str or None
        Another frontend that ``BUILDKIT_SYNTAX`` asks for.
    no_cache : tuple of str or None
        Stages that are to run again; empty for all of them, None for none.
    """

    target: str = ""
    platforms: tuple[Platform, ...] = ()
    builder: Platform = field(default_factory=default_platform)
    build_args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    context: str = ""
    context_subdir: str | None = None
    filename: str = "Dockerfile"
    hostname: str = ""
    network: int = 0
    extra_hosts: tuple[HostIP, ...] = ()
    ulimits: tuple[Ulimit, ...] = ()
    shm_size: int = 0
    cgroup_parent: str = ""
    cache_namespace: str = ""
    check: str | None = None
    syntax: str | None = None
    no_cache: tuple[str, ...] | None = None
    multi_platform: bool = False
    keep_git_dir: bool = False
    git_advice: bool = False
    resolve_mode: str = ""

    def is_no_cache(self, stage: str) -> bool:
        """Tell whether a stage runs again whatever is cached."""
        if self.no_cache is None:
            return False
        return not self.no_cache or stage.lower() in (name.lower() for name in self.no_cache)


def read_options(options: Mapping[str, str], builder: Platform | None = None) -> BuildOptions:
    """Read frontend options.

    Parameters
    ----------
    options : mapping of str to str
        Such as ``{"build-arg:VERSION": "1", "platform": "linux/arm64"}``. Names that the frontend does not know are
        ignored, as it ignores them.
    builder : Platform, optional
        The builder's own platform; by default this machine's.

    Raises
    ------
    BuildOptionError
        A value that BuildKit refuses.
    """
    builder = builder or default_platform()
    arguments = _below(options, "build-arg:")
    _refuse_removed(options)
    try:
        platforms = (
            tuple(normalize(parse_platform(text)) for text in options["platform"].split(","))
            if options.get("platform")
            else ()
        )
    except DockerfileError as error:
        raise BuildOptionError(f"platform={options['platform']}: {error.reason}", hint=error.hint) from None
    network = options.get("force-network-mode", "")
    if network not in _NETWORKS:
        raise BuildOptionError(f"force-network-mode={network}: it is one of none, host, sandbox")
    mode = options.get("image-resolve-mode", "")
    if mode not in _RESOLVE_MODES:
        raise BuildOptionError(f"image-resolve-mode={mode}: it is one of default, pull, local")
    _check_limits(options)
    no_cache = options.get("no-cache")
    return BuildOptions(
        target=options.get("target", ""),
        platforms=platforms,
        builder=normalize(builder),
        build_args=arguments,
        contexts=_below(options, "context:"),
        context=options.get(options.get("contextkey", "context"), ""),
        context_subdir=options.get("contextsubdir"),
        filename=options.get("filename", "Dockerfile"),
        hostname=arguments.get("BUILDKIT_SANDBOX_HOSTNAME") or options.get("hostname", ""),
        network=_NETWORKS[network],
        extra_hosts=_hosts(options.get("add-hosts", "")),
        ulimits=_ulimits(options.get("ulimit", "")),
        shm_size=max(_whole(options, "shm-size"), 0),
        cgroup_parent=options.get("cgroup-parent", ""),
        cache_namespace=arguments.get("BUILDKIT_CACHE_MOUNT_NS", ""),
        check=arguments.get("BUILDKIT_DOCKERFILE_CHECK"),
        syntax=arguments.get("BUILDKIT_SYNTAX") if "cmdline" not in options else None,
        no_cache=None if no_cache is None else tuple(no_cache.split(",")) if no_cache else (),
        multi_platform=_multi_platform(options, arguments, len(platforms)),
        keep_git_dir=parse_bool(arguments.get("BUILDKIT_CONTEXT_KEEP_GIT_DIR", "")) or False,
        git_advice=_switch(arguments, "BUILDKIT_GIT_ADVICE"),
        resolve_mode=mode,
    )


def _below(options: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in options.items() if name.startswith(prefix)}


def _refuse_removed(options: Mapping[str, str]) -> None:
    if options.get("override-copy-image") or parse_bool(options.get("build-arg:BUILDKIT_DISABLE_FILEOP", "")):
        raise BuildOptionError(
            "override-copy-image and BUILDKIT_DISABLE_FILEOP were removed in BuildKit 0.11", hint="leave them out"
        )


def _switch(values: Mapping[str, str], name: str) -> bool:
    value = values.get(name, "")
    found = parse_bool(value) if value else False
    if found is None:
        raise BuildOptionError(f"{name}={value}: neither true nor false")
    return found


def _multi_platform(options: Mapping[str, str], arguments: Mapping[str, str], platforms: int) -> bool:
    asked = arguments.get("BUILDKIT_MULTI_PLATFORM") or options.get("multi-platform", "")
    if not asked:
        return platforms > 1
    wanted = _switch({"multi-platform": asked}, "multi-platform")
    if not wanted and platforms > 1:
        raise BuildOptionError("multi-platform=false with several platforms: returning them is not allowed")
    return wanted


def _whole(options: Mapping[str, str], name: str) -> int:
    text = options.get(name, "")
    number = parse_int(text, signed=True) if text else 0
    if number is None:
        raise BuildOptionError(f"{name}={text}: no whole number")
    return number


def _check_limits(options: Mapping[str, str]) -> None:
    """Refuse what BuildKit refuses of the resource limits, which are in no key."""
    for name, (least, signed) in _LIMITS.items():
        text = options.get(name, "")
        number = parse_int(text, signed=signed) if text else 1
        if number is None or number < least or not number:
            raise BuildOptionError(f"invalid {name} value: {text}")
    for name in ("cpusetcpus", "cpusetmems"):
        if options.get(name) and not _CPUSET.fullmatch(options[name]):
            raise BuildOptionError(f"invalid {name} value: {options[name]}")


def _fields(name: str, text: str) -> list[str]:
    try:
        return csv_fields(text) if text else []
    except DockerfileError as error:
        raise BuildOptionError(f"{name}={text}: {error.reason}") from None


def _hosts(text: str) -> tuple[HostIP, ...]:
    hosts = []
    for entry in _fields("add-hosts", text):
        name, equals, address = entry.lower().partition("=")
        try:
            parsed = ipaddress.ip_address(address if "%" not in address else "")
        except ValueError:
            parsed = None
        if not equals or parsed is None:
            raise BuildOptionError(f"add-hosts={entry}: write HOST=ADDRESS")
        hosts.append(HostIP(host=name, ip=str(getattr(parsed, "ipv4_mapped", None) or parsed)))
    return tuple(hosts)


def _ulimits(text: str) -> tuple[Ulimit, ...]:
    limits = []
    for entry in _fields("ulimit", text):
        name, equals, values = entry.partition("=")
        numbers = [parse_int(value, signed=True) for value in values.split(":")]
        soft, hard = numbers[0], numbers[-1]
        if not equals or name not in _ULIMITS or len(numbers) > 2 or soft is None or hard is None:
            raise BuildOptionError(f"ulimit={entry}: write NAME=SOFT[:HARD]")
        if hard != -1 and (soft == -1 or soft > hard):
            raise BuildOptionError(f"ulimit={entry}: the soft limit must not exceed the hard one")
        limits.append(Ulimit(name=name, soft=soft, hard=hard))
    return tuple(limits)
