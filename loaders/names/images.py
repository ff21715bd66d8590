"""Names from images: the provenance attached to them, and the history in their configs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from cachegraph.builds.history_names import layer_names
from cachegraph.builds.provenance import Texts, provenance_texts
from cachegraph.core import gojson
from cachegraph.core.gojson import Wire
from cachegraph.core.model import Name
from cachegraph.errors import NotFoundError
from cachegraph.loaders.oci.manifests import CACHE_CONFIG, Descriptor, Manifest, child_manifests

__all__ = ["IMAGE_HINT", "named_layers", "texts_of_image"]

IMAGE_HINT = "build it with --attest type=provenance,mode=max"
_MANIFEST = msgspec.json.Decoder(Manifest)
_PREDICATE_TYPE = "in-toto.io/predicate-type"
_SLSA = "https://slsa.dev/provenance/"
_MOST_LAYERS = 1000  # of an image: what is kept grows with their square


class _RootFS(Wire, frozen=True):
    diff_ids: tuple[str, ...] = ()


class _History(Wire, frozen=True):
    created_by: str = ""
    empty_layer: bool = False


class _Config(Wire, frozen=True):
    """What of an image's config says what made its layers."""

    rootfs: _RootFS = _RootFS()
    history: tuple[_History, ...] = ()


_CONFIG = msgspec.json.Decoder(_Config)


def texts_of_image(root: bytes, read: Callable[[Descriptor], bytes | None], place: str) -> Texts:
    """Compute what an image tells of its steps: plaintexts from its provenance, layers from its history.

    Parameters
    ----------
    root : bytes
        An image manifest, or an index of images and attestations.
    read : callable
        Gives the blob of a descriptor, checked, or None if it is not there.
    place : str
        What errors call the source.

    Raises
    ------
    cachegraph.errors.NotFoundError
        Neither names a step.
    cachegraph.errors.DecodeError
        A manifest, a config or a statement that is none.
    """
    texts = Texts()
    waiting = [root]
    seen: set[str] = set()
    while waiting:
        document = gojson.read(waiting.pop(), _MANIFEST, path=place)
        for child in child_manifests(document):
            if child.digest not in seen and (data := read(child)) is not None:
                seen.add(child.digest)
                waiting.append(data)
        layers = document.layers or ()
        attested = [layer for layer in layers if _PREDICATE_TYPE in layer.annotations]
        for layer in attested:
            if layer.annotations[_PREDICATE_TYPE].startswith(_SLSA):
                texts = texts | provenance_texts(read(layer) or b"", f"{place}: {layer.digest}")
        if layers and not attested and document.config is not None and document.config.media_type != CACHE_CONFIG:
            texts.layers |= _history(document.config, layers, read, place)
    if not texts.plaintexts and not texts.layers:
        raise NotFoundError(f"{place}: no provenance that names a step", hint=IMAGE_HINT)
    return texts


def _history(
    config: Descriptor, layers: Sequence[Descriptor], read: Callable[[Descriptor], bytes | None], place: str
) -> dict[tuple[str, ...], Name]:
    data = read(config)
    if data is None:
        return {}
    image = gojson.read(data, _CONFIG, path=f"{place}: image config")
    made = [entry.created_by or None for entry in image.history if not entry.empty_layer]
    if len(made) != len(layers):
        return {}
    found = named_layers([layer.digest for layer in layers], made)
    if len(image.rootfs.diff_ids) == len(layers):
        found |= named_layers(image.rootfs.diff_ids, made)
    return found


def named_layers(digests: Sequence[str], history: Sequence[str | None]) -> dict[tuple[str, ...], Name]:
    """Name the layers of an image by all digests up to each; what ``COPY --link`` made also alone.

    Parameters
    ----------
    digests : sequence of str
        Of the blobs, or of their content, bottom first.
    history : sequence of str or None
        What made each of them.

    Returns
    -------
    dict of tuple of str to Name
        As `cachegraph.core.model.Names.layers`.
    """
    names = layer_names(history)
    times = Counter(digests)
    found: dict[tuple[str, ...], Name] = {}
    for index, (digest, name) in enumerate(zip(digests[:_MOST_LAYERS], names, strict=False)):
        if name is None:
            continue
        found[tuple(digests[: index + 1])] = name
        if times[digest] == 1 and name.name.startswith(("COPY ", "ADD ")):
            found.setdefault((digest,), name)
    return found
