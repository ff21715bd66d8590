"""``cachegraph explain``: why the steps of a build ran."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from cachegraph.cli.app import complain
from cachegraph.cli.findings import folded
from cachegraph.cli.formats import output_options
from cachegraph.cli.naming import known_names
from cachegraph.cli.options import neo4j_options, not_with, source_options, split_neo4j, takes
from cachegraph.cli.output import Output, json_text, write, write_rows
from cachegraph.cli.sides import New, count, options_of, read_caches, read_new
from cachegraph.cli.stored_sides import stored_before
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport
from cachegraph.errors import CacheGraphError, NotFoundError
from cachegraph.loaders.base import Options
from cachegraph.solver.causes import Explanation
from cachegraph.solver.explain import explain as explain_build
from cachegraph.solver.rows import as_json
from cachegraph.text.clean import one_line

if TYPE_CHECKING:
    from cachegraph.builds.dockerbuild import BuildRecord

__all__ = ["explain"]

_START = re.compile(r" *(?:\d+\. |- )?")
_COLUMNS = ("build", "record", "name", "kind", "first", "begins", "changed", "seconds", "bytes")


@click.command(
    epilog="\b\nExamples:\n  cachegraph explain build.dockerbuild --cache-from example.com/app:cache\n"
    "  cachegraph explain ./now --cache-from ./before --names provenance.json\n"
    "  cachegraph explain ./cache --format json"
)
@takes("NEW")
@source_options
@click.option(
    "--cache-from",
    "caches",
    multiple=True,
    metavar="OLD",
    help="The cache that the build imported, or the export before; may be repeated, in the build's order.",
)
@neo4j_options
@click.option("--buildkit", metavar="VERSION", help="Version of the builder, such as 0.31; without, the newest.")
@output_options()
def explain(
    specs: tuple[str, ...],
    caches: tuple[str, ...],
    buildkit: str | None,
    outputs: tuple[Output, ...],
    neo4j: str | None,
    database: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Say why the steps of a build ran, by first cause, with what changed, what followed and what it cost.

    NEW is a build that ran: an export of any kind, a build record (.dockerbuild), provenance, or an image with inline
    cache. Without --cache-from it is compared with the export before in the same directory, or with the caches that a
    build record says it imported. With --neo4j these come from there: of the same source, or of each imported cache,
    the current export, or the one before if that is NEW itself.
    """
    uri = None
    if neo4j is None:
        not_with({"database": "--database"}, "the SPECs are read without a server", "Give --neo4j.")
    else:
        not_with({"caches": "--cache-from"}, "--neo4j takes the caches from there", "Give one of them.")
        specs, uri = split_neo4j(specs, neo4j)
    count(specs, how, (1,), "one NEW, and the caches with --cache-from")
    olds: Sequence[CacheExport | ExportGraph]
    with options_of(how) as options:
        new = read_new(specs[0], options)
        if neo4j is not None:
            olds = stored_before(_imported(new) or [specs[0]], new.exports, uri, database)
        else:
            olds = _caches(specs[0], new, caches, options)
        known = known_names(how, options, [*new.exports, *olds], came=new.texts)
    imported = known.graphs(olds)
    graphs = ([graph] for graph in known.graphs(new.exports))
    builds: tuple[BuildRecord | list[ExportGraph], ...] = (*new.records, *graphs)
    found = [
        explain_build(build, imported, texts=known.plaintexts, references=known.references, buildkit=buildkit)
        for build in builds
    ]
    for output in outputs:
        _write(found, output)


def _caches(spec: str, new: New, given: tuple[str, ...], options: Options) -> list[CacheExport]:
    """Read the caches: those given, else those of the record, else the export before."""
    if not given and new.records:
        exports, failures = read_caches(_imported(new), options)
        for failure in failures:
            complain(failure)
        return exports
    if not given:
        try:
            return read_caches([f"{spec}^1"], options)[0] or _none(spec)
        except CacheGraphError:
            return _none(spec)
    exports, failures = read_caches(given, options)
    if failures and not exports:
        raise failures[0]
    for failure in failures:
        complain(failure)
    return exports


def _imported(new: New) -> list[str]:
    """List the caches that build records say were imported."""
    return list(
        dict.fromkeys(entry.spec for r in new.records for entry in r.cache_imports if entry.spec and entry.read)
    )


def _none(spec: str) -> list[CacheExport]:
    from cachegraph.loaders.specs.parse import parse

    raise NotFoundError(
        f"{parse(spec).text}: there is no export before it to compare with", hint="give one with --cache-from"
    )


def _write(found: list[Explanation], output: Output) -> None:
    if output.format == "json":
        write(json_text([_as_json(explanation) for explanation in found]), output)
    elif output.format == "table":
        heads = [[one_line(explanation.build)] if len(found) > 1 else [] for explanation in found]
        pages = [[*head, *_folded(e.to_text(), output)] for head, e in zip(heads, found, strict=True)]
        write("\n\n".join("\n".join(page) for page in pages), output)
    else:
        rows = [{"build": explanation.build, **row} for explanation in found for row in explanation.to_dicts()]
        write_rows(rows, _COLUMNS, output)


def _folded(text: str, output: Output) -> Iterator[str]:
    """Fold each line behind the blanks, the number or the dash that it begins with."""
    for line in text.splitlines():
        start = _START.match(line)
        begin = start[0] if start is not None else ""
        yield begin + folded(line[len(begin) :], output, before=len(begin), indent=max(len(begin), 2))


def _as_json(explanation: Explanation) -> dict[str, Any]:
    return {
        "build": explanation.build,
        "caches": list(explanation.caches),
        "summary": explanation.summary,
        "steps": explanation.steps,
        "causes": [{**as_json(cause), "cost": cause.cost} for cause in explanation.causes],
        "misses": explanation.to_dicts(),
        "notes": list(explanation.notes),
    }
