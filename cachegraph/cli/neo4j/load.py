"""``cachegraph load``: exports into Neo4j, in batches, never half-loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cachegraph.cli.app import complain
from cachegraph.cli.findings import folded
from cachegraph.cli.formats import output_options
from cachegraph.cli.neo4j.listings import listings
from cachegraph.cli.options import neo4j_options, open_store, source_options, split_neo4j
from cachegraph.cli.output import Output, json_text, say, write
from cachegraph.cli.progress import progress
from cachegraph.cli.reading import exit_code, loader_options, named_specs, read_names
from cachegraph.core.graph import ExportGraph
from cachegraph.loaders import catalogue, several
from cachegraph.loaders.base import Options, Spec
from cachegraph.text.words import plural

if TYPE_CHECKING:
    from cachegraph.stores.neo4j import Listing, Look, WriteSummary

__all__ = ["load"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """How many places may fail: a number, or a share of those that were looked at."""

    number: int | None = None
    percent: float | None = None

    def enough(self, failed: int, looks: int) -> bool:
        """Tell whether so many failures are still allowed."""
        if self.percent is not None:
            return failed * 100 <= self.percent * looks
        return failed <= (self.number or 0)


class Failures(click.ParamType[Allowed]):
    """``3`` or ``0.5%``."""

    name = "failures"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Allowed:  # noqa: ANN401 - what click hands over
        """Read a number or a share."""
        if isinstance(value, Allowed):
            return value
        text = str(value).strip()
        try:
            allowed = Allowed(percent=float(text[:-1])) if text.endswith("%") else Allowed(number=int(text))
        except ValueError:
            allowed = Allowed(number=-1)
        if (allowed.number or 0) < 0 or not 0 <= (allowed.percent or 0) <= 100:
            self.fail(f"{value!r} is neither a number, such as 3, nor a share, such as 0.5%", param, ctx)
        return allowed


@click.command(
    epilog="\b\nExamples:\n  cachegraph neo4j up && cachegraph load ./cache --neo4j\n"
    "  cachegraph load --all-tags example.com/app --neo4j neo4j://db.example.com\n"
    "  cachegraph load --all-tags example.com/app --allow-failures 1%"
)
@source_options
@neo4j_options
@click.option("--replace", is_flag=True, help="Remove earlier exports of the same sources, instead of keeping them.")
@click.option(
    "--allow-failures",
    "allowed",
    type=Failures(),
    metavar="N|P%",
    help="Exit with 0 although so many sources failed, or so large a share of them; by default none.",
)
@output_options(only=("table", "json"))
def load(
    specs: tuple[str, ...],
    neo4j: str | None,
    database: str | None,
    outputs: tuple[Output, ...],
    allowed: Allowed | None,
    *,
    replace: bool,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Load every export that the SPECs name into Neo4j.

    What is there already is skipped after one look; a load that was interrupted starts again from the beginning.
    Credentials come from NEO4J_USERNAME and NEO4J_PASSWORD; without NEO4J_URI, the server that `cachegraph neo4j up`
    started is used.
    """
    from cachegraph.stores.neo4j import StoppedError

    specs, uri = split_neo4j(specs, neo4j)
    every = named_specs(specs, how)
    failures: list[catalogue.Failure] = []
    stopped: StoppedError | None = None
    with open_store(uri, database) as store, progress() as report:
        options = loader_options(how, report)
        try:
            done = store.write(_given(every, options, how, failures), replace=replace, report=report)
        except StoppedError as error:
            stopped, done = error, error.summary
    read = {id(failure.error) for failure in failures}
    failures += [
        catalogue.Failure(spec=failure.source, error=failure.error)
        for failure in done.failed
        if id(failure.error) not in read
    ]
    for output in outputs:
        said = folded(_words(done, failures), output, before=0, indent=2)
        write(json_text(_counts(done, failures)) if output.format == "json" else said, output)
    for failure in failures:
        complain(failure.error, failure.spec)
    if stopped:
        complain(stopped)
        sys.exit(stopped.exit_code)
    code = exit_code(failures, any_read=bool(done.created + done.unchanged))
    if code and allowed and allowed.enough(len(failures), done.looks) and done.created + done.unchanged:
        say(f"{plural(len(failures), 'failure')} of {plural(done.looks, 'source')}: allowed")
        code = 0
    sys.exit(code)


def _counts(done: WriteSummary, failures: Iterable[catalogue.Failure]) -> dict[str, Any]:
    told = [{"source": failure.spec, "error": str(failure.error)} for failure in failures]
    return {
        "run": done.run,
        "looks": done.looks,
        "created": done.created,
        "unchanged": done.unchanged,
        "superseded": done.superseded,
        "removed": done.removed,
        "failed": len(told),
        "gone": list(done.gone),
        "rows": done.rows,
        "seconds": round(done.seconds, 3),
        "stopped": str(done.stopped) if done.stopped else None,
        "unloaded": list(done.unloaded),
        "failures": told,
    }


def _words(done: WriteSummary, failures: Iterable[catalogue.Failure]) -> str:
    rate = f", {done.rows / done.seconds:,.0f} rows a second" if done.rows and done.seconds else ""
    removed = f" ({done.removed:,} removed)" if done.removed else ""
    gone = f", {len(done.gone):,} gone" if done.gone else ""
    words = (
        f"{plural(done.created, 'export')} created, {done.unchanged:,} unchanged, {done.superseded:,} superseded"
        f"{removed}, {len(list(failures)):,} failed{gone}; {plural(done.rows, 'row')} in {done.seconds:.1f} s{rate}."
    )
    if done.stopped:
        words += (
            f" Stopped before the end: {plural(len(done.unloaded), 'export')} read and not loaded, the rest not read."
        )
    return words


def _given(
    specs: list[str | Spec], options: Options, how: dict[str, Any], failures: list[catalogue.Failure]
) -> Iterator[Look | Listing]:
    """Read the places one by one, so that memory holds only the few that are ahead."""
    from cachegraph.stores.neo4j import Look

    names, nameless = read_names(how["names"], options)
    failures += nameless
    unread: set[str] = set()
    for part in several.read_each(specs, options):
        failures += part.failures
        unread.update(failure.spec for failure in part.failures)
        yield Look(
            place=part.place,
            graphs=tuple(ExportGraph(export, names) for export in part.exports),
            errors=tuple(failure.error for failure in part.failures),
        )
    yield from listings(specs, options, unread)
