"""Records of an export by what a user calls them: an index, a digest or its first digits, a name."""

from __future__ import annotations

import re

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.text.nearest import did_you_mean

__all__ = ["select", "select_target"]

_DIGITS = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})", re.ASCII)
_STAGE = re.compile(r"\[(?:\S+/\S+ )?(?P<stage>\S+) (?P<place>\d+)/(?P<count>\d+)\]")
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


def select_target(graph: ExportGraph, wanted: int | str) -> list[int]:
    """Find what a build is for: what `select` takes, or a stage by its name, which stands for its last step.

    Parameters
    ----------
    graph : ExportGraph
        Stages are known where names tell them: those of a build record or of a builder's progress,
        ``[build 5/6] RUN make``.
    wanted : int or str
        Of a stage that is built for several platforms, the last step of each is meant.

    Raises
    ------
    UnknownNameError, UsageError
        As `select`; the message names the stages that are known.
    """
    stages = _stages(graph) if isinstance(wanted, str) else {}
    if isinstance(wanted, str) and not wanted.isdecimal() and wanted.casefold() in stages:
        return stages[wanted.casefold()]
    try:
        return select(graph, wanted)
    except UnknownNameError as error:
        if not stages:
            raise
        raise UnknownNameError(error.message, hint=did_you_mean(str(wanted), tuple(stages), "stages")) from None


def _stages(graph: ExportGraph) -> dict[str, list[int]]:
    """Give the last steps of each stage, by its name in lower case, as BuildKit compares them."""
    stages: dict[str, list[int]] = {}
    for index in range(len(graph.export.config.records)):
        found = _STAGE.match(graph.naming(index).name)
        if found is not None and found["place"] == found["count"]:
            stages.setdefault(found["stage"].casefold(), []).append(index)
    return stages
