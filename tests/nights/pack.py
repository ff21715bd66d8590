"""Move each night's dates to a night of its own and pack the series: ``python -m tests.nights.pack FOLDER ARCHIVE``.

The builds were seconds apart. Every time that falls into the making of night N is moved by a whole number of seconds,
so that night N began on N October 2026 at 02:00; nothing else is changed. A time is as long as before, so the cache
config and the manifest keep their sizes and get new digests.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import re
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cachegraph.loaders.base import Options
from cachegraph.loaders.names.read import read_names

_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")
_FIRST = datetime(2026, 10, 1, 2, tzinfo=UTC)


def main(folder: Path, archive: Path) -> None:
    """Pack a folder that `tests.nights.build` made."""
    truth = json.loads((folder / "truth.json").read_bytes())
    files: dict[str, bytes] = {}
    for night in truth:
        name = f"night-{night['night']:02}"
        files |= {f"{name}/{path}": content for path, content in _redated(folder / name, truth)}
    files |= {f"names/{path}": content for path, content in _names(folder, len(truth))}
    files |= {f"Dockerfile.{number:02}": text.encode() for number, text in _dockerfiles(truth)}
    told = [
        {
            **{key: night[key] for key in ("night", "words", "base", "mode", "lost")},
            "steps": {step["name"]: step["executed"] for step in night["steps"] if step["inputs"]},
        }
        for night in truth
    ]
    files["truth.json"] = json.dumps(told, indent=1).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(f"nights/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    archive.write_bytes(lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def _redated(folder: Path, truth: list[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Give the files of a night's export with its dates moved, and the digests that follow from that."""

    def moved(match: re.Match[bytes]) -> bytes:
        made = datetime.fromisoformat(f"{match[1].decode()}+00:00")
        second = made.timestamp() + float(match[2] or 0)
        for night in truth:
            if night["built"][0] <= second <= night["built"][1]:
                to = _FIRST + timedelta(days=night["night"] - 1, seconds=made.timestamp() - int(night["built"][0]))
                return f"{to:%Y-%m-%dT%H:%M:%S}".encode() + (match[2] or b"") + b"Z"
        raise ValueError(f"no night made {match[0].decode()}")

    index = (folder / "index.json").read_bytes()
    manifest_digest = json.loads(index)["manifests"][0]["digest"]
    manifest = _blob(folder, manifest_digest)
    config_digest = json.loads(manifest)["config"]["digest"]
    config = _TIME.sub(moved, _blob(folder, config_digest))
    manifest = _TIME.sub(moved, manifest).replace(config_digest.encode(), _digest(config).encode())
    new = {config_digest: config, manifest_digest: manifest}
    yield "index.json", index.replace(manifest_digest.encode(), _digest(manifest).encode())
    yield "oci-layout", (folder / "oci-layout").read_bytes()
    for path in (folder / "blobs" / "sha256").iterdir():
        content = new.get(f"sha256:{path.name}", path.read_bytes())
        yield f"blobs/{_digest(content).replace(':', '/')}", content


def _names(folder: Path, nights: int) -> Iterator[tuple[str, bytes]]:
    """Give a layout with the provenance of every night that names something new, and no layers of images."""
    known: set[str] = set()
    entries = []
    for night in range(1, nights + 1):
        image = folder / f"image-{night:02}.tar"
        named = set(read_names(str(image), Options()).records)
        if named <= known:
            continue
        known |= named
        with tarfile.open(image) as tar:
            content = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
            files = {name: file.read() for name, file in content.items() if file is not None}
        entries += json.loads(files["index.json"])["manifests"]
        for name, data in files.items():
            if name.startswith("blobs/") and data[:1] == b"{":
                yield name, data
    yield "index.json", json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    yield "oci-layout", b'{"imageLayoutVersion":"1.0.0"}'


def _dockerfiles(truth: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    """Give each Dockerfile with the first night that was built from it."""
    known: set[str] = set()
    for night in truth:
        if night["dockerfile"] not in known:
            known.add(night["dockerfile"])
            yield night["night"], night["dockerfile"]


def _blob(folder: Path, digest: str) -> bytes:
    return (folder / "blobs" / digest.replace(":", "/")).read_bytes()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
