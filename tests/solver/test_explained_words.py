"""A table of all sentences in words: what changed in each case whose source is there, by plaintexts of that source.

The keys of both sources are computed; what is known of a digest is what was hashed to it. So a line that names a thing
names what the build really took, and content that a RUN made stays a slot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import cachegraph as cg
from cachegraph.core.model import Name, Names, Op
from cachegraph.solver.explain import explain
from cachegraph.solver.meanings import Meaning
from cachegraph.solver.source_meanings import source_meanings
from tests.solver.conftest import read

TABLE = Path(__file__).with_name("explanations-in-words.txt")
BASES = Path(__file__).parents[1] / "data" / "dockerfiles" / "bases"
CHANGES = {
    "arg": r"env (EARLY|LATE|MID|UNUSED|VERSION|E) ",
    "env": r"env NODE_ENV ",
    "base": r"the base image was .*, is now |another base image",
    "file": r"(^|\W)(f\d|[\w./-]+\.(txt|go|md|mod|ini|css|c|html|js|json|sh|conf)|test)(:| is new| is gone)",
    "text": r"the command was .*, is now ",
}
"""How the change that a case's name speaks of must be told."""


@pytest.mark.slow
def test_the_table_of_all_sentences_in_words(cases: list[dict[str, Any]]) -> None:
    said = [line for case in cases if case["source"] for line in lines(case)]
    assert said == TABLE.read_text("utf-8").splitlines()


def lines(case: dict[str, Any]) -> Iterator[str]:
    """What explain says of one case: a line for each cause, with what changed."""
    for cause in told(case):
        yield f"{case['name']} ({case['words']}): {cause.title}: {'; '.join(cause.details) or cause.sentence}"


def told(case: dict[str, Any]) -> tuple[Any, ...]:
    sources = [json.dumps(case[part]) for part in ("source_before", "source") if case[part]]
    known = {digest: meaning for source in sources for digest, meaning in meanings(source).items()}
    names = Names(
        records={digest: name_of(meaning) for digest, meaning in known.items() if not digest.startswith(MERGE)}
    )
    new, old = (cg.CacheGraph([read(case[part]).graphs[0].export], names) for part in ("after", "before"))
    return explain(new, old, meanings=known).causes


MERGE = "sha256:5dbfbafede47"
"""All merges of two inputs have this digest."""


def name_of(meaning: Meaning) -> Name:
    kinds: Mapping[str, Op] = {"run": "exec", "file": "file", "content": "content"}
    return Name(op=kinds.get(meaning.kind, "source"), name=meaning.title)


@cache
def meanings(source: str) -> dict[str, Meaning]:
    """What the keys of a source stand for."""
    found = json.loads(source)
    with TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        context.mkdir()
        for path, (text, mode, _) in found["files"].items():
            file = context / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            file.chmod(mode)
        for inside in context.rglob("*"):
            if inside.is_dir():
                inside.chmod(0o755)
        dockerfile = Path(folder) / "Dockerfile"
        dockerfile.write_text(found["df"])
        build = cg.build(
            context,
            dockerfile=dockerfile,
            target=found.get("target"),
            build_args=found.get("args"),
            secrets=list(found.get("secrets") or {}),
            images=str(BASES),
            builder="linux/amd64",
            offline=True,
        )
        assert build.work is not None
        return source_meanings([step.operation for step in build.steps], build.work.trees)


def test_the_thing_that_changed_is_named(cases: list[dict[str, Any]]) -> None:
    """Of every case whose name says what changed, the first cause names it."""
    expected = {
        r"run-text|user-run|last-run|run-(body|comment)|middle-run|run-changed": "text",
        r"args/(early|late|mid|unused)|arg-changed": "arg",
        r"env-changed": "env",
        r"base(-new|-config-only|-changed)?$|args/tag": "base",
        r"file-(added|removed|f\d)|changed$|readme|main-|dockerignore|mode-only|args/file": "file",
    }
    checked = 0
    for case in cases:
        kind = next((kind for pattern, kind in expected.items() if re.search(pattern, case["name"])), None)
        if kind is not None and case["source"] and case["source_before"] and (causes := told(case)):
            details = "\n".join(causes[0].details)
            assert re.search(CHANGES[kind], details, re.MULTILINE), (case["name"], details)
            checked += 1
    assert checked == 75
