"""The Python API: what is meant can be said in every natural way, and what cannot be meant says what is wrong."""

from __future__ import annotations

import io
import lzma
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.core.model import Name, Names
from cachegraph.errors import NotFoundError, SpecError, UnknownNameError
from cachegraph.queries.base import Finding

TWO = b'{"records": [{"digest": "a"}, {"digest": "b", "inputs": [[{"link": 0}]]}]}'


@pytest.fixture
def cache(layouts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in the current folder, by the name ``cache``."""
    shutil.copytree(layouts / "scratch-file-inline", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


# --- load ------------------------------------------------------------------------------------------------------------


def test_a_path_is_a_path_whatever_it_looks_like(cache: Path) -> None:
    assert len(cg.load(cache).graphs) == len(cg.load(Path("cache")).graphs) == 1
    cache.rename("type=local,src=x")
    assert len(cg.load(Path("type=local,src=x")).graphs) == 1
    with pytest.raises(NotFoundError, match="there is no such file or directory"):
        cg.load(Path("app"))  # as text, it would be an image reference


def test_several_of_any_kind_are_one_graph(cache: Path) -> None:
    (cache.parent / "config.json").write_bytes(TWO)
    graph = cg.load(one for one in (cache, "config.json"))
    assert [one.export.kind for one in graph] == ["inline", "config"]


@pytest.mark.parametrize(
    "spellings", [["./cache", "./cache"], ["./cache", "type=local,src=cache", "type=local,dest=cache/"]]
)
def test_one_place_is_one_export_however_it_is_spelt(cache: Path, spellings: list[str]) -> None:
    graph = cg.load(spellings)
    assert len(graph.graphs) == 1
    (note,) = graph.query("source-problems")
    assert note.severity == "note"
    assert note.message.startswith(f"This place was given {len(spellings)} times and read once")
    assert all(spelling in note.message for spelling in spellings[1:])
    assert len(cg.load([str(cache)]).query("source-problems")) == 0


def test_a_directory_and_one_of_its_tags_hold_one_export(layouts: Path) -> None:
    whole = str(layouts / "web-max")
    assert len(cg.load([f"type=local,src={whole}", f"type=local,src={whole},tag=latest"]).graphs) == 1


def test_a_bad_source_is_raised_or_told(cache: Path) -> None:
    with pytest.raises(NotFoundError):
        cg.load([cache, "gone.json"])
    with pytest.warns(cg.CacheGraphWarning, match=r"gone\.json: there is no such file") as told:
        graph = cg.load([cache, "gone.json"], errors="warn")
    assert len(told) == 1
    assert told[0].filename == __file__
    assert (len(graph.graphs), [failure.spec for failure in graph.failures]) == (1, ["gone.json"])
    assert repr(graph) == "<CacheGraph: 1 export, 6 records, 1 source not read>"


@pytest.mark.parametrize(
    "wrong", [None, 7, b"cache", [b"cache"], [None], {"type": 1}.values(), {"a": 1}, io.StringIO("a")]
)
def test_what_is_no_source_is_a_type_error(wrong: object) -> None:
    with pytest.raises(TypeError, match="a path"):
        cg.load(wrong)  # type: ignore[arg-type]  # the mistake


def test_an_unknown_way_to_treat_errors() -> None:
    with pytest.raises(ValueError, match="errors is 'raise' or 'warn', not 'ignore'"):
        cg.load("cache", errors="ignore")  # type: ignore[arg-type]  # the mistake


def test_names_from_anywhere(cache: Path, data: Path) -> None:
    plaintexts = cache.parent / "cache-all.json"
    plaintexts.write_bytes(lzma.decompress((data / "daemon" / "cache-all.json.xz").read_bytes()))
    read = [cg.load(cache, names=given).record(0).name for given in (plaintexts, str(plaintexts), [plaintexts])]
    assert read == [read[0]] * 3
    assert read[0]
    digest = cg.load(cache).record(0).digest
    mine = Names(records={digest: Name(op="exec", name="mine")})
    assert cg.load(cache, names=[plaintexts, mine]).record(0).name == "mine"
    assert cg.load(cache, names=mine).record(0).name == "mine"
    with pytest.raises(NotFoundError):
        cg.load(cache, names="gone.json")
    with pytest.warns(cg.CacheGraphWarning, match="gone"):
        assert cg.load(cache, names=["gone.json", mine], errors="warn").record(0).name == "mine"


# --- from_config -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blobs", ["sha256:a", b"sha256:a"])
def test_one_digest_is_no_list_of_digests(blobs: object) -> None:
    with pytest.raises(TypeError, match="blobs is a list of digests, not one of them"):
        cg.from_config(TWO, blobs=blobs)  # type: ignore[arg-type]  # the mistake


def test_a_config_is_bytes() -> None:
    assert len(cg.from_config(bytearray(TWO)).graphs[0]) == 2
    with pytest.raises(TypeError, match="config is the bytes of a cache config, not str"):
        cg.from_config("config.json")  # type: ignore[arg-type]  # the mistake


# --- Records ---------------------------------------------------------------------------------------------------------


def test_a_record_by_anything_that_names_it() -> None:
    graph = cg.CacheGraph([cg.from_config(config).graphs[0].export for config in (TWO, b"{}")])
    first = graph.graphs[0].id
    (finding,) = graph.missing_results()
    for named in (1, finding, f"{first}/r1", (0, 1), (first, 1)):
        assert graph.record(named).index == 1
        assert graph.loadable_results(named) == []
        assert len(graph.focus(named, up=0, down=0).records) == 1
        assert graph.matched(named) == {0}
    assert graph.record(0, export=first).index == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (2, "record 2"),
        (-1, "record -1"),
        ("x", "'x' is not the id of a record"),
        ("x/r1", "there is no export 'x'"),
        ((9, 0), "there is no export 9"),
    ],
)
def test_what_names_no_record(wrong: object, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        cg.from_config(TWO).record(wrong)  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize("wrong", [None, 1.0, [0], (0, 1, 2), (0,)])
def test_what_cannot_name_a_record(wrong: object) -> None:
    graph = cg.from_config(TWO)
    asks: list[Callable[..., object]] = [graph.record, graph.loadable_results, graph.focus, graph.matched]
    for ask in asks:
        with pytest.raises(TypeError, match="a record is an index, an id, a finding or"):
            ask(wrong)


def test_a_finding_about_no_record() -> None:
    graph = cg.from_config(TWO)
    (size,) = graph.query("size-forecast")
    with pytest.raises(UnknownNameError, match="this finding of size-forecast is about no record"):
        graph.record(size)


def test_an_unknown_question_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"question 'Missing_Result' \(did you mean missing-results\?\)"):
        cg.from_config(TWO).query("Missing_Result")
    with pytest.raises(SpecError, match=r"there is no type=regstry; .* \(did you mean registry\?\)"):
        cg.load("type=regstry,ref=a")


# --- Findings --------------------------------------------------------------------------------------------------------


def test_findings_are_grouped_and_worded_once() -> None:
    worded: list[int] = []

    def word(finding: Finding) -> Finding:
        worded.append(finding.record or 0)
        return finding

    from cachegraph.queries.findings import Findings

    findings = Findings(cg.from_config(TWO).check(), word=word)
    assert worded == []
    groups = findings.by_export()
    assert worded == []
    for _ in range(2):
        assert [one for group in groups.values() for one in group] == list(findings)
        assert sum(len(group) for group in findings.by_query().values()) == len(findings)
        assert list(findings.worst_first()) == [*findings.of("error"), *findings.of("warning"), *findings.of("note")]
        assert findings[0:2][1] == findings[1]
    assert len(worded) == len(findings)


def test_a_frame_of_all_findings_keeps_every_questions_fields(layouts: Path) -> None:
    graph = cg.load(layouts / "web-churn")
    frame = graph.check().to_frame()
    own = graph.missing_results().to_frame()
    rows = frame[frame["query"] == "missing-results"]
    assert rows["downstream_loadable"].tolist() == own["downstream_loadable"].tolist()
    assert set(frame["code"]) == {finding.code for finding in graph.check()}
    assert str(frame["downstream_loadable"].dtype) == "Int64"
    assert str(frame["severity"].dtype) == "category"
    assert cg.from_config(b"{}").check().to_frame().columns.tolist() == frame.columns.tolist()


# --- What it says of itself ------------------------------------------------------------------------------------------


def test_everything_public_says_what_it_is(cache: Path) -> None:
    graph = cg.load("cache")
    assert repr(graph.graphs[0]).startswith("<ExportGraph: type=local,src=cache")
    assert repr(graph.record(2)) == "<RecordView of record 2: merge of 3 inputs, merge>"
    assert repr(graph.unreachable_roots()) == "<Findings of unreachable-roots: 1 warning, 1 note>"
    assert repr(graph.missing_results()) == "<Findings of missing-results: none>"
    assert repr(graph.plot()).startswith("<Drawing: 6 records of cache linux/amd64: show it in a notebook")
    for shown in (graph, *graph.graphs, graph.record(2), graph.check(), graph.plot()):
        assert len(repr(shown)) < 200


def test_every_public_name_has_help() -> None:
    assert dir(cg) == sorted(cg.__all__)
    for name in cg.__all__:
        assert name == "__version__" or getattr(cg, name).__doc__
    for name in dir(cg.CacheGraph):
        assert name.startswith("_") or name in ("graphs", "failures") or getattr(cg.CacheGraph, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'loda'"):
        getattr(cg, "loda")  # noqa: B009 - the mistake


def test_no_warning_without_a_reason(cache: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cg.load(cache, errors="warn")
