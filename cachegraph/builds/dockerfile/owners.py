"""Owners and modes that COPY, ADD and WORKDIR set (``client/llb``: ``WithUser``; ``dchapes-mode``)."""

from __future__ import annotations

import re

from cachegraph.builds import llb
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import parse_int

__all__ = ["has_name", "owner", "parse_mode"]

_CLAUSE = r"[ugoa]*(?:[+\-=][rstwXxugo]*)+"
_SYMBOLIC = re.compile(rf"{_CLAUSE}(?:,{_CLAUSE})*")
_HIGHEST = 0o7777


def _number(text: str) -> int | None:
    return 0 if text == "root" else parse_int(text, bits=32, signed=True)


def _user(text: str, base: int) -> llb.UserOpt:
    number = _number(text)
    if number is not None:
        return llb.UserOpt(user=llb.User(by_id=number & 0xFFFFFFFF))
    if not text:
        return llb.UserOpt(user=llb.User(by_id=0))
    if base < 0:
        raise DockerfileError(f"invalid user index {base}: {text} is looked up in /etc/passwd, and scratch has none")
    return llb.UserOpt(user=llb.User(by_name=llb.NamedUser(name=text, input=base)))


def owner(text: str, base: int) -> llb.Owner:
    """Read ``user[:group]``.

    Parameters
    ----------
    text : str
    base : int
        The input whose ``/etc/passwd`` names are looked up in; -1 for none.

    Raises
    ------
    DockerfileError
        A name, and nothing to look it up in.
    """
    user, colon, group = text.partition(":")
    return llb.Owner(user=_user(user, base), group=_user(group, base) if colon and group else None)


def has_name(text: str) -> bool:
    """Tell whether an owner is given by name."""
    user, _, group = text.partition(":")
    return any(part and _number(part) is None for part in (user, group))


def parse_mode(text: str) -> tuple[int, str]:
    """Read a mode: its number, or 0 and the text of a symbolic one.

    Raises
    ------
    DockerfileError
    """
    number = parse_int(text, 8, bits=32)
    if number is not None and number <= _HIGHEST:
        return number, ""
    if number is not None or not _SYMBOLIC.fullmatch(text):
        raise DockerfileError(
            f"invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777",
            hint='or symbolic, as in "u+x,g=r"',
        )
    return 0, text
