"""GitHub workflows and composite actions: jobs, their steps, and the builds in each combination of the matrix.

::

    on: {push: {branches: [main]}, pull_request: {}}
    jobs:
      build:
        strategy: {matrix: {arch: [amd64, arm64]}}
        steps:
          - uses: docker/build-push-action@v6
            with: {cache-to: "type=gha,scope=${{ matrix.arch }}"}    two builds, two scopes
      docs:
        uses: ./.github/workflows/docs.yml                          read with the inputs of this call

Source: GitHub's "Workflow syntax" and "Metadata syntax" pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cachegraph.errors import CacheGraphError
from cachegraph.lint.commands import FoundBuild, builds_in
from cachegraph.lint.documents import Tree
from cachegraph.lint.expressions import Expressions
from cachegraph.lint.github import Scope
from cachegraph.lint.holes import as_text
from cachegraph.lint.inputs import action_build, builds_with, inputs_of
from cachegraph.lint.matrices import Row, combinations_of, flat
from cachegraph.lint.model import Build, Combination, Job, Kind, Permissions, Step, Trigger
from cachegraph.lint.session import Session
from cachegraph.lint.shell import Shell
from cachegraph.lint.values import Condition, Place, Value

__all__ = ["read_action", "read_workflow"]

_FILTERS = ("branches", "branches-ignore", "tags", "tags-ignore", "types", "paths")
_BUILDS = re.compile(
    r"\b(?:docker|podman|nerdctl|buildctl|buildx|buildah|depot)\b[\s\S]*?\b(?:build|bake|bud|b|f)\b"
    r"|GITHUB_(?:ENV|OUTPUT)|docker-compose"
)
_SETS_NOTHING = re.compile(
    r"actions/(?:checkout|cache|upload-artifact|download-artifact)(?:/.*)?|docker/(?!metadata-action)[\w-]+"
)
_DEEPEST = 4
_MOST_STEPS = 1_000
_MOST_BUILDS = 20_000  # of all files together


def read_workflow(session: Session, file: str, tree: Tree, scope: Scope) -> None:
    """Read a workflow that nothing here calls.

    Parameters
    ----------
    session : Session
    file : str
    tree : Tree
    scope : Scope
        With nothing but the session and the budget.
    """
    _Workflow(session, file, tree, scope, triggers_of(file, tree), None, ()).read()


def read_action(session: Session, file: str, tree: Tree, scope: Scope) -> None:
    """Read a composite action that nothing here calls: its inputs have their defaults."""
    inputs = _defaults(tree.get("inputs"))
    place = Place(file=file, line=tree.get("runs").line, path="runs")
    job = Job(system="github", file=file, workflow=tree.get("name").text or file, name="runs", place=place)
    given = replace(scope, inputs=inputs, env_is_whole=False, is_called=True)
    _Steps(session, file, "runs", "action", tree.get("runs"), job, given, ()).read([(given, Combination())])


def triggers_of(file: str, tree: Tree) -> tuple[Trigger, ...]:
    """Read ``on:``."""
    on = tree.get("on")
    place = Place(file=file, line=on.line, path="on")
    if not on.is_mapping:
        return tuple(Trigger(event=one.text, place=replace(place, line=one.line)) for one in on.elements())
    found = []
    for event, body in on.items():
        filters = {
            key.replace("-", "_"): tuple(one.text for one in body.get(key).elements())
            for key in _FILTERS
            if body.get(key)
        }
        line = body.line if body and not body.is_null else on.line
        found.append(Trigger(event=event, place=Place(file=file, line=line, path=f"on.{event}"), **filters))
    return tuple(found)


def _plain_branches(triggers: tuple[Trigger, ...]) -> tuple[str, ...]:
    """Give the branches that ``push`` is limited to, if they are names and no tag starts it."""
    pushes = [trigger for trigger in triggers if trigger.event == "push"]
    if len(pushes) != 1 or pushes[0].tags or pushes[0].tags_ignore or not pushes[0].branches:
        return ()
    plain = all(not any(sign in branch for sign in "*?+[]!$") for branch in pushes[0].branches)
    return pushes[0].branches if plain else ()


def _defaults(inputs: Tree, *, required_are_known: bool = False) -> dict[str, object]:
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


class _Workflow:
    """A workflow, started by events or called by a job."""

    def __init__(
        self,
        session: Session,
        file: str,
        tree: Tree,
        scope: Scope,
        triggers: tuple[Trigger, ...],
        caller: Job | None,
        conditions: tuple[Condition, ...],
        depth: int = 0,
    ) -> None:
        self._session = session
        self._file = file
        self._tree = tree
        self._triggers = triggers
        self._caller = caller
        self._conditions = conditions
        self._depth = depth
        self._name = tree.get("name").text or file
        self._outputs: dict[str, Mapping[str, str]] = {}
        events = tuple(dict.fromkeys(trigger.event for trigger in triggers))
        scope = replace(scope, workflow=self._name, events=events, branches=_plain_branches(triggers))
        if caller is None:
            scope = self._started(scope, events)
        self._scope = scope.with_env(_env(tree.get("env"), scope))

    def _started(self, scope: Scope, events: tuple[str, ...]) -> Scope:
        """Give the inputs of a workflow that nothing here calls."""
        if set(events) == {"workflow_call"}:
            inputs = _defaults(self._tree.get("on", "workflow_call", "inputs"))
            return replace(scope, inputs=inputs, is_called=True)
        if not set(events) & {"workflow_call", "workflow_dispatch"}:
            return replace(scope, inputs_are_whole=bool(events))
        return scope

    def read(self) -> None:
        """Read its jobs."""
        permissions = _permissions(self._file, self._tree.get("permissions"), "permissions")
        for name, tree in self._tree.get("jobs").items():
            if len(self._session.builds) > _MOST_BUILDS:
                self._session.pass_over(Place(file=self._file, line=tree.line, path=f"jobs.{name}"), "too many builds")
                return
            self._job(name, tree, permissions)

    def _job(self, name: str, tree: Tree, permissions: Permissions | None) -> None:
        file, path = self._file, f"jobs.{name}"
        base = replace(self._scope, job=name, needs=self._outputs)
        expressions = base.expressions()
        matrix = tree.get("strategy", "matrix")
        rows, is_known = combinations_of(matrix, lambda text: _whole(expressions, text))
        combinations = tuple(flat(row, is_known=is_known) for row in rows)
        unknown = replace(base, matrix={}, matrix_is_whole=not matrix)
        condition = _condition(tree.get("if"), unknown.expressions(), file, f"{path}.if")
        unknown = unknown.with_env(_env(tree.get("env"), unknown))
        job = Job(
            system="github",
            file=file,
            workflow=self._name,
            name=name,
            place=Place(file=file, line=tree.line, path=path),
            caller=self._caller,
            triggers=self._triggers,
            combinations=combinations,
            permissions=_permissions(file, tree.get("permissions"), f"{path}.permissions") or permissions,
            needs=tuple(one.text for one in tree.get("needs").elements()),
            runs_on=tuple(
                self._session.holes.value(
                    expressions.fill(one.text), Place(file=file, line=one.line, path=f"{path}.runs-on")
                )
                for one in _runs_on(tree)
            ),
            condition=condition,
            env={
                key: self._session.holes.value(
                    text, Place(file=file, line=tree.get("env").line, path=f"{path}.env.{key}")
                )
                for key, text in unknown.env.items()
            },
            services=tuple(one.get("image").text or one.text for _, one in tree.get("services").items()),
            environment=tree.get("environment").text or tree.get("environment", "name").text,
        )
        conditions = (*self._conditions, condition) if condition else self._conditions
        scopes: list[tuple[Scope, Combination]] = []
        for row, combination in zip(rows, combinations, strict=True):
            scope = self._of_row(base, tree, row, is_whole=is_known)
            held = scope.expressions().truth(tree.get("if").text) if tree.get("if") else None
            if held is not False or condition is None or condition.text in ("false", "False"):
                scopes.append((scope, combination))
        if tree.get("uses"):
            self._session.jobs.append(job)
            for scope, _ in scopes[:1] if not matrix else scopes:
                self._call(tree, job, scope, conditions)
            return
        steps = _Steps(self._session, file, path, "workflow", tree, job, unknown, conditions)
        last = steps.read(scopes)
        if not matrix and tree.get("outputs"):
            filled = last.expressions()
            self._outputs[name] = {key: filled.fill(value.text) for key, value in tree.get("outputs").items()}

    def _of_row(self, base: Scope, tree: Tree, row: Row, *, is_whole: bool) -> Scope:
        scope = replace(base, matrix=row, matrix_is_whole=is_whole)
        labels = _runs_on(tree)
        if labels:
            scope = replace(scope, runs_on=scope.expressions().fill(labels[0].text))
        return scope.with_env(_env(tree.get("env"), scope))

    def _call(self, tree: Tree, job: Job, scope: Scope, conditions: tuple[Condition, ...]) -> None:
        """Read a called workflow of this repository."""
        uses = tree.get("uses").text
        place = Place(file=self._file, line=tree.get("uses").line, path=f"{job.place.path}.uses")
        if not uses.startswith("./"):
            return
        found = self._session.beside(uses.removeprefix("./")) if self._depth < _DEEPEST else None
        if found is None:
            self._session.pass_over(
                place, f"the workflow {uses} is not in this repository, so its builds are not known"
            )
            return
        path, text = found
        file = self._session.name(path)
        self._session.called.add(file)
        self._session.note(file, "workflow", text)
        try:
            with self._session.opened(file, text) as (called, budget):
                expressions = scope.expressions()
                declared = called.get("on", "workflow_call", "inputs")
                inputs = _defaults(declared, required_are_known=True)
                for key, value in tree.get("with").items():
                    inputs[key.lower()] = _input(expressions, value)
                inner = Scope(
                    session=self._session, budget=budget, inputs=inputs, inputs_are_whole=True, is_called=True
                )
                _Workflow(self._session, file, called, inner, self._triggers, job, conditions, self._depth + 1).read()
        except CacheGraphError as error:
            self._session.pass_over(place, str(error))


def _whole(expressions: Expressions, text: str) -> object:
    """Work out a value: what is one expression keeps its type."""
    stripped = text.strip()
    if stripped.startswith("${{") and stripped.find("}}") == len(stripped) - 2:
        return expressions.evaluate(stripped[3:-2].strip())
    return expressions.fill(text)


def _input(expressions: Expressions, value: Tree) -> object:
    if value.tag.endswith(":bool") and value.text.lower() in ("true", "false"):
        return value.text.lower() == "true"
    return _whole(expressions, value.text)


def _runs_on(tree: Tree) -> list[Tree]:
    labels = tree.get("runs-on")
    return labels.get("labels").elements() if labels.is_mapping else labels.elements()


def _condition(tree: Tree, expressions: Expressions, file: str, path: str) -> Condition | None:
    if not tree:
        return None
    return expressions.condition(tree.text, Place(file=file, line=tree.line, path=path))


def _permissions(file: str, tree: Tree, path: str) -> Permissions | None:
    if not tree or (tree.is_null and not tree.is_mapping):
        return None
    place = Place(file=file, line=tree.line, path=path)
    if tree.is_mapping:
        return Permissions(place=place, scopes={name: value.text for name, value in tree.items()})
    return Permissions(place=place, every=tree.text)


def _env(tree: Tree, scope: Scope) -> dict[str, str]:
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
    build: FoundBuild
    place: Place
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class _Level:
    """Where steps stand: in the job, or in a composite action that one of its steps uses."""

    file: str
    path: str
    within: Place | None = None
    conditions: tuple[Condition, ...] = ()
    depth: int = 0


class _Steps:
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
            self._session.builds += [self._made(job, found, combination) for found in self._found]
        return last

    def _made(self, job: Job, found: _Found, combination: Combination) -> Build:
        build, step = found.build, found.step
        fails = step.continue_on_error
        return Build(
            runner=build.runner,
            place=found.place,
            kind=self._kind,
            job=job,
            step=step,
            combination=combination,
            targets=tuple(build.targets),
            files=tuple(build.files),
            entries=tuple(build.entries),
            settings=build.settings.made(),
            env={**step.env, **build.env},
            conditions=(*self._conditions, *found.conditions, *build.conditions),
            ignores_failure=build.ignores_failure or (fails is not None and fails.text == "true"),
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
        own = _env(tree.get("env"), here)
        scope = here.with_env(own)
        expressions = scope.expressions()
        key = (level.file, at, level.within)
        step = self._steps.get(key)
        if step is None:
            step = self._steps[key] = self._recorded(tree, at, level, own, expressions)
        reached = (*level.conditions, step.condition) if step.condition else level.conditions
        if tree.get("if") and expressions.truth(tree.get("if").text) is False:
            return
        run = tree.get("run")
        if run and _BUILDS.search(run.text):
            self._run(run, scope, step, reached, ran)
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
            self._found.append(_Found(step, build, step.place, reached))

    def _recorded(self, tree: Tree, at: str, level: _Level, own: Mapping[str, str], expressions: Expressions) -> Step:
        """Make the step that the job has."""
        file = level.file

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
            condition=_condition(tree.get("if"), expressions, file, f"{at}.if"),
            continue_on_error=value("continue-on-error") if tree.get("continue-on-error") else None,
            within=level.within,
        )

    def _run(self, run: Tree, scope: Scope, step: Step, conditions: tuple[Condition, ...], ran: _Ran) -> None:
        """Find builds in a script, and what it leaves for later steps."""
        holes = self._holes
        file, path = step.place.file, f"{step.place.path}.run"
        shell = Shell(holes, scope.budget, scope.shell_env(), "variable {} is not set in this step")
        for command in shell.commands(scope.expressions().fill(run.text), run.line):
            self._found += [
                _Found(step, build, Place(file=file, line=build.line, path=path), conditions)
                for build in builds_in(command, holes, file, path)
            ]
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
        path, text = opened
        file = self._session.name(path)
        self._session.called.add(file)
        self._session.note(file, "action", text)
        try:
            with self._session.opened(file, text) as (action, budget):
                if action.get("runs", "using").text != "composite":
                    ran.is_whole = False
                    return False
                inputs = self._inputs(action, tree, scope.expressions())
                inner = replace(scope, budget=budget, inputs=inputs, inputs_are_whole=True, is_called=True, steps={})
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
        inputs = _defaults(action.get("inputs"), required_are_known=True)
        for key, value in list(inputs.items()):
            inputs[key] = expressions.fill(value) if isinstance(value, str) else as_text(value)
        for key, value in tree.get("with").items():
            inputs[key.lower()] = expressions.fill(value.text)
        return inputs


def _may_build(tree: Tree) -> bool:
    """Whether a step can build, or leave something for later steps."""
    run = tree.get("run")
    return bool(tree.get("uses")) if not run else _BUILDS.search(run.text) is not None
