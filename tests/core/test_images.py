"""Base images among the roots: by the chain ID of their layers, by a diff of them, by the gap that they fill."""

from __future__ import annotations

from cachegraph.core.graph import ExportGraph
from cachegraph.core.images import Images, recognise_images
from cachegraph.core.model import Blob, CacheLayer, CacheRecord, Name
from cachegraph.core.operations import chain_ids, image_digest
from tests.builders import DIFF, export_graph, layers, merge, record

STACK = layers(-1, -1, -1, -1, -1, -1)


def image(*numbers: int) -> str:
    """Digest of the root that is an image of these layers."""
    return image_digest(chain_ids([f"sha256:diff-{number}" for number in numbers])[-1])


def brought(*numbers: int) -> tuple[str, ...]:
    return tuple(f"blob-{number}" for number in numbers)


def graph(*records: CacheRecord, stack: tuple[CacheLayer, ...] = STACK, known: str = "012345") -> ExportGraph:
    """Make an export whose manifest gives the diff IDs of some layers."""
    listed = [
        Blob(digest=f"blob-{number}", diff_id=f"sha256:diff-{number}" if number in known else None)
        for number in "012345"
    ]
    return export_graph(*records, stack=stack, blobs=listed)


# --- By their own digest ---------------------------------------------------------------------------------------------


def test_a_chain_proves_the_images_that_it_begins_with() -> None:
    found = recognise_images(
        graph(record(image(0)), record(image(0, 1)), record(image(1, 0)), record("run", [1], chain=(0, 1, 2)))
    )
    assert found == Images(proven=frozenset({0, 1}), layers={0: brought(0), 1: brought(0, 1)})


def test_a_layer_proves_images_with_its_parents() -> None:
    """Up to each topmost layer; no result is needed."""
    stack = layers(-1, 0, 1, 0)
    found = recognise_images(graph(record(image(0, 1)), record(image(0, 3)), record(image(0, 2)), stack=stack))
    assert found.layers == {0: brought(0, 1), 1: brought(0, 3)}


def test_every_root_of_the_digest_is_the_image() -> None:
    found = recognise_images(graph(record(image(0)), record(image(0)), record("run", [0], chain=(0,))))
    assert found.proven == {0, 1}


def test_a_step_with_the_digest_of_an_image_is_none() -> None:
    assert recognise_images(graph(record("a"), record(image(0), [0], chain=(0,)))) == Images(
        proven=frozenset(), layers={}
    )


def test_layers_above_an_unknown_one_prove_nothing() -> None:
    records = (record(image(0)), record(image(0, 1)), record(image(0, 1, 2)), record("run", [0], chain=(0, 1, 2)))
    assert recognise_images(graph(*records, known="02")).proven == {0}
    assert recognise_images(graph(*records, known="12")).proven == frozenset()
    assert recognise_images(graph(*records, known="")).proven == frozenset()


# --- By a diff -------------------------------------------------------------------------------------------------------


def diffed(*records: CacheRecord) -> dict[int, tuple[str, ...]]:
    """Images among some records, the first of which is proven: layers 0 and 1."""
    return recognise_images(graph(record(image(0, 1)), *records)).layers


def test_the_lower_side_of_a_diff_has_what_the_upper_side_has_more() -> None:
    upper = record("upper", [1], chain=(0, 1, 2))
    assert diffed(record("other key"), upper, record(DIFF, [1], [2], chain=(2,))) == {
        0: brought(0, 1),
        1: brought(0, 1),
    }


def test_a_diff_tells_only_of_roots_without_a_result() -> None:
    upper, diff = record("upper", [0], chain=(0, 1, 2)), record(DIFF, [1], [2], chain=(2,))
    assert 1 not in diffed(record("has one", chain=(0, 1)), upper, diff)
    assert 1 not in diffed(record("a step", [0]), upper, diff)
    assert diffed(record("x"), upper, record(DIFF, [-1, 1, 9], [2], chain=(2,)))[1] == brought(0, 1)


def test_a_diff_of_other_layers_tells_nothing() -> None:
    root = record("x")
    # No image, not its end, nothing left, no result, no such record.
    assert 1 not in diffed(root, record("upper", [0], chain=(0, 3, 2)), record(DIFF, [1], [2], chain=(2,)))
    assert 1 not in diffed(root, record("upper", [0], chain=(0, 1, 2)), record(DIFF, [1], [2], chain=(3,)))
    assert 1 not in diffed(root, record("upper", [0], chain=(0, 1, 2)), record(DIFF, [1], [2]))
    assert 1 not in diffed(root, record("upper", [0]), record(DIFF, [1], [2], chain=(2,)))
    assert 1 not in diffed(root, record("upper", [0], chain=(0, 1)), record(DIFF, [1], [2], chain=()))
    assert 1 not in diffed(root, record("upper", [0], chain=(0, 1, 2)), record(DIFF, [1], [-1, 9], chain=(2,)))
    assert 1 not in diffed(root, record("upper", [0], chain=(0, 1, 2)), record("RUN", [1], [2], chain=(2,)))


def test_a_diff_without_a_result_hides_no_other() -> None:
    upper, without = record("upper", [0], chain=(0, 1, 2)), record(DIFF, [0], [2])
    assert diffed(record("x"), upper, without, record(DIFF, [1], [2], chain=(2,)))[1] == brought(0, 1)


def test_a_diff_whose_upper_side_had_two_bases_tells_nothing() -> None:
    uppers = (record("one", [0], chain=(0, 1, 2)), record("two", [0], chain=(0, 2)))
    assert 1 not in diffed(record("x"), *uppers, record(DIFF, [1], [2, 3], chain=(2,)))
    assert diffed(record("x"), *uppers, record(DIFF, [1], [2], chain=(2,)))[1] == brought(0, 1)


def test_without_a_proven_image_nothing_is_recognised() -> None:
    upper, diff = record("upper", [0], chain=(0, 1, 2)), record(DIFF, [0], [1], chain=(2,))
    assert recognise_images(graph(record("x"), upper, diff)).layers == {}


# --- By the gap in a merge -------------------------------------------------------------------------------------------


def test_a_root_that_fills_a_gap_of_an_image_is_the_image() -> None:
    found = recognise_images(
        graph(
            record(image(0, 1)),
            record("other key"),
            record("step", [0], chain=(2,)),
            record(merge(2), [1], [2], chain=(0, 1, 2)),
        )
    )
    assert found == Images(proven=frozenset({0}), layers={0: brought(0, 1), 1: brought(0, 1)})


def test_a_root_that_fills_another_gap_is_not() -> None:
    for whole in ((0, 1, 3, 2), (0, 2), (1, 0, 2), (2,)):
        records = (record(image(0, 1)), record("x"), record("step", [0], chain=(2,)))
        assert 1 not in recognise_images(graph(*records, record(merge(2), [1], [2], chain=whole))).layers


def test_only_bare_roots_are_recognised_by_a_gap() -> None:
    records = (
        record(image(0, 1)),
        record("a step", [0]),
        record("x"),
        record("end", [0], chain=(2,)),
        record(merge(2), [1, 2], [3], chain=(0, 1, 2)),
    )
    assert recognise_images(graph(*records)).layers == {0: brought(0, 1), 2: brought(0, 1)}


def test_of_unknown_neighbours_the_first_is_what_the_layers_begin_with() -> None:
    """Two roots without results: what an image begins with is the image, and the second begins behind it."""
    records = (
        record(image(0, 1)),
        record(image(2)),
        record("x"),
        record("y"),
        record("z"),
        record(merge(3), [2], [3], [4], chain=(0, 1, 2, 3)),
        record("run", [1], chain=(2, 5)),
        record("run", [0], chain=(0, 1, 5)),
    )
    assert recognise_images(graph(*records)).layers == {
        0: brought(0, 1),
        1: brought(2),
        2: brought(0, 1),
        3: brought(2),
    }


def test_an_unknown_input_before_hides_where_the_next_begins() -> None:
    records = (
        record(image(0, 1)),
        record("run", [0], chain=(0, 1, 5)),
        record("scratch"),
        record("x"),
        record(merge(3), [2], [3], [1], chain=(3, 0, 1, 4)),
    )
    assert recognise_images(graph(*records)).layers == {0: brought(0, 1)}


def test_of_two_images_that_both_fit_neither_is_taken() -> None:
    records = (
        record(image(0)),
        record(image(0, 1)),
        record("x"),
        record("y"),
        record(merge(2), [2], [3], chain=(0, 1, 2)),
        record("run", [1], chain=(0, 1, 5)),
    )
    assert recognise_images(graph(*records)).layers == {0: brought(0), 1: brought(0, 1)}


def test_a_merge_without_a_result_tells_nothing() -> None:
    records = (record(image(0, 1)), record("x"), record("run", [0], chain=(0, 1, 2)), record(merge(2), [1], [2]))
    assert recognise_images(graph(*records)).layers == {0: brought(0, 1)}


def test_a_merge_without_a_result_hides_no_other() -> None:
    records = (record(image(0, 1)), record("x"), record("step", [0], chain=(2,)), record(merge(2), [0], [2]))
    found = recognise_images(graph(*records, record(merge(2), [1], [2], chain=(0, 1, 2))))
    assert found.layers == {0: brought(0, 1), 1: brought(0, 1)}


def test_what_one_merge_tells_serves_the_next() -> None:
    records = (
        record(image(0, 1)),
        record("x"),
        record("y"),
        record("step", [0], chain=(2,)),
        record(merge(2), [1], [3], chain=(0, 1, 2)),
        record(merge(2), [1], [2], chain=(0, 1, 4)),
    )
    found = graph(*records)
    assert recognise_images(found).layers == {0: brought(0, 1), 1: brought(0, 1)}
    assert [slot.place for slot in found.merge_layouts[1].slots] == [(0, 2), (2, 3)]


def test_an_image_is_named_by_its_layers() -> None:
    found = graph(record(image(0)), record(image(0, 1)), record("run", [1], chain=(0, 1, 2)))
    assert [found.naming(index) for index in range(2)] == [
        Name(op="source", name="base image of 1 layer"),
        Name(op="source", name="base image of 2 layers"),
    ]
    assert found.is_source(0)
    assert not found.is_source(2)
