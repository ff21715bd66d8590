"""Base images, recognised among the roots.

An image source is a root whose digest is made of the image's chain ID: layers whose diff IDs are known prove it. The
same image often stands there twice, under a key made of its manifest digest, which no export holds; that root is known
by the layers it must have brought:

- a diff of it: the upper side's layers without the diff's own;
- a merge of it: the one gap that the other inputs leave, or what such a gap begins with.

Sources: BuildKit ``source/containerimage/pull.go`` (``cacheKeyFromConfig``, ``mainManifestKey``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.merges import lay_out
from cachegraph.core.operations import chain_ids, image_digest
from cachegraph.core.resolved import ResolvedExport
from cachegraph.core.results import ancestors

__all__ = ["Images", "recognise_images"]

Blobs = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What is known of base images.

    Attributes
    ----------
    proven : frozenset of int
        Roots recognised by their own digest.
    layers : dict of int to tuple of str
        Blobs, bottom first, of every root recognised as an image, by its digest or by the gap it fills.
    """

    proven: frozenset[int]
    layers: dict[int, Blobs]


def recognise_images(graph: ResolvedExport) -> Images:
    """Find the base images among the roots of an export.

    Parameters
    ----------
    graph : ResolvedExport

    Returns
    -------
    Images
    """
    proven = _by_chain_id(graph)
    layers = dict(proven)
    images = set(proven.values())
    if images:
        for root, blobs in _by_diff(graph):
            if blobs in images:
                layers.setdefault(root, blobs)
        _by_gap(graph, images, layers)
    return Images(proven=frozenset(proven), layers=layers)


def _by_chain_id(graph: ResolvedExport) -> dict[int, Blobs]:
    """Look the key of every run of layers up among the roots."""
    records, layers = graph.export.config.records, graph.export.config.layers
    diff_ids = {blob.digest: blob.diff_id for blob in graph.export.blobs or () if blob.diff_id}
    roots: dict[str, list[int]] = {}
    for root in graph.roots:
        roots.setdefault(records[root].digest, []).append(root)
    if not diff_ids or not roots:
        return {}
    found: dict[int, Blobs] = {}
    seen: set[tuple[str, ...]] = set()
    for run in _runs(graph):
        blobs = tuple(layers[index].blob for index in run)
        known = next((n for n, blob in enumerate(blobs) if blob not in diff_ids), len(blobs))
        for length, chain in enumerate(chain_ids([diff_ids[blob] for blob in blobs[:known]]), start=1):
            if blobs[:length] in seen:
                continue
            seen.add(blobs[:length])
            found |= dict.fromkeys(roots.get(image_digest(chain), ()), blobs[:length])
    return found


def _runs(graph: ResolvedExport) -> Iterator[list[int]]:
    """Give every run of layers that stands on its own: up to each topmost layer, and every chain."""
    parents = set(graph.parents)
    for layer in range(len(graph.parents)):
        if layer not in parents:
            yield ancestors(graph.parents, layer)
    for result, chained in enumerate(graph.columns.is_chain):
        if chained:
            yield graph.result_layers(result)


def _by_diff(graph: ResolvedExport) -> Iterator[tuple[int, Blobs]]:
    """Give the layers of roots that are the lower side of a diff whose other parts are known."""
    for record in graph.diffs:
        lower, upper = graph.export.config.records[record].inputs
        own = graph.newest_result(record)
        if own is None:
            continue
        tail = graph.result_blobs(own)
        heads = {
            blobs[: len(blobs) - len(tail)]
            for alternative in upper
            if 0 <= alternative.link < len(graph)
            for blobs in map(graph.result_blobs, graph.loadable_results(alternative.link))
            if tail and blobs[-len(tail) :] == tail
        }
        if len(heads) == 1:
            (head,) = heads
            yield from ((a.link, head) for a in lower if _is_bare_root(graph, a.link))


def _by_gap(graph: ResolvedExport, images: set[Blobs], layers: dict[int, Blobs]) -> None:
    """Recognise roots by the gap they fill in a merge; add them to `layers`."""
    for record in graph.merges:
        merge = lay_out(graph, record, layers)
        if merge.blobs is None:
            continue
        at: int | None = 0  # where the slot begins, as far as the slots before it tell
        for slot in merge.slots:
            bare = [link for link, span in slot.alternatives if span is None and _is_bare_root(graph, link)]
            image = _fitting_image(merge.blobs, slot.place, at, images) if bare else None
            if image is not None:
                layers.update({root: image for root in bare if root not in layers})
            if slot.place is not None:
                at = slot.place[1]
            else:
                at = at + len(image) if image is not None and at is not None else None


def _fitting_image(whole: Blobs, place: tuple[int, int] | None, at: int | None, images: set[Blobs]) -> Blobs | None:
    """Give the one proven image that fills a slot of a merge, or that the layers from there on begin with."""
    if place is not None:
        own = whole[place[0] : place[1]]
        return own if own in images else None
    # An operation on scratch makes a layer of its own, so what begins as an image does is one.
    fitting = [image for image in images if at is not None and whole[at : at + len(image)] == image]
    return fitting[0] if len(fitting) == 1 else None


def _is_bare_root(graph: ResolvedExport, record: int) -> bool:
    return 0 <= record < len(graph) and graph.is_root(record) and not graph.loadable[record]
