"""Texts in pieces: what can be the same, and what certainly is."""

from __future__ import annotations

import pytest

from cachegraph.lint.holes import Holes, without_holes
from cachegraph.lint.values import Place, Unknown, Value

HERE = Place(file="ci.yml", line=3, path="jobs.a")


def value(text: str) -> Value:
    """Make a value; ``<NAME>`` is unknown."""
    parts: list[str | Unknown] = []
    for piece in text.replace(">", "<").split("<"):
        known = len(parts) % 2 == 0
        parts.append(piece if known else Unknown(name=piece, exact=piece, reason=f"{piece} is not set"))
    return Value(parts=tuple(part for part in parts if part != ""), place=HERE)


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("", "", True),
        ("app:<T>", "app:x", True),
        ("app:<T>", "app:", True),
        ("app:<T>-x", "app:-x", True),
        ("app:<T>-x", "app:x", False),
        ("app:<T>", "other:x", False),
        ("<A>", "anything", True),
        ("a<A>", "b<A>", False),
        ("a<A>", "ab<B>", True),
        ("<A>x", "<B>y", False),
        ("<A>yx", "<B>x", True),
        ("aba<T>aba", "ababa", False),  # the ends may not overlap
    ],
)
def test_what_can_be_the_same(one: str, other: str, may: bool) -> None:
    assert value(one).may_equal(value(other)) is may
    assert value(other).may_equal(value(one)) is may


def test_what_certainly_is_the_same() -> None:
    assert value("app:<T>").identity == value("app:<T>").identity
    assert value("app:<T>").identity != value("app:<U>").identity
    assert value("app:T").identity != value("app:<T>").identity
    assert value("").identity == ()


def test_what_a_value_says_of_itself() -> None:
    partial = value("app:<T>")
    assert (partial.text, partial.pattern, partial.is_known) == (None, "app:*", False)
    assert partial.reason == "T is not set"
    assert [unknown.name for unknown in partial.unknowns] == ["T"]
    assert value("").is_empty
    assert value("x").text == "x"
    assert "app" not in repr(partial)  # it may be a credential
    assert str(HERE) == "ci.yml:3: jobs.a"


def test_a_file_cannot_hold_a_hole() -> None:
    holes = Holes()
    hole = holes.hole("TAG", "it is not set")
    assert holes.hole("TAG", "it is not set") == hole
    assert holes.hole("TAG", "for another reason") != hole
    assert without_holes(f"a{hole}b\U0010fffd") == "a\ufffdb\ufffd"
    assert holes.value(f"a{hole}b", HERE).pattern == "a*b"
    assert holes.shown(f"[ {hole} = x ]") == "[ <TAG> = x ]"
