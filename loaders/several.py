"""Any number of specs, each place read once however often and however it is named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cachegraph.core.model import Names
from cachegraph.errors import CacheGraphError, SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.catalogue import Loaded, load_each
from cachegraph.loaders.specs.identity import identity, specs_of

__all__ = ["Given", "read", "read_each", "read_names"]

Given = str | os.PathLike[str] | Spec
"""What names a source: a spec as text, a path, or a parsed spec."""


def read(given: Iterable[Given], options: Options | None = None) -> Loaded:
    """Read every export that is named; one place that fails does not keep the others from being read.

    Parameters
    ----------
    given : iterable of str, path or Spec
    options : Options, optional

    Returns
    -------
    Loaded
        In the order in which the places are first named.
    """
    parts = list(read_each(given, options))
    # Two places can still hold one export: a directory, and one of its tags.
    exports = {(e.source, e.config_digest, e.platform): e for part in reversed(parts) for e in reversed(part.exports)}
    return Loaded(
        exports=tuple(reversed(exports.values())),
        failures=tuple(failure for part in parts for failure in part.failures),
    )


def read_each(given: Iterable[Given], options: Options | None = None) -> Iterator[Loaded]:
    """Read the places one after the other, a few ahead.

    Parameters
    ----------
    given : iterable of str, path or Spec
    options : Options, optional

    Yields
    ------
    Loaded
        As `cachegraph.loaders.catalogue.load_each` gives them, in the order in which the places are first named.
    """
    places: dict[tuple[str, ...], list[str | Spec]] = {}
    for one in given:
        try:
            specs = specs_of(one)
        except SpecError:  # reading it says what is wrong
            places.setdefault(("", str(one)), [str(one)])
        else:
            for spec in specs:
                places.setdefault(identity(spec), []).append(spec)
    return load_each([_noted(spellings) for spellings in places.values()], options)


def _noted(spellings: Sequence[str | Spec]) -> str | Spec:
    """Give the first spelling of a place; if there are more, with a note on them."""
    first, *others = spellings
    if not others or isinstance(first, str):
        return first
    specs = [other for other in others if isinstance(other, Spec)]
    texts = dict.fromkeys(other.text for other in specs)
    note = f"This place was given {len(spellings)} times and read once; also as {', '.join(texts)}."
    traps = dict.fromkeys(trap for spec in (first, *specs) for trap in spec.traps)
    return replace(first, notes=(*first.notes, note), traps=tuple(traps))


def read_names(sources: Iterable[str | os.PathLike[str]], options: Options) -> tuple[Names, list[CacheGraphError]]:
    """Read names from several sources, as far as they can be read.

    Parameters
    ----------
    sources : iterable of str or path
    options : Options

    Returns
    -------
    names : Names
        Of a digest that several sources name, the last counts.
    errors : list of CacheGraphError
        One for each source that could not be read.
    """
    joined = Names()
    errors: list[CacheGraphError] = []
    for source in sources:
        from cachegraph.loaders.names import read as names

        try:
            found = names.read_names(os.fspath(source), options)
        except CacheGraphError as error:
            errors.append(error)
        else:
            joined = joined | found
    return joined, errors
