"""A table of all sentences: what explain says of 139 real builds, and that it names only what changed.

The names are those that the build itself printed; of what was cached before, only what has the same digest has one. The
table is read by people: ``explanations.txt`` has a line for each cause, and says it as a user would read it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Name, Names, Op
from cachegraph.solver.causes import Explanation
from cachegraph.solver.explain import explain
from tests.solver.conftest import read

TABLE = Path(__file__).with_name("explanations.txt")
RANDOM = "nondeterministic/middle-run"


def names(case: dict[str, Any]) -> Names:
    """What the build printed of its steps."""
    found: dict[str, Name] = {}
    for step in case["steps"]:
        words = step["name"].split("] ", 1)[-1].removeprefix("LINK ").split(" ", 1)[0]
        kinds: dict[str, Op] = {"FROM": "source", "RUN": "exec", "COPY": "file", "ADD": "file", "WORKDIR": "file"}
        for digest in step["digests"]:
            if not digest.startswith("sha256:5dbfbafede47"):  # a merge: all of them have one digest
                found.setdefault(digest, Name(op=kinds.get(words, "unknown"), name=step["name"]))
    return Names(records=found)


def explained(case: dict[str, Any], export: str, *, named: bool = True) -> Explanation:
    known = names(case) if named else Names()
    new, old = (ExportGraph(read(case[part]).graphs[0].export, known) for part in (export, "before"))
    return explain([new], [old])


def lines(case: dict[str, Any]) -> list[str]:
    found = explained(case, "after")
    if not len(found):
        return [f"{case['name']} ({case['words']}): nothing ran that need not have"]
    return [
        f"{case['name']} ({case['words']}): {cause.sentence}"
        + "".join(f" [{detail}]" for detail in cause.details)
        + f" {cause.cost}."
        for cause in found.causes
    ]


def test_the_table_of_all_sentences(cases: list[dict[str, Any]]) -> None:
    said = [line for case in cases for line in lines(case)]
    assert said == TABLE.read_text("utf-8").splitlines()


@pytest.mark.parametrize("export", ["after", "cold"])
@pytest.mark.parametrize("named", [True, False])
def test_first_causes_are_those_of_the_build(cases: list[dict[str, Any]], export: str, *, named: bool) -> None:
    """Each cause begins with a step that BuildKit missed first, and each such step is a cause or belongs to one."""
    for case in cases:
        if case["name"] == RANDOM and export == "cold":
            continue
        found = explained(case, export, named=named)
        first = {digest for step in case["steps"] if step.get("first") for digest in step["digests"]}
        causes = {miss.digest for miss in found if miss.first}
        assert causes == first, case["name"]


def test_the_steps_of_all_causes_are_those_that_ran(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        found = explained(case, "after")
        assert sum(cause.steps for cause in found.causes) == len(found), case["name"]
        ran = {digest for step in case["steps"] if step["executed"] and step["inputs"] for digest in step["digests"]}
        assert {miss.digest for miss in found} == ran, case["name"]


BASES = {"args/tag", "llb-merge/conf"}
"""Cases beside those called after it in which a base image, or a source made on scratch, is what changed."""


def test_what_changed_is_never_a_wrong_thing(cases: list[dict[str, Any]]) -> None:
    """Without any name: where explain says that a base image changed, one did, and where it says files, they did."""
    for case in cases:
        is_base = "base" in case["name"] or case["name"] in BASES
        for miss in explained(case, "after", named=False):
            if miss.first and miss.topic in ("image", "source"):
                assert is_base, case["name"]
            elif miss.first and miss.topic == "files":
                assert not is_base or case["name"] == "alternating/a-runtime-base", case["name"]
