"""The lines of a Dockerfile that provenance keeps beside the build's operations.

Provenance with ``mode=max`` holds the Dockerfile itself and, for each operation, where it stands in it::

    {"runDetails": {"metadata": {"buildkit_metadata": {"source": {
       "infos": [{"filename": "Dockerfile", "data": "<base64>"}],
       "locations": {"step4": {"locations": [{"ranges": [{"start": {"line": 4}, "end": {"line": 4}}]}]}}}}}}}

In SLSA v0.2 the same is in ``metadata``, under ``https://mobyproject.org/buildkit@v1#metadata``.
Source: BuildKit ``solver/llbsolver/provenance/types`` (``BuildKitMetadata``), ``solver/pb`` (``SourceInfo``,
``Locations``).
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from cachegraph.core.untrusted import known_json

__all__ = ["StepLines", "step_lines"]

_MOST_LINES = 10_000  # of one instruction


class _Position(msgspec.Struct, frozen=True):
    line: int = 0


class _Range(msgspec.Struct, frozen=True):
    start: _Position = _Position()
    end: _Position = _Position()


class _Location(msgspec.Struct, frozen=True, rename="camel"):
    source_index: int = 0
    ranges: tuple[_Range, ...] | None = None


class _Locations(msgspec.Struct, frozen=True):
    locations: tuple[_Location, ...] | None = None


class _Info(msgspec.Struct, frozen=True):
    filename: str = ""
    data: bytes = b""


class _Source(msgspec.Struct, frozen=True):
    infos: tuple[_Info, ...] | None = None
    locations: dict[str, _Locations] | None = None


class _BuildKit(msgspec.Struct, frozen=True):
    source: _Source = _Source()


class _Metadata(
    msgspec.Struct,
    frozen=True,
    rename={"old": "https://mobyproject.org/buildkit@v1#metadata", "new": "buildkit_metadata"},
):
    old: _BuildKit | None = None
    new: _BuildKit | None = None


class _RunDetails(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _Predicate(msgspec.Struct, frozen=True, rename="camel"):
    metadata: _Metadata = _Metadata()
    run_details: _RunDetails = _RunDetails()


class _Statement(_Predicate, frozen=True):
    predicate: _Predicate | None = None


_STATEMENT = msgspec.json.Decoder(_Statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLines:
    """Where an operation stands: its instruction, whole lines with their ends, and the first line of each place."""

    text: str
    file: str
    lines: tuple[int, ...]


def step_lines(data: bytes) -> dict[str, StepLines]:
    """Read the instructions of a build's operations, by the operation's id in the provenance.

    Parameters
    ----------
    data : bytes
        A statement or a predicate; of anything else nothing is known.
    """
    statement = known_json(data, _STATEMENT)
    if statement is None:
        return {}
    predicate = statement.predicate or statement
    found = (predicate.run_details.metadata.new, predicate.metadata.old, predicate.metadata.new)
    source = next((one.source for one in found if one is not None), _Source())
    files = [(info.filename, info.data.decode(errors="replace").split("\n")) for info in source.infos or ()]
    steps = {}
    for step, places in (source.locations or {}).items():
        told = _told(places, files)
        if told is not None:
            steps[step] = told
    return steps


def _told(places: _Locations, files: list[tuple[str, list[str]]]) -> StepLines | None:
    found: list[tuple[int, int, int]] = []
    for location in places.locations or ():
        for span in location.ranges or ():
            start, end = span.start.line, min(span.end.line, span.start.line + _MOST_LINES)
            if 0 <= location.source_index < len(files) and 0 < start <= end <= len(files[location.source_index][1]):
                found.append((location.source_index, start, end))
    if not found:
        return None
    index, start, end = found[0]
    file, lines = files[index]
    text = "\n".join(line.rstrip("\r") for line in lines[start - 1 : end])
    starts = sorted({first for which, first, _ in found if which == index})
    return StepLines(text=text.strip(), file=file or "Dockerfile", lines=tuple(starts))
