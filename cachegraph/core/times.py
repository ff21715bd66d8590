"""Go's timestamps: RFC 3339 text to nanoseconds since 1970 and back to a sort order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cachegraph.core.model import ZERO_TIME

__all__ = ["UNKNOWN", "parse_times"]

UNKNOWN = np.iinfo(np.int64).min
"""Stands for Go's zero time: nobody knows when. Sorts before every real time."""

# One scan over all texts together tells whether every one has the form that BuildKit writes.
_ZULU = r"(?:19[7-9]\d|20\d\d|21\d\d)-(?:0\d|1[0-2])-[0-3]\d[T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z"
_USUAL = re.compile(rf"(?:(?:{_ZULU}|{ZERO_TIME})\n)*")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_LIMIT = 2**63 - 1


def parse_times(texts: Sequence[str]) -> NDArray[np.int64]:
    """Read timestamps as Go's ``time.Time.UnmarshalJSON`` does.

    Parameters
    ----------
    texts : sequence of str
        RFC 3339, such as ``2026-11-23T20:36:09.594874001Z``.

    Returns
    -------
    numpy.ndarray of int64, shape (len(texts),)
        Nanoseconds since 1970-01-01 UTC, `UNKNOWN` for Go's zero time.

    Raises
    ------
    ValueError
        A text is no RFC 3339 time; ``args`` are its position and the text.
    """
    if _USUAL.fullmatch("\n".join([*texts, ""]) if texts else ""):
        plain = ["NaT" if text == ZERO_TIME else text[:-1] for text in texts]
        try:
            return np.array(plain, dtype="datetime64[ns]").astype(np.int64)
        except ValueError:
            pass  # a 31st of February: the careful way names it
    return np.array([_parse_time(position, text) for position, text in enumerate(texts)], dtype=np.int64)


def _parse_time(position: int, text: str) -> int:
    """Read one timestamp, whatever its offset or century."""
    match = _RFC3339.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        moment = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
        since = moment - _EPOCH
    except (ValueError, OverflowError):
        raise ValueError(position, text) from None
    seconds = since.days * 86_400 + since.seconds
    nanoseconds = seconds * 1_000_000_000 + int((match[2] or "0")[:9].ljust(9, "0"))
    if moment.year == 1 and nanoseconds == int(_ZERO_NANOSECONDS):
        return int(UNKNOWN)
    return max(int(UNKNOWN) + 1, min(_LIMIT, nanoseconds))


_ZERO_NANOSECONDS = (datetime.fromisoformat("0001-01-01T00:00:00+00:00") - _EPOCH).days * 86_400 * 1_000_000_000
