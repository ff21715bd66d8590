"""Cache strings, against what buildx 0.38.2 made of them."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachegraph.errors import SpecError
from cachegraph.loaders.specs import CacheEntry, read_cache_entries

CASES = Path(__file__).parent.parent / "data" / "buildx-specs.jsonl.xz"


def cases() -> Iterator[Any]:
    """Strings, the environment that they were read in if any, and buildx's entries or error."""
    with lzma.open(CASES, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def read(text: str, environment: dict[str, str] | None) -> tuple[list[Any], str | None]:
    """Read a string; give entries as JSON, or the error's words."""
    try:
        entries = read_cache_entries(text, environment)
    except SpecError as error:
        return [], error.message
    return [{"type": entry.type, "attrs": dict(entry.attrs)} for entry in entries], None


def test_every_string_is_read_as_buildx_reads_it() -> None:
    read_so_far = 0
    for case in cases():
        assert read(case["input"], case.get("env")) == (case["entries"], case["error"]), case["input"]
        read_so_far += 1
    assert read_so_far == 460


@pytest.mark.parametrize(
    ("text", "attrs"),
    [
        ("type=gha, scope=web", {" scope": "web"}),  # a blank makes another key of it
        ("type=gha,scope=a,SCOPE=b", {"scope": "b"}),  # the last wins
        ('type=gha,"scope=a,b"', {"scope": "a,b"}),
        ("type=gha,mod=max", {"mod": "max"}),  # no key is unknown here
        ("type=gha,scope=", {"scope": ""}),
    ],
)
def test_what_people_get_wrong(text: str, attrs: dict[str, str]) -> None:
    assert read_cache_entries(text) == [CacheEntry(type="gha", attrs=attrs)]


def test_nothing_is_nothing() -> None:
    assert read_cache_entries("") == []


def test_github_entries_without_the_runners_variables_vanish() -> None:
    assert read_cache_entries("type=gha", {}) == []
    runner = {"ACTIONS_RUNTIME_TOKEN": "t", "ACTIONS_RESULTS_URL": "https://results/", "ACTIONS_CACHE_SERVICE_V2": "1"}
    (entry,) = read_cache_entries("type=gha", runner)
    assert entry.attrs == {"token": "t", "url_v2": "https://results/", "url": "https://results/"}


def test_keys_are_lowered_letter_for_letter() -> None:
    (entry,) = read_cache_entries(
        "type=x,\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}D=1,\N{GREEK CAPITAL LETTER SIGMA}=2"
    )
    assert set(entry.attrs) == {"id", "\N{GREEK SMALL LETTER SIGMA}"}


FIELD = st.from_regex(r"\A[a-z]{1,5}=[a-zA-Z0-9 ./:-]{0,9}\Z")


@given(st.lists(FIELD, max_size=5))
def test_fields_come_back_as_given(fields: list[str]) -> None:
    (entry,) = read_cache_entries(",".join(["type=local", *(f"x{field}" for field in fields)]))
    assert entry.attrs == dict(f"x{field}".split("=", 1) for field in fields)


@given(st.text())
def test_any_text_gives_entries_or_buildx_words(text: str) -> None:
    entries, error = read(text, None)
    assert error is None or entries == []
    assert all(entry["type"] for entry in entries)
