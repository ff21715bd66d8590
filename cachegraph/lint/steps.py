"""Steps of GitHub's jobs and composite actions, and the builds in them.

Source: GitHub's "Workflow syntax" and "Metadata syntax" pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from cachegraph.errors import CacheGraphError
from cachegraph.lint.commands import builds_in
from cachegraph.lint.documents import Tree
from cachegraph.lint.drafts import BuildDraft
from cachegraph.lint.expressions import Expressions
from cachegraph.lint.github import Scope
from cachegraph.lint.holes import as_text
from cachegraph.lint.inputs import action_build, builds_with, inputs_of
from cachegraph.lint.model import Build, Combination, Job, Kind, Step
from cachegraph.lint.session import Session
from cachegraph.lint.shell import Shell
from cachegraph.lint.values import Condition, Place, Value

__all__ = ["Steps", "condition_of", "defaults_of", "env_of"]

_BUILDS = re.compile(
    r"\b(?:docker|podman|nerdctl|buildctl|buildx|buildah|depot)\b[\s\S]*?\b(?:build|bake|bud|b|f)\b"
    r"|GITHUB_(?:ENV|OUTPUT)|docker-compose"
)
_SETS_NOTHING = re.compile(
    r"actions/(?:checkout|cache|upload-artifact|download-artifact)(?:/.*)?|docker/(?!metadata-action)[\w-]+"
)
_DEEPEST = 4
_MOST_STEPS = 1_000


def defaults_of(inputs: Tree, *, required_are_known: bool = False) -> dict[str, object]:
    """Read the defaults of declared inputs; one that must be given has none."""
    found: dict[str, object] = {}
    for name, body in inputs.items():
        default = body.get("default")
        kind = body.get("type").text
        if default and not default.is_null:
            text = default.text
            found[name.lower()] = {"true": True, "false": False}.get(text.lower(), text) if kind == "boolean" else text
        elif required_are_known or body.get("required").text.lower() != "true":
            if kind == "boolean":
                found[name.lower()] = False
            elif required_are_known:
                found[name.lower()] = ""
    return found


def condition_of(tree: Tree, expressions: Expressions, file: str, path: str) -> Condition | None:
    """Read ``if:``."""
    if not tree:
        return None
    return expressions.condition(tree.text, Place(file=file, line=tree.line, path=path))


def env_of(tree: Tree, scope: Scope) -> dict[str, str]:
    """Read ``env:``, with holes; its values see what is around it, not each other."""
    if not tree.is_mapping:
        return {}
    expressions = scope.expressions()
    return {name: scope.budget.spent(expressions.fill(value.text)) for name, value in tree.items()}


@dataclass(slots=True)
class _Ran:
    """What the steps so far have left behind."""

    env: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    """A build of a step."""

    step: Step
    build: BuildDraft
    place: Place
    conditions: tuple[Condition, ...]
    env: Mapping[str, str]  # of a run of bake, with holes


@dataclass(frozen=True, slots=True)
class _Level:
    """Where steps stand: in the job, or in a composite action that one of its steps uses."""

    file: str
    path: str
    within: Place | None = None
    conditions: tuple[Condition, ...] = ()
    depth: int = 0


class Steps:
    """The steps of a job or of a composite action.

    They are gone through once with the matrix unknown, which gives the job's `Step`s, and once in each combination,
    which gives its builds.
    """

    def __init__(
        self,
        session: Session,
        file: str,
        path: str,
        kind: Kind,
        owner: Tree,
        job: Job,
        scope: Scope,
        conditions: tuple[Condition, ...],
    ) -> None:
        self._session = session
        self._holes = session.holes
        self._kind: Kind = kind
        self._trees = owner.get("steps").elements()[:_MOST_STEPS]
        self._level = _Level(file, path)
        self._job = job
        self._scope = scope
        self._conditions = conditions
        self._steps: dict[tuple[object, ...], Step] = {}
        self._found: list[_Found] = []
        self._is_first = True

    def read(self, scopes: list[tuple[Scope, Combination]]) -> Scope:
        """Read the steps, then the builds in each combination; give what holds behind the last step."""
        last = self._pass(self._scope, self._trees, self._level, _Ran(is_whole=self._scope.env_is_whole))
        job = replace(self._job, steps=tuple(self._steps.values()))
        self._session.jobs.append(job)
        if not self._found:
            return last
        self._is_first = False
        for scope, combination in scopes:
            self._found = []
            self._session.renew(scope.budget)
            self._pass(scope, self._trees, self._level, _Ran(is_whole=scope.env_is_whole))
            for found in self._found:
                build = self._made(job, found, combination)
                self._session.builds.append(build)
                self._session.bake_runs.add(build, found.env, _calls(build))
        return last

    def _made(self, job: Job, found: _Found, combination: Combination) -> Build:
        step = found.step
        fails = step.continue_on_error
        return found.build.made(
            self._kind,
            found.place,
            job=job,
            step=step,
            combination=combination,
            conditions=(*self._conditions, *found.conditions),
            env=step.env,
            ignores_failure=fails is not None and fails.text == "true",
        )

    def _pass(self, scope: Scope, trees: list[Tree], level: _Level, ran: _Ran) -> Scope:
        """Go through steps once, in one combination or in none."""
        for position, tree in enumerate(trees):
            here = replace(scope.with_env(ran.env), env_is_whole=ran.is_whole and scope.env_is_whole, steps=ran.outputs)
            at = f"{level.path}.steps[{position}]"
            if self._is_first or _may_build(tree):
                self._step(here, tree, at, level, ran)
        return replace(scope.with_env(ran.env), env_is_whole=ran.is_whole, steps=ran.outputs)

    def _step(self, here: Scope, tree: Tree, at: str, level: _Level, ran: _Ran) -> None:
        own = env_of(tree.get("env"), here)
        scope = here.with_env(own)
        expressions = scope.expressions()
        key = (level.file, at, level.within)
        step = self._steps.get(key)
        if step is None:
            step = self._steps[key] = self._recorded(tree, at, level, own, scope)
        reached = (*level.conditions, step.condition) if step.condition else level.conditions
        if tree.get("if") and expressions.truth(tree.get("if").text) is False:
            return
        run = tree.get("run")
        if run and _BUILDS.search(run.text):
            self._run(run, scope, step, reached, ran, self._directory(tree, at, level, scope))
        if not step.action:
            return
        uses = step.action
        if uses.startswith("./") and level.depth < _DEEPEST:
            if self._composite(tree, scope, step, replace(level, conditions=reached), ran):
                return
        elif not _SETS_NOTHING.fullmatch(uses):
            ran.is_whole = False
        if builds_with(uses, tree.get("with")):
            build = action_build(uses, step.version, tree.get("with"), expressions, level.file, at, tree.line)
            env = self._session.bake_runs.env(build.runner, scope.shell_env().get)
            self._found.append(_Found(step, build, step.place, reached, env))

    def _directory(self, tree: Tree, at: str, level: _Level, scope: Scope) -> Value | None:
        """Tell where a script runs; a composite action's does not run where the job's do."""
        own = tree.get("working-directory")
        if not own:
            return scope.directory
        place = Place(file=level.file, line=own.line, path=f"{at}.working-directory")
        return self._holes.value(scope.expressions().fill(own.text), place)

    def _recorded(self, tree: Tree, at: str, level: _Level, own: Mapping[str, str], scope: Scope) -> Step:
        """Make the step that the job has."""
        file, expressions = level.file, scope.expressions()

        def value(key: str) -> Value:
            one = tree.get(key)
            return self._holes.value(expressions.fill(one.text), Place(file=file, line=one.line, path=f"{at}.{key}"))

        uses = expressions.fill(tree.get("uses").text)
        action, sign, version = uses.rpartition("@")
        action, version = (action, version) if sign else (version, "")
        return Step(
            index=len(self._steps),
            place=Place(file=file, line=tree.line, path=at),
            name=tree.get("name").text,
            id=tree.get("id").text,
            action=action,
            version=version,
            run=value("run") if tree.get("run") else None,
            inputs=inputs_of(tree.get("with"), expressions, self._holes, file, at),
            env={
                name: self._holes.value(
                    text, Place(file=file, line=tree.get("env", name).line, path=f"{at}.env.{name}")
                )
                for name, text in own.items()
            },
            directory=self._directory(tree, at, level, scope) if tree.get("run") else None,
            condition=condition_of(tree.get("if"), expressions, file, f"{at}.if"),
            continue_on_error=value("continue-on-error") if tree.get("continue-on-error") else None,
            within=level.within,
        )

    def _run(
        self,
        run: Tree,
        scope: Scope,
        step: Step,
        conditions: tuple[Condition, ...],
        ran: _Ran,
        directory: Value | None,
    ) -> None:
        """Find builds in a script, and what it leaves for later steps."""
        holes = self._holes
        file, path = step.place.file, f"{step.place.path}.run"
        shell = Shell(holes, scope.budget, scope.shell_env(), "variable {} is not set in this step")
        for command in shell.commands(scope.expressions().fill(run.script), run.line):
            for build in builds_in(command, holes, file, path):
                build.directory = directory
                env = self._session.bake_runs.env(build.runner, partial(shell.exported, command))
                self._found.append(_Found(step, build, Place(file=file, line=build.line, path=path), conditions, env))
        for name, text in shell.appended["GITHUB_ENV"].items():
            why = f"a step that does not always run sets {name}"
            at = f"env.{name} of {step.place}"
            ran.env[name] = holes.hole(f"env.{name}", why, at) if step.condition else text
        if "GITHUB_ENV" in shell.appends_unknown or "set-env" in run.text:
            ran.is_whole = False
        if step.id and not step.condition:
            ran.outputs[step.id] = shell.appended["GITHUB_OUTPUT"]

    def _composite(self, tree: Tree, scope: Scope, step: Step, level: _Level, ran: _Ran) -> bool:
        """Put in the steps of an action of this repository; False if its steps are not known."""
        folder = step.action.removeprefix("./").rstrip("/")
        names = (f"{folder}/{name}" if folder else name for name in ("action.yml", "action.yaml"))
        opened = next((one for one in map(self._session.beside, names) if one is not None), None)
        if opened is None:
            ran.is_whole = False
            if self._session.root is not None and not builds_with(step.action, tree.get("with")):
                why = f"the action {step.action} is not in this repository, so its steps are not known"
                self._session.pass_over(step.place, why)
            return False
        file = self._session.called_file("action", opened)
        try:
            with self._session.opened(file, opened[1]) as (action, budget):
                if action.get("runs", "using").text != "composite":
                    ran.is_whole = False
                    return False
                inputs = self._inputs(action, tree, scope.expressions())
                called = replace(scope, inputs=inputs, inputs_are_whole=True, is_called=True)
                inner = replace(called, budget=budget, steps={}, directory=None)
                left = _Ran(env=ran.env, is_whole=ran.is_whole)
                trees = action.get("runs", "steps").elements()[:_MOST_STEPS]
                within = _Level(file, "runs", step.place, level.conditions, level.depth + 1)
                self._pass(inner, trees, within, left)
                ran.is_whole = left.is_whole
                if step.id:
                    filled = replace(inner, steps=left.outputs).expressions()
                    outputs = action.get("outputs").items()
                    ran.outputs[step.id] = {key: filled.fill(body.get("value").text) for key, body in outputs}
        except CacheGraphError as error:
            ran.is_whole = False
            self._session.pass_over(step.place, str(error))
        return True

    def _inputs(self, action: Tree, tree: Tree, expressions: Expressions) -> dict[str, object]:
        inputs = defaults_of(action.get("inputs"), required_are_known=True)
        for key, value in list(inputs.items()):
            inputs[key] = expressions.fill(value) if isinstance(value, str) else as_text(value)
        for key, value in tree.get("with").items():
            inputs[key.lower()] = expressions.fill(value.text)
        return inputs


def _calls(build: Build) -> Iterator[Place]:
    """Give what calls the action or the workflow of a build, the nearest first."""
    if build.step is not None and build.step.within is not None:
        yield build.step.within
    caller = build.job.caller if build.job is not None else None
    while caller is not None:
        yield caller.place
        caller = caller.caller


def _may_build(tree: Tree) -> bool:
    """Whether a step can build, or leave something for later steps."""
    run = tree.get("run")
    return bool(tree.get("uses")) if not run else _BUILDS.search(run.text) is not None
