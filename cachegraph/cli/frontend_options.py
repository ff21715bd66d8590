"""What ``docker buildx build`` makes of its options for the Dockerfile frontend (buildx ``build/opt.go``).

::

    --no-cache                    no-cache=
    --no-cache-filter a,b         no-cache=a,b
    --network none                force-network-mode=none
    --add-host db=10.0.0.1        add-hosts=db=10.0.0.1
    --shm-size 64m                shm-size=67108864
    --ulimit nofile=1024:2048     ulimit=nofile=1024:2048
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cachegraph.builds.dockerfile.quantities import parse_size
from cachegraph.errors import UsageError

__all__ = ["frontend_options"]


def frontend_options(
    *,
    no_cache: bool = False,
    no_cache_filter: Sequence[str] = (),
    network: str = "",
    hosts: Sequence[str] = (),
    shm_size: str = "",
    ulimits: Sequence[str] = (),
) -> Mapping[str, str]:
    """Give the frontend's options.

    Parameters
    ----------
    no_cache : bool
    no_cache_filter : sequence of str
        Names of stages.
    network : str
    hosts : sequence of str
        ``NAME=ADDRESS`` or ``NAME:ADDRESS``.
    shm_size : str
        Bytes, with a unit such as ``64m``.
    ulimits : sequence of str
        ``NAME=SOFT[:HARD]``.

    Raises
    ------
    UsageError
        What buildx refuses, or what only the builder knows (``host-gateway``).
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
        found["add-hosts"] = ",".join(_host(text) for text in hosts)
    if shm_size:
        size = parse_size(shm_size)
        if size is None:
            raise UsageError(f"shm-size {shm_size}: no size", hint="write bytes, or a number with a unit such as 64m")
        found |= {"shm-size": str(size)} if size > 0 else {}
    if ulimits:
        found["ulimit"] = ",".join(ulimits)
    return found


def _host(text: str) -> str:
    name, equals, address = text.partition("=")
    if not equals:
        name, _, address = text.partition(":")
    if address == "host-gateway":
        raise UsageError(f"host {text}: only the builder knows its gateway", hint="write its address")
    return f"{name}={address.removeprefix('[').removesuffix(']')}"
