"""What it takes to hash a build context: ``python benchmarks/content.py [FILES]``.

Wall-clock and CPU seconds of one process, for a tree of small source files with a folder that ``.dockerignore`` leaves
out. Cold: nothing is known of the files (they are in the kernel's cache, since they were just written). Warm: their
digests are known from an earlier run, as in every build after the first. Then a whole prediction of a Dockerfile that
copies all of it, against an export of 2,500 records.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import cachegraph as cg
from benchmarks.synthetic import make_config
from cachegraph.builds.content import known
from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.known import KnownFiles
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.selection import Selection
from cachegraph.core.decode import encode

DOCKERFILE = "FROM scratch\nCOPY package.json /app/\nCOPY . /app\n"
IGNORE = ("node_modules", "**/*.log")


def write(root: Path, files: int) -> None:
    """Write the context: folders of 50 files with 200 to 8,000 bytes, and as many files that are left out."""
    for folder in range(files // 50):
        for top in ("src", "node_modules"):
            place = root / top / f"p{folder % 40}" / f"m{folder}"
            place.mkdir(parents=True)
            for number in range(50):
                (place / f"f{number}.js").write_bytes(bytes([number]) * (200 + (folder * number) % 7_800))
    (root / "Dockerfile").write_text(DOCKERFILE)
    (root / "package.json").write_text("{}")
    (root / ".dockerignore").write_text("\n".join(IGNORE))


def timed(what: str, work: Callable[[], object]) -> None:
    """Print what something takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<44}{wall:8.2f} s{cpu:8.2f} s CPU")


def main(files: int) -> None:
    """Measure."""
    # The files are seconds old, which would keep them from being remembered.
    known._SETTLED = -60.0
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "context"
        root.mkdir()
        write(root, files)
        os.environ["XDG_CACHE_HOME"] = str(Path(place) / "cache")
        database = Path(place) / "known.db"

        def digest(path: str = "/") -> None:
            hasher = Hasher(known=KnownFiles(database))
            assert isinstance(content_digest(local_tree(root, IGNORE), [Selection(path=path)], hasher), str)
            hasher.known.close()

        timed(f"{files:,} files, cold", digest)
        timed(f"{files:,} files, warm", digest)
        timed("one file of it, warm", lambda: digest("/package.json"))
        cache = cg.from_config(encode(make_config(2_500)))
        timed("cg.build of a COPY of all, cold", lambda: cg.build(root, offline=True))
        timed("cg.build and cg.predict, warm", lambda: cg.predict(cg.build(root, offline=True), cache))
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
