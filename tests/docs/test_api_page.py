"""The page on the Python API has whatever a user of the library can get hold of."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

import cachegraph
from docs.tools.api import RESULTS, api_page

PAGE = api_page()
HEADINGS = re.findall(r"^#+ `(?:cg\.)?([\w.]+)", PAGE, re.MULTILINE)
RESULT_CLASSES = [(module, name) for module, names in RESULTS.items() for name in names]


def test_every_public_name_has_a_part() -> None:
    assert {name for name in cachegraph.__all__ if name != "__version__"} <= set(HEADINGS)


@pytest.mark.parametrize("of", [cachegraph.CacheGraph, cachegraph.Neo4jStore])
def test_every_method_is_there_those_of_bases_too(of: type) -> None:
    members = [name for name in dir(of) if not name.startswith("_") and callable(getattr(of, name))]
    assert "check" in members  # of a base
    assert {f"{of.__name__}.{member}" for member in members} <= set(HEADINGS)


def test_what_the_functions_give_is_described() -> None:
    returned = r"^\*Returns\*\n\n- \[?`(?:(?:tuple|list) of |[\w.]+\.)?([A-Z]\w+)`"
    given = set(re.findall(returned, PAGE, re.MULTILINE))
    assert {"Prediction", "Findings", "BuildRecord", "Drawing"} <= given
    assert given - {"DataFrame", "Figure", "MultiDiGraph", "Path"} <= set(HEADINGS)


@pytest.mark.parametrize(("module", "name"), RESULT_CLASSES)
def test_each_is_where_the_page_says_and_says_what_it_is(module: str, name: str) -> None:
    part = PAGE.split(f"\n### `{name}`\n", 1)[1].split("\n### ", 1)[0]
    assert part.lstrip().startswith(f"`{module}`")
    first = (getattr(import_module(module), name).__doc__ or "").split("\n")[0].rstrip(".")
    assert first.replace("``", "`") in part


def test_no_part_is_there_twice() -> None:
    assert sorted(HEADINGS) == sorted(set(HEADINGS))
