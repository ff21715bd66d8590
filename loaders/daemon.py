"""Read the cache keys of a BuildKit daemon, from its ``cache.db`` or from its debug address.

The database (BuildKit ``solver/bboltcachestorage``) has these buckets; an id is the digest of a root's key,
``random:`` and a hash for a local context, or a random word::

    _links      id of the input -> {"Input":1,"Digest":"sha256:16..","Selector":"sha256:8a.."}@id of the dependent: ""
    _result     id -> id of the result -> {"CreatedAt":"2026-11-23T20:36:07.5Z","ID":"9caog..::023mm.."}
    _byresult   id of the result -> id: ""          the other way round
    _backlinks  id of the dependent -> id of the input: ""

``Input`` (the slot), ``Output`` and ``Digest`` belong to the dependent's operation, and the dependent's record has the
digest ``sha256("<Digest>@<Output>")``. Only links say so: a key that no root leads to has no digest that anybody knows.

The debug address answers ``/debug/cache/store`` (BuildKit ``util/cachestore``) with the same graph, numbered, its
digests already joined with the output, and without results::

    [{"id": 2, "parents": [{"input": 1, "output": 0, "digest": "sha256:da..", "selector": "", "target": 1}]},
     {"id": 1, "digest": "sha256:a0..", "random": false}]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from cachegraph.core.digests import sha256
from cachegraph.core.model import ZERO_TIME, CacheConfig, CacheExport, Problem
from cachegraph.core.untrusted import decode_json
from cachegraph.errors import DecodeError, SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.buildkitd.bbolt import Database
from cachegraph.loaders.buildkitd.bboltfile import read_database
from cachegraph.loaders.buildkitd.debugaddress import masked, read_answer
from cachegraph.loaders.buildkitd.keys import Keys, Link, arrange
from cachegraph.loaders.http.failures import at
from cachegraph.loaders.paths import local_path
from cachegraph.loaders.specs.parse import canonical, check_keys

__all__ = ["decode_database", "decode_store", "load"]

_T = TypeVar("_T")


class _InfoLink(msgspec.Struct, frozen=True, rename="pascal"):
    """BuildKit's ``solver.CacheInfoLink``."""

    input: int = 0
    output: int = 0
    digest: str = ""
    selector: str = ""


class _StoredResult(msgspec.Struct, frozen=True):
    """BuildKit's ``solver.CacheResult``."""

    ID: str
    CreatedAt: str = ZERO_TIME


class _StoreLink(msgspec.Struct, frozen=True):
    """BuildKit's ``cachestore.Link``."""

    target: int
    input: int = 0
    digest: str = ""
    selector: str = ""


class _StoreRecord(msgspec.Struct, frozen=True):
    """BuildKit's ``cachestore.Record``."""

    id: int
    digest: str = ""
    parents: tuple[_StoreLink, ...] = ()


_LINK = msgspec.json.Decoder(_InfoLink)
_RESULT = msgspec.json.Decoder(_StoredResult)
_RECORDS = msgspec.json.Decoder(tuple[_StoreRecord, ...] | None)


def load(spec: Spec, options: Options) -> Sequence[CacheExport]:
    """Read the keys that ``type=daemon,db=PATH`` or ``type=daemon,debug=URL`` names (or a saved answer of that URL).

    Raises
    ------
    cachegraph.errors.SpecError
        Neither or both of ``db`` and ``debug`` are given, or another key.
    cachegraph.errors.SourceError
        The database or the address cannot be read, or does not hold what it should.
    """
    check_keys(spec, ("db", "debug"))
    path, address = spec.attrs.get("db", ""), spec.attrs.get("debug", "")
    if bool(path) == bool(address):
        raise SpecError(f"{spec.text}: type=daemon takes one of db and debug", hint="type=daemon,db=PATH/cache.db")
    if path:
        with at(path, hint="stop the daemon and copy the file again, or give a daemon's cache.db"):
            return [_export("db", path, *decode_database(read_database(local_path(path), options.limits)))]
    place = masked(address)
    with at(place, hint="give the address of buildkitd --debugaddr, or a saved answer of its /debug/cache/store"):
        return [_export("debug", place, *decode_store(read_answer(address, "/debug/cache/store", options), place))]


def _export(key: str, place: str, config: CacheConfig, problems: tuple[Problem, ...]) -> CacheExport:
    # The database itself changes with every commit; the graph in it is what identifies the export.
    encoded = msgspec.json.encode(config)
    return CacheExport(
        source=canonical("daemon", {key: place}),
        kind="daemon",
        config=config,
        config_digest=sha256(encoded),
        config_bytes=len(encoded),
        problems=problems,
        results_known=key == "db",
        store=place,
    )


def decode_database(database: Database) -> tuple[CacheConfig, tuple[Problem, ...]]:
    """Make the cache config that a daemon's database amounts to.

    Each key is a record, each link an alternative of a slot. A result of a daemon is a reference to a snapshot of a
    worker, not a layer blob: each result id becomes one layer without parents, with the id in place of the blob's
    digest, so a record is loadable if the daemon holds a result for it. `daemon_keys.arrange` gives the order.

    Raises
    ------
    cachegraph.errors.DecodeError
        The file is damaged, or is another database than BuildKit's ``cache.db``.
    """
    buckets = database.buckets()
    if b"_links" not in buckets and b"byhash" in buckets:
        raise DecodeError(
            "this is a daemon's cache-debug.db, which holds names and no cache",
            path=database.name,
            hint=f"give the daemon's cache.db, and this with --names {database.name}",
        )
    if b"_links" not in buckets:
        names = ", ".join(sorted(repr(name.decode(errors="replace")) for name in buckets)) or "none"
        raise DecodeError(f"no bucket '_links' among {names}", path=database.name, hint="give a daemon's cache.db")
    roots: dict[str, str] = {}
    links: list[Link] = []
    for key, bucket in buckets[b"_links"].buckets():
        source = _text(key, f"{database.name}: _links")
        place = f"{database.name}: _links/{source}"
        if source.startswith(("sha256:", "random:")):
            roots[source] = f"sha256:{source[7:]}"
        links += [_link(source, entry, place) for entry, _ in bucket.items()]
    results: dict[str, list[tuple[str, str]]] = {}
    for key, bucket in buckets[b"_result"].buckets() if b"_result" in buckets else ():
        source = _text(key, f"{database.name}: _result")
        place = f"{database.name}: _result/{source}"
        found = [_decoded(_RESULT, value, place) for _, value in bucket.items()]
        results[source] = [(result.ID, result.CreatedAt) for result in found]
    config, unreached = arrange(Keys(roots, links, results), database.name)
    problems = (_note(f"{unreached} keys are left out: no root leads to them, so no build can match them."),)
    return config, problems if unreached else ()


def _link(source: str, entry: bytes, place: str) -> Link:
    info, separator, target = entry.partition(b"@")
    if not separator:
        raise DecodeError(f"{entry[:80]!r} is no link, which is JSON@id", path=place)
    link = _decoded(_LINK, info, place)
    digest = sha256(f"{link.digest}@{link.output}".encode())
    return Link(source, _text(target, place), link.input, digest, link.selector)


def _text(key: bytes, place: str) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise DecodeError(f"key {key[:80]!r} is not text", path=place) from None


def _decoded(decoder: msgspec.json.Decoder[_T], value: bytes, place: str) -> _T:
    return decode_json(value, decoder, f"{value[:80]!r}", path=place)


def _note(message: str, severity: Literal["warning", "note"] = "note") -> Problem:
    return Problem(code="source-note", severity=severity, message=message)


def decode_store(data: bytes, place: str) -> tuple[CacheConfig, tuple[Problem, ...]]:
    """Make the cache config that an answer of ``/debug/cache/store`` amounts to.

    It is the config of the same daemon's database without the results, which the address does not tell.

    Raises
    ------
    cachegraph.errors.DecodeError
        The bytes are not such an answer.
    """
    records = _decoded(_RECORDS, data, place) or ()
    roots = {str(record.id): record.digest for record in records if record.digest}
    numbers = {record.id for record in records}
    links: list[Link] = []
    for index, record in enumerate(records):
        for link in record.parents:
            if link.target not in numbers:
                raise DecodeError(f"no record has id {link.target}", path=f"{place}: [{index}].parents")
            links.append(Link(str(link.target), str(record.id), link.input, link.digest, link.selector))
    config, _ = arrange(Keys(roots, links), place)
    message = "The debug address tells keys and links, not results: read the daemon's cache.db to learn what it holds."
    return config, (_note(message, "warning"),)
