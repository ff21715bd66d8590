"""Durations, sizes, signals and ports, which a Dockerfile may get wrong (Go's ``time``, ``docker/go-units``, ...)."""

from __future__ import annotations

import ipaddress
import math
import re

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import parse_int

__all__ = ["check_duration", "check_port", "check_signal", "parse_size"]

_DURATION_PART = re.compile(r"([0-9]*)(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = (1 << 63) / 1e9
_SIZES = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE = re.compile(r"(?P<number>.*?[0-9. ])(?P<unit>[^0-9. ]*)\Z", re.DOTALL)
_GO_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_PROTOCOLS = frozenset({"", "tcp", "udp", "sctp"})
_LAST_PORT = 65535


def check_duration(name: str, text: str) -> None:
    """Refuse what ``time.ParseDuration`` refuses, and what is shorter than a millisecond.

    Raises
    ------
    DockerfileError
    """
    if not text:
        return
    unsigned = text[1:] if text[0] in "+-" else text
    seconds = 0.0
    place = 0
    while place < len(unsigned):
        part = _DURATION_PART.match(unsigned, place)
        if part is None or not (part[1] or len(part[2] or "") > 1):
            break
        seconds += float(f"{part[1] or '0'}{part[2] or ''}") * _UNITS[part[3]]
        place = part.end()
    if unsigned != "0" and (not unsigned or place < len(unsigned) or seconds >= _LONGEST):
        raise DockerfileError(f'invalid duration "{text}" of --{name}', hint='write it as in "1m30s"')
    seconds = -seconds if text.startswith("-") else seconds
    if seconds and seconds < 1e-3:
        raise DockerfileError(f'Interval "{name}" cannot be less than 1ms')


def parse_size(text: str) -> int | None:
    """Mirror ``units.RAMInBytes``; None for what it refuses."""
    match = _SIZE.match(text)
    if match is None:
        return None
    number, unit = match["number"], match["unit"].lower()
    number = number.removesuffix(" ")
    if not _GO_FLOAT.match(number) or number.startswith("-") or len(unit) > 3:
        return None
    size = float(number)
    if unit not in ("", "b"):
        power = _SIZES.get(unit[0])
        if power is None or unit[1:] not in ("", "b", "ib"):
            return None
        size *= 1024.0**power
    return int(size) if math.isfinite(size) and size < 1 << 63 else None


def check_signal(name: str) -> None:
    """Refuse what is no signal of Linux (``moby/sys/signal``).

    Raises
    ------
    DockerfileError
    """
    number = parse_int(name, signed=True)
    if number is not None:
        if number:
            return
        raise DockerfileError(f"invalid signal: {name}")
    short = name.upper().removeprefix("SIG")
    real_time = re.fullmatch(r"RTMIN(?:\+([0-9]+))?|RTMAX(?:-([0-9]+))?", short)
    if real_time is not None:
        offset = real_time[1] or real_time[2]
        if offset is None or (offset[0] != "0" and int(offset[:3]) < (16 if real_time[1] else 15)):
            return
    elif short in _SIGNALS:
        return
    raise DockerfileError(f"invalid signal: {name}")


_SIGNALS = frozenset({
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
    "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
    "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
})  # fmt: skip


def check_port(text: str) -> None:
    """Refuse what EXPOSE does not take: ``[[address:]port:]port[-port][/protocol]``.

    Raises
    ------
    DockerfileError
    """
    *before, inside = text.split(":")
    address, host = (":".join(before[:-1]), before[-1]) if before else ("", "")
    port, _, protocol = inside.partition("/")
    if not port or protocol.lower() not in _PROTOCOLS:
        raise DockerfileError(f'invalid port: "{text}"', hint="write it as in 80 or 8000-8010/udp")
    _check_address(address)
    first, last = _port_range(port, "containerPort")
    if host:
        low, high = _port_range(host, "hostPort")
        if first != last and high - low != last - first:
            raise DockerfileError(f"invalid ranges specified for container and host Ports: {port} and {host}")


def _check_address(address: str) -> None:
    if not address:
        return
    bare = "%" if "%" in address else address[1:-1] if address.startswith("[") and address.endswith("]") else address
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        raise DockerfileError(f"invalid IP address: {address}") from None


def _port_range(text: str, what: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    first = parse_int(start, signed=True)
    last = parse_int(end, signed=True) if dash and start != end else first
    if first is None or last is None or not 0 <= first <= last <= _LAST_PORT:
        raise DockerfileError(f"invalid {what}: {text}")
    return first, last
