"""Rules about what a job needs before its build: a builder that exports caches, the runtime's variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachegraph.lint.model import Build, Step
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.examples import build_step, workflow
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.rules.steps import are_understood, is_hosted, scripts_of, steps_before
from cachegraph.lint.values import Place

__all__ = ["RUNNER_RULES"]

_DRIVERS = "https://docs.docker.com/build/builders/drivers/"
_GHA = "https://docs.docker.com/build/cache/backends/gha/#authentication"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"

_BUILDER = re.compile(
    r"buildx\s+(?:create|use|install)|BUILDX_BUILDER|buildkitd|docker\s+context|DOCKER_HOST|daemon\.json"
)
_EXPORTS = ("registry", "local", "gha", "s3", "azblob")


def _exports(build: Build) -> bool:
    return any(cache.type.text in _EXPORTS for entry in build.writes if not entry.conditions for cache in entry.caches)


def _driver(scene: Scene) -> Iterator[LintFinding]:
    for build in scene.repository.builds:
        job = build.job
        if job is None or build.step is None or job.system != "github" or job.name == "runs":
            continue
        if build.runner.kind not in ("action", "build", "bake") or not _exports(build):
            continue
        if build.settings.builder is not None or not is_hosted(job) or job.services:
            continue
        steps = steps_before(build)
        scripts = scripts_of([*steps, build.step])
        if not are_understood(steps) or any(map(_BUILDER.search, scripts)) or _mentions_builder(build):
            continue
        if not build.runner.name.startswith("docker"):
            continue
        setups = [step for step in steps if step.action.rpartition("/")[2] == "setup-buildx-action"]
        related: tuple[Place, ...] = ()
        if not setups:
            why = "no step before it makes a builder"
        elif all(_driver_of(step) == "docker" for step in setups):
            why, related = "setup-buildx-action is told driver: docker", (setups[-1].place,)
        elif all(step.condition is not None and step.condition.never & build.events for step in setups):
            events = ", ".join(
                sorted(frozenset.union(*(s.condition.never for s in setups if s.condition)) & build.events)
            )
            why, related = f"on {events} the step that makes a builder is left out", (setups[-1].place,)
        else:
            continue
        place = next(entry.place for entry in build.writes if not entry.conditions)
        message = (
            f"This build exports its cache, and {why}. The Docker Engine's own builder (driver docker) exports a "
            "cache only where its image store is containerd's; elsewhere the build fails (Cache export is not "
            "supported for the docker driver). Add docker/setup-buildx-action before it."
        )
        yield LintFinding(rule="docker-driver", severity="warning", message=message, place=place, related=related)


def _driver_of(step: Step) -> str:
    value = step.inputs.get("driver")
    return "docker-container" if value is None else value.text or ""


def _mentions_builder(build: Build) -> bool:
    names = {"BUILDX_BUILDER", "DOCKER_HOST", "DOCKER_CONTEXT", "BUILDX_CONFIG"}
    return bool(names & build.env.keys() or (build.job is not None and names & build.job.env.keys()))


def _runtime(scene: Scene) -> Iterator[LintFinding]:
    for use in scene.uses:
        build, job = use.build, use.build.job
        if use.place.type != "gha" or job is None or job.system != "github" or build.runner.kind == "action":
            continue
        if build.step is None or build.step.run is None or not is_hosted(job):
            continue
        names = {"ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL"}
        known = names & (build.env.keys() | job.env.keys())
        steps = steps_before(build)
        scripts = scripts_of([*steps, build.step])
        if known or "token" in use.cache.attrs or not are_understood(steps):
            continue
        if any("ACTIONS_RUNTIME" in text or "ACTIONS_RESULTS" in text for text in scripts):
            continue
        message = (
            "A script has no ACTIONS_RUNTIME_TOKEN, and without it buildx drops type=gha without a word: the build "
            "has no cache. Put the step crazy-max/ghaction-github-runtime before it, or build with "
            "docker/build-push-action or docker/bake-action."
        )
        yield LintFinding(rule="no-runtime-token", severity="error", message=message, place=use.entry.place)


def _elsewhere(scene: Scene) -> Iterator[LintFinding]:
    for build, entry, cache in scene.caches:
        if cache.type.text != "gha" or {"token", "url", "url_v2"} & cache.attrs.keys():
            continue
        if build.kind not in ("gitlab", "jenkinsfile"):
            continue
        system = "GitLab" if build.kind == "gitlab" else "Jenkins"
        message = (
            f"type=gha is the cache of GitHub Actions, and this runs in {system}: without GitHub's token buildx drops "
            "it without a word, and the build has no cache. Use type=registry."
        )
        yield LintFinding(rule="not-on-github", severity="error", message=message, place=entry.place)


_SCRIPT = "- run: docker buildx build --cache-from type=gha,scope=app --cache-to type=gha,scope=app,mode=max ."
_GITLAB = """\
build:
  image: docker:28
  services: ["docker:28-dind"]
  script:
    - docker buildx create --use
    - docker buildx build --cache-from {0} --cache-to {0},mode=max .
"""


RUNNER_RULES = (
    LintRule(
        name="docker-driver",
        title="A cache is exported without a builder that can",
        meaning="The builder inside the Docker Engine (driver docker) exports a cache only if the engine keeps images "
        "in containerd's store. With the store of old, the build fails as soon as cache-to is given. A job that makes "
        "a builder of its own does not depend on how the engine was set up.",
        severity="warning",
        cure="Put docker/setup-buildx-action before the build, without a condition that the build does not have.",
        link=_DRIVERS,
        bad=workflow(build_step(_READ, _WRITE), setup=""),
        good=workflow(build_step(_READ, _WRITE)),
        check=_driver,
    ),
    LintRule(
        name="no-runtime-token",
        title="type=gha in a script, without the runtime's variables",
        meaning="Actions see ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL, scripts do not. buildx then drops the "
        "entry without a message, and the build simply has no cache.",
        severity="error",
        cure="Add the step crazy-max/ghaction-github-runtime, or build with Docker's actions.",
        link=_GHA,
        bad=workflow(_SCRIPT),
        good=workflow("- uses: crazy-max/ghaction-github-runtime@v3", _SCRIPT),
        check=_runtime,
    ),
    LintRule(
        name="not-on-github",
        title="type=gha outside GitHub Actions",
        meaning="The cache of GitHub Actions can be used in its own jobs only. In GitLab or Jenkins there is no token "
        "for it, and buildx drops the entry without a message.",
        severity="error",
        cure="Use type=registry with the system's own registry.",
        link="https://docs.docker.com/build/cache/backends/",
        bad={".gitlab-ci.yml": _GITLAB.format("type=gha")},
        good={".gitlab-ci.yml": _GITLAB.format("type=registry,ref=$CI_REGISTRY_IMAGE:cache")},
        check=_elsewhere,
    ),
)
