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

from collections.abc import Sequence
from dataclasses import replace

from cachegraph.core.decode import decode
from cachegraph.core.model import CacheExport, Problem, StrayBlob
from cachegraph.errors import NotFoundError, SourceError, hide
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.github.entries import Listing, blob_key, index_key, is_signed
from cachegraph.loaders.github.rest import known_outside, list_entries, listed
from cachegraph.loaders.github.service import CacheService, readable_refs
from cachegraph.loaders.github.settings import opened, repository_of, rest_token_of, scope_of, service_of
from cachegraph.loaders.http.parallel import concurrently
from cachegraph.loaders.objects.store import given, stored_export
from cachegraph.loaders.specs.parse import canonical

__all__ = ["load", "load_superseded"]


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
    url, token, version = service_of(spec)
    if not url or not token:
        raise known_outside(spec, list_entries(spec, options))
    hide(token)
    with opened(options, url) as http:
        service = CacheService(http, url, token, options.limits, version)
        refs = [ref for ref in readable_refs(token) if ref == spec.attrs.get("ref", ref)]
        read = concurrently(lambda ref: _read_index(service, spec, ref), refs, options, "reading indexes")
        exports = [export for of_ref in read for export in of_ref]
        if not exports:
            message = f"{spec.text}: no index entry of scope {scope_of(spec)!r} on {', '.join(refs)}"
            hint = "BuildKit takes this for an empty cache and says nothing"
            raise NotFoundError(message, hint=hint, buildkit="skip")
        if not options.probe:
            return _asked_for(service, exports, options)
        exports = _probed(service, exports, options)
        if not (repository_of(spec) and rest_token_of(spec)):
            return exports
        return _with_strays(service, exports, refs, listed(http, spec, "", options), options)


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
    url, token, version = service_of(spec)
    if not url or not token or not repository_of(spec) or not rest_token_of(spec):
        return []
    readable = {ref for ref in readable_refs(token) if ref == spec.attrs.get("ref", ref)}
    superseded = [
        entry
        for entry in list_entries(spec, options).superseded
        if entry.scope == scope_of(spec) and entry.ref in readable
    ]
    superseded.sort(key=lambda entry: (entry.created_at, int(entry.key.rpartition("#")[2])))
    hide(token)
    with opened(options, url) as http:
        service = CacheService(http, url, token, options.limits, version)
        contents = concurrently(
            lambda entry: service.read(entry.key), superseded, options, "reading superseded indexes"
        )
    return [
        _export(spec, entry.ref, data) for entry, data in zip(superseded, contents, strict=True) if data is not None
    ]


def _read_index(service: CacheService, spec: Spec, ref: str) -> list[CacheExport]:
    """Read what a build would import of a branch, and what a daemon that is set up the other way would."""
    key = index_key(scope_of(spec), ref)
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


def _export(spec: Spec, ref: str, data: bytes) -> CacheExport:
    where = given(repository=repository_of(spec))
    source = canonical("gha", {**where, "scope": scope_of(spec), "ref": ref})
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
