"""Counts, sizes and a few of many in words."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

__all__ = ["capital", "cut_at_word", "ended", "is_about", "plural", "size_text", "some_of"]


def plural(count: int, noun: str) -> str:
    """Count in words: ``1 record``, ``2 records``.

    Parameters
    ----------
    count : int
    noun : str
        Singular; the plural takes an s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def some_of(texts: Iterable[str], of: int, between: str = ", ") -> str:
    """Name a few of many, and count the rest.

    Parameters
    ----------
    texts : iterable of str
        Those that are named.
    of : int
        How many there are.
    between : str

    Examples
    --------
    >>> some_of(["a", "b"], 5)
    'a, b and 3 more'
    """
    named = list(texts)
    return between.join(named) + (f" and {of - len(named):,} more" if of > len(named) else "")


def size_text(count: int | None) -> str:
    """Write a number of bytes for people: ``1.0 MiB``; ``unknown size`` for None.

    Parameters
    ----------
    count : int or None
        Bytes.
    """
    if count is None:
        return "unknown size"
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def is_about(message: str, source: str) -> bool:
    """Tell whether a message names a source already, as it was given or as the path that it is.

    Examples
    --------
    >>> is_about("gone: there is no such file", "./gone")
    True
    >>> is_about("there is no such file", "./gone")
    False
    """
    return source in message or message.startswith(f"{posixpath.normpath(source)}: ")


def capital(text: str) -> str:
    """Begin a sentence with a capital letter, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def cut_at_word(text: str, width: int) -> str:
    """Shorten a text to so many characters: at a word, without what joins it to the next, with three dots.

    Parameters
    ----------
    text : str
    width : int

    Examples
    --------
    >>> cut_at_word("RUN make && rm -rf /tmp/build", 16)
    'RUN make...'
    >>> cut_at_word("RUN make", 16)
    'RUN make'
    """
    if len(text) <= width:
        return text
    room = width - 3
    words = text[: room + 1].rpartition(" ")[0]  # one more: a word that ends there is whole
    kept = words if len(words) * 2 >= room else text[:room]  # of a single long word more than nothing
    return f"{kept.rstrip(' &|;,.<>' + chr(92))}..."


def ended(sentence: str) -> str:
    """End a sentence with a full stop, unless it ends in the dots of a shortened name.

    Examples
    --------
    >>> ended("RUN make ran")
    'RUN make ran.'
    >>> ended("new or changed: RUN make...")
    'new or changed: RUN make...'
    """
    return sentence if sentence.endswith("...") else f"{sentence}."
