"""Cache configs of any size, shaped like real builds, always the same for the same arguments."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta

from cachegraph.core.model import CacheConfig, CacheInput, CacheLayer, CacheRecord, CacheResult, ChainedResult

__all__ = ["make_config"]

_STAGE = 10
"""Records of a stage: a root, then steps that each build upon the one before."""

_START = datetime(2026, 1, 1, tzinfo=UTC)


def make_config(records: int, seed: int = 0) -> CacheConfig:
    """Make a cache config.

    Stages of ten records: a root without result, seven steps in a chain, of which some take files of other stages, a
    step that takes the whole of another stage, and a merge. A record has about 2.2 inputs and 0.9 results. Configs of
    different seeds share two thirds of their stages, as the exports of a repository do from one day to the next.

    Parameters
    ----------
    records : int
    seed : int

    Returns
    -------
    CacheConfig
    """
    layers: list[CacheLayer] = []
    made: list[CacheRecord] = []
    tops: list[int] = []  # of each record, its layer; -1 without
    while len(made) < records:
        number = len(made) // _STAGE
        shared = number % 3 != 0
        name = f"{number}" if shared else f"{number}/{seed}"
        _add_stage(name, random.Random(name), layers, made, tops)
    return CacheConfig(layers=tuple(layers), records=tuple(made[:records]))


def _add_stage(
    name: str, chance: random.Random, layers: list[CacheLayer], made: list[CacheRecord], tops: list[int]
) -> None:
    root = len(made)
    made.append(CacheRecord(digest=_digest(f"{name}/root")))
    tops.append(-1)
    for step in range(1, _STAGE - 1):
        before = root + step - 1
        slots = [_alternatives(before, root, chance)]
        # Copying from other stages; the reach is short, so that stages depend on their neighbours.
        slots += [_alternatives(_other(root, chance), root, chance) for _ in range(chance.choice((0, 0, 1, 1)))]
        results: tuple[CacheResult, ...] = ()
        top = tops[before]
        if chance.random() < 0.88:
            layers.append(CacheLayer(blob=_digest(f"{name}/{step}/blob"), parent=top))
            top = len(layers) - 1
            times = (root + step, root + step + 1)[: chance.choice((1, 1, 1, 1, 2))]
            results = tuple(CacheResult(layer=top, created_at=_time(time)) for time in times)
        tops.append(top)
        made.append(CacheRecord(digest=_digest(f"{name}/{step}"), inputs=tuple(slots), layers=results))
    _add_merge(root, chance, layers, made, tops)


def _add_merge(
    root: int, chance: random.Random, layers: list[CacheLayer], made: list[CacheRecord], tops: list[int]
) -> None:
    inputs = [root + _STAGE - 2, _other(root, chance)]
    chain = tuple(layer for link in inputs for layer in _stack(layers, tops[link]))
    made.append(
        CacheRecord(
            digest="sha256:" + _MERGE,
            inputs=tuple((CacheInput(link=link),) for link in inputs),
            chains=(ChainedResult(layers=chain, created_at=_time(root + _STAGE - 1)),) if chain else (),
        )
    )
    tops.append(-1)


def _stack(layers: list[CacheLayer], top: int) -> list[int]:
    """List a layer and its ancestors, bottom first."""
    found = []
    while top >= 0:
        found.append(top)
        top = layers[top].parent
    return found[::-1]


def _other(root: int, chance: random.Random) -> int:
    """Choose a record of one of the last stages, if there is one before this."""
    return chance.randrange(max(0, root - 20 * _STAGE), root) if root else 0


def _alternatives(link: int, root: int, chance: random.Random) -> tuple[CacheInput, ...]:
    """Give the link under its own key and sometimes under another."""
    inputs = [CacheInput(link=link)]
    if chance.random() < 0.68:
        inputs.append(CacheInput(link=_other(root, chance), selector=_ROOT_PATH))
    return tuple(inputs)


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _time(minutes: int) -> str:
    return (_START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


_ROOT_PATH = "sha256:8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1"
_MERGE_JSON = '{"Type":"buildkit.merge.v0","Merge":{"inputs":[{},{"input":1}]}}'
_MERGE = hashlib.sha256(f"sha256:{hashlib.sha256(_MERGE_JSON.encode()).hexdigest()}@0".encode()).hexdigest()
