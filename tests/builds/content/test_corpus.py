"""What BuildKit hashed in 210 real builds: every content digest that a source or a file operation makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachegraph.builds.content.unknown import Unknown
from tests.builds.content.corpus import Case, cases, write_source

EVERY = [*cases(), *cases("mutations")]


@pytest.mark.parametrize("case", EVERY, ids=[case.name for case in EVERY])
def test_every_content_digest_is_buildkits(case: Case, tmp_path: Path) -> None:
    write_source(case.data["source"], tmp_path)
    wrong = {}
    for slot in case.slots():
        found = case.content(slot, tmp_path)
        if slot.made_by == "exec":
            assert isinstance(found, Unknown)
            assert found.because == "run"
        elif found != slot.content and not _is_git(found):
            wrong[slot.name] = found
    assert not wrong


def _is_git(found: object) -> bool:
    """Git repositories are tested where they are read."""
    return isinstance(found, Unknown) and found.because == "remote"


def test_nearly_all_slots_are_computed() -> None:
    made_by = [slot.made_by for case in EVERY for slot in case.slots()]
    assert made_by.count("source") == 347
    assert made_by.count("fileops") == 31
    assert made_by.count("exec") == 28
