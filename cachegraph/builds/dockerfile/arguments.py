"""The ARGs that hold for the whole file: automatic ones, and those above the first FROM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cachegraph.builds import llb
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import parse_int
from cachegraph.builds.dockerfile.platforms import format_platform, short_platform
from cachegraph.builds.dockerfile.shell import Lexer

__all__ = ["EPOCH", "automatic", "declare", "settle_epoch"]

EPOCH = "SOURCE_DATE_EPOCH"


def automatic(builder: llb.Platform, target: llb.Platform, stage: str, given: Mapping[str, str]) -> dict[str, str]:
    """Give the ARGs that BuildKit sets (``defaultArgs``).

    Parameters
    ----------
    builder, target : llb.Platform
    stage : str
        The stage that is built.
    given : mapping of str to str
        Build arguments, which take their place.
    """
    values = {
        "BUILDPLATFORM": short_platform(builder),
        "BUILDOS": builder.os,
        "BUILDOSVERSION": builder.os_version,
        "BUILDARCH": builder.architecture,
        "BUILDVARIANT": builder.variant,
        "TARGETPLATFORM": format_platform(target),
        "TARGETOS": target.os,
        "TARGETOSVERSION": target.os_version,
        "TARGETARCH": target.architecture,
        "TARGETVARIANT": target.variant,
        "TARGETSTAGE": stage or "default",
    }
    return {name: given.get(name, value) for name, value in values.items()}


def declare(
    instructions: Iterable[read.Arg], arguments: Mapping[str, str], given: Mapping[str, str], lexer: Lexer
) -> dict[str, str]:
    """Add the ARGs above the first FROM (``buildMetaArgs``).

    Raises
    ------
    DockerfileError
        A default value that cannot be substituted.
    """
    found = dict(arguments)
    for instruction in instructions:
        for declaration in instruction.declarations:
            value = given.get(declaration.name)
            if value is None and declaration.value is not None:
                try:
                    value = lexer.expand(declaration.value, found).text
                except DockerfileError as error:
                    raise error.at(instruction.place.start) from None
            if value is not None:
                found.pop(declaration.name, None)
                found[declaration.name] = value
    return found


def settle_epoch(arguments: dict[str, str], given: dict[str, str]) -> tuple[int | None, str]:
    """Read SOURCE_DATE_EPOCH, which WORKDIR writes into its key, and write it as BuildKit does.

    Parameters
    ----------
    arguments, given : dict of str to str
        ARGs of the file, and build arguments; both are changed.

    Returns
    -------
    tuple of (int or None, str)
        Its seconds; and the name of a source that has the time, if it is one.
    """
    value = given.get(EPOCH)
    if value is None:
        value = arguments.get(EPOCH) or None
    if value is None:
        return None, ""
    seconds = parse_int(value, signed=True) if value else None
    for values in (given, arguments):
        if EPOCH in values and seconds is None:
            del values[EPOCH]
        elif EPOCH in values:
            values[EPOCH] = str(seconds)
    return seconds, value if seconds is None else ""
