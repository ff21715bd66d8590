"""Beside the caches, the settings that name them: what ``check --from-file`` says of the files themselves."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cachegraph.cli.findings import STYLES, folded
from cachegraph.cli.linted import LintAnswer
from cachegraph.cli.output import Output, styled
from cachegraph.errors import MissingExtraError
from cachegraph.lint.linting import lint_paths
from cachegraph.lint.shared import shared_places
from cachegraph.loaders.limits import Limits
from cachegraph.reports.model import Place
from cachegraph.text.words import plural

__all__ = ["lint_files", "setting_lines", "shared_sentences"]


def lint_files(files: Sequence[Path], limits: Limits, fail_on: str) -> LintAnswer | None:
    """Ask the rules of ``lint`` about files; None without any, or without the reader of YAML, as for a bake file.

    Parameters
    ----------
    files : sequence of pathlib.Path
        Their repository is read with them, since who else writes a cache may stand in another file.
    limits : Limits
    fail_on : str
    """
    if not files:
        return None
    try:
        return LintAnswer(linted=lint_paths(files, limits=limits), fail_on=fail_on)
    except MissingExtraError:
        return None


def shared_sentences(answer: LintAnswer | None, places: Iterable[Place | None]) -> tuple[str, ...]:
    """Say which of the caches that were read several builds write.

    Parameters
    ----------
    answer : LintAnswer or None
    places : iterable of Place or None
        The lines that name what was read, or was tried.
    """
    if answer is None or answer.linted.root is None:
        return ()
    lines = {(os.path.realpath(place.file), place.line) for place in places if place is not None and place.line}
    return tuple(shared_places(answer.linted.repository, answer.linted.root, lines))


def setting_lines(answer: LintAnswer, output: Output, *, everything: bool) -> Iterator[str]:
    """Write the findings as lines, notes only if everything is shown.

    Parameters
    ----------
    answer : LintAnswer
    output : Output
    everything : bool
    """
    entries = answer.to_report().worst_first()
    shown = [entry for entry in entries if everything or entry.severity != "note"]
    if shown:
        yield styled("Settings", output, bold=True)
    for entry in shown:
        severity = styled(entry.severity, output, **STYLES[entry.severity])
        known = " (known)" if entry.known else ""
        place = entry.places[0]
        at = f"{place.file}:{place.line}" if place.line else place.file
        before = 2 + len(entry.severity) + len(known) + len(entry.code) + 2
        yield f"  {severity}{known} {entry.code} {folded(f'{at}: {entry.message}', output, before=before, indent=4)}"
    if hidden := len(entries) - len(shown):
        yield f"{plural(hidden, 'note')} on the settings not shown: --all shows them."
