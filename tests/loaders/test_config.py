"""Bare cache configs, small and huge."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

import cachegraph as cg
from cachegraph.core.model import CacheConfig, CacheInput, CacheLayer, CacheRecord, CacheResult
from cachegraph.errors import CacheGraphError, DecodeError, NotFoundError


def test_a_path_and_a_spec_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    path.write_bytes(b'{"records": [{"digest": "a"}]}')
    one, other = cg.load(str(path)).graphs[0], cg.load(f"type=config,src={path}").graphs[0]
    assert one.export == other.export
    assert one.export.source == f"type=config,src={path}"


def test_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b'{"records": [{"digest": "a"}]}')

    monkeypatch.setattr("sys.stdin", Stdin())
    assert len(cg.load("type=config,src=-").graphs[0]) == 1


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (None, NotFoundError, "there is no such file (check the path)"),
        (b"", DecodeError, "the document is empty, expected JSON"),
        (b'{"layers": 7}', DecodeError, "layers: expected an array, got 7"),
    ],
)
def test_an_error_names_the_file(
    tmp_path: Path, data: bytes | None, error: type[CacheGraphError], message: str
) -> None:
    path = tmp_path / "cache.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(error) as caught:
        cg.load(str(path))
    assert str(caught.value).startswith(f"{path}: {message}")


@pytest.mark.slow
def test_200_000_records_in_one_chain() -> None:
    """No recursion, no time that grows faster than the input."""
    count = 200_000
    config = CacheConfig(
        layers=tuple(CacheLayer(blob=f"b{i}", parent=i - 1) for i in range(100)),
        records=(
            CacheRecord(digest="root"),
            *(CacheRecord(digest=f"d{i}", inputs=((CacheInput(link=i),),)) for i in range(count - 2)),
            CacheRecord(digest="end", inputs=((CacheInput(link=count - 2),),), layers=(CacheResult(layer=99),)),
        ),
    )
    (graph,) = exports = cg.from_config(msgspec.json.encode(config))
    assert graph.import_error is None
    findings = exports.missing_results()
    assert len(findings) == count - 2
    assert {f.to_dict()["downstream_loadable"] for f in findings} == {1}
    assert len(graph.key_ids) == len(set(graph.key_ids)) == count


@pytest.mark.slow
def test_a_loop_through_200_000_records() -> None:
    count = 200_000
    records = tuple(CacheRecord(digest=f"d{i}", inputs=((CacheInput(link=(i + 1) % count),),)) for i in range(count))
    graph = cg.from_config(msgspec.json.encode(CacheConfig(records=records)))
    assert graph.import_error == "invalid looping record"
    assert len(graph.missing_results()) == count


@pytest.mark.slow
def test_a_config_of_100_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    record = b'{"digest": "sha256:' + b"0" * 64 + b'"},'
    path.write_bytes(b'{"records": [' + record * (100_000_000 // len(record)) + b"{}]}")
    (graph,) = cg.load(str(path))
    assert graph.import_error is None
    assert graph.export.config_bytes > 99_000_000


def test_indexes_beyond_31_bits_are_out_of_range() -> None:
    huge = 2**40
    graph = cg.from_config(f'{{"records": [{{"digest": "a", "inputs": [[{{"link": {huge}}}]]}}]}}'.encode())
    assert graph.import_error == f"invalid record ID: {huge}"
    graph = cg.from_config(f'{{"records": [{{"digest": "a", "layers": [{{"layer": {-huge}}}]}}]}}'.encode())
    assert graph.import_error == f"invalid layer index {-huge}"
