"""Operations while a Dockerfile is still being read: some of them are only settled once all of it is (``client/llb``).

A named context, for example, is narrowed to the paths that all instructions together take from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import msgspec

from cachegraph.builds import llb
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.operations import Label, Operation, Origin

__all__ = [
    "FileStep",
    "FileVertex",
    "LocalVertex",
    "Made",
    "MergeVertex",
    "RunMount",
    "RunVertex",
    "Slot",
    "SourceVertex",
    "Vertex",
]

_numbers = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a vertex becomes."""

    op: llb.AnyOp
    inputs: Sequence[Operation] = ()
    platform: llb.Platform | None = None
    origin: Origin | None = None
    unknown: Unknown | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Vertex(ABC):
    """An operation to be. Vertices are numbered as they are made, which is an order from inputs to what takes them.

    ``ignores_cache`` is of a step that ``--no-cache`` or ``--no-cache-filter`` makes run.
    """

    label: Label
    ignores_cache: bool = False
    number: int = field(default_factory=lambda: next(_numbers), init=False)

    @abstractmethod
    def inputs(self) -> Iterable[Vertex]:
        """Give what it takes."""

    @abstractmethod
    def make(self, settled: Mapping[Vertex, Operation], platform: llb.Platform) -> Made:
        """Settle it.

        Parameters
        ----------
        settled : mapping of Vertex to Operation
            Its inputs.
        platform : llb.Platform
            Of operations that name none.
        """


@dataclass(slots=True, kw_only=True, eq=False)
class SourceVertex(Vertex):
    """An image, a folder, a repository or a file behind an address."""

    identifier: str
    attributes: dict[str, str] = field(default_factory=dict)
    origin: Origin | None = None
    platform: llb.Platform | None = None
    unknown: Unknown | None = None

    def inputs(self) -> Iterable[Vertex]:
        """Give nothing."""
        return ()

    def make(self, settled: Mapping[Vertex, Operation], platform: llb.Platform) -> Made:  # noqa: ARG002 - it has no inputs
        """Settle it."""
        op = llb.AnyOp(source=llb.SourceOp(identifier=self.identifier, attrs=dict(self.attributes)))
        is_image = self.identifier.startswith(("docker-image://", "oci-layout://"))
        return Made(
            op=op,
            platform=(self.platform or platform) if is_image else None,
            origin=self.origin,
            unknown=self.unknown,
        )


@dataclass(slots=True, kw_only=True, eq=False)
class LocalVertex(SourceVertex):
    """A folder of the client, narrowed to the paths that instructions take from it.

    Attributes
    ----------
    paths : set of str
        Filled while instructions are carried out; with ``/`` in it, all of the folder is sent.
    """

    paths: set[str] = field(default_factory=set)

    def make(self, settled: Mapping[Vertex, Operation], platform: llb.Platform) -> Made:
        """Settle it."""
        if self.paths and "/" not in self.paths:
            self.attributes["local.followpaths"] = msgspec.json.encode(sorted(path[1:] for path in self.paths)).decode()
        return super(LocalVertex, self).make(settled, platform)


@dataclass(slots=True, kw_only=True, eq=False)
class Slot(Vertex):
    """Stands for a source that is only known once all instructions are: the build context."""

    source: Vertex | None = None

    def inputs(self) -> Iterable[Vertex]:
        """Give nothing; `settle` follows the source."""
        return ()

    def make(self, settled: Mapping[Vertex, Operation], platform: llb.Platform) -> Made:  # noqa: ARG002 - never called
        """Stand in for the source, which is settled in its place."""
        raise AssertionError("a slot is followed to its source, never settled")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMount:
    """A mount of RUN: what is mounted where. ``source`` is None for an empty folder."""

    target: str
    source: Vertex | None = None
    readonly: bool = False
    no_output: bool = False
    selector: str = ""
    cache: llb.CacheOpt | None = None
    tmpfs: llb.TmpfsOpt | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class RunVertex(Vertex):
    """RUN."""

    meta: llb.Meta
    mounts: tuple[RunMount, ...]
    last_mounts: tuple[llb.Mount, ...] = ()
    secret_env: tuple[llb.SecretEnv, ...] = ()
    devices: tuple[llb.CDIDevice, ...] = ()
    network: int = 0
    insecure: bool = False
    platform: llb.Platform | None = None
    unknown: Unknown | None = None

    def inputs(self) -> Iterable[Vertex]:
        """Give what is mounted."""
        return [mount.source for mount in self.mounts if mount.source is not None]

    def make(self, settled: Mapping[Vertex, Operation], platform: llb.Platform) -> Made:
        """Mirror ``ExecOp.Marshal``: mounts by target, each input once, outputs numbered."""
        inputs: list[Operation] = []
        mounts: list[llb.Mount] = []
        outputs = 0
        for mount in sorted(self.mounts, key=lambda mount: mount.target.encode(errors="surrogateescape")):
            has_output = not (mount.readonly or mount.no_output or mount.cache or mount.tmpfs)
            mounts.append(
                llb.Mount(
                    input=-1 if mount.source is None else _place(inputs, settled[mount.source]),
                    selector=mount.selector,
                    dest=mount.target,
                    output=outputs if has_output else -1,
                    readonly=mount.readonly,
                    mount_type=3 if mount.cache else 4 if mount.tmpfs else 0,
                    tmpfs_opt=mount.tmpfs,
                    cache_opt=mount.cache,
                )
            )
            outputs += has_output
        op = llb.Exec(
            meta=self.meta,
            mounts=(*mounts, *self.last_mounts),
            network=self.network,
            security=int(self.insecure),
            secretenv=self.secret_env,
            cdi_devices=self.devices,
        )
        return Made(op=llb.AnyOp(exec=op), inputs=inputs, platform=self.platform or platform, unknown=self.unknown)


def _place(inputs: list[Operation], wanted: Operation) -> int:
    """Give the place of an operation among the inputs; add it if an equal one is not there."""
    for place, operation in enumerate(inputs):
        if operation.identity == wanted.identity:
            return place
    inputs.append(wanted)
    return len(inputs) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStep:
    """One action of a file operation; ``source`` is what a copy takes from, None for nothing."""

    action: llb.AnyAction
    source: Vertex | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class FileVertex(Vertex):
    """COPY, ADD, WORKDIR, and the files that heredocs make. ``base`` is None on scratch."""

    base: Vertex | None = None
    steps: tuple[FileStep, ...]
    unknown: Unknown | None = None

    def inputs(self) -> Iterable[Vertex]:
        """Give the base and the sources."""
        return [vertex for vertex in (self.base, *(step.source for step in self.steps)) if vertex is not None]

    def make(self, settled: Mapping[Vertex, Operation], platform: llb.Platform) -> Made:  # noqa: ARG002 - the same on all
        """Mirror ``FileOp.Marshal``: each action goes on from the one before."""
        inputs: list[Operation] = []
        base = -1 if self.base is None else _place(inputs, settled[self.base])
        sources = [-1 if step.source is None else _place(inputs, settled[step.source]) for step in self.steps]
        last = len(self.steps) - 1
        actions = tuple(
            llb.FileAction(
                input=base if number == 0 else len(inputs) + number - 1,
                secondary_input=source,
                output=0 if number == last else -1,
                action=step.action,
            )
            for number, (step, source) in enumerate(zip(self.steps, sources, strict=True))
        )
        return Made(op=llb.AnyOp(file=llb.File(actions=actions)), inputs=inputs, unknown=self.unknown)


@dataclass(slots=True, kw_only=True, eq=False)
class MergeVertex(Vertex):
    """What ``--link`` makes: a stage and the layer beside it."""

    parts: tuple[Vertex, ...]
    unknown: Unknown | None = None

    def inputs(self) -> Iterable[Vertex]:
        """Give the parts."""
        return self.parts

    def make(self, settled: Mapping[Vertex, Operation], platform: llb.Platform) -> Made:  # noqa: ARG002 - the same on all
        """Mirror ``MergeOp.Marshal``."""
        merge = llb.Merge(inputs=tuple(llb.MergeInput(input=number) for number in range(len(self.parts))))
        inputs = [settled[part] for part in self.parts]
        return Made(op=llb.AnyOp(merge=merge), inputs=inputs, unknown=self.unknown)
