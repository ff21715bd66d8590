"""Small repositories in the shapes of the wild, with what is found in each line; what is not marked is silence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from cachegraph.lint.rules.catalogue import LINT_RULES
from tests.lint.rules import linted

CASES = Path(__file__).parent / "cases"
MARK = re.compile(r"  <--((?: CG\d+)+)$")


class Case(NamedTuple):
    """Files, and the codes that are found by file and line."""

    name: str
    files: Mapping[str, str]
    expected: Counter[tuple[str, int, str]]


def cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.txt")):
        for part in re.split(r"(?m)^=== ", path.read_text("utf-8"))[1:]:
            name, _, rest = part.partition("\n")
            files: dict[str, str] = {}
            expected: Counter[tuple[str, int, str]] = Counter()
            for block in re.split(r"(?m)^--- ", rest)[1:]:
                file, _, text = block.partition("\n")
                lines = text.rstrip("\n").split("\n")
                for number, line in enumerate(lines, 1):
                    if found := MARK.search(line):
                        expected.update((file, number, code) for code in found[1].split())
                files[file] = "\n".join(MARK.sub("", line) for line in lines) + "\n"
            yield Case(name, files, expected)


ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name.replace(" ", "-"))
def test_what_is_found_and_what_is_not(tmp_path: Path, case: Case) -> None:
    found = Counter((one.place.file, one.place.line, one.code) for one in linted(tmp_path, case.files))
    assert found == case.expected


def test_there_are_many_files_with_and_without_findings() -> None:
    files = [(case, file) for case in ALL for file in case.files]
    silent = [file for case, file in files if not any(where == file for where, _, _ in case.expected)]
    assert len(files) >= 120
    assert len(silent) >= 40
    assert len({case.name for case in ALL}) == len(ALL)
    assert {code for case in ALL for _, _, code in case.expected} == {rule.code for rule in LINT_RULES}
