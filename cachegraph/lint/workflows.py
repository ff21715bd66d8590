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

from collections.abc import Mapping
from dataclasses import replace

from cachegraph.errors import CacheGraphError
from cachegraph.lint.documents import Tree
from cachegraph.lint.expressions import Expressions
from cachegraph.lint.github import Scope
from cachegraph.lint.matrices import Row, combinations_of, flat
from cachegraph.lint.model import Combination, Job, Permissions, Trigger
from cachegraph.lint.session import Session
from cachegraph.lint.steps import Steps, condition_of, defaults_of, env_of
from cachegraph.lint.values import Condition, Place, Value

__all__ = ["read_action", "read_workflow"]

_FILTERS = ("branches", "branches-ignore", "tags", "tags-ignore", "types", "paths")
_DEEPEST = 4
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
    _Workflow(session, file, tree, scope, _triggers(file, tree), None, ()).read()


def read_action(session: Session, file: str, tree: Tree, scope: Scope) -> None:
    """Read a composite action that nothing here calls: its inputs have their defaults."""
    inputs = defaults_of(tree.get("inputs"))
    place = Place(file=file, line=tree.get("runs").line, path="runs")
    job = Job(system="github", file=file, workflow=tree.get("name").text or file, name="runs", place=place)
    given = replace(scope, inputs=inputs, env_is_whole=False, is_called=True)
    Steps(session, file, "runs", "action", tree.get("runs"), job, given, ()).read([(given, Combination())])


def _triggers(file: str, tree: Tree) -> tuple[Trigger, ...]:
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
        self._scope = scope.with_env(env_of(tree.get("env"), scope))

    def _started(self, scope: Scope, events: tuple[str, ...]) -> Scope:
        """Give the inputs of a workflow that nothing here calls."""
        if set(events) == {"workflow_call"}:
            inputs = defaults_of(self._tree.get("on", "workflow_call", "inputs"))
            return replace(scope, inputs=inputs, is_called=True)
        if set(events) == {"workflow_dispatch"}:
            return replace(scope, inputs=defaults_of(self._tree.get("on", "workflow_dispatch", "inputs")))
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
        condition = condition_of(tree.get("if"), unknown.expressions(), file, f"{path}.if")
        unknown = unknown.with_env(env_of(tree.get("env"), unknown))
        unknown = replace(unknown, directory=self._directory(tree, path, unknown))
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
                    unknown.expressions().fill(one.text), Place(file=file, line=one.line, path=f"{path}.runs-on")
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
            scope = replace(scope, directory=self._directory(tree, path, scope))
            held = scope.expressions().truth(tree.get("if").text) if tree.get("if") else None
            if held is not False or condition is None or condition.text in ("false", "False"):
                scopes.append((scope, combination))
        if tree.get("uses"):
            self._session.jobs.append(job)
            for scope, _ in scopes[:1] if not matrix else scopes:
                self._call(tree, job, scope, conditions)
            return
        steps = Steps(self._session, file, path, "workflow", tree, job, unknown, conditions)
        last = steps.read(scopes)
        if not matrix and tree.get("outputs"):
            filled = last.expressions()
            self._outputs[name] = {key: filled.fill(value.text) for key, value in tree.get("outputs").items()}

    def _of_row(self, base: Scope, tree: Tree, row: Row, *, is_whole: bool) -> Scope:
        scope = replace(base, matrix=row, matrix_is_whole=is_whole)
        labels = _runs_on(tree)
        if labels:
            scope = replace(scope, runs_on=scope.expressions().fill(labels[0].text))
        return scope.with_env(env_of(tree.get("env"), scope))

    def _directory(self, tree: Tree, path: str, scope: Scope) -> Value | None:
        """Tell where the scripts of a job run that do not say it."""
        for owner, at in ((tree, f"{path}."), (self._tree, "")):
            if one := owner.get("defaults", "run", "working-directory"):
                place = Place(file=self._file, line=one.line, path=f"{at}defaults.run.working-directory")
                return self._session.holes.value(scope.expressions().fill(one.text), place)
        return None

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
        file = self._session.called_file("workflow", found)
        try:
            with self._session.opened(file, found[1]) as (called, budget):
                expressions = scope.expressions()
                declared = called.get("on", "workflow_call", "inputs")
                inputs = defaults_of(declared, required_are_known=True)
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


def _permissions(file: str, tree: Tree, path: str) -> Permissions | None:
    if not tree or (tree.is_null and not tree.is_mapping):
        return None
    place = Place(file=file, line=tree.line, path=path)
    if tree.is_mapping:
        return Permissions(place=place, scopes={name: value.text for name, value in tree.items()})
    return Permissions(place=place, every=tree.text)
