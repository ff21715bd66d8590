"""Every question has its twin in Cypher, with the same columns and severity, made of the question but for its body."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cachegraph.queries import library
from cachegraph.queries.base import Query
from cachegraph.queries.catalogue import QUERIES
from cachegraph.queries.severity import SEVERITIES, As, MoreThan, OneOf, Severities
from docs.tools.twins import FOLDER, body, columns, twin

NAMES = [query.name for query in QUERIES]
_BY_NAME = {query.name: query for query in QUERIES}
every_question = pytest.mark.parametrize("query", QUERIES, ids=NAMES)


@every_question
def test_the_file_is_what_the_question_makes_of_its_body(query: Query[Any]) -> None:
    text = (FOLDER / f"{query.name}.cypher").read_text("utf-8")
    assert text == query.cypher == twin(query, text)
    assert twin(query, body(text)) == text


@every_question
def test_columns_and_severity_are_the_questions(query: Query[Any]) -> None:
    file = library.library()[query.name]
    wanted = {name for name in query.columns if name not in ("query", "message")}
    assert set(file.columns) == wanted
    returned = file.text.rpartition("\nRETURN ")[2].partition("\nORDER BY")[0]
    after_severity = returned.partition("severity,")[2]
    named = [item.rpartition(" AS ")[2].strip() for item in after_severity.split(",")]
    assert ["severity", *named] == list(file.columns)
    assert file.severity == query.severity
    assert (file.title, file.question) == (query.heading, query.title)


@every_question
def test_the_body_names_every_column(query: Query[Any]) -> None:
    last = re.split(r"^WITH ", body(query.cypher), flags=re.MULTILINE)[-1]
    named = set(re.findall(r"(?:AS |^|, |\n *)(\w+)(?=,|\n|$)", last))
    tested = {
        test.field for _, *tests in query.severities.rules for test in tests if isinstance(test, OneOf | MoreThan)
    }
    assert set(columns(query)) - {"severity", "export"} | tested | set(query.order) <= named


def possible(severities: Severities) -> set[str]:
    """All severities that a finding can have."""
    last = SEVERITIES if isinstance(severities.otherwise, As) else (severities.otherwise,)
    return {severity for severity, *_ in severities.rules} | set(last)


@every_question
def test_the_words_on_severity_name_those_that_can_be(query: Query[Any]) -> None:
    assert {word for word in SEVERITIES if re.search(rf"\b{word}\b", query.severity)} == possible(query.severities)


@pytest.mark.parametrize("name", library.library(pure=True))
def test_a_cross_check_promises_the_same(name: str) -> None:
    read, searched = library.library()[name], library.library(pure=True)[name]
    assert list(searched.columns) == list(read.columns)
    named = set(re.findall("'(error|warning|note)'", searched.text))
    assert name not in NAMES or named == possible(_BY_NAME[name].severities)


def test_severities_are_judged_in_order_and_an_unknown_field_passes_none() -> None:
    severities = Severities(
        ("error", MoreThan("bytes", "limit")),
        ("warning", MoreThan("bytes", "limit", share=0.8), OneOf("kind", "a", "b")),
        otherwise="note",
    )
    judged = [
        severities.of(bytes=size, limit=limit, kind=kind)
        for size, limit, kind in ((11, 10, "c"), (10, 10, "a"), (9, 10, "c"), (8, 10, "a"), (99, None, "a"))
    ]
    assert judged == ["error", "warning", "note", "note", "note"]
    assert severities.cypher.splitlines()[1:-1] == [
        "  WHEN bytes > limit THEN 'error'",
        "  WHEN bytes > 0.8 * limit AND kind IN ['a', 'b'] THEN 'warning'",
        "  ELSE 'note'",
    ]
    assert Severities(otherwise=As("severity")).of(severity="warning") == "warning"
