"""Test data for the notebooks: real exports, made whole.

One blob of 1 MiB recurs in every export of ``tests/data/layouts`` and is kept once, in ``scratch-file-inline``.
"""

from __future__ import annotations

import lzma
import shutil
import tempfile
from pathlib import Path

_DATA = Path(__file__).parent.parent / "tests" / "data"
_BUSYBOX = "7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"
_WHOLE = tempfile.TemporaryDirectory(prefix="corpus-")


def layout(name: str, *, whole: bool = True) -> str:
    """Give the folder of an image layout: a whole copy, or as the repository has it."""
    source = _DATA / "layouts" / name
    if not whole:
        return str(source)
    copy = Path(_WHOLE.name) / name
    if not copy.exists():
        shutil.copytree(source, copy)
        shutil.copy(
            _DATA / "layouts" / "scratch-file-inline" / "blobs" / "sha256" / _BUSYBOX, copy / "blobs" / "sha256"
        )
    return str(copy)


def layouts() -> list[str]:
    """Give the folders of all image layouts, whole."""
    return [layout(folder.name) for folder in sorted((_DATA / "layouts").iterdir())]


def plaintexts() -> str:
    """Give a file with a daemon's answer to ``GET /debug/cache/all``."""
    copy = Path(_WHOLE.name) / "cache-all.json"
    copy.write_bytes(lzma.decompress((_DATA / "daemon" / "cache-all.json.xz").read_bytes()))
    return str(copy)
