"""Any number of specs, each place read once however often and however it is named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from cachegraph.core.model import CacheExport, Name, Names, Problem
from cachegraph.errors import CacheGraphError, SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.catalogue import Loaded, load_each
from cachegraph.loaders.specs.identity import identity, spec_of

__all__ = ["Given", "read", "read_each", "read_names"]

Given = str | os.PathLike[str] | Spec
"""What names a source: a spec as text, a path, or a parsed spec."""


@dataclass(slots=True)
class _Place:
    spec: str | Spec
    spellings: list[str] = field(default_factory=list)


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
        One for each place, in the order in which they are first named.
    """
    places = _places(given)
    for place, part in zip(places, load_each([place.spec for place in places], options), strict=True):
        yield replace(part, exports=tuple(_noted(export, place.spellings) for export in part.exports))


def _places(given: Iterable[Given]) -> list[_Place]:
    places: dict[tuple[str, ...], _Place] = {}
    for one in given:
        try:
            spec = spec_of(one)
        except SpecError:  # reading it says what is wrong
            text = str(one)
            places.setdefault(("", text), _Place(text))
        else:
            places.setdefault(identity(spec), _Place(spec)).spellings.append(spec.text)
    return list(places.values())


def _noted(export: CacheExport, spellings: Sequence[str]) -> CacheExport:
    """Say that a place was named more than once."""
    if len(spellings) < 2:
        return export
    others = list(dict.fromkeys(spellings[1:]))
    message = f"This place was given {len(spellings)} times and read once; the other spellings: {', '.join(others)}."
    return replace(export, problems=(*export.problems, Problem(code="source-note", message=message, severity="note")))


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
    records: dict[str, Name] = {}
    selectors: dict[str, str] = {}
    errors: list[CacheGraphError] = []
    for source in sources:
        from cachegraph.loaders.names import read as names

        try:
            found = names.read_names(os.fspath(source), options)
        except CacheGraphError as error:
            errors.append(error)
        else:
            records |= found.records
            selectors |= found.selectors
    return Names(records=records, selectors=selectors), errors
