"""What displays say, in plain text and as pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.core.model import Names
from cachegraph.errors import UnknownNameError


def _text(shown: object) -> str:
    bundle: dict[str, str] = shown._repr_mimebundle_(include=None, exclude=None)  # type: ignore[attr-defined]  # IPython's call
    return bundle["text/plain"]


def _page(shown: object) -> str:
    bundle: dict[str, str] = shown._repr_mimebundle_()  # type: ignore[attr-defined]  # IPython's call
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", bundle["text/html"], flags=re.DOTALL).split())


def test_a_record_as_values(scratch: cg.CacheGraph) -> None:
    record = scratch.record(2)
    assert (record.index, record.op, record.state, record.loadable) == (2, "merge", "merge", True)
    assert [[a.record for a in slot] for slot in record.slots] == [[3], [1], [4]]
    assert [slot[0].state for slot in record.slots] == ["root", "lost root", "loadable"]
    (result,) = record.results
    assert (result.kind, result.layers, result.size) == ("layer", (0, 1, 2, 3), 1_083_732)
    assert result.created_at == "2026-11-23T20:36:07.319628274Z"
    assert record.dependents == ()
    lost = scratch.record(1)
    assert (lost.dependents, lost.downstream, lost.downstream_loadable) == ((2,), 1, 1)
    assert [finding.query for finding in lost.findings] == ["unreachable-roots"]
    assert scratch.record(0).results[0].created_at is None


def test_a_record_as_text(scratch: cg.CacheGraph) -> None:
    text = _text(scratch.record(2))
    assert "record 2: merge of 3 inputs\n  merge, loadable\n  slot 0: record 3 (base image of 2 layers)" in text
    assert "layer: layers [0, 1, 2, 3], 1.0 MiB, 2026-11-23T20:36:07.319628274Z, loadable" in text
    assert text == str(scratch.record(2))


def test_alternatives_and_selectors(layouts: Path) -> None:
    export = cg.load(str(layouts / "web-max")).graphs[0].export
    selector = export.config.records[0].inputs[0][1].selector
    graph = cg.CacheGraph([export], Names(selectors={selector: "/src/dist"}))
    assert graph.record(0).slots[0][1].path == "/src/dist"
    assert "slot 0: record 1 (15f7a7cf8a13) or record 18 (ed205ca82db4, at /src/dist)" in str(graph.record(0))
    assert "or record 18 ed205ca82db4 /src/dist" in _page(graph.record(0))


def test_a_broken_record_is_shown_as_it_is() -> None:
    graph = cg.from_config(b'{"records": [{"digest": "d", "inputs": [[], [{"link": 9}]], "layers": [{"layer": 4}]}]}')
    text = str(graph.record(0))
    assert "slot 0: empty" in text
    assert "slot 1: record 9 (no such record)" in text
    assert "not loadable (invalid)" in text
    assert "empty: BuildKit refuses the export" in _page(graph.record(0))
    assert "BuildKit refuses it" in _text(graph)


def test_a_record_that_is_not_there(scratch: cg.CacheGraph) -> None:
    with pytest.raises(UnknownNameError, match="no record -1"):
        scratch.record(-1)


def test_a_graph(fleet: cg.CacheGraph) -> None:
    text, page = _text(fleet), _page(fleet)
    assert text.startswith("4 exports\n")
    assert "PARTLY CACHED  7 of 17 steps (41 %)" in text
    assert "7 of 17 (41%)" in page
    assert "13 of 13 (100%)" in page
    assert "CACHED  13 of 13 steps (100 %)" in text


def test_a_daemons_cache(daemon: cg.CacheGraph) -> None:
    assert "CACHED  418 of 418 steps (100 %)  484 layers" in _text(daemon)
    assert _text(daemon).endswith("daemon")


def test_a_focus_says_so(scratch: cg.CacheGraph) -> None:
    graph = scratch.focus(4, up=0, down=1)
    assert "In focus: 3 of its records." in _text(graph)
    assert "3 of its records in focus" in _page(graph)


def test_an_empty_graph() -> None:
    assert _text(cg.CacheGraph(())) == "0 exports"
    assert _page(cg.CacheGraph(())) == "No exports."
    assert _page(cg.CacheGraph(()).check()) == "Nothing found."


def test_findings(scratch: cg.CacheGraph) -> None:
    text = _text(scratch.unreachable_roots())
    assert text.startswith("Which roots lead to no cached result?  1 warning, 1 note\n  warning: Record 1 (")
    assert _page(scratch.check()).startswith("1 warning, 5 notes. severity question record what it costs, what to do")


def test_long_lists_say_what_they_leave_out(large: cg.CacheGraph) -> None:
    findings = large.check()
    assert len(findings) > 1000
    assert f"and {len(findings) - 20:,} more: .to_frame() has them all" in _text(findings)
    assert f"{len(findings) - 1000:,} more are not on this page: .to_frame() has them all." in _page(findings)
    many = cg.CacheGraph([cg.from_config(b"{}").graphs[0].export] * 25)
    assert "and 5 more: graph.exports has them all" in _text(many)


def test_many_dependents_are_counted() -> None:
    taker = '{"digest": "d", "inputs": [[{"link": 0}]]}'
    records = ",".join(['{"digest": "r"}', *([taker] * 30)])
    record = cg.from_config(f'{{"records": [{records}]}}'.encode()).record(0)
    assert "30 records depend on it, 0 loadable; directly 1, 2," in str(record)
    assert str(record).splitlines()[2].endswith("20 and 10 more (.dependents)")
    assert len(record.dependents) == 30


def test_exports_go_by_their_short_names(fleet: cg.CacheGraph) -> None:
    for shown in (_page(fleet), _text(fleet), _page(fleet.check())):
        assert "web-multi-inline linux/386" in shown
        assert not re.search(r"[0-9a-f]{64}", shown)


def test_exports_with_one_short_name_are_told_apart(tmp_path: Path) -> None:
    config = b'{"records": [{"digest": "a", "inputs": [[{"link": 1}]]}, {"digest": "b"}]}'
    for night in ("monday", "tuesday"):
        (tmp_path / night).mkdir()
        (tmp_path / night / "cache.json").write_bytes(config)
    graph = cg.load([str(tmp_path / night / "cache.json") for night in ("monday", "tuesday")])
    names = [f"cache.json {one.id[:8]}" for one in graph.graphs]
    assert len(set(names)) == 2
    assert all(name in _page(graph) and name in _page(graph.check()) for name in names)


def test_a_history(scratch: cg.CacheGraph) -> None:
    (graph,) = scratch.graphs
    found = cg.history([graph, graph])
    said = "2 exports: 3 of 3 steps loadable at first, 3 of 3 steps now. After the first, nothing ran"
    assert repr(found) == f"<History: {said}.>"
    assert _text(found).startswith(f"{said}\n  export 1  ")
    assert "0 of 3 3 of 3 1.0 MiB nothing ran" in _page(found)


def test_the_facts_of_a_verdict_stand_apart_on_a_page(layouts: Path) -> None:
    graph = cg.load(str(layouts / "web-max"))
    for shown in (graph, graph.verdict()):
        page = shown._repr_mimebundle_()["text/html"]
        line = next(line for line in page.splitlines() if "13 of 13 steps (100 %)" in line)
        assert 'style="white-space: pre-wrap">' in line
        assert "CACHED  13 of 13 steps (100 %)  15 layers" in line
