"""The verdict on a source that could not be read: what BuildKit would make of it, as far as the error tells."""

from __future__ import annotations

import re

from cachegraph.errors import CacheGraphError, DecodeError, NotFoundError, SpecError
from cachegraph.text.words import capital
from cachegraph.verdict.model import Cause, Verdict, Word

__all__ = ["failed_verdict"]

_NAME = re.compile(r"buildx\b|\w+ is (missing|empty)$|\S*[=/.:`]\S")
"""A sentence that begins with a name, which has no capital letter: a key, ``type=s3``, a host."""


def failed_verdict(spec: str, error: CacheGraphError) -> Verdict:
    """Judge a source that could not be read.

    Parameters
    ----------
    spec : str
        As the user wrote it, credentials masked.
    error : CacheGraphError

    Returns
    -------
    Verdict
        BREAKS THE BUILD where buildx refuses it, COLD where nothing is there to be imported, so that a build goes on
        without it; else UNREADABLE, where what is damaged leaves a build cold as well.
    """
    word, cost = _worth(spec, error)
    what = _without_place(spec, error.message).rstrip(".")
    what = what if _NAME.match(what) else capital(what)
    return Verdict(
        export=None,
        spec=spec,
        word=word,
        causes=(
            Cause(
                kind="nothing-there" if word == "COLD" else "unreadable",
                code=None,
                severity="error",
                what=f"{what}.",
                cost="" if what.endswith("every step runs") else cost,
                cure=capital(error.hint or ""),
            ),
        ),
    )


def _worth(spec: str, error: CacheGraphError) -> tuple[Word, str]:
    if error.buildkit == "fail":
        return "BREAKS THE BUILD", "A build with it fails."
    skipped = error.buildkit == "skip"
    if skipped and isinstance(error, SpecError | NotFoundError):
        # A client only warns of a directory that is not there, and an import that finds nothing fails no build
        # (client/solve.go: parseCacheOptions; solver/llbsolver/bridge.go: lazyCacheManager).
        return "COLD", "A build goes on without this cache, and every step runs."
    if isinstance(error, NotFoundError):
        known = "no such" not in error.message or spec.startswith("type=")
        return ("COLD", "A build goes on without this cache, and every step runs.") if known else ("UNREADABLE", "")
    if spec.startswith("type=daemon"):  # a builder's own keys, which no build imports
        return "UNREADABLE", ""
    if isinstance(error, DecodeError) and "--limit" not in (error.hint or ""):
        return "UNREADABLE", "BuildKit cannot read it either, so every step runs."
    if skipped:  # a builder may reach what is not reached from here
        return "UNREADABLE", "A builder that cannot read it either goes on without it, and every step runs."
    return "UNREADABLE", "What a build makes of it cannot be told."


def _without_place(spec: str, message: str) -> str:
    """Leave out the place with which a message begins: the verdict names it already."""
    place, colon, rest = message.partition(": ")
    return rest if colon and (place == spec or place.startswith("type=") or place in spec) else message
