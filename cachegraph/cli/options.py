"""Options that several commands share, and the reading of specs that goes with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import click

from cachegraph.cli.app import complain
from cachegraph.core.model import Name, Names
from cachegraph.errors import CacheGraphError, NoCacheError, NotFoundError, SpecError
from cachegraph.graph import CacheGraph
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options, Report, Spec, quiet
from cachegraph.loaders.found import FoundSpec
from cachegraph.loaders.spec import IRRELEVANT, canonical, parse

__all__ = [
    "FAIL_ON",
    "FORMATS",
    "Read",
    "fail_on_option",
    "format_option",
    "loader_options",
    "progress",
    "read_specs",
    "source_options",
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
            "--names",
            multiple=True,
            metavar="SOURCE",
            help="Names of records: cache-debug.db, a debug address, an image with provenance; may be repeated.",
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
    every: list[str | Spec] = [*specs, *_specs_in_files(how["files"])]
    if not every and not how["files"]:
        raise click.UsageError("Missing argument 'SPEC...'.")
    if not every:
        raise NotFoundError("no cache entry that can be read", hint="give what cannot be resolved as a SPEC")
    with progress() as report:
        options = loader_options(how, report)
        names, nameless = _read_names(how["names"], options)
        loaded = catalogue.load(every, options)
        read = Read(replace(loaded, failures=(*nameless, *loaded.failures)), names)
    for failure in read.failures:
        complain(failure.error, failure.spec)
    return read


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


def _specs_in_files(files: Iterable[Path]) -> list[Spec]:
    """Give the places that the cache entries of files name, each once; say which are not read and why."""
    places: dict[str, Spec] = {}
    for path in files:
        from cachegraph.loaders.files import specs_in_file

        found = specs_in_file(path)
        if not found:
            click.echo(f"cachegraph: {path}: no cache entry in it", err=True)
        for entry in found:
            spec = _spec_of(entry)
            if isinstance(spec, Spec):
                # The same place is often read with one set of keys and written with another.
                attrs = {key: value for key, value in sorted(spec.attrs.items()) if key not in IRRELEVANT}
                places.setdefault(canonical(spec.type, attrs), spec)
            else:
                click.echo(f"cachegraph: {entry.place}: not read: {spec}", err=True)
    return list(places.values())


def _spec_of(entry: FoundSpec) -> Spec | str | None:
    """Give the spec of a file's entry, or why there is none to read."""
    if entry.text is None:
        return entry.reason
    try:
        # Without key=value it is a reference, whatever lies beside the file (buildx: ParseCacheEntry).
        spec = parse(entry.text if "=" in entry.text else f"type=registry,ref={entry.text}")
    except SpecError as error:
        return str(error)
    return "the cache goes into the image itself, so give its reference" if spec.type == "inline" else spec


def _read_names(sources: Iterable[str], options: Options) -> tuple[Names, list[catalogue.Failure]]:
    """Read names, as far as they can be read; of a digest that several sources name, the last counts."""
    records: dict[str, Name] = {}
    selectors: dict[str, str] = {}
    failures: list[catalogue.Failure] = []
    for source in sources:
        from cachegraph.loaders.names import read_names

        try:
            found = read_names(source, options)
        except CacheGraphError as error:
            failures.append(catalogue.Failure(spec="--names", error=error))
        else:
            records |= found.records
            selectors |= found.selectors
    return Names(records=records, selectors=selectors), failures


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
