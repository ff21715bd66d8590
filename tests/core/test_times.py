"""Go's timestamps."""

from __future__ import annotations

import pytest

from cachegraph.core.times import UNKNOWN, parse_times


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("2026-11-23T20:36:09.594874001Z", 1_795_466_169_594_874_001),
        ("2026-11-23T21:36:09.594874001+01:00", 1_795_466_169_594_874_001),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("0001-01-01T00:00:00Z", UNKNOWN),
        ("0001-01-01T01:00:00+01:00", UNKNOWN),
        ("9999-12-31T00:00:00Z", 2**63 - 1),
        # Go's own parser is lenient, and encoding/json goes by it.
        ("1970-01-01T1:00:00Z", 3_600_000_000_000),
        ("1970-01-01T00:00:00,5Z", 500_000_000),
        ("1970-01-02T00:00:00+24:00", 0),
        ("0000-02-29T00:00:00Z", UNKNOWN + 1),
    ],
)
def test_nanoseconds_since_1970(text: str, nanoseconds: int) -> None:
    assert parse_times([text]) == [nanoseconds]
    # The quick way reads all at once, the careful way one by one: one odd text sends all through the second.
    assert parse_times([text, "1970-01-01T00:00:00+00:00"]) == [nanoseconds, 0]


def test_nothing_gives_nothing() -> None:
    assert parse_times([]) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23 20:36:09Z",
        "2026-13-01T00:00:00Z",
        "now",
        "2026-01-01T00:00:00+25:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00.\u0661Z",
    ],
)
def test_what_go_does_not_read(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_times(["1970-01-01T00:00:00Z", text])
    assert caught.value.args == (1, text)
