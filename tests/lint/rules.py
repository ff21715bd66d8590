"""Linting small repositories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cachegraph.lint.linting import lint_paths
from cachegraph.lint.rules.base import LintFinding

__all__ = ["linted"]


def linted(root: Path, files: Mapping[str, str]) -> list[LintFinding]:
    """Write a repository and lint it."""
    (root / ".git").mkdir(exist_ok=True)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    answer = lint_paths([root])
    assert not answer.repository.failures
    return list(answer.findings)
