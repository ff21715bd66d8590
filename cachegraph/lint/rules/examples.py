"""Small repositories for the examples of rules."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent

__all__ = ["WORKFLOW", "bake", "build_step", "with_dockerfile", "workflow"]

WORKFLOW = ".github/workflows/image.yml"

_SETUP = "- uses: docker/setup-buildx-action@v3"


def build_step(*inputs: str, action: str = "docker/build-push-action@v6") -> str:
    """Write a step that builds; each input is a line or several."""
    return f"- uses: {action}\n  with:\n{indent(chr(10).join(inputs), '    ')}"


def workflow(*steps: str, on: str = "push", job: str = "", setup: str = _SETUP, more: str = "") -> Mapping[str, str]:
    """Write a workflow with one job.

    Parameters
    ----------
    *steps : str
        Behind the checkout and the builder.
    on : str
        Its events.
    job : str
        More keys of the job, such as a matrix.
    setup : str
        The step that makes a builder.
    more : str
        More jobs.
    """
    every = ["- uses: actions/checkout@v5", *([setup] if setup else []), *steps]
    lines = [
        f"on: {on}",
        "jobs:",
        "  image:",
        "    runs-on: ubuntu-latest",
        *([indent(job, "    ")] if job else []),
        "    steps:",
        *(indent(step, "      ") for step in every),
        *([indent(more, "  ")] if more else []),
    ]
    return {WORKFLOW: "\n".join(lines) + "\n"}


def bake(text: str) -> Mapping[str, str]:
    """Write a bake file."""
    return {"docker-bake.hcl": text}


def with_dockerfile(text: str, **more: str) -> dict[str, str]:
    """Write a Dockerfile, an ignore file that names ``.git``, and more files."""
    return {"Dockerfile": text, ".dockerignore": ".git\n", **more}
