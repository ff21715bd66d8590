"""The reading of what the command line names: specs, files of them, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cachegraph.cli.app import complain
from cachegraph.cli.options import not_with
from cachegraph.cli.output import say
from cachegraph.cli.progress import progress
from cachegraph.core.model import Names
from cachegraph.core.progress import Report
from cachegraph.errors import NoCacheError, NotFoundError, SpecError
from cachegraph.graph import CacheGraph
from cachegraph.lint.found import FoundSpec
from cachegraph.loaders import catalogue, several
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.limits import Limits, parse_limits
from cachegraph.loaders.specs.identity import identity, spec_of
from cachegraph.loaders.specs.parse import parse

__all__ = ["Read", "exit_code", "loader_options", "named_specs", "read_names", "read_specs"]

_NEEDS: Mapping[str, tuple[str, frozenset[str], str]] = {
    "probe": ("--probe", frozenset({"local", "registry", "s3", "azblob", "gha"}), "asks a registry or a bucket"),
    "verify": ("--verify", frozenset({"local"}), "reads the blobs of a directory or archive"),
    "all_tags": ("--all-tags", frozenset({"registry"}), "reads the tags of a repository in a registry"),
    "tags": ("--tags", frozenset({"registry"}), "reads the tags of a repository in a registry"),
    "insecure_registry": ("--insecure-registry", frozenset({"registry"}), "is about registries"),
}
"""Options that only some types of source can follow: what the user calls each, the types, what it does."""


class Read:
    """What came of the specs.

    Attributes
    ----------
    graph : CacheGraph
    failures : tuple of Failure
    """

    def __init__(self, graph: CacheGraph, failures: Sequence[catalogue.Failure]) -> None:
        self.graph = graph
        self.failures = tuple(failures)

    @property
    def exit_code(self) -> int:
        """Exit code as far as reading goes."""
        return exit_code(self.failures, any_read=bool(self.graph.graphs))


def exit_code(failures: Iterable[catalogue.Failure], *, any_read: bool) -> int:
    """Give the exit code that failures mean: 0 without, else that of the worst.

    An image without a cache among others that have one is not a failure.
    """
    real = [f.error for f in failures if not (any_read and isinstance(f.error, NoCacheError))]
    return max((error.exit_code for error in real), default=0)


def read_specs(specs: Iterable[str], how: Mapping[str, Any], blobs: int = 0) -> Read:
    """Read what the specs name; complain about what cannot be read, and go on with the rest.

    Parameters
    ----------
    specs : iterable of str
    how : mapping
        Values of `cachegraph.cli.options.source_options`.
    blobs : int
        How many blobs of all sources together are asked for where neither ``--probe`` nor ``--no-probe`` is given.
        Each source may have an equal share, so that what is asked depends on no order.

    Returns
    -------
    Read
    """
    every = named_specs(specs, how)
    with progress() as report:
        several_tags = how["all_tags"] or how["tags"] is not None
        share = 0 if how["probe"] is not None or several_tags else blobs // max(1, len(every))
        options = loader_options(how, report, blobs=share)
        names, nameless = read_names(how["names"], options)
        loaded = several.read(every, options)
    read = Read(CacheGraph(loaded.exports, names), (*nameless, *loaded.failures))
    for failure in read.failures:
        complain(failure.error, failure.spec)
    return read


def named_specs(specs: Iterable[str], how: Mapping[str, Any]) -> list[str | Spec]:
    """Give the specs of the command line and those in its files; refuse options that none of them can follow."""
    every: list[str | Spec] = [*specs, *_specs_in_files(how["files"], parse_limits(how["limits"]))]
    if not every and not how["files"]:
        raise click.UsageError("Missing argument 'SPEC...'.")
    if not every:
        raise NotFoundError("no cache entry that can be read", hint="give what cannot be resolved as a SPEC")
    if how["tags"] is not None and how["all_tags"]:
        raise click.UsageError("--all-tags and --tags: give one of them")
    _check_options(every, how)
    return every


def _check_options(specs: Iterable[str | Spec], how: Mapping[str, Any]) -> None:
    """Refuse an option that no source can follow, and name the sources that cannot."""
    places = _understood(specs)
    for parameter, (shown, kinds, does) in _NEEDS.items():
        if not how[parameter] or not places:
            continue
        without = [spec for spec in places if spec.type not in kinds]
        if len(without) == len(places):
            not_with({parameter: shown}, f"it {does}, and no SPEC names one", "Leave it out.")
        for spec in without if parameter != "probe" else ():  # what has no store cannot lack a blob
            say(f"{spec.text}: {shown} {does}, so it changes nothing for type={spec.type}")


def _understood(specs: Iterable[str | Spec]) -> list[Spec]:
    found = []
    for spec in specs:
        try:
            found.append(spec_of(spec))
        except SpecError:  # reading it says what is wrong
            continue
    return found


def loader_options(how: Mapping[str, Any], report: Report, *, blobs: int = 0) -> Options:
    """Make the loaders' options of `source_options`; `blobs` of a source are asked for where no option says."""
    return Options(
        probe=bool(how["probe"]),
        probe_blobs=blobs,
        verify=how["verify"],
        timeout=how["timeout"],
        concurrency=how["concurrency"],
        limits=parse_limits(how["limits"]),
        insecure_registries=frozenset(how["insecure_registry"]),
        tag_glob=how["tags"] or ("*" if how["all_tags"] else None),
        report=report,
    )


def _specs_in_files(files: Iterable[Path], limits: Limits) -> list[Spec]:
    """Give the places that the cache entries of files name, each once; say which are not read and why."""
    places: dict[tuple[str, ...], Spec] = {}
    for path in files:
        from cachegraph.lint.files import specs_in_file

        found = specs_in_file(path, limits=limits)
        if not found:
            say(f"{path}: no cache entry in it")
        for entry in found:
            spec = _spec_of(entry)
            if isinstance(spec, Spec):
                # The same place is often read with one set of keys and written with another.
                places.setdefault(identity(spec), spec)
            else:
                say(f"{entry.place}: not read: {spec}")
    return list(places.values())


def _spec_of(entry: FoundSpec) -> Spec | str | None:
    """Give the spec of a file's entry, or why there is none to read."""
    if entry.text is None:
        return entry.reason
    try:
        # Without key=value it is a reference, whatever is beside the file (buildx: ParseCacheEntry).
        spec = parse(entry.text if "=" in entry.text else f"type=registry,ref={entry.text}")
    except SpecError as error:
        return str(error)
    return "the cache goes into the image itself, so give its reference" if spec.type == "inline" else spec


def read_names(sources: Iterable[str], options: Options) -> tuple[Names, list[catalogue.Failure]]:
    """Read names, as far as they can be read."""
    names, errors = several.read_names(sources, options)
    return names, [catalogue.Failure(spec="--names", error=error) for error in errors]
