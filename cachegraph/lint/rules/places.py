"""Places of caches: what two entries have in common that write, or read, the same cache.

::

    type=gha                                 GitHub's cache, scope buildkit (the default)
    type=registry,ref=acme/app:cache         docker.io/acme/app:cache
    type=s3,bucket=b,name=x;y                two places: x and y
    type=registry,ref=app:${{ github.sha }}  known up to a piece that is the same in one run

Source: BuildKit ``cache/remotecache/{gha,registry,s3,azblob,local}``: ``getConfig`` and the attributes beside it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

from cachegraph.errors import SpecError
from cachegraph.lint.model import Build, Cache, Entry
from cachegraph.lint.values import Direction, Unknown, Value
from cachegraph.loaders.specs.reference import parse_reference

__all__ = [
    "CachePlace",
    "Use",
    "branch_names",
    "known_reference",
    "local_path_of",
    "places_of",
    "same_in_a_run",
    "spelt",
    "varies_by_commit",
]

_KEYS = {
    "gha": ("scope",),
    "s3": ("endpoint_url", "region", "bucket", "prefix", "manifests_prefix", "name"),
    "azblob": ("account_url", "container", "prefix", "manifests_prefix", "name"),
}
_DEFAULTS = {
    "scope": "buildkit",
    "name": "buildkit",
    "container": "buildkit-cache",
    "prefix": "",
    "endpoint_url": "",
}
_ELSEWHERE = frozenset({"url", "url_v2", "token"})
_PER_BRANCH = (
    "github.ref",
    "github.head_ref",
    "github.event.number",
    "github.event.pull_request.number",
    "github.event.pull_request.head.ref",
    "github.event.ref",
    "CI_COMMIT_REF",
    "CI_COMMIT_BRANCH",
    "CI_MERGE_REQUEST_IID",
    "BRANCH_NAME",
    "CHANGE_ID",
)
_PER_COMMIT = (
    "github.sha",
    "github.run_id",
    "github.run_number",
    "github.event.pull_request.head.sha",
    "github.event.after",
    "github.event.head_commit",
    "CI_COMMIT_SHA",
    "CI_COMMIT_SHORT_SHA",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_IID",
    "CI_JOB_ID",
    "BUILD_NUMBER",
    "GIT_COMMIT",
    "GITHUB_SHA",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
)
_SAME_IN_A_RUN = ("github.", "vars.", "secrets.", "inputs.", "CI_COMMIT_", "CI_PROJECT_", "CI_REGISTRY", "CI_PIPELINE_")
_FOLDERS = frozenset({"runner.temp", "github.workspace", "RUNNER_TEMP", "GITHUB_WORKSPACE", "HOME"})
_JOBS_OWN = ("github.job", "github.action")


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePlace:
    """A place that holds a cache.

    Attributes
    ----------
    type : str
    values : tuple of Value
        What tells it from others of its type, in a fixed order.
    shown : str
        For a sentence; ``*`` for what is unknown.
    """

    type: str
    values: tuple[Value, ...] = field(repr=False)
    shown: str

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for two entries of one run only if they certainly mean the same place."""
        return (self.type, *(_literal(value) for value in self.values))

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """All unknown pieces."""
        return tuple(unknown for value in self.values for unknown in value.unknowns)

    @property
    def is_known(self) -> bool:
        """Whether nothing of it is unknown."""
        return not self.unknowns

    def may_be(self, other: CachePlace) -> bool:
        """Whether it is not excluded that both are the same place."""
        return self.type == other.type and all(
            one.may_equal(two) for one, two in zip(self.values, other.values, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One build that reads or writes one place."""

    build: Build
    entry: Entry
    cache: Cache
    place: CachePlace

    @property
    def events(self) -> frozenset[str]:
        """The events in which it may happen; empty if the file does not tell."""
        return self.build.events_of(self.entry.conditions)


def _literal(value: Value) -> object:
    return value.text if value.is_known else value.identity


def places_of(cache: Cache) -> Iterator[CachePlace]:
    """Give the places that a cache is read from or written to; none if that cannot be told.

    A local directory counts for one job only, and is not given here.
    """
    kind = cache.type.text
    if kind == "registry":
        if (ref := cache.attrs.get("ref")) is not None and not ref.is_empty:
            yield _registry(ref)
    elif kind == "gha":
        if not _ELSEWHERE & cache.attrs.keys():
            scope = cache.attrs.get("scope") or _text("buildkit", cache)
            default = "" if "scope" in cache.attrs else " (the default)"
            yield CachePlace(type="gha", values=(scope,), shown=f"GitHub cache scope {scope.pattern}{default}")
    elif kind in ("s3", "azblob"):
        given = [cache.attrs.get(key) or _text(_DEFAULTS.get(key, f"${key}"), cache) for key in _KEYS[kind]]
        *front, name = given
        default = "" if "name" in cache.attrs else " (the default name)"
        for one in _names(name) if kind == "s3" else [name]:
            store = front[2] if kind == "s3" else front[1]
            yield CachePlace(
                type=kind, values=(*front, one), shown=f"{kind} cache {one.pattern}{default} of {store.pattern}"
            )


def _text(text: str, cache: Cache) -> Value:
    return Value(parts=(text,) if text else (), place=cache.type.place)


def _names(name: Value) -> list[Value]:
    text = name.text
    if text is None or ";" not in text:
        return [name]
    return [Value(parts=(part,) if part else (), place=name.place) for part in text.split(";")]


def _registry(ref: Value) -> CachePlace:
    known = known_reference(ref)
    value = Value(parts=(known,), place=ref.place) if known else ref
    return CachePlace(type="registry", values=(value,), shown=known or ref.pattern)


def known_reference(ref: Value) -> str | None:
    """Write a reference out in full, ``docker.io/library/app:latest``; None if it is unknown or none."""
    text = ref.text
    if not text:
        return None
    try:
        return str(parse_reference(text))
    except SpecError:
        return None


def same_in_a_run(place: CachePlace, one: Build, other: Build) -> bool:
    """Whether the unknown pieces of a place have one text in both builds, for certain."""
    if place.is_known:
        return True
    if one.job is None or other.job is None:
        # Variables of one bake or compose file.
        return one.job is other.job and one.place.file == other.place.file
    if one.job.file != other.job.file or one.job.caller != other.job.caller:
        return False
    names = [unknown.exact or unknown.name for unknown in place.unknowns]
    if not all(name.startswith(_SAME_IN_A_RUN) for name in names):
        return False
    return one.job is other.job or not any(name.startswith(_JOBS_OWN) for name in names)


def branch_names(value: Value) -> list[str]:
    """Name the unknown pieces of a value that differ from branch to branch."""
    return [unknown.name for unknown in value.unknowns if unknown.name.startswith(_PER_BRANCH)]


def varies_by_commit(value: Value) -> list[str]:
    """Name the unknown pieces of a value that are new with each commit or run."""
    return [unknown.name for unknown in value.unknowns if unknown.name.startswith(_PER_COMMIT)]


def local_path_of(cache: Cache, direction: Direction) -> str | None:
    """Give the normalised directory of a local cache; None if it is not known up to where the runner's folders are."""
    value = cache.attrs.get("src" if direction == "from" else "dest")
    if value is None or value.is_empty or any(unknown.name not in _FOLDERS for unknown in value.unknowns):
        return None
    return posixpath.normpath(spelt(value))


def spelt(value: Value) -> str:
    """Write a value with the names of its unknown pieces, to compare and to search."""
    return "".join(part if isinstance(part, str) else f"<{part.name}>" for part in value.parts)
