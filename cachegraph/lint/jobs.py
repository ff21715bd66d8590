"""Jobs of GitHub and GitLab: what starts them, what they may do, and their steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cachegraph.lint.values import Condition, Place, Value

__all__ = ["Combination", "Job", "Permissions", "Step", "Trigger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """One combination of a matrix, of GitHub, GitLab or bake.

    Attributes
    ----------
    values : mapping of str to str
        By name; a nested one by its path, ``config.tag``.
    is_known : bool
        False if the matrix is made in a run (``fromJSON(needs...)``): then it stands for all combinations, and what
        ``values`` lacks is unknown.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    is_known: bool = True

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.values.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """An event that starts a workflow.

    Attributes
    ----------
    event : str
        ``push``, ``pull_request``, ``workflow_call``, ...
    place : Place
    branches, branches_ignore, tags, tags_ignore, types, paths : tuple of str
        The filters as written.
    """

    event: str
    place: Place
    branches: tuple[str, ...] = ()
    branches_ignore: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tags_ignore: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What ``permissions:`` gives a job: its own, else its workflow's.

    Attributes
    ----------
    place : Place
    every : str
        ``read-all`` or ``write-all`` where that stands; else empty.
    scopes : mapping of str to str
        ``packages: write``. With a mapping, what is not named is ``none``.
    """

    place: Place
    every: str = ""
    scopes: Mapping[str, str] = field(default_factory=dict)

    def of(self, scope: str) -> str:
        """Say ``read``, ``write`` or ``none`` of a scope such as ``packages``."""
        return self.every.removesuffix("-all") if self.every else self.scopes.get(scope, "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a GitHub job, or the script of a GitLab job.

    Attributes
    ----------
    index : int
        In the job's ``steps``.
    place : Place
    name, id : str
    action, version : str
        Of ``uses:``, at the last ``@``; empty for a step that runs a script. ``./.github/actions/x`` has no version.
    run : Value or None
        The script; expressions filled in as far as they are known, shell variables left as they are.
    inputs : mapping of str to Value
        ``with:``, keys in lower case.
    env : mapping of str to Value
        Its own ``env:``.
    directory : Value or None
        Where its script runs: its own ``working-directory``, else that of the job's or the workflow's
        ``defaults.run``; None for the root, and for an action.
    condition : Condition or None
    continue_on_error : Value or None
    within : Place or None
        The ``uses:`` of the composite action that this step is of; None for a step of the job itself.
    """

    index: int
    place: Place
    name: str = ""
    id: str = ""
    action: str = ""
    version: str = ""
    run: Value | None = None
    inputs: Mapping[str, Value] = field(default_factory=dict)
    env: Mapping[str, Value] = field(default_factory=dict)
    directory: Value | None = None
    condition: Condition | None = None
    continue_on_error: Value | None = None
    within: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job of a workflow, or of GitLab. A called workflow's job is there once for each call.

    Attributes
    ----------
    system : {"github", "gitlab"}
    file : str
        The workflow's.
    workflow : str
        Its ``name:``, else its file.
    name : str
        Its key in ``jobs:``; ``runs`` for a composite action that nothing here calls.
    place : Place
    caller : Job or None
        The job with ``uses:`` that calls this workflow.
    triggers : tuple of Trigger
        Of its workflow; of a called one, the caller's. Empty if a file does not tell (GitLab, composite actions).
    combinations : tuple of Combination
        At least one; one without values if there is no matrix.
    permissions : Permissions or None
        None if nothing is written: then the repository's setting holds.
    steps : tuple of Step
        With the steps of this repository's own composite actions put in. Values of the matrix are unknown here; in
        `Build` they are filled in.
    needs : tuple of str
    runs_on : tuple of Value
    condition : Condition or None
    env : mapping of str to Value
        Of the workflow and the job.
    services : tuple of str
        Images of ``services:``, such as ``docker:dind``.
    environment : str
        Of deployment.
    """

    system: Literal["github", "gitlab"]
    file: str
    workflow: str
    name: str
    place: Place
    caller: Job | None = None
    triggers: tuple[Trigger, ...] = ()
    combinations: tuple[Combination, ...] = (Combination(),)
    permissions: Permissions | None = None
    steps: tuple[Step, ...] = ()
    needs: tuple[str, ...] = ()
    runs_on: tuple[Value, ...] = ()
    condition: Condition | None = None
    env: Mapping[str, Value] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    environment: str = ""

    @property
    def events(self) -> frozenset[str]:
        """The events that start it."""
        return frozenset(trigger.event for trigger in self.triggers)

    def uses(self, *actions: str) -> tuple[Step, ...]:
        """Give its steps with one of these actions (``docker/setup-buildx-action``), in order."""
        return tuple(step for step in self.steps if step.action in actions)

    @property
    def logins(self) -> tuple[Step, ...]:
        """Its steps that log in to a registry: with an action, or with ``docker login`` and the like."""
        return tuple(step for step in self.steps if _logs_in(step))


_LOGIN_ACTIONS = frozenset({"login-action", "amazon-ecr-login", "docker-login", "gcr-login", "gcloud-docker-login"})
_LOGIN_COMMANDS = ("docker login", "docker-credential", "podman login", "az acr login", "gcloud auth configure-docker")


def _logs_in(step: Step) -> bool:
    if step.action.rpartition("/")[2] in _LOGIN_ACTIONS:
        return True
    return step.run is not None and any(command in step.run.pattern for command in _LOGIN_COMMANDS)
