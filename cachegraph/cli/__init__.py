"""The command line: a thin shell over the library.

Data goes to standard output, progress and complaints to standard error. Exit codes: 0 clean, 1 findings at or above
``--fail-on``, 2 wrong usage, 3 a source could not be read.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process."""
    from cachegraph.cli.app import app

    app()
