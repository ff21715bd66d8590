"""What settings say: which builds run where, which caches each of them reads and writes, and what is not known of that.

::

    Repository
      files                      what was read
      jobs      Job              a job of a workflow or of .gitlab-ci.yml, with its steps
      builds    Build            one build: an action's, a command's, a target, a service; once for each combination
        entries   Entry          one value of cache-from or cache-to
          caches    Cache        what buildx makes of it: type and attributes
        settings  Settings       context, target, push, platforms and the other values
      unresolved Unresolved      where something was passed over, and why

A text is a `Value`: pieces of known text and `Unknown` pieces, such as ``app:cache-`` and ``github.ref_name``. Nothing
in here refuses: what is not known stays in its place, with its name and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cachegraph.lint.jobs import Combination, Job, Permissions, Step, Trigger
from cachegraph.lint.values import Choice, Condition, Direction, Part, Place, Unknown, Value
from cachegraph.loaders.specs.shown import shown

__all__ = [
    "Build",
    "Cache",
    "Choice",
    "Combination",
    "Condition",
    "Direction",
    "Entry",
    "Job",
    "Kind",
    "Part",
    "Permissions",
    "Place",
    "Repository",
    "Runner",
    "Settings",
    "SettingsFile",
    "Step",
    "Trigger",
    "Unknown",
    "Unresolved",
    "Value",
]

Kind = Literal[
    "workflow",
    "action",
    "bake",
    "compose",
    "gitlab",
    "shell",
    "makefile",
    "jenkinsfile",
    "devcontainer",
    "skaffold",
]
"""What a file is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """One cache as the builder is told of it.

    Attributes
    ----------
    type : Value
        As written; ``registry`` for a bare reference.
    attrs : mapping of str to Value
        All keys but ``type``, in lower case, untrimmed, in their order. Attributes hold secrets: show
        `Entry.shown`.
    """

    type: Value
    attrs: Mapping[str, Value] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value of ``--cache-from`` or ``--cache-to``.

    Attributes
    ----------
    direction : {"from", "to"}
    value : Value
        As buildx gets it.
    caches : tuple of Cache
        What buildx reads in it (`cachegraph.loaders.specs.entries`): none if it is empty, several if it lists
        references, none if it is not known well enough to tell keys from values.
    error : str or None
        What buildx says of it, if it refuses it.
    conditions : tuple of Condition
        Of this entry alone: the choice in ``${{ cond && 'type=gha' || '' }}``. Those of the build are the build's.
    is_addition : bool
        Written with ``+=``: it is added to those of the bake file.
    written : str
        The text as it stands in the file, before anything is filled in. Not in the repr.
    """

    direction: Direction
    value: Value
    caches: tuple[Cache, ...] = ()
    error: str | None = None
    conditions: tuple[Condition, ...] = ()
    is_addition: bool = False
    written: str = field(default="", repr=False)

    @property
    def place(self) -> Place:
        """Where it is written."""
        return self.value.place

    @property
    def is_resolved(self) -> bool:
        """Whether its caches are known, up to unknown pieces of attributes; also true of an empty one."""
        return bool(self.caches) or self.error is not None or self.value.is_empty

    @property
    def shown(self) -> str:
        """The text to print: ``*`` for what is unknown, credentials masked."""
        return shown(self.value.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """What runs a build.

    Attributes
    ----------
    kind : {"action", "build", "bake", "compose", "skaffold", "devcontainer"}
        ``action``: a step with ``uses:``; ``build``: a command ``docker build``, ``docker buildx build``,
        ``podman build`` or ``buildctl build``; ``bake``: a target of a bake file, or ``docker buildx bake``;
        ``compose``: a service of a compose file, or ``docker compose build``.
    name : str
        The action (``docker/build-push-action``), or the command's words (``docker buildx build``); empty where a file
        says what a build is and not what runs it.
    version : str
        What stands behind ``@`` of an action: ``v6``, a commit; empty for others.
    """

    kind: Literal["action", "build", "bake", "compose", "skaffold", "devcontainer"]
    name: str = ""
    version: str = ""

    @property
    def runs_bake(self) -> bool:
        """Whether it is bake with a file, and not a target of one."""
        return self.name.endswith("bake-action") or (self.kind == "bake" and bool(self.name))

    @property
    def reads_file(self) -> bool:
        """Whether it builds what a bake or compose file says, so that contexts and Dockerfiles stand there."""
        return self.runs_bake or (self.kind == "compose" and bool(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a build beside its caches; None where nothing is written.

    Attributes
    ----------
    context, dockerfile, target, builder, push, load, no_cache, pull, network, shm_size : Value or None
        As written: ``push`` is the text ``true``. A flag of a command is the text ``true``. ``dockerfile`` is from the
        context for bake and compose, else from where the build starts.
    provenance, sbom, dockerfile_inline : Value or None
    outputs, platforms, tags, secrets, ssh, allow, no_cache_filter, hosts, ulimits, attests : tuple of Value
    args, contexts : mapping of str to Value
        An argument without a value, taken from the environment, has an unknown one.
    """

    context: Value | None = None
    dockerfile: Value | None = None
    dockerfile_inline: Value | None = None
    target: Value | None = None
    builder: Value | None = None
    push: Value | None = None
    load: Value | None = None
    no_cache: Value | None = None
    pull: Value | None = None
    provenance: Value | None = None
    sbom: Value | None = None
    network: Value | None = None
    shm_size: Value | None = None
    outputs: tuple[Value, ...] = ()
    platforms: tuple[Value, ...] = ()
    tags: tuple[Value, ...] = ()
    secrets: tuple[Value, ...] = ()
    ssh: tuple[Value, ...] = ()
    allow: tuple[Value, ...] = ()
    no_cache_filter: tuple[Value, ...] = ()
    hosts: tuple[Value, ...] = ()
    ulimits: tuple[Value, ...] = ()
    attests: tuple[Value, ...] = ()
    args: Mapping[str, Value] = field(default_factory=dict)
    contexts: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build, in one combination of its job's matrix.

    Attributes
    ----------
    runner : Runner
    place : Place
        Of the step, the command, the target or the service.
    kind : str
        Of the file: ``workflow``, ``bake``, ...
    job : Job or None
        None for files that no job is in.
    step : Step or None
        In ``job.steps``.
    combination : Combination
    name : str
        Of the target or service; for other builds empty.
    targets : tuple of Value
        What a bake or compose command is asked to build, as written; empty for all (``default``).
    files : tuple of Value
        Of a bake or compose command or action: the files it is given (``-f``); empty for the usual ones.
    entries : tuple of Entry
        In their order. Of a bake target, with what it inherits.
    settings : Settings
    env : mapping of str to Value
        Variables that the build runs with, as far as the file says.
    directory : Value or None
        Where it starts, from the root: ``working-directory`` of a script, ``workdir`` of ``docker/bake-action``. None
        for the root, and where the file does not say.
    conditions : tuple of Condition
        Of the caller, job and step, outermost first.
    ignores_failure : bool
        ``|| true`` behind the command, or ``continue-on-error: true``.
    unread : tuple of Value
        What may hold more options, entries among them, and is not known: ``docker build $FLAGS .``, ``set: ${{ .. }}``.
        With one of them, nothing that the build lacks is certain.
    is_abstract : bool
        A bake target that others inherit and no group names: it is not built for itself, and its entries are again
        with those that inherit them.
    """

    runner: Runner
    place: Place
    kind: Kind
    job: Job | None = None
    step: Step | None = None
    combination: Combination = field(default_factory=Combination)
    name: str = ""
    targets: tuple[Value, ...] = ()
    files: tuple[Value, ...] = ()
    entries: tuple[Entry, ...] = ()
    settings: Settings = field(default_factory=Settings)
    env: Mapping[str, Value] = field(default_factory=dict)
    directory: Value | None = None
    conditions: tuple[Condition, ...] = ()
    ignores_failure: bool = False
    unread: tuple[Value, ...] = ()
    is_abstract: bool = False

    @property
    def reads(self) -> tuple[Entry, ...]:
        """Its ``cache-from``."""
        return tuple(entry for entry in self.entries if entry.direction == "from")

    @property
    def writes(self) -> tuple[Entry, ...]:
        """Its ``cache-to``."""
        return tuple(entry for entry in self.entries if entry.direction == "to")

    @property
    def events(self) -> frozenset[str]:
        """The events that it may run in; empty if the file does not tell, or if its conditions exclude all."""
        return self.events_of(())

    def events_of(self, more: tuple[Condition, ...]) -> frozenset[str]:
        """Give the events that it may run in with more conditions, such as those of an entry."""
        events = self.job.events if self.job else frozenset()
        return events.difference(*(condition.never for condition in (*self.conditions, *more)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """Something that was passed over.

    Attributes
    ----------
    place : Place
    reason : str
        What is not known, and what would tell.
    direction : {"from", "to"} or None
        Of an entry; None for a whole build, target or file that is included.
    """

    place: Place
    reason: str
    direction: Direction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """A file that was read.

    Attributes
    ----------
    name : str
        As in `Place.file`.
    kind : str
    text : str
        What stands in it, to mend lines of. Not in the repr.
    """

    name: str
    kind: Kind
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """All settings that were read together.

    Attributes
    ----------
    files : tuple of SettingsFile
    jobs : tuple of Job
    builds : tuple of Build
        In the order of files; those of a job one combination after the other.
    unresolved : tuple of Unresolved
    failures : tuple of Unresolved
        Files that could not be read; ``place.line`` where that is known.
    default_branch : str
        Empty if it is not known.
    groups : mapping of str to mapping of str to sequence of str
        Of bake files, by the first file of those that are read together: the members of each group, groups among them.
    """

    files: tuple[SettingsFile, ...] = ()
    jobs: tuple[Job, ...] = ()
    builds: tuple[Build, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    failures: tuple[Unresolved, ...] = ()
    default_branch: str = ""
    groups: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    @property
    def entries(self) -> tuple[tuple[Build, Entry], ...]:
        """Each entry with its build."""
        return tuple((build, entry) for build in self.builds for entry in build.entries)
