"""BuildKit's words when it refuses a config: which of several errors it meets first."""

from __future__ import annotations

import pytest

from cachegraph.core.model import CacheLayer, CacheRecord, CacheResult, ChainedResult, Kind, LayerAnnotations
from cachegraph.core.verdict import annotation_refusal, too_large
from tests.builders import export_graph, layers, record

STACK = layers(-1, 0)
NIL = "failed to add record 0: invalid dependency type <nil> for"
WITHOUT_MANIFEST: tuple[Kind, ...] = ("s3", "azblob", "gha")
WITH_MANIFEST: tuple[Kind, ...] = ("local", "registry", "inline", "config", "daemon")


@pytest.mark.parametrize(
    ("records", "error"),
    [
        ((), None),
        ((record("a"), record("b", [0], [0, 0], layer=1, chain=(0, 1))), None),
        ((record("a", [-1]),), "invalid record ID: -1"),
        ((record("a", [2]), record("b")), "invalid record ID: 2"),
        ((record("a", [1]), record("b")), None),
        # Records by index, inputs first, depth first; slots from left to right.
        ((record("a", [1, 5]), record("b", [9])), "invalid record ID: 9"),
        ((record("a", [5], [1]), record("b", [9])), "invalid record ID: 5"),
        ((record("a", [1], [5]), record("b", [9])), "invalid record ID: 9"),
        ((record("a", [1], []), record("b", layer=7)), "invalid layer index 7"),
        ((record("a", [], [1]), record("b", layer=7)), "invalid empty input for record 0"),
        ((record("a"), record("b", [0], [])), "invalid empty input for record 1"),
        # A record's own results come after its inputs, layers before chains.
        ((record("a", [1], layer=7), record("b", layer=8)), "invalid layer index 8"),
        ((record("a", layer=7, chain=(8,)),), "invalid layer index 7"),
        ((record("a", layer=0, chain=(0, 8)),), "invalid layer index 8"),
        ((record("a", layer=-1),), "invalid layer index -1"),
        ((record("a", layer=2),), "invalid layer index 2"),
        ((record("a", layer=1),), None),
        ((record("a", chain=(-1,)),), "invalid layer index -1"),
        ((record("a", chain=(2,)),), "invalid layer index 2"),
        # Loops of records, however they are entered.
        ((record("a"), record("b", [1])), "invalid looping record"),
        ((record("a", [1]), record("b", [2]), record("c", [0])), "invalid looping record"),
        ((record("a", [1], [1]), record("b", [2]), record("c")), None),
        # Nothing may depend on a random key, which comes to nothing.
        ((record("random:a"),), None),
        ((record("random:a", layer=9),), "invalid layer index 9"),
        ((record("a", [1]), record("random:b")), f"{NIL} a"),
        (
            (record("a", [2, 1]), record("random:b"), record("c")),
            f"{NIL} a",
        ),
        ((record("random:a"), record("b", [0])), "invalid looping record"),
        ((record("a", [1], [1]), record("random:b")), "invalid looping record"),
        ((record("random:a", [1]), record("random:b")), "invalid looping record"),
        (
            (record("c", [1]), record("random:a", [2]), record("random:b")),
            f"{NIL} c",
        ),
    ],
)
def test_the_first_error_is_told(records: tuple[CacheRecord, ...], error: str | None) -> None:
    assert export_graph(*records, stack=STACK).import_error == error


@pytest.mark.parametrize(
    ("parents", "layer", "unlisted", "error"),
    [
        ((0,), 0, set(), "invalid looping layer"),
        ((1, 0), 0, set(), "invalid looping layer"),
        ((-2,), 0, set(), "invalid layer index -2"),
        ((5,), 0, set(), "invalid layer index 5"),
        ((1,), 0, set(), "invalid layer index 1"),
        ((-1, 0), 1, set(), None),
        # Nothing below a blob that the manifest lacks is looked at.
        ((5,), 0, {0}, None),
        ((1, 0), 0, {1}, None),
        ((0,), 0, {0}, None),
        ((5, 0), 1, {0}, None),
        ((5, 0), 1, {1}, None),
    ],
)
def test_layers_are_walked_down_to_the_first_unlisted_blob(
    parents: tuple[int, ...], layer: int, unlisted: set[int], error: str | None
) -> None:
    stack = layers(*parents)
    listed = [blob.blob for number, blob in enumerate(stack) if number not in unlisted]
    assert export_graph(record("a", layer=layer), stack=stack, blobs=listed).import_error == error
    # The same beside another refusal, which has the exact walk look at everything.
    beside = export_graph(record("a", layer=layer), record("b", []), stack=stack, blobs=listed)
    assert beside.import_error == (error or "invalid empty input for record 1")


@pytest.mark.parametrize(
    ("chain", "unlisted", "error"),
    [
        ((0, 7), set(), "invalid layer index 7"),
        ((0, 7), {0}, None),
        ((7, 0), {0}, "invalid layer index 7"),
        ((0, 7), {1}, "invalid layer index 7"),
    ],
)
def test_chains_are_read_up_to_the_first_unlisted_blob(
    chain: tuple[int, ...], unlisted: set[int], error: str | None
) -> None:
    listed = [f"blob-{number}" for number in range(2) if number not in unlisted]
    assert export_graph(record("a", chain=chain), stack=STACK, blobs=listed).import_error == error
    beside = export_graph(record("a", chain=chain), record("b", []), stack=STACK, blobs=listed)
    assert beside.import_error == (error or "invalid empty input for record 1")


def test_every_chain_and_every_layer_is_read() -> None:
    both = CacheRecord(digest="a", layers=(CacheResult(layer=0), CacheResult(layer=8)))
    assert export_graph(both, stack=STACK).import_error == "invalid layer index 8"
    both = CacheRecord(digest="a", chains=(ChainedResult(layers=(0,)), ChainedResult(layers=(8,))))
    assert export_graph(both, stack=STACK).import_error == "invalid layer index 8"
    assert export_graph(record("a", chain=()), stack=STACK).import_error is None


def test_a_daemons_own_keys_are_not_imported_and_a_refusal_before_comes_first() -> None:
    assert export_graph(record("a", [9]), kind="daemon").import_error is None
    assert export_graph(record("a", [9]), refusal="too large").import_error == "too large"
    assert export_graph(record("a", [9]), kind="local").import_error == "invalid record ID: 9"


def described(diff_id: str | None) -> CacheLayer:
    return CacheLayer(blob="a", annotations=None if diff_id is None else LayerAnnotations(diff_id=diff_id))


def test_where_there_is_no_manifest_each_layer_describes_its_blob() -> None:
    good, bare, half = described("sha256:d"), described(None), described("")
    words = {(): None, (good,): None, (good, bare, half): "bare", (good, half, bare): "half"}
    texts = {None: None, "bare": "cache layer with missing annotations", "half": "cache layer with missing diffid"}
    for stack, word in words.items():
        config = export_graph(stack=stack).export.config
        for kind in WITHOUT_MANIFEST:
            assert annotation_refusal(config, kind) == texts[word]
        for kind in WITH_MANIFEST:
            assert annotation_refusal(config, kind) is None
    # Before the records are read.
    assert export_graph(record("a", [9]), stack=(bare,), kind="s3").import_error == texts["bare"]


def test_a_config_over_one_mebibyte_is_too_large() -> None:
    assert too_large("sha256:a", 1_048_576) is None
    assert too_large("sha256:a", 1_048_577) == "blob sha256:a is too large (1048577 > 1048576)"
