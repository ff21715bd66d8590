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

__all__ = ["MAX_MERGE_INPUTS", "chain_ids", "image_digest", "merge_width", "operation_digests", "record_digest"]

MAX_MERGE_INPUTS = 256
"""Widest merge in the table."""

_DIFFS = (
    '{"Type":"buildkit.diff.v0","Diff":{"lower":{},"upper":{"input":1}}}',
    '{"Type":"buildkit.diff.v0","Diff":{"lower":{"input":0},"upper":{"input":1}}}',
)


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
def operation_digests() -> dict[str, int]:
    """Digests of merge and diff records.

    Returns
    -------
    dict of str to int
        The number of inputs of a merge; 0 stands for a diff (which has two).
    """
    table = {record_digest(text): 0 for text in _DIFFS}
    for first in ("{}", '{"input":0}'):  # older builders wrote the zero
        joined = first
        for width in range(2, MAX_MERGE_INPUTS + 1):
            joined += f',{{"input":{width - 1}}}'
            table[record_digest(f'{{"Type":"buildkit.merge.v0","Merge":{{"inputs":[{joined}]}}}}')] = width
    return table


def merge_width(digest: str) -> int | None:
    """Count the inputs of the merge that has this digest; 0 stands for a diff, None for anything else.

    Parameters
    ----------
    digest : str
    """
    return operation_digests().get(digest)


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
