"""The loaders by name, and the one call that reads any number of specs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module

from cachegraph.core.model import CacheExport
from cachegraph.errors import CacheGraphError, SpecError
from cachegraph.loaders.base import Loader, Options, Spec
from cachegraph.loaders.spec import parse

__all__ = ["LOADERS", "Failure", "Loaded", "load"]

LOADERS = {
    "config": "cachegraph.loaders.config",
    "daemon": "cachegraph.loaders.daemon",
    "local": "cachegraph.loaders.layout",
    "registry": "cachegraph.loaders.registry",
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
    exports: list[CacheExport] = []
    failures: list[Failure] = []
    for given in specs:
        text = given if isinstance(given, str) else given.text
        try:
            spec = parse(given) if isinstance(given, str) else given
            text = spec.text
            exports += _loader(spec)(spec, options or Options())
        except CacheGraphError as error:
            failures.append(Failure(spec=text, error=error))
    return Loaded(exports=tuple(exports), failures=tuple(failures))


def _loader(spec: Spec) -> Loader:
    if spec.type not in LOADERS:
        known = ", ".join(sorted(LOADERS))
        raise SpecError(f"{spec.text}: there is no type={spec.type}", hint=f"known types: {known}")
    loader: Loader = import_module(LOADERS[spec.type]).load
    return loader
