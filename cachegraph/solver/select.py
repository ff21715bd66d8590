"""Records of an export by what a user calls them: an index, a digest or its first digits, a name."""

from __future__ import annotations

import re

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.text.nearest import did_you_mean

__all__ = ["select"]

_DIGITS = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})", re.ASCII)
_MOST = 5


def select(graph: ExportGraph, wanted: int | str) -> list[int]:
    """Find the records that a user means.

    Parameters
    ----------
    graph : ExportGraph
    wanted : int or str
        Index; digest, or at least six of its first digits; name, or a part of it that only one name has. Digests and
        names repeat within an export: then all of their records are meant.

    Returns
    -------
    list of int

    Raises
    ------
    UnknownNameError
        Nothing is called so.
    UsageError
        A part of several names.
    """
    if isinstance(wanted, int) or (wanted.isdecimal() and len(wanted) < 6):
        graph.record(int(wanted))
        return [int(wanted)]
    records = graph.export.config.records
    if found := [index for index, record in enumerate(records) if record.digest == wanted]:
        return found
    if digits := _DIGITS.fullmatch(wanted.lower()):
        found = [i for i, record in enumerate(records) if record.digest.startswith(f"sha256:{digits[1]}")]
        if found:
            if len({records[index].digest for index in found}) > 1:
                raise UsageError(f"{wanted}: several digests begin so", hint="give more digits")
            return found
    names = [graph.naming(index).name for index in range(len(records))]
    if found := [index for index, name in enumerate(names) if name == wanted]:
        return found
    part = wanted.casefold()
    found = [index for index, name in enumerate(names) if part and part in name.casefold()]
    distinct = list(dict.fromkeys(names[index] for index in found))
    if len(distinct) > 1:
        some = "; ".join(distinct[:_MOST]) + (f"; and {len(distinct) - _MOST} more" if len(distinct) > _MOST else "")
        raise UsageError(f"{wanted!r} is a part of {len(distinct)} names", hint=f"give more of one of: {some}")
    if not found:
        known = [name for name in dict.fromkeys(names) if name]
        hint = did_you_mean(wanted, known, "names") if known else "no names are known: give an index or a digest"
        raise UnknownNameError(f"{graph.export.source}: no step or source is called {wanted!r}", hint=hint)
    return found
