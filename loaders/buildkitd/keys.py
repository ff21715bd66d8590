"""From a daemon's keys and links to a cache config, in an order that does not depend on the daemon's random ids."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cachegraph.core.model import CacheConfig, CacheInput, CacheLayer, CacheRecord, CacheResult
from cachegraph.errors import DecodeError

__all__ = ["MAX_SLOTS", "Keys", "Link", "arrange"]

MAX_SLOTS = 4096
"""Slots that a record may have; BuildKit's widest operations have hundreds, a damaged link may claim billions."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link from an input to its dependent: the slot it fills there, the dependent's digest, and the selector."""

    source: str
    target: str
    slot: int
    digest: str
    selector: str


@dataclass(frozen=True, slots=True)
class Keys:
    """A daemon's keys: digests of the roots by id, links, and results (id, time) by key."""

    roots: Mapping[str, str]
    links: Sequence[Link]
    results: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def arrange(keys: Keys, place: str) -> tuple[CacheConfig, int]:
    """Make a cache config of the keys that roots lead to, and count those that they do not.

    A key that no root leads to cannot be matched, and BuildKit's own listing (``util/cachestore``) leaves it out, too.
    Records are sorted by digest, then by a hash of all that they stand on, so that a database and the answer of the
    debug address, which hides the ids, give the same config. A slot that no link fills is empty.

    Parameters
    ----------
    keys : Keys
    place : str
        What errors call the source.

    Raises
    ------
    cachegraph.errors.DecodeError
        Links disagree about the digest of their target, or a slot is out of range.
    """
    outgoing: dict[str, list[Link]] = defaultdict(list)
    known = set(keys.roots)
    for link in keys.links:
        outgoing[link.source].append(link)
        known.update((link.source, link.target))
    reached = set(keys.roots)
    waiting = list(keys.roots)
    incoming: dict[str, list[Link]] = defaultdict(list)
    while waiting:
        for link in outgoing[waiting.pop()]:
            incoming[link.target].append(link)
            if link.target not in reached:
                reached.add(link.target)
                waiting.append(link.target)
    digests = {key: keys.roots[key] if key in keys.roots else _digest(incoming[key], place) for key in reached}
    fingerprints = _fingerprints(digests, incoming, outgoing)
    order = sorted(reached, key=lambda key: (digests[key], fingerprints[key], key))
    position = {key: index for index, key in enumerate(order)}
    blobs = sorted({identity for key in order for identity, _ in keys.results.get(key, ())})
    layer = {identity: index for index, identity in enumerate(blobs)}
    records = tuple(
        CacheRecord(
            digest=digests[key],
            inputs=_slots(incoming[key], position, place),
            layers=tuple(
                CacheResult(layer=layer[identity], created_at=created_at)
                for identity, created_at in keys.results.get(key, ())
            ),
        )
        for key in order
    )
    layers = tuple(CacheLayer(blob=blob, parent=-1) for blob in blobs)
    return CacheConfig(layers=layers, records=records), len(known - reached)


def _digest(links: Sequence[Link], place: str) -> str:
    digests = {link.digest for link in links}
    if len(digests) > 1:
        raise DecodeError(f"links give key {links[0].target!r} {len(digests)} digests: {sorted(digests)}", path=place)
    return digests.pop()


def _slots(links: Sequence[Link], position: Mapping[str, int], place: str) -> tuple[tuple[CacheInput, ...], ...]:
    slots: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for link in links:
        if not 0 <= link.slot < MAX_SLOTS:
            raise DecodeError(
                f"input {link.slot} of key {link.target!r} is out of range (0..{MAX_SLOTS - 1})", path=place
            )
        slots[link.slot].add((position[link.source], link.selector))
    return tuple(
        tuple(CacheInput(link=link, selector=selector) for link, selector in sorted(slots[slot]))
        for slot in range(max(slots, default=-1) + 1)
    )


def _fingerprints(
    digests: Mapping[str, str], incoming: Mapping[str, Sequence[Link]], outgoing: Mapping[str, Sequence[Link]]
) -> dict[str, bytes]:
    """Hash each key with the fingerprints of its inputs, inputs first; keys on a loop keep an empty one."""
    fingerprints = dict.fromkeys(digests, b"")
    missing = {key: len(incoming.get(key, ())) for key in digests}
    ready = [key for key, count in missing.items() if count == 0]
    while ready:
        key = ready.pop()
        hashed = hashlib.sha256(digests[key].encode())
        for part in sorted((link.slot, link.selector, fingerprints[link.source]) for link in incoming.get(key, ())):
            hashed.update(repr(part).encode())
        fingerprints[key] = hashed.digest()
        for link in outgoing.get(key, ()):
            missing[link.target] -= 1
            if missing[link.target] == 0:
                ready.append(link.target)
    return fingerprints
