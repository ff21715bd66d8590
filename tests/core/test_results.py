"""What becomes of layers and results: loadable, a blob that the store lacks, one that the manifest lacks, invalid."""

from __future__ import annotations

import pytest

from cachegraph.core.columns import build_columns
from cachegraph.core.model import CacheConfig, CacheLayer, CacheRecord, CacheResult, ChainedResult
from cachegraph.core.results import State, ancestors, resolve
from tests.builders import layers

GOOD, DAMAGED, MISSING, NOT_LISTED, INVALID = State
BLOBS = {f"blob-{number}" for number in range(6)}


def states(
    stack: tuple[CacheLayer, ...],
    record: CacheRecord | None = None,
    *,
    unlisted: set[int] | None = None,
    missing: set[int] | None = None,
) -> tuple[list[int], list[int]]:
    """Give the states of the layers, then of a record's results."""
    config = CacheConfig(layers=stack, records=(record or CacheRecord(),))
    listed = None if unlisted is None else BLOBS - {f"blob-{number}" for number in unlisted}
    found = resolve(build_columns(config), listed, {f"blob-{number}" for number in missing or ()})
    return found.layer, found.result


@pytest.mark.parametrize(
    ("parents", "unlisted", "missing", "expected"),
    [
        ((), set(), set(), []),
        ((-1, 0, 1), None, set(), [GOOD, GOOD, GOOD]),
        # What stands on a lost blob is lost, what is below it is not.
        ((-1, 0, 1), set(), {0}, [MISSING, MISSING, MISSING]),
        ((-1, 0, 1), set(), {1}, [GOOD, MISSING, MISSING]),
        ((-1, 0, 1), set(), {2}, [GOOD, GOOD, MISSING]),
        ((-1, 0, 1), {0}, set(), [NOT_LISTED, NOT_LISTED, NOT_LISTED]),
        ((-1, 0, 1), {2}, set(), [GOOD, GOOD, NOT_LISTED]),
        ((-1, 0, 0), set(), {1}, [GOOD, MISSING, GOOD]),
        ((1, -1), set(), {0}, [MISSING, GOOD]),
        # One that the manifest lacks outweighs one that the store lacks, above or below it.
        ((-1, 0), {0}, {1}, [NOT_LISTED, NOT_LISTED]),
        ((-1, 0), {1}, {0}, [MISSING, NOT_LISTED]),
        # Loops and parents out of range; nothing below an unlisted blob is looked at.
        ((0,), None, set(), [INVALID]),
        ((1, 0), None, set(), [INVALID, INVALID]),
        ((1, 0), {1}, set(), [NOT_LISTED, NOT_LISTED]),
        ((1, 2, 1), {0}, set(), [NOT_LISTED, INVALID, INVALID]),
        ((-2, 0), None, set(), [INVALID, INVALID]),
        ((2, 0), None, set(), [INVALID, INVALID]),
        ((1, 9), None, {0}, [INVALID, INVALID]),
        ((-1, 2, 1), None, set(), [GOOD, INVALID, INVALID]),
        # A walk that ends where an earlier one was.
        ((-1, 0, 1, 1, 3), set(), {1}, [GOOD, MISSING, MISSING, MISSING, MISSING]),
        ((-1, 0, 1, 1, 3), set(), {3}, [GOOD, GOOD, GOOD, MISSING, MISSING]),
    ],
)
def test_layers_with_their_parents(
    parents: tuple[int, ...], unlisted: set[int] | None, missing: set[int], expected: list[State]
) -> None:
    assert states(layers(*parents), unlisted=unlisted, missing=missing)[0] == expected


@pytest.mark.parametrize(
    ("chain", "unlisted", "missing", "expected"),
    [
        ((), set(), {0}, GOOD),
        ((0, 1), set(), set(), GOOD),
        # A chain is these layers without their parents: layer 1 stands on layer 0.
        ((1,), set(), {0}, GOOD),
        ((1,), {0}, set(), GOOD),
        ((0, 1), set(), {0}, MISSING),
        ((0, 1), set(), {1}, MISSING),
        ((0, 1), {0}, {1}, NOT_LISTED),
        ((0, 1), {1}, {0}, NOT_LISTED),
        ((0, -1), None, set(), INVALID),
        ((0, 2), None, set(), INVALID),
        ((1, 0), None, set(), GOOD),
        # What follows an unlisted blob is never looked at; what comes before it is.
        ((0, 2), {0}, set(), NOT_LISTED),
        ((2, 0), {0}, set(), INVALID),
        ((0, 2), set(), {0}, INVALID),
    ],
)
def test_chains(chain: tuple[int, ...], unlisted: set[int] | None, missing: set[int], expected: State) -> None:
    """Between two others, which keep their own states."""
    record = CacheRecord(
        chains=(ChainedResult(layers=(1,)), ChainedResult(layers=chain), ChainedResult(), ChainedResult(layers=(0, 1)))
    )
    _, (before, found, empty, after) = states(layers(-1, 0), record, unlisted=unlisted, missing=missing)
    assert found == expected
    assert empty == GOOD
    lost = (unlisted or set()) | missing
    assert (before != GOOD) == (1 in lost)
    assert (after != GOOD) == bool({0, 1} & lost)


@pytest.mark.parametrize(
    ("layer", "expected"), [(-1, INVALID), (0, GOOD), (1, MISSING), (2, INVALID), (2**40, INVALID), (-(2**40), INVALID)]
)
def test_a_result_is_a_layer_with_its_parents(layer: int, expected: State) -> None:
    record = CacheRecord(layers=(CacheResult(layer=layer), CacheResult(layer=0)), chains=(ChainedResult(layers=(0,)),))
    assert states(layers(-1, 0), record, missing={1})[1] == [expected, GOOD, GOOD]
    sound = INVALID if expected == INVALID else GOOD
    assert states(layers(-1, 0), record)[1] == [sound, GOOD, GOOD]


def test_a_blob_of_several_layers_is_lost_to_all_of_them() -> None:
    stack = (CacheLayer(blob="blob-0", parent=-1), CacheLayer(blob="blob-0", parent=-1))
    assert states(stack, missing={0})[0] == [MISSING, MISSING]
    assert states(stack, unlisted={0})[0] == [NOT_LISTED, NOT_LISTED]
    assert states(stack, unlisted=set())[0] == [GOOD, GOOD]


def test_the_words_for_states() -> None:
    assert [state.reason for state in State] == [None, "blob-damaged", "blob-missing", "blob-not-listed", "invalid"]


@pytest.mark.parametrize(
    ("parents", "layer", "expected"),
    [
        ([-1, 0, 1], 2, [0, 1, 2]),
        ([-1, 0, 1], 0, [0]),
        ([-1, 0, 0], 2, [0, 2]),
        ([-1], -1, []),
        ([-1], 1, []),
        ([1, 0], 0, [1, 0]),
        ([1, 0, -1, -1], 0, [1, 0]),
        ([0, 0, -1], 1, [0, 1]),
        ([7, 0], 1, [0, 1]),
    ],
)
def test_a_layer_and_its_parents_bottom_first(parents: list[int], layer: int, expected: list[int]) -> None:
    assert ancestors(parents, layer) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 9])
def test_a_chain_of_parents_of_any_length_has_a_bottom(count: int) -> None:
    """And none if its last turns back."""
    record = CacheRecord(layers=(CacheResult(layer=count - 1),))
    assert states(layers(*range(-1, count - 1)), record) == ([GOOD] * count, [GOOD])
    assert states(layers(count - 1, *range(count - 1)), record) == ([INVALID] * count, [INVALID])
