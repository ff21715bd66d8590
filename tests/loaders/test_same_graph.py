"""Every source gives the same graph for the same build: the same records, results and findings, wherever it lies."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg
from cachegraph.graph import CacheGraph
from cachegraph.loaders.base import Options
from tests.servers.github import MAIN, GitHub, runtime_token
from tests.servers.objects import AZURE_ACCOUNT, AZURE_KEY, S3_KEY, S3_SECRET

LAYOUTS = sorted(path.name for path in (Path(__file__).parents[1] / "data" / "layouts").iterdir())
WITH_CACHE = [name for name in LAYOUTS if name != "web-prov"]
OPTIONS = Options(timeout=20.0)

pytestmark = pytest.mark.usefixtures("aws_settings")


def graph_of(loaded: CacheGraph) -> list[dict[str, Any]]:
    """What each export says, but for its name and kind and for what nobody looked for (strays, presence)."""
    found = []
    for graph in loaded:
        findings = [
            {
                key: value
                for key, value in finding.to_dict().items()
                if key not in ("export", "kind", "message", "store")
            }
            for finding in loaded.check()
            if finding.export == graph.id and finding.query != "orphan-blobs"
        ]
        found.append(
            {
                "platform": graph.export.platform,
                "import_error": graph.import_error,
                "keys": list(graph.key_ids),
                "results": [
                    sorted(graph.result_blobs(result) for result in graph.loadable_results(record))
                    for record in range(len(graph))
                ],
                "findings": Counter(map(repr, findings)),
            }
        )
    return found


@pytest.mark.parametrize("name", WITH_CACHE)
def test_a_registry_and_a_directory(registry: str, push: Callable[[str, str], str], layouts: Path, name: str) -> None:
    """``web-min`` and its like are indexes of layers, ``web-max`` image manifests, ``web-oci`` images."""
    push(name, f"graph/{name}:cache")
    there = graph_of(cg.load(f"type=registry,ref={registry}/graph/{name}:cache", options=OPTIONS))
    here = graph_of(cg.load(str(layouts / name)))  # whose images have no tag
    assert there == here
    assert sum(len(export["keys"]) for export in here) > 0
    assert all(export["import_error"] is None for export in here)


@pytest.mark.parametrize("compression", ["tar", "gztar", "xztar"])
@pytest.mark.parametrize("name", ["web-max", "web-min", "web-multi-inline"])
def test_an_archive_and_a_directory(layouts: Path, tmp_path: Path, name: str, compression: str) -> None:
    path = shutil.make_archive(str(tmp_path / "cache"), compression, layouts / name)
    assert graph_of(cg.load(path)) == graph_of(cg.load(str(layouts / name)))


def loadable(loaded: CacheGraph) -> dict[str, list[tuple[str, ...]]]:
    """Loadable results by the record's identity: two builds need not number their records alike."""
    (graph,) = loaded
    assert graph.import_error is None
    return {
        graph.key_ids[record]: sorted(graph.result_blobs(result) for result in graph.loadable_results(record))
        for record in range(len(graph))
    }


@pytest.fixture
def s3(s3_endpoint: str, s3_bucket: str) -> str:
    return (
        f"type=s3,region=us-east-1,bucket={s3_bucket},name=web,endpoint_url={s3_endpoint},use_path_style=true,"
        f"access_key_id={S3_KEY},secret_access_key={S3_SECRET}"
    )


@pytest.fixture
def azure(azure_account: str, azure_container: str) -> str:
    return (
        f"type=azblob,account_url={azure_account},container={azure_container},name=web,"
        f"account_name={AZURE_ACCOUNT},secret_access_key={AZURE_KEY}"
    )


def test_s3_and_azure_hold_the_same_build(s3: str, azure: str) -> None:
    in_s3, in_azure = (loadable(cg.load(spec, options=OPTIONS)) for spec in (s3, azure))
    assert in_s3 == in_azure
    assert len(in_s3) == 35


def test_github_gives_what_s3_gives(s3: str, filled: GitHub) -> None:
    gha = f"type=gha,scope=web,url_v2={filled.url},token={runtime_token(MAIN)}"
    assert graph_of(cg.load(gha, options=OPTIONS)) == graph_of(cg.load(s3, options=OPTIONS))


def test_a_bare_config_gives_what_its_store_gives(s3: str, corpus: Callable[[str], dict[str, bytes]]) -> None:
    bare = cg.from_config(corpus("s3")["manifests/web"])
    assert graph_of(bare) == graph_of(cg.load(s3, options=OPTIONS))


def depths(results: dict[str, list[tuple[str, ...]]]) -> dict[str, list[int]]:
    """How many layers each result has: all that another compression leaves alike."""
    return {key: [len(blobs) for blobs in found] for key, found in results.items()}


def test_s3_holds_what_a_directory_with_other_compression_holds(s3: str, layouts: Path) -> None:
    stored, local = loadable(cg.load(s3, options=OPTIONS)), loadable(cg.load(str(layouts / "web-zstd")))
    assert depths(stored) == depths(local)


def test_local_and_inline_exports_of_one_build(layouts: Path) -> None:
    """The two shapes hold the same; an image with inline cache has the same records, and results for its own layers."""
    image, index, inline = (loadable(cg.load(str(layouts / name))) for name in ("web-max", "web-min", "web-oci"))
    assert image == index
    assert image.keys() == inline.keys()
    kept = {key: found for key, found in inline.items() if found}
    assert kept.items() <= image.items()
    assert (len(kept), sum(map(bool, image.values())), len(image)) == (7, 13, 19)
