"""The bbolt reader: against files and dumps that bbolt itself wrote, files damaged on purpose, and random damage."""

from __future__ import annotations

import io
import json
import lzma
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachegraph.errors import DecodeError, NotFoundError, SourceError
from cachegraph.loaders.buildkitd.bbolt import Bucket, Database
from cachegraph.loaders.buildkitd.bboltfile import read_database, read_snapshot

DATA = Path(__file__).parent.parent / "data" / "daemon"
PAGE = 1024
META, LEAF, BRANCH = 4, 2, 1

# A tree as bbolt's own dump gives it: hex keys, hex values or trees.
Tree = dict[str, "str | Tree"]
Entry = tuple[bytes, bytes, int]


def unpack(name: str) -> bytes:
    return lzma.decompress((DATA / f"{name}.xz").read_bytes())


LEVELS = unpack("bbolt-levels.db")


def tree(bucket: Bucket) -> Tree:
    return {key.hex(): value.hex() if isinstance(value, bytes) else tree(value) for key, value in bucket.entries()}


# --- A writer of small files, for damage at a known place ------------------------------------------------------------


def fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def meta(number: int, *, root: int, high_water: int, txid: int, page_size: int = PAGE, version: int = 2) -> bytes:
    fields = struct.pack("<IIIIQQQQQ", 0xED0CDAED, version, page_size, 0, root, 0, 2, high_water, txid)
    return page(number, META, 0, fields + struct.pack("<Q", fnv1a(fields)))


def page(number: int, flags: int, count: int, body: bytes, overflow: int = 0) -> bytes:
    header = struct.pack("<QHHI", number, flags, count, overflow)
    return (header + body).ljust(PAGE * (overflow + 1), b"\0")


def leaf_body(entries: Sequence[Entry]) -> bytes:
    elements, contents = b"", b""
    for index, (key, value, flags) in enumerate(entries):
        position = 16 * (len(entries) - index) + len(contents)
        elements += struct.pack("<IIII", flags, position, len(key), len(value))
        contents += key + value
    return elements + contents


def leaf(number: int, entries: Sequence[Entry]) -> bytes:
    body = leaf_body(entries)
    return page(number, LEAF, len(entries), body, overflow=(len(body) + 15) // PAGE)


def branch(number: int, children: Sequence[tuple[bytes, int]]) -> bytes:
    elements, contents = b"", b""
    for index, (key, child) in enumerate(children):
        elements += struct.pack("<IIQ", 16 * (len(children) - index) + len(contents), len(key), child)
        contents += key
    return page(number, BRANCH, len(children), elements + contents)


def file(*pages: bytes, root: int = 3, txid: int = 7) -> bytes:
    """Two metas and an unused free list before the pages, which start at number 3."""
    body = b"".join(pages)
    high_water = 3 + len(body) // PAGE
    metas = (meta(n, root=root, high_water=high_water, txid=txid + n - 1) for n in (0, 1))
    return b"".join(metas) + page(2, 16, 0, b"") + body


def inline(entries: Sequence[Entry]) -> bytes:
    return struct.pack("<QQ", 0, 0) + struct.pack("<QHHI", 0, LEAF, len(entries), 0) + leaf_body(entries)


SMALL = file(
    branch(3, [(b"a", 4), (b"m", 5)]),
    leaf(4, [(b"a", b"1", 0), (b"b", inline([(b"x", b"y", 0)]), 1)]),
    leaf(5, [(b"m", struct.pack("<QQ", 6, 0), 1), (b"z", b"2", 0)]),
    leaf(6, [(b"deep", b"3" * 2000, 0)]),
)
SMALL_TREE: Tree = {
    b"a".hex(): b"1".hex(),
    b"b".hex(): {b"x".hex(): b"y".hex()},
    b"m".hex(): {b"deep".hex(): (b"3" * 2000).hex()},
    b"z".hex(): b"2".hex(),
}


# --- What bbolt wrote ------------------------------------------------------------------------------------------------


def test_reads_what_bbolt_wrote() -> None:
    """Branches at several levels, overflow pages, inline and nested buckets, after deletions; the dump is bbolt's."""
    database = Database(LEVELS, "levels.db")
    assert (database.meta.page_size, database.meta.txid, database.meta.root) == (1024, 3, 1102)
    assert tree(database.root()) == json.loads(unpack("bbolt-levels.json"))


def test_the_file_has_the_shapes_that_it_is_there_for() -> None:
    flags = [struct.unpack_from("<H", LEVELS, n * PAGE + 8)[0] for n in range(1107)]
    overflows = [struct.unpack_from("<I", LEVELS, n * PAGE + 12)[0] for n in range(1107)]
    assert flags.count(BRANCH) > 20
    assert max(overflows) >= 8


def test_reads_a_daemons_databases() -> None:
    keys = Database(unpack("cache.db"), "cache.db").buckets()
    counts = {name: sum(1 for _ in bucket.buckets()) for name, bucket in keys.items()}
    assert counts == {b"_backlinks": 418, b"_byresult": 484, b"_links": 516, b"_result": 486}
    assert sum(1 for _, bucket in keys[b"_links"].buckets() for _ in bucket.items()) == 942
    (plaintexts,) = Database(unpack("cache-debug.db"), "cache-debug.db").buckets().values()
    assert sum(1 for _ in plaintexts.items()) == 740


def test_reads_what_the_tests_write() -> None:
    assert tree(Database(SMALL, "small.db").root()) == SMALL_TREE


def test_a_bucket_can_be_read_twice() -> None:
    root = Database(SMALL, "small.db").root()
    assert tree(root) == tree(root) == SMALL_TREE


# --- Meta pages ------------------------------------------------------------------------------------------------------


def changed(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def test_the_newer_meta_counts() -> None:
    for first, second, newest in ((7, 6, 7), (7, 8, 8)):
        metas = meta(0, root=3, high_water=9, txid=first) + meta(1, root=3, high_water=9, txid=second)
        assert Database(metas + SMALL[2 * PAGE :], "x").meta.txid == newest


@pytest.mark.parametrize("number", [0, 1])
def test_one_torn_meta_is_no_harm(number: int) -> None:
    torn = changed(SMALL, number * PAGE + 16, b"\xff" * 80)
    database = Database(torn, "x")
    assert database.meta.txid == (7 if number == 0 else 6)
    assert tree(database.root()) == SMALL_TREE


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is cut short: 0 bytes"),
        (b"SQLite format 3\0" * 300, "has magic 0x694c5153, not 0xed0cdaed"),
        (changed(changed(SMALL, 60, b"!"), PAGE + 60, b"!"), "has a wrong checksum"),
        (meta(0, root=3, high_water=9, txid=1, version=3) * 2, "has version 3, only 2 is known"),
        (
            meta(0, root=3, high_water=9, txid=1, page_size=1000) * 2,
            "has page size 1000, not a power of two from 1024 to 65536",
        ),
    ],
)
def test_without_a_valid_meta_there_is_nothing(data: bytes, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        Database(data, "x.db")
    assert str(caught.value) == (
        f"x.db: no valid bbolt meta page: page 0 at offset 0 {problem} (give the path of a bbolt file)"
    )


# --- Damage at a known place -----------------------------------------------------------------------------------------

AT_4, AT_5, AT_6 = 4 * PAGE, 5 * PAGE, 6 * PAGE


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(file(root=99), "page 99 at offset 101376 is out of range (2..2)", id="root out of range"),
        pytest.param(
            file(branch(3, [(b"a", 3)])),
            "page 3 at offset 3072 is reached from two places: a loop, or shared",
            id="loop",
        ),
        pytest.param(
            file(leaf(3, [(b"a", struct.pack("<QQ", 3, 0), 1)])),
            "page 3 at offset 3072 is reached from two places: a loop, or shared",
            id="bucket in itself",
        ),
        pytest.param(
            file(branch(3, [(b"a", 4), (b"b", 4)]), leaf(4, [(b"a", b"", 0)])),
            "page 4 at offset 4096 is reached from two places: a loop, or shared",
            id="shared page",
        ),
        pytest.param(changed(SMALL, AT_4, b"\x05"), "page 4 at offset 4096 calls itself page 5", id="stale page"),
        pytest.param(
            changed(SMALL, AT_4 + 8, b"\x10"),
            "page 4 at offset 4096 has flags 0x10, neither branch nor leaf",
            id="flags",
        ),
        pytest.param(
            changed(SMALL, AT_4 + 12, b"\x63"),
            "page 4 at offset 4096 has 99 overflow pages, more than the file",
            id="span",
        ),
        pytest.param(
            changed(SMALL, AT_4 + 10, b"\xff\xff"),
            "page 4 at offset 4112 has an element of 2 bytes that leaves its place",
            id="count",
        ),
        pytest.param(
            file(page(3, LEAF, 70, b"")),
            "page 3 at offset 3088 has an element of 0 bytes that leaves its place",
            id="zeros",
        ),
        pytest.param(file(branch(3, [])), "page 3 at offset 3072 is a branch without elements", id="empty branch"),
        pytest.param(
            changed(SMALL, AT_4 + 16, b"\x02"),
            "page 4 at offset 4112 has element flags 0x2, allowed are 0 and 1",
            id="element",
        ),
        pytest.param(
            changed(SMALL, AT_6 + 28, b"\xff\xff"),
            "page 6 at offset 6160 has an element of 65539 bytes that leaves its place",
            id="size",
        ),
        pytest.param(changed(SMALL, AT_5 + 48, b"z"), "page 5 at offset 5120 has key b'z' out of order", id="order"),
        pytest.param(
            file(leaf(3, [(b"a", b"short", 1)])),
            "page 3 at offset 3088 has a bucket of 5 bytes, less than 16",
            id="bucket",
        ),
        pytest.param(
            file(leaf(3, [(b"a", bytes(20), 1)])),
            "page 3 at offset 3121 has an inline bucket that is cut short",
            id="inline",
        ),
        pytest.param(
            file(leaf(3, [(b"a", bytes(32), 1)])),
            "page 3 at offset 3121 has an inline bucket with flags 0x0, not a leaf",
            id="inline flags",
        ),
        pytest.param(
            SMALL[: 7 * PAGE],
            "page 6 at offset 6144 ends beyond the end of the file (7168 bytes): it is truncated",
            id="truncated overflow",
        ),
        pytest.param(
            SMALL[: 6 * PAGE],
            "page 6 at offset 6144 lies beyond the end of the file (6144 bytes): it is truncated",
            id="truncated",
        ),
    ],
)
def test_damage_is_named_with_its_page(data: bytes, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        tree(Database(data, "x.db").root())
    assert str(caught.value) == f"x.db: {problem} (copy the file again, or repair it)"


def outcome(data: bytes) -> Tree | None:
    """Read all; None if the reader refuses."""
    try:
        return tree(Database(data, "x.db").root())
    except DecodeError:
        return None


@settings(deadline=None)
@given(offset=st.integers(0, len(SMALL) - 1), mask=st.integers(1, 255))
def test_any_changed_byte_gives_data_or_an_error(offset: int, mask: int) -> None:
    read = outcome(changed(SMALL, offset, bytes([SMALL[offset] ^ mask])))
    if offset < 3 * PAGE:
        assert read == SMALL_TREE  # each meta has a twin, and the free list is never read


@settings(max_examples=150, deadline=None)
@given(
    flips=st.lists(st.tuples(st.integers(0, 1107 * PAGE - 1), st.integers(1, 255)), min_size=1, max_size=20),
    header=st.booleans(),
)
def test_any_damage_to_a_large_file_gives_data_or_an_error(flips: list[tuple[int, int]], header: bool) -> None:
    data = bytearray(LEVELS)
    for offset, mask in flips:
        # Half of the time only page headers and first elements are hit, where the damage is worst.
        data[offset // PAGE * PAGE + offset % 40 if header else offset] ^= mask
    outcome(bytes(data))


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, len(LEVELS)))
def test_any_truncation_is_an_error_or_harmless(length: int) -> None:
    read = outcome(LEVELS[:length])
    assert (read is not None) == (length >= 1103 * PAGE)  # the free list, which nobody reads, comes after


@settings(deadline=None)
@given(entries=st.dictionaries(st.binary(max_size=40), st.binary(max_size=3000), max_size=12))
def test_what_is_written_is_read(entries: Mapping[bytes, bytes]) -> None:
    data = file(leaf(3, [(key, value, 0) for key, value in sorted(entries.items())]))
    assert dict(Database(data, "x.db").root().items()) == entries


# --- Files that are written meanwhile --------------------------------------------------------------------------------


def version(text: bytes, txid: int, root: int) -> tuple[bytes, bytes]:
    """A transaction whose three leaves hold one text: its pages, and its meta page."""
    pages = branch(root, [(b"a", root + 1), (b"b", root + 2), (b"c", root + 3)])
    pages += b"".join(leaf(root + 1 + n, [(key, text, 0)]) for n, key in enumerate((b"a", b"b", b"c")))
    return pages, meta(txid % 2, root=root, high_water=11, txid=txid)


class Growing(io.BytesIO):
    """A file to which a writer commits a transaction after each of the first reads of the whole."""

    def __init__(self, commits: int) -> None:
        first, head = version(b"v0", 0, 3)
        super().__init__(head + meta(1, root=3, high_water=11, txid=0) + bytes(PAGE) + first + bytes(4 * PAGE))
        self.left = commits
        self.txid = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size == 11 * PAGE and self.left:
            self.left -= 1
            self.txid += 1
            pages, head = version(b"v%d" % self.txid, self.txid, 3 + 4 * (self.txid % 2))
            with self.getbuffer() as buffer:
                start = (3 + 4 * (self.txid % 2)) * PAGE
                buffer[start : start + len(pages)] = pages
                start = self.txid % 2 * PAGE
                buffer[start : start + PAGE] = head
        return data


def test_a_commit_while_reading_is_noticed() -> None:
    database = read_snapshot(Growing(commits=3), "x.db")
    assert database.meta.txid == 3
    assert dict(database.root().items()) == {b"a": b"v3", b"b": b"v3", b"c": b"v3"}


def test_a_file_that_never_rests_is_given_up() -> None:
    with pytest.raises(SourceError) as caught:
        read_snapshot(Growing(commits=1000), "x.db")
    assert str(caught.value) == (
        "x.db: changed during each of 10 attempts to read it (try again when fewer builds run)"
    )


def test_every_snapshot_of_a_busy_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    first, head = version(b"%08d" % 0, 0, 3)
    path.write_bytes(head + meta(1, root=3, high_water=11, txid=0) + bytes(PAGE) + first + bytes(4 * PAGE))
    stop = threading.Event()

    def write() -> None:
        txid = 0
        with path.open("r+b", buffering=0) as handle:
            while not stop.wait(0.001):
                txid += 1
                pages, head = version(b"%08d" % txid, txid, 3 + 4 * (txid % 2))
                handle.seek((3 + 4 * (txid % 2)) * PAGE)
                handle.write(pages)
                handle.seek(txid % 2 * PAGE)
                handle.write(head)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen: set[int] = set()
        deadline = time.monotonic() + 60
        while len(seen) < 20 and time.monotonic() < deadline:
            try:
                database = read_database(path)
            except SourceError as error:
                # On a slow machine a commit may fall into every attempt.
                if "changed during each" not in str(error):
                    raise
                continue
            assert set(dict(database.root().items()).values()) == {b"%08d" % database.meta.txid}
            seen.add(database.meta.txid)
    finally:
        stop.set()
        writer.join()
    assert len(seen) == 20


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"cache\.db: there is no such file \(give the path of a bbolt file\)"):
        read_database(tmp_path / "cache.db")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="this is a directory"):
        read_database(tmp_path)


def test_a_size_beyond_reason_is_refused() -> None:
    metas = meta(0, root=3, high_water=2**40, txid=1) + meta(1, root=3, high_water=2**40, txid=1)
    with pytest.raises(SourceError, match="more than 4,294,967,296 bytes in use"):
        read_snapshot(io.BytesIO(metas), "x.db")
