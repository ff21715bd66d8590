"""The reading of a build record: container, config, progress and provenance, put together."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from cachegraph.builds.dockerbuild import executed
from cachegraph.builds.dockerbuild.budget import Budget, Meter
from cachegraph.builds.dockerbuild.container import Container, Descriptor, open_container
from cachegraph.builds.dockerbuild.history import History, read_history, read_imports
from cachegraph.builds.dockerbuild.model import BuildRecord, CacheImport, RecordStep, RecordWarning
from cachegraph.builds.dockerbuild.operations import Operations, merge_operations, read_operations
from cachegraph.builds.dockerbuild.status import Event, Status, read_status
from cachegraph.errors import CacheGraphError, DecodeError

__all__ = ["is_record", "load_record"]

_CONFIG = "application/vnd.buildkit.historyrecord.v0"
_STATUS = "application/vnd.buildkit.status.v0"
_PREDICATE_TYPE = "in-toto.io/predicate-type"
_SLSA = "https://slsa.dev/provenance/"
_HINT = "give a file that `docker buildx history export` wrote, or the artifact of docker/build-push-action"
_IMPORTING = "importing cache manifest from "
_CLIENT = re.compile(
    r"importing cache manifest from |exporting |\[(?:\S+ )?internal\] load |\[auth\] |resolve image config "
)


def load_record(path: str | os.PathLike[str], *, budget: Budget | None = None) -> tuple[BuildRecord, ...]:
    """Read the builds of a build record file (``.dockerbuild``).

    Parameters
    ----------
    path : path-like
        What ``docker buildx history export`` wrote, or the artifact that docker/build-push-action uploads.
    budget : Budget, optional
        What reading may cost.

    Returns
    -------
    tuple of BuildRecord
        One for each build in the file, oldest first.

    Raises
    ------
    cachegraph.errors.NotFoundError
        No such file.
    cachegraph.errors.AccessError
        No right to read it.
    cachegraph.errors.DecodeError
        No build record, a damaged one, or one that is over the budget.
    """
    place = os.fspath(path)
    meter = Meter(budget or Budget(), place)
    container = open_container(Path(place).expanduser(), meter)
    parts = [_Part(container, meter, *found) for found in container.records() if found[1].media_type == _CONFIG]
    if not parts:
        raise DecodeError("there is no build record in it", path=place, hint=_HINT)
    # Targets of one bake share the solver: the record of one holds steps of the others, under the same vertex digests.
    everything = merge_operations(part.operations for part in parts)
    parts.sort(key=lambda part: part.history.created or (0, 0))
    return tuple(part.record(everything) for part in parts)


def is_record(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is a build record, without reading its builds; an image layout is none."""
    meter = Meter(Budget(bytes=64 << 20, seconds=10), os.fspath(path))
    try:
        if not Path(path).is_file():
            return False
        found = open_container(Path(path), meter).records()
    except CacheGraphError:
        return False
    return any(config.media_type == _CONFIG for _, config, _ in found)


class _Part:
    """The documents of one record."""

    def __init__(
        self,
        container: Container,
        meter: Meter,
        reference: str,
        config: Descriptor,
        layers: Sequence[Descriptor],
    ) -> None:
        place = meter.place
        self.source = place
        self.reference = reference
        self.history: History = read_history(container.blob(config), place)
        self.imports = read_imports(self.history.attributes.get("cache-imports", ""), place)
        streams = [read_status(container.blob(layer), meter) for layer in layers if layer.media_type == _STATUS]
        self.status = _joined(streams)
        self.operations = merge_operations(
            read_operations(container.blob(layer), f"{place}: {layer.digest}")
            for layer in layers
            if layer.annotations.get(_PREDICATE_TYPE, "").startswith(_SLSA)
        )

    def record(self, everything: Operations) -> BuildRecord:
        """Put the documents together; `everything` are the operations of all records of the file."""
        history = self.history
        asked = history.attributes.get("platform", "") or history.default_platform
        steps = [_step(digest, events, everything) for digest, events in self.status.vertices.items()]
        return BuildRecord(
            source=self.source,
            ref=history.ref or self.reference,
            attributes=history.attributes,
            platforms=tuple(filter(None, asked.split(","))),
            created=executed.time_text(history.created),
            completed=executed.time_text(history.completed),
            error=history.error,
            image_digest=history.image_digest,
            steps=tuple(sorted(steps, key=lambda step: (step.started is None, step.started or ""))),
            cache_imports=tuple(self._imports()),
            cached_steps=history.cached_steps,
            total_steps=history.total_steps,
            completed_steps=history.completed_steps,
            warnings=tuple(RecordWarning(vertex=w.vertex, text=w.short, url=w.url) for w in self.status.warnings),
            operations=self.operations,
        )

    def _imports(self) -> Iterable[CacheImport]:
        """Match the imports that were asked for with what the progress says became of them."""
        found: dict[str, list[list[Event]]] = defaultdict(list)
        for events in self.status.vertices.values():
            name = events[0].name
            if name.startswith(_IMPORTING):
                found[name.removeprefix(_IMPORTING)].append(events)
        for entry in self.imports:
            # A registry's vertex says its reference; the others a hash of attributes that were cut out of the record.
            names = [
                name
                for name in found
                if name == entry.attrs.get("ref") or (entry.type != "registry" and name.startswith(f"{entry.type}:"))
            ]
            errors = {executed.error_of(events) for name in names for events in found[name]}
            known = len(errors) == 1
            error = errors.pop() if known else None
            yield CacheImport(
                type=entry.type, attributes=entry.attrs, read=error is None if known else None, error=error
            )


def _joined(streams: Sequence[Status]) -> Status:
    """Join status streams; a record has one."""
    vertices: dict[str, list[Event]] = {}
    for stream in streams:
        for digest, events in stream.vertices.items():
            vertices.setdefault(digest, []).extend(events)
    return Status(vertices=vertices, warnings=tuple(w for stream in streams for w in stream.warnings))


def _step(digest: str, events: Sequence[Event], operations: Operations) -> RecordStep:
    operation = operations.steps.get(digest)
    name = events[-1].name
    digests = operation.record_digests if operation else () if _is_client(events) else None
    return RecordStep(
        digest=digest,
        name=name,
        inputs=next((event.inputs for event in events if event.inputs), ()),
        executed=executed.was_executed(events),
        loaded=executed.was_loaded(events),
        cached=executed.was_cached(events),
        started=executed.started_first(events),
        completed=executed.completed_last(events),
        seconds=executed.seconds_spent(events),
        error=executed.error_of(events),
        record_digests=digests,
    )


def _is_client(events: Sequence[Event]) -> bool:
    """Tell the work of the client and of the frontend from that of the solver, which has cache records."""
    return not events[0].inputs and _CLIENT.match(events[0].name) is not None
