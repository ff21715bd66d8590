"""Cache entries of texts with holes: each choice is an entry of its own, and attributes keep their holes."""

from __future__ import annotations

from cachegraph.errors import SpecError
from cachegraph.lint.holes import HOLE, Holes, as_text, has_hole
from cachegraph.lint.model import Cache, Entry
from cachegraph.lint.values import Condition, Direction, Place
from cachegraph.loaders.specs.entries import CacheEntry, read_cache_entries

__all__ = ["alternatives", "entries_of"]

_DEEPEST = 4


def alternatives(
    holes: Holes, text: str, conditions: tuple[Condition, ...] = (), depth: int = 0
) -> list[tuple[str, tuple[Condition, ...]]]:
    """Give all that a text can be, each with its conditions, if it is one hole whose choices are known; else itself."""
    choices = holes.choices(text)
    if not choices or depth > _DEEPEST:
        return [(text, conditions)]
    return [
        found
        for value, when in choices
        for found in alternatives(holes, as_text(value), (*conditions, when) if when else conditions, depth + 1)
    ]


def entries_of(
    holes: Holes,
    direction: Direction,
    text: str,
    place: Place,
    *,
    written: str,
    conditions: tuple[Condition, ...] = (),
    is_addition: bool = False,
) -> list[Entry]:
    """Make the entries of one value.

    Parameters
    ----------
    holes : Holes
    direction : {"from", "to"}
    text : str
        With holes.
    place : Place
    written : str
        As it stands in the file.
    conditions : tuple of Condition
        Of this value alone.
    is_addition : bool
        It is added to those of a bake file.

    Returns
    -------
    list of Entry
        One, or one for each choice that is not empty.
    """
    if not has_hole(text):
        cases = [(text, conditions)]
    else:
        cases = alternatives(holes, text, conditions)
        if len(cases) > 1:
            cases = [
                (line.strip(), when)
                for one, when in cases
                for line in one.splitlines()
                if line.strip() not in ("", "false")
            ]
    return [
        Entry(
            direction=direction,
            value=holes.value(one, place),
            caches=caches,
            error=error,
            conditions=when,
            is_addition=is_addition,
            written=written,
        )
        for case in cases
        for one, when, caches, error in _read_each(holes, *case, place)
    ]


def _read_each(
    holes: Holes, text: str, conditions: tuple[Condition, ...], place: Place
) -> list[tuple[str, tuple[Condition, ...], tuple[Cache, ...], str | None]]:
    """Read a text; if a hole hides its keys, and what it can be is known, each text that this makes."""
    caches, error = _read(holes, text, place)
    if caches or error is not None or not has_hole(text):
        return [(text, conditions, caches, error)]
    chosen = next((char for char in HOLE.findall(text) if len(text) > 1 and holes.choices(char)), None)
    if chosen is None:
        return [(text, conditions, (), None)]
    filled = [(text.replace(chosen, one), when) for one, when in alternatives(holes, chosen, conditions)]
    return [(one, when, *_read(holes, one, place)) for one, when in filled]


def _read(holes: Holes, text: str, place: Place) -> tuple[tuple[Cache, ...], str | None]:
    partial = has_hole(text)
    if partial and "=" not in text and not _is_reference(text):
        return (), None
    try:
        found = read_cache_entries(text)
    except SpecError as error:
        return (), None if partial else str(error)
    if partial and any(_hides_keys(entry) for entry in found):
        return (), None
    return tuple(_cache(holes, entry, place) for entry in found), None


def _cache(holes: Holes, entry: CacheEntry, place: Place) -> Cache:
    return Cache(
        type=holes.value(entry.type, place),
        attrs={key: holes.value(value, place) for key, value in entry.attrs.items()},
    )


def _hides_keys(entry: CacheEntry) -> bool:
    """Whether a hole stands where a key does, so that other keys may be in it."""
    return any(has_hole(key) for key in entry.attrs)


def _is_reference(text: str) -> bool:
    """Whether a text with holes and without ``=`` looks like a reference: it has a name or a tag beside the hole."""
    known = HOLE.sub("", text)
    return any(letter.isalnum() for letter in known) and (":" in known or "/" in known) and "type" not in known
