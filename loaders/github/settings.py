"""What a ``type=gha`` spec and the environment say: the cache service, the scope, the repository, and tokens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager

from cachegraph.errors import SpecError, hide
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.github.service import host_of
from cachegraph.loaders.http.client import Http
from cachegraph.loaders.specs.entries import github_attrs
from cachegraph.loaders.specs.reference import is_loopback

__all__ = ["opened", "repository_of", "rest_token_of", "scope_of", "service_of"]

_VERSION = re.compile(r"\+?[0-9]{1,9}")


def service_of(spec: Spec) -> tuple[str, str, int]:
    """Return the cache service's address, its token and its version.

    Notes
    -----
    Source: buildx ``util/buildflags/cache.go`` (``addGithubToken``), BuildKit ``cache/remotecache/gha/gha.go``
    (``getConfig``). What ACTIONS_RESULTS_URL names is taken for version 2, which is all that it speaks.
    """
    attrs = github_attrs(spec.attrs, os.environ)
    given = attrs.get("version", "0")
    if not _VERSION.fullmatch(given):
        raise SpecError(f"{spec.text}: version is {given!r}", hint="write 1 or 2, or leave it out")
    version = int(given)
    token = attrs.get("token") or os.environ.get("ACTIONS_RUNTIME_TOKEN", "")
    if version != 1 and attrs.get("url_v2"):
        return attrs["url_v2"], token, 2
    url = attrs.get("url") or ""
    results = url == os.environ.get("ACTIONS_RESULTS_URL") or "results-receiver.actions.githubusercontent.com" in url
    return url, token, version or (2 if results else 1)


def scope_of(spec: Spec) -> str:
    """Give the scope, by default BuildKit's."""
    return spec.attrs.get("scope", "buildkit")


def repository_of(spec: Spec) -> str:
    """Give ``owner/name``; empty if it is not known."""
    return spec.attrs.get("repository") or os.environ.get("GITHUB_REPOSITORY", "")


def rest_token_of(spec: Spec) -> str | None:
    """Give the token for the REST API."""
    token = spec.attrs.get("ghtoken") or os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")
    hide(token)
    return token


@contextmanager
def opened(options: Options, url: str) -> Iterator[Http]:
    """Open the connections to an address."""
    http = Http(
        timeout=options.timeout,
        connections=options.concurrency,
        plain=options.insecure_registries,
        proxies=True,
        near=is_loopback(host_of(url)),
        limits=options.limits,
    )
    with closing(http):
        yield http
