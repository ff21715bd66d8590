"""Options that several commands share, and the reading of specs that goes with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cachegraph.cli.app import complain
from cachegraph.core.model import Name, Names
from cachegraph.core.progress import Report, quiet
from cachegraph.errors import NoCacheError
from cachegraph.graph import CacheGraph
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options

if TYPE_CHECKING:
    from cachegraph.stores.neo4j import Neo4jStore

__all__ = [
    "FAIL_ON",
    "FORMATS",
    "Read",
    "fail_on_option",
    "format_option",
    "loader_options",
    "named_specs",
    "neo4j_options",
    "open_store",
    "progress",
    "read_names",
    "read_specs",
    "source_options",
    "split_neo4j",
]

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "json", "csv", "markdown")
FAIL_ON = ("error", "warning", "note", "never")


def format_option(*more: str) -> Callable[[F], F]:
    """Add ``--format``, with these formats beside the usual ones."""
    return click.option(
        "--format",
        "-f",
        "format_",
        type=click.Choice([*FORMATS, *more]),
        default="table",
        show_default=True,
        help="How to write the answer.",
    )


def fail_on_option(default: str) -> Callable[[F], F]:
    """Add ``--fail-on``."""
    return click.option(
        "--fail-on",
        type=click.Choice(FAIL_ON),
        default=default,
        show_default=True,
        help="Exit with 1 when a finding is at least this severe.",
    )


def source_options(command: F) -> F:
    """Add the specs, and how to read them."""
    seconds = click.FloatRange(min=0.1)
    decorators: list[Callable[[Any], Any]] = [
        click.argument("specs", nargs=-1, metavar="SPEC..."),
        click.option(
            "--from-file",
            "files",
            multiple=True,
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Read the cache entries of a bake file, compose file or workflow as well; may be repeated.",
        ),
        click.option("--probe", is_flag=True, help="Ask the store whether it has each listed blob."),
        click.option("--verify", is_flag=True, help="Read every blob of a directory and check its digest."),
        click.option(
            "--names", multiple=True, metavar="SOURCE", help="Where plaintexts of digests are; may be repeated."
        ),
        click.option("--all-tags", is_flag=True, help="Read every tag of a repository."),
        click.option("--tags", metavar="GLOB", help="Read the tags of a repository that match, such as 'cache-*'."),
        click.option(
            "--insecure-registry",
            multiple=True,
            metavar="HOST",
            help="Speak plain HTTP to this registry; may be repeated.",
        ),
        click.option("--timeout", type=seconds, default=30, show_default=True, help="Seconds for a request."),
        click.option(
            "--concurrency", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests at once."
        ),
    ]
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def neo4j_options(command: F) -> F:
    """Add ``--neo4j`` and ``--database``."""
    decorators: list[Callable[[Any], Any]] = [
        click.option(
            "--neo4j",
            is_flag=False,
            flag_value="",
            metavar="[URI]",
            help="The Neo4j server; without a URI, NEO4J_URI or the one that `cachegraph neo4j up` started.",
        ),
        click.option("--database", help="Database on the server; without, NEO4J_DATABASE or the user's own."),
    ]
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def split_neo4j(specs: tuple[str, ...], neo4j: str | None) -> tuple[tuple[str, ...], str | None]:
    """Tell a URI behind ``--neo4j`` from a spec that only happens to follow it."""
    if neo4j and "://" not in neo4j:
        return (neo4j, *specs), None
    return specs, neo4j or None


def open_store(uri: str | None, database: str | None) -> Neo4jStore:
    """Connect to the server that the options, the environment, or the user's own server name."""
    from cachegraph.stores.neo4j import Neo4jStore

    return Neo4jStore.connect(uri, database=database)


class Read:
    """What came of the specs.

    Attributes
    ----------
    graph : CacheGraph
    failures : tuple of Failure
    """

    def __init__(self, loaded: catalogue.Loaded, names: Names) -> None:
        self.graph = CacheGraph(loaded.exports, names)
        self.failures = loaded.failures

    @property
    def exit_code(self) -> int:
        """Exit code as far as reading goes: 0, or that of the worst failure.

        An image without a cache among others that have one is no failure.
        """
        real = [f.error for f in self.failures if not (self.graph.graphs and isinstance(f.error, NoCacheError))]
        return max((error.exit_code for error in real), default=0)


def read_specs(specs: Iterable[str], how: Mapping[str, Any]) -> Read:
    """Read what the specs name; complain about what cannot be read, and go on with the rest.

    Parameters
    ----------
    specs : iterable of str
    how : mapping
        Values of `source_options`.

    Returns
    -------
    Read
    """
    every = named_specs(specs, how)
    with progress() as report:
        options = loader_options(how, report)
        names = read_names(how["names"], options)
        read = Read(catalogue.load(every, options), names)
    for failure in read.failures:
        complain(failure.error, failure.spec)
    return read


def named_specs(specs: Iterable[str], how: Mapping[str, Any]) -> list[str]:
    """Give the specs of the command line and those in its files."""
    every = [*specs, *_specs_in_files(how["files"])]
    if not every and not how["files"]:
        raise click.UsageError("Missing argument 'SPEC...'.")
    return every


def loader_options(how: Mapping[str, Any], report: Report) -> Options:
    """Make the loaders' options of `source_options`."""
    return Options(
        probe=how["probe"],
        verify=how["verify"],
        timeout=how["timeout"],
        concurrency=how["concurrency"],
        insecure_registries=frozenset(how["insecure_registry"]),
        tag_glob=how["tags"] or ("*" if how["all_tags"] else None),
        report=report,
    )


def _specs_in_files(files: Iterable[Path]) -> Iterator[str]:
    """Give the cache entries of files, each once; say which cannot be resolved and why."""
    seen: set[str] = set()
    for path in files:
        from cachegraph.loaders.files import specs_in_file

        found = specs_in_file(path)
        if not found:
            click.echo(f"cachegraph: {path}: no cache entry in it", err=True)
        for entry in found:
            if entry.text is None:
                click.echo(f"cachegraph: {entry.place}: not read: {entry.reason}", err=True)
            elif entry.text not in seen:
                seen.add(entry.text)
                yield entry.text


def read_names(sources: Iterable[str], options: Options) -> Names:
    """Read plaintexts; of a digest that several sources name, the last counts."""
    records: dict[str, Name] = {}
    selectors: dict[str, str] = {}
    for source in sources:
        from cachegraph.loaders.names import read_names

        found = read_names(source, options)
        records |= found.records
        selectors |= found.selectors
    return Names(records=records, selectors=selectors)


@contextmanager
def progress() -> Iterator[Report]:
    """Show progress on standard error while it is a terminal."""
    if not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}
        lock = Lock()  # loaders report from their threads

        def report(what: str, done: int, total: int | None) -> None:
            with lock:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=total)
                bar.update(tasks[what], completed=done, total=total)

        yield report
