"""Go's timestamps: RFC 3339 text to nanoseconds since 1970 and back to a sort order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from cachegraph.core.gotime import go_nanoseconds
from cachegraph.core.model import ZERO_TIME

__all__ = ["UNKNOWN", "check_times", "known", "known_times", "parse_times", "rfc3339"]

UNKNOWN = -(2**63)
"""Stands for Go's zero time: nobody knows when. Sorts before every real time."""

# One scan over all texts together tells whether every one has the form that BuildKit writes, of a day that there is.
_DAY = (
    r"(?:(?:19[7-9]\d|20\d\d|21\d\d)-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8]))|(?:2000|(?:19|20|21)(?:0[48]|[2468][048]|[13579][26]))-02-29)"
)
_ZULU = rf"{_DAY}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{{1,9}})?Z"
_USUAL = re.compile(rf"(?:(?:{_ZULU}|{ZERO_TIME})\n)*", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN_EPOCH = _EPOCH.replace(tzinfo=None)
_LIMIT = 2**63 - 1


def check_times(texts: Sequence[str]) -> None:
    """Find out whether Go's ``time.Time.UnmarshalJSON`` reads all of these.

    Parameters
    ----------
    texts : sequence of str

    Raises
    ------
    ValueError
        A text is not an RFC 3339 time; ``args`` are its position and the text.
    """
    if not _are_usual(texts):
        parse_times(texts)


def parse_times(texts: Sequence[str]) -> list[int]:
    """Read timestamps as Go's ``time.Time.UnmarshalJSON`` does.

    Parameters
    ----------
    texts : sequence of str
        RFC 3339, such as ``2026-11-23T20:36:09.594874001Z``.

    Returns
    -------
    list of int, length texts
        Nanoseconds since 1970-01-01 UTC, held to 64 bits; `UNKNOWN` for Go's zero time.

    Raises
    ------
    ValueError
        A text is not an RFC 3339 time; ``args`` are its position and the text.
    """
    if _are_usual(texts):
        return [UNKNOWN if text == ZERO_TIME else _parse_usual(text) for text in texts]
    return [_parse_time(position, text) for position, text in enumerate(texts)]


def _are_usual(texts: Sequence[str]) -> bool:
    return _USUAL.fullmatch("\n".join([*texts, ""]) if texts else "") is not None


def _parse_usual(text: str) -> int:
    since, fraction = datetime.fromisoformat(text[:19]) - _PLAIN_EPOCH, text[20:-1]
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + (int(fraction.ljust(9, "0")) if fraction else 0)


def _parse_time(position: int, text: str) -> int:
    """Read one timestamp, whatever its offset or century, as leniently as Go does."""
    nanoseconds = go_nanoseconds(text)
    if nanoseconds is None:
        raise ValueError(position, text)
    return UNKNOWN if nanoseconds == _ZERO else max(UNKNOWN + 1, min(_LIMIT, nanoseconds))


def known(ns: int) -> int | None:
    """Give a time as every view has it: None for an unknown one, and for one that 64 bits of nanoseconds cannot hold.

    Parameters
    ----------
    ns : int
        As `parse_times` gives it.
    """
    return ns if UNKNOWN + 1 < ns < _LIMIT else None


def known_times(texts: Iterable[str | None]) -> list[int | None]:
    """Read times that nobody has checked, such as those of an image's history, as `known` does.

    Parameters
    ----------
    texts : iterable of str or None
    """
    read: dict[str | None, int | None] = {None: None}
    found = []
    for text in texts:
        if text is not None and text not in read:
            try:
                read[text] = known(parse_times([text])[0])
            except ValueError:
                read[text] = None
        found.append(read[text])
    return found


def rfc3339(ns: int) -> str:
    """Write nanoseconds since 1970 as Go does: UTC, without the zeros at the end.

    Parameters
    ----------
    ns : int

    Examples
    --------
    >>> rfc3339(1_795_466_169_594_874_000)
    '2026-11-23T20:36:09.594874Z'
    """
    seconds, rest = divmod(ns, 1_000_000_000)
    text = f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{rest:09d}".rstrip("0").rstrip(".") + "Z"


_ZERO = go_nanoseconds(ZERO_TIME)
