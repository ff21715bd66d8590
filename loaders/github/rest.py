"""What GitHub's REST API tells of a repository's cache: keys, sizes and ages of its entries, not what they hold."""

from __future__ import annotations

import os

from rich.filesize import decimal

from cachegraph.errors import AccessError, NotFoundError, SourceError, SpecError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.github.entries import CacheEntry, Listing, sort_entries
from cachegraph.loaders.github.overview import Overview, make_overview
from cachegraph.loaders.github.service import cache_usage, list_cache
from cachegraph.loaders.github.settings import opened, repository_of, rest_token_of
from cachegraph.loaders.http.client import Http

__all__ = ["known_outside", "list_entries", "listed", "overview"]

_OUTSIDE = (
    "what they hold can be read only inside a workflow, with ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN; "
    "cachegraph entries lists them with their ages and sizes"
)


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
    if not repository_of(spec):
        hint = "run inside a workflow with ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN, or add repository=OWNER/NAME"
        raise SpecError(f"{spec.text}: neither a workflow's cache service nor a repository is given", hint=hint)
    with opened(options, _api()) as http:
        return listed(http, spec, spec.attrs.get("scope", ""), options)


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
    with opened(options, _api()) as http:
        try:
            used = cache_usage(http, _api(), repository_of(spec), rest_token_of(spec), options.limits)
        except SourceError:  # what the entries are is known all the same
            used = None
    return make_overview(repository_of(spec), listing, used)


def _api() -> str:
    return os.environ.get("GITHUB_API_URL") or "https://api.github.com"


def listed(http: Http, spec: Spec, scope: str, options: Options) -> Listing:
    """List the entries of a scope, or of all for an empty one, with a connection that is open."""
    entries: list[CacheEntry] = []
    for prefix in (f"index-{scope}-1-" if scope else "index-", "buildkit-blob-1-"):
        entries += list_cache(http, _api(), repository_of(spec), rest_token_of(spec), prefix, options.limits)
    return sort_entries(entry for entry in entries if not scope or entry.scope in {None, scope})


def known_outside(spec: Spec, listing: Listing) -> SourceError:
    """Say what is known of a cache that cannot be read from here."""
    scope = spec.attrs.get("scope")
    of = f" of scope {scope!r}" if scope else ""
    if not listing.indexes:
        hint = "check scope= and the repository; entries unused for 7 days are deleted"
        return NotFoundError(f"{repository_of(spec)}: no index entries{of}, {len(listing.blobs)} blobs", hint=hint)
    entries = f"{len(listing.indexes)} current and {len(listing.superseded)} superseded index entries{of}"
    blobs = f"{len(listing.blobs)} blobs of all scopes, {decimal(listing.size)}"
    return AccessError(f"{repository_of(spec)}: {entries}, {blobs}", hint=_OUTSIDE)
