from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from cachegraph.errors import AccessError
from cachegraph.loaders.distribution import docker_config
from cachegraph.loaders.distribution.docker_config import Credentials, find_credentials

SECRET = "hunter2-config-5ecret"
AUTH = base64.b64encode(f"me:{SECRET}".encode()).decode()
ME = Credentials(username="me", password=SECRET)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def configure(folder: Path, config: object) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def helper(folder: Path, name: str, script: str) -> None:
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def answering(secret: str, user: str = "me") -> str:
    """A helper that notes which server it was asked for."""
    return f'cat > "$0.asked"\necho \'{{"ServerURL":"x","Username":"{user}","Secret":"{secret}"}}\''


def test_no_config_is_no_login(folder: Path) -> None:
    assert find_credentials("ghcr.io") is None


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io", "ghcr.io"),
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("http://reg.lan:5000/v1/", "reg.lan:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
    ],
)
def test_finds_a_host_under_every_key_that_docker_wrote(folder: Path, key: str, host: str) -> None:
    configure(folder, {"auths": {"other.io": {}, key: {"auth": AUTH}}})
    assert find_credentials(host) == ME


def test_one_host_does_not_get_the_login_of_another(folder: Path) -> None:
    configure(folder, {"auths": {"ghcr.io": {"auth": AUTH}}})
    assert find_credentials("ghcr.io.example.com") is None
    assert find_credentials("docker.io") is None


def test_reads_identity_and_registry_tokens(folder: Path) -> None:
    configure(folder, {"auths": {"a.io": {"identitytoken": SECRET}, "b.io": {"registrytoken": SECRET}}})
    assert find_credentials("a.io") == Credentials(identity_token=SECRET)
    assert find_credentials("b.io") == Credentials(registry_token=SECRET)


def test_the_helper_of_a_host_comes_first_then_the_store_then_the_file(folder: Path) -> None:
    helper(folder, "one", answering("from-helper"))
    helper(
        folder,
        "two",
        f'read -r host\n[ "$host" != b.io ] && echo credentials not found && exit 1\n{answering("from-store")}',
    )
    hosts = {"a.io": "from-helper", "b.io": "from-store", "c.io": SECRET, "d.io": None}
    auths = {host: {"auth": AUTH} for host in ("a.io", "b.io", "c.io")}
    configure(folder, {"credHelpers": {"a.io": "one"}, "credsStore": "two", "auths": auths})
    assert {host: found and found.password for host in hosts for found in [find_credentials(host)]} == hosts


def test_docker_hub_is_asked_for_by_its_historic_name(folder: Path) -> None:
    helper(folder, "store", answering("hub"))
    configure(folder, {"credsStore": "store"})
    found = find_credentials("docker.io")
    assert found is not None
    assert found.password == "hub"
    assert (folder / "docker-credential-store.asked").read_text() == "https://index.docker.io/v1/"


def test_a_helper_can_give_an_identity_token(folder: Path) -> None:
    helper(folder, "acr", answering(SECRET, user="<token>"))
    configure(folder, {"credHelpers": {"x.azurecr.io": "acr"}})
    assert find_credentials("x.azurecr.io") == Credentials(identity_token=SECRET)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (f"echo {SECRET}", "docker-credential-bad answered something that is not its JSON"),
        (f"echo '[\"{SECRET}\"]'", "docker-credential-bad answered something that is not its JSON"),
        (f"echo {SECRET} >&2; exit 3", "docker-credential-bad failed with exit code 3"),
        ("exec sleep 30", "docker-credential-bad gave no answer within 0.2 s"),
    ],
)
def test_a_broken_helper_is_named_and_not_quoted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    monkeypatch.setattr(docker_config, "HELPER_TIMEOUT", 0.2 if "sleep" in script else 20)
    helper(folder, "bad", script)
    configure(folder, {"credsStore": "bad"})
    with pytest.raises(AccessError) as caught:
        find_credentials("ghcr.io")
    assert str(caught.value) == f"{message} (run: echo ghcr.io | docker-credential-bad get)"


@pytest.mark.parametrize("name", ["absent", "../../bin/sh"])
def test_a_helper_that_is_not_installed(folder: Path, name: str) -> None:
    configure(folder, {"credsStore": name})
    with pytest.raises(AccessError, match="which is not on PATH"):
        find_credentials("ghcr.io")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"auths": 3}'])
def test_a_broken_config_is_named(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(AccessError, match=r"config\.json is no Docker config"):
        find_credentials("ghcr.io")


def test_an_entry_that_is_no_base64(folder: Path) -> None:
    configure(folder, {"auths": {"ghcr.io": {"auth": f"!{SECRET}"}}})
    with pytest.raises(AccessError) as caught:
        find_credentials("ghcr.io")
    assert str(caught.value) == "the entry of ghcr.io in Docker's config is no base64 (run docker login ghcr.io)"


def test_secrets_are_not_in_the_repr() -> None:
    everything = Credentials(username="u", password=SECRET, identity_token=SECRET, registry_token=SECRET)
    assert SECRET not in repr(everything)
