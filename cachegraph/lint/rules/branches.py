"""Rules about branches, pull requests and runs: which of them share a place, and which never meet again."""

from __future__ import annotations

from collections.abc import Iterator

from cachegraph.lint.model import Build
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.builds import is_true
from cachegraph.lint.rules.examples import WORKFLOW, build_step, workflow
from cachegraph.lint.rules.places import Use, branch_names, varies_by_commit
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.values import Place

__all__ = ["BRANCH_RULES"]

_SHARED = ("registry", "s3", "azblob")
_CI_CACHE = "https://docs.docker.com/build/ci/github-actions/cache/"
_GITHUB = "https://docs.docker.com/build/cache/backends/gha/"
_LOGIN = "- uses: docker/login-action@v3"
_BOTH = "\n  push:\n    branches: [main]\n  pull_request:"
_OF_PULL_REQUESTS = frozenset({"pull_request", "pull_request_target"})
_READ = "cache-from: type=registry,ref=acme/app:cache"
_WRITE = "cache-to: type=registry,ref=acme/app:cache,mode=max"
_ONLY_MAIN = "cache-to: ${{ github.event_name == 'push' && 'type=registry,ref=acme/app:cache,mode=max' || '' }}"


def _overwritten(scene: Scene) -> Iterator[LintFinding]:
    for use in scene.writers:
        if use.place.type not in _SHARED or not use.place.is_known or "pull_request" not in use.events:
            continue
        if not _for_sure(use):
            continue
        others = [other for other in scene.same(use.place, "to") if other.events - _OF_PULL_REQUESTS]
        if not others:
            continue
        message = (
            f"Pull requests write {use.place.shown} too, and so replace the cache of the main branch by that of "
            "unfinished work: the next build of either finds the other's. Write it on push only: "
            "cache-to: ${{ github.event_name == 'push' && 'type=..' || '' }}."
        )
        yield LintFinding(
            rule="overwritten-by-pull-requests", severity="warning", message=message, place=use.entry.place
        )


def _for_sure(use: Use) -> bool:
    """Whether only conditions that are understood stand before a use."""
    return all(
        condition.never or condition.text.strip() in ("always()", "success()", "true", "!cancelled()")
        for condition in (*use.build.conditions, *use.entry.conditions)
    ) and not any(condition.default_branch_only for condition in (*use.build.conditions, *use.entry.conditions))


def _own_branch(scene: Scene) -> Iterator[LintFinding]:
    told: set[Place] = set()
    for build in scene.repository.builds:
        if not build.reads or not all(entry.is_resolved for entry in build.reads):
            continue
        uses = scene.uses_of(build, "from")
        caches = [cache for entry in build.reads for cache in entry.caches]
        if not uses or len({id(use.cache) for use in uses}) != len(caches) or not build.writes:
            continue
        names = [[name for value in use.place.values for name in branch_names(value)] for use in uses]
        if not all(names) or any(varies_by_commit(value) for use in uses for value in use.place.values):
            continue
        if not _has_branches(build):
            continue
        if uses[0].entry.place in told:
            continue
        told.add(uses[0].entry.place)
        message = (
            f"Every cache that is read here is named by {names[0][0]}, so the first build of each branch or pull "
            "request finds nothing and runs every step. Read the main branch's cache as well."
        )
        yield LintFinding(rule="own-branch-only", severity="warning", message=message, place=uses[0].entry.place)


def _has_branches(build: Build) -> bool:
    """Whether a build certainly runs on branches that come and go."""
    if build.job is None or any(condition.default_branch_only for condition in build.conditions):
        return False
    if build.job.system == "gitlab":
        return not build.conditions
    triggers = [trigger for trigger in build.job.triggers if trigger.event in build.events]
    return any(
        trigger.event in _OF_PULL_REQUESTS
        or (
            trigger.event == "push"
            and not (trigger.tags and not trigger.branches)
            and (not trigger.branches or any(set("*?[") & set(branch) for branch in trigger.branches))
        )
        for trigger in triggers
    )


def _new_each_run(scene: Scene) -> Iterator[LintFinding]:
    for use in scene.writers:
        names = [name for value in use.place.values for name in varies_by_commit(value)]
        if not names or _read_again(scene, use):
            continue
        message = (
            f"{use.place.shown} is named by {names[0]}, which is new in each run, so no later run reads it. "
            "Name it by what stays: a branch, an image, a fixed word."
        )
        yield LintFinding(rule="new-name-each-run", severity="warning", message=message, place=use.entry.place)


def _read_again(scene: Scene, use: Use) -> bool:
    """Whether another build of the same run reads it."""
    return any(
        reader.place.type == use.place.type
        and reader.build is not use.build
        and (reader.build.step is None or reader.build.step != use.build.step)
        and reader.place.may_be(use.place)
        for reader in scene.readers
    )


def _poisoned(scene: Scene) -> Iterator[LintFinding]:
    writers = [
        use
        for use in scene.writers
        if use.place.type in _SHARED and use.place.is_known and "pull_request" in use.events and _for_sure(use)
    ]
    for use in scene.readers:
        if "release" not in use.events or not is_true(use.build.settings.push):
            continue
        found = [writer for writer in writers if writer.place.identity == use.place.identity]
        if not found:
            continue
        message = (
            f"This build makes releases and reads {use.place.shown}, which pull requests can write: a step that "
            "somebody put into the cache goes into the release without being run. Build releases without it, or "
            "from a cache that only the main branch writes."
        )
        related = tuple(Place(file=one.entry.place.file, line=one.entry.place.line) for one in found[:3])
        yield LintFinding(
            rule="release-reads-shared-cache",
            severity="note",
            message=message,
            place=use.entry.place,
            related=related,
        )


BRANCH_RULES = (
    LintRule(
        name="overwritten-by-pull-requests",
        title="Pull requests write over the main branch's cache",
        meaning="GitHub keeps its own cache apart by branch; a registry or a bucket does not. If pull requests and the "
        "main branch write one reference, each build finds what the last one of whatever branch left.",
        severity="warning",
        cure="Write the shared cache on push only, or give pull requests a reference of their own.",
        link=_CI_CACHE,
        bad=workflow(_LOGIN, build_step(_READ, _WRITE), on=_BOTH),
        good=workflow(_LOGIN, build_step(_READ, _ONLY_MAIN), on=_BOTH),
        check=_overwritten,
    ),
    LintRule(
        name="own-branch-only",
        title="A build reads its own branch's cache only",
        meaning="A cache that is named by the branch is empty when the branch is new, and that is when most builds of "
        "it run. GitHub's cache falls back to the main branch by itself, but only within one scope.",
        severity="warning",
        cure="Add the main branch's cache to cache-from; for type=gha, leave the branch out of the scope.",
        link=_GITHUB,
        bad=workflow(
            build_step(
                "cache-from: type=gha,scope=${{ github.ref_name }}",
                "cache-to: type=gha,scope=${{ github.ref_name }},mode=max",
            ),
            on=_BOTH,
        ),
        good=workflow(build_step("cache-from: type=gha,scope=app", "cache-to: type=gha,scope=app,mode=max"), on=_BOTH),
        check=_own_branch,
    ),
    LintRule(
        name="new-name-each-run",
        title="A cache with a new name in each run",
        meaning="A scope, reference or name with the commit or the run's number in it is written once and read by no "
        "later run. It costs the export and the room, and every build is cold.",
        severity="warning",
        cure="Name it by what stays the same.",
        link=_CI_CACHE,
        bad=workflow(
            build_step(
                "cache-from: type=gha,scope=${{ github.sha }}", "cache-to: type=gha,scope=${{ github.sha }},mode=max"
            )
        ),
        good=workflow(build_step("cache-from: type=gha,scope=app", "cache-to: type=gha,scope=app,mode=max")),
        check=_new_each_run,
    ),
    LintRule(
        name="release-reads-shared-cache",
        title="A release is built from a cache that pull requests can write",
        meaning="A step that is found in a cache is not run: its result is taken as it is. Whoever can write the cache "
        "can so put files into an image that is built from it. It is a note, since who may open pull requests with "
        "credentials is not known here.",
        severity="note",
        cure="Build releases with no-cache, or from a cache that only the main branch writes.",
        link="https://docs.docker.com/build/cache/backends/registry/",
        bad={
            **workflow(
                _LOGIN,
                build_step(
                    "cache-from: type=registry,ref=acme/app:pr", "cache-to: type=registry,ref=acme/app:pr,mode=max"
                ),
                on="pull_request",
            ),
            ".github/workflows/release.yml": workflow(
                _LOGIN,
                build_step("push: true", "tags: acme/app:1", "cache-from: type=registry,ref=acme/app:pr"),
                on="release",
            )[WORKFLOW],
        },
        good=workflow(_LOGIN, build_step(_READ, _WRITE), on="push"),
        check=_poisoned,
    ),
)
