"""Rules about what a job needs before its build: a builder, the runtime's variables, a login, a permission."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachegraph.lint.model import Build, Job, Step
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.builds import is_true
from cachegraph.lint.rules.examples import build_step, workflow
from cachegraph.lint.rules.places import known_reference
from cachegraph.lint.rules.scene import Scene, Use
from cachegraph.lint.values import Place

__all__ = ["RUNNER_RULES", "is_hosted", "is_plain"]

_DRIVERS = "https://docs.docker.com/build/builders/drivers/"
_GHA = "https://docs.docker.com/build/cache/backends/gha/#authentication"
_REGISTRY = "https://docs.docker.com/build/cache/backends/registry/"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"
_HOSTED = re.compile(r"(?:ubuntu|windows|macos)-(?:latest|[0-9.]+)(?:-[a-z0-9-]+)?")

# Actions of which it is known that they make no builder, log in nowhere and set no variables.
_PLAIN = re.compile(
    r"actions/(?:checkout|cache|cache/restore|cache/save|setup-[a-z-]+|upload-artifact|download-artifact|labeler|stale)"
    r"|docker/(?:build-push-action|bake-action|metadata-action|setup-qemu-action|setup-buildx-action|login-action)"
    r"|hadolint/hadolint-action|sigstore/cosign-installer|astral-sh/setup-uv|pnpm/action-setup|gradle/[a-z/-]+"
    r"|aquasecurity/trivy-action|docker/scout-action|peter-evans/[a-z-]+|codecov/codecov-action"
)
_BUILDER = re.compile(
    r"buildx\s+(?:create|use|install)|BUILDX_BUILDER|buildkitd|docker\s+context|DOCKER_HOST|daemon\.json"
)
_REGISTRIES = re.compile(
    r"docker\.io/|ghcr\.io/|quay\.io/|registry\.gitlab\.com/|[^/]+\.azurecr\.io/|public\.ecr\.aws/"
    r"|[^/]+\.dkr\.ecr\.[^/]+\.amazonaws\.com(?:\.cn)?/|(?:[a-z]+\.)?gcr\.io/|[a-z0-9-]+-docker\.pkg\.dev/"
)
_ECR = re.compile(r"[^/]+\.dkr\.ecr\.[^/]+\.amazonaws\.com(?:\.cn)?/")
_TOKENS = ("github.token", "secrets.GITHUB_TOKEN")
_VERSION = re.compile(r"moby/buildkit:v?0\.(\d+)")
_EXPORTS = ("registry", "local", "gha", "s3", "azblob")


def _before(build: Build) -> list[Step]:
    """Give the steps of a job before its build."""
    if build.job is None or build.step is None:
        return []
    steps = list(build.job.steps)
    place = next((n for n, step in enumerate(steps) if step is build.step or step == build.step), len(steps))
    return steps[:place]


def is_hosted(job: Job) -> bool:
    """Whether a job certainly runs on a fresh machine of GitHub's."""
    texts = [value.text for value in job.runs_on]
    return bool(texts) and all(text is not None and _HOSTED.fullmatch(text) for text in texts)


def is_plain(action: str) -> bool:
    """Whether an action is known to make no builder, to log in nowhere and to set no variables."""
    return bool(_PLAIN.fullmatch(action))


def _understood(steps: list[Step]) -> bool:
    """Whether nothing among the steps could make a builder or log in unseen."""
    return all(not step.action or is_plain(step.action) for step in steps)


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
        steps = _before(build)
        scripts = [step.run.pattern for step in (*steps, build.step) if step.run is not None]
        if not _understood(steps) or any(map(_BUILDER.search, scripts)) or _mentions_builder(build):
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
        known = names & (build.env.keys() | job.env.keys() | build.step.env.keys())
        steps = _before(build)
        scripts = [step.run.pattern for step in (*steps, build.step) if step.run is not None]
        if known or "token" in use.cache.attrs or not _understood(steps):
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


def _needs_login(use: Use) -> str:
    """Give the registry of a use that certainly needs a login; empty if that is open."""
    if use.place.type != "registry" or use.entry.conditions:
        return ""
    value = use.place.values[0]
    first = value.parts[0] if value.parts and isinstance(value.parts[0], str) else ""
    text = known_reference(use.cache.attrs["ref"]) or first
    found = _REGISTRIES.match(text)
    return found[0].rstrip("/") if found else ""


def _login(scene: Scene) -> Iterator[LintFinding]:
    for use in scene.writers:
        build, job = use.build, use.build.job
        host = _needs_login(use)
        if not host or job is None or build.step is None or job.system != "github" or not is_hosted(job):
            continue
        if job.name == "runs" or build.ignores_failure or is_true(use.cache.attrs.get("ignore-error")):
            continue
        steps = _before(build)
        scripts = [step.run.pattern for step in (*steps, build.step) if step.run is not None]
        if not _understood(steps) or any(re.search(r"login|config\.json|DOCKER_CONFIG|auth", text) for text in scripts):
            continue
        if "DOCKER_AUTH_CONFIG" in build.env or "DOCKER_CONFIG" in build.env:
            continue
        logins = [step for step in steps if step in job.logins and _may_be_for(step, host)]
        related: tuple[Place, ...] = ()
        if not logins:
            why = "no step before it logs in there"
        elif all(step.condition is not None and step.condition.never & use.events for step in logins):
            missed = frozenset.intersection(*(step.condition.never for step in logins if step.condition)) & use.events
            if not missed:
                continue
            why, related = f"on {', '.join(sorted(missed))} no step logs in there", (logins[-1].place,)
        else:
            continue
        message = (
            f"This build writes its cache to {host}, and {why}: the export is refused, and the build fails. Log in "
            "with docker/login-action under the same condition, or write the cache only where that step runs."
        )
        yield LintFinding(rule="no-login", severity="error", message=message, place=use.entry.place, related=related)


def _may_be_for(step: Step, host: str) -> bool:
    """Whether a login may be for a registry: one without a name is for Docker Hub."""
    if step.action.rpartition("/")[2] != "login-action":
        return True
    registry = step.inputs.get("registry")
    if registry is None or registry.is_empty:
        return host == "docker.io"
    if registry.text is None:
        return True
    name = registry.text.removeprefix("https://").split("/")[0]
    return name == host or (host == "docker.io" and name.endswith("docker.io")) or host.endswith(name)


def _permission(scene: Scene) -> Iterator[LintFinding]:
    for use in scene.writers:
        build, job = use.build, use.build.job
        if _needs_login(use) != "ghcr.io" or job is None or job.system != "github" or job.permissions is None:
            continue
        if job.permissions.of("packages") == "write" or is_true(use.cache.attrs.get("ignore-error")):
            continue
        if job.caller is not None or build.ignores_failure:
            continue
        logins = [step for step in _before(build) if step in job.logins and _may_be_for(step, "ghcr.io")]
        passwords = [step.inputs.get("password") for step in logins]
        if not logins or not all(
            value is not None
            and len(value.parts) == 1
            and not isinstance(value.parts[0], str)
            and (value.parts[0].exact or value.parts[0].name) in _TOKENS
            for value in passwords
        ):
            continue
        message = (
            f"This build writes its cache to ghcr.io with the job's own token, and the job's permissions give it "
            f"packages: {job.permissions.of('packages')}. The export is refused, and the build fails. Add "
            "packages: write."
        )
        yield LintFinding(
            rule="no-permission",
            severity="error",
            message=message,
            place=use.entry.place,
            related=(job.permissions.place,),
        )


def _old_index(scene: Scene) -> Iterator[LintFinding]:
    for use in scene.writers:
        build, job = use.build, use.build.job
        ref = known_reference(use.cache.attrs["ref"]) if use.place.type == "registry" else None
        first = next(iter(use.place.values[0].parts), "") if use.place.values else ""
        if use.place.type != "registry" or job is None or "image-manifest" in use.cache.attrs:
            continue
        if not _ECR.match(ref or (first if isinstance(first, str) else "")):
            continue
        setups = [step for step in _before(build) if step.action == "docker/setup-buildx-action"]
        versions = [
            _VERSION.search(step.inputs["driver-opts"].text or "") for step in setups if "driver-opts" in step.inputs
        ]
        found = versions[-1] if versions else None
        if found is None or len(versions) != len(setups) or int(found[1]) >= 21:
            continue
        message = (
            f"BuildKit 0.{found[1]} writes a registry cache as an image index, which Amazon ECR refuses: the build "
            "fails. Add image-manifest=true,oci-mediatypes=true, or use BuildKit 0.21 or newer, which needs neither."
        )
        written = use.entry.written
        yield LintFinding(
            rule="image-index",
            severity="error",
            message=message,
            place=use.entry.place,
            related=(setups[-1].place,),
            fix=scene.fix(use.entry, f"{written},image-manifest=true,oci-mediatypes=true", is_safe=False)
            if written
            else None,
        )


_GHCR_READ = "cache-from: type=registry,ref=ghcr.io/acme/app:cache"
_GHCR_WRITE = "cache-to: type=registry,ref=ghcr.io/acme/app:cache,mode=max"
_GHCR_LOGIN = (
    "- uses: docker/login-action@v3\n  with:\n    registry: ghcr.io\n    username: ${{ github.actor }}\n"
    "    password: ${{ secrets.GITHUB_TOKEN }}"
)
_SCRIPT = "- run: docker buildx build --cache-from type=gha,scope=app --cache-to type=gha,scope=app,mode=max ."
_ECR_REF = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:cache"
_ECR_SETUP = "- uses: docker/setup-buildx-action@v3\n  with:\n    driver-opts: image=moby/buildkit:v0.{}"
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
    LintRule(
        name="no-login",
        title="A registry cache without a login",
        meaning="Writing to a registry needs a login, also where reading does not. If no step logs in, or not in an "
        "event in which the cache is written, the registry refuses the export and the build fails.",
        severity="error",
        cure="Log in before the build, or write the cache only where the login runs.",
        link="https://docs.docker.com/build/ci/github-actions/cache/#registry-cache",
        bad=workflow(build_step(_GHCR_READ, _GHCR_WRITE)),
        good=workflow(_GHCR_LOGIN, build_step(_GHCR_READ, _GHCR_WRITE)),
        check=_login,
    ),
    LintRule(
        name="no-permission",
        title="A cache on ghcr.io without packages: write",
        meaning="As soon as a job or its workflow has permissions, what these do not name is none. The job's own token "
        "then cannot write to ghcr.io, and the build fails when it exports.",
        severity="error",
        cure="Add packages: write to the permissions of the job.",
        link="https://docs.docker.com/build/ci/github-actions/push-multi-registries/",
        bad=workflow(_GHCR_LOGIN, build_step(_GHCR_READ, _GHCR_WRITE), job="permissions:\n  contents: read"),
        good=workflow(
            _GHCR_LOGIN,
            build_step(_GHCR_READ, _GHCR_WRITE),
            job="permissions:\n  contents: read\n  packages: write",
        ),
        check=_permission,
    ),
    LintRule(
        name="image-index",
        title="An older builder writes a cache that Amazon ECR refuses",
        meaning="Before BuildKit 0.21 a registry cache is an image index with layers in it, unless image-manifest=true "
        "is given. Amazon ECR takes no such index, and the build fails when it exports.",
        severity="error",
        cure="Add image-manifest=true,oci-mediatypes=true to cache-to, or use a newer builder.",
        link=_REGISTRY,
        bad=workflow(
            "- uses: aws-actions/amazon-ecr-login@v2",
            build_step(f"cache-from: type=registry,ref={_ECR_REF}", f"cache-to: type=registry,ref={_ECR_REF},mode=max"),
            setup=_ECR_SETUP.format("19.0"),
        ),
        good=workflow(
            "- uses: aws-actions/amazon-ecr-login@v2",
            build_step(f"cache-from: type=registry,ref={_ECR_REF}", f"cache-to: type=registry,ref={_ECR_REF},mode=max"),
            setup=_ECR_SETUP.format("25.1"),
        ),
        check=_old_index,
    ),
)
