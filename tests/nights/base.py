"""The base image of the nights: klibc's shell and tools, which are small, and two scripts in place of a toolchain."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

__all__ = ["write_base"]

TOOLS = ("cat", "ls", "mkdir", "sh", "true")

PKG = """\
#!/bin/sh
# pkg install NAME.. | pkg fetch FILE: writes what a package would hold, the same for the same name and release.
. /etc/os-release
make() {
  seed=${#1}; i=0
  for word in $1 $2 $VERSION_ID; do while [ -n "$word" ]; do
    rest=${word#?}; char=$(printf %d "'${word%"$rest"}"); seed=$(( (seed * 131 + char) % 2147483647 )); word=$rest
  done; done
  while [ $i -lt $3 ]; do seed=$(( (seed * 1103515245 + 12345) % 2147483648 )); echo $seed; i=$((i + 1)); done
}
mkdir -p /lib/pkg
case $1 in
  install) shift; for name; do make $name any 400 > /lib/pkg/$name; done;;
  fetch) while read -r name version; do make $name $version 300 > /lib/pkg/$name; done < $2;;
esac
"""

COMPILE = """\
#!/bin/sh
# compile FOLDER: the sources with the packages that they are linked with.
cat $1/*.c /lib/pkg/http /lib/pkg/json /lib/pkg/log
"""


def write_base(folder: Path, release: str) -> None:
    """Write one release of the image as an OCI layout; only the upper layer differs from another's."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def add(content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    klibc = next(Path("/lib").glob("klibc-*.so"))
    lower = _layer(
        {f"bin/{tool}": Path(f"/usr/lib/klibc/bin/{tool}").read_bytes() for tool in TOOLS}
        | {f"lib/{klibc.name}": klibc.read_bytes()}
    )
    upper = _layer(
        {
            "bin/pkg": PKG.encode(),
            "bin/compile": COMPILE.encode(),
            "etc/os-release": f"NAME=os\nVERSION_ID={release}\n".encode(),
        }
    )
    layers, ids = [], []
    for plain in (lower, upper):
        ids.append(f"sha256:{hashlib.sha256(plain).hexdigest()}")
        media = "application/vnd.oci.image.layer.v1.tar+gzip"
        layers.append({"mediaType": media, **add(gzip.compress(plain, 9, mtime=0))})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": [{"created_by": "klibc"}, {"created_by": f"os {release}"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **add(json.dumps(config).encode())},
        "layers": layers,
    }
    entry = {"mediaType": manifest["mediaType"], **add(json.dumps(manifest).encode())}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}), "utf-8")
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', "utf-8")


def _layer(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), 0o755, 1_790_000_000
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
