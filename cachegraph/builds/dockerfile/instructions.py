"""The instructions of a Dockerfile, understood but not yet carried out (BuildKit ``instructions/commands.go``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cachegraph.builds.dockerfile.heredocs import Heredoc

__all__ = [
    "Add",
    "Arg",
    "Copy",
    "Declaration",
    "Env",
    "Expose",
    "Healthcheck",
    "Instruction",
    "Label",
    "Launch",
    "Maintainer",
    "OnBuild",
    "Pair",
    "Place",
    "Run",
    "Shell",
    "Stage",
    "StopSignal",
    "User",
    "Volume",
    "Workdir",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an instruction stands: its lines, from 1; its keyword as written; the comments right above."""

    start: int = 0
    end: int = 0
    keyword: str = ""
    text: str = ""
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """Any instruction but FROM."""

    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A name and a value; ``old`` if written with a blank between them."""

    name: str
    value: str
    old: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What ARG declares; ``value`` is its default, or None."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg(Instruction):
    """ARG."""

    declarations: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(Instruction):
    """ENV."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Instruction):
    """LABEL."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(Instruction):
    """COPY, and what ADD shares with it.

    Attributes
    ----------
    sources : tuple of str
        Paths, in the order in which they are written.
    documents : tuple of Heredoc
        Files that stand in the Dockerfile.
    target : str
    source : str
        The stage, image or context of ``--from``; empty for the build context.
    """

    sources: tuple[str, ...]
    documents: tuple[Heredoc, ...] = ()
    target: str
    source: str = ""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    parents: bool = False
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Copy):
    """ADD."""

    checksum: str = ""
    keep_git_dir: bool | None = None
    unpack: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Instruction):
    """RUN.

    Attributes
    ----------
    arguments : tuple of str
    in_shell : bool
        The arguments are one text for the shell.
    heredocs : tuple of Heredoc
    mounts : tuple of str
        The values of ``--mount``, to be read once variables are known.
    devices : tuple of (name, required)
    network : {"default", "none", "host"}
    insecure : bool
    """

    arguments: tuple[str, ...]
    in_shell: bool = True
    heredocs: tuple[Heredoc, ...] = ()
    mounts: tuple[str, ...] = ()
    devices: tuple[tuple[str, bool], ...] = ()
    network: str = "default"
    insecure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workdir(Instruction):
    """WORKDIR."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Instruction):
    """USER."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell(Instruction):
    """SHELL."""

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBuild(Instruction):
    """ONBUILD; ``trigger`` is the text of the instruction for later."""

    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch(Instruction):
    """CMD or ENTRYPOINT, which make no operation."""

    is_entrypoint: bool
    in_shell: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose(Instruction):
    """EXPOSE, which makes no operation."""

    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(Instruction):
    """VOLUME, which makes no operation."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignal(Instruction):
    """STOPSIGNAL, which makes no operation."""

    signal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthcheck(Instruction):
    """HEALTHCHECK, which makes no operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainer(Instruction):
    """MAINTAINER, which makes no operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage: what FROM says, and the instructions below it.

    Attributes
    ----------
    base : str
        As written: an image, a stage, ``scratch``, or a text with variables.
    name : str
        In lower case; empty if it has none.
    platform : str
        As written after ``--platform=``.
    """

    place: Place
    base: str
    name: str = ""
    platform: str = ""
    instructions: tuple[Instruction, ...] = ()
