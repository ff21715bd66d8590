"""Exports in the cache of GitHub Actions.

A sample, with every key that matters::

    type=gha,scope=web                     default scope: buildkit
        ,url_v2=..,token=..                else ACTIONS_RESULTS_URL, ACTIONS_RUNTIME_TOKEN
        ,url=..,version=1                  the first version of the service, else ACTIONS_CACHE_URL
        ,repository=acme/app,ghtoken=..    else GITHUB_REPOSITORY, GITHUB_TOKEN or GH_TOKEN

Inside a workflow the cache service hands out what the entries hold, for the branches that the run may read. Outside
it GitHub's REST API names the entries with their sizes and ages, and what they hold cannot be read.
Facts from BuildKit's ``cache/remotecache/gha/gha.go`` (``getConfig``, ``loadScope``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from rich.filesize import decimal

from cachegraph.core.decode import decode
from cachegraph.core.model import CacheExport, Problem, StrayBlob
from cachegraph.errors import AccessError, NotFoundError, SourceError, SpecError, hide
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.github.entries import CacheEntry, Listing, blob_key, index_key, is_signed, sort_entries
from cachegraph.loaders.github.overview import Overview, make_overview
from cachegraph.loaders.github.service import CacheService, cache_usage, host_of, list_cache, readable_refs
from cachegraph.loaders.http.client import Http
from cachegraph.loaders.http.parallel import concurrently
from cachegraph.loaders.objects.store import given, stored_export
from cachegraph.loaders.specs.entries import github_attrs
from cachegraph.loaders.specs.parse import canonical
from cachegraph.loaders.specs.reference import is_loopback

__all__ = ["list_entries", "load", "load_superseded", "overview"]

_KEYS = frozenset({"ghtoken", "ref", "repository", "scope", "token", "url", "url_v2", "version"})
_VERSION = re.compile(r"\+?[0-9]{1,9}")
_OUTSIDE = (
    "what they hold can be read only inside a workflow, with ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN; "
    "cachegraph entries lists them with their ages and sizes"
)


def load(spec: Spec, options: Options) -> Sequence[CacheExport]:
    """Read the exports of a ``type=gha`` spec: one for each branch that the run may read and that has one.

    Parameters
    ----------
    spec : Spec
    options : Options
        ``probe`` asks for each blob, and with a token for the REST API finds stray and superseded entries.

    Returns
    -------
    sequence of CacheExport

    Raises
    ------
    cachegraph.errors.SpecError
        Neither a workflow's variables nor a repository is given.
    cachegraph.errors.NotFoundError
        No branch that may be read has an export of the scope. BuildKit goes on with an empty cache then.
    cachegraph.errors.AccessError
        Refused; or outside a workflow, where the message says what the cache holds by its entries.
    cachegraph.errors.SourceError
        GitHub cannot be reached, or an index entry is not a cache config.
    """
    url, token, version = _service(spec)
    if not url or not token:
        raise _known_outside(spec, list_entries(spec, options))
    hide(token)
    with _http(options, url) as http:
        service = CacheService(http, url, token, options.limits, version)
        refs = [ref for ref in readable_refs(token) if ref == spec.attrs.get("ref", ref)]
        read = concurrently(lambda ref: _read_index(service, spec, ref), refs, options, "reading indexes")
        exports = [export for of_ref in read for export in of_ref]
        if not exports:
            message = f"{spec.text}: no index entry of scope {_scope(spec)!r} on {', '.join(refs)}"
            hint = "BuildKit takes this for an empty cache and says nothing"
            raise NotFoundError(message, hint=hint, buildkit="skip")
        if not options.probe:
            return _asked_for(service, exports, options)
        exports = _probed(service, exports, options)
        if not (_repository(spec) and _rest_token(spec)):
            return exports
        return _with_strays(service, exports, refs, _listing(http, spec, "", options), options)


def load_superseded(spec: Spec, options: Options) -> list[CacheExport]:
    """Read the earlier exports of a ``type=gha`` spec, which no build reads any more.

    The cache service hands them out inside a workflow, and only the REST API knows that they are there.

    Parameters
    ----------
    spec : Spec
    options : Options

    Returns
    -------
    list of CacheExport
        Oldest first; empty where one of the two cannot be asked. An entry that GitHub has deleted since is left out.

    Raises
    ------
    cachegraph.errors.SourceError
        As `load`.
    """
    url, token, version = _service(spec)
    if not url or not token or not _repository(spec) or not _rest_token(spec):
        return []
    readable = {ref for ref in readable_refs(token) if ref == spec.attrs.get("ref", ref)}
    superseded = [
        entry
        for entry in list_entries(spec, options).superseded
        if entry.scope == _scope(spec) and entry.ref in readable
    ]
    superseded.sort(key=lambda entry: (entry.created_at, int(entry.key.rpartition("#")[2])))
    hide(token)
    with _http(options, url) as http:
        service = CacheService(http, url, token, options.limits, version)
        contents = concurrently(
            lambda entry: service.read(entry.key), superseded, options, "reading superseded indexes"
        )
    return [
        _export(spec, entry.ref, data) for entry, data in zip(superseded, contents, strict=True) if data is not None
    ]


def list_entries(spec: Spec, options: Options) -> Listing:
    """List what a repository's cache holds of a scope, by the REST API: keys, sizes and ages, not contents.

    Parameters
    ----------
    spec : Spec
        Without ``scope`` every scope is listed. Blobs belong to no scope.
    options : Options

    Returns
    -------
    Listing

    Raises
    ------
    cachegraph.errors.SpecError
        No repository.
    cachegraph.errors.SourceError
        GitHub refuses, or cannot be reached.
    """
    if not _repository(spec):
        hint = "run inside a workflow with ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN, or add repository=OWNER/NAME"
        raise SpecError(f"{spec.text}: neither a workflow's cache service nor a repository is given", hint=hint)
    with _http(options, _api()) as http:
        return _listing(http, spec, spec.attrs.get("scope", ""), options)


def overview(spec: Spec, options: Options) -> Overview:
    """Tell what a repository's cache holds, by the REST API: scopes, branches, sizes and ages.

    Parameters
    ----------
    spec : Spec
        Without ``scope`` every scope is told of.
    options : Options

    Raises
    ------
    cachegraph.errors.SpecError
        No repository.
    cachegraph.errors.SourceError
        GitHub refuses, or cannot be reached.
    """
    listing = list_entries(spec, options)
    with _http(options, _api()) as http:
        try:
            used = cache_usage(http, _api(), _repository(spec), _rest_token(spec), options.limits)
        except SourceError:  # what the entries are is known all the same
            used = None
    return make_overview(_repository(spec), listing, used)


def _api() -> str:
    return os.environ.get("GITHUB_API_URL") or "https://api.github.com"


def _listing(http: Http, spec: Spec, scope: str, options: Options) -> Listing:
    entries: list[CacheEntry] = []
    for prefix in (f"index-{scope}-1-" if scope else "index-", "buildkit-blob-1-"):
        entries += list_cache(http, _api(), _repository(spec), _rest_token(spec), prefix, options.limits)
    return sort_entries(entry for entry in entries if not scope or entry.scope in {None, scope})


def _known_outside(spec: Spec, listing: Listing) -> SourceError:
    scope = spec.attrs.get("scope")
    of = f" of scope {scope!r}" if scope else ""
    if not listing.indexes:
        hint = "check scope= and the repository; entries unused for 7 days are deleted"
        return NotFoundError(f"{_repository(spec)}: no index entries{of}, {len(listing.blobs)} blobs", hint=hint)
    entries = f"{len(listing.indexes)} current and {len(listing.superseded)} superseded index entries{of}"
    blobs = f"{len(listing.blobs)} blobs of all scopes, {decimal(listing.size)}"
    return AccessError(f"{_repository(spec)}: {entries}, {blobs}", hint=_OUTSIDE)


def _read_index(service: CacheService, spec: Spec, ref: str) -> list[CacheExport]:
    """Read what a build would import of a branch, and what a daemon that is set up the other way would."""
    key = index_key(_scope(spec), ref)
    first = service.find(key)  # the newest, signed or not, as BuildKit finds it
    if first is None:
        return []
    other = service.find(f"{key}#" if is_signed(first.key) else f"{key}-sig#")
    return [
        _signed(_export(spec, ref, service.content(found)), service)
        if is_signed(found.key)
        else _export(spec, ref, service.content(found))
        for found in (first, other)
        if found is not None
    ]


def _signed(export: CacheExport, service: CacheService) -> CacheExport:
    """Say what a signed entry is good for, and whether its signature is there."""
    problem = _note("This entry is signed: a daemon that is set up to verify reads only such entries.")
    if not service.has(f"{blob_key(export.config_digest)}-sig"):
        message = (
            "this entry is signed and its signature is gone: a daemon that verifies refuses it and builds without it; "
            "export the cache again"
        )
        problem = Problem(code="source-note", message=message, severity="warning")
    return replace(export, source=f"{export.source},signed=true", problems=(*export.problems, problem))


def _service(spec: Spec) -> tuple[str, str, int]:
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


def _scope(spec: Spec) -> str:
    return spec.attrs.get("scope", "buildkit")


def _repository(spec: Spec) -> str:
    return spec.attrs.get("repository") or os.environ.get("GITHUB_REPOSITORY", "")


def _rest_token(spec: Spec) -> str | None:
    token = spec.attrs.get("ghtoken") or os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")
    hide(token)
    return token


@contextmanager
def _http(options: Options, url: str) -> Iterator[Http]:
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


def _export(spec: Spec, ref: str, data: bytes) -> CacheExport:
    where = given(repository=_repository(spec))
    source = canonical("gha", {**where, "scope": _scope(spec), "ref": ref})
    return stored_export(data, source=source, kind="gha", store=canonical("gha", where), called=source)


def _probed(service: CacheService, exports: Sequence[CacheExport], options: Options) -> list[CacheExport]:
    digests = list(dict.fromkeys(blob.digest for export in exports for blob in export.blobs or ()))
    answers = concurrently(lambda digest: service.has(blob_key(digest)), digests, options, "asking for blobs")
    there = dict(zip(digests, answers, strict=True))
    return [
        replace(export, blobs=tuple(replace(blob, present=there[blob.digest]) for blob in export.blobs or ()))
        for export in exports
    ]


def _asked_for(service: CacheService, exports: list[CacheExport], options: Options) -> list[CacheExport]:
    """Ask for a few blobs where nobody asked to; then what keeps the service from answering is no error."""
    if len({blob.digest for export in exports for blob in export.blobs or ()}) > options.probe_blobs:
        return exports
    try:
        return _probed(service, exports, options)
    except SourceError:
        return exports


def _with_strays(
    service: CacheService, exports: Sequence[CacheExport], refs: Sequence[str], listing: Listing, options: Options
) -> list[CacheExport]:
    """Add the blobs that no index names, if every current index can be read, and what superseded ones take up."""
    problems: list[Problem] = []
    if listing.superseded:
        size = sum(entry.size_in_bytes for entry in listing.superseded)
        problems.append(_note(f"{len(listing.superseded)} superseded index entries take up {size:,} bytes."))
    used = _used(service, listing, refs, options)
    if isinstance(used, Problem):
        return [replace(export, problems=(*export.problems, *problems, used)) for export in exports]
    strays = tuple(
        StrayBlob(digest=entry.digest, size=entry.size_in_bytes, modified_at=entry.created_at)
        for entry in listing.blobs
        if entry.digest and entry.digest not in used
    )
    return [replace(export, strays=strays, problems=(*export.problems, *problems)) for export in exports]


def _used(service: CacheService, listing: Listing, refs: Sequence[str], options: Options) -> set[str] | Problem:
    """Return the digests that the current indexes of every scope name, or why that cannot be known."""
    unreadable = sorted({entry.ref for entry in listing.indexes} - set(refs))
    if unreadable:
        return _note(f"Stray blobs are unknown: this run may not read the cache of {', '.join(unreadable)}.")
    try:
        contents = concurrently(service.read, [entry.key for entry in listing.indexes], options, "reading indexes")
        return {layer.blob for data in contents if data is not None for layer in decode(data).layers}
    except SourceError as error:
        return _note(f"Stray blobs are unknown: an index entry cannot be read ({error.message}).")


def _note(message: str) -> Problem:
    return Problem(code="source-note", message=message, severity="note")
