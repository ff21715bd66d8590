"""What to say of a name that does not exist: the one "did you mean" of the whole project."""

from __future__ import annotations

from collections.abc import Iterable

from cachegraph.text.words import some_of

__all__ = ["did_you_mean", "nearest"]

_MOST = 20
"""Names that a hint lists before it only counts the rest."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was probably meant; None if no name is near.

    Parameters
    ----------
    name : str
        Case, and ``_`` for ``-``, do not matter.
    known : iterable of str

    Examples
    --------
    >>> nearest("Missing_Result", ["missing-results", "merge-subsets"])
    'missing-results'
    """
    from difflib import get_close_matches

    by_plain = {_plain(one): one for one in known}
    found = get_close_matches(_plain(name[:100]), by_plain, n=1)
    return by_plain[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str], all_of_them: str) -> str:
    """Give the hint for a name that does not exist: the nearest one, else all of them.

    Parameters
    ----------
    name : str
    known : iterable of str
    all_of_them : str
        What the names are, in the plural: ``questions``.

    Examples
    --------
    >>> did_you_mean("jsno", ["csv", "json"], "formats")
    'did you mean json?'
    >>> did_you_mean("yaml", ["csv", "json"], "formats")
    'formats: csv, json'
    """
    names = list(known)
    if near := nearest(name, names):
        return f"did you mean {near}?"
    if not names:
        return f"there are no {all_of_them}"
    return f"{all_of_them}: {some_of(names[:_MOST], len(names))}"


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
