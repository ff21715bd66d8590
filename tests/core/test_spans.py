"""Where the layers of one result stand in another's, one letter a layer."""

from __future__ import annotations

import pytest

from cachegraph.core.spans import Span, locate


@pytest.mark.parametrize(
    ("part", "whole", "expected", "span"),
    [
        ("ab", "abc", 0, Span("prefix", 0, 2)),
        ("abc", "abc", 0, Span("prefix", 0, 3)),
        ("bc", "abc", 0, Span("subset", 1, 3)),
        ("c", "abc", 2, Span("subset", 2, 3)),
        # In order and not together: from the first to behind the last.
        ("ac", "abc", 0, Span("scattered", 0, 3)),
        ("ac", "xabcx", 0, Span("scattered", 1, 4)),
        ("aa", "abac", 0, Span("scattered", 0, 3)),
        ("abd", "abcd", 0, Span("scattered", 0, 4)),
        # Not all of it, not in this order, not as often, too long.
        ("ad", "abc", 0, Span("absent", 0, 0)),
        ("ba", "abc", 0, Span("absent", 0, 0)),
        ("aa", "abc", 0, Span("absent", 0, 0)),
        ("abcd", "abc", 0, Span("absent", 0, 0)),
        # Of several places the first from the expected one on, else the first of all.
        ("a", "aba", 0, Span("prefix", 0, 1)),
        ("a", "aba", 1, Span("subset", 2, 3)),
        ("a", "abaa", 1, Span("subset", 2, 3)),
        ("a", "aba", 2, Span("subset", 2, 3)),
        ("a", "abab", 3, Span("prefix", 0, 1)),
        ("ab", "abab", 3, Span("prefix", 0, 2)),
        # Nothing is found where it is expected, unless that is beyond the end.
        ("", "ab", 0, Span("prefix", 0, 0)),
        ("", "ab", 2, Span("subset", 2, 2)),
        ("", "ab", 3, Span("prefix", 0, 0)),
    ],
)
def test_where_layers_stand(part: str, whole: str, expected: int, span: Span) -> None:
    assert locate(part, whole, expected) == span


def test_without_a_word_they_are_expected_at_the_bottom() -> None:
    assert locate("a", "aa") == Span("prefix", 0, 1)
