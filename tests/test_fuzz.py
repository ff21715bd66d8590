"""The attacks of ``fuzz/``: what once broke a target, and a few hundred fresh ones of each kind."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

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
