"""The status stream of a build: what the progress display was fed with, in frames of protobuf.

A frame is a length of four bytes, little-endian, and a ``moby.buildkit.v1.StatusResponse``::

    StatusResponse  1 vertexes*   2 statuses*  3 logs*  4 warnings*
    Vertex          1 digest  2 inputs*  3 name  4 cached  5 started  6 completed  7 error
    VertexWarning   1 vertex  2 level  3 short  5 url
    Timestamp       1 seconds  2 nanos

Events of one vertex stand in order, the vertices in none. Logs and transfers are passed over.
Source: BuildKit ``solver/llbsolver/history.go`` (``Status``) and ``api/services/control/control.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.builds.dockerbuild.budget import Meter
from cachegraph.builds.dockerbuild.wire import fields, read_text, read_timestamp
from cachegraph.errors import DecodeError

__all__ = ["Event", "Status", "Time", "Warned", "read_status"]

Time = tuple[int, int]
"""Seconds since 1970 UTC, and nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a vertex (``pb.Vertex``)."""

    digest: str
    name: str
    inputs: tuple[str, ...]
    cached: bool
    started: Time | None
    completed: Time | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One warning (``pb.VertexWarning``)."""

    vertex: str
    short: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a status stream says.

    Attributes
    ----------
    vertices : dict of str to list of Event
        By digest, in order of first appearance.
    warnings : tuple of Warned
    """

    vertices: dict[str, list[Event]]
    warnings: tuple[Warned, ...]


def read_status(data: bytes, meter: Meter) -> Status:
    """Read a status stream.

    Parameters
    ----------
    data : bytes
    meter : Meter
        Counts the events.

    Raises
    ------
    cachegraph.errors.DecodeError
        Cut off, damaged, or over the budget.
    """
    place = f"{meter.place}: status"
    vertices: dict[str, list[Event]] = {}
    warnings: list[Warned] = []
    for frame in _frames(data, place):
        for number, value in fields(frame, place):
            if number not in (1, 4) or not isinstance(value, bytes):
                continue
            meter.count_event()
            if number == 1:
                event = _event(value, place)
                vertices.setdefault(event.digest, []).append(event)
            else:
                warnings.append(_warning(value, place))
    return Status(vertices=vertices, warnings=tuple(warnings))


def _frames(data: bytes, place: str) -> Iterator[bytes]:
    offset = 0
    while offset < len(data):
        length = int.from_bytes(data[offset : offset + 4], "little")
        offset += 4
        if length > len(data) - offset:
            raise DecodeError(
                f"the frame at byte {offset - 4} has {length:,} bytes, {max(0, len(data) - offset):,} are left",
                path=place,
                hint="export it again",
            )
        yield data[offset : offset + length]
        offset += length


def _event(data: bytes, place: str) -> Event:
    texts = {1: "", 3: "", 7: ""}
    times: dict[int, Time | None] = {5: None, 6: None}
    inputs: list[str] = []
    cached = False
    for number, value in fields(data, place):
        if number in texts:
            texts[number] = read_text(value)
        elif number == 2:
            inputs.append(read_text(value))
        elif number == 4:
            cached = bool(value)
        elif number in times:
            times[number] = read_timestamp(value, place)
    return Event(
        digest=texts[1],
        name=texts[3],
        inputs=tuple(inputs),
        cached=cached,
        started=times[5],
        completed=times[6],
        error=texts[7],
    )


def _warning(data: bytes, place: str) -> Warned:
    texts = {1: "", 3: "", 5: ""}
    for number, value in fields(data, place):
        if number in texts:
            texts[number] = read_text(value)
    return Warned(vertex=texts[1], short=texts[3], url=texts[5])
