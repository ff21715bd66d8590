"""Type checkers see what a user's code gets: mypy and pyright, on the same file, as strictly as they can."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.programs import pyright

ROOT = Path(__file__).parent.parent
USER_CODE = ROOT / "tests" / "pyright" / "user_code.py"


@pytest.mark.slow
def test_mypy() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", str(USER_CODE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.server
def test_pyright() -> None:
    command = ["node", str(pyright()), "--pythonpath", sys.executable, "--outputjson", str(USER_CODE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    assert answer["summary"]["filesAnalyzed"] == 1
    assert [(one["range"]["start"]["line"] + 1, one["message"]) for one in answer["generalDiagnostics"]] == []
