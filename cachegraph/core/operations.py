"""Operations that a digest alone gives away.

A record's digest is ``sha256("<cache map digest>@<output index>")``, the cache map digest being the sha256 of a small
JSON text. For merge and diff that text is a constant, and for an image source it is the image's chain ID.

Sources: BuildKit ``solver/llbsolver/ops/merge.go`` and ``diff.go`` (``CacheMap``), ``source/containerimage/pull.go``
(``cacheKeyFromConfig``), ``solver/cachekey.go`` and ``cachemanager.go`` (``rootKey``, ``outputKey``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

from cachegraph.core.model import Op

__all__ = ["MAX_MERGE_INPUTS", "chain_ids", "image_digest", "operation", "operation_digests", "record_digest"]

MAX_MERGE_INPUTS = 256
"""Widest merge in the table."""

_DIFFS = {
    '{"lower":{},"upper":{"input":1}}': 2,
    '{"lower":{"input":0},"upper":{"input":1}}': 2,  # older builders wrote the zero
    '{"lower":{},"upper":{"input":-1}}': 1,  # of something and nothing
    '{"lower":{"input":-1},"upper":{}}': 1,  # of nothing and something
}
"""What a diff hashes, and its number of slots."""


def record_digest(text: str, output: int = 0) -> str:
    """Digest of the record for an operation whose cache map is this text.

    Parameters
    ----------
    text : str
        What BuildKit hashes into the cache map's digest.
    output : int
        Output index; -1 marks a content key.

    Returns
    -------
    str

    Examples
    --------
    >>> record_digest('{"Type":"buildkit.merge.v0","Merge":{"inputs":[{},{"input":1}]}}')[:19]
    'sha256:5dbfbafede47'
    """
    return _sha256(f"{_sha256(text)}@{output}")


@cache
def operation_digests() -> dict[str, tuple[Op, int]]:
    """Give the digests of merge and diff records.

    Returns
    -------
    dict of str to tuple of (Op, int)
        The operation, and its number of slots.
    """
    table: dict[str, tuple[Op, int]] = {
        record_digest(f'{{"Type":"buildkit.diff.v0","Diff":{text}}}'): ("diff", slots) for text, slots in _DIFFS.items()
    }
    for first in ("{}", '{"input":0}'):  # older builders wrote the zero
        joined = first
        for width in range(2, MAX_MERGE_INPUTS + 1):
            joined += f',{{"input":{width - 1}}}'
            digest = record_digest(f'{{"Type":"buildkit.merge.v0","Merge":{{"inputs":[{joined}]}}}}')
            table[digest] = ("merge", width)
    return table


def operation(digest: str, slots: int) -> Op | None:
    """Name the operation that a record's digest gives away; None for any but merge and diff.

    Parameters
    ----------
    digest : str
    slots : int
        Number of the record's slots, which must agree.
    """
    known, width = operation_digests().get(digest, (None, 0))
    return known if width == slots else None


def chain_ids(diff_ids: Sequence[str]) -> list[str]:
    """OCI chain IDs of every prefix of an image's layers.

    Parameters
    ----------
    diff_ids : sequence of str
        Bottom first.

    Returns
    -------
    list of str
        ``chain_ids(d)[n]`` names the image of the first ``n + 1`` layers.
    """
    chain: list[str] = []
    for diff_id in diff_ids:
        chain.append(_sha256(f"{chain[-1]} {diff_id}") if chain else diff_id)
    return chain


def image_digest(key: str) -> str:
    """Digest of the record of an image source.

    Parameters
    ----------
    key : str
        The image's chain ID.

    Returns
    -------
    str
    """
    return _sha256(f"{_sha256(f'buildkit.source.v0:{key}')}@0")


def _sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
