"""Earlier exports of the same cache, where its store still has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cachegraph.errors import NotFoundError
from cachegraph.loaders.base import Options
from cachegraph.loaders.previous import before, split_version, versions
from tests.servers.github import MAIN, REST_TOKEN, GitHub, index, runtime_token


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("./cache", ("./cache", 0)),
        ("./cache^1", ("./cache", 1)),
        ("type=gha,scope=web^12", ("type=gha,scope=web", 12)),
        ("./odd^name", ("./odd^name", 0)),
        ("./odd^", ("./odd^", 0)),
        ("./odd^12345", ("./odd^12345", 0)),
    ],
)
def test_a_version_behind_a_spec(text: str, expected: tuple[str, int]) -> None:
    assert split_version(text) == expected


def test_a_directory_keeps_what_it_was_given_before(layouts: Path) -> None:
    found = versions(str(layouts / "web-churn"), Options())
    assert [len(export.config.records) for export in found] == [25, 28, 31, 34]
    assert before(str(layouts / "web-churn"), 1, Options()) == found[-2]
    assert found[-1].source.endswith("tag=latest")


def test_a_directory_with_one_export(layouts: Path) -> None:
    assert len(versions(str(layouts / "web-max"), Options())) == 1
    with pytest.raises(NotFoundError) as caught:
        before(str(layouts / "web-max"), 1, Options())
    assert str(caught.value) == (
        f"{layouts / 'web-max'}: the store has no earlier export "
        "(give both exports, such as two directories or two digests of one)"
    )


def test_github_keeps_superseded_entries(github: GitHub) -> None:
    """Of one scope and the branches that the run may read; the number of an entry is no prefix of another's."""
    for number, scope, ref in ((1, "web", MAIN), (10, "web", MAIN), (2, "api", MAIN), (3, "web", "refs/heads/x")):
        config = {"layers": [], "records": [{"digest": f"sha256:{number}"}]}
        github.add(ref, index(scope, ref, number), json.dumps(config).encode())
    github.add(MAIN, index("web", MAIN, 11), b'{"layers": [], "records": [{"digest": "sha256:11"}]}')
    keys = f"url_v2={github.url},token={runtime_token(MAIN)}"
    spec = f"type=gha,scope=web,{keys},repository=acme/app,ghtoken={REST_TOKEN}"
    found = versions(spec, Options(insecure_registries=frozenset({github.url.partition("//")[2]})))
    assert [export.config.records[0].digest for export in found] == ["sha256:1", "sha256:10", "sha256:11"]


def test_github_without_its_rest_api_tells_of_none(github: GitHub) -> None:
    github.add(MAIN, index("web", MAIN, 1), b'{"layers": [], "records": []}')
    github.add(MAIN, index("web", MAIN, 2), b'{"layers": [], "records": []}')
    spec = f"type=gha,scope=web,url_v2={github.url},token={runtime_token(MAIN)}"
    assert len(versions(spec, Options(insecure_registries=frozenset({github.url.partition("//")[2]})))) == 1
    with pytest.raises(NotFoundError) as caught:
        before(spec, 1, Options(insecure_registries=frozenset({github.url.partition("//")[2]})))
    assert runtime_token(MAIN) not in str(caught.value)
    assert "the store has no earlier export" in str(caught.value)
