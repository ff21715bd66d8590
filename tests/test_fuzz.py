"""The attacks of ``fuzz/``: what once broke a target, and a few hundred fresh ones of each kind."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fuzz.sources import Choices
from fuzz.strings import cache_string, read
from fuzz.targets import TARGETS, attack

CRASHES = sorted((Path(__file__).parent / "data" / "crashes").iterdir())


@pytest.mark.parametrize("crash", CRASHES, ids=lambda path: path.name)
def test_what_broke_a_target_once(crash: Path) -> None:
    """The file's name begins with the target's."""
    attack(crash.name.partition("-")[0], crash.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_some_of_each_kind(target: str) -> None:
    attack(target, b"")
    chance = random.Random(target)
    for _ in range(20 if target in ("layout", "archive", "bbolt", "record") else 100):
        attack(target, chance.randbytes(chance.choice((8, 64, 256))))


def test_made_cache_strings_are_read_or_refused_in_buildx_words() -> None:
    """`make fuzz-go` compares many more of them with buildx itself."""
    chance = random.Random(0)
    answers = [read(cache_string(Choices(chance.randbytes(64)))) for _ in range(1000)]
    refused = sum(answer["error"] is not None for answer in answers)
    assert 200 < refused < 800
    assert all(answer["entries"] == [] for answer in answers if answer["error"] is not None)
