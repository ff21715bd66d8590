"""A daemon's keys: the database, the debug address, and that both give one config."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import lzma
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig, CacheExport, CacheInput, CacheRecord
from cachegraph.errors import AccessError, DecodeError, NotFoundError, SourceError, SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.buildkitd.bbolt import Database
from cachegraph.loaders.buildkitd.bboltfile import read_database
from cachegraph.loaders.buildkitd.keys import Keys, Link, arrange
from cachegraph.loaders.daemon import decode_database, load

DATA = Path(__file__).parent.parent / "data" / "daemon"
WEB_MAX = "0a47cb790f28ab7f249a3b8253646c397f2d25a6a9aaf10ba8df352b9e91fe2b"
NO_RESULTS = "The debug address tells keys and links, not results: read the daemon's cache.db to learn what it holds."


def unpack(name: str) -> bytes:
    return lzma.decompress((DATA / f"{name}.xz").read_bytes())


def read(options: Options | None = None, **attrs: str) -> CacheExport:
    text = ",".join(["type=daemon", *(f"{key}={value}" for key, value in attrs.items())])
    (export,) = load(Spec(type="daemon", attrs=attrs, text=text), options or Options())
    return export


@pytest.fixture
def cache_db(tmp_path: Path) -> Path:
    path = tmp_path / "cache.db"
    path.write_bytes(unpack("cache.db"))
    return path


@pytest.fixture
def export(cache_db: Path) -> CacheExport:
    return read(db=str(cache_db))


def without_results(config: CacheConfig) -> tuple[CacheRecord, ...]:
    return tuple(msgspec.structs.replace(record, layers=()) for record in config.records)


def trees(config: CacheConfig) -> list[str]:
    """Identity of each record: its digest and, for each slot, what fills it, all the way down."""
    done: dict[int, str] = {}

    def identity(index: int) -> str:
        if index not in done:
            record = config.records[index]
            slots = [sorted((a.selector, identity(a.link)) for a in slot) for slot in record.inputs]
            done[index] = hashlib.sha256(json.dumps([record.digest, slots]).encode()).hexdigest()
        return done[index]

    return [identity(index) for index in range(len(config.records))]


# --- The database equals BuildKit's own answer -----------------------------------------------------------------------


def test_the_database_equals_buildkits_answer(export: CacheExport, tmp_path: Path) -> None:
    """``cache-store.json`` is what BuildKit's ``cachestore.Records`` answers for this very database."""
    saved = tmp_path / "store.json"
    saved.write_bytes(unpack("cache-store.json"))
    answer = read(debug=str(saved))
    assert len(answer.config.records) == 516
    assert sum(len(slot) for record in answer.config.records for slot in record.inputs) == 942
    assert without_results(export.config) == answer.config.records


def test_an_answer_of_an_hour_before_is_contained(export: CacheExport, tmp_path: Path) -> None:
    """The running daemon gave this answer and went on building; all that came later is younger than the answer."""
    saved = tmp_path / "store.json"
    saved.write_bytes(unpack("cache-store-earlier.json"))
    earlier = read(debug=str(saved)).config
    assert len(earlier.records) == 173
    assert sum(len(slot) for record in earlier.records for slot in record.inputs) == 234
    known = trees(export.config)
    assert not Counter(trees(earlier)) - Counter(known)
    later = set(known) - set(trees(earlier))
    assert len(later) == 516 - 173
    new = [record for record, tree in zip(export.config.records, known, strict=True) if tree in later]
    assert all(result.created_at > "2026-11-23T21:03" for record in new for result in record.layers)
    assert sum(1 for record in new if record.layers) > 300


def test_every_link_is_in_the_config(export: CacheExport, cache_db: Path) -> None:
    """Link for link, read from the database without the loader's own mapping."""
    links = []
    for source, bucket in read_database(cache_db).buckets()[b"_links"].buckets():
        for key, _ in bucket.entries():
            info, target = key.split(b"@")
            link = json.loads(info)
            text = f"{link['Digest']}@{link.get('Output', 0)}"
            digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
            links.append((source.decode(), target.decode(), link.get("Input", 0), digest, link.get("Selector", "")))
    records = export.config.records
    ours = Counter(
        (records[a.link].digest, slot, record.digest, a.selector)
        for record in records
        for slot, alternatives in enumerate(record.inputs)
        for a in alternatives
    )
    digest_of = {target: digest for _, target, _, digest, _ in links}
    digest_of |= {source: f"sha256:{source[7:]}" for source, *_ in links if ":" in source}
    theirs = Counter((digest_of[source], slot, digest, selector) for source, _, slot, digest, selector in links)
    assert ours == theirs


# --- Records and results ---------------------------------------------------------------------------------------------


def test_export(export: CacheExport, cache_db: Path) -> None:
    assert export.source == f"type=daemon,db={cache_db}"
    assert export.kind == "daemon"
    assert export.store == str(cache_db)
    assert export.problems == ()
    assert export.blobs is None
    assert export.config_bytes == len(msgspec.json.encode(export.config))


def test_results(export: CacheExport) -> None:
    config = export.config
    assert len(config.layers) == 484
    assert {layer.parent for layer in config.layers} == {-1}
    assert sum(len(record.layers) for record in config.records) == 487
    merges = [record for record in config.records if record.digest.startswith("sha256:7967330dcdfe")]
    assert sorted((config.layers[r.layer].blob, r.created_at) for merge in merges for r in merge.layers) == [
        ("9caog0q530nglr9shrpkgd87e::ea6wmt5nv99c4dhqoxo3xv1l0", "2026-11-23T20:36:07.56320161Z"),
        ("9caog0q530nglr9shrpkgd87e::kf6lx4ijui1wjr140aippucez", "2026-11-23T20:36:08.90068009Z"),
        ("9caog0q530nglr9shrpkgd87e::wfas4i0dusz0406s30so3dio3", "2026-11-23T20:36:07.319628274Z"),
    ]


def test_loadable_means_that_the_daemon_has_a_result(export: CacheExport) -> None:
    graph = ExportGraph(export)
    assert graph.import_error is None
    assert [bool(flag) for flag in graph.loadable] == [bool(record.layers) for record in export.config.records]


def test_every_record_of_an_export_is_among_the_daemons_keys(export: CacheExport, layouts: Path) -> None:
    config = json.loads((layouts / "web-max" / "blobs" / "sha256" / WEB_MAX).read_bytes())
    digests = {record.digest for record in export.config.records}
    assert {record["digest"] for record in config["records"]} <= digests


def test_local_contexts_are_roots_with_a_digest(export: CacheExport) -> None:
    roots = [record for record in export.config.records if not record.inputs]
    assert len(roots) == 98
    assert all(len(record.digest) == 71 and record.digest.startswith("sha256:") for record in roots)


def test_the_database_is_not_written(cache_db: Path) -> None:
    cache_db.chmod(0o400)
    before = (cache_db.stat().st_mtime_ns, cache_db.read_bytes())
    read(db=str(cache_db))
    assert (cache_db.stat().st_mtime_ns, cache_db.read_bytes()) == before
    assert list(cache_db.parent.iterdir()) == [cache_db]


# --- Arrangement -----------------------------------------------------------------------------------------------------


def link(source: str, target: str, slot: int = 0, selector: str = "") -> Link:
    return Link(source, target, slot, f"sha256:{target[0]}", selector)


def test_slots_and_alternatives() -> None:
    links = [link("r1", "x", 1), link("r2", "x", 0, "sel"), link("r1", "x", 0), link("x", "y", 0)]
    config, unreached = arrange(Keys({"r1": "sha256:1", "r2": "sha256:2"}, links), "x.db")
    assert unreached == 0
    assert [record.digest for record in config.records] == ["sha256:1", "sha256:2", "sha256:x", "sha256:y"]
    assert config.records[2].inputs == (
        (CacheInput(link=0), CacheInput(link=1, selector="sel")),
        (CacheInput(link=0),),
    )
    assert config.records[3].inputs == ((CacheInput(link=2),),)


def test_a_slot_that_no_link_fills_is_empty() -> None:
    config, _ = arrange(Keys({"r": "sha256:1"}, [link("r", "x", 2)]), "x.db")
    assert config.records[1].inputs == ((), (), (CacheInput(link=0),))


def test_keys_that_no_root_leads_to_are_counted() -> None:
    links = [link("r", "x"), link("stray", "x", 1), link("stray", "z")]
    config, unreached = arrange(Keys({"r": "sha256:1"}, links), "x.db")
    assert [record.digest for record in config.records] == ["sha256:1", "sha256:x"]
    assert config.records[1].inputs == ((CacheInput(link=0),),)
    assert unreached == 2


def test_a_loop_is_kept() -> None:
    links = [link("r", "x"), link("x", "y"), link("y", "x", 1)]
    config, _ = arrange(Keys({"r": "sha256:1"}, links), "x.db")
    assert config.records[1].inputs == ((CacheInput(link=0),), (CacheInput(link=2),))


def test_links_that_disagree_about_a_digest() -> None:
    links = [link("r", "x"), Link("r", "x", 1, "sha256:other", "")]
    with pytest.raises(DecodeError) as caught:
        arrange(Keys({"r": "sha256:1"}, links), "x.db")
    assert str(caught.value) == "x.db: links give key 'x' 2 digests: ['sha256:other', 'sha256:x']"


@pytest.mark.parametrize("slot", [-1, 4096, 2**40])
def test_a_slot_out_of_range(slot: int) -> None:
    with pytest.raises(DecodeError) as caught:
        arrange(Keys({"r": "sha256:1"}, [link("r", "x", slot)]), "x.db")
    assert str(caught.value) == f"x.db: input {slot} of key 'x' is out of range (0..4095)"


def test_a_long_chain_needs_no_recursion() -> None:
    links = [Link(str(n), str(n + 1), 0, f"sha256:{n}", "") for n in range(20_000)]
    config, _ = arrange(Keys({"0": "sha256:root"}, links), "x.db")
    assert len(config.records) == 20_001


def test_the_order_does_not_depend_on_ids(export: CacheExport) -> None:
    """Records keep their places when the daemon's random ids change and its links come in another order."""
    records = export.config.records
    names = [f"key{number}" for number in range(len(records))]
    dice = random.Random(5)
    dice.shuffle(names)
    roots = {names[index]: record.digest for index, record in enumerate(records) if not record.inputs}
    links = [
        Link(names[a.link], names[index], slot, record.digest, a.selector)
        for index, record in enumerate(records)
        for slot, alternatives in enumerate(record.inputs)
        for a in alternatives
    ]
    dice.shuffle(links)
    config, _ = arrange(Keys(roots, links), "x.db")
    assert config.records == without_results(export.config)


# --- The debug address -----------------------------------------------------------------------------------------------


class Debug(ThreadingHTTPServer):
    """A debug address that answers as buildkitd does, or not."""

    daemon_threads = True

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Debug

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/slow":
                time.sleep(2)
            case "/drip":
                self.send_response(200)
                self.end_headers()
                for _ in range(20):
                    self.wfile.write(b" ")
                    time.sleep(0.1)
            case "/cut":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"[{")
            case "/noise":
                self.wfile.write(b"\0\1\2 no HTTP\r\n\r\n")
            case path if path[1:].isdigit():
                self.send_error(int(path[1:]))
            case path if path not in self.server.answers:
                self.send_error(404)
            case path:
                # BuildKit writes text unless this header is exactly so.
                wanted = self.headers.get("Accept") == "application/json"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(self.server.answers[path] if wanted else b"ID: 1\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def debug() -> Iterator[Debug]:
    server = Debug({"/debug/cache/store": unpack("cache-store.json"), "/text": b"ID: 1\n", "/null": b"null"})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_live_address_gives_the_same(debug: Debug, export: CacheExport) -> None:
    answer = read(debug=debug.url)
    assert answer.config.records == without_results(export.config)
    assert answer.source == f"type=daemon,debug={debug.url}"
    assert [(problem.severity, problem.message) for problem in answer.problems] == [("warning", NO_RESULTS)]


def test_no_proxy_is_asked(debug: Debug, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert len(read(debug=debug.url).config.records) == 516


def test_an_empty_daemon(debug: Debug) -> None:
    assert read(debug=f"{debug.url}/null").config == CacheConfig()


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("/other", NotFoundError, "status 404 (give the address of buildkitd --debugaddr, a recent one)"),
        ("/401", AccessError, "refused with status 401 (ask buildkitd itself, not a proxy before it)"),
        ("/403", AccessError, "refused with status 403 (ask buildkitd itself, not a proxy before it)"),
        ("/500", SourceError, "status 500 (see the daemon's log)"),
        ("/slow", SourceError, "{host} took longer than 0.5 s (allow more with --timeout)"),
        ("/drip", SourceError, "{host} took longer than 0.5 s (allow more with --timeout)"),
        ("/cut", SourceError, "{host} cut the connection (try again later)"),
        ("/noise", SourceError, "{host} answered something that is no HTTP (check host and port)"),
        ("/text", DecodeError, "b'ID: 1\\n': JSON is malformed: invalid character (byte 0) (give the address"),
    ],
)
def test_faults(debug: Debug, path: str, kind: type[SourceError], message: str) -> None:
    with pytest.raises(kind) as caught:
        read(Options(timeout=0.5), debug=f"http://user:secret@{debug.url[7:]}{path}?token=secret")
    assert str(caught.value).startswith(f"{debug.url}{path}: {message.format(host=debug.url[7:])}")


def test_no_secret_of_an_address_is_logged(debug: Debug, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        read(debug=f"http://user:secret@{debug.url[7:]}/debug/cache/store?token=secret")
    assert '"GET /debug/cache/store?*** HTTP/1.1" 200' in caplog.text
    assert "secret" not in caplog.text


def test_nobody_listens() -> None:
    with Debug({}) as server:
        url = server.url
    with pytest.raises(SourceError) as caught:
        read(debug=f"http://user:secret@{url[7:]}")
    assert str(caught.value) == f"{url}: {url[7:]} refused the connection (check host and port, and that it runs)"


@pytest.mark.parametrize("address", ["http://[::1", "http://", "http://host:99999999", "http://user:secret@"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(SpecError, match=r"no address that can be asked \(write http://HOST:PORT\)") as caught:
        read(debug=address)
    assert "secret" not in str(caught.value)


# --- Bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({}, "type=daemon: type=daemon takes one of db and debug (type=daemon,db=PATH/cache.db)"),
        ({"db": "a", "debug": "b"}, "type=daemon,db=a,debug=b: type=daemon takes one of db and debug (type=daemon,"),
        ({"db": ""}, "type=daemon,db=: type=daemon takes one of db and debug (type=daemon,db=PATH/cache.db)"),
        ({"src": "a"}, "type=daemon,src=a: type=daemon has no key src (known keys: db, debug)"),
    ],
)
def test_specs_that_are_wrong(attrs: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(Spec(type="daemon", attrs=attrs, text=",".join(["type=daemon", *map("=".join, attrs.items())])), Options())
    assert str(caught.value).startswith(message)


def test_another_database(tmp_path: Path) -> None:
    path = tmp_path / "cache-debug.db"
    path.write_bytes(unpack("cache-debug.db"))
    with pytest.raises(DecodeError) as caught:
        read(db=str(path))
    assert str(caught.value) == (
        f"{path}: this is a daemon's cache-debug.db, which holds names and no cache "
        f"(give the daemon's cache.db, and this with --names {path})"
    )
    path.write_bytes(unpack("bbolt-levels.db"))
    with pytest.raises(DecodeError, match=r"no bucket '_links' among .* \(give a daemon's cache\.db\)"):
        read(db=str(path))


def test_a_torn_database(cache_db: Path) -> None:
    cache_db.write_bytes(cache_db.read_bytes()[:400_000])
    with pytest.raises(DecodeError, match=r"beyond the end of the file \(400000 bytes\): it is truncated"):
        read(db=str(cache_db))


def test_damage_inside_a_link(cache_db: Path) -> None:
    data = cache_db.read_bytes().replace(b'{"Input":1,', b'{"Input":x,')
    cache_db.write_bytes(data)
    with pytest.raises(DecodeError, match=r"cache\.db: _links/\w+: b'\{\"Input\":x,.*JSON is malformed"):
        read(db=str(cache_db))


CACHE_DB = unpack("cache.db")


@settings(max_examples=60, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 196 * 4096 - 1), st.integers(1, 255)), min_size=1, max_size=50))
def test_any_damage_gives_a_graph_or_an_error(flips: list[tuple[int, int]]) -> None:
    data = bytearray(CACHE_DB)
    for offset, mask in flips:
        data[offset] ^= mask
    with contextlib.suppress(DecodeError):
        config, _ = decode_database(Database(bytes(data), "x.db"))
        assert all(0 <= a.link < len(config.records) for r in config.records for slot in r.inputs for a in slot)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('{"a": 1}', "Expected `array | null`, got `object`"),
        ('[{"id": "1"}]', "Expected `int`, got `str` - at `$[0].id`"),
        ('[{"id": 1, "parents": [{"target": 2}]}]', "[0].parents: no record has id 2"),
    ],
)
def test_answers_that_are_none(tmp_path: Path, answer: str, message: str) -> None:
    saved = tmp_path / "store.json"
    saved.write_text(answer)
    with pytest.raises(DecodeError) as caught:
        read(debug=str(saved))
    assert str(caught.value).startswith(str(saved))
    assert f"{message} (give the address of buildkitd --debugaddr, or a saved answer of its /debug/cac" in str(
        caught.value
    )
