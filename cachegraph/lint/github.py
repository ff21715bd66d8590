"""GitHub's contexts: what ``github``, ``env``, ``inputs`` and ``matrix`` hold where an expression stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.expression_values import child
from cachegraph.lint.expressions import Expressions, Lookup
from cachegraph.lint.session import Session
from cachegraph.lint.values import Value

__all__ = ["Scope"]

_PULL = frozenset({"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"})
_FIXED = {
    "server_url": "https://github.com",
    "api_url": "https://api.github.com",
    "graphql_url": "https://api.github.com/graphql",
}
_RUNNERS = {"ubuntu": "Linux", "windows": "Windows", "macos": "macOS"}
_SHELL = (
    *("repository", "repository_owner", "sha", "ref", "ref_name", "ref_type", "head_ref", "base_ref", "actor"),
    *("run_id", "run_number", "run_attempt", "event_name", "workflow", "job", "server_url", "api_url", "workspace"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where expressions stand: a workflow, a job, a step.

    Attributes
    ----------
    session : Session
    budget : ExpansionBudget
    workflow, job : str
    events : tuple of str
        Those that start it; empty if that is not known.
    branches : tuple of str
        The branches that ``push`` is limited to, if they are plain names and no tags start it.
    env : mapping of str to str
        With holes.
    env_is_whole : bool
        Whether nothing else can be set: no step before could have added to it.
    inputs : mapping of str to object
        Of a called workflow or action, and of ``workflow_dispatch`` where nothing else starts it.
    inputs_are_whole : bool
        Whether an input that is not in there is empty, rather than given by a caller that is not read.
    is_called : bool
        Whether ``inputs`` hold in every event.
    matrix : mapping of str to object
    matrix_is_whole : bool
    steps : mapping of str to mapping of str to str
        Outputs of steps by id, as far as they are known.
    needs : mapping of str to mapping of str to str
        Outputs of jobs.
    runs_on : str
    directory : Value or None
        Where scripts run that do not say it.
    """

    session: Session
    budget: ExpansionBudget
    workflow: str = ""
    job: str = ""
    events: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    env_is_whole: bool = True
    inputs: Mapping[str, object] = field(default_factory=dict)
    inputs_are_whole: bool = False
    is_called: bool = False
    matrix: Mapping[str, object] = field(default_factory=dict)
    matrix_is_whole: bool = True
    steps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    needs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    runs_on: str = ""
    directory: Value | None = None

    def expressions(self) -> Expressions:
        """Work out expressions here."""
        events = tuple(event for event in self.events if event != "workflow_call") if self.is_called else self.events
        key = (self.workflow, self.job, self.branches, self.is_called)
        return Expressions(self.session.holes, self.budget, self.lookup(), events, self.lookup, key)

    def with_env(self, more: Mapping[str, str]) -> Scope:
        """Add to the environment."""
        return replace(self, env={**self.env, **more}) if more else self

    def lookup(self, event: str = "", ref: str | None = None) -> Lookup:
        """Give what names stand for, in any event or in one, on any ref or on one (``""``: the default branch)."""

        def find(path: tuple[str, ...]) -> object:
            context, rest = path[0], path[1:]
            name = rest[0] if rest else ""
            match context:
                case "github":
                    return self._github(rest, event, ref)
                case "env" if name:
                    return self._env(name)
                case "vars" if name:
                    known = self.session.around.variables.get(name)
                    return known if known is not None else self._hole(path, "it is a variable of the repository")
                case "inputs" if name:
                    return self._input(rest, event)
                case "matrix":
                    return self._matrix(rest)
                case "steps" if len(rest) >= 3 and rest[1] == "outputs" and rest[2] in self.steps.get(name, {}):
                    return self.steps[name][rest[2]]
                case "needs" if len(rest) >= 3 and rest[1] == "outputs" and rest[2] in self.needs.get(name, {}):
                    return self.needs[name][rest[2]]
                case "runner" if name in ("os", "arch") and self.runs_on:
                    return self._runner(name)
                case "secrets":
                    return self._hole(path, "it is a secret")
            return self._hole(path, "")

        return find

    def _hole(self, path: tuple[str, ...], why: str) -> str:
        name = ".".join(path)
        reason = f"${{{{ {name} }}}} is known only while the workflow runs"
        return self.session.holes.hole(name, f"{reason}: {why}" if why else reason, name)

    def _env(self, name: str) -> object:
        if name in self.env:
            return self.env[name]
        if self.env_is_whole and not name.startswith(("GITHUB_", "RUNNER_", "DOCKER_", "ACTIONS_", "BUILDX_")):
            return ""
        return self._hole(("env", name), "no env: of this file sets it")

    def _input(self, path: tuple[str, ...], event: str) -> object:
        name = path[0].lower()
        if event and not self.is_called and event not in ("workflow_dispatch", "workflow_call"):
            return None
        if name in self.inputs:
            value = self.inputs[name]
            for key in path[1:]:
                value = child(value, key)
            return value
        if self.inputs_are_whole:
            return ""
        return self._hole(("inputs", *path), "whoever starts it gives it")

    def _matrix(self, path: tuple[str, ...]) -> object:
        if not path:
            return dict(self.matrix) if self.matrix_is_whole else self._hole(("matrix",), "")
        value: object = dict(self.matrix)
        for depth, key in enumerate(path):
            below = child(value, key)
            if below is None and not self.matrix_is_whole and depth == 0:
                return self._hole(("matrix", *path), "the matrix is made while it runs")
            value = below
        return value

    def _runner(self, name: str) -> object:
        image = self.runs_on.lower()
        system = next((given for start, given in _RUNNERS.items() if image.startswith(start)), "")
        if not system:
            return self._hole(("runner", name), "it depends on the runner")
        if name == "os":
            return system
        return "ARM64" if "arm" in image or (system == "macOS" and "13" not in image) else "X64"

    def _github(self, path: tuple[str, ...], event: str, ref: str | None) -> object:
        name = path[0] if path else ""
        around = self.session.around
        owner, _, repository = around.repository.partition("/")
        known: dict[str, object] = {}
        if owner:
            known = {"repository": around.repository, "repository_owner": owner}
        if name in known or name in _FIXED:
            return known.get(name) or _FIXED[name]
        if name == "workflow" and self.workflow:
            return self.workflow
        if name == "job" and self.job:
            return self.job
        if name == "event":
            return self._event(path[1:], event, repository)
        started = (event,) if event else tuple(one for one in self.events if one != "workflow_call")
        if name == "event_name":
            if len(started) == 1:
                return started[0]
        elif name in ("ref", "ref_name", "ref_type", "head_ref", "base_ref"):
            found = self._ref(name, started, ref)
            if found is not None:
                return found
        if name in around.run and not event:
            return around.run[name]
        return self._hole(("github", *path), "")

    def _ref(self, name: str, started: tuple[str, ...], ref: str | None) -> object:
        """Tell what is known of the ref; None if it is nothing."""
        pulls = [event in _PULL for event in started]
        if name in ("head_ref", "base_ref"):
            return "" if started and not any(pulls) else None
        if ref is not None:
            text = ref or self._branch()
            if name == "ref_type":
                return "tag" if text.startswith("refs/tags/") else "branch"
            return text if name == "ref" else text.split("/", 2)[2]
        if started and all(event == "pull_request" for event in started) and name != "ref_type":
            number = self._hole(("github", "event", "number"), "")
            return f"refs/pull/{number}/merge" if name == "ref" else f"{number}/merge"
        if started == ("push",) and len(self.branches) == 1:
            return {"ref": f"refs/heads/{self.branches[0]}", "ref_name": self.branches[0], "ref_type": "branch"}[name]
        if started == ("push",) and self.branches and name == "ref_type":
            return "branch"
        return None

    def _branch(self) -> str:
        branch = self.session.around.default_branch
        return f"refs/heads/{branch or self._hole(('github', 'event', 'repository', 'default_branch'), '')}"

    def _event(self, path: tuple[str, ...], event: str, repository: str) -> object:
        name = path[0] if path else ""
        if name == "inputs" and len(path) == 2:
            return self._input(path[1:], event)
        if name == "repository" and len(path) == 2 and repository:
            known = {
                "name": repository,
                "full_name": self.session.around.repository,
                "default_branch": self.session.around.default_branch,
            }
            if known.get(path[1]):
                return known[path[1]]
        started = (event,) if event else self.events
        if name == "pull_request" and started and not any(one in _PULL or one == "workflow_call" for one in started):
            return None
        return self._hole(("github", "event", *path), "")

    def shell_env(self) -> dict[str, str]:
        """Give the variables of a script: the runner's, and the environment."""
        find = self.lookup()
        runner = {f"GITHUB_{name.upper()}": str(find(("github", name)) or "") for name in _SHELL}
        return {"CI": "true", "GITHUB_ACTIONS": "true", **runner, **self.env}
