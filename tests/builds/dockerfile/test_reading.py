"""How the text of a Dockerfile becomes instructions: lines, words, heredocs, substitution."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.lines import read_nodes
from cachegraph.builds.dockerfile.patterns import replace, trim_prefix, trim_suffix
from cachegraph.builds.dockerfile.shell import Lexer


def lines(text: str) -> list[tuple[int, int, str, tuple[str, ...]]]:
    """Where each instruction starts and ends, its keyword, and its words."""
    return [(node.start, node.end, node.keyword, node.arguments.words) for node in read_nodes(text.encode()).nodes]


def test_lines_are_joined_and_comments_within_them_are_dropped() -> None:
    assert lines("FROM a\nRUN one \\\n# not this\n\n  two\n") == [
        (1, 1, "from", ("a",)),
        (2, 5, "run", ("one   two",)),
    ]


def test_another_escape_character() -> None:
    assert lines("# escape=`\nFROM a\nRUN dir c:\\ `\n  x\n")[1] == (3, 4, "run", ("dir c:\\   x",))


@pytest.mark.parametrize(
    ("marker", "body", "expands", "chomps"),
    [
        ("<<E", "\tone $A\nE\n", True, False),
        ("<<'E'", "\tone $A\nE\n", False, False),
        ("<<-E", "\tone\n\tE\n", True, True),
        ('<<"E"', "# no comment\nFROM b\nE\n", False, False),
    ],
)
def test_a_heredoc_keeps_its_text_and_how_it_was_written(marker: str, body: str, expands: bool, chomps: bool) -> None:
    *_, node = read_nodes(f"FROM a\nRUN {marker}\n{body}".encode()).nodes
    (heredoc,) = node.heredocs
    assert (heredoc.mark.name, heredoc.mark.expands, heredoc.mark.chomps) == ("E", expands, chomps)
    assert heredoc.text == body[: body.rindex("E")].removesuffix("\t")
    assert node.end == 2 + body.count("\n")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("FROM a\nRUN <<E\nx\n", 2, "unterminated heredoc"),
        ("FROM a\nENV A\n", 2, "ENV must have two arguments"),
        ("\n\n", 0, "file with no instructions"),
    ],
)
def test_what_cannot_be_read_says_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(DockerfileError, match=reason) as raised:
        read_nodes(text.encode())
    assert raised.value.line == line


VARIABLES = {"A": "foo.bar.gz", "EMPTY": "", "PAIR": "x y"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$A-${A}", "foo.bar.gz-foo.bar.gz"),
        ("$AA", ""),
        (r"\$A '$A' \"$A\"", '$A $A "foo.bar.gz"'),
        ("${NONE:-x$A}", "xfoo.bar.gz"),
        ("${EMPTY:-x}|${EMPTY-x}", "x|"),
        ("${A:+y}|${EMPTY:+y}|${EMPTY+y}|${NONE+y}", "y||y|"),
        ("${A#*.}|${A##*.}", "bar.gz|gz"),
        ("${A%.*}|${A%%.*}", "foo.bar|foo"),
        ("${A/o/0}|${A//o/0}", "f0o.bar.gz|f00.bar.gz"),
        ('"$PAIR"', "x y"),
    ],
)
def test_substitution(text: str, result: str) -> None:
    assert Lexer().expand(text, VARIABLES).text == result


def test_substitution_tells_words_and_what_was_looked_up() -> None:
    expanded = Lexer().expand('$PAIR "$PAIR" $NONE', VARIABLES)
    assert expanded.words == ("x", "y", "x y")
    assert (set(expanded.found), set(expanded.missing)) == ({"PAIR"}, {"NONE"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${NONE:?say so}", "NONE: say so"),
        ("${EMPTY:?}", "EMPTY: is not allowed to be empty"),
        ("${A", "unsupported modifier"),
        ("${A^}", "unsupported modifier"),
        ("'x", "unexpected end of statement"),
    ],
)
def test_substitution_that_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DockerfileError, match=re.escape(reason)):
        Lexer().expand(text, VARIABLES)


GLOBS = st.text("ab*?", max_size=6)
VALUES = st.text("ab.\n", max_size=8)


def as_regex(glob: str, *, greedy: bool) -> str:
    star = ".*" if greedy else ".*?"
    return "".join(star if one == "*" else "." if one == "?" else re.escape(one) for one in glob)


@given(GLOBS, VALUES, st.booleans())
def test_prefixes_and_suffixes_are_those_of_a_regular_expression(glob: str, value: str, greedy: bool) -> None:
    prefix = re.match(as_regex(glob, greedy=greedy), value)
    assert trim_prefix(glob, value, greedy=greedy) == (value[prefix.end() :] if prefix else value)
    suffix = re.match(as_regex(glob[::-1], greedy=greedy), value[::-1])
    assert trim_suffix(glob, value, greedy=greedy) == (value[: len(value) - suffix.end()] if suffix else value)


@given(GLOBS, VALUES)
def test_the_first_match_is_replaced(glob: str, value: str) -> None:
    found = re.search(as_regex(glob, greedy=True), value)
    expected = value if found is None else f"{value[: found.start()]}-{value[found.end() :]}"
    assert replace(glob, "-", value, everywhere=False) == expected
