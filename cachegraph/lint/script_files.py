"""Builds in shell scripts, Makefiles and Jenkinsfiles.

::

    docker build --cache-from app:cache .                 a script: read as a shell would
    CACHE ?= type=gha                                     a Makefile: $(CACHE) is filled in, then the recipe is read
    sh "docker build --cache-from ${IMAGE}:cache ."       a Jenkinsfile: every quoted text that builds
    docker.build("app", "--cache-from app:cache .")
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachegraph.lint.commands import builds_in
from cachegraph.lint.model import Kind
from cachegraph.lint.session import Session
from cachegraph.lint.shell import Shell
from cachegraph.lint.values import Condition, Place

__all__ = ["read_jenkinsfile", "read_makefile", "read_script"]

_MAKE_VARIABLE = re.compile(
    r"^[ ]*(?:export[ ]+|override[ ]+)?([A-Za-z_][\w.-]*)[ \t]*(\?|:{1,3}|\+|!)?=[ \t]*(.*)$", re.DOTALL
)
_MAKE_USE = re.compile(r"\$(?:\$|\(([^()$]{0,200})\)|\{([^{}$]{0,200})\}|([A-Za-z@<^*]))")
_GROOVY = re.compile(r"'''([\s\S]*?)'''|\"\"\"([\s\S]*?)\"\"\"|'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\"|//[^\n]*")
_GROOVY_SET = re.compile(
    r"^[ \t]*(?:def[ \t]+|env\.)?([A-Za-z_]\w*)[ \t]*=[ \t]*(?:'([^'\n]*)'|\"([^\"\n]*)\")[ \t]*+;?[ \t]*$",
    re.MULTILINE,
)
_GROOVY_USE = re.compile(r"\$\{([^{}]{1,200})\}")
_GROOVY_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MAKE_CONDITION = re.compile(r"[ ]*(ifeq|ifneq|ifdef|ifndef|else|endif)\b")
_MOST_ASSIGNED = 8
_MOST_CONDITIONS = 8
_LONGEST_CONDITION = 200
_LONGEST_ADDED = 16 << 10  # characters that `+=` adds to
_DEEPEST = 8
_MOST_STRINGS = 10_000
_KNOWN_TO_MAKE = {"MAKE": "make", "SHELL": "/bin/sh", "CURDIR": "."}


def read_script(session: Session, file: str, text: str) -> None:
    """Read a shell script."""
    shell = Shell(
        session.holes, session.budget(file), dict(session.around.environ), "variable {} is not set in this file"
    )
    _take(session, shell, file, "shell", "", text, 1)


def _take(session: Session, shell: Shell, file: str, kind: Kind, path: str, script: str, line: int) -> None:
    for command in shell.commands(script, line):
        for build in builds_in(command, session.holes, file, path):
            made = build.made(kind, Place(file=file, line=build.line, path=path))
            session.builds.append(made)
            session.bake_runs.add(made, session.bake_runs.env(build.runner, partial(shell.exported, command)))


_Assigned = list[tuple[str, str]]
"""What a variable may be, each with the condition that it stands in."""


def read_makefile(session: Session, file: str, text: str) -> None:
    """Read a Makefile: variables first, as make does, then recipes."""
    variables: dict[str, _Assigned] = {}
    recipes: list[tuple[str, str, int]] = []
    conditions: list[str] = []
    rule = ""
    for line, logical in _logical_lines(text):
        if logical.startswith("\t"):
            recipes.append((rule, logical[1:].lstrip("@-+ \t"), line))
            continue
        plain = logical.split("#", 1)[0].rstrip() if "#" in logical else logical
        if found := _MAKE_CONDITION.match(plain):
            _branch(conditions, found[1], plain.strip())
        elif found := _MAKE_VARIABLE.match(plain.replace("\\\n", " ")):
            _assign(variables, found[1], found[2] or "", found[3].strip(), " && ".join(conditions[-_MOST_CONDITIONS:]))
        elif ":" in plain and not plain.startswith((" ", "$(")):
            rule = plain.partition(":")[0].split(" ")[0].strip()
    filler = _Make(session, file, variables)
    for name, script, line in recipes:
        if "build" in script or "bake" in script or "$(" in script or "${" in script:
            shell = Shell(session.holes, filler.budget, filler.environment(), "variable {} is not set in this file")
            _take(session, shell, file, "makefile", name, filler.fill(script), line)


def _branch(conditions: list[str], word: str, said: str) -> None:
    """Open, change or close a branch."""
    if word == "endif":
        del conditions[-1:]
    elif word == "else":
        conditions[-1:] = [f"!({conditions[-1]})"[:_LONGEST_CONDITION] if conditions else said]
    else:
        conditions.append(said[:_LONGEST_CONDITION])


def _assign(variables: dict[str, _Assigned], name: str, sign: str, value: str, condition: str) -> None:
    before = variables.get(name, [])
    if sign == "?" and before:
        return
    if sign == "!":
        value = f"$(shell {value})"
    if sign == "+":
        # A list of files rather than a cache; copied for each line, it takes for ever.
        start = before[-1][0] if before else ""
        value = f"{start if len(start) < _LONGEST_ADDED else '$(wildcard ..)'} {value}".strip()
    kept = before if condition else []
    variables[name] = [*kept[-_MOST_ASSIGNED:], (value, condition)]


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash; their breaks stay, so that lines can be told."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start = at
        while lines[at].endswith("\\") and at + 1 < len(lines):
            at += 1
        at += 1
        yield start + 1, "\n".join(lines[start:at])


class _Make:
    """Fills in make's variables."""

    def __init__(self, session: Session, file: str, variables: dict[str, _Assigned]) -> None:
        self.budget = session.budget(file)
        self._file = file
        self._holes = session.holes
        self._variables = variables
        self._known: dict[str, str] = {}
        self._environ = session.around.environ

    def environment(self) -> dict[str, str]:
        """Give what a recipe's shell sees."""
        return dict(self._environ)

    def fill(self, text: str, depth: int = 0) -> str:
        """Fill in ``$(NAME)`` and ``${NAME}``; ``$$`` is the shell's."""

        def use(found: re.Match[str]) -> str:
            if found[0] == "$$":
                return "$"
            inner = (found[1] if found[1] is not None else found[2] if found[2] is not None else found[3]).strip()
            return self.budget.spent(self._variable(inner, depth))

        filled = self.budget.spent(_MAKE_USE.sub(use, text))
        # `$(or $(X),y)`: the outer one, once the inner is filled in
        return filled if "$(" not in filled or depth > 1 or filled == text else self._outer(filled)

    def _outer(self, text: str) -> str:
        return re.sub(
            r"\$\((?:shell|call|if|or|and|strip|patsubst|subst|filter|foreach|wildcard)\b[^()]{0,500}\)",
            lambda one: self._function(one[0]),
            text,
        )

    def _function(self, said: str) -> str:
        name = said[2:].split(" ", 1)[0]
        return self._holes.hole(f"$({name} ..)", f"$({name} ..) is worked out only by make", said)

    def _variable(self, name: str, depth: int) -> str:
        if " " in name or "," in name:
            return self._function(f"$({name})")
        name = name.partition(":")[0]
        if name in self._known:
            return self._known[name]
        if name in self._variables and depth < _DEEPEST:
            self._known[name] = self._holes.hole(name, f"variable {name} is defined by itself", name)
            choices = [
                (self.fill(value.replace("\\\n", " "), depth + 1), Condition(text=condition or "otherwise"))
                for value, condition in self._variables[name]
            ]
            self._known[name] = choices[0][0]
            if len({value for value, _ in choices}) > 1:
                why = f"a condition of the file sets {name}"
                self._known[name] = self._holes.hole(name, why, f"{name} in {self._file}", choices)
            return self._known[name]
        if name in _KNOWN_TO_MAKE:
            return _KNOWN_TO_MAKE[name]
        if name in self._environ:
            return self._environ[name]
        return self._holes.hole(name, f"variable {name} is not set in this file", name)


def read_jenkinsfile(session: Session, file: str, text: str) -> None:
    """Read a Jenkinsfile: texts that are handed to a shell, and ``docker.build(..)``."""
    holes = session.holes
    budget = session.budget(file)
    env: dict[str, str] = {}

    def use(found: re.Match[str]) -> str:
        name = found[1].strip().removeprefix("env.").removeprefix("params.")
        if re.fullmatch(r"[A-Za-z_]\w*", name):
            known = env.get(name)
            return holes.hole(name, f"variable {name} is set by Jenkins or in a run", name) if known is None else known
        return holes.hole(f"{name.split('(')[0].split(' ')[0]}..", "it is worked out only by Jenkins", name)

    def filled(inner: str) -> str:
        return budget.spent(_GROOVY_USE.sub(lambda found: budget.spent(use(found)), inner))

    for found in _GROOVY_SET.finditer(text):
        value = found[2] if found[2] is not None else filled(found[3])
        before = env.get(found[1], value)
        env[found[1]] = value if before == value else holes.hole(found[1], f"{found[1]} is set several times", found[1])
    counted, line = 0, 1
    image = -1  # where the name of an image ended: docker.build("name", "arguments")
    for index, found in enumerate(_GROOVY.finditer(text)):
        if index > _MOST_STRINGS or found.lastindex is None:
            continue
        line += text.count("\n", counted, found.start())
        counted = found.start()
        raw = found[found.lastindex]
        script = raw if found.lastindex in (1, 3) else filled(raw)
        # A backslash in front of a break is the shell's; in front of a backslash it is Groovy's.
        script = _GROOVY_ESCAPE.sub(
            lambda one: "\\\n" if one[1] in "\n" else one[0] if one[1] not in "\\$\"'" else one[1], script
        )
        called = text[max(0, found.start() - 40) : found.start()]
        if re.search(r"docker\.build\s*\(\s*$", called):
            image = found.end()
            continue
        if image >= 0 and re.fullmatch(r"\s*,\s*", text[image : found.start()]):
            script = f"docker build {script}"
        image = -1
        if "build" in script or "bake" in script:
            shell = Shell(holes, budget, env, "variable {} is set by Jenkins or in a run")
            _take(session, shell, file, "jenkinsfile", "", script, line)
