"""Ignore files: which one counts, and how its lines are read."""

from __future__ import annotations

import contextlib

import pytest

from cachegraph.builds.content.gomatch import BadPatternError
from cachegraph.builds.content.ignore import IgnoreFile, find_ignore_file, parse_ignore
from cachegraph.builds.content.patterns import compile_patterns
from cachegraph.errors import DecodeError
from tests.builds.content.trees import Layout, folder


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        (b"a\n b \n\nc", ("a", "b", "c")),
        (b"#no\n #yes\n\\#z", ("#yes", "\\#z")),
        (b"/x\n./x\nx/\n//x\na/../x\n/", ("x", "x", "x", "x", "x", "/")),
        (b"!/a\n! b\n!", ("!a", "!b", "!")),
        (b"\xef\xbb\xbfa\r\nb\r\n", ("a", "b")),
        (b"", ()),
    ],
)
def test_lines(text: bytes, patterns: tuple[str, ...]) -> None:
    assert parse_ignore(text) == patterns


def test_a_line_that_is_too_long_is_named() -> None:
    with pytest.raises(DecodeError, match=r"^\.dockerignore:2: the line has 65536 bytes, BuildKit takes at most 65535"):
        parse_ignore(b"a\n" + b"x" * 65536)


@pytest.mark.parametrize(
    ("layout", "name", "found"),
    [
        ({".dockerignore": b"a"}, "Dockerfile", IgnoreFile(name=".dockerignore", patterns=("a",))),
        (
            {".dockerignore": b"a", "Dockerfile.dockerignore": b"b"},
            "Dockerfile",
            IgnoreFile(name="Dockerfile.dockerignore", patterns=("b",)),
        ),
        (
            {".dockerignore": b"a", "Dockerfile.dockerignore": b"b"},
            "",
            IgnoreFile(name=".dockerignore", patterns=("a",)),
        ),
        ({".dockerignore": "d/i", "d": {"i": b"a"}}, "", IgnoreFile(name=".dockerignore", patterns=("a",))),
        ({".dockerignore": {}}, "", IgnoreFile()),
        ({}, "Dockerfile", IgnoreFile()),
    ],
)
def test_which_file_counts(layout: Layout, name: str, found: IgnoreFile) -> None:
    assert find_ignore_file(folder(layout), name=name) == found


def test_a_lone_exclamation_mark_is_refused() -> None:
    with pytest.raises(BadPatternError, match='pattern "!": it names nothing'):
        compile_patterns(("a", "!"))


@pytest.mark.parametrize(
    ("pattern", "path", "matched"),
    [
        ("a", "a", True),
        ("a", "b/a", False),
        ("**/a", "b/c/a", True),
        ("**/a", "a", True),
        ("**/a", "ba", False),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("**", "x/y", True),
        ("*.md", "x.md", True),
        ("*.md", "d/x.md", False),
        ("**/*.test.*", "d/x.test.js", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("a.b", "axb", False),
        ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False),
        ("**/x/**/y*", "1/x/2/3/yz", True),
        ("**/x/**/y*", "1/x/2/3/zy", False),
        ("a*b*c*d*e", "a1b2c3d4e", True),
        ("a*b*c*d*e", "a1b2c3d4", False),
    ],
)
def test_patterns(pattern: str, path: str, matched: bool) -> None:
    assert compile_patterns((pattern,)).match(path, (False,))[0] is matched


def test_the_last_pattern_that_matches_decides() -> None:
    patterns = compile_patterns(("d", "!d/keep", "d/keep/not"))
    assert not patterns.match("d/keep/x")[0]
    assert patterns.match("d/keep/not")[0]
    assert patterns.match("d/other")[0]


@pytest.mark.timeout(10)
@pytest.mark.parametrize("pattern", ["*a" * 40 + "b", "**/*a/" * 30 + "b", "**/a*b*c" * 3, "?*" * 100])
def test_many_wildcards_end_soon(pattern: str) -> None:
    matched: bool | None = None
    with contextlib.suppress(BadPatternError):
        matched = compile_patterns((pattern,)).match("a" * 250 + "/" + "a" * 250, (False,))[0]
    assert not matched


def test_more_wildcards_than_can_be_matched_are_named() -> None:
    with pytest.raises(BadPatternError, match="too many wildcards"):
        compile_patterns(("**/*a**/*b**/*c",)).match("a", (False,))
