"""Rules about builds: settings that take from a cache what it is for."""

from __future__ import annotations

from collections.abc import Iterator

from cachegraph.builds.dockerfile import instructions as read
from cachegraph.lint.model import Build, Entry
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.builds import is_true
from cachegraph.lint.rules.examples import build_step, workflow
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.values import Place
from cachegraph.text.words import plural

__all__ = ["HABIT_RULES"]

_BACKENDS = "https://docs.docker.com/build/cache/backends/"
_MODE = "https://docs.docker.com/build/cache/backends/#cache-mode"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"
_WITH_MODE = ("registry", "local", "gha", "s3", "azblob")
_MAY_FAIL = ("registry", "gha", "s3", "azblob")


def _min_mode(scene: Scene) -> Iterator[LintFinding]:
    for build, entry, cache in scene.caches:
        if entry.direction != "to" or cache.type.text not in _WITH_MODE or "mode" in cache.attrs:
            continue
        if any(key.strip() == "mode" for key in cache.attrs):
            continue
        if (asked := scene.stage_of(build)) is None:
            continue
        dockerfile, number = asked
        lost = sorted(dockerfile.needed(number) - set(dockerfile.chain(number)))
        runs = [sum(isinstance(one, read.Run) for one in dockerfile.stages[stage].instructions) for stage in lost]
        if not sum(runs):
            continue
        names = [
            dockerfile.stages[stage].name or f"number {stage}" for stage, count in zip(lost, runs, strict=True) if count
        ]
        message = (
            f"Without mode, only the steps of the image's own stage are exported. {plural(sum(runs), 'RUN')} of "
            f"{'stage' if len(names) == 1 else 'stages'} {', '.join(names)} of {dockerfile.path} "
            f"{'is' if sum(runs) == 1 else 'are'} not, and {'runs' if sum(runs) == 1 else 'run'} again as soon as a "
            "file that is copied in before changes. Add mode=max."
        )
        after = f"{entry.written.rstrip()},mode=max" if "=" in entry.written and '"' not in entry.written else ""
        yield LintFinding(
            rule="min-mode",
            severity="warning",
            message=message,
            place=entry.place,
            related=(Place(file=dockerfile.path, line=dockerfile.stages[lost[0]].place.start),),
            fix=scene.fix(entry, after, is_safe=False),
        )


def _failing_export(scene: Scene) -> Iterator[LintFinding]:
    for build, entry, cache in scene.caches:
        if entry.direction != "to" or cache.type.text not in _MAY_FAIL or "ignore-error" in cache.attrs:
            continue
        if not is_true(build.settings.push) or not _releases(build) or entry.conditions:
            continue
        message = (
            "This build makes releases, and a failure to write the cache fails it, though the image is done. Add "
            "ignore-error=true, so that a release does not wait for a cache."
        )
        after = f"{entry.written.rstrip()},ignore-error=true" if '"' not in entry.written else ""
        yield LintFinding(
            rule="failing-export",
            severity="note",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after, is_safe=False),
        )


def _releases(build: Build) -> bool:
    """Whether only a release or a tag starts it."""
    if build.job is None or not build.job.triggers:
        return False
    return all(
        trigger.event == "release" or (trigger.event == "push" and trigger.tags and not trigger.branches)
        for trigger in build.job.triggers
    )


def _no_cache(scene: Scene) -> Iterator[LintFinding]:
    for build in scene.repository.builds:
        reads = [entry for entry in build.reads if not entry.value.is_empty]
        if not reads:
            continue
        if is_true(build.settings.no_cache):
            message = (
                "no-cache is set, so nothing that cache-from finds is used, and every step runs. Take one of the two "
                "out."
            )
            related = (build.settings.no_cache.place,) if build.settings.no_cache else ()
            yield LintFinding(
                rule="unused-cache", severity="warning", message=message, place=reads[0].place, related=related
            )
        elif build.settings.no_cache_filter and all(value.is_known for value in build.settings.no_cache_filter):
            names = ", ".join(value.text or "" for value in build.settings.no_cache_filter)
            message = (
                f"no-cache-filter runs each step of {names} in every build, whatever cache-from finds, and what is "
                "copied from there is new as well unless it comes out with the same bytes."
            )
            yield LintFinding(
                rule="unused-cache",
                severity="note",
                message=message,
                place=build.settings.no_cache_filter[0].place,
            )


def _provenance(scene: Scene) -> Iterator[LintFinding]:
    for build in scene.repository.builds:
        settings = build.settings
        known = {**build.env, **settings.args}.get("SOURCE_DATE_EPOCH")
        if known is None or known.is_empty or not is_true(settings.push):
            continue
        if build.runner.name != "docker/build-push-action" or settings.attests:
            continue
        provenance = settings.provenance
        if provenance is not None and (not provenance.is_known or provenance.text in ("false", "")):
            continue
        message = (
            "SOURCE_DATE_EPOCH is set, so that the image comes out the same each time, but its provenance records "
            "when it was built: what the tag names has a new digest in every build, also when all steps are cached. "
            "Add provenance: false (and sbom: false), or compare the image's manifest instead of the tag's digest."
        )
        place = provenance.place if provenance is not None else build.place
        yield LintFinding(rule="changing-provenance", severity="note", message=message, place=place)


def _repeated(scene: Scene) -> Iterator[LintFinding]:
    for build in scene.repository.builds:
        if build.kind == "bake" or build.runner.kind == "bake":
            continue  # bake drops equal entries
        seen: dict[tuple[object, ...], Place] = {}
        for entry in build.entries:
            if entry.value.is_empty or entry.conditions or not entry.value.is_known:
                continue
            first = seen.setdefault((entry.direction, *_export_key(entry)), entry.place)
            if first == entry.place:
                continue
            if entry.direction == "from":
                severity, cost = "note", "it is asked twice for the same"
            elif entry.caches and entry.caches[0].type.text == "inline":
                severity, cost = "note", "it is one cache in one image"
            else:
                severity, cost = "error", "BuildKit refuses to export one cache twice, and the build fails"
            message = f"{entry.shown} is given twice to one build: {cost}. Take one out."
            yield LintFinding(
                rule="repeated-entry",
                severity="error" if severity == "error" else "note",
                message=message,
                place=entry.place,
                related=(first,),
            )


def _export_key(entry: Entry) -> tuple[object, ...]:
    """Give what BuildKit tells exports apart by: a registry's reference, else all of it (``cacheOptKey``)."""
    if entry.direction == "to" and len(entry.caches) == 1 and entry.caches[0].type.text == "registry":
        ref = entry.caches[0].attrs.get("ref")
        return ("registry", ref.text if ref else None)
    return (entry.value.text,)


def _order(scene: Scene) -> Iterator[LintFinding]:
    for build in scene.repository.builds:
        if len(build.reads) < 2 or any(entry.conditions or not entry.is_resolved for entry in build.reads):
            continue
        uses = scene.uses_of(build, "from")
        written = {use.place.identity for use in scene.uses_of(build, "to")}
        own = [number for number, use in enumerate(uses) if use.place.identity in written]
        identities = {use.place.identity for use in uses}
        if not own or own[-1] == len(uses) - 1 or len(identities) < 2 or uses[own[-1]].place.type == "gha":
            continue
        message = (
            f"This build's own cache, {uses[own[-1]].place.shown}, is not the last that it reads. Where caches hold "
            "the same step, BuildKit 0.25 and newer may take the later one, whose result can be missing, and run "
            "steps that this cache has. Put it last."
        )
        yield LintFinding(rule="own-cache-not-last", severity="note", message=message, place=uses[own[-1]].entry.place)


_TWO_STAGES = "FROM golang:1.25 AS build\nRUN go build -o /app\nFROM scratch\nCOPY --from=build /app /app\n"


def _files(dockerfile: str, *steps: str) -> dict[str, str]:
    return {**workflow(*steps), "Dockerfile": dockerfile}


HABIT_RULES = (
    LintRule(
        name="min-mode",
        title="The steps of other stages are not exported",
        meaning="In mode min, which is the default, an export has the steps whose layers are in the image. In a build "
        "of several stages, what takes the time is in the others: it runs again whenever an input of the last stage "
        "changes. Reported where the Dockerfile is found and such a stage has a RUN.",
        severity="warning",
        cure="Add mode=max to cache-to.",
        link=_MODE,
        bad=_files(_TWO_STAGES, build_step(_READ, "cache-to: type=gha,scope=app")),
        good=_files(_TWO_STAGES, build_step(_READ, _WRITE)),
        check=_min_mode,
    ),
    LintRule(
        name="failing-export",
        title="A cache that cannot be written fails a release",
        meaning="If the cache cannot be written (a limit, a timeout, a registry that is down), the build fails, "
        "although the image is made. For a release that is the wrong way round.",
        severity="note",
        cure="Add ignore-error=true to cache-to.",
        link=_BACKENDS,
        bad={
            **workflow(build_step("push: true", "tags: acme/app:1", _READ, _WRITE), on="release"),
        },
        good={
            **workflow(
                build_step("push: true", "tags: acme/app:1", _READ, f"{_WRITE},ignore-error=true"), on="release"
            ),
        },
        check=_failing_export,
    ),
    LintRule(
        name="unused-cache",
        title="no-cache beside cache-from",
        meaning="With no-cache no step is looked for in any cache, whatever is imported. Together with cache-to it "
        "makes a fresh cache for others, but then cache-from does nothing. A no-cache-filter does the same for stages.",
        severity="warning for no-cache, note for no-cache-filter",
        cure="Take no-cache out, or cache-from.",
        link="https://docs.docker.com/reference/cli/docker/buildx/build/#no-cache-filter",
        bad=workflow(build_step("no-cache: true", _READ, _WRITE)),
        good=workflow(build_step(_READ, _WRITE)),
        check=_no_cache,
    ),
    LintRule(
        name="changing-provenance",
        title="Provenance makes a reproducible image differ",
        meaning="docker/build-push-action adds provenance, with the time of the build in it, and puts it into the "
        "index that the tag names. The image can be the same bit for bit; the digest of the tag is new each time.",
        severity="note",
        cure="Switch provenance off, or compare the digest of the image's own manifest.",
        link="https://docs.docker.com/build/ci/github-actions/reproducible-builds/",
        bad=workflow(build_step("push: true", "tags: acme/app:main", "build-args: SOURCE_DATE_EPOCH=0", _READ, _WRITE)),
        good=workflow(
            build_step(
                "push: true",
                "tags: acme/app:main",
                "build-args: SOURCE_DATE_EPOCH=0",
                "provenance: false",
                _READ,
                _WRITE,
            )
        ),
        check=_provenance,
    ),
    LintRule(
        name="repeated-entry",
        title="One cache is given twice",
        meaning="BuildKit refuses two equal exports, and two exports to one reference whatever they say. Two equal "
        "imports are asked one after the other, for one answer.",
        severity="error for cache-to, note for cache-from and for inline",
        cure="Take one of them out.",
        link=_BACKENDS,
        bad=workflow(build_step("cache-from: |\n  type=gha,scope=app\n  type=gha,scope=app", _WRITE)),
        good=workflow(build_step(_READ, _WRITE)),
        check=_repeated,
    ),
    LintRule(
        name="own-cache-not-last",
        title="The cache that fits best is not the last",
        meaning="Several imported caches are not simply added up. For a step that more than one holds, one answers, "
        "and if that one lacks the result, the step runs although another has it. Measured with BuildKit 0.34.2: the "
        "exact cache alone gave 7 of 7 steps; with another behind it, its steps ran in 7 of 8 runs; as the last, in "
        "1 of 8.",
        severity="note",
        cure="Read one cache, or put the one that the build itself writes last.",
        link="https://docs.docker.com/build/cache/backends/#multiple-caches",
        bad=workflow(
            "- uses: docker/login-action@v3",
            build_step(
                "cache-from: |\n  type=registry,ref=acme/app:cache-web\n  type=registry,ref=acme/app:cache-all",
                "cache-to: type=registry,ref=acme/app:cache-web,mode=max",
            ),
        ),
        good=workflow(
            "- uses: docker/login-action@v3",
            build_step(
                "cache-from: |\n  type=registry,ref=acme/app:cache-all\n  type=registry,ref=acme/app:cache-web",
                "cache-to: type=registry,ref=acme/app:cache-web,mode=max",
            ),
        ),
        check=_order,
    ),
)
