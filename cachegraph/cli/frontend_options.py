"""What ``docker buildx build`` makes of its options for the Dockerfile frontend.

::

    --no-cache                    no-cache=
    --no-cache-filter a,b         no-cache=a,b
    --network none                force-network-mode=none
    --add-host db=10.0.0.1        add-hosts=db=10.0.0.1
    --shm-size 64m                shm-size=67108864
    --ulimit nofile=1024          ulimit=nofile=1024:1024
    --cgroup-parent ci            cgroup-parent=ci

Source: buildx v0.38.2, ``build/opt.go`` (``toSolveOpt``), ``build/utils.go`` (``toBuildkitExtraHosts``,
``toBuildkitUlimits``), ``commands/build.go`` (both of ``--no-cache`` and its filter); docker/cli ``opts/ulimit.go``
(``UlimitOpt``), docker/go-units ``ulimit.go`` (``ParseUlimit``). What ``--resource`` says is in no key
(``addResourceLimits``, ``pb.LinuxResources``), and ``--pull`` only decides how images are looked up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cachegraph.builds.dockerfile.gotext import parse_int
from cachegraph.builds.dockerfile.quantities import parse_size
from cachegraph.errors import UsageError

__all__ = ["frontend_options"]

_GATEWAY = "host-gateway"
_ANY_ADDRESS = "127.0.0.1"
"""Stands for the gateway that only the builder knows: names of hosts are in a RUN's key, their addresses are not."""
_ULIMITS = frozenset(
    {
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    }
)


def frontend_options(
    *,
    no_cache: bool = False,
    no_cache_filter: Sequence[str] = (),
    network: str = "",
    hosts: Sequence[str] = (),
    shm_size: str = "",
    ulimits: Sequence[str] = (),
    cgroup_parent: str = "",
) -> Mapping[str, str]:
    """Give the frontend's options.

    Parameters
    ----------
    no_cache : bool
    no_cache_filter : sequence of str
        Names of stages.
    network : str
    hosts : sequence of str
        ``NAME=ADDRESS[,ADDRESS..]`` or ``NAME:ADDRESS``; ``host-gateway`` is an address.
    shm_size : str
        Bytes, with a unit such as ``64m``.
    ulimits : sequence of str
        ``NAME=SOFT[:HARD]``; of several for one name the last one counts.
    cgroup_parent : str

    Raises
    ------
    UsageError
        What buildx refuses.
    """
    found: dict[str, str] = {}
    if no_cache and no_cache_filter:
        raise UsageError("no-cache and no-cache-filter are both given", hint="leave out one of them")
    if no_cache or no_cache_filter:
        found["no-cache"] = ",".join(no_cache_filter)
    if network in ("host", "none"):
        found["force-network-mode"] = network
    elif network not in ("", "default"):
        raise UsageError(f"network {network}: BuildKit has none but default, host and none")
    if hosts:
        found["add-hosts"] = ",".join(entry for text in hosts for entry in _hosts(text))
    if shm_size:
        size = parse_size(shm_size)
        if size is None:
            raise UsageError(f"shm-size {shm_size}: no size", hint="write bytes, or a number with a unit such as 64m")
        found |= {"shm-size": str(size)} if size > 0 else {}
    if ulimits:
        found["ulimit"] = ",".join(_ulimits(ulimits))
    if cgroup_parent:
        found["cgroup-parent"] = cgroup_parent
    return found


def _hosts(text: str) -> Iterator[str]:
    """Give a host's name with each of its addresses."""
    name, equals, addresses = text.partition("=")
    if not equals:
        name, _, addresses = text.partition(":")
    if addresses == _GATEWAY:
        addresses = _ANY_ADDRESS
    if not name or not addresses:
        raise UsageError(f"host {text}: no host with its address", hint="write it as db=10.0.0.1")
    for address in addresses.split(","):
        bare = address[1:-1] if len(address) > 2 and address[0] == "[" and address[-1] == "]" else address
        if not _is_address(bare):
            raise UsageError(f"host {text}: {bare!r} is no IP address", hint="write it as db=10.0.0.1")
        yield f"{name}={bare}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # Go takes no zone


def _ulimits(texts: Iterable[str]) -> list[str]:
    """Sort limits by name, and write out the hard ones."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, limits = text.partition("=")
        numbers = [parse_int(number, signed=True) for number in limits.split(":")]
        if not equals or name not in _ULIMITS or len(numbers) > 2 or None in numbers:
            raise UsageError(f"ulimit {text}: no limit", hint="write NAME=SOFT[:HARD], such as nofile=1024:2048")
        soft, hard = numbers[0] or 0, numbers[-1] or 0
        if hard != -1 and (soft == -1 or soft > hard):
            raise UsageError(f"ulimit {text}: the soft limit is greater than the hard one")
        found[name] = f"{name}={soft}:{hard}"
    return [found[name] for name in sorted(found)]
