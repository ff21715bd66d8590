"""The loaders by name, and the one call that reads any number of specs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from itertools import islice

from cachegraph.core.model import CacheExport, Problem
from cachegraph.core.progress import Report
from cachegraph.errors import CacheGraphError, MissingExtraError, NoCacheError, SourceError, unchained
from cachegraph.loaders.base import Expand, Loader, Options, Spec
from cachegraph.loaders.http.parallel import Task, Workers, workers
from cachegraph.loaders.limits import source_seconds
from cachegraph.loaders.specs.identity import place_of
from cachegraph.loaders.specs.parse import IRRELEVANT, parse, unknown_type
from cachegraph.loaders.specs.shown import shown
from cachegraph.loaders.specs.traps import Trap

__all__ = ["LOADERS", "Failure", "Loaded", "load", "load_each"]

LOADERS = {
    "azblob": "cachegraph.loaders.azblob",
    "config": "cachegraph.loaders.config",
    "daemon": "cachegraph.loaders.daemon",
    "gha": "cachegraph.loaders.gha",
    "local": "cachegraph.loaders.local",
    "registry": "cachegraph.loaders.registry",
    "s3": "cachegraph.loaders.s3",
}
"""Spec types and the modules whose ``load`` reads them, imported when asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A spec that could not be read, and why.

    Attributes
    ----------
    spec : str
    error : CacheGraphError
    place : str
        The file and line that name it; empty where no file does.
    traps : tuple of Trap
        What BuildKit ignores of it, or takes otherwise than meant.
    """

    spec: str
    error: CacheGraphError
    place: str = ""
    traps: tuple[Trap, ...] = ()

    @property
    def exit_code(self) -> int:
        """Exit code of the error; 3 also where a file names what cannot be understood, or a package is missing."""
        return 3 if self.place or isinstance(self.error, MissingExtraError) else self.error.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a number of specs.

    Attributes
    ----------
    exports : tuple of CacheExport
        In the order of the specs.
    failures : tuple of Failure
    place : str
        The place that was read, canonical and without credentials, so that two looks at it can be told to be of one
        place; empty for several places, for a repository, and for a spec that names none.
    """

    exports: tuple[CacheExport, ...]
    failures: tuple[Failure, ...]
    place: str = ""


def load(specs: Iterable[str | Spec], options: Options | None = None) -> Loaded:
    """Read every export that the specs name; one that fails does not keep the others from being read.

    Parameters
    ----------
    specs : iterable of str or Spec
    options : Options, optional

    Returns
    -------
    Loaded
    """
    parts = list(load_each(specs, options))
    return Loaded(
        exports=tuple(export for part in parts for export in part.exports),
        failures=tuple(failure for part in parts for failure in part.failures),
    )


def load_each(specs: Iterable[str | Spec], options: Options | None = None) -> Iterator[Loaded]:
    """Read specs one after the other, a few ahead: what is read waits in memory only for those before it.

    Parameters
    ----------
    specs : iterable of str or Spec
        May be endless.
    options : Options, optional
        ``concurrency`` specs are read at once.

    Yields
    ------
    Loaded
        What came of each spec, in their order; of one that asks for all tags of a repository, what came of each tag.
    """
    options = options or Options()
    progress = _Progress(options.report, len(specs) if isinstance(specs, Sized) else None)
    with workers(options.concurrency) as pool:  # who stops listening waits for nothing that is under way
        yield from _stream(specs, options, pool, progress)


class _Progress:
    """Counts the sources; a repository's tags count in its place."""

    def __init__(self, report: Report, total: int | None) -> None:
        self._report = report
        self._total = total
        self._done = 0
        self._told: tuple[int, int | None] | None = None

    def tell(self) -> None:
        if self._total != 1 and self._told != (self._done, self._total):  # of one, what it reads says more
            self._told = (self._done, self._total)
            self._report("sources", *self._told)

    def one(self) -> None:
        self._done += 1

    def instead_of_one(self, count: int) -> None:
        self._total = None if self._total is None else self._total - 1 + count


_Given = str | Spec | SourceError  # an error stands for a tag that is none


def _stream(given: Iterable[_Given], options: Options, pool: Workers, progress: _Progress) -> Iterator[Loaded]:
    waiting = iter(given)
    ahead: deque[tuple[Spec, str, Task[Loaded | list[_Given]]]] = deque()
    while True:
        for one in islice(waiting, 2 * options.concurrency - len(ahead)):
            ahead.append(_begin(one, options, pool))
        progress.tell()
        if not ahead:
            return
        spec, place, task = ahead.popleft()
        found: Loaded | list[_Given] = _safely(partial(pool.result, task, spec.text), spec)
        if isinstance(found, list):
            progress.instead_of_one(len(found))
            yield from _repository(_stream(found, replace(options, tag_glob=None), pool, progress))
        else:
            progress.one()
            yield replace(found, place=place)


def _repository(parts: Iterable[Loaded]) -> Iterator[Loaded]:
    """Pass over tags without a cache among others; if there is nothing else, the first of them says so."""
    others = False
    without: Failure | None = None
    for part in parts:
        real = tuple(failure for failure in part.failures if not isinstance(failure.error, NoCacheError))
        without = without or next((failure for failure in part.failures if failure not in real), None)
        if part.exports or real:
            others = True
            yield replace(part, failures=real)
    if without and not others:
        yield Loaded(exports=(), failures=(without,))


def _begin(given: _Given, options: Options, pool: Workers) -> tuple[Spec, str, Task[Loaded | list[_Given]]]:
    """Hand a spec over to be read; what is wrong with it is told in its turn.

    Returns
    -------
    tuple of (Spec, str, task)
        What was asked for, the place, and the work.
    """
    try:
        spec = parse(given) if isinstance(given, str) else given
        if isinstance(spec, SourceError):
            raise spec
    except CacheGraphError as error:
        # A login before a host, which nothing says is an address, is hidden too.
        text = shown(given) if isinstance(given, str) else "tag"
        failed = Loaded(exports=(), failures=(Failure(spec=text, error=unchained(error)),))
        return Spec(type="", attrs={}, text=text), "", pool.submit(lambda: failed)
    seconds = source_seconds(options.limits, options.timeout) if _is_far(spec) else None
    task = pool.submit(lambda: _safely(partial(_read, spec, options), spec), seconds)
    many = spec.type == "registry" and (options.tag_glob is not None or "all-tags" in spec.attrs)
    return spec, "" if many else place_of(spec), task


def _is_far(spec: Spec) -> bool:
    """Tell a source that somebody else may hold up from what lies on this machine."""
    return spec.type not in ("local", "config") and "db" not in spec.attrs


def _safely(work: Callable[[], Loaded | list[_Given]], spec: Spec) -> Loaded | list[_Given]:
    """Make whatever goes wrong with a source that source's failure: the others are answered."""
    try:
        return work()
    except CacheGraphError as error:
        failure = unchained(error)
    except Exception as error:
        if os.environ.get("CACHEGRAPH_DEBUG"):
            raise
        message = f"{spec.text}: unexpected {type(error).__name__}: {error}"
        failure = SourceError(message, hint="this is a bug: please report it; CACHEGRAPH_DEBUG=1 shows where")
    traps = tuple(trap for trap in spec.traps if trap.code != "missing")  # which is the error itself
    failed = Failure(spec=spec.text, error=_guessed(failure, spec), place=spec.place, traps=traps)
    return Loaded(exports=(), failures=(failed,))


def _guessed(error: CacheGraphError, spec: Spec) -> CacheGraphError:
    """Say of a word that may have been meant for a path that nothing lies there."""
    if spec.type != "registry" or not spec.bare or ":" in spec.text or "." in spec.text:
        return error
    hint = f"there is no file or directory {spec.text} here either"
    error.hint = f"{error.hint}; {hint}" if error.hint else hint
    return error


def _read(spec: Spec, options: Options) -> Loaded | list[_Given]:
    """Read a spec, or find that it stands for many."""
    if spec.type not in LOADERS:
        raise unknown_type(spec.type, spec.text, LOADERS)
    module = import_module(LOADERS[spec.type])
    expand: Expand | None = getattr(module, "expand", None)
    if expand is not None and (found := expand(spec, options)) is not None:
        return list(found)
    load: Loader = module.load
    exports = [_noted(export, spec) for export in load(spec, options)]
    if exports:  # of several, the first says what is to be said of the spec that names them
        exports[0] = replace(exports[0], problems=(*_trapped(spec), *exports[0].problems))
    return Loaded(exports=tuple(exports), failures=())


def _trapped(spec: Spec) -> tuple[Problem, ...]:
    return tuple(Problem(code="spec-trap", message=trap.sentence, severity=trap.severity) for trap in spec.traps)


def _noted(export: CacheExport, spec: Spec) -> CacheExport:
    """Say what is to be said of the spec, and which of its keys were passed over."""
    passed = sorted(spec.attrs.keys() & IRRELEVANT)
    said = (f"These keys of the spec say nothing about the place and were not used: {', '.join(passed)}.",)
    notes = tuple(
        Problem(code="source-note", message=message, severity="note")
        for message in (*spec.notes, *(said if passed else ()))
    )
    return replace(export, problems=export.problems + notes, given=spec.text)
