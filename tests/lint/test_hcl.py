"""Expressions of bake files."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from cachegraph.errors import DecodeError
from cachegraph.lint.bake_sources import bake_source
from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.hcl import HclError, parse_hcl
from cachegraph.lint.hcl_types import UnresolvedError
from cachegraph.lint.hcl_values import Values
from cachegraph.lint.holes import Holes, has_hole
from cachegraph.lint.values import Place
from cachegraph.loaders.limits import DEFAULT

FILE = """
variable "TAG" { default = "v1.2" }
variable "UNSET" {}
variable "ON" { default = true }
variable "COUNT" { default = 3 }
variable "LIST" { default = ["a", "b"] }
variable "MAP" { default = { x = "1", "y" = "2", (TAG) : "3" } }
function "twice" {
  params = [v]
  result = "${v}${v}"
}
function "rest" {
  params          = []
  variadic_params = all
  result          = all
}
"""


def evaluated(expression: str, **environ: str) -> object:
    """Work out an expression; what is not known is a star."""
    source = bake_source("x.hcl", f"{FILE}\nvalue = {expression}\n", DEFAULT, is_json=False)
    holes = Holes()
    values = Values(holes, ExpansionBudget("x.hcl", DEFAULT), environ, source.variables, source.functions)
    value = values.variable("value")
    if isinstance(value, str) and has_hole(value):
        return holes.value(value, Place(file="x")).pattern
    return value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"a${TAG}b"', "av1.2b"),
        ('"$${TAG}"', "${TAG}"),
        (r'"a\"\\\n\u00e9"', 'a"\\\né'),
        ('"${ON}-${COUNT}"', "true-3"),
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3 - 10 / 4 % 2", 8.5),
        ("-COUNT < 0 && !false || false", True),
        ('TAG == "v1.2" ? "yes" : "no"', "yes"),
        ('COUNT == "3"', True),
        ("LIST[1]", "b"),
        ("MAP.x", "1"),
        ('MAP["v1.2"]', "3"),
        ("LIST[*]", ["a", "b"]),
        ('[for v in LIST : upper(v) if v != "a"]', ["B"]),
        ('[for i, v in LIST : "${i}${v}"]', ["0a", "1b"]),
        ('{ for k, v in { a = "1" } : v => k }', {"1": "a"}),
        ('{ for v in ["x", "x"] : v => 1... }', {"x": [1.0, 1.0]}),
        ("twice(TAG)", "v1.2v1.2"),
        ('rest("a", LIST...)', ["a", "a", "b"]),
        ('concat(LIST, ["c"], [])', ["a", "b", "c"]),
        ('flatten([LIST, [["c"]]])', ["a", "b", "c"]),
        ('compact(["", "a"])', ["a"]),
        ('distinct(["a", "b", "a"])', ["a", "b"]),
        ('join("-", LIST)', "a-b"),
        ('split("-", "a-b")', ["a", "b"]),
        ('formatlist("x:%s", LIST)', ["x:a", "x:b"]),
        ('format("%s-%d-%v%%", "a", 3, true)', "a-3-true%"),
        ('replace(TAG, ".", "-")', "v1-2"),
        ('regex_replace("a/b c", "[^a-z]", "-")', "a-b-c"),
        ('sanitize("a/b.c")', "a_b_c"),
        ('trimprefix("v1", "v")', "1"),
        ('substr("abcdef", -3, 2)', "de"),
        ("element(LIST, 3)", "b"),
        ('lookup(MAP, "none", "else")', "else"),
        ("keys(MAP)", ["v1.2", "x", "y"]),
        ("merge({ a = 1 }, { a = 2 })", {"a": 2.0}),
        ('coalesce(null, "a")', "a"),
        ("length(LIST)", 2.0),
        ("range(3)", [0.0, 1.0, 2.0]),
        ('setproduct(["a"], ["x", "y"])', [["a", "x"], ["a", "y"]]),
        ('zipmap(["k"], ["v"])', {"k": "v"}),
        ('jsondecode("{\\"a\\": 1}").a', 1),
        ('try(NOWHERE, "else")', "else"),
        ("can(NOWHERE)", False),
        ('equal("a", "a")', True),
        ('and(ON, notequal("a", "a"))', False),
        ('md5("a")', "0cc175b9c0f1b6a831c399e269772661"),
        ("<<EOT\na ${TAG}\nEOT\n", "a v1.2\n"),
        ("<<-EOT\n    a\n      b\n    EOT\n", "a\n  b\n"),
        ('"x-${UNSET}"', "x-*"),
        ('upper("x-${UNSET}")', "*"),
        ('format("%s-%s", TAG, UNSET)', "v1.2-*"),
        ('join("-", [TAG, UNSET])', "v1.2-*"),
        ('UNSET == "a" ? "x" : "x"', "x"),
        ('UNSET == "a" ? "x" : "y"', "*"),
        ('"p${UNSET}" == "q" ? "x" : "y"', "y"),
        ("timestamp()", "*"),
        ('unheard_of("a")', "*"),
        ("element([], 0)", "*"),
    ],
)
def test_an_expression(expression: str, expected: object) -> None:
    assert evaluated(expression) == expected


@pytest.mark.parametrize("expression", ["NOWHERE", "value", "1 / 0", "MAP.none", 'LIST ? "a" : "b"', "twice()"])
def test_what_bake_would_refuse(expression: str) -> None:
    with pytest.raises(UnresolvedError):
        evaluated(expression)


def test_the_environment_has_the_type_of_the_default() -> None:
    assert evaluated("ON ? 1 : 2", ON="0") == 2.0
    assert evaluated("COUNT + 1", COUNT="4") == 5.0
    assert evaluated("LIST", LIST="x,y") == ["x", "y"]
    assert evaluated("UNSET", UNSET="${TAG}") == "${TAG}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = ", 1),
        ('x "y" {\n', 2),
        ('a = "b\nc"', 1),
        ("a = [1,\n2", 2),
        ('a = "${"', 1),
        ("a = 1 b = 2", 1),
        ("\n\na b c = 1", 3),
        ('a = "\\q"', 1),
        ('a = "%{ if true }x%{ endif }"', 1),
        ("a = <<EOT\nnever ends", 1),
        ("/* never ends", 1),
    ],
)
def test_a_file_that_is_none(text: str, line: int) -> None:
    with pytest.raises(HclError) as caught:
        parse_hcl(text)
    assert caught.value.line == line


def test_lines_and_comments() -> None:
    body = parse_hcl('# one\n/* two\n three */ a = 1 // four\ntarget "x" "y" {\n  b = {\n    c = "d" }\n}\n')
    assert body.lines == {"a": 3}
    (block,) = body.blocks
    assert (block.kind, block.labels, block.line, block.body.lines) == ("target", ("x", "y"), 4, {"b": 5})
    assert [part.line for part in block.body.attributes["b"].parts] == [6, 6]


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 100_000,
        "x = " + "[" * 100_000,
        "x = " + "!" * 100_000 + "a",
        "x = " + "a." * 100_000 + "b",
        "x = " + "1 + " * 50_000 + "1",
        "x = " + '"${' * 20_000,
        "x = <<E\n" * 5000,
        "/*" * 100_000,
        "b {" * 50_000,
        'x = "' + "$" * 200_000 + '"',
    ],
)
def test_hostile_files(text: str) -> None:
    began = time.process_time()
    with suppress(DecodeError):
        parse_hcl(text)
    assert time.process_time() - began < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "expression",
    [
        "setproduct(range(1000), range(1000))",
        "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]",
        "concat(" + ", ".join(["range(1000)"] * 2000) + ")",
        'join("", [for a in range(1000) : join("", [for b in range(1000) : "xxxxxxxxxx"])])',
        'replace(replace("aaaaaaaaaa", "a", "' + "b" * 1000 + '"), "b", "' + "c" * 1000 + '")',
        'regex_replace("' + "a" * 5000 + '", "(a+)+$", "")',
        "1" + "0" * 5000,
        'substr("a", 1' + "0" * 400 + ", 1)",
        "range(0, 1e300, 1)",
        "chunklist([1, 2], 0)",
        'base64decode("!")',
    ],
)
def test_hostile_expressions(expression: str) -> None:
    began = time.process_time()
    with suppress(DecodeError, UnresolvedError):
        evaluated(expression)
    assert time.process_time() - began < 5
