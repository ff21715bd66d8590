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
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cachegraph.core.untrusted import known_json
from cachegraph.errors import AccessError, NotFoundError, SourceError, hide
from cachegraph.loaders.deadline import source_left
from cachegraph.loaders.distribution.programs import ask_program
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.paths import local_path, read_file

__all__ = ["HELPER_TIMEOUT", "Credentials", "find_credentials"]

HELPER_TIMEOUT = 20.0
"""Seconds that a credential helper may take; some of them ask a cloud."""

_HUB_KEY = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105 - what a helper says as user name when the secret is an identity token
_HELPER_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user with a password, or an identity token, or a registry token; nothing shows the secrets."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for secret in (self.password, self.identity_token, self.registry_token, (self.basic or "")[6:]):
            hide(secret)

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


_CONFIG = msgspec.json.Decoder(_Config)
_HELPER_ANSWER = msgspec.json.Decoder(_HelperAnswer)


def find_credentials(host: str, limits: Limits = DEFAULT) -> Credentials | None:
    """Look up what ``docker login`` knows of a registry.

    Parameters
    ----------
    host : str
        As in a reference: ``docker.io``, ``ghcr.io``, ``localhost:5000``.
    limits : Limits

    Raises
    ------
    cachegraph.errors.AccessError
        The config cannot be read, or a helper is missing, hangs, fails or answers nonsense. What it answered is
        not repeated.
    """
    config = _read_config(limits)
    key = _HUB_KEY if host == "docker.io" else host
    helper = (config.cred_helpers or {}).get(key) or (config.cred_helpers or {}).get(host) or config.creds_store
    if helper:
        found = _ask_helper(helper, key, limits)
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


def _read_config(limits: Limits) -> _Config:
    folder = os.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else local_path("~/.docker")) / "config.json"
    hint = "repair it, or set DOCKER_CONFIG; it holds Docker's credentials"
    try:
        data = read_file(path, str(path), limit=limits.helper_bytes, name="helper_bytes", hint=hint)
    except NotFoundError:
        return _Config()
    except SourceError as error:
        raise AccessError(f"Docker's config cannot be read: {error.message}", hint=error.hint) from None
    config = known_json(data, _CONFIG)
    if config is None:
        raise AccessError(f"{path} is no Docker config", hint="repair its JSON, or set DOCKER_CONFIG")
    return config


def _from_entry(entry: _Entry, name: str) -> Credentials | None:
    username, password = entry.username, entry.password
    if entry.auth:
        try:
            username, _, password = base64.b64decode(entry.auth, validate=True).decode().partition(":")
        except ValueError:  # no base64, not ASCII, not UTF-8
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


def _ask_helper(name: str, key: str, limits: Limits) -> Credentials | None:
    program = f"docker-credential-{name}"
    hint = f"run: echo {key} | {program} get"
    path = shutil.which(program) if _HELPER_NAME.fullmatch(name) else None
    if path is None:
        raise AccessError(
            f"Docker's config names the credential helper {program!r}, which is not on PATH",
            hint="install it, or take it out of config.json",
        )
    seconds = source_left(HELPER_TIMEOUT)
    try:
        printed = ask_program([path, "get"], key.encode(), limits.helper_bytes, seconds)
    except TimeoutError:
        raise AccessError(f"{program} gave no answer within {seconds:.3g} s", hint=hint) from None
    except OverflowError:
        raise AccessError(f"{program} printed more than {limits.helper_bytes:,} bytes", hint=hint) from None
    except OSError as exc:
        raise AccessError(f"{program} cannot be run: {exc.strerror}", hint=hint) from None
    if printed.code:
        if b"credentials not found" in printed.output + printed.errors:
            return None
        raise AccessError(f"{program} failed with exit code {printed.code}", hint=hint)
    answer = known_json(printed.output, _HELPER_ANSWER)
    if answer is None:
        raise AccessError(f"{program} answered something that is not its JSON", hint=hint)
    if answer.username == _TOKEN_USER:
        return Credentials(identity_token=answer.secret)
    return Credentials(username=answer.username, password=answer.secret) if answer.secret else None
