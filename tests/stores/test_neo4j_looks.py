"""What is kept of each look at a source and of each load: what is broken or gone does not look as if it were well."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from cachegraph.core.digests import sha256
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig, CacheExport, CacheRecord
from cachegraph.core.progress import Report
from cachegraph.errors import NotFoundError, SourceError
from cachegraph.queries import library
from cachegraph.server import Login
from cachegraph.stores.neo4j import Listing, Look, Neo4jStore, loading
from cachegraph.stores.neo4j.claims import Claim
from cachegraph.stores.neo4j.connection import Connection
from cachegraph.stores.neo4j.failures import ServerError

Serve = Callable[..., str]
Reply = Callable[..., None]


def made(text: str, source: str = "ref") -> ExportGraph:
    config = CacheConfig(records=(CacheRecord(digest=text),))
    digest = f"sha256:{text}"
    return ExportGraph(CacheExport(source=source, kind="registry", config=config, config_digest=digest, config_bytes=9))


def good(text: str, place: str = "ref", *sources: str) -> Look:
    return Look(place=place, graphs=tuple(made(text, source) for source in sources or (place,)))


def bad(place: str, error: str = "the registry answered 500") -> Look:
    return Look(place=place, errors=(SourceError(error),))


def sources(store: Neo4jStore) -> dict[str, dict[str, Any]]:
    return {row["s"]["id"]: row["s"] for row in store.run("MATCH (s:Source) RETURN s {.*} AS s")}


def rows(store: Neo4jStore, name: str, **params: object) -> list[dict[str, object]]:
    return list(store.run(*library.get(name).bound(params)))


def test_a_source_that_breaks_after_a_good_load_says_so(store: Neo4jStore) -> None:
    store.write([good("a")])
    seen = sources(store)["ref"]
    assert seen["last_seen"] == seen["looked_at"]
    assert "last_error" not in seen
    assert rows(store, "broken-since") == []
    done = store.write([bad("ref"), bad("never")])
    assert [(failure.source, str(failure.error)) for failure in done.failed] == [
        ("ref", "the registry answered 500"),
        ("never", "the registry answered 500"),
    ]
    store.write([bad("ref", "it still does")])
    found = {row["source"]: row for row in rows(store, "broken-since")}
    assert {key: (r["state"], r["looks"], r["exports"], r["error"]) for key, r in found.items()} == {
        "ref": ("broken", 2, 1, "it still does"),
        "never": ("broken", 1, 0, "the registry answered 500"),
    }
    assert (found["ref"]["last_seen"], found["never"]["last_seen"]) == (seen["last_seen"], None)
    broken = sources(store)["ref"]
    assert seen["last_seen"] < broken["broken_since"] < broken["looked_at"]
    # What was loaded stays what it was, and a good look makes all well again.
    assert [export.current for export in store.exports()] == [True]
    store.write([good("a")])
    assert {"last_error", "broken_since", "failed_looks", "gone_at"}.isdisjoint(sources(store)["ref"])
    assert [row["source"] for row in rows(store, "broken-since")] == ["never"]


def test_what_is_not_there_any_more_is_gone_and_not_broken(store: Neo4jStore) -> None:
    store.write([good("a"), good("b", "folder", "folder,tag=1", "folder,tag=2"), good("c", "x/app:1")])
    store.write([good("c", "x/app:2"), good("c", "x/app:old"), good("c", "x/other:1")])
    lost = Look(place="ref", errors=(NotFoundError("there is no such tag"),))
    every = Listing(prefix="x/app:", concerns=lambda source: not source.endswith("old"))
    done = store.write([lost, good("b", "folder", "folder,tag=2"), bad("x/app:2"), every])
    assert sorted(done.gone) == ["folder,tag=1", "ref", "x/app:1"]
    found = {row["source"]: (row["state"], row["error"]) for row in rows(store, "broken-since")}
    assert found == {
        "ref": ("gone", "there is no such tag"),
        "folder,tag=1": ("gone", None),
        "x/app:1": ("gone", None),
        "x/app:2": ("broken", "the registry answered 500"),
    }
    assert [row["source"] for row in rows(store, "broken-since", gone=False)] == ["x/app:2"]
    gone_at = sources(store)["ref"]["gone_at"]
    assert store.write([lost]).gone == ()  # it was gone before
    assert sources(store)["ref"]["gone_at"] == gone_at
    # A failure of another kind does not say whether it is there.
    store.write([bad("ref")])
    assert "gone_at" not in sources(store)["ref"]
    store.forget("ref")
    assert "ref" not in sources(store)


def test_a_place_that_fails_concerns_all_that_it_held(store: Neo4jStore) -> None:
    store.write([good("b", "folder", "folder,tag=1", "folder,tag=2"), bad("")])
    store.write([bad("folder")])
    assert {key: "last_error" in one for key, one in sources(store).items()} == {
        "folder,tag=1": True,
        "folder,tag=2": True,
    }


def test_sources_that_nobody_has_seen_for_long(store: Neo4jStore) -> None:
    store.write([good("a", "old"), good("a", "new"), bad("never")])
    store.run("MATCH (s:Source {id: 'old'}) SET s.last_seen = s.last_seen - duration({days: 8})", write=True)
    assert [(row["source"], row["exports"]) for row in rows(store, "not-seen-since")] == [("old", 1), ("never", 0)]
    assert [row["source"] for row in rows(store, "not-seen-since", days=9)] == ["never"]
    every = rows(store, "not-seen-since", since="9999-01-01T00:00:00Z")
    assert [row["source"] for row in every] == ["old", "new", "never"]


def test_each_load_is_kept_with_what_came_of_it(store: Neo4jStore) -> None:
    first = store.write([good("a"), good("b"), bad("other")])
    store.write([good("b")])
    (one, two) = store.run("MATCH (r:Run) RETURN r {.*} AS r ORDER BY r.began_at").rows
    counts = {"created": 2, "unchanged": 0, "superseded": 1, "removed": 0, "failed": 1, "gone": 0, "rows": first.rows}
    assert {key: one[0][key] for key in counts} == counts
    assert (one[0]["id"], one[0]["outcome"], first.looks) == (first.run, "done", 3)
    assert one[0]["failures"] == ["other: the registry answered 500"]
    assert one[0]["began_at"] <= one[0]["ended_at"] <= two[0]["began_at"]
    assert (two[0]["created"], two[0]["unchanged"], two[0]["failures"]) == (0, 1, [])


def test_memory_holds_an_export_at_a_time_however_many_there_are(store: Neo4jStore) -> None:
    alive: list[weakref.ref[ExportGraph]] = []
    most = 0

    def looks() -> Iterator[Look]:
        nonlocal most
        for number in range(30):
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))
            look = good(f"{number}", f"ref {number}")
            alive.append(weakref.ref(look.graphs[0]))
            yield look
            del look
            yield bad(f"broken {number}")

    done = store.write(looks())
    assert (done.created, len(done.failed), done.looks) == (30, 30, 60)
    assert most <= 1


def test_what_another_load_is_at_comes_last_and_of_a_source_the_order_stays(store: Neo4jStore) -> None:
    store.ensure_schema()
    other = Claim(store._connection, made("a").id)
    assert other.take({"id": made("a").id, "source": "ref"}, "mark") == "claimed"
    told: list[str] = []

    def report(what: str, *_: object) -> None:
        told.append(what)
        if what.startswith("waiting"):  # the other load ends once nothing else is left to do
            other.release()

    graphs = [made("a"), *(made(text, f"ref {text}") for text in "bcdef")]
    summary = store.write(graphs, report=report)
    order = list(dict.fromkeys(told))
    assert order[:5] == [f"loading ref {text}" for text in "bcdef"]
    assert order[5:] == ["waiting for another load of ref", "loading ref"]
    assert summary.created == 6
    other = Claim(store._connection, made("g").id)
    assert other.take({"id": made("g").id, "source": "ref"}, "mark") == "claimed"
    store.write([made("g"), made("h"), made("g", "elsewhere")], report=report)
    assert [(e.id, e.current) for e in store.exports(history=True) if e.source == "ref"] == [
        (made("h").id, True),
        (made("g").id, False),
        (made("a").id, False),
    ]


def test_a_clock_that_was_set_back_keeps_no_dead_claim_alive(store: Neo4jStore) -> None:
    store.ensure_schema()
    graph = made("a")
    dead = Claim(store._connection, graph.id, lease=60.0)
    assert dead.take({"id": graph.id, "source": "ref"}, "mark") == "claimed"
    assert store.status().loading == 1
    # An hour later the clock goes back by an hour: the claim ends an hour and a minute from now.
    ahead = "MATCH (e:Export {id: $id}) SET e.claimed_until = e.claimed_until + duration({hours: 1})"
    store.run(ahead, {"id": graph.id}, write=True)
    assert (store.status().loading, store.status().abandoned) == (0, 1)
    assert store.write([graph]).created == 1
    with pytest.raises(Exception, match="another load took over export"):
        dead.step(lambda _: 0)


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(clean_neo4j: Login, monkeypatch: pytest.MonkeyPatch) -> Login:
    """Give an empty server that the environment names."""
    monkeypatch.setenv("NEO4J_URI", clean_neo4j.uri)
    monkeypatch.setenv("NEO4J_USERNAME", clean_neo4j.username)
    monkeypatch.setenv("NEO4J_PASSWORD", clean_neo4j.password)
    return clean_neo4j


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


class Repository:
    """A repository of a registry: the tags that it lists, and those that it cannot give."""

    def __init__(self, reply: Reply, layout: Path) -> None:
        (index,) = json.loads((layout / "index.json").read_bytes())["manifests"]
        self.tags: list[str] = []
        self.broken: set[str] = set()
        self._reply = reply
        self._blobs = layout / "blobs" / "sha256"
        self._manifest = (self._blobs / index["digest"].removeprefix("sha256:")).read_bytes()
        self._kind = index["mediaType"]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.rpartition("/")[2]
        if name.startswith("list"):
            self._reply(request, 200, json.dumps({"tags": self.tags}).encode())
        elif name in self.broken:
            self._reply(request, 400)
        elif name in self.tags:
            self._reply(request, 200, self._manifest, Content_Type=self._kind)
        elif (blob := self._blobs / name.removeprefix("sha256:")).is_file():
            data = blob.read_bytes()
            assert sha256(data) == name
            self._reply(request, 200, data)
        else:
            self._reply(request, 404)


@pytest.fixture
def repository(reply: Reply, layouts: Path) -> Repository:
    return Repository(reply, layouts / "scratch-file-max")


def test_a_tag_that_fails_concerns_no_other(
    server: Login, serve: Serve, repository: Repository, store: Neo4jStore
) -> None:
    host = serve(repository.answer)
    repository.tags = [f"t{number:02}" for number in range(40)]
    repository.broken = {"t07", "t17"}
    load = ("load", f"{host}/app", "--all-tags", "--format", "json")
    first = run(*load)
    told = json.loads(first.stdout)
    assert first.exit_code == 3
    assert (told["created"], told["failed"], told["looks"], told["gone"]) == (38, 2, 40, [])
    assert [failure["source"] for failure in told["failures"]] == [f"{host}/app:t07", f"{host}/app:t17"]
    assert len(first.stderr.splitlines()) == 2
    assert store.run("MATCH (p:Problem) RETURN p.message").rows == ()
    # One more that is broken: the others cost a look, and nothing is written again.
    repository.broken.add("t27")
    second = json.loads(run(*load, "--allow-failures", "3").stdout)
    assert (second["created"], second["unchanged"], second["rows"], second["failed"]) == (0, 37, 0, 3)
    broken = {str(row["source"])[-3:]: row["exports"] for row in rows(store, "broken-since")}
    assert broken == {"t07": 0, "t17": 0, "t27": 1}
    # And one that is deleted: gone, while a listing that fails says nothing.
    repository.tags.remove("t30")
    third = json.loads(run(*load).stdout)
    assert third["gone"] == [f"type=registry,ref={host}/app:t30"]
    assert json.loads(run("load", f"{host}/app", "--tags", "nothing*", "--format", "json").stdout)["gone"] == []
    assert len(rows(store, "broken-since", gone=True)) == 1
    assert json.loads(run("load", f"{host}/app", "--tags", "t0*", "--format", "json").stdout)["looks"] == 10


@pytest.mark.parametrize(("allowed", "code"), [((), 3), (("--allow-failures", "0"), 3), (("--allow-failures", "1"), 0)])
def test_a_number_of_failures_can_be_allowed(server: Login, layouts: Path, allowed: tuple[str, ...], code: int) -> None:
    result = run("load", str(layouts / "scratch-file-max"), "nowhere.json", *allowed)
    assert result.exit_code == code
    assert "there is no such file" in result.stderr
    assert ("1 failure of 2 sources: allowed" in result.stderr) == (code == 0)


def test_a_share_of_failures_can_be_allowed_and_nonsense_is_refused(server: Login, layouts: Path) -> None:
    specs = (str(layouts / "scratch-file-max"), str(layouts / "web-oci"), "nowhere.json")
    assert run("load", *specs, "--allow-failures", "33%").exit_code == 3
    assert run("load", *specs, "--allow-failures", "33.4%").exit_code == 0
    assert run("load", "nowhere.json", "--allow-failures", "100%").exit_code == 3  # nothing at all was read
    for nonsense in ("-1", "many", "101%", "%", "1.5", "nan%"):
        refused = run("load", *specs, "--allow-failures", nonsense)
        assert refused.exit_code == 2
        assert f"'{nonsense}' is neither a number, such as 3, nor a share, such as 0.5%" in refused.stderr


def test_a_load_that_stops_gives_its_summary_and_one_line(
    server: Login, layouts: Path, store: Neo4jStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loading.load

    def load(connection: Connection, graph: ExportGraph, report: Report, **more: Any) -> loading.Loaded | None:  # noqa: ANN401 - passed on as it comes
        if "web-oci" in graph.export.source:
            raise ServerError("bolt://there: disk full", hint="free some space on that disk", answers=True)
        return real(connection, graph, report, **more)

    monkeypatch.setattr(loading, "load", load)
    specs = [str(layouts / name) for name in ("scratch-file-max", "web-oci", "web-max")]
    result = run("load", "nowhere.json", *specs, "--allow-failures", "100%")
    assert result.exit_code == 3
    assert result.stdout.startswith("1 export created, 0 unchanged, 0 superseded, 1 failed; ")
    assert result.stdout.endswith(" Stopped before the end: 1 export read and not loaded, the rest not read.\n")
    assert result.stderr.splitlines() == [
        "cachegraph: nowhere.json: there is no such file (check the path)",
        "cachegraph: bolt://there: disk full (free some space on that disk)",
    ]
    told = json.loads(run("load", *specs, "--format", "json").stdout)
    assert (told["unchanged"], told["stopped"]) == (1, "bolt://there: disk full (free some space on that disk)")
    assert [source.partition("src=")[2].split(",")[0] for source in told["unloaded"]] == [specs[1]]
    outcomes = store.run("MATCH (r:Run) RETURN r.id, r.outcome ORDER BY r.began_at").rows
    assert [outcome for _, outcome in outcomes] == ["stopped", "stopped"]
    assert outcomes[1][0] == told["run"]
