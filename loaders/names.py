"""Where names come from: plaintexts that a daemon kept, or the provenance of an image.

=========================  ===========================================================================================
``cache-debug.db``         a daemon's plaintexts, also while it runs
a JSON file                a saved answer of ``/debug/cache/all``, ``lookup`` or ``store``; or an in-toto statement with
                           SLSA provenance, or its predicate
``http://127.0.0.1:6060``  a running daemon's ``/debug/cache/all``
a directory, an archive    an OCI image layout: the provenance of every image in it
=========================  ===========================================================================================
"""

from __future__ import annotations

import contextlib
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from cachegraph.core import gojson
from cachegraph.core.model import Name, Names
from cachegraph.errors import DecodeError, NotFoundError
from cachegraph.loaders.base import Options
from cachegraph.loaders.bboltfile import read_database
from cachegraph.loaders.blobstores import ArchiveStore, BlobStore, DirectoryStore
from cachegraph.loaders.debugaddress import is_url, masked, read_answer
from cachegraph.loaders.manifests import Manifest, sha256
from cachegraph.loaders.naming import name_all
from cachegraph.loaders.plaintexts import decode_answer, decode_database
from cachegraph.loaders.provenance import decode_provenance

__all__ = ["names_of_image", "read_names"]

_manifest_decoder = msgspec.json.Decoder(Manifest)
_PREDICATE_TYPE = "in-toto.io/predicate-type"
_SLSA = "https://slsa.dev/provenance/"
_PROVENANCE = frozenset({"predicate", "buildDefinition", "buildConfig"})
_HINTS = {
    "daemon": "start buildkitd with --save-cache-debug and build again",
    "image": "build it with --attest type=provenance,mode=max",
}


def read_names(source: str, options: Options) -> Names:
    """Read the names that a source gives to records and selectors, by digest.

    Parameters
    ----------
    source : str
        A path or an address; see the module.
    options : Options

    Raises
    ------
    cachegraph.errors.NotFoundError
        Nothing is there, or no name is in it.
    cachegraph.errors.SourceError
        It cannot be read, or is not one of these sources.
    """
    path, hint = Path(source), _HINTS["daemon"]
    if is_url(source):
        names = name_all(decode_answer(read_answer(source, "/debug/cache/all", options), masked(source)))
    elif path.is_dir():
        return _layout_names(DirectoryStore(path), source)
    elif path.is_file() and tarfile.is_tarfile(path):
        with contextlib.closing(ArchiveStore(path, options.report)) as store:
            return _layout_names(store, source)
    else:
        data = read_answer(source, "", options)
        if _is_provenance(data):
            names, hint = decode_provenance(data, source), _HINTS["image"]
        elif b"\0" in data[:64]:
            names = name_all(decode_database(read_database(path)))
        else:
            names = name_all(decode_answer(data, source))
    if not names.records:
        raise NotFoundError(f"{masked(source)}: no name in it", hint=hint)
    return names


def _is_provenance(data: bytes) -> bool:
    try:
        fields = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return not _PROVENANCE.isdisjoint(fields)


def _layout_names(store: BlobStore, place: str) -> Names:
    index = store.file("index.json")
    if index is None:
        raise NotFoundError(f"{place}: no index.json", hint="give an OCI image layout")

    def read(digest: str) -> bytes | None:
        # A layout may lack the blobs of other platforms.
        if store.size(digest) is None:
            return None
        data = store.read(digest)
        if sha256(data) != digest:
            raise DecodeError("the bytes do not match the digest", path=f"{place}: {digest}", hint="export it again")
        return data

    return names_of_image(index, read, place)


def names_of_image(root: bytes, read: Callable[[str], bytes | None], place: str) -> Names:
    """Name what the provenance in the attestation manifests below an index names.

    Parameters
    ----------
    root : bytes
        An image index.
    read : callable
        Gives the blob of a digest, checked, or None if it is not there.
    place : str
        What errors call the source.

    Raises
    ------
    cachegraph.errors.NotFoundError
        No provenance, or none that names a step.
    cachegraph.errors.DecodeError
        A manifest or a statement that is none.
    """
    records: dict[str, Name] = {}
    selectors: dict[str, str] = {}
    waiting = [root]
    seen: set[str] = set()
    while waiting:
        document = gojson.read(waiting.pop(), _manifest_decoder, path=place)
        for child in document.manifests or ():
            if child.digest not in seen and (data := read(child.digest)) is not None:
                seen.add(child.digest)
                waiting.append(data)
        for layer in document.layers or ():
            if layer.annotations.get(_PREDICATE_TYPE, "").startswith(_SLSA):
                names = decode_provenance(read(layer.digest) or b"", f"{place}: {layer.digest}")
                records |= names.records
                selectors |= names.selectors
    if not records:
        raise NotFoundError(f"{place}: no provenance that names a step", hint=_HINTS["image"])
    return Names(records=records, selectors=selectors)
