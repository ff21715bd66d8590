"""What people write, nearly right: specs, bake files, compose files, workflows."""

from __future__ import annotations

import json

from cachegraph.lint.hcl_functions import STRUCTURAL, TEXTUAL
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


_FUNCTIONS: tuple[str, ...] = (
    "f",
    "g",
    "try",
    "can",
    "and",
    "or",
    "not",
    "equal",
    "notequal",
    "format",
    "formatlist",
    "join",
    "nobody",
)
_FUNCTIONS += (*sorted(STRUCTURAL), *sorted(TEXTUAL))
_ATOMS = (
    "A", "B", "C", "x", "BAKE_CMD_CONTEXT", "1", "-1", "1e9", "0.5", "true", "null", "[]", "{}", '["b", "a", A]', "[1, 2]",
    '{a = 1, "b" = B}', '"a,b\\n1,2"', '"YQ=="', '"%5.2f %[1]s %q"', '"${A}x"', '"%{ if A == B }x%{ endif }"', '"[a-z]+"',
)  # fmt: skip

_CALLS = (
    "chunklist(Y, Z)", "range(Z, 9, Z)", "setproduct([X], Y)", 'format("%-5s%05d%q%x%.2f", X, Z, X, Z, Z)', "slice(Y, Z, 9)",
    "substr(X, Z, Z)", 'regex_replace(X, "[a-z]+", X)', "replace(X, X, X)", "indent(Z, X)", "flatten([Y, [[Y]]])",
    "parseint(X, Z)", "csvdecode(X)", "jsondecode(X)", "index(Y, Z)", "element(Y, Z)", "hasindex(Y, Z)", "lookup({a = X}, X, Y)",
    "distinct(Y)", "setunion(Y, Y)", "title(X)", "lessthan(Z, Z)", "sanitize(X)", "zipmap(Y, Y)", "merge({a = X}, {b = Y})",
    "coalesce(null, X)", "base64decode(X)", "divide(Z, Z)", "modulo(Z, Z)", "ceil(Z)", "join(X, Y)", 'formatlist("%s", Y)',
    "urlencode(X)", "reverse(Y)", "concat(Y, Y)", "values({a = X})", "keys({b = Y})", "int(Z)", "jsonencode(Y)",
)  # fmt: skip


def _call(choices: Choices, inner: str) -> str:
    """Write a call of a function with values of the kinds that it asks for, such as they are."""
    fitting = {
        "X": ('"ab c"', '"a,b\\n1,2"', '""', '"[[1]]"', "A", '"é"', '"YQ=="', inner),
        "Y": ('["b", "a"]', "[]", "[[1], A, null]", '["a", 1, true]', "B", inner),
        "Z": ("1", "0", "-1", "1e7", "1e400", "0.5", "C", inner),
    }
    call = choices.one(_CALLS)
    return "".join(choices.one(fitting[letter]) if letter in fitting else letter for letter in call)


def expression(choices: Choices, depth: int = 0) -> str:
    """Write an expression of HCL; most can be worked out."""
    if depth > 3 or choices.sometimes(25):
        return choices.one(_ATOMS)

    def inner() -> str:
        return expression(choices, depth + 1)

    match choices.number(0, 11):
        case 0:
            return f"{inner()} {choices.one(('==', '!=', '<', '&&', '||', '+', '-', '*', '/', '%'))} {inner()}"
        case 1:
            return f"{inner()} ? {inner()} : {inner()}"
        case 2:
            condition = choices.one(("", f" if {inner()}"))
            return f"[for {choices.one(('x', 'i, x'))} in {inner()} : {inner()}{condition}]"
        case 3:
            return f"{{for k, x in {inner()} : {choices.one(('k', 'x'))} => {inner()}{choices.one(('', '...'))}}}"
        case 4:
            return f"({inner()}){choices.one(('[0]', '.a', '[*]', '.*.a', '[A]', '[9]'))}"
        case 5:
            return f"{choices.one('!-')}{inner()}"
        case 6 | 7 | 8:
            return _call(choices, inner())
    given = ", ".join(inner() for _ in range(choices.number(0 if choices.sometimes(10) else 1, 3)))
    return f"{choices.one(_FUNCTIONS)}({given}{'...' if given and choices.sometimes(10) else ''})"


def hcl(choices: Choices) -> str:
    """Write a bake file."""
    lines = []
    for name in "ABC":
        if choices.sometimes(70):
            value = choices.one((f'"{text_of(choices)}"', expression(choices)))
            lines.append(f'variable "{name}" {{ default = {value} }}')
    for name in "fg":
        if choices.sometimes(50):
            rest = choices.one(("", "variadic_params = y\n"))
            lines.append(f'function "{name}" {{\nparams = [x]\n{rest}result = {expression(choices)}\n}}')
    if choices.sometimes(30):
        over = choices.one(('["a", "b"]', expression(choices)))
        lines.append(f'target "m" {{\nmatrix = {{x = {over}}}\nname = "m-${{x}}"\ninherits = ["web"]\n}}')
    values = (f'"{text_of(choices)}"', '{type = "gha", scope = A}', "A", "[B]", "f(A)", expression(choices))
    entries = ", ".join(choices.one(values) for _ in range(3))
    lines.append(
        f'target "{choices.one(("web", "a-b", "${A}"))}" {{ {choices.one(("cache-from", "cache-to"))} = [{entries}] }}'
    )
    text = "\n".join(lines)
    return (
        damaged(choices, text.encode("utf-8", "replace")).decode("utf-8", "replace") if choices.sometimes(20) else text
    )


def bake(choices: Choices) -> str:
    """Write a bake file as JSON."""
    text = choices.one((text_of(choices), f"${{{expression(choices)}}}"))
    made = {
        "variable": odd(choices, {"A": odd(choices, {"default": odd(choices, text)})}),
        "function": {"f": odd(choices, {"params": ["x"], "result": f"${{{expression(choices)}}}"})},
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
