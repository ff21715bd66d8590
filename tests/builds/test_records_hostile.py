"""Build records that are damaged, or made to hurt: an error that names the place, within the budget."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachegraph.builds.dockerbuild import Budget, load_record
from cachegraph.builds.dockerbuild.budget import Meter
from cachegraph.builds.dockerbuild.status import read_status
from cachegraph.builds.dockerbuild.wire import fields
from cachegraph.errors import AccessError, CacheGraphError, DecodeError, NotFoundError

RECORDS = Path(__file__).parents[1] / "data" / "records"
ARGS = RECORDS / "args.dockerbuild"
CONFIG = "application/vnd.buildkit.historyrecord.v0"
STATUS = "application/vnd.buildkit.status.v0"


def archive(files: Mapping[str, bytes], *, zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue()) if zipped else buffer.getvalue()


def layout(config: bytes = b"{}", status: bytes = b"", **more: bytes) -> dict[str, bytes]:
    """A record with these documents."""
    files: dict[str, bytes] = dict(more)

    def add(data: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    manifest = json.dumps({"config": add(config, CONFIG), "layers": [add(status, STATUS)]}).encode()
    kind = "application/vnd.oci.image.manifest.v1+json"
    return {"index.json": json.dumps({"manifests": [add(manifest, kind)]}).encode(), **files}


def write(folder: Path, data: bytes) -> Path:
    path = folder / "x.dockerbuild"
    path.write_bytes(data)
    return path


def refusal(path: Path, budget: Budget | None = None) -> str:
    with pytest.raises(DecodeError) as caught:
        load_record(path, budget=budget)
    return str(caught.value).replace(str(path), "FILE")


def test_an_empty_record_is_read(tmp_path: Path) -> None:
    (found,) = load_record(write(tmp_path, archive(layout())))
    assert (found.ref, found.steps, found.error, found.platforms) == ("", (), None, ())


def test_a_plain_tar_is_read(tmp_path: Path) -> None:
    data = gzip.decompress(ARGS.read_bytes())
    assert load_record(write(tmp_path, data))[0].steps == load_record(ARGS)[0].steps


def test_two_gzip_members_are_one_stream(tmp_path: Path) -> None:
    data = gzip.decompress(ARGS.read_bytes())
    path = write(tmp_path, gzip.compress(data[:5000]) + gzip.compress(data[5000:]) + bytes(512))
    assert load_record(path)[0].steps == load_record(ARGS)[0].steps


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        load_record(tmp_path / "none.dockerbuild")
    with pytest.raises(AccessError, match="Is a directory"):
        load_record(tmp_path)


HINT = "give a file that `docker buildx history export` wrote, or the artifact of docker/build-push-action"


def test_not_a_record(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, b"hello" * 300)).startswith("FILE: no tar archive that can be read (")
    assert refusal(write(tmp_path, archive({"a": b"b"}))) == f"FILE: there is no index.json in it ({HINT})"
    index = {"index.json": b'{"manifests": []}'}
    assert refusal(write(tmp_path, archive(index))) == f"FILE: there is no build record in it ({HINT})"


def test_cut_off(tmp_path: Path) -> None:
    whole = ARGS.read_bytes()
    assert refusal(write(tmp_path, whole[:4000])) == "FILE: the gzip stream is cut off (export it again)"
    assert "damaged" in refusal(write(tmp_path, whole[:3000] + b"\0" * 500 + whole[3500:]))


def test_a_bomb_of_zeros_stops_at_the_budget(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(bytes(64 << 20)))
    assert refusal(path, Budget(bytes=1 << 20)) == (
        "FILE: it unpacks to more than 1,048,576 bytes (raise Budget.bytes if you trust the file)"
    )


def test_too_many_files(tmp_path: Path) -> None:
    path = write(tmp_path, archive({f"blobs/sha256/{n}": b"" for n in range(50)}))
    assert refusal(path, Budget(members=20)) == (
        "FILE: more than 20 files (raise Budget.members if you trust the file)"
    )


def test_too_many_events(tmp_path: Path) -> None:
    status = b"\x0a\x02\x0a\x00" * 100
    path = write(tmp_path, archive(layout(status=len(status).to_bytes(4, "little") + status)))
    assert refusal(path, Budget(events=50)) == (
        "FILE: more than 50 progress events (raise Budget.events if you trust the file)"
    )


def test_too_long(tmp_path: Path) -> None:
    assert refusal(ARGS, Budget(seconds=0)).endswith(
        "reading took more than 0 seconds (raise Budget.seconds if you trust the file)"
    )


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "blobs/../../x"])
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    assert refusal(write(tmp_path, archive({name: b"x"}))) == (
        f"FILE: member {name!r} leads out of the archive (do not trust it)"
    )


def test_a_size_that_is_a_lie(tmp_path: Path) -> None:
    data = bytearray(archive({"index.json": b"{}"}, zipped=False))
    data[124:136] = b"77777777777\0"
    data[148:156] = b"%06o\0 " % (sum(data[:148]) + 8 * 32 + sum(data[156:512]))
    assert "FILE: " in refusal(write(tmp_path, bytes(data)))


def test_other_bytes_than_the_digest_says(tmp_path: Path) -> None:
    files = layout(config=b'{"Ref": "a"}')
    name = next(name for name, data in files.items() if data == b'{"Ref": "a"}')
    files[name] = b'{"Ref": "b"}'
    digest = name.rpartition("/")[2]
    assert refusal(write(tmp_path, archive(files))) == (
        f"FILE: sha256:{digest}: the bytes do not match the digest (export it again)"
    )


def test_a_blob_that_is_missing(tmp_path: Path) -> None:
    files = layout(config=b'{"Ref": "a"}')
    name = next(name for name, data in files.items() if data == b'{"Ref": "a"}')
    del files[name]
    digest = name.rpartition("/")[2]
    assert refusal(write(tmp_path, archive(files))) == (
        f"FILE: sha256:{digest}: the archive lacks this blob (export it again)"
    )


def test_a_digest_that_is_a_path(tmp_path: Path) -> None:
    index = json.dumps({"manifests": [{"digest": "sha256:../../../etc/passwd"}]}).encode()
    assert "is not a digest" in refusal(write(tmp_path, archive({"index.json": index})))


def test_damaged_documents(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, archive(layout(config=b'{"Ref": 5}')))) == (
        "FILE: Ref: expected a string, got 5 (export it again)"
    )
    assert "frame at byte 0 has 255 bytes, 1 are left" in refusal(
        write(tmp_path, archive(layout(status=b"\xff\0\0\0x")))
    )
    bad_imports = json.dumps({"FrontendAttrs": {"cache-imports": "[{"}}).encode()
    assert "FILE: cache-imports: not JSON" in refusal(write(tmp_path, archive(layout(config=bad_imports))))


def test_times_that_no_calendar_has(tmp_path: Path) -> None:
    config = b'{"CreatedAt": {"seconds": 9223372036854775807, "nanos": -5}}'
    assert load_record(write(tmp_path, archive(layout(config=config))))[0].created is None


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def encode(values: list[tuple[int, int | bytes]]) -> bytes:
    return b"".join(
        varint(number << 3) + varint(value)
        if isinstance(value, int)
        else varint(number << 3 | 2) + varint(len(value)) + value
        for number, value in values
    )


FIELDS = st.lists(
    st.tuples(st.integers(1, 2**29 - 1), st.integers(0, 2**64 - 1) | st.binary(max_size=300)), max_size=20
)


@given(FIELDS)
def test_the_wire_format_comes_back_as_it_was(values: list[tuple[int, int | bytes]]) -> None:
    assert list(fields(encode(values), "x")) == values


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_messages(data: bytes) -> None:
    with suppress(DecodeError):
        list(fields(data, "x"))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_progress(data: bytes) -> None:
    frame = len(data).to_bytes(4, "little") + data
    with suppress(DecodeError):
        read_status(frame, Meter(Budget(), "x"))


@given(st.integers(0, len(gzip.decompress(ARGS.read_bytes())) - 1), st.integers(0, 255))
def test_one_wrong_byte_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, byte: int) -> None:
    data = bytearray(gzip.decompress(ARGS.read_bytes()))
    data[at] = byte
    path = tmp_path_factory.getbasetemp() / "flipped.dockerbuild"
    path.write_bytes(data)
    with suppress(CacheGraphError):
        (found,) = load_record(path)
        assert len(found.steps) == 12


@pytest.mark.slow
def test_a_large_record_is_read_in_linear_time() -> None:
    """A build of 20,000 steps with five events each: well below a second a megabyte."""
    time_ = (5, encode([(1, 1795629570), (2, 241027492)]))
    vertices = [
        (1, encode([(1, f"sha256:{n % 20_000:064x}".encode()), (3, b"[stage 1/1] RUN make"), time_]))
        for n in range(100_000)
    ]
    frame = b"".join(b"\x0a" + varint(len(value)) + value for _, value in vertices)
    before = time.process_time()
    status = read_status(len(frame).to_bytes(4, "little") + frame, Meter(Budget(), "x"))
    spent = time.process_time() - before
    assert len(status.vertices) == 20_000
    assert spent < 5
