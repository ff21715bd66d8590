from __future__ import annotations

import pytest

from cachegraph.errors import SpecError
from cachegraph.loaders.specs.reference import Reference, is_loopback, parse_reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("alpine", "docker.io/library/alpine:latest"),
        ("alpine:3.20", "docker.io/library/alpine:3.20"),
        ("user/app", "docker.io/user/app:latest"),
        ("docker.io/alpine", "docker.io/library/alpine:latest"),
        ("index.docker.io/user/app", "docker.io/user/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("127.0.0.1:5000/a/b-c/d_e:v1.0_x", "127.0.0.1:5000/a/b-c/d_e:v1.0_x"),
        ("[::1]:5000/app:x", "[::1]:5000/app:x"),
        ("ghcr.io/org/app:cache", "ghcr.io/org/app:cache"),
        ("Host/app", "Host/app:latest"),
        (f"ghcr.io/org/app@{DIGEST}", f"ghcr.io/org/app@{DIGEST}"),
        (f"ghcr.io/org/app:tag@{DIGEST}", f"ghcr.io/org/app@{DIGEST}"),
        ("registry:5000/app", "registry:5000/app:latest"),
    ],
)
def test_reads_references_as_docker_does(text: str, canonical: str) -> None:
    assert str(parse_reference(text)) == canonical


def test_keeps_the_tag_beside_a_digest() -> None:
    assert parse_reference(f"localhost:5000/app:v1@{DIGEST}") == Reference(
        host="localhost:5000", repository="app", tag="v1", digest=DIGEST
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "UPPER",
        "ghcr.io/Org/app",
        "app:",
        "app:-x",
        "app@sha256:12",
        "a//b",
        "ghcr.io/../x",
        "app:t?x",
        "x/" * 200,
    ],
)
def test_refuses_what_is_no_reference(text: str) -> None:
    with pytest.raises(SpecError, match="is not an image reference"):
        parse_reference(text)


def test_does_not_repeat_a_password() -> None:
    with pytest.raises(SpecError) as caught:
        parse_reference("https://me:hunter2@ghcr.io/org/app")
    assert "hunter2" not in str(caught.value)
    assert "***@ghcr.io/org/app" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.9.9.9", True),
        ("[::1]:5000", True),
        ("ghcr.io", False),
        ("localhost.example.com", False),
        ("10.0.0.1:5000", False),
        ("[fe80::1]", False),
    ],
)
def test_knows_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
