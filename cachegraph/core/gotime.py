"""One timestamp as Go's ``time.Time`` reads it from JSON: RFC 3339, a little leniently."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["go_nanoseconds", "is_time"]

_RFC3339 = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)T(?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d+))?(?:Z|(?P<sign>[+-])(?P<off_hour>\d\d):(?P<off_minute>\d\d))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_time(text: str) -> bool:
    """Tell whether Go reads a text as a time."""
    return go_nanoseconds(text) is not None


def go_nanoseconds(text: str) -> int | None:
    """Give the nanoseconds since 1970-01-01 UTC, whatever the offset or century; None for what is no time."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    part = {name: int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")}
    offset = timedelta(hours=int(match["off_hour"] or 0), minutes=int(match["off_minute"] or 0))
    if int(match["off_hour"] or 0) > 24 or int(match["off_minute"] or 0) > 60:
        return None
    leap = 0 if part["year"] else 4  # Python knows no year 0, which is a leap year
    try:
        moment = datetime(**(part | {"year": part["year"] + leap}), tzinfo=UTC)
    except ValueError:
        return None
    since = moment - _EPOCH - (-offset if match["sign"] == "-" else offset) - timedelta(days=1461 if leap else 0)
    fraction = int((match["fraction"] or "")[:9].ljust(9, "0"))
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + fraction
