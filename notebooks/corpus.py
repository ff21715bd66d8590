"""Test data for the notebooks: real exports, and one that lost a blob."""

from __future__ import annotations

import lzma
import shutil
import tempfile
from pathlib import Path

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
