"""The reading of what the command line names: specs, files of them, names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cachegraph.cli.app import complain
from cachegraph.cli.naming import Known, known_names
from cachegraph.cli.options import NAMES, not_with
from cachegraph.cli.output import TEXT, say
from cachegraph.cli.progress import progress
from cachegraph.core.model import Names
from cachegraph.core.progress import Report
from cachegraph.errors import CacheGraphError, MissingExtraError, NoCacheError, NotFoundError, SpecError
from cachegraph.graph import CacheGraph
from cachegraph.lint.files import FoundSpec
from cachegraph.loaders import catalogue, several
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.limits import Limits, parse_limits
from cachegraph.loaders.specs.identity import identity, specs_of
from cachegraph.loaders.specs.parse import specs_of_setting
from cachegraph.reports.model import Place, Unread

__all__ = ["Origins", "Read", "exit_code", "loader_options", "named_specs", "read_names", "read_specs"]

_NEEDS: Mapping[str, tuple[str, frozenset[str], str]] = {
    "probe": ("--probe", frozenset({"local", "registry", "s3", "azblob", "gha"}), "asks a registry or a bucket"),
    "verify": ("--verify", frozenset({"local"}), "reads the blobs of a directory or archive"),
    "all_tags": ("--all-tags", frozenset({"local", "registry"}), "reads the tags of a directory or a repository"),
    "tags": ("--tags", frozenset({"local", "registry"}), "reads the tags of a directory or a repository"),
    "insecure_registry": ("--insecure-registry", frozenset({"registry"}), "is about registries"),
}
"""Options that only some types of source can follow: what the user calls each, the types, what it does."""


class Origins:
    """The lines of files that name sources, by the source, however it is spelt; and the entries that name none yet."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, ...], list[Place]] = {}
        self._by_text: dict[str, tuple[str, ...]] = {}
        self.unresolved: list[Unread] = []

    def add(self, spec: Spec, entry: FoundSpec) -> None:
        """Note where a source is named."""
        key = identity(spec)
        self._by_text[spec.text] = key
        place = Place(file=entry.file, line=entry.line)
        if place not in self._places.setdefault(key, []):
            self._places[key].append(place)

    def miss(self, entry: FoundSpec, reason: str) -> None:
        """Note an entry that names no source before the build runs."""
        place = Place(file=entry.file, line=entry.line)
        self.unresolved.append(Unread(source=entry.path, error="Unresolved", message=reason, place=place, fails=False))

    def of(self, text: str) -> tuple[Place, ...]:
        """Give the lines that name a source.

        Parameters
        ----------
        text : str
            Its spec.
        """
        key = self._by_text.get(text)
        if key is None and self._places:
            with suppress(SpecError):
                key = identity(specs_of(text)[0])
        return tuple(self._places.get(key, ())) if key is not None else ()


class Read:
    """What came of the specs.

    Attributes
    ----------
    graph : CacheGraph
    failures : tuple of Failure
    origins : Origins
    known : Known
        What names its records, and those of other exports of the same build.
    """

    def __init__(
        self,
        graph: CacheGraph,
        failures: Sequence[catalogue.Failure],
        origins: Origins | None = None,
        known: Known | None = None,
    ) -> None:
        self.graph = graph
        self.failures = tuple(failures)
        self.origins = origins or Origins()
        self.known = known or Known()

    @property
    def exit_code(self) -> int:
        """Exit code as far as reading goes."""
        return exit_code(self.failures, any_read=bool(self.graph.graphs))


def exit_code(failures: Iterable[catalogue.Failure], *, any_read: bool) -> int:
    """Give the exit code that failures mean: 0 without, else that of the worst.

    An image without a cache among others that have one is not a failure.
    """
    real = [f for f in failures if not (any_read and isinstance(f.error, NoCacheError))]
    return max((failure.exit_code for failure in real), default=0)


def read_specs(specs: Iterable[str], how: Mapping[str, Any], blobs: int = 0, *, is_told: bool = False) -> Read:
    """Read what the specs name; complain about what cannot be read, and go on with the rest.

    Parameters
    ----------
    specs : iterable of str
    how : mapping
        Values of `cachegraph.cli.options.source_options`.
    blobs : int
        How many blobs of all sources together are asked for where neither ``--probe`` nor ``--no-probe`` is given.
        Each source may have an equal share, so that what is asked depends on no order.
    is_told : bool
        The answer says of each source why it could not be read: then only how many are complained of.

    Returns
    -------
    Read
    """
    origins = Origins()
    every = named_specs(specs, how, origins)
    with progress() as report:
        several_tags = how["all_tags"] or how["tags"] is not None
        share = 0 if how["probe"] is not None or several_tags else blobs // max(1, len(every))
        options = loader_options(how, report, blobs=share)
        loaded = several.read(every, options)
        nameless: list[catalogue.Failure] = []
        known = known_names(how, options, loaded.exports, failures=nameless)
    read = Read(CacheGraph(loaded.exports, known.names), (*nameless, *loaded.failures), origins, known)
    for failure in read.failures:
        told = [name for name in how["names"] if name in failure.error.message]
        _point_at_sample(told if failure.spec == NAMES else [failure.spec], failure.error)
        if not is_told or failure.spec == NAMES:
            complain(failure.error, f"{failure.place}: {failure.spec}" if failure.place else failure.spec)
        for trap in failure.traps:
            say(f"{failure.spec}: {trap.sentence}")
    return read


def _point_at_sample(given: Iterable[str], error: CacheGraphError) -> None:
    """Say how to get the sample that somebody named who did not write it yet, as a page that shows it may not say."""
    from cachegraph.sampledata.catalogue import SAMPLES

    names = {sample.name for sample in SAMPLES}
    for name in (spec.partition("/")[0] for spec in given):
        if name in names and not Path(name).exists():
            error.hint = f"write the sample of that name: cachegraph sample {name}; else {error.hint}"


def named_specs(specs: Iterable[str], how: Mapping[str, Any], origins: Origins | None = None) -> list[str | Spec]:
    """Give the specs of the command line and those in its files; refuse options that none of them can follow.

    Parameters
    ----------
    specs : iterable of str
    how : mapping
    origins : Origins, optional
        Is told which line names what.
    """
    found = _specs_in_files(how["files"], parse_limits(how["limits"]), origins or Origins())
    every: list[str | Spec] = [*specs, *found]
    if not every and not how["files"]:
        raise click.UsageError("\n".join(["Missing argument 'SPEC...'.", *_to_begin_with()]))
    if not every:
        raise NotFoundError("no cache entry that can be read", hint="give what cannot be resolved as a SPEC")
    if how["tags"] is not None and how["all_tags"]:
        raise click.UsageError("--all-tags and --tags: give one of them")
    _check_options(every, how)
    return every


def _to_begin_with() -> list[str]:
    """Say which caches the files here name, and how to give them."""
    from cachegraph.cli.here import look_around, told

    try:
        here = look_around()
    except MissingExtraError:
        return []
    command = click.get_current_context().info_name or ""
    return ["", *told(here, TEXT, command)] if here is not None else []


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
    found: list[Spec] = []
    for spec in specs:
        try:
            found += specs_of(spec)
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


def _specs_in_files(files: Iterable[Path], limits: Limits, origins: Origins) -> list[Spec]:
    """Give the places that the cache entries of files name, each once; say which are not read and why."""
    places: dict[tuple[str, ...], Spec] = {}
    for path in files:
        from cachegraph.lint.files import specs_in_file

        found = specs_in_file(path, limits=limits)
        if not found:
            say(f"{path}: no cache entry in it")
        for entry, spec in _resolved(found):
            if isinstance(spec, Spec):
                # The same place is often read with one set of keys and written with another.
                known = places.setdefault(identity(spec), spec)
                places[identity(spec)] = replace(known, traps=tuple(dict.fromkeys((*known.traps, *spec.traps))))
                origins.add(spec, entry)
            else:
                origins.miss(entry, str(spec))
                say(f"{entry.place}: not read: {spec}")
    return list(places.values())


def _resolved(found: Iterable[FoundSpec]) -> Iterator[tuple[FoundSpec, Spec | str | None]]:
    """Give the specs of each entry of a file, or why there is none to read."""
    for entry in found:
        if entry.text is None:
            yield entry, entry.reason
            continue
        try:
            specs = specs_of_setting(entry.text, entry.direction, entry.place)
        except SpecError as error:
            yield entry, str(error)
        else:
            yield from ((entry, spec) for spec in specs)


def read_names(sources: Iterable[str], options: Options) -> tuple[Names, list[catalogue.Failure]]:
    """Read names, as far as they can be read."""
    names, errors = several.read_names(sources, options)
    return names, [catalogue.Failure(spec=NAMES, error=error) for error in errors]
