"""Applying the changes that rules know, line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cachegraph.errors import AccessError
from cachegraph.lint.rules.base import LintFinding

__all__ = ["Changed", "fix_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A file, before and after.

    Attributes
    ----------
    name : str
    path : pathlib.Path
    before, after : str
    """

    name: str
    path: Path
    before: str
    after: str

    def diff(self) -> str:
        """Give the change as a patch."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            f"a/{self.name}",
            f"b/{self.name}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def write(self) -> None:
        """Write the file.

        Raises
        ------
        AccessError
            It cannot be written.
        """
        try:
            self.path.write_bytes(self.after.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise AccessError(f"{self.name}: {error.strerror or error}", hint="it is as it was") from None


def fix_files(findings: Iterable[LintFinding], root: Path) -> Iterator[Changed]:
    """Work out the safe changes of findings; nothing is written.

    Parameters
    ----------
    findings : iterable of LintFinding
    root : pathlib.Path
        Where the files lie.

    Raises
    ------
    AccessError
        A file cannot be read.
    """
    by_file: dict[str, list[LintFinding]] = {}
    for finding in findings:
        if finding.fix is not None and finding.fix.is_safe:
            by_file.setdefault(finding.fix.file, []).append(finding)
    for name, found in sorted(by_file.items()):
        path = root / name
        try:
            text = path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise AccessError(f"{name}: {error.strerror or error}") from None
        lines = text.splitlines(keepends=True)
        changed: set[int] = set()
        for finding in found:
            fix = finding.fix
            # A line that was changed already is left for the next run, which sees it as it is then.
            if fix is None or fix.line in changed or not 0 < fix.line <= len(lines):
                continue
            after = fix.applied(lines[fix.line - 1])
            if after != lines[fix.line - 1]:
                lines[fix.line - 1] = after
                changed.add(fix.line)
        if changed:
            yield Changed(name=name, path=path, before=text, after="".join(lines))
