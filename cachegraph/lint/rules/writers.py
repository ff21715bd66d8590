"""Rules about places: who writes one, who reads it, and who is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cachegraph.lint.model import Build, Step
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.builds import difference, may_run_together, pushed_images, target_of, title
from cachegraph.lint.rules.examples import build_step, workflow
from cachegraph.lint.rules.places import Use, known_reference, same_in_a_run
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.rules.steps import is_plain
from cachegraph.lint.values import Place
from cachegraph.text.words import plural

__all__ = ["PLACE_RULES"]

_GITHUB = "https://docs.docker.com/build/cache/backends/gha/"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"
_MOST_USES = 200  # of one place that are compared with each other
_UNSURE = ("workflow", "action")
_CALLS = re.compile(r"uses:\s*['\"]?[\w.-]+/[\w.-]+/\.github/workflows/")
_MAY_BUILD = re.compile(r"docker|build|image|container|bake|push", re.IGNORECASE)
_READ_ACTIONS = frozenset({"docker/build-push-action", "docker/bake-action", "devcontainers/ci"})


def _several_writers(scene: Scene) -> Iterator[LintFinding]:
    groups: dict[tuple[object, ...], list[Use]] = {}
    for use in scene.writers:
        groups.setdefault(use.place.identity, []).append(use)
    for every in groups.values():
        uses = every[:_MOST_USES]
        found: list[Use] = []
        what = ""
        for number, one in enumerate(uses):
            for other in uses[number + 1 :]:
                if not same_in_a_run(one.place, one.build, other.build) or not may_run_together(one, other):
                    continue
                differs = difference(one.build, other.build)
                if differs == "target" and _is_kept(scene, one.build, other.build):
                    continue
                if differs:
                    what = what or differs
                    found += [use for use in (one, other) if not any(use is known for known in found)]
        if found:
            yield _told(found, what)


def _is_kept(scene: Scene, one: Build, other: Build) -> bool:
    """Whether of two targets, one after the other, the later one may hold the steps of the earlier one as well."""
    if one.job is None or other.job is None or one.job.file != other.job.file:
        return False
    if one.job is other.job:
        first, last = (one, other) if _number(one) <= _number(other) else (other, one)
    elif one.job.name in other.job.needs:
        first, last = one, other
    elif other.job.name in one.job.needs:
        first, last = other, one
    else:
        return False
    if one.job is other.job and one.step == other.step:
        return False
    dockerfile = scene.dockerfile_of(last)
    if dockerfile is None or dockerfile is not scene.dockerfile_of(first):
        return True
    numbers = dockerfile.stage_named(target_of(first)), dockerfile.stage_named(target_of(last))
    return numbers[0] is None or numbers[1] is None or numbers[0] in dockerfile.needed(numbers[1])


def _number(build: Build) -> int:
    return build.step.index if build.step is not None else 0


def _told(uses: Sequence[Use], what: str) -> LintFinding:
    place = uses[0].place
    lines = list(dict.fromkeys(use.entry.place for use in uses))
    names = list(dict.fromkeys(title(use.build) for use in uses))
    who = f"{plural(len(uses), 'build')} ({', '.join(names[:4])}{', ..' if len(names) > 4 else ''})"
    if len(lines) == 1 and uses[0].build.combination.values:
        who = f"{plural(len(uses), 'build')} of one matrix"
    cure = {
        "gha": "Give each a scope of its own",
        "registry": "Give each a tag of its own",
    }.get(place.type, "Give each a name of its own")
    message = (
        f"{who} write {place.shown}, with another {what} each. Each replaces what the one before wrote, so the next "
        f"run finds the steps of the last writer only. {cure}."
    )
    return LintFinding(
        rule="several-writers",
        severity="warning",
        message=message,
        place=lines[0],
        related=tuple(Place(file=line.file, line=line.line) for line in lines[1:]),
    )


def _never_written(scene: Scene) -> Iterator[LintFinding]:
    if not _is_whole(scene):
        return
    for use in scene.readers:
        if use.place.type != "gha" or not use.place.is_known:
            continue
        if use.build.kind not in ("workflow", "bake"):
            continue
        if scene.maybe(use.place, "to"):
            continue
        scopes = list(dict.fromkeys(one.place.shown for one in scene.writers if one.place.type == "gha"))
        known = f" What is written here: {'; '.join(scopes[:3])}." if scopes else ""
        message = (
            f"Nothing here writes {use.place.shown}, so this cache-from finds nothing and every step runs.{known} "
            "Write it with cache-to, or read what is written."
        )
        yield LintFinding(rule="never-written", severity="warning", message=message, place=use.entry.place)


def _is_whole(scene: Scene) -> bool:
    """Whether every use of the repository's own GitHub cache is known: nothing was passed over, and all is sound."""
    repository = scene.repository
    if not scene.is_whole or repository.failures or repository.unresolved or not scene.is_sound:
        return False
    if len({id(use.cache) for use in scene.uses if use.place.type == "gha"}) != sum(
        cache.type.text == "gha" for _, _, cache in scene.caches
    ):
        return False
    if any(_CALLS.search(file.text) for file in repository.files if file.kind in ("workflow", "action")):
        return False
    return not any(_may_build(step) for job in repository.jobs for step in job.steps)


def _may_build(step: Step) -> bool:
    """Whether an action that is not known here may read or write caches."""
    if not step.action or is_plain(step.action) or step.action.startswith(("./", "docker/setup-", "docker/login")):
        return False
    if step.action in _READ_ACTIONS:
        return False
    return bool(_MAY_BUILD.search(step.action)) or any("cache" in key or "scope" in key for key in step.inputs)


def _no_inline(scene: Scene) -> Iterator[LintFinding]:
    if any(cache.type.text == "inline" for _, _, cache in scene.caches):
        return  # which of the images gets that cache may be open
    pushed: dict[str, list[Build]] = {}
    for build in scene.repository.builds:
        for name in pushed_images(build):
            pushed.setdefault(name, []).append(build)
    for use in scene.readers:
        ref = known_reference(use.cache.attrs["ref"]) if use.place.type == "registry" else None
        builders = pushed.get(ref or "", [])
        if not builders or scene.maybe(use.place, "to"):
            continue
        if any(_may_be_inline(build) for build in builders) or not _is_buildx(use.build):
            continue
        message = (
            f"{ref} is an image that is pushed here without a cache in it: this cache-from finds nothing, and every "
            "step runs. Push it with cache-to: type=inline, or write the cache to a reference of its own with "
            "type=registry,mode=max and read that."
        )
        related = tuple(Place(file=build.place.file, line=build.place.line) for build in builders[:3])
        yield LintFinding(
            rule="no-inline-cache", severity="warning", message=message, place=use.entry.place, related=related
        )


def _may_be_inline(build: Build) -> bool:
    if not _is_buildx(build) or "BUILDKIT_INLINE_CACHE" in build.settings.args:
        return True
    return any(
        not entry.is_resolved or any(not cache.type.is_known or cache.type.text == "inline" for cache in entry.caches)
        for entry in build.writes
    )


def _is_buildx(build: Build) -> bool:
    """Whether BuildKit builds it for certain: the builder of old takes an image's own layers as a cache."""
    return build.runner.name in ("docker/build-push-action", "docker buildx build", "docker/bake-action")


def _never_read(scene: Scene) -> Iterator[LintFinding]:
    if not _is_whole(scene):
        return
    for use in scene.writers:
        if use.place.type != "gha" or use.build.kind not in _UNSURE:
            continue
        if scene.maybe(use.place, "from"):
            continue
        message = (
            f"{use.place.shown} is written, and nothing here reads it: time and space for nothing. Add the same "
            "place as cache-from, or take this cache-to out."
        )
        yield LintFinding(rule="never-read", severity="warning", message=message, place=use.entry.place)


PLACE_RULES = (
    LintRule(
        name="several-writers",
        title="Several builds write one place",
        meaning="A place holds one cache. Each export replaces the one before, so of several builds that write the "
        "same GitHub scope, reference or name, the last one wins; the others are cold in the next run, and which one "
        "wins changes from run to run. Builds count as different if their Dockerfile, context, target or platforms "
        "differ for certain.",
        severity="warning",
        cure="Give each build a place of its own: scope=${{ matrix.image }}, ref=app:cache-amd64.",
        link=_GITHUB,
        bad=workflow(
            build_step("context: web", "cache-from: type=gha", "cache-to: type=gha,mode=max"),
            build_step("context: worker", "cache-from: type=gha", "cache-to: type=gha,mode=max"),
        ),
        good=workflow(
            build_step("context: web", "cache-from: type=gha,scope=web", "cache-to: type=gha,scope=web,mode=max"),
            build_step(
                "context: worker", "cache-from: type=gha,scope=worker", "cache-to: type=gha,scope=worker,mode=max"
            ),
        ),
        check=_several_writers,
    ),
    LintRule(
        name="never-written",
        title="A place that is read and never written",
        meaning="GitHub's cache belongs to its repository. A scope that nothing in the repository writes is empty, and "
        "the import says so in the log only. Nothing is reported where a writer cannot be excluded.",
        severity="warning",
        cure="Write the same scope with cache-to, or read the one that is written.",
        link=_GITHUB,
        bad=workflow(build_step("cache-from: type=gha,scope=apps")),
        good=workflow(build_step(_READ, _WRITE)),
        check=_never_written,
    ),
    LintRule(
        name="no-inline-cache",
        title="An image is read as a cache that it does not hold",
        meaning="BuildKit reads a cache from an image only if the image was built with an inline cache. An image that "
        "is pushed without one is no cache, unlike with the builder of old.",
        severity="warning",
        cure="Add cache-to: type=inline to the build that pushes, or write a registry cache beside the image.",
        link="https://docs.docker.com/build/cache/backends/inline/",
        bad=workflow(
            "- uses: docker/login-action@v3",
            build_step("push: true", "tags: acme/app:main", "cache-from: type=registry,ref=acme/app:main"),
        ),
        good=workflow(
            "- uses: docker/login-action@v3",
            build_step(
                "push: true",
                "tags: acme/app:main",
                "cache-from: type=registry,ref=acme/app:main",
                "cache-to: type=inline",
            ),
        ),
        check=_no_inline,
    ),
    LintRule(
        name="never-read",
        title="A place that is written and never read",
        meaning="An export takes time, and GitHub's cache has a limit beyond which other entries are dropped. A scope "
        "that nothing in the repository reads costs both and saves nothing.",
        severity="warning",
        cure="Read it with cache-from, or take cache-to out.",
        link=_GITHUB,
        bad=workflow(build_step(_WRITE)),
        good=workflow(build_step(_READ, _WRITE)),
        check=_never_read,
    ),
)
