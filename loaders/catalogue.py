"""The loaders by name, and the one call that reads any number of specs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import chain, count, islice

from cachegraph.core.model import CacheExport, Problem
from cachegraph.errors import CacheGraphError, SpecError
from cachegraph.loaders.base import Loader, Options, Spec
from cachegraph.loaders.specs.parse import IRRELEVANT, parse

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
    """A spec that could not be read, and why."""

    spec: str
    error: CacheGraphError


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a number of specs.

    Attributes
    ----------
    exports : tuple of CacheExport
        In the order of the specs.
    failures : tuple of Failure
    """

    exports: tuple[CacheExport, ...]
    failures: tuple[Failure, ...]


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
        What came of each spec, in their order.
    """
    options = options or Options()
    total = len(specs) if isinstance(specs, Sized) else None
    waiting = iter(specs)
    first = list(islice(waiting, 2))
    if len(first) < 2:
        yield from (_load_one(spec, options) for spec in first)
        return
    waiting = chain(first, waiting)
    ahead: deque[Future[Loaded]] = deque()
    with ThreadPoolExecutor(options.concurrency) as pool:
        try:
            for done in count():
                for spec in islice(waiting, 2 * options.concurrency - len(ahead)):
                    ahead.append(pool.submit(_load_one, spec, options))
                options.report("sources", done, total)
                if not ahead:
                    return
                yield ahead.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # who stops listening waits only for what is under way


def _load_one(given: str | Spec, options: Options) -> Loaded:
    text = given if isinstance(given, str) else given.text
    try:
        spec = parse(given) if isinstance(given, str) else given
        text = spec.text
        exports = _loader(spec)(spec, options)
        return Loaded(exports=tuple(_noted(export, spec) for export in exports), failures=())
    except CacheGraphError as error:
        return Loaded(exports=(), failures=(Failure(spec=text, error=error),))


def _noted(export: CacheExport, spec: Spec) -> CacheExport:
    """Say which keys of the spec were passed over."""
    passed = sorted(spec.attrs.keys() & IRRELEVANT)
    if not passed:
        return export
    message = f"Passed over in the spec, as it says nothing about where the export lies: {', '.join(passed)}."
    return replace(export, problems=(*export.problems, Problem(code="source-note", message=message, severity="note")))


def _loader(spec: Spec) -> Loader:
    if spec.type not in LOADERS:
        known = ", ".join(sorted(LOADERS))
        raise SpecError(f"{spec.text}: there is no type={spec.type}", hint=f"known types: {known}")
    loader: Loader = import_module(LOADERS[spec.type]).load
    return loader
