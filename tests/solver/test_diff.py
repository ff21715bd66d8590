"""The differences of two exports, and where each begins."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given

import cachegraph as cg
from cachegraph.core.decode import encode
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig
from cachegraph.errors import UsageError
from cachegraph.loaders.config import export_from_config
from cachegraph.solver.diff import diff
from tests.laws.test_laws import configs
from tests.solver.exports import BASE, export


def facts(old: ExportGraph, new: ExportGraph) -> list[tuple[str, str, str, int, int | None]]:
    return [(row.change, row.digest, row.cause, row.begins, row.slot) for row in diff(old, new)]


def test_nothing_differs() -> None:
    found = diff(export(BASE), export(BASE))
    assert (len(found), found.summary) == (0, "No difference: 5 keys the same.")


def test_an_instruction_that_changed_takes_what_follows_with_it() -> None:
    new = {("make2" if digest == "make" else digest): found for digest, found in BASE.items()}
    new["test"] = (([("/", "make2")],), 2)
    found = diff(export(BASE), export(new))
    assert facts(export(BASE), export(new)) == [
        ("key gained", "make2", "instruction", 3, None),
        ("key gained", "test", "input", 3, 0),
        ("key lost", "make", "instruction", 3, None),
        ("key lost", "test", "input", 3, 0),
    ]
    assert found.summary == (
        "Keys: 2 gained, 2 lost, 3 the same. Results: 0 gained, 0 lost. "
        "Loadable: 3 of 3 steps before, 3 of 3 steps now."
    )
    assert [row.digest for row in found.lost_results] == ["make", "test"]
    assert list(found.groups) == [("key gained", 3), ("key lost", 3)]


def test_files_that_changed_begin_with_the_step_that_takes_them() -> None:
    new = {("files2" if digest == "files" else digest): found for digest, found in BASE.items()}
    new["copy"] = (([("", "base")], [("", "files2")]), 0)
    assert facts(export(BASE), export(new))[:4] == [
        ("key gained", "files2", "instruction", 1, None),
        ("key gained", "copy", "input", 2, 1),
        ("key gained", "make", "input", 2, 0),
        ("key gained", "test", "input", 2, 0),
    ]


def test_a_lost_result_is_no_lost_key() -> None:
    """The key stays, its blob is gone: evicted, not changed."""
    new = export(BASE, blobs=["b0", "b1"])
    found = diff(export(BASE), new)
    assert facts(export(BASE), new) == [("result lost", "test", "result", 4, None)]
    assert [(row.old, row.new) for row in found] == [(4, 4)]
    assert [row.digest for row in found.lost_results] == ["test"]
    assert facts(new, export(BASE)) == [("result gained", "test", "result", 4, None)]


def test_another_alternative_is_the_same_key() -> None:
    """An export made after an import lists what it inherited: identity of keys would call it new."""
    new = dict(BASE) | {"more": ((), None), "copy": (([("", "base")], [("", "more"), ("", "files")]), 0)}
    new = {digest: new[digest] for digest in ("base", "files", "more", "copy", "make", "test")}
    assert facts(export(BASE), export(new)) == [("key gained", "more", "instruction", 2, None)]


def test_an_export_that_buildkit_refuses_equals_itself() -> None:
    config = b'{"records": [{"digest": "a", "inputs": [[{"link": 0}]]}, {"digest": "b", "inputs": [[{"link": 9}]]}]}'
    graph = ExportGraph(export_from_config(config))
    assert graph.import_error is not None
    assert len(diff(graph, graph)) == 0


@given(configs())
def test_an_export_equals_itself(config: CacheConfig) -> None:
    graph = ExportGraph(export_from_config(encode(config)))
    assert len(diff(graph, graph)) == 0


@given(configs(sound=False))
def test_any_export_equals_itself(config: CacheConfig) -> None:
    graph = ExportGraph(export_from_config(encode(config)))
    assert len(diff(graph, graph)) == 0


@given(configs(), configs())
def test_what_one_gains_the_other_loses(old: CacheConfig, new: CacheConfig) -> None:
    before, after = (ExportGraph(export_from_config(encode(config))) for config in (old, new))
    forward, backward = diff(before, after), diff(after, before)
    assert forward.count("key gained") == backward.count("key lost")
    assert forward.count("key lost") == backward.count("key gained")


def test_as_a_data_frame() -> None:
    frame = diff(export(BASE), export(BASE, blobs=["b0"])).to_frame()
    assert list(frame["digest"]) == ["make", "test"]
    assert frame["new"].dtype == "Int64"
    assert list(frame["change"].cat.categories) == ["key gained", "key lost", "result gained", "result lost"]


def test_one_export_on_each_side() -> None:
    with pytest.raises(UsageError, match="the old export is one export, 2 were given"):
        diff([export(BASE), export(BASE)], export(BASE))


PREDICTIONS = Path(__file__).parents[1] / "data" / "predictions" / "cases.jsonl.gz"


def test_of_real_exports_with_themselves() -> None:
    for line in gzip.decompress(PREDICTIONS.read_bytes()).splitlines():
        case = json.loads(line)
        for part in ("before", "after", "cold"):
            if case[part]:
                config = json.dumps(case[part]["config"]).encode()
                graph = ExportGraph(export_from_config(config, blobs=case[part]["blobs"]))
                assert len(diff(graph, graph)) == 0


@pytest.mark.parametrize("name", ["web-churn", "web-max", "web-oci", "alternating-4", "web-multi-max"])
def test_steps_are_counted_as_check_counts_them(layouts: Path, name: str) -> None:
    for one in cg.load(str(layouts / name)):
        graph = cg.CacheGraph([one.export])
        (verdict,) = graph.verdict()
        side = diff(graph, graph).new
        assert (side.steps, side.loadable, side.carried) == (verdict.steps, verdict.cached, verdict.earlier_steps)


def test_keys_of_earlier_builds_are_no_steps(layouts: Path) -> None:
    side = diff(cg.load(str(layouts / "web-churn")), cg.load(str(layouts / "web-churn"))).new
    assert (side.records, side.steps, side.loadable, side.carried) == (34, 13, 13, 11)
