"""Packs the samples from the test data: ``python -m tests.sampledata.make``, the same bytes each time.

A sample is the folder of that name in ``layouts/`` or in the test data itself, unless a function here has another idea.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cachegraph.sampledata.archive import File, archive_of
from cachegraph.sampledata.catalogue import SAMPLES

__all__ = ["HOME", "LARGE", "files_of", "pack"]

DATA = Path(__file__).parents[1] / "data"
HOME = Path(__file__).parents[2] / "cachegraph" / "sampledata"
LARGE = 1 << 20
"""Bytes of a file that lies beside the archives: such are base layers, which are compressed already."""

_BUSYBOX = "7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"
_NOT_IN_FLEET = ("web-zstd",)  # a megabyte that nothing else has
_BASES = {"base/tool:1": True, "base/run:1": False}
"""The images of the cold build, and whether their layers are read: those of the last stage are not, and weigh 1 MiB."""


def _folder(folder: Path) -> dict[str, File]:
    return {
        path.relative_to(folder).as_posix(): File(path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }


def _lost() -> dict[str, File]:
    return {path: file for path, file in _folder(DATA / "layouts" / "web-max").items() if _BUSYBOX not in path}


def _names() -> dict[str, File]:
    return {"cache-all.json": File(lzma.decompress((DATA / "daemon" / "cache-all.json.xz").read_bytes()))}


def _cold() -> dict[str, File]:
    """Take the tutorial's build, what it was before, what it exported and what it needs to be predicted."""
    case = _prediction("go-multi/main-changed")
    return {
        **_folder(DATA / "cold"),
        **{f"before/{path}": file for path, file in _source(case["source_before"]).items()},
        **{f"bases/{path}": file for path, file in _bases().items()},
        "after.json": _config(case["after"]),
        "build.dockerbuild": File((DATA / "records" / "go-registry-main.dockerbuild").read_bytes()),
    }


def _bases() -> dict[str, File]:
    """Take the images that the build names, of all that are there."""
    layout = DATA / "dockerfiles" / "bases"
    index = json.loads((layout / "index.json").read_bytes())
    named = {one["annotations"]["org.opencontainers.image.ref.name"]: one for one in index["manifests"]}
    index["manifests"] = [named[name] for name in _BASES]
    found = {
        "index.json": File(json.dumps(index, indent=1).encode()),
        "oci-layout": File((layout / "oci-layout").read_bytes()),
    }
    for name, with_layers in _BASES.items():
        manifest = json.loads(_blob(layout, named[name]["digest"]))
        layers = manifest["layers"] if with_layers else []
        for one in (named[name], manifest["config"], *layers):
            found[f"blobs/sha256/{one['digest'][7:]}"] = File(_blob(layout, one["digest"]))
    return found


def _blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()


def _turns() -> dict[str, File]:
    case = _prediction("alternating/back-to-a")
    return {"a.json": _config(case["before"]), "b.json": _config(case["after"])}


def _fleet() -> dict[str, File]:
    layouts = [path for path in sorted((DATA / "layouts").iterdir()) if path.name not in _NOT_IN_FLEET]
    return {f"{layout.name}/{path}": file for layout in layouts for path, file in _folder(layout).items()}


def _nights() -> dict[str, File]:
    with tarfile.open(DATA / "nights" / "nights.tar.xz") as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive if member.isfile()]
        return {name.removeprefix("nights/"): File(file.read()) for name, file in files if file is not None}


MADE: dict[str, Callable[[], dict[str, File]]] = {
    "web-lost": _lost,
    "names": _names,
    "cold": _cold,
    "turns": _turns,
    "fleet": _fleet,
    "nights": _nights,
}
"""Samples that are no folder of the test data."""


def files_of(name: str) -> dict[str, File]:
    """Give the files of a sample by their paths in it."""
    make = MADE.get(name, lambda: _folder(DATA / "layouts" / name) or _folder(DATA / name))
    return dict(sorted(make().items()))


def _prediction(case: str) -> dict[str, Any]:
    with gzip.open(DATA / "predictions" / "cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        found: dict[str, Any] = next(one for one in map(json.loads, lines) if one["name"] == case)
    return found


def _config(export: dict[str, Any]) -> File:
    return File(json.dumps(export["config"]).encode())


def _source(given: dict[str, Any]) -> dict[str, File]:
    files = {f"app/{path}": File(text.encode(), mode) for path, (text, mode, _) in given["files"].items()}
    return {"Dockerfile": File(given["df"].encode()), **files}


def pack(name: str) -> dict[str, bytes]:
    """Make a sample's archive and what lies beside it, by path in the package."""
    made: dict[str, bytes] = {}
    seen: dict[File, str] = {}
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, file in files_of(name).items():
            member = tarfile.TarInfo(path)
            member.mode = file.mode
            if len(file.content) >= LARGE:
                member.type = tarfile.SYMTYPE
                member.linkname = f"large/{hashlib.sha256(file.content).hexdigest()}"
                made[member.linkname] = file.content
            elif file in seen:
                member.type = tarfile.LNKTYPE
                member.linkname = seen[file]
            else:
                seen[file] = path
                member.size = len(file.content)
            archive.addfile(member, io.BytesIO(file.content) if member.isreg() else None)
    made[archive_of(name)] = lzma.compress(tar.getvalue(), preset=9 | lzma.PRESET_EXTREME)
    return made


def main() -> None:
    """Write them, and drop what is no longer in any sample."""
    made = {path: content for sample in SAMPLES for path, content in pack(sample.name).items()}
    for path in HOME.glob("*/*"):
        if path.parent.name in ("archives", "large") and path.relative_to(HOME).as_posix() not in made:
            path.unlink()
    for name, content in made.items():
        (HOME / name).parent.mkdir(exist_ok=True)
        (HOME / name).write_bytes(content)
        print(f"{len(content):>9,}  {name}")
    print(f"{sum(map(len, made.values())):>9,}")


if __name__ == "__main__":
    main()
