"""GitLab's pipelines: jobs with what they extend and refer to, and the builds in their scripts.

::

    include: {local: ci/build.yml}
    variables: {CACHE: "$CI_REGISTRY_IMAGE:cache"}
    .build: {script: ["docker buildx build --cache-from type=registry,ref=$CACHE ."]}
    web: {extends: .build, parallel: {matrix: [{ARCH: [amd64, arm64]}]}}
    docs: {script: [!reference [.build, script]]}

Source: GitLab's "CI/CD YAML syntax reference".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from cachegraph.errors import CacheGraphError
from cachegraph.lint.commands import builds_in
from cachegraph.lint.documents import Tree, yaml_trees
from cachegraph.lint.interpolation import interpolated
from cachegraph.lint.model import Combination, Job, Step
from cachegraph.lint.session import Session
from cachegraph.lint.shell import Command, Shell
from cachegraph.lint.values import Condition, Place

__all__ = ["looks_like_gitlab", "read_gitlab"]

_NO_JOBS = frozenset(
    {"include", "variables", "stages", "default", "workflow", "image", "services", "cache", "before_script"}
    | {"after_script", "spec", "pages:deploy"}
)
_SCRIPTS = ("before_script", "script", "after_script")
_INPUT = re.compile(r"\$\[\[([^\[\]]{0,200})\]\]")
_UNSET = "variable {} is set by GitLab, the runner or the project's settings"
_DEEPEST = 12
_MOST_INCLUDED = 100
_MOST_COMBINATIONS = 200  # what GitLab allows
_BUILD = 100  # characters that a build counts as


@dataclass(frozen=True, slots=True)
class _Part:
    """A node, and the file that it stands in."""

    file: str
    tree: Tree


def looks_like_gitlab(tree: Tree) -> bool:
    """Say whether a mapping in it has a script."""
    return any(body.is_mapping and (body.get("script") or body.get("extends")) for _, body in tree.items())


def read_gitlab(session: Session, file: str, trees: Sequence[Tree]) -> None:
    """Read a pipeline.

    Parameters
    ----------
    session : Session
    file : str
    trees : sequence of Tree
        The documents of the file: one with ``spec:`` may come before the pipeline.
    """
    with ExitStack() as stack:
        declared = trees[0].get("spec", "inputs") if len(trees) > 1 else None
        defaults = {} if declared is None else {name: body.get("default") for name, body in declared.items()}
        reader = _Pipeline(session, file, stack, {name: one.text for name, one in defaults.items() if one})
        reader.add(_Part(file, trees[-1]), 0)
        reader.read()


class _Pipeline:
    def __init__(self, session: Session, file: str, stack: ExitStack, inputs: Mapping[str, str]) -> None:
        self._session = session
        self._file = file
        self._stack = stack
        self._inputs = inputs
        self._budget = session.budget(file)
        self._jobs: dict[str, list[_Part]] = {}  # what comes later counts more
        self._variables: dict[str, _Part] = {}
        self._defaults: dict[str, _Part] = {}
        self._included: set[str] = set()

    def add(self, part: _Part, depth: int) -> None:
        """Put in a file and what it includes."""
        for one in part.tree.get("include").elements():
            self._include(part.file, one, depth)
        for name, body in part.tree.items():
            inner = _Part(part.file, body)
            if name == "variables":
                self._variables.update({key: _Part(part.file, value) for key, value in body.items()})
            elif name == "default":
                self._defaults.update({key: _Part(part.file, value) for key, value in body.items()})
            elif name in ("before_script", "after_script", "services"):
                self._defaults[name] = inner
            elif name not in _NO_JOBS and body.is_mapping:
                self._jobs.setdefault(name, []).append(inner)

    def _include(self, file: str, tree: Tree, depth: int) -> None:
        local = tree.get("local").text or ("" if "://" in tree.text else tree.text)
        place = Place(file=file, line=tree.line, path="include")
        if not local:
            self._session.pass_over(place, "what it includes is not in this repository")
            return
        if depth > _DEEPEST or len(self._included) > _MOST_INCLUDED or local in self._included:
            return
        self._included.add(local)
        found = self._session.beside(local) if "*" not in local and "$" not in local else None
        if found is None:
            self._session.pass_over(place, f"{local} is not in this repository")
            return
        name = self._session.called_file("gitlab", found)
        try:
            trees, _ = self._stack.enter_context(yaml_trees(name, found[1], self._session.limits))
            self.add(_Part(name, trees[-1]), depth + 1)
        except CacheGraphError as error:
            self._session.pass_over(place, str(error))

    def read(self) -> None:
        """Read its jobs; those with a dot in front are only for others."""
        for name in self._jobs:
            if not name.startswith("."):
                self._job(name)

    def _merged(self, name: str, depth: int = 0) -> dict[str, _Part]:
        """Give the keys of a job with those that it extends; ``variables`` are joined."""
        found: dict[str, _Part] = {}
        for part in self._jobs.get(name, ()):
            if depth < _DEEPEST:
                for parent in part.tree.get("extends").elements():
                    found.update(self._merged(parent.text, depth + 1))
            found.update({key: _Part(part.file, value) for key, value in part.tree.items()})
        return found

    def _own_variables(self, name: str, depth: int = 0) -> dict[str, _Part]:
        found: dict[str, _Part] = {}
        for part in self._jobs.get(name, ()):
            if depth < _DEEPEST:
                for parent in part.tree.get("extends").elements():
                    found.update(self._own_variables(parent.text, depth + 1))
            found.update({key: _Part(part.file, value) for key, value in part.tree.get("variables").items()})
        return found

    def _job(self, name: str) -> None:
        body = {**self._defaults, **self._merged(name)}
        own = self._jobs[name][-1]
        scripts = [
            (key, line) for key in _SCRIPTS if key in body for line in self._lines(body[key], f"{name}.{key}", 0)
        ]
        if not scripts:
            return
        combinations = list(self._combinations(body))
        # Each combination has the variables and reads the scripts again, some eight times as fast as what is filled in.
        size = sum(len(line) for _, (_, line, _) in scripts) + 16 * len(self._variables)
        self._budget.count(len(combinations) * size // 8)
        variables = {**self._variables, **self._own_variables(name)}
        place = Place(file=own.file, line=own.tree.line, path=name)
        holes = self._session.holes
        text = "\n".join(line for _, (_, line, _) in scripts)
        step = Step(index=0, place=place, name=name, run=holes.value(text, replace(place, path=f"{name}.script")))
        condition = self._condition(body, name)
        job = Job(
            system="gitlab",
            file=own.file,
            workflow=self._file,
            name=name,
            place=place,
            combinations=tuple(combinations),
            steps=(step,),
            needs=tuple(one.get("job").text or one.text for one in _elements(body, "needs")),
            condition=condition,
            services=tuple(one.get("name").text or one.text for one in _elements(body, "services")),
            environment=_text(body, "environment"),
        )
        self._session.jobs.append(job)
        fails = _text(body, "allow_failure").lower() == "true"
        for combination in combinations:
            env = self._environment(variables, combination)
            shell = Shell(holes, self._budget, env, _UNSET)
            for _, (at, line, start) in scripts:
                for command in shell.commands(line, start):
                    for build in builds_in(command, holes, at.file, at.path):
                        made = build.made(
                            "gitlab",
                            replace(at, line=build.line),
                            job=job,
                            step=step,
                            combination=combination,
                            conditions=(condition,) if condition else (),
                            ignores_failure=fails,
                        )
                        self._budget.count(_BUILD)
                        self._session.builds.append(made)
                        seen = self._session.bake_runs.env(build.runner, partial(self._seen, shell, command))
                        self._session.bake_runs.add(made, seen)

    def _seen(self, shell: Shell, command: Command, name: str) -> str | None:
        """Give a variable as a command has it; what GitLab sets is known only in a run."""
        found = shell.exported(command, name)
        if found is None and name == "CI":
            return "true"
        if found is None and name.startswith(("CI_", "GITLAB_")):
            return self._session.holes.hole(name, _UNSET.format(name), name)
        return found

    def _lines(self, part: _Part, path: str, depth: int) -> Iterator[tuple[Place, str, int]]:
        """Give the lines of a script; lists within lists and references are put in."""
        if depth > _DEEPEST:
            return
        if part.tree.tag == "!reference":
            target = self._referred([one.text for one in part.tree.elements()])
            if target is not None:
                yield from self._lines(target, path, depth + 1)
            return
        for position, one in enumerate(part.tree.elements()):
            where = f"{path}[{position}]" if part.tree.is_list else path
            if one.is_list:
                yield from self._lines(_Part(part.file, one), where, depth + 1)
            elif one.text:
                self._budget.count(len(one.text))
                yield Place(file=part.file, line=one.line, path=where), self._with_inputs(one.script), one.line

    def _with_inputs(self, text: str) -> str:
        """Fill in ``$[[ inputs.NAME ]]``."""

        def use(found: re.Match[str]) -> str:
            name = found[1].split("|")[0].strip()
            known = self._inputs.get(name.removeprefix("inputs."))
            if known is not None:
                return self._budget.spent(known)
            return self._session.holes.hole(name, f"{name} is given where the file is included", name)

        return _INPUT.sub(use, text) if "$[[" in text else text

    def _referred(self, keys: list[str]) -> _Part | None:
        if not keys:
            return None
        body = self._merged(keys[0])
        part = body.get(keys[1]) if len(keys) > 1 else None
        for key in keys[2:]:
            part = _Part(part.file, part.tree.get(key)) if part is not None else None
        return part

    def _combinations(self, body: Mapping[str, _Part]) -> Iterator[Combination]:
        part = body.get("parallel")
        rows = part.tree.get("matrix").elements() if part is not None else []
        count = 0
        for row in rows:
            names = [name for name, _ in row.items()]
            lists = [[one.text for one in value.elements()] for _, value in row.items()]
            for values in itertools.product(*lists):
                count += 1
                if count > _MOST_COMBINATIONS:
                    return
                yield Combination(values=dict(zip(names, values, strict=True)))
        if not count:
            yield Combination()

    def _environment(self, variables: Mapping[str, _Part], combination: Combination) -> dict[str, str]:
        """Work out variables, which may hold each other."""
        texts = {
            name: part.tree.get("value").text if part.tree.is_mapping else part.tree.text
            for name, part in variables.items()
        }
        texts.update(combination.values)
        known: dict[str, str] = {}
        open_names: set[str] = set()

        def find(name: str) -> str | None:
            if name in known or name not in texts or name in open_names or len(open_names) > _DEEPEST:
                return known.get(name)
            open_names.add(name)
            known[name] = interpolated(
                texts[name],
                find,
                self._session.holes,
                self._budget,
                unset=_UNSET,
            )
            open_names.discard(name)
            return known[name]

        for name in texts:
            find(name)
        return known

    def _condition(self, body: Mapping[str, _Part], name: str) -> Condition | None:
        """Read ``rules:`` or ``only:`` as one condition."""
        rules = [one.get("if").text for one in _elements(body, "rules") if one.get("if")]
        only = [one.text for one in _elements(body, "only")]
        said = " || ".join(rules or only)
        key = "rules" if rules else "only"
        if not said:
            return None
        part = body[key]
        branch = bool(said) and all(
            rule.replace(" ", "")
            in ("$CI_COMMIT_BRANCH==$CI_DEFAULT_BRANCH", "$CI_COMMIT_REF_NAME==$CI_DEFAULT_BRANCH")
            for rule in rules
        )
        every = len(rules) == len(_elements(body, "rules"))
        return Condition(
            text=said[:500],
            place=Place(file=part.file, line=part.tree.line, path=f"{name}.{key}"),
            default_branch_only=branch and bool(rules) and every,
        )


def _elements(body: Mapping[str, _Part], key: str) -> list[Tree]:
    return body[key].tree.elements() if key in body else []


def _text(body: Mapping[str, _Part], key: str) -> str:
    return (body[key].tree.text or body[key].tree.get("name").text) if key in body else ""
