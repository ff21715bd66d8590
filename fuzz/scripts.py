"""Scripts that are nearly right, and the pipelines that hold them: shell, Makefiles, Jenkinsfiles, GitLab CI."""

from __future__ import annotations

import json

from fuzz.shapes import damaged, odd
from fuzz.sources import Choices

__all__ = ["gitlab", "jenkinsfile", "makefile", "script"]

_PROGRAMS = (
    "docker buildx build", "docker build", "docker buildx bake", "docker compose -f c.yml build", "podman build",
    "buildctl --addr a build", "/usr/bin/docker --context=c image build", "depot bake", "A=1 sudo docker buildx b",
    "bash -c 'docker build --cache-from type=gha .'", 'ssh h "docker buildx build --cache-to $A ."', "docker",
)  # fmt: skip
_OPTIONS = (
    "--cache-from", "--cache-from=type=gha,scope=$A", "--cache-to", "ref=r/a:$B", "--set *.cache-to=$A",
    "--set 'web.cache-from+='type=gha", "-f", "-tapp:$A", "--build-arg", "A=$B", "--platform=a,b", "--no-cache",
    "--", ".", "--export-cache type=inline", "--import-cache", "--opt build-arg:A=b", "-",
    "--push=$C", '"${ARGS[@]}"', "$FLAGS",
    "--cache-from=type=s3,token=hunter2-fuzz", "-qf", "--secret id=k,src=$A", "-o-", "--=",
)  # fmt: skip
_VALUES = (
    "x", "$A", "${A}", "${A:-y}", "${A:+--cache-from $B}", "${B:?no}", "${ARGS[@]}", "$1", "$@", "$(git x)", "`x`",
    "${A,,}", "${A//a/b}", "${A##*/}", "${A%:*}", "${A:-${B:-${A:=c}}}", '"a $B"', "'q'", "type=gha", "$$", "é",
    "a b", "",
)  # fmt: skip
_BROKEN = (
    "${", "$(", "'", '"', "`", "\\", "<<", "${A:-", "((", "\0", "\u202e", "$'\\n'", "x" * 300, "${!A}", "${A[",
    "\ue000",
    "${A/[/}", "${#", "\U000f0000", "|&", ";;", ")", "}",
)  # fmt: skip


def _value(choices: Choices) -> str:
    return choices.one(_VALUES if choices.calm or choices.sometimes(80) else _BROKEN)


def _command(choices: Choices) -> str:
    words = [choices.one(_PROGRAMS)]
    words += [choices.one(_OPTIONS) if choices.sometimes(80) else _value(choices) for _ in range(choices.number(0, 6))]
    return choices.one((" ", " ", " ", " \\\n ")).join(words)


def script(choices: Choices, depth: int = 0) -> str:
    """Write a shell script."""
    return "\n".join(_statement(choices, depth) for _ in range(choices.number(1, 6 - 2 * depth)))


def _statement(choices: Choices, depth: int) -> str:
    name, value = choices.one("AB"), _value(choices)
    inner = script(choices, depth + 1) if depth < 2 and choices.sometimes(40) else _command(choices)
    match choices.number(0, 13):
        case 0 | 1 | 2 | 3:
            return _command(choices) + choices.one(("", "", " || true", " && x", " > $A", " | tee x", " # y", "; :"))
        case 4:
            return f"{choices.one(('', 'export ', 'local '))}{name}{choices.one(('=', '+='))}{value}"
        case 5:
            return f"ARGS{choices.one(('=', '+='))}({value} {choices.one(_OPTIONS)} # x\n)"
        case 6:
            other = choices.one(("", f"elif [ {value} ]; then\n{name}=z\n", f"else\n{name}={value}\n"))
            return f"if [ {value} = 1 ]; then\n{name}={value}\n{inner}\n{other}fi"
        case 7:
            return f"for {name} in {value} {_value(choices)}; do\n{inner}\ndone"
        case 8:
            return f'case "{name}" in\n{value}) {inner} ;;\n*) {name}=1;;\nesac'
        case 9:
            end = choices.one(("E", "E", "'E'", "-E", "F", "\\E"))
            return f"cat <<{end} > x\n{inner}\nE"
        case 10:
            return f"[ -n {value} ] {choices.one(('&&', '||'))} {choices.one((f'{name}={value}', inner))}"
        case 11:
            return f"echo {name}={value} >> ${choices.one(('GITHUB_ENV', 'GITHUB_OUTPUT', 'X'))}"
        case 12:
            return f"f() {{ {inner}; }}; while {value}; do {inner}; done"
    # What a script holds often: whoever reads it again for each of them takes for ever.
    many = choices.one((f"if {value}; then\n", f"{name}+={value}\n", f"ARGS+=({value})\n", "else\n", inner, value))
    return many * choices.one((2, 50, 500))


def makefile(choices: Choices) -> str:
    """Write a Makefile."""
    lines = []
    for _ in range(choices.number(1, 8)):
        value = choices.one(("$(B)", "$(A)", "$(B:x=y)", "$(shell x)", "$(or $(B),y)", "$@", "$(", _value(choices)))
        match choices.number(0, 6):
            case 0 | 1 | 2:
                name = choices.one(("A", "B", "export A", "A.b"))
                lines.append(f"{name} {choices.one(('=', ':=', '?=', '+=', '!=', '::='))} {value}")
            case 3:
                word = choices.one((f"ifeq ({value},1)", "ifdef A", "else", "endif", "define A", f"include {value}"))
                lines.append(word)
            case 4:
                lines += [choices.one(("A += x", "else", "ifdef A", "\t$(A) build"))] * choices.one((2, 50, 500))
            case _:
                recipe = _command(choices).replace("$A", value).replace("$B", "$$B")
                lines += [f"{choices.one(('all', 'a b', '.x', '%.o'))}: {value}", f"\t{recipe}"]
    return "\n".join(lines)


def jenkinsfile(choices: Choices) -> str:
    """Write a Jenkinsfile."""
    lines = []
    for _ in range(choices.number(1, 6)):
        quote = choices.one(("'", '"', "'''", '"""'))
        value = choices.one(("${A}", "${env.B}", "${f('x')}", "${", _value(choices)))
        match choices.number(0, 3):
            case 0:
                lines.append(
                    f"{choices.one(('def ', 'env.', ''))}A = {quote}{value}{quote}{' ' * choices.number(0, 99)}"
                )
            case 1:
                lines.append(
                    f"docker.build({quote}app:{value}{quote}, {quote}{choices.one(_OPTIONS)} {value} .{quote})"
                )
            case _:
                text = _command(choices) if choices.sometimes(60) else script(choices, 1)
                lines.append(f"sh {choices.one(('', '(script: '))}{quote}{text.replace('$A', value)}{quote}")
    return "\n".join(lines)


def gitlab(choices: Choices) -> str:
    """Write a pipeline, with anchors, references, and jobs that extend each other or themselves."""
    jobs = [choices.one(("web", ".a", ".b", "docs", "default")) for _ in range(choices.number(1, 4))]
    made = {
        "include": odd(choices, choices.one((["a.yml", {"local": "a.yml"}], "a.yml", [{"remote": "https://h/x"}]))),
        "variables": odd(choices, {"A": choices.one(("$B", "x")), "B": {"value": _value(choices), "description": "d"}}),
        **{name: odd(choices, _job(choices)) for name in jobs},
    }
    text = json.dumps(made)
    text = text.replace('"ANCHOR"', choices.one(("&a {script: [docker build $A .]}", "&a [x]", "&a *a", "y")), 1)
    text = text.replace('"ALIAS"', choices.one(("*a", "*a", "[*a, *a]", "!x y")))
    text = text.replace(
        '"REFERENCE"', f"!reference [{choices.one(jobs)}, {choices.one(('script', 'variables, A', ''))}]"
    )
    if choices.sometimes(20):
        text = '{"spec": {"inputs": {"x": {"default": "y"}, "z": null}}}\n---\n' + text
    return damaged(choices, text.encode()).decode("utf-8", "replace") if choices.sometimes(10) else text


def _job(choices: Choices) -> dict[str, object]:
    lines = [
        choices.one((_command(choices), script(choices, 1), "REFERENCE", "ALIAS", "$[[ inputs.x | f ]] build"))
        for _ in range(choices.number(0, 4))
    ]
    every: dict[str, object] = {
        "script": choices.one((lines, [lines, "REFERENCE"], "\n".join(lines), "REFERENCE")),
        "extends": choices.one((".a", [".a", ".b"], ["web"], "nobody")),
        "parallel": choices.one(({"matrix": [{"A": ["x", "y"], "B": _value(choices)}]}, {"matrix": [{"A": []}]}, 3)),
        "variables": choices.one(({"A": "$A$B", "B": _value(choices)}, "ALIAS", "REFERENCE")),
        "before_script": "ANCHOR",
        "rules": [{"if": choices.one(("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "$A =~ /x/"))}, "REFERENCE"],
        "<<": "ALIAS",
        "services": ["docker:dind", {"name": _value(choices)}],
        "needs": ["web", {"job": ".a"}],
        "environment": choices.one(("prod", {"name": "$A"})),
        "allow_failure": True,
    }
    return {key: odd(choices, value) for key, value in every.items() if key == "script" or choices.sometimes(40)}
