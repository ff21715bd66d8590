"""Digests that give an operation away, with values from real exports and from BuildKit's own texts."""

from __future__ import annotations

import pytest

from cachegraph.core.digests import sha256
from cachegraph.core.operations import chain_ids, image_digest, operation, operation_digests, record_digest
from tests.builders import DIFF, merge

ROOT, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def test_digests() -> None:
    assert sha256(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_record_is_named_by_its_text_and_output() -> None:
    assert record_digest("x") == sha256(f"{sha256(b'x')}@0".encode())
    assert record_digest("x", 1) == sha256(f"{sha256(b'x')}@1".encode())
    assert record_digest("x", -1) == sha256(f"{sha256(b'x')}@-1".encode())


@pytest.mark.parametrize(
    ("digest", "operation_and_width"),
    [
        ("sha256:5dbfbafede47", ("merge", 2)),
        ("sha256:7967330dcdfe", ("merge", 3)),
        ("sha256:da0a96236f5d", ("diff", 2)),
        ("sha256:daa336b6b46b", ("diff", 1)),
        ("sha256:47e990ddfca1", ("diff", 1)),
    ],
)
def test_digests_of_real_exports(digest: str, operation_and_width: tuple[str, int]) -> None:
    assert [known for name, known in operation_digests().items() if name.startswith(digest)] == [operation_and_width]


def test_old_and_new_builders_write_the_first_input_in_two_ways() -> None:
    for first in ("{}", '{"input":0}'):
        text = f'{{"Type":"buildkit.merge.v0","Merge":{{"inputs":[{first},{{"input":1}},{{"input":2}}]}}}}'
        assert operation(record_digest(text), 3) == "merge"
        text = f'{{"Type":"buildkit.diff.v0","Diff":{{"lower":{first},"upper":{{"input":1}}}}}}'
        assert operation(record_digest(text), 2) == "diff"


def test_the_widest_merge_that_is_known() -> None:
    assert operation(merge(256), 256) == "merge"
    assert operation(merge(257), 257) is None


def test_a_digest_alone_is_not_enough() -> None:
    assert operation(merge(2), 2) == "merge"
    assert operation(merge(2), 3) is None
    assert operation(DIFF, 2) == "diff"
    assert operation(DIFF, 1) is None
    assert operation("sha256:unknown", 0) is None
    assert operation("sha256:unknown", 2) is None


def test_chain_ids_of_every_prefix() -> None:
    second = sha256(f"{ROOT} {OTHER}".encode())
    assert chain_ids([]) == []
    assert chain_ids([ROOT]) == [ROOT]
    assert chain_ids([ROOT, OTHER, ROOT]) == [ROOT, second, sha256(f"{second} {ROOT}".encode())]


def test_an_image_is_named_by_its_key() -> None:
    assert image_digest(ROOT) == record_digest(f"buildkit.source.v0:{ROOT}")
    assert image_digest("sha256:0") == "sha256:" + image_digest("sha256:0").removeprefix("sha256:")
