"""GitHub's expressions where some of what they ask for is not known."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from cachegraph.errors import DecodeError
from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.expressions import Expressions
from cachegraph.lint.github import Scope
from cachegraph.lint.holes import Holes, as_text
from cachegraph.lint.session import Session, Surroundings
from cachegraph.lint.values import Place
from cachegraph.loaders.limits import DEFAULT


def scope(*events: str, branches: tuple[str, ...] = ()) -> Scope:
    session = Session(None, Surroundings(repository="acme/app", default_branch="main"), DEFAULT)
    return Scope(
        session=session,
        budget=ExpansionBudget("ci.yml", DEFAULT),
        events=events,
        branches=branches,
        env={"A": "one", "EMPTY": ""},
        inputs={"flag": True, "text": "x"},
        inputs_are_whole=True,
        is_called=True,
        matrix={"v": 3.0, "deep": {"list": ["p", "q"]}},
        runs_on="ubuntu-24.04-arm",
    )


def evaluated(source: str, *events: str) -> str:
    """Work out an expression; what is not known is a star."""
    where = scope(*events)
    expressions = where.expressions()
    return where.session.holes.value(as_text(expressions.evaluate(source)), Place(file="")).pattern


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'it''s'", "it's"),
        ("1 == 1.0", "true"),
        ("0x10", "16"),
        ("'A' == 'a'", "true"),
        ("'1' == 1", "true"),
        ("null == ''", "true"),
        ("1 < 2 && 'yes' || 'no'", "yes"),
        ("'' && 'yes' || 'no'", "no"),
        ("!env.EMPTY", "true"),
        ("env.a", ""),  # names of variables have their case
        ("env.A", "one"),
        ("env['A']", "one"),
        ("inputs.flag && 'f'", "f"),
        ("matrix.v", "3"),
        ("matrix.deep.list[1]", "q"),
        ("matrix.nothing", ""),
        ("format('{0}-{1}-{{}}', env.A, github.sha)", "one-*-{}"),
        ("join(matrix.deep.list, '/')", "p/q"),
        ("contains(fromJSON('[\"a\", \"B\"]'), 'b')", "true"),
        ("contains('abc', 'B')", "true"),
        ("startsWith('refs/tags/v1', 'refs/tags/')", "true"),
        ("endsWith('a.b', '.c')", "false"),
        ('fromJSON(\'{"a": {"b": 7}}\').a.b', "7"),
        ("toJSON(fromJSON('[1]'))", "[\n  1\n]"),
        ("github.repository", "acme/app"),
        ("github.event.repository.name", "app"),
        ("github.ref_name == github.ref_name", "true"),
        ("runner.os", "Linux"),
        ("runner.arch", "ARM64"),
        ("secrets.X", "*"),
        ("hashFiles('**/lock')", "*"),
        ("github.sha || 'x'", "*"),
        ("a b", "*"),
        ("(", "*"),
        ("", "*"),
        ("fromJSON('{')", "*"),
        ("format('{9}', 'a')", "*"),
    ],
)
def test_an_expression(source: str, expected: str) -> None:
    assert evaluated(source) == expected


@pytest.mark.parametrize(
    ("source", "events", "expected"),
    [
        ("github.event_name", ("push",), "push"),
        ("github.event_name", ("push", "pull_request"), "*"),
        ("github.ref", ("pull_request",), "refs/pull/*/merge"),
        ("github.head_ref", ("push", "schedule"), ""),
        ("github.head_ref || github.ref_name", ("push",), "*"),
        ("github.event.pull_request.number", ("push",), ""),
        ("startsWith(github.ref, 'refs/tags/')", ("pull_request",), "false"),
        ("github.ref == 'refs/heads/main'", ("pull_request",), "false"),
    ],
)
def test_what_an_event_tells(source: str, events: tuple[str, ...], expected: str) -> None:
    assert evaluated(source, *events) == expected


@pytest.mark.parametrize(
    ("source", "never", "default_branch_only"),
    [
        ("github.event_name == 'push'", {"pull_request"}, False),
        ("github.event_name != 'pull_request'", {"pull_request"}, False),
        ("github.ref == 'refs/heads/main'", {"pull_request"}, True),
        ("github.ref_name == 'main' && github.event_name == 'push'", {"pull_request"}, True),
        ("github.ref == 'refs/heads/other'", {"pull_request"}, False),
        ("github.ref == format('refs/heads/{0}', github.event.repository.default_branch)", {"pull_request"}, True),
        ("startsWith(github.ref, 'refs/tags/')", {"pull_request"}, False),
        ("github.event.pull_request.head.repo.fork == false", set(), False),
        ("github.event_name == 'push' || github.actor == 'x'", set(), False),
        ("always()", set(), False),
        ("failure()", set(), False),
        ("${{ !(github.event_name == 'push') }}", {"push"}, False),
    ],
)
def test_where_a_condition_cannot_hold(source: str, never: set[str], default_branch_only: bool) -> None:
    condition = scope("push", "pull_request").expressions().condition(source)
    assert condition.never == never
    assert condition.default_branch_only is default_branch_only


def test_the_choices_of_an_expression() -> None:
    where = scope("push", "pull_request")
    expressions = where.expressions()
    source = "github.event_name == 'push' && 'a' || github.actor == 'bot' && 'b' || 'c'"
    (unknown,) = where.session.holes.value(as_text(expressions.evaluate(source)), Place(file="")).unknowns
    assert [(choice.parts, choice.when.text, set(choice.when.never)) for choice in unknown.choices] == [
        (("a",), "github.event_name == 'push'", {"pull_request"}),
        (("b",), "!(github.event_name == 'push') && github.actor == 'bot'", {"push"}),
        (("c",), "!(github.event_name == 'push') && !(github.actor == 'bot')", {"push"}),
    ]


def test_an_input_that_is_one_of_two() -> None:
    where = scope("push", "pull_request")
    text = where.expressions().fill("mode=${{ github.ref == 'refs/heads/main' && 'max' || 'min' }}")
    (_, unknown) = where.session.holes.value(text, Place(file="")).parts
    assert not isinstance(unknown, str)
    assert [choice.parts for choice in unknown.choices] == [("max",), ("min",)]
    assert unknown.reason == "${{ github.ref.. }} is known only while the workflow runs"


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000,
        "!" * 5000 + "a",
        "a" + ".b" * 5000,
        "a && " * 3000 + "a",
        " || ".join(f"github.ref == 'r{n}' && 'v{n}'" for n in range(300)),
        "'" * 20_001,
        "format('" + "{0}" * 2000 + "', '" + "x" * 5000 + "')",
        "fromJSON('" + "[" * 10_000 + "')",
        "a[" * 3000,
        "contains(" * 2000,
    ],
)
def test_hostile_expressions(source: str) -> None:
    began = time.process_time()
    holes = Holes()
    budget = ExpansionBudget("x", DEFAULT)
    expressions = Expressions(holes, budget, lambda path: holes.hole(".".join(path), "it is not known"))
    with suppress(DecodeError):  # it makes more text than is allowed
        expressions.evaluate(source)
    assert time.process_time() - began < 5
