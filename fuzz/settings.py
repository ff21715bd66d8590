"""What people write, nearly right: specs, bake files, compose files, workflows."""

from __future__ import annotations

import json

from fuzz.shapes import damaged, dumped, odd
from fuzz.sources import Choices

__all__ = ["bake", "compose", "hcl", "spec", "workflow"]

WORDS = (
    "type=local", "type=registry", "type=s3", "type=azblob", "type=gha", "type=daemon", "type=config", "type=", "src=/nowhere",
    "ref=localhost:1/app", "token=hunter2-fuzz", "dest=x", "mode=max", "tag=a", "digest=sha256:0", '"', ",", "=", "\0", "\n",
    "~x", "://", "@", "?sig=hunter2-fuzz", "a:hunter2-fuzz@b", "[::1]", "..", " ", "\ud800", "x" * 300, ".tar", ".json",
    "all-tags=true", "bucket=b", "region=r", "endpoint_url=http://127.0.0.1:1", "account_url=http://[", "db=/nowhere",
    "debug=http://127.0.0.1:1/", "url_v2=http://127.0.0.1:1",
)  # fmt: skip


def spec(choices: Choices) -> str:
    """Write something that looks like a spec."""
    parts = [choices.one(WORDS) for _ in range(choices.number(0, 8))]
    return choices.one((",", ",", "")).join(parts) + choices.raw(4).decode("latin-1")


def text_of(choices: Choices, depth: int = 0) -> str:
    pieces = (
        "type=registry,ref=app:", "${A}", "${B:-x}", "${C:?no}", "$$", "$", "${", "${{", "${{ env.A }}", "}}", "}", "'", '\\"',
        "${{ secrets.hunter2 }}", "type=gha", "\n", "#", "--cache-from ", "--set *.cache-to=", " " * 50, "\u202e", "a",
    )  # fmt: skip
    return "".join(choices.one(pieces) for _ in range(choices.number(0, 6 - depth)))


def hcl(choices: Choices) -> str:
    """Write a bake file."""
    lines = []
    for name in "AB":
        if choices.sometimes(70):
            lines.append(f'variable "{name}" {{ default = "{text_of(choices)}" }}')
    entries = ", ".join(
        choices.one((f'"{text_of(choices)}"', '{type = "gha", scope = A}', "A", "[B]", "f(A)")) for _ in range(3)
    )
    lines.append(
        f'target "{choices.one(("web", "a-b", "${A}"))}" {{ {choices.one(("cache-from", "cache-to"))} = [{entries}] }}'
    )
    text = "\n".join(lines)
    return (
        damaged(choices, text.encode("utf-8", "replace")).decode("utf-8", "replace") if choices.sometimes(20) else text
    )


def bake(choices: Choices) -> str:
    """Write a bake file as JSON."""
    made = {
        "variable": odd(choices, {"A": odd(choices, {"default": odd(choices, text_of(choices))})}),
        "target": odd(
            choices, {"web": odd(choices, {"cache-from": odd(choices, [odd(choices, text_of(choices))], 10)})}
        ),
    }
    return dumped(choices, made).decode("utf-8", "replace")


def compose(choices: Choices) -> str:
    """Write a compose file, with anchors and merges."""
    made = {
        "x-a": "ANCHOR",
        "services": odd(
            choices, {"a": odd(choices, {"build": odd(choices, {"cache_from": odd(choices, [text_of(choices)], 10)})})}
        ),
    }
    text = json.dumps(made).replace('"ANCHOR"', choices.one(("&a {b: c}", "&a [1]", "!!x 1", "&a *a", "x")))
    text = text.replace('"a":', choices.one(('"a":', '<<: *a, "a":', "? [x] : y, a:")), 1)
    return (
        damaged(choices, text.encode("utf-8", "replace")).decode("utf-8", "replace") if choices.sometimes(20) else text
    )


def workflow(choices: Choices) -> str:
    """Write a workflow."""
    step = {
        "uses": odd(choices, choices.one(("docker/build-push-action@v6", "docker/bake-action@v6", "x"))),
        "with": odd(choices, {"cache-from": text_of(choices), "set": text_of(choices)}),
        "run": odd(choices, text_of(choices) * choices.number(1, 20)),
        "env": odd(choices, {"A": text_of(choices)}),
    }
    made = {
        "env": odd(choices, {"A": text_of(choices)}),
        "jobs": odd(choices, {"a": odd(choices, {"steps": [odd(choices, step)]})}),
    }
    text = json.dumps(made)
    return damaged(choices, text.encode()).decode("utf-8", "replace") if choices.sometimes(20) else text
