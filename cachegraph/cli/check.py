"""``cachegraph check``: the main job. Read exports, ask everything, say what is wrong and what to do."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from cachegraph.cli.answer import Answer
from cachegraph.cli.formats import output_options
from cachegraph.cli.judging import Policy, judging_options
from cachegraph.cli.options import (
    FAIL_ON,
    NAMES,
    SOURCE_OPTIONS,
    fail_on_option,
    neo4j_options,
    not_with,
    open_store,
    source_options,
)
from cachegraph.cli.output import Output, say, write
from cachegraph.cli.places import at_option, named_places, unread_sources
from cachegraph.cli.reading import read_specs
from cachegraph.cli.reports import REPORTS
from cachegraph.core.versions import parse_version
from cachegraph.errors import NotFoundError
from cachegraph.loaders.limits import parse_limits
from cachegraph.queries.base import SEVERITIES
from cachegraph.queries.findings import Findings
from cachegraph.reports.model import Place
from cachegraph.schema.summary import summarise
from cachegraph.solver.together import together
from cachegraph.text.words import plural

__all__ = ["check", "fails"]

_PROBED = 200
"""Blobs of all SPECs together that stores are asked for without ``--probe``."""


@click.command(
    epilog="\b\nExamples:\n  cachegraph check ./cache\n  cachegraph check app:latest --format sarif=cache.sarif\n"
    "  cachegraph check --neo4j"
)
@source_options
@output_options(only=tuple(REPORTS))
@fail_on_option("error")
@judging_options
@at_option
@click.option(
    "--buildkit",
    metavar="VERSION",
    help="Version of the builder that imports the caches, such as 0.31 (default: the newest).",
)
@click.option("--all", "everything", is_flag=True, help="Show every finding in the table, notes included.")
@neo4j_options
@click.option("--export", help="With --neo4j: id of one export, or source of current ones.")
def check(
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    fail_on: str,
    neo4j: str | None,
    database: str | None,
    export: str | None,
    *,
    everything: bool,
    policy: Policy,
    at: Place | None,
    buildkit: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Read every export that the SPECs name, ask every question, say what is wrong and what to do.

    A SPEC is what buildx takes for --cache-from (type=local,src=DIR, type=registry,ref=REF, ...), a path, or an image
    reference. The files of --from-file are looked at as lint does, beside the caches that they name. With --neo4j the
    exports that were loaded into the server are asked instead.
    """
    if everything and all(output.format != "table" for output in outputs):
        not_with({"everything": "--all"}, "only the table folds findings", "The other formats have all of them.")
    parse_version(buildkit)  # before anything is read
    judge = policy.judge()
    if neo4j is not None:
        answer, code, unread_names = _asked_of_server(neo4j, database, export, buildkit), 0, []
    else:
        not_with(
            {"database": "--database", "export": "--export"}, "the SPECs are read without a server", "Give --neo4j."
        )
        # A table has all of what could not be read; at the end of a screen it is said that there is such a thing.
        in_table = any(output.format == "table" and output.path is None for output in outputs)
        read = read_specs(specs, how, _PROBED, is_told=in_table)
        unread_names = [failure.spec for failure in read.failures if failure.spec != NAMES] if in_table else []
        names = {digest: name for graph in read.graph for digest, name in graph.names.records.items()}
        findings = read.graph.check(buildkit)
        settings, named, unread = None, named_places(read, at), unread_sources(read)
        shared: tuple[str, ...] = ()
        if how["files"]:
            from cachegraph.cli.alongside import lint_files, shared_sentences

            settings = lint_files(how["files"], parse_limits(how["limits"]), fail_on)
            places = [place for places in named.values() for place in places]
            shared = shared_sentences(settings, [*places, *(one.place for one in unread)])
        answer = Answer(
            exports=[summarise(graph) for graph in read.graph],
            findings=findings,
            verdicts=read.graph.verdict(findings),
            failures=read.failures,
            places={digest: name.places for digest, name in names.items() if name.places},
            named=named,
            unread=unread,
            settings=settings,
            shared=shared,
            together=together(read.graph) if len(read.graph.graphs) > 1 else None,
        )
        code = read.exit_code
    policy.write(answer.judged(policy.judge()).to_baseline(), complete=not code)
    answer = replace(answer.judged(judge), fail_on=fail_on, buildkit=buildkit)
    for output in outputs:
        write(REPORTS[output.format](answer, output, everything), output)
    if unread_names:
        say(f"{plural(len(unread_names), 'source')} could not be read: {', '.join(unread_names)}")
    worse = fails(answer.findings, fail_on) or int(answer.settings is not None and answer.settings.fails)
    sys.exit(code or worse)


def _asked_of_server(neo4j: str, database: str | None, export: str | None, buildkit: str | None) -> Answer:
    not_with(SOURCE_OPTIONS, "--neo4j asks what was loaded", "Load the SPECs first: cachegraph load SPEC --neo4j.")
    with open_store(neo4j or None, database) as store:
        findings = store.check(export, buildkit)
        stored = store.exports(history=export is not None)
    asked = [one for one in stored if one.id == export or (one.current and export in (None, one.source))]
    if not asked:
        what = "no export" if export is None else f"no export {export}"
        raise NotFoundError(f"the server holds {what}", hint="cachegraph neo4j contents lists what is there")
    return Answer(exports=asked, findings=findings)


def fails(findings: Findings[Any], fail_on: str) -> int:
    """Give the exit code that the findings mean: 1 if one is at least as severe as `fail_on`, else 0."""
    worst = findings.worst()
    if fail_on == "never" or worst is None:
        return 0
    return int(SEVERITIES.index(worst) <= FAIL_ON.index(fail_on))
