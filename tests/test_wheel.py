"""The wheel holds what it should, and works where another folder has our folders' names."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a wheel is built

ROOT = Path(__file__).parent.parent


def test_what_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    packaged = {
        path.relative_to(ROOT)
        for folder in ("loaders", "queries")
        for path in (ROOT / folder).rglob("*.*")
        if "__pycache__" not in path.parts
    }
    assert {f"cachegraph/{path.as_posix()}" for path in packaged} <= names
    assert {"cachegraph/py.typed", "cachegraph/cli/report.html.jinja"} <= names
    samples = {path.relative_to(ROOT).as_posix() for path in (ROOT / "cachegraph" / "sampledata").glob("*/*")}
    assert {name for name in samples if not name.endswith(".pyc")} <= names
    assert wheel.stat().st_size < 5_000_000
    assert not [name for name in names if name.startswith(("tests", "loaders", "queries", "benchmarks"))]


def test_a_users_own_queries_folder_shadows_nothing(site: Path, tmp_path: Path) -> None:
    for folder in ("queries", "loaders"):
        (tmp_path / "here" / folder).mkdir(parents=True)
        (tmp_path / "here" / folder / "__init__.py").write_text("raise SystemExit('shadowed')")
    code = "import cachegraph as cg; print(cg.from_config(b'{}').verdict()[0].word)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "here",
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "COLD\n"
