"""The reading of what is compared or explained: exports, earlier ones of the same cache, build records, provenance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cachegraph.builds.plaintexts import Plaintext
from cachegraph.cli.findings import folded
from cachegraph.cli.output import ROWS, Output, json_text, write, write_rows
from cachegraph.cli.progress import progress
from cachegraph.cli.reading import loader_options
from cachegraph.core.model import CacheExport
from cachegraph.errors import CacheGraphError
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options

if TYPE_CHECKING:
    from cachegraph.builds.dockerbuild import BuildRecord

__all__ = [
    "New",
    "count",
    "options_of",
    "read_caches",
    "read_exports",
    "read_new",
    "short_digests",
]

_MAX_PROVENANCE = 64 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A build to explain: its exports, or its records; and the plaintexts that came with it."""

    exports: tuple[CacheExport, ...] = ()
    records: tuple[BuildRecord, ...] = ()
    texts: Mapping[str, Plaintext] = field(default_factory=dict)


def count(specs: Sequence[str], how: Mapping[str, Any], numbers: Iterable[int], usage: str) -> None:
    """Refuse another number of SPECs than the command takes."""
    if how["files"] or len(specs) not in numbers:
        raise click.UsageError(f"give {usage}")


@contextmanager
def options_of(how: Mapping[str, Any]) -> Iterator[Options]:
    """Make the loaders' options; what is read with them shows its progress."""
    with progress() as report:
        yield loader_options(how, report)


def read_exports(spec: str, options: Options) -> Sequence[CacheExport]:
    """Read the exports that a spec names; ``SPEC^1`` is the one before.

    Raises
    ------
    cachegraph.errors.CacheGraphError
        It cannot be read.
    """
    from cachegraph.loaders.previous import before, split_version

    text, back = split_version(spec)
    if back:
        return [before(text, back, options)]
    loaded = catalogue.load([text], options)
    if loaded.failures:
        raise loaded.failures[0].error
    return loaded.exports


def read_new(spec: str, options: Options) -> New:
    """Read a build that ran: an export of any kind, a build record, or provenance.

    Raises
    ------
    cachegraph.errors.CacheGraphError
        It cannot be read.
    """
    path = Path(spec).expanduser()
    if path.is_file():
        from cachegraph.builds.dockerbuild import is_record, load_record

        if is_record(path):
            return New(records=load_record(path))
        if (data := _provenance(path)) is not None:
            from cachegraph.builds.dockerbuild.keys import build_keys
            from cachegraph.builds.dockerbuild.operations import read_operations

            operations = read_operations(data, str(path))
            texts = {key: text for one in operations.steps.values() for key, text in one.plaintexts.items()}
            return New(exports=(build_keys(operations, str(path)).export,), texts=texts)
    return New(exports=tuple(read_exports(spec, options)))


def _provenance(path: Path) -> bytes | None:
    """Read a file if it is provenance."""
    from cachegraph.loaders.names.read import is_provenance

    try:
        with path.open("rb") as file:
            data = file.read(_MAX_PROVENANCE)
    except OSError:
        return None
    return data if data[:1] == b"{" and is_provenance(data) else None


def read_caches(specs: Iterable[str], options: Options) -> tuple[list[CacheExport], list[CacheGraphError]]:
    """Read what a build imported; what cannot be read does not keep the rest from being read."""
    exports: list[CacheExport] = []
    failures: list[CacheGraphError] = []
    for spec in specs:
        try:
            exports += read_exports(spec, options)
        except CacheGraphError as error:
            failures.append(error)
    return exports, failures


def write_answer(
    answer: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    summary: str,
    output: Output,
    *,
    shown: tuple[Sequence[Mapping[str, Any]], Sequence[str]] | None = None,
) -> None:
    """Write an answer: as JSON all of it, as a table with its summary below, else its rows.

    Parameters
    ----------
    answer : mapping
    rows : sequence of mapping
    columns : sequence of str
        Of the rows.
    summary : str
    output : Output
    shown : tuple of (rows, columns), optional
        What a table has for people, where that is something else.
    """
    if output.format == "json":
        write(json_text(answer), output)
    elif output.format == "table":
        told, headings = shown or (rows, columns)
        table = [ROWS["table"](short_digests(told), headings, "", output)] if told else []
        write("\n\n".join([*table, folded(summary, output, before=0, indent=2)]), output)
    else:
        write_rows(rows, columns, output)


def short_digests(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Shorten digests for people; other programs get them whole."""
    return [{key: _short(value) for key, value in row.items()} for row in rows]


def _short(value: object) -> object:
    if isinstance(value, str):
        return _DIGEST.sub(lambda match: match[0][:19], value)
    return [_short(item) for item in value] if isinstance(value, list) else value
