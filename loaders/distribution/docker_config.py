"""Credentials of a registry, from where ``docker login`` keeps them.

``$DOCKER_CONFIG/config.json`` (``~/.docker`` without the variable)::

    {"credHelpers": {"gcr.io": "gcloud"},             docker-credential-gcloud answers for this host
     "credsStore": "desktop",                         docker-credential-desktop answers for all others
     "auths": {"https://index.docker.io/v1/": {},     Docker Hub's historic key
               "ghcr.io": {"auth": "dXNlcjpwYXNz"},   base64 of user:password
               "x.azurecr.io": {"identitytoken": ".."}}}

Docker's own order (``cli/config/configfile``: ``GetAuthConfig``): a helper of the host, the store, the file.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cachegraph.errors import AccessError

__all__ = ["HELPER_TIMEOUT", "Credentials", "find_credentials"]

HELPER_TIMEOUT = 20.0
"""Seconds that a credential helper may take; some of them ask a cloud."""

_HUB_KEY = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105 - what a helper says as user name when the secret is an identity token
_HELPER_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user with a password, or an identity token, or a registry token. The secrets are not in the repr."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str | None:
        """The value of a basic ``Authorization`` header, if there is a password."""
        if not self.password:
            return None
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class _Entry(msgspec.Struct, frozen=True):
    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""
    registrytoken: str = ""


class _Config(msgspec.Struct, frozen=True, rename="camel"):
    auths: dict[str, _Entry] | None = None
    cred_helpers: dict[str, str] | None = None
    creds_store: str | None = None


class _HelperAnswer(msgspec.Struct, frozen=True, rename="pascal"):
    username: str = ""
    secret: str = ""


def find_credentials(host: str) -> Credentials | None:
    """Look up what ``docker login`` knows of a registry.

    Parameters
    ----------
    host : str
        As in a reference: ``docker.io``, ``ghcr.io``, ``localhost:5000``.

    Raises
    ------
    cachegraph.errors.AccessError
        The config cannot be read, or a helper is missing, hangs, fails or answers nonsense. What it answered is
        not repeated.
    """
    config = _read_config()
    key = _HUB_KEY if host == "docker.io" else host
    helper = (config.cred_helpers or {}).get(key) or (config.cred_helpers or {}).get(host) or config.creds_store
    if helper:
        found = _ask_helper(helper, key)
        if found is not None:
            return found
    for name, entry in (config.auths or {}).items():
        if name == key or _host_of(name) == host:
            found = _from_entry(entry, name)
            if found is not None:
                return found
    return None


def _host_of(key: str) -> str:
    """Cut a key of ``auths`` down to its host, as Docker does (``ConvertToHostname``)."""
    host = key.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return "docker.io" if host == "index.docker.io" else host


def _read_config() -> _Config:
    folder = os.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Config)
    except FileNotFoundError:
        return _Config()
    except OSError as exc:
        raise AccessError(f"{path} cannot be read: {exc.strerror}", hint="it holds Docker's credentials") from None
    except msgspec.MsgspecError:
        raise AccessError(f"{path} is no Docker config", hint="repair its JSON, or set DOCKER_CONFIG") from None


def _from_entry(entry: _Entry, name: str) -> Credentials | None:
    username, password = entry.username, entry.password
    if entry.auth:
        try:
            username, _, password = base64.b64decode(entry.auth, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise AccessError(
                f"the entry of {name} in Docker's config is no base64", hint=f"run docker login {_host_of(name)}"
            ) from None
    found = Credentials(
        username=username,
        password=password.rstrip("\0"),
        identity_token=entry.identitytoken,
        registry_token=entry.registrytoken,
    )
    return found if found.password or found.identity_token or found.registry_token else None


def _ask_helper(name: str, key: str) -> Credentials | None:
    program = f"docker-credential-{name}"
    hint = f"run: echo {key} | {program} get"
    path = shutil.which(program) if _HELPER_NAME.fullmatch(name) else None
    if path is None:
        raise AccessError(
            f"Docker's config names the credential helper {program!r}, which is not on PATH",
            hint="install it, or take it out of config.json",
        )
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user's Docker config names
            [path, "get"], input=key.encode(), capture_output=True, timeout=HELPER_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise AccessError(f"{program} gave no answer within {HELPER_TIMEOUT:g} s", hint=hint) from None
    except OSError as exc:
        raise AccessError(f"{program} cannot be run: {exc.strerror}", hint=hint) from None
    if done.returncode:
        if b"credentials not found" in done.stdout + done.stderr:
            return None
        raise AccessError(f"{program} failed with exit code {done.returncode}", hint=hint)
    try:
        answer = msgspec.json.decode(done.stdout, type=_HelperAnswer)
    except msgspec.MsgspecError:
        raise AccessError(f"{program} answered something that is not its JSON", hint=hint) from None
    if answer.username == _TOKEN_USER:
        return Credentials(identity_token=answer.secret)
    return Credentials(username=answer.username, password=answer.secret) if answer.secret else None
