"""Archives that are bombs, liars or damaged: an error within the budget, in little memory."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from cachegraph.builds.content.zstd import zstd_module
from cachegraph.core.digests import sha256
from cachegraph.core.model import Blob
from cachegraph.errors import DecodeError
from cachegraph.loaders.archives import Archive
from cachegraph.loaders.base import Options
from cachegraph.loaders.catalogue import load
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.names.read import read_names
from cachegraph.loaders.oci.verify import find_fault

ZSTD = cast("ModuleType", zstd_module())  # the suite has it
GIB = 1 << 30
MIB = 1 << 20


def member(name: str, size: int, kind: bytes = tarfile.REGTYPE, **fields: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def zeros_gz(path: Path, head: bytes, size: int) -> Path:
    """A gzip of some bytes and then so many zeros: a gigabyte in a megabyte."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
        block = bytes(MIB)
        for _ in range(size // MIB):
            file.write(block)
    return path


def failure(path: Path, limits: Limits | None = None) -> str:
    (failed,) = load([f"type=local,src={path}"], Options(limits=limits or Limits())).failures
    assert isinstance(failed.error, DecodeError), repr(failed.error)
    assert "unexpected" not in str(failed.error)
    return str(failed.error)


def sparse_pax() -> bytes:
    """1.5 KiB that stand for a gigabyte of zeros: a sparse member as GNU tar writes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("index.json")
        info.pax_headers = {
            "GNU.sparse.major": "0",
            "GNU.sparse.minor": "1",
            "GNU.sparse.name": "index.json",
            "GNU.sparse.size": str(GIB),
            "GNU.sparse.numblocks": "1",
            "GNU.sparse.map": f"{GIB},0",
        }
        archive.addfile(info)
    return buffer.getvalue()


BOMBS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a long name of two gigabytes": (
        lambda path: zeros_gz(path, member("././@LongLink", 2 * GIB, tarfile.GNUTYPE_LONGNAME), 64 * MIB),
        "bytes of headers",
    ),
    "a pax header of two gigabytes": (
        lambda path: zeros_gz(path, member("pax", 2 * GIB, tarfile.XHDTYPE), 64 * MIB),
        "bytes of headers",
    ),
    "a global pax header of two gigabytes": (
        lambda path: zeros_gz(path, member("pax", 2 * GIB, tarfile.XGLTYPE), 64 * MIB),
        "bytes of headers",
    ),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_in_a_header_takes_no_memory(tmp_path: Path, what: str) -> None:
    make, words = BOMBS[what]
    path = make(tmp_path / "cache.tar.gz")
    code = (
        "import re, sys\n"
        "from cachegraph.loaders.catalogue import load\n"
        "print(load([sys.argv[1]]).failures[0].error)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert words in done.stdout
    assert "--limit archive-header-bytes=NUMBER" in done.stdout
    assert int(done.stdout.split()[-1]) < 150_000  # KiB, interpreter and libraries included


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, ZSTD.compress])
def test_a_member_that_is_passed_over_counts(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "cache.tar.gz"
    path.write_bytes(pack(member("blobs/sha256/" + "0" * 64, 100 * MIB) + bytes(100 * MIB) + bytes(1024)))
    assert path.stat().st_size < 600_000
    began = time.monotonic()
    said = failure(path, Limits(archive_bytes=20 * MIB))
    assert said.startswith(f"{path}: more than 20,971,520 bytes once decompressed (")
    assert time.monotonic() - began < 5


def test_seconds_count(tmp_path: Path) -> None:
    path = zeros_gz(tmp_path / "cache.tar.gz", member("x", 8 * GIB), 64 * MIB)
    assert "more than 0 seconds to go through" in failure(path, Limits(archive_seconds=0))


def test_members_count(tmp_path: Path) -> None:
    path = tmp_path / "cache.tar"
    path.write_bytes(member("x", 0) * 101 + bytes(1024))
    assert "more than 100 members" in failure(path, Limits(archive_members=100))


def test_a_sparse_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cache.tar"
    path.write_bytes(sparse_pax())
    assert path.stat().st_size < 11_000
    assert "a member is sparse" in failure(path)


def test_a_member_larger_than_a_config_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "cache.tar"
    path.write_bytes(member("index.json", 10 * MIB) + bytes(10 * MIB) + bytes(1024))
    assert "index.json: more than 1,000 bytes" in failure(path, Limits(file_bytes=1000))


DAMAGED = {
    "nothing": b"",
    "text": b"hello, world\n" * 100,
    "half a header": member("index.json", 5)[:300],
    "a size that is not a number": member("index.json", 5)[:124] + b"99999999zzz\0" + member("x", 5)[136:],
    "half a gzip": gzip.compress(member("index.json", 5) + b"hello" + bytes(507))[:40],
    "gzip of noise": b"\x1f\x8b" + bytes(range(256)),
    "bzip2 of noise": b"BZh9" + bytes(range(256)),
    "xz of noise": b"\xfd7zXZ\x00" + bytes(range(256)),
    "zstd of noise": b"\x28\xb5\x2f\xfd" + bytes(range(256)),
    "half a zstd": ZSTD.compress(member("index.json", 5) + b"hello" + bytes(507))[:40],
    "a pax record without a length": member("p", 10, tarfile.XHDTYPE) + b"no length\n" + bytes(502) + member("x", 0),
    "a pax size that is not a number": member("p", 18, tarfile.XHDTYPE)
    + b"18 size=not-a-num\n"
    + bytes(494)
    + member("x", 0),
    "long names without end": member("././@LongLink", 1, tarfile.GNUTYPE_LONGNAME) + b"x" + bytes(511),
    "sparse numbers that are none": member("index.json", 0, tarfile.GNUTYPE_SPARSE)[:386]
    + b"zzzzzzzzzzzz" * 8
    + bytes(30),
    "a member that leads out": member("../../etc/passwd", 0) + bytes(1024),
    "an absolute member": member("/etc/passwd", 0) + bytes(1024),
    "a name that is no text": member("x", 0)[:0]
    + tarfile.TarInfo("\udcff\udcfe").tobuf(tarfile.GNU_FORMAT)
    + bytes(1024),
}
DAMAGED["a thousand long names in a row"] = DAMAGED["long names without end"] * 1000


@pytest.mark.parametrize("what", DAMAGED)
def test_damage_is_one_error(tmp_path: Path, what: str) -> None:
    path = tmp_path / "cache.tar"
    path.write_bytes(DAMAGED[what])
    (failed,) = load([f"type=local,src={path}"]).failures
    assert "unexpected" not in str(failed.error)
    assert str(path) in str(failed.error)
    if what not in {"text", "nothing", "half a gzip", "half a zstd"}:
        with pytest.raises(Exception) as caught:
            read_names(str(path), Options())
        assert type(caught.value).__module__ == "cachegraph.errors"


def archive(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # a mode from outside
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zstd"])
def test_every_file_can_be_read_in_any_order(tmp_path: Path, mode: str) -> None:
    large = bytes(range(256)) * 8192  # two mebibytes, which are not kept in memory
    files = {"a/large": large, "index.json": b"{}", "empty": b"", "b/large": large[::-1], "exact": b"x" * 512}
    path = archive(tmp_path / "x.tar", files, mode if mode != "zstd" else "w")
    if mode == "zstd":  # tarfile writes it from Python 3.14 on; two frames, as tools write it that look for a place
        plain = path.read_bytes()
        path.write_bytes(ZSTD.compress(plain[:MIB]) + ZSTD.compress(plain[MIB:]))
    found = Archive(path, lambda *_: None, Limits())
    try:
        for name in ("b/large", "index.json", "a/large", "exact", "empty", "b/large"):
            assert found.read(name) == files[name]
            assert b"".join(found.chunks(name)) == files[name]
        assert dict(found.sizes()) == {name: len(content) for name, content in files.items()}
    finally:
        found.close()


def test_many_manifests_in_a_compressed_archive_are_read_in_one_pass(tmp_path: Path) -> None:
    """Going back in a gzip means decompressing from its start: manifests and configs are kept in memory instead."""
    config = b'{"layers": [], "records": []}'
    files: dict[str, bytes] = {"blobs/sha256/" + "0" * 64: bytes(30 * MIB)}
    entries = []
    for number in range(200):
        described = {
            "mediaType": "application/vnd.buildkit.cacheconfig.v0",
            "digest": sha256(config),
            "size": len(config),
        }
        manifest = json.dumps({"config": described, "layers": [], "annotations": {"n": str(number)}}).encode()
        files[f"blobs/sha256/{sha256(manifest)[7:]}"] = manifest
        notes = {"org.opencontainers.image.ref.name": f"t{number}"}
        entries.append({"digest": sha256(manifest), "size": len(manifest), "annotations": notes})
    files[f"blobs/sha256/{sha256(config)[7:]}"] = config
    files["index.json"] = json.dumps({"manifests": entries}).encode()
    path = archive(tmp_path / "x.tar.gz", files)
    began = time.process_time()
    assert len(load([str(path)]).exports) == 200
    assert time.process_time() - began < 10


def test_without_a_reader_of_zstd_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cache.tar.zst"
    path.write_bytes(ZSTD.compress(member("index.json", 5) + b"hello" + bytes(507)))
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    assert "reading zstd needs one more package: pip install 'cachegraph[zstd]'" in failure(path)


@pytest.mark.parametrize(("kind", "pack"), [("gzip", gzip.compress), ("zstd", ZSTD.compress)])
def test_a_layer_in_several_frames_has_the_diff_id_of_all(kind: str, pack: Callable[[bytes], bytes]) -> None:
    """So eStargz and zstd:chunked write them."""
    plain = (b"a" * 100_000, b"b" * 70_000)
    packed = b"".join(map(pack, plain))
    layer = Blob(
        digest=sha256(packed),
        size=len(packed),
        media_type=f"application/vnd.oci.image.layer.v1.tar+{kind}",
        diff_id=sha256(b"".join(plain)),
    )
    for pieces in ([packed], [packed[at : at + 7] for at in range(0, len(packed), 7)]):
        assert find_fault(pieces, layer, Limits()) is None
    assert find_fault([packed], replace(layer, diff_id=sha256(plain[0])), Limits()) == "wrong-diff-id"
