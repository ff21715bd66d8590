"""The file around a build record: a tar archive, nearly always gzipped, that holds an OCI layout.

::

    oci-layout
    index.json                 {"manifests": [{"digest": "sha256:0d.."}]}        the record, or an index of records
    blobs/sha256/0d..          {"config": {"mediaType": "application/vnd.buildkit.historyrecord.v0", ..},
                                "layers": [{"mediaType": "application/vnd.buildkit.status.v0", ..}, ..]}

Nothing is unpacked to disk. A blob is handed out only if its bytes match the digest that names it.
Source: buildx ``util/desktop/bundle`` (``Export``).
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from cachegraph.builds.dockerbuild.budget import Meter
from cachegraph.core import gojson
from cachegraph.core.digests import sha256
from cachegraph.core.gojson import Wire
from cachegraph.errors import AccessError, DecodeError, NotFoundError

__all__ = ["Container", "Descriptor", "open_container"]

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_HINT = "give a file that `docker buildx history export` wrote, or the artifact of docker/build-push-action"
_REFERENCE = "vnd.buildkit.history.reference"
_MAX_MANIFESTS = 10_000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Descriptor(Wire, frozen=True, rename="camel"):
    """What a manifest says of a blob."""

    media_type: str = ""
    digest: str = ""
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class _Manifest(Wire, frozen=True, rename="camel"):
    """A manifest, or an index: what both hold together."""

    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()


_manifest = msgspec.json.Decoder(_Manifest)


class Container:
    """The files of one archive.

    Parameters
    ----------
    files : dict of str to bytes
        By their names in the archive.
    place : str
        What errors call the archive.
    """

    def __init__(self, files: dict[str, bytes], place: str) -> None:
        self._files = files
        self.place = place

    def blob(self, descriptor: Descriptor) -> bytes:
        """Give the bytes of a blob, checked against its digest.

        Raises
        ------
        cachegraph.errors.DecodeError
            The archive lacks it, or has other bytes under its name.
        """
        digest = descriptor.digest
        if not _DIGEST.fullmatch(digest):
            raise DecodeError(f"{digest[:100]!r} is not a digest, expected sha256: and 64 hex digits", path=self.place)
        data = self._files.get(f"blobs/{digest.replace(':', '/')}")
        if data is None:
            raise DecodeError("the archive lacks this blob", path=f"{self.place}: {digest}", hint="export it again")
        if sha256(data) != digest:
            raise DecodeError(
                "the bytes do not match the digest", path=f"{self.place}: {digest}", hint="export it again"
            )
        return data

    def records(self) -> list[tuple[str, Descriptor, tuple[Descriptor, ...]]]:
        """List the records: reference (empty where only the config says), config, and layers of each.

        Raises
        ------
        cachegraph.errors.DecodeError
            No layout, or a manifest that is damaged or missing.
        """
        index = self._files.get("index.json")
        if index is None:
            raise DecodeError("there is no index.json in it", path=self.place, hint=_HINT)
        found: list[tuple[str, Descriptor, tuple[Descriptor, ...]]] = []
        waiting = [("", index)]
        seen: set[str] = set()
        while waiting:
            reference, data = waiting.pop()
            manifest = self._parsed(data)
            if manifest.config is not None:
                found.append((reference, manifest.config, manifest.layers))
            for child in reversed(manifest.manifests):
                if child.digest not in seen:
                    seen.add(child.digest)
                    waiting.append((child.annotations.get(_REFERENCE, reference), self.blob(child)))
            if len(seen) > _MAX_MANIFESTS:
                raise DecodeError(f"more than {_MAX_MANIFESTS:,} manifests", path=self.place, hint="do not trust it")
        return found

    def _parsed(self, data: bytes) -> _Manifest:
        try:
            return gojson.read(data, _manifest)
        except DecodeError as error:
            raise DecodeError(f"a manifest is damaged: {error.message}", path=self.place, hint=_HINT) from None


def open_container(path: Path, meter: Meter) -> Container:
    """Read an archive into memory.

    Parameters
    ----------
    path : pathlib.Path
    meter : Meter

    Raises
    ------
    cachegraph.errors.NotFoundError
        No such file.
    cachegraph.errors.AccessError
        No right to read it, or a folder.
    cachegraph.errors.DecodeError
        No such archive, a damaged one, or one that is over the budget.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == _GZIP
            file.seek(0)
            data = _unpacked(gzip.GzipFile(fileobj=file) if zipped else file, meter)
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such file", hint=_HINT) from None
    except EOFError:
        raise DecodeError("the gzip stream is cut off", path=meter.place, hint="export it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DecodeError(f"the gzip stream is damaged ({error})", path=meter.place, hint="export it again") from None
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror}", hint=_HINT) from None
    return Container(_members(data, meter), meter.place)


def _unpacked(stream: IO[bytes] | gzip.GzipFile, meter: Meter) -> bytearray:
    """Read a stream to its end, within the budget of bytes and seconds."""
    data = bytearray()
    while piece := stream.read(_CHUNK):
        meter.check_time()
        data += piece
        if len(data) > meter.budget.bytes:
            raise DecodeError(
                f"it unpacks to more than {meter.budget.bytes:,} bytes",
                path=meter.place,
                hint="raise Budget.bytes if you trust the file",
            )
    return data


def _members(data: bytearray, meter: Meter) -> dict[str, bytes]:
    """Collect the regular files of a tar archive."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for number, member in enumerate(archive, 1):
                meter.check_time()
                if number > meter.budget.members:
                    raise DecodeError(
                        f"more than {meter.budget.members:,} files",
                        path=meter.place,
                        hint="raise Budget.members if you trust the file",
                    )
                name = PurePosixPath(member.name)
                if name.is_absolute() or ".." in name.parts:
                    raise DecodeError(
                        f"member {member.name[:100]!r} leads out of the archive",
                        path=meter.place,
                        hint="do not trust it",
                    )
                # Sizes come from headers that anyone can write; what is not there is not read.
                if member.isreg() and 0 <= member.size <= len(data):
                    file = archive.extractfile(member)
                    files[str(name)] = file.read() if file else b""
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, RecursionError) as error:
        raise DecodeError(f"no tar archive that can be read ({error})", path=meter.place, hint=_HINT) from None
    return files
