"""A build given as its operations: a definition of LLB (protobuf, or ``buildctl debug dump-llb``), or provenance.

::

    {"Op": {"inputs": [{"digest": "sha256:1f..", "index": 0}], "Op": {"exec": {..}}, "platform": {..}},
     "Digest": "sha256:8a..", "OpMetadata": {"description": {"llb.customname": "[2/3] RUN make"}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from cachegraph.builds import llb
from cachegraph.builds.dockerbuild.operations import read_operations
from cachegraph.builds.protobuf import Described, decode_definition
from cachegraph.core.digests import sha256
from cachegraph.core.untrusted import decode_json, known_json
from cachegraph.errors import DecodeError

__all__ = ["Definition", "Given", "read_definition", "read_recorded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An operation that is given.

    Attributes
    ----------
    op : llb.Op
    inputs : tuple of (str, int)
        Name of an operation, and its output.
    described : Described
    """

    op: llb.Op
    inputs: tuple[tuple[str, int], ...] = ()
    described: Described = field(default_factory=Described)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A build.

    Attributes
    ----------
    given : dict of str to Given
        By name.
    images : mapping of str to str
        Digests of images that the build resolved, by the identifier's reference; empty of a definition.
    """

    given: dict[str, Given]
    images: Mapping[str, str] = field(default_factory=dict)


class _Input(msgspec.Struct, frozen=True):
    digest: str = ""
    index: int = 0


class _DumpedOp(llb.Op, frozen=True):
    inputs: tuple[_Input, ...] | None = None


class _Metadata(msgspec.Struct, frozen=True):
    description: dict[str, str] | None = None
    ignore_cache: bool = False


class _Dumped(msgspec.Struct, frozen=True):
    op: _DumpedOp = msgspec.field(name="Op")
    digest: str = msgspec.field(name="Digest")
    metadata: _Metadata | None = msgspec.field(name="OpMetadata", default=None)


_DUMPED = msgspec.json.Decoder(_Dumped)


class _ImageKey(msgspec.Struct, frozen=True, gc=False):
    """What an image's key is made of."""

    digest: str | None = msgspec.field(name="Digest", default=None)


_IMAGE_KEY = msgspec.json.Decoder(_ImageKey)


def read_definition(data: bytes, place: str) -> Definition:
    """Read a definition of LLB.

    Parameters
    ----------
    data : bytes
        ``pb.Definition`` in protobuf, or a JSON object a line as ``buildctl debug dump-llb`` writes them.
    place : str
        What errors call it.

    Raises
    ------
    DecodeError
    """
    if data.lstrip()[:1] == b"{":
        return _read_dump(data, place)
    hint = "give what a frontend's Marshal writes, or the output of buildctl debug dump-llb"
    try:
        decoded = decode_definition(data, place)
    except DecodeError as error:
        raise DecodeError("no definition of LLB, and no protobuf at all", path=place, hint=hint) from error
    given = {}
    for message in decoded.messages:
        name = sha256(message.data)
        described = decoded.described.get(name, Described())
        given[name] = Given(op=message.op, inputs=message.inputs, described=described)
    if not given:
        raise DecodeError("no definition of LLB: it has no operations", path=place, hint=hint)
    return Definition(given=given)


def _read_dump(data: bytes, place: str) -> Definition:
    given = {}
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        dumped = decode_json(line, _DUMPED, f"line {number} is no dumped operation", path=place)
        metadata = dumped.metadata or _Metadata()
        given[dumped.digest] = Given(
            op=llb.Op(op=dumped.op.op, platform=dumped.op.platform),
            inputs=tuple((one.digest, one.index) for one in dumped.op.inputs or ()),
            described=Described(
                name=(metadata.description or {}).get("llb.customname", ""), ignores_cache=metadata.ignore_cache
            ),
        )
    return Definition(given=given)


def read_recorded(data: bytes, place: str) -> Definition:
    """Read the build that SLSA provenance records; it has operations only where it was made with ``mode=max``.

    Parameters
    ----------
    data : bytes
    place : str
        What errors call it.

    Raises
    ------
    DecodeError
        No provenance, or none with operations.
    """
    steps = read_operations(data, place).steps
    if not steps:
        raise DecodeError(
            "the provenance has no operations",
            path=place,
            hint="let the build write it with --provenance=mode=max",
        )
    given = {}
    for name, step in steps.items():
        op = llb.Op(op=step.step.op.op, platform=step.platform)
        pinned = _pinned(step.image) if step.image is not None else None
        if pinned and step.source is not None and "@" not in step.source.identifier:
            source = msgspec.structs.replace(step.source, identifier=f"{step.source.identifier}@{pinned}")
            op = llb.Op(op=llb.AnyOp(source=source), platform=step.platform)
        given[name] = Given(op=op, inputs=step.inputs)
    return Definition(given=given)


def _pinned(key: bytes) -> str | None:
    """Give the digest that an image's key is made of."""
    found = known_json(key, _IMAGE_KEY)
    return None if found is None else found.digest
