"""Rules about writing to a registry: a login, a permission, a format that the registry takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachegraph.lint.model import Step
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.builds import is_true
from cachegraph.lint.rules.examples import build_step, workflow
from cachegraph.lint.rules.places import Use, known_reference
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.rules.steps import are_understood, is_hosted, scripts_of, steps_before
from cachegraph.lint.values import Place

__all__ = ["LOGIN_RULES"]

_REGISTRY = "https://docs.docker.com/build/cache/backends/registry/"
_REGISTRIES = re.compile(
    r"docker\.io/|ghcr\.io/|quay\.io/|registry\.gitlab\.com/|[^/]+\.azurecr\.io/|public\.ecr\.aws/"
    r"|[^/]+\.dkr\.ecr\.[^/]+\.amazonaws\.com(?:\.cn)?/|(?:[a-z]+\.)?gcr\.io/|[a-z0-9-]+-docker\.pkg\.dev/"
)
_ECR = re.compile(r"[^/]+\.dkr\.ecr\.[^/]+\.amazonaws\.com(?:\.cn)?/")
_LOGS_IN = re.compile(r"login|config\.json|DOCKER_CONFIG|auth")
_TOKENS = ("github.token", "secrets.GITHUB_TOKEN")
_VERSION = re.compile(r"moby/buildkit:v?0\.(\d+)")


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
        steps = steps_before(build)
        scripts = scripts_of([*steps, build.step])
        if not are_understood(steps) or any(map(_LOGS_IN.search, scripts)):
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
        logins = [step for step in steps_before(build) if step in job.logins and _may_be_for(step, "ghcr.io")]
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
        setups = [step for step in steps_before(build) if step.action == "docker/setup-buildx-action"]
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
_ECR_REF = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:cache"
_ECR_SETUP = "- uses: docker/setup-buildx-action@v3\n  with:\n    driver-opts: image=moby/buildkit:v0.{}"


LOGIN_RULES = (
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
