"""The patterns of ``.dockerignore``, ``--exclude`` and ``--parents``: github.com/moby/patternmatcher."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cachegraph.builds.content.gomatch import BadPatternError, check_syntax
from cachegraph.builds.content.wildcards import compile_wildcards

__all__ = ["Matched", "Pattern", "Patterns", "compile_patterns"]

# What a folder matched, pattern by pattern; empty for the top (patternmatcher: MatchInfo).
Matched = Sequence[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One pattern.

    Parameters
    ----------
    text : str
        Cleaned, without its ``!``.
    negated : bool
        It began with ``!``: what matches is kept after all.
    match : callable
        Tells whether a path matches; its folders are not looked at.
    """

    text: str
    negated: bool
    match: Callable[[str], object]

    @property
    def fixed(self) -> str | None:
        """The one path that it matches with all below it, or None where wildcards match several."""
        text = self.text.removesuffix("/**").removesuffix("/*")
        return None if set(text) & set("*[]?^\\") else text


@dataclass(frozen=True, slots=True)
class Patterns:
    """Several patterns, of which the last that matches decides."""

    patterns: tuple[Pattern, ...]

    @property
    def has_exceptions(self) -> bool:
        """Whether a pattern begins with ``!``."""
        return any(pattern.negated for pattern in self.patterns)

    def match(self, path: str, parent: Matched = ()) -> tuple[bool, Matched]:
        """Match a path below the top (``MatchesUsingParentResults``).

        Parameters
        ----------
        path : str
            Without a slash in front.
        parent : sequence of bool
            What this method gave for the path's folder. Empty: its folders are matched too.

        Returns
        -------
        matched : bool
        by_pattern : sequence of bool
            To be given for what is in this folder.
        """
        matched = False
        found = [False] * len(self.patterns)
        for place, pattern in enumerate(self.patterns):
            hit = bool(parent and parent[place])
            if not hit:
                if pattern.negated is not matched:
                    continue
                hit = bool(pattern.match(path)) or (not parent and any(map(pattern.match, _folders(path))))
            if hit:
                found[place] = True
                matched = not pattern.negated
        return matched, found

    def may_match_in(self, folder: str, *, negated: bool = False) -> bool:
        """Tell whether one of them may match something in a folder, by the text of the patterns.

        Parameters
        ----------
        folder : str
            Below the top, without a slash in front; ``""`` for the top.
        negated : bool
            Look at the patterns that begin with ``!``, else at the others. Where one of these has wildcards, this is
            True (fsutil: ``onlyPrefixIncludes``, ``onlyPrefixExcludeExceptions``).
        """
        looked_at = [pattern.fixed for pattern in self.patterns if pattern.negated is negated]
        return not folder or any(fixed is None or f"{fixed}/".startswith(f"{folder}/") for fixed in looked_at)


def _folders(path: str) -> Iterable[str]:
    """Give the folders that hold a path, from the top."""
    return (path[:place] for place, character in enumerate(path) if character == "/" and place)


@lru_cache(maxsize=64)
def compile_patterns(texts: tuple[str, ...]) -> Patterns:
    """Compile patterns in their order.

    Raises
    ------
    BadPatternError
        A pattern that BuildKit refuses, or one that cannot be matched in bounded time.
    """
    compiled = []
    for text in texts:
        trimmed = text.strip()
        if not trimmed:
            continue
        cleaned = _clean(trimmed)
        negated = cleaned.startswith("!")
        if negated:
            cleaned = cleaned[1:]
            if not cleaned:
                raise BadPatternError('pattern "!": it names nothing', hint="write what to keep behind the !")
        check_syntax(cleaned)
        compiled.append(Pattern(text=cleaned, negated=negated, match=_compile(cleaned)))
    return Patterns(tuple(compiled))


def _clean(path: str) -> str:
    """Mirror Go's ``filepath.Clean``."""
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


def _compile(pattern: str) -> Callable[[str], object]:
    """Build the test for one pattern, of the four kinds that ``Pattern.compile`` tells apart.

    A pattern without wildcards is compared. One that only begins or only ends with ``**`` is a suffix or a prefix.
    """
    special = set(pattern) & set("*?[]\\")
    if not special:
        return pattern.__eq__
    if special == {"*"}:
        inner = pattern.removesuffix("**")
        if pattern.endswith("**") and inner and "*" not in inner:
            return lambda path: path.startswith(inner)
        suffix = pattern[2:]
        if pattern.startswith("**") and "*" not in suffix:
            return lambda path: path.endswith(suffix) or (suffix[:1] == "/" and path == suffix[1:])
    # BuildKit notices a malformed pattern when it first needs it, so it is not compiled before.
    return lambda path: compile_wildcards(pattern).match(path)
