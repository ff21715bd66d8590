"""Several caches of one build: keys that hide results, caches that add nothing, which to prefer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

import cachegraph as cg
from cachegraph.cli.app import app
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheRecord
from cachegraph.errors import UsageError
from cachegraph.solver.together import together
from cachegraph.stores.neo4j.answers import ask
from tests.builders import export_graph, layers, record

STACK = layers(-1, 0, 1)
ROOT = record("root")
ONE, TWO, THREE = record("one", [0], layer=0), record("two", [1], layer=1), record("three", [2], layer=2)


def export(source: str, *records: CacheRecord) -> ExportGraph:
    return export_graph(*records, stack=STACK, source=source)


def bare(one: CacheRecord) -> CacheRecord:
    """The same key without its result."""
    return structs.replace(one, layers=())


FULL = export("full", ROOT, ONE, TWO, THREE)
KEYS = export("keys", ROOT, ONE, bare(TWO), THREE)
PART = export("part", ROOT, ONE)
OTHER = export("other", record("else"), record("step", [0], layer=0))


def shadowed(*graphs: ExportGraph) -> list[tuple[str, tuple[int, ...], tuple[str, ...]]]:
    graph = cg.CacheGraph([one.export for one in graphs])
    names = {one.id: one.export.source for one in graph}
    return [(names[f.export], f.records, f.loadable_in) for f in graph.query("shadowed-keys")]


def test_a_key_without_a_result_hides_one_with_a_result() -> None:
    assert shadowed(FULL, KEYS) == [("keys", (2,), ("full",))]
    assert shadowed(KEYS, FULL) == [("keys", (2,), ("full",))]


def test_alone_or_beside_strangers_nothing_collides() -> None:
    assert shadowed(KEYS) == []
    assert shadowed(KEYS, OTHER) == []
    assert shadowed(FULL, PART) == [], "a key that is not held at all hides nothing"


def test_a_refused_cache_hides_nothing_and_has_nothing() -> None:
    broken = export("broken", ROOT, ONE, bare(TWO), record("loop", [3]))
    assert shadowed(FULL, broken) == []
    assert shadowed(KEYS, broken) == []


def test_check_asks_it_of_several_sources_only(tmp_path: Path) -> None:
    full, keys = tmp_path / "full.json", tmp_path / "keys.json"
    config: dict[str, Any] = {
        "layers": [{"blob": f"sha256:{n}", "parent": n - 1} for n in range(2)],
        "records": [
            {"digest": "root"},
            {"digest": "one", "inputs": [[{"link": 0}]], "layers": [{"layer": 0}]},
            {"digest": "two", "inputs": [[{"link": 1}]], "layers": [{"layer": 1}]},
        ],
    }
    full.write_text(json.dumps(config))
    del config["records"][1]["layers"]
    keys.write_text(json.dumps(config))

    def check(*specs: Path) -> Result:
        return CliRunner().invoke(app, ["check", "-f", "json", *map(str, specs)])

    assert "CG113" not in check(keys).stdout
    assert "together" not in json.loads(check(keys).stdout)
    found = json.loads(check(full, keys).stdout)
    (one,) = (finding for finding in found["findings"] if finding["code"] == "CG113")
    assert (one["records"], one["loadable_in"]) == ([1], [f"type=config,src={full}"])
    assert one["message"].startswith("This cache holds 1 step without a result that type=config,src=")
    assert found["together"]["single"] == f"type=config,src={full}"
    assert found["together"]["adds_nothing"] == [f"type=config,src={keys}"]
    table = CliRunner().invoke(app, ["check", str(full), str(keys)]).stdout
    assert f"If one build imports them: type=config,src={full} has a result for every step that any of them" in table


def test_a_store_of_many_refs_does_not_know_which_are_imported_together() -> None:
    with pytest.raises(UsageError, match="cachegraph cypher shadowed-keys asks about all of them"):
        ask(None, "shadowed-keys", None)  # type: ignore[arg-type]


# --- What to prefer --------------------------------------------------------------------------------------------------


def test_the_cache_that_holds_all_is_enough() -> None:
    found = together([PART, FULL, KEYS])
    assert found is not None
    assert (found.single, found.adds_nothing, found.steps) == ("full", ("part", "keys"), 3)
    assert [(share.source, share.loadable, share.only) for share in found.shares] == [
        ("part", 1, 0),
        ("full", 3, 1),
        ("keys", 2, 0),
    ]
    (said,) = found.sentences
    assert said == (
        "If one build imports them: full has a result for every step that any of them has one for (3). Import it "
        "alone: part, keys add nothing."
    )


def test_of_two_equal_ones_the_first_stays() -> None:
    again = export("again", ROOT, ONE, TWO, THREE)
    found = together([FULL, again])
    assert found is not None
    assert (found.single, found.adds_nothing) == ("full", ("again",))


def test_of_caches_that_both_have_something_the_fullest_is_last() -> None:
    mine = export("mine", ROOT, ONE, TWO, record("mine", [1], layer=2))
    yours = export("yours", ROOT, ONE, record("yours", [1], layer=1))
    found = together([mine, yours, PART])
    assert found is not None
    assert (found.single, found.adds_nothing, found.order, found.shared) == (None, ("part",), ("yours", "mine"), 1)
    assert found.sentences == (
        "If one build imports them: part adds nothing.",
        "If one build imports them: 1 step is in several of them, and which one answers is a race: import the one that "
        "fits best alone, or list them in this order: yours, mine. `cachegraph sources BUILD CACHE...` works it out "
        "for a build.",
    )


def test_strangers_are_not_compared_in_words() -> None:
    found = together([FULL, OTHER])
    assert found is not None
    assert (found.adds_nothing, found.single, found.sentences) == ((), None, ())
    assert together([FULL]) is None


def test_three_that_hold_each_others_results_are_not_all_left_out() -> None:
    a, b = record("a", [0], layer=0), record("b", [0], layer=1)
    graphs = [export("ab", ROOT, a, b), export("a", ROOT, a), export("b", ROOT, b)]
    found = together(graphs)
    assert found is not None
    assert (found.single, found.adds_nothing) == ("ab", ("a", "b"))


def test_the_platforms_of_one_image_are_one_cache(layouts: Path) -> None:
    """A build cannot import one of them without the other, so there is nothing to choose and nothing to order."""
    image = str(layouts / "web-multi-inline")
    both = cg.load(image)
    assert len(both.graphs) == 2
    assert together(both) is None
    assert "If one build imports" not in CliRunner().invoke(app, ["check", image]).stdout
    found = together([*both, FULL])
    assert found is not None
    assert [share.source for share in found.shares] == [both.graphs[0].export.source, "full"]
    # 7 loadable steps of each platform; the copies that both make of the same files are one key.
    keys = {graph.key_ids[index] for graph in both for index in range(len(graph)) if graph.loadable[index]}
    assert found.shares[0].loadable == found.shares[0].only == len(keys)
    assert found.steps == len(keys) + 3
