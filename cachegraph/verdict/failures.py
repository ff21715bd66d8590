"""The verdict on a source that could not be read: what BuildKit would make of it, as far as the error tells."""

from __future__ import annotations

from cachegraph.errors import CacheGraphError, NotFoundError
from cachegraph.verdict.model import Cause, Verdict

__all__ = ["failed_verdict"]


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
        COLD where nothing is there to be imported, so that a build goes on without it; else UNREADABLE.
    """
    nothing = isinstance(error, NotFoundError)
    return Verdict(
        export=None,
        spec=spec,
        word="COLD" if nothing else "UNREADABLE",
        causes=(
            Cause(
                kind="nothing-there" if nothing else "unreadable",
                code=None,
                severity="error",
                what=f"{error.message}.",
                cost="A build goes on without this cache, and every step runs."
                if nothing
                else "What a build makes of it cannot be told.",
                cure=error.hint or "",
            ),
        ),
    )
