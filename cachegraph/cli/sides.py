"""The reading of what is compared or explained: exports, earlier ones of the same cache, build records, provenance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cachegraph.builds.plaintexts import Plaintext
from cachegraph.cli.output import ROWS, Output, json_text, write, write_rows
from cachegraph.cli.progress import progress
from cachegraph.cli.reading import loader_options
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport, Name, Names
from cachegraph.errors import CacheGraphError
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options
from cachegraph.text.clean import one_line

if TYPE_CHECKING:
    from cachegraph.builds.dockerbuild import BuildRecord

__all__ = [
    "Known",
    "New",
    "count",
    "known_names",
    "options_of",
    "read_caches",
    "read_exports",
    "read_new",
    "short_digests",
]

_MAX_PROVENANCE = 64 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of digests: names, plaintexts, and how users call images."""

    names: Names = field(default_factory=Names)
    texts: Mapping[str, Plaintext] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, Name] = field(default_factory=dict)

    @staticmethod
    def of(
        texts: Mapping[str, Plaintext], references: Mapping[str, str], lines: Mapping[str, Name] | None = None
    ) -> Known:
        """Name what these plaintexts name; names with lines come first."""
        if not texts:
            return Known()
        from cachegraph.builds.plaintext_names import name_all

        found = name_all(texts, references)
        names = Names(records={**found.records, **(lines or {})}, selectors=found.selectors)
        return Known(names=names, texts=texts, references=references, lines=lines or {})

    def beside(self, texts: Mapping[str, Plaintext]) -> Known:
        """Add plaintexts that came with a build."""
        return Known.of({**texts, **self.texts}, self.references, self.lines) if texts else self


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


def options_of(how: Mapping[str, Any]) -> Options:
    """Make the loaders' options, with progress on a terminal."""
    with progress() as report:
        return loader_options(how, report)


def known_names(sources: Iterable[str], options: Options) -> Known:
    """Read the sources of ``--names``; of a digest that several name, the last counts."""
    texts: dict[str, Plaintext] = {}
    references: dict[str, str] = {}
    lines: dict[str, Name] = {}
    for source in sources:
        from cachegraph.loaders.names.read import read_texts

        found = read_texts(source, options)
        texts |= found.plaintexts
        references |= found.references
        lines |= found.names
    return Known.of(texts, references, lines)


def read_exports(spec: str, options: Options, names: Names) -> list[ExportGraph]:
    """Read the exports that a spec names; ``SPEC^1`` is the one before.

    Raises
    ------
    cachegraph.errors.CacheGraphError
        It cannot be read.
    """
    from cachegraph.loaders.previous import before, split_version

    text, back = split_version(spec)
    if back:
        return [ExportGraph(before(text, back, options), names)]
    loaded = catalogue.load([text], options)
    if loaded.failures:
        raise loaded.failures[0].error
    return [ExportGraph(export, names) for export in loaded.exports]


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
    return New(exports=tuple(graph.export for graph in read_exports(spec, options, Names())))


def _provenance(path: Path) -> bytes | None:
    """Read a file if it is provenance."""
    from cachegraph.loaders.names.read import is_provenance

    try:
        with path.open("rb") as file:
            data = file.read(_MAX_PROVENANCE)
    except OSError:
        return None
    return data if data[:1] == b"{" and is_provenance(data) else None


def read_caches(
    specs: Iterable[str], options: Options, names: Names
) -> tuple[list[ExportGraph], list[CacheGraphError]]:
    """Read what a build imported; what cannot be read does not keep the rest from being read."""
    graphs: list[ExportGraph] = []
    failures: list[CacheGraphError] = []
    for spec in specs:
        try:
            graphs += read_exports(spec, options, names)
        except CacheGraphError as error:
            failures.append(error)
    return graphs, failures


def write_answer(
    answer: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], columns: Sequence[str], summary: str, output: Output
) -> None:
    """Write an answer: as JSON all of it, as a table with its summary below, else its rows."""
    if output.format == "json":
        write(json_text(answer), output)
    elif output.format == "table":
        shown = [ROWS["table"](short_digests(rows), columns, "", output)] if rows else []
        write("\n\n".join([*shown, one_line(summary)]), output)
    else:
        write_rows(rows, columns, output)


def short_digests(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Shorten digests for people; other programs get them whole."""
    return [{key: _short(value) for key, value in row.items()} for row in rows]


def _short(value: object) -> object:
    if isinstance(value, str):
        return _DIGEST.sub(lambda match: match[0][:19], value)
    return [_short(item) for item in value] if isinstance(value, list) else value
