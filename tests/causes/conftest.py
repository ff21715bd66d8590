"""A project to build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.causes.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give an empty folder."""
    root = tmp_path / "project"
    root.mkdir()
    root.chmod(0o755)
    return Project(root)
