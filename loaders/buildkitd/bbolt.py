"""Read bbolt files: the B+tree of pages in which a daemon keeps its cache.

Read only, and written for this package because no maintained Python reader exists. The layout is that of bbolt's
``internal/common`` (``page.go``, ``meta.go``, ``bucket.go``, ``inode.go``); numbers are little-endian::

    page      id u64, flags u16, count u16, overflow u32; then ``count`` elements, then their keys and values
              flags: 1 branch, 2 leaf, 4 meta, 16 free list; ``overflow`` more pages belong to this one
    branch    pos u32, ksize u32, page u64                     ``pos`` counts from the element itself
    leaf      flags u32, pos u32, ksize u32, vsize u32         flag 1: the value is a bucket
    bucket    root u64, sequence u64                           root 0: a leaf page follows, inline
    meta      magic u32, version u32, page size u32, flags u32, root bucket, free list u64, high water u64,
              txid u64, checksum u64 (64-bit FNV-1a of all before it); pages 0 and 1, the newer valid one counts

Only meta pages have a checksum, so a changed byte in a key or value passes unnoticed here as in bbolt itself; damage to
the structure is a `DecodeError` that names page and offset.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.errors import DecodeError

__all__ = ["HEAD_BYTES", "Bucket", "Database", "Meta", "newest_meta"]

_MAGIC = 0xED0CDAED
_VERSION = 2
_BRANCH, _LEAF = 0x01, 0x02
_BUCKET_LEAF = 0x01

_PAGE = struct.Struct("<QHHI")
_META = struct.Struct("<IIIIQQQQQQ")
_BRANCH_ELEMENT = struct.Struct("<IIQ")
_LEAF_ELEMENT = struct.Struct("<IIII")
_BUCKET = struct.Struct("<QQ")

_PAGE_SIZES = tuple(1 << bits for bits in range(10, 17))
HEAD_BYTES = 2 * _PAGE_SIZES[-1]
"""Bytes at the start of a file that hold both meta pages, whatever the page size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What a meta page says: page size in bytes, root page, number of pages in use, and transaction."""

    page_size: int
    root: int
    high_water: int
    txid: int


class Database:
    """A bbolt file in memory.

    Parameters
    ----------
    data : bytes
        The file, up to its high-water mark at least.
    name : str
        What errors call it.

    Raises
    ------
    cachegraph.errors.DecodeError
        Neither meta page is valid.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        self.meta = newest_meta(data, name)
        self._owner_of_page: dict[int, int] = {}

    def root(self) -> Bucket:
        """Give the bucket that holds all others."""
        return Bucket(self, page=self.meta.root, reference=0)

    def buckets(self) -> dict[bytes, Bucket]:
        """Give the top-level buckets by name.

        Raises
        ------
        cachegraph.errors.DecodeError
            The root bucket is damaged.
        """
        return {key: value for key, value in self.root().entries() if isinstance(value, Bucket)}

    def claim(self, page: int, count: int, reference: int) -> None:
        """Note that the element at offset ``reference`` owns these pages: a second owner means a loop."""
        for number in range(page, page + count):
            if self._owner_of_page.setdefault(number, reference) != reference:
                raise self.error(number, number * self.meta.page_size, "is reached from two places: a loop, or shared")

    def error(self, page: int, offset: int, problem: str) -> DecodeError:
        """Make the error for a page."""
        return DecodeError(
            f"page {page} at offset {offset} {problem}", path=self.name, hint="copy the file again, or repair it"
        )


@dataclass(frozen=True, slots=True)
class _Page:
    """A page found and checked: where it starts and ends in the file, its number, kind, and count of elements."""

    number: int
    start: int
    end: int
    flags: int
    count: int


class Bucket:
    """A bucket: keys in order, each with bytes or another bucket.

    Parameters
    ----------
    database : Database
    page : int
        Its root page, or the page that it is inline in.
    reference : int
        Offset of what points to it.
    inline : tuple of int, optional
        Start and end of an inline bucket's page in the file.
    """

    def __init__(self, database: Database, *, page: int, reference: int, inline: tuple[int, int] | None = None) -> None:
        self._database = database
        self._page = page
        self._reference = reference
        self._inline = inline

    def entries(self) -> Iterator[tuple[bytes, bytes | Bucket]]:
        """Walk the keys in order.

        Raises
        ------
        cachegraph.errors.DecodeError
            A page is out of range, of the wrong kind, reached twice, out of order, or its elements leave it.
        """
        database = self._database
        stack = [(self._page, self._reference)]
        last: bytes | None = None
        while stack:
            number, reference = stack.pop()
            page = self._inline_page() if self._inline else _page(database, number, reference)
            if page.flags == _BRANCH:
                stack.extend(reversed(list(_children(database, page))))
                continue
            for key, value in _leaves(database, page):
                if last is not None and key <= last:
                    raise database.error(page.number, page.start, f"has key {key[:80]!r} out of order")
                last = key
                yield key, value

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Walk the keys that have a plain value."""
        return ((key, value) for key, value in self.entries() if isinstance(value, bytes))

    def buckets(self) -> Iterator[tuple[bytes, Bucket]]:
        """Walk the keys that have a bucket."""
        return ((key, value) for key, value in self.entries() if isinstance(value, Bucket))

    def _inline_page(self) -> _Page:
        assert self._inline is not None
        start, end = self._inline
        if end - start < _PAGE.size:
            raise self._database.error(self._page, start, "has an inline bucket that is cut short")
        _, flags, count, _ = _PAGE.unpack_from(self._database.data, start)
        if flags != _LEAF:
            raise self._database.error(self._page, start, f"has an inline bucket with flags {flags:#x}, not a leaf")
        return _Page(self._page, start, end, flags, count)


def _page(database: Database, number: int, reference: int) -> _Page:
    meta, data = database.meta, database.data
    start = number * meta.page_size
    if not 2 <= number < meta.high_water:
        raise database.error(number, start, f"is out of range (2..{meta.high_water - 1})")
    if start + meta.page_size > len(data):
        raise database.error(number, start, f"lies beyond the end of the file ({len(data)} bytes): it is truncated")
    identity, flags, count, overflow = _PAGE.unpack_from(data, start)
    if identity != number:
        raise database.error(number, start, f"calls itself page {identity}")
    if flags not in (_BRANCH, _LEAF):
        raise database.error(number, start, f"has flags {flags:#x}, neither branch nor leaf")
    if number + overflow >= meta.high_water:
        raise database.error(number, start, f"has {overflow} overflow pages, more than the file")
    end = start + (overflow + 1) * meta.page_size
    if end > len(data):
        raise database.error(number, start, f"ends beyond the end of the file ({len(data)} bytes): it is truncated")
    database.claim(number, overflow + 1, reference)
    return _Page(number, start, end, flags, count)


def _children(database: Database, page: _Page) -> Iterator[tuple[int, int]]:
    """Give the pages below a branch page, each with the offset of the element that names it."""
    if page.count == 0:
        raise database.error(page.number, page.start, "is a branch without elements")
    free = page.start + _PAGE.size + page.count * _BRANCH_ELEMENT.size
    for index in range(page.count):
        element = page.start + _PAGE.size + index * _BRANCH_ELEMENT.size
        if element + _BRANCH_ELEMENT.size > page.end:
            raise database.error(page.number, page.start, f"has {page.count} elements, more than fit")
        position, key_size, child = _BRANCH_ELEMENT.unpack_from(database.data, element)
        free = _after(database, page, element, position, key_size, free)
        yield child, element


def _leaves(database: Database, page: _Page) -> Iterator[tuple[bytes, bytes | Bucket]]:
    data = database.data
    free = page.start + _PAGE.size + page.count * _LEAF_ELEMENT.size
    for index in range(page.count):
        element = page.start + _PAGE.size + index * _LEAF_ELEMENT.size
        if element + _LEAF_ELEMENT.size > page.end:
            raise database.error(page.number, page.start, f"has {page.count} elements, more than fit")
        flags, position, key_size, value_size = _LEAF_ELEMENT.unpack_from(data, element)
        free = _after(database, page, element, position, key_size + value_size, free)
        start = element + position
        middle = start + key_size
        key = data[start:middle]
        if flags == 0:
            yield key, data[middle:free]
        elif flags == _BUCKET_LEAF:
            yield key, _bucket(database, page, element, middle, free)
        else:
            raise database.error(page.number, element, f"has element flags {flags:#x}, allowed are 0 and 1")


def _after(database: Database, page: _Page, element: int, position: int, size: int, free: int) -> int:
    """Check that an element's bytes lie in its page after those of the element before; give where they end."""
    start = element + position
    if start < free or start + size > page.end:
        raise database.error(page.number, element, f"has an element of {size} bytes that leaves its place")
    return start + size


def _bucket(database: Database, page: _Page, element: int, start: int, end: int) -> Bucket:
    if end - start < _BUCKET.size:
        raise database.error(page.number, element, f"has a bucket of {end - start} bytes, less than {_BUCKET.size}")
    root, _ = _BUCKET.unpack_from(database.data, start)
    if root:
        return Bucket(database, page=root, reference=element)
    return Bucket(database, page=page.number, reference=element, inline=(start + _BUCKET.size, end))


def newest_meta(data: bytes, name: str) -> Meta:
    """Choose the valid meta page with the highest transaction.

    Parameters
    ----------
    data : bytes
        The start of the file, `HEAD_BYTES` or all of it.
    name : str
        What errors call the file.

    Raises
    ------
    cachegraph.errors.DecodeError
        No meta page is valid.
    """
    first = _meta(data, 0)
    if isinstance(first, Meta):
        seconds = [_meta(data, first.page_size)]
    else:
        # Only the first page says where the second one is, so every size is tried (bbolt: getPageSizeFromSecondMeta).
        tries = [(size, _meta(data, size)) for size in _PAGE_SIZES]
        seconds = [meta for size, meta in tries if isinstance(meta, Meta) and meta.page_size == size]
    valid = [meta for meta in (first, *seconds) if isinstance(meta, Meta)]
    if not valid:
        raise DecodeError(
            f"no valid bbolt meta page: page 0 at offset 0 {first}", path=name, hint="give the path of a bbolt file"
        )
    return max(valid, key=lambda meta: meta.txid)


def _meta(data: bytes, offset: int) -> Meta | str:
    """Read a meta page, or say what is wrong with it."""
    start = offset + _PAGE.size
    if start + _META.size > len(data):
        return f"is cut short: {len(data)} bytes"
    magic, version, page_size, _, root, _, _, high_water, txid, checksum = _META.unpack_from(data, start)
    if magic != _MAGIC:
        return f"has magic {magic:#x}, not {_MAGIC:#x}"
    if version != _VERSION:
        return f"has version {version}, only {_VERSION} is known"
    if checksum != _fnv1a(data[start : start + _META.size - 8]):
        return "has a wrong checksum"
    if page_size not in _PAGE_SIZES:
        return f"has page size {page_size}, not a power of two from {_PAGE_SIZES[0]} to {_PAGE_SIZES[-1]}"
    return Meta(page_size=page_size, root=root, high_water=high_water, txid=txid)


def _fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value
