"""Test data for the notebooks: real exports, and one that lost a blob."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent.parent / "tests" / "data"
_BUSYBOX = "7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"
_MADE = tempfile.TemporaryDirectory(prefix="corpus-")


def layout(name: str, *, whole: bool = True) -> str:
    """Give the folder of an image layout: as the repository has it, or a copy that lost the base image's layer."""
    source = _DATA / "layouts" / name
    if whole:
        return str(source)
    copy = Path(_MADE.name) / name
    if not copy.exists():
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns(_BUSYBOX))
    return str(copy)


def layouts() -> list[str]:
    """Give the folders of all image layouts."""
    return [layout(folder.name) for folder in sorted((_DATA / "layouts").iterdir())]


def plaintexts() -> str:
    """Give a file with a daemon's answer to ``GET /debug/cache/all``."""
    copy = Path(_MADE.name) / "cache-all.json"
    copy.write_bytes(lzma.decompress((_DATA / "daemon" / "cache-all.json.xz").read_bytes()))
    return str(copy)


def source(case: str) -> Path:
    """Write a changed build down as a git repository: ``Dockerfile`` and ``app/``, committed as they were before."""
    root = Path(_MADE.name) / "sources" / case
    if not root.exists():
        given = _prediction(case)
        _write(root, given["source_before"])
        for command in (["init", "-q"], ["add", "-A"], [*_AUTHOR, "commit", "-q", "-m", "Before the change"]):
            subprocess.run(["git", "-C", str(root), *command], check=True)  # noqa: S607 - the git of whoever runs the notebook
        _write(root, given["source"])
    return root


def cache_of(case: str) -> Path:
    """Give the cache config that the build before the change exported."""
    return _config(case, "before")


def build_of(case: str) -> Path:
    """Give the cache config that the changed build exported."""
    return _config(case, "after")


def bases() -> str:
    """Give the base images of these builds: an image layout."""
    return str(_DATA / "dockerfiles" / "bases")


_AUTHOR = ["-c", "user.name=A developer", "-c", "user.email=developer@example.com"]


def _prediction(case: str) -> dict[str, Any]:
    with gzip.open(_DATA / "predictions" / "cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        return next(found for found in map(json.loads, lines) if found["name"] == case)


def _write(root: Path, given: dict[str, Any]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "Dockerfile").write_text(given["df"], "utf-8")
    for name, (text, mode, mtime) in given["files"].items():
        path = root / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(mode)
        os.utime(path, (mtime, mtime))


def _config(case: str, which: str) -> Path:
    path = Path(_MADE.name) / f"{case.replace('/', '-')}-{which}.json"
    path.write_text(json.dumps(_prediction(case)[which]["config"]), "utf-8")
    return path
