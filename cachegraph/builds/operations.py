"""The graph of operations that a frontend makes: what BuildKit calls LLB, before keys are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from cachegraph.builds import llb
from cachegraph.builds.content.unknown import Unknown

__all__ = ["GitOrigin", "HttpOrigin", "ImageOrigin", "Label", "LocalOrigin", "Operation", "Origin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """How people call an operation.

    Attributes
    ----------
    name : str
        The instruction's text, or what BuildKit prints for its own operations.
    stage : str
    start, end : int
        Lines of the Dockerfile, from 1; 0 for an operation that no line asks for.
    """

    name: str
    stage: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOrigin:
    """An image; its files are those of one platform."""

    reference: str
    digest: str
    platform: llb.Platform
    layout: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOrigin:
    """A folder of the client: ``context``, or the name of a named context."""

    name: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOrigin:
    """A repository. The fields are those that BuildKit makes a key of."""

    remote: str
    ref: str = ""
    subdir: str = ""
    checksum: str = ""
    mtime: str = ""
    keep_git_dir: bool = False
    skip_submodules: bool = False
    fetch_by_commit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOrigin:
    """A file behind an address; ``checksum`` is empty where the Dockerfile gives none."""

    url: str
    filename: str
    checksum: str = ""


Origin = ImageOrigin | LocalOrigin | GitOrigin | HttpOrigin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """An operation and what it takes.

    Attributes
    ----------
    op : llb.AnyOp
    inputs : tuple of Operation
        Each stands for its output 0, the only one that a Dockerfile uses.
    platform : llb.Platform or None
        Of an exec and an image.
    label : Label
    origin : Origin or None
        Of a source.
    unknown : Unknown or None
        Why the operation itself cannot be known.
    identity : str
        Equal for operations that BuildKit takes for one.
    """

    op: llb.AnyOp
    inputs: tuple[Operation, ...] = ()
    platform: llb.Platform | None = None
    label: Label
    origin: Origin | None = None
    unknown: Unknown | None = None
    identity: str = field(default="")

    @staticmethod
    def identify(
        op: llb.AnyOp,
        inputs: Sequence[Operation],
        platform: llb.Platform | None,
        origin: Origin | None,
        unknown: Unknown | None,
    ) -> str:
        """Hash what makes an operation the same as another."""
        parts = [msgspec.json.encode((op, platform)), repr((origin, unknown)).encode(errors="surrogateescape")]
        parts += [operation.identity.encode() for operation in inputs]
        return sha256(b"\0".join(parts)).hexdigest()
