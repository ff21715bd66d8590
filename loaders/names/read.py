"""Where names come from: plaintexts that a daemon kept, the provenance and history of an image, a Dockerfile.

=========================  ===========================================================================================
``cache-debug.db``         a daemon's plaintexts, also while it runs; as a spec ``type=daemon,db=PATH``
``http://127.0.0.1:6060``  a running daemon's ``/debug/cache/all``; as a spec ``type=daemon,debug=URL``
a JSON file                a saved answer of ``/debug/cache/all``, ``lookup`` or ``store``; or an in-toto statement with
                           SLSA provenance, or its predicate
a directory, an archive    an OCI image layout: the provenance and the history of every image in it; as a spec
                           ``type=local,src=DIR``
a ``.dockerbuild`` file    a build record: its provenance, and what its progress called the steps
``app:latest``             the provenance and the history of an image in a registry; as a spec ``type=registry,ref=REF``
``Dockerfile``             what its instructions ask for, with lines; ``Dockerfile:.`` with the files of a context,
                           as does a directory with a ``Dockerfile`` that is no layout;
                           ``type=dockerfile,src=PATH,context=DIR,platform=OS/ARCH`` for another platform
=========================  ===========================================================================================
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from cachegraph.builds.dockerbuild.reading import is_record, load_record
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.builds.provenance import Texts, provenance_texts
from cachegraph.core.digests import sha256
from cachegraph.core.model import Names
from cachegraph.core.untrusted import known_json
from cachegraph.errors import DecodeError, NotFoundError, SpecError
from cachegraph.loaders.archives import is_archive
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.buildkitd.bboltfile import read_database
from cachegraph.loaders.buildkitd.debugaddress import is_url, masked, read_answer
from cachegraph.loaders.http.failures import at
from cachegraph.loaders.http.parallel import within
from cachegraph.loaders.limits import source_seconds
from cachegraph.loaders.names.dockerfiles import dockerfile_texts, find_dockerfile, is_dockerfile
from cachegraph.loaders.names.images import IMAGE_HINT, texts_of_image
from cachegraph.loaders.names.plaintexts import decode_answer, decode_database
from cachegraph.loaders.oci.blobstores import ArchiveStore, BlobStore, DirectoryStore
from cachegraph.loaders.oci.manifests import Descriptor
from cachegraph.loaders.paths import kind_of, local_path
from cachegraph.loaders.registry import open_image
from cachegraph.loaders.specs.parse import check_keys, parse, required

__all__ = ["is_provenance", "read_names", "read_texts", "texts_of_image"]

_FIELDS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PROVENANCE = frozenset({"predicate", "buildDefinition", "buildConfig"})
_DAEMON_HINT = "start buildkitd with --save-cache-debug and build again"


def read_names(source: str, options: Options) -> Names:
    """Read the names that a source gives to records and selectors, by digest.

    Takes and raises what `read_texts` does.
    """
    return read_texts(source, options).named()


def read_texts(source: str, options: Options) -> Texts:
    """Read the plaintexts that a source holds; over the network, only for so long.

    Parameters
    ----------
    source : str
        A path, an address, an image reference or a spec; see the module.
    options : Options

    Returns
    -------
    cachegraph.builds.provenance.Texts
        They name at least one record.

    Raises
    ------
    cachegraph.errors.SpecError
        A spec of a kind that holds no names, or that is wrong.
    cachegraph.errors.NotFoundError
        Nothing is there, or no name is in it.
    cachegraph.errors.SourceError
        It cannot be read, or is not one of these sources.
    """
    spec = _spec(source)
    # A Dockerfile's base images are asked for.
    is_far = spec.type in ("registry", "dockerfile") or is_url(spec.attrs.get("debug", ""))
    seconds = source_seconds(options.limits, options.timeout) if is_far else None
    return within(seconds, lambda: _read(spec, options), spec.text)


def _spec(source: str) -> Spec:
    if is_url(source):
        return Spec(type="daemon", attrs={"debug": source}, text=masked(source))
    found = find_dockerfile(source)
    if found is not None:
        return Spec(type="dockerfile", attrs={"src": str(found[0]), "context": str(found[1])}, text=source)
    spec = parse(source)
    folder = Path(spec.attrs.get("src", "")) if spec.type == "local" else None
    if folder is not None and _is_build(folder):
        return Spec(type="dockerfile", attrs={"src": str(folder / "Dockerfile"), "context": str(folder)}, text=source)
    is_one = spec.type == "config" and is_dockerfile(Path(spec.attrs.get("src", "")))
    return Spec(type="dockerfile", attrs=spec.attrs, text=spec.text) if is_one else spec


def _is_build(folder: Path) -> bool:
    """Tell whether a folder is what an image is built of, and no layout."""
    is_layout = kind_of(folder / "index.json") == "file"
    return kind_of(folder) == "directory" and not is_layout and is_dockerfile(folder / "Dockerfile")


def _read(spec: Spec, options: Options) -> Texts:
    match spec.type:
        case "dockerfile":
            return _dockerfile_texts(spec, options)
        case "registry":
            return _registry_texts(spec, options)
        case "daemon":
            check_keys(spec, {"db", "debug"})
            address = spec.attrs.get("debug", "")
            return _daemon_texts(address, options) if address else _file_texts(required(spec, "db", "db=PATH"), options)
        case "local" | "config":
            check_keys(spec, {"src", "tag", "digest"})
            return _file_texts(required(spec, "src", "src=PATH"), options)
    raise SpecError(
        f"{spec.text}: type={spec.type} holds no names",
        hint="give a daemon's cache-debug.db or debug address, or an image with provenance",
    )


def _dockerfile_texts(spec: Spec, options: Options) -> Texts:
    check_keys(spec, {"src", "context", "platform"})
    context = spec.attrs.get("context", "")
    texts = dockerfile_texts(
        local_path(required(spec, "src", "src=Dockerfile")),
        options,
        context=local_path(context) if context else None,
        platform=spec.attrs.get("platform") or None,
    )
    return _some(texts, spec.text, "name a Dockerfile whose base images can be read")


def _daemon_texts(address: str, options: Options) -> Texts:
    plaintexts = decode_answer(read_answer(address, "/debug/cache/all", options), masked(address))
    return _some(_texts(plaintexts), masked(address), _DAEMON_HINT)


def _file_texts(source: str, options: Options) -> Texts:
    path = local_path(source)
    kind = kind_of(path)
    if kind == "file" and is_record(path):
        return _record_texts(path, source, options)
    if kind == "directory":
        return _layout_texts(DirectoryStore(path, options.limits), source)
    if kind == "file" and is_archive(path, options.limits):
        with contextlib.closing(ArchiveStore(path, options.report, options.limits)) as store:
            return _layout_texts(store, source)
    data = read_answer(str(path), "", options)
    if is_provenance(data):
        return _some(provenance_texts(data, source), source, IMAGE_HINT)
    plaintexts = (
        decode_database(read_database(path, options.limits)) if b"\0" in data[:64] else decode_answer(data, source)
    )
    return _some(_texts(plaintexts), source, _DAEMON_HINT)


def _record_texts(path: Path, source: str, options: Options) -> Texts:
    """Read a build record: its provenance, and what its progress called the steps."""
    texts = Texts()
    with (
        contextlib.suppress(NotFoundError),
        contextlib.closing(ArchiveStore(path, options.report, options.limits)) as store,
    ):
        texts = _layout_texts(store, source)
    for record in load_record(path):
        for digest, name in record.names.records.items():
            texts.names.setdefault(digest, name)
        texts.references |= {**record.references, **texts.references}
    return _some(texts, source, "the build failed before it had provenance; give another record")


def _texts(plaintexts: dict[str, Plaintext]) -> Texts:
    texts = Texts()
    texts.plaintexts |= plaintexts
    return texts


def _some(texts: Texts, place: str, hint: str) -> Texts:
    if not texts.layers and not texts.named().records:
        raise NotFoundError(f"{place}: no name in it", hint=hint)
    return texts


def is_provenance(data: bytes) -> bool:
    """Tell whether bytes are SLSA provenance: a predicate, or a statement around it."""
    fields = known_json(data, _FIELDS)
    return fields is not None and not _PROVENANCE.isdisjoint(fields)


def _layout_texts(store: BlobStore, place: str) -> Texts:
    index = store.file("index.json")
    if index is None:
        raise NotFoundError(f"{place}: no index.json", hint="give an OCI image layout, or a folder with a Dockerfile")

    def read(descriptor: Descriptor) -> bytes | None:
        digest = descriptor.digest
        # A layout may lack the blobs of other platforms.
        if store.size(digest) is None:
            return None
        data = store.read(digest)
        if sha256(data) != digest:
            raise DecodeError("the bytes do not match the digest", path=f"{place}: {digest}", hint="export it again")
        return data

    return texts_of_image(index, read, place)


def _registry_texts(spec: Spec, options: Options) -> Texts:
    check_keys(spec, {"ref", "registry.insecure"})
    image = open_image(spec, options)
    with at(str(image.reference), hint="build the image again"):
        return texts_of_image(image.manifest().content, image.fetch, str(image.reference))
