"""``--chmod`` in symbols, as github.com/tonistiigi/dchapes-mode reads it: BSD's ``setmode``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from cachegraph.errors import UsageError

__all__ = ["symbolic_mode"]

_ALL, _STICKY = 0o6777, 0o1000
_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o0007, "a": _ALL}
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111}
_SHIFT = {"u": 6, "g": 3, "o": 0}
_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=][rstwxXugo]*)+)\Z")
_STEP = re.compile(r"([-+=])([rstwxXugo]*)")

Change = Callable[[int, int, bool], int]
"""Takes the mode so far, the mode at first, and whether it is a folder's."""


@lru_cache(maxsize=64)
def symbolic_mode(text: str) -> Callable[[int, bool], int]:
    """Read a mode such as ``u=rwX,go-w``.

    Returns
    -------
    callable
        Takes a mode (permission bits with set-id and sticky) and whether it is a folder's; gives the new mode.

    Raises
    ------
    UsageError
        BuildKit does not understand it either.
    """
    changes: list[Change] = []
    for clause in text.split(","):
        found = _CLAUSE.match(clause)
        if not found:
            raise UsageError(f"--chmod={text}: {clause!r} is no mode", hint="write 755, or symbols such as u=rwX,go=rX")
        who = 0
        for letter in found[1]:
            who |= _WHO[letter]
        for sign, letters in _STEP.findall(found[2]):
            changes.extend(_step(who, sign, letters))

    def apply(mode: int, is_folder: bool) -> int:
        first = mode
        for change in changes:
            mode = change(mode, first, is_folder)
        return mode

    return apply


def _step(who: int, sign: str, letters: str) -> list[Change]:
    """Turn a sign and the letters behind it into changes, in BSD's order."""
    changes: list[Change] = []
    bits = extra = 0
    done = sign != "="
    for letter in letters:
        if letter in _BITS:
            bits |= _BITS[letter]
        elif letter in "st":
            if who == 0 or who & ~0o7:
                bits |= 0o6000 if letter == "s" else _STICKY
                who |= _STICKY if letter == "t" else 0
        elif letter == "X":
            extra, bits = (0o111, bits) if sign != "-" else (extra, bits | 0o111)
        else:
            changes += _plain(who, sign, bits) if bits else []
            changes += _execute(who, extra) if extra else []
            changes.append(_copied(who, sign, letter))
            bits = extra = 0
            done = True
    changes += _plain(who, sign, bits) if bits or not done else []
    return changes + (_execute(who, extra) if extra else [])


def _plain(who: int, sign: str, bits: int) -> list[Change]:
    """Set, add or take away bits."""
    chosen, cleared = bits & (who or 0o7777), who or _ALL
    if sign == "-":
        return [lambda mode, _first, _folder: mode & ~chosen]
    add: Change = lambda mode, _first, _folder: mode | chosen  # noqa: E731 - beside its sibling
    return [lambda mode, _first, _folder: mode & ~cleared, add] if sign == "=" else [add]


def _execute(who: int, bits: int) -> list[Change]:
    """Add ``X``: only where something could be executed at first, or to a folder."""
    chosen = bits & (who or 0o7777)
    return [lambda mode, first, folder: mode | chosen if first & 0o111 or folder else mode]


def _copied(who: int, sign: str, letter: str) -> Change:
    """Copy what one class may do to others."""
    to = [shift for name, shift in _SHIFT.items() if who == 0 or who & 0o777 & _WHO[name]]

    def change(mode: int, _first: int, _folder: bool) -> int:
        value = mode >> _SHIFT[letter] & 0o7
        for shift in to:
            if sign != "+":
                mode &= ~((0o7 if sign == "=" else value) << shift)
            if sign != "-":
                mode |= value << shift
        return mode

    return change
