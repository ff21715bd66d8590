"""What rules ask about jobs: what stands before a build, and whether all of it is understood."""

from __future__ import annotations

import re

from cachegraph.lint.model import Build, Job, Step

__all__ = ["are_understood", "is_hosted", "is_plain", "scripts_of", "steps_before"]

_HOSTED = re.compile(r"(?:ubuntu|windows|macos)-(?:latest|[0-9.]+)(?:-[a-z0-9-]+)?")
# Actions of which it is known that they make no builder, log in nowhere and set no variables.
_PLAIN = re.compile(
    r"actions/(?:checkout|cache|cache/restore|cache/save|setup-[a-z-]+|upload-artifact|download-artifact|labeler|stale)"
    r"|docker/(?:build-push-action|bake-action|metadata-action|setup-qemu-action|setup-buildx-action|login-action)"
    r"|hadolint/hadolint-action|sigstore/cosign-installer|astral-sh/setup-uv|pnpm/action-setup|gradle/[a-z/-]+"
    r"|aquasecurity/trivy-action|docker/scout-action|peter-evans/[a-z-]+|codecov/codecov-action"
)


def steps_before(build: Build) -> list[Step]:
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


def are_understood(steps: list[Step]) -> bool:
    """Whether nothing among the steps could make a builder or log in unseen."""
    return all(not step.action or is_plain(step.action) for step in steps)


def scripts_of(steps: list[Step]) -> list[str]:
    """Give the scripts among steps, as far as they are known."""
    return [step.run.pattern for step in steps if step.run is not None]
