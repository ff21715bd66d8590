"""Go's timestamps."""

from __future__ import annotations

import pytest

from cachegraph.core.times import UNKNOWN, known, known_times, parse_times, rfc3339


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
        # Offsets to the west, of minutes, and the largest that Go takes.
        ("1970-01-01T00:00:00-01:00", 3_600_000_000_000),
        ("1969-12-31T22:30:00-01:30", 0),
        ("1970-01-01T01:30:00+01:30", 0),
        ("1970-01-02T01:00:00+24:60", 0),
        ("1969-12-31T00:00:00-24:00", 0),
        # Digits behind the ninth are dropped, missing ones are zeros.
        ("1970-01-01T00:00:00.0000000019Z", 1),
        ("1970-01-01T00:00:00.01Z", 10_000_000),
        ("1970-01-01T01:01:01Z", 3_661_000_000_000),
        ("1970-02-03T00:00:00Z", 33 * 86_400_000_000_000),
        ("1971-01-01T00:00:00Z", 365 * 86_400_000_000_000),
        # What 64 bits of nanoseconds hold, to the last one; beyond, the nearest.
        ("2262-04-11T23:47:16.854775806Z", 2**63 - 2),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
        ("2262-04-11T23:47:16.854775808Z", 2**63 - 1),
        ("1677-09-21T00:12:43.145224194Z", UNKNOWN + 2),
        ("1677-09-21T00:12:43.145224193Z", UNKNOWN + 1),
        ("1677-09-21T00:12:43.145224192Z", UNKNOWN + 1),
        ("0001-01-01T00:00:00.000000001Z", UNKNOWN + 1),
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
        "2026-01-01T00:00:00-25:00",
        "2026-01-01T00:00:00+00:61",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:60Z",
        "2026-02-29T00:00:00Z",
        "0000-02-30T00:00:00Z",
        "2026-01-01t00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00.\u0661Z",
    ],
)
def test_what_go_does_not_read(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_times(["1970-01-01T00:00:00Z", text])
    assert caught.value.args == (1, text)


def test_a_day_that_is_not_there_is_named_among_usual_times() -> None:
    """All have the form that BuildKit writes, so that only the careful way finds it."""
    with pytest.raises(ValueError) as caught:
        parse_times(["2026-02-28T00:00:00Z", "2026-01-31T00:00:00.5Z", "2026-02-31T00:00:00Z"])
    assert caught.value.args == (2, "2026-02-31T00:00:00Z")


def test_many_at_once_are_read_as_one_by_one() -> None:
    texts = ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2199-12-31T23:59:59.123456789Z", "1999-09-09T19:09:59.1Z"]
    alone = [int(parse_times([text, "1970-01-01T00:00:00+00:00"])[0]) for text in texts]
    assert list(parse_times(texts)) == alone


def test_unknown_times_and_those_out_of_range_are_none() -> None:
    assert [known(ns) for ns in (UNKNOWN, UNKNOWN + 1, UNKNOWN + 2)] == [None, None, UNKNOWN + 2]
    assert [known(ns) for ns in (0, 2**63 - 2, 2**63 - 1)] == [0, 2**63 - 2, None]


def test_times_that_nobody_has_checked() -> None:
    texts = ["1970-01-01T00:00:01Z", None, "yesterday", "0001-01-01T00:00:00Z", "1970-01-01T00:00:01Z", "yesterday"]
    assert known_times(texts) == [1_000_000_000, None, None, None, 1_000_000_000, None]
    assert known_times([]) == []


@pytest.mark.parametrize(
    "text", ["1970-01-01T00:00:00Z", "2026-11-23T20:36:09.594874001Z", "1969-12-31T23:59:59.5Z", "2026-01-01T00:00:10Z"]
)
def test_times_are_written_as_go_does(text: str) -> None:
    assert rfc3339(parse_times([text])[0]) == text
