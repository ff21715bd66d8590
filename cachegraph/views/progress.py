"""Progress for a notebook: one line that is written over, never thousands."""

from __future__ import annotations

import time

from cachegraph.core.progress import Report
from cachegraph.errors import MissingExtraError

__all__ = ["one_line"]

_SECONDS = 0.2
"""Between two updates of the line."""


def one_line() -> Report:
    """Make a report for `cachegraph.loaders.base.Options` that shows one line in the notebook and updates it.

    Returns
    -------
    callable
        The saved notebook holds the last line only.

    Raises
    ------
    MissingExtraError
        IPython is not installed, so this is not a notebook.

    Examples
    --------
    ::

        cachegraph.load(spec, options=Options(report=one_line()))
    """
    try:
        from IPython.display import DisplayHandle
    except ImportError:
        raise MissingExtraError("progress in a notebook", "notebook") from None
    handle = DisplayHandle()
    written = 0.0

    def report(what: str, done: int, total: int | None) -> None:
        nonlocal written
        now, first = time.monotonic(), not written
        if first or done == total or now - written >= _SECONDS:
            written = now
            line = {"text/plain": f"{what}: {done:,}" + ("" if total is None else f" of {total:,}")}
            if first:
                handle.display(line, raw=True)
            else:
                handle.update(line, raw=True)

    return report
