"""Provenance of a record, read for its steps: the operation behind each vertex, and the digests of its cache records.

::

    {"buildDefinition": {"internalParameters": {"builderPlatform": "linux/amd64", "buildConfig": {
       "digestMapping": {"sha256:8ab2..": "step7"},                    vertex of the progress -> step
       "llbDefinition": [{"id": "step7", "inputs": ["step6:0"], "op": {"Op": {"exec": {..}}, "platform": {..}}}]}}}}

SLSA v0.2 has ``buildConfig`` at the top. In a record the predicate stands alone; an in-toto statement around it is
taken as well. A text that differs from BuildKit's in a byte gives a digest that no record has, never a wrong match.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import msgspec

from cachegraph.builds import llb
from cachegraph.builds.cachemaps import cache_text
from cachegraph.builds.dockerbuild.repositories import commits_of, git_key
from cachegraph.builds.keys import image_text
from cachegraph.builds.plaintext_names import SOURCE_PREFIX
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.builds.provenance import image_reference, parse_platform
from cachegraph.core.digests import sha256
from cachegraph.errors import DecodeError

__all__ = ["Operation", "Operations", "merge_operations", "read_operations"]

_MAX_OUTPUTS = 64
_PINNED = re.compile(r"@(sha256:[0-9a-f]{64})$")
_HEX = re.compile(r"[0-9a-f]{64}")
_LIMITS = frozenset({"image.layerlimit"})
_HTTP_ATTRIBUTES = frozenset({"http.checksum", "http.filename"})


class _BuildConfig(msgspec.Struct, frozen=True, rename="camel"):
    llb_definition: tuple[llb.Step, ...] | None = None
    digest_mapping: dict[str, str] | None = None


class _Parameters(msgspec.Struct, frozen=True, rename="camel"):
    builder_platform: str = "linux/amd64"
    build_config: _BuildConfig | None = None


class _Dependency(msgspec.Struct, frozen=True):
    uri: str = ""
    digest: dict[str, str] = msgspec.field(default_factory=dict)


class _Definition(msgspec.Struct, frozen=True, rename="camel"):
    internal_parameters: _Parameters = _Parameters()
    resolved_dependencies: tuple[_Dependency, ...] | None = None


class _Environment(msgspec.Struct, frozen=True):
    platform: str = ""


class _Invocation(msgspec.Struct, frozen=True):
    environment: _Environment = _Environment()


class _Predicate(msgspec.Struct, frozen=True, rename="camel"):
    """SLSA v1 in ``buildDefinition``; v0.2 in the other fields."""

    build_definition: _Definition | None = None
    build_config: _BuildConfig | None = None
    invocation: _Invocation | None = None
    materials: tuple[_Dependency, ...] | None = None


class _Statement(_Predicate, frozen=True):
    predicate: _Predicate | None = None


_decode = msgspec.json.Decoder(_Statement).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One step of the build's definition.

    Attributes
    ----------
    inputs : tuple of (str, int)
        Vertex digest and output of each slot.
    step : llb.Step
        The operation as BuildKit hashes it.
    platform : llb.Platform
        The step's, or the builder's for one that names none.
    source : Source or None
        For a source: an image, a local context, git, http.
    outputs : tuple of int
        Outputs that other steps take, and 0.
    text : bytes or None
        What BuildKit hashes to get the definition digest; None where it cannot be known from provenance.
    image : bytes or None
        Of an image or a download: the JSON that its key is made of.
    unknown : str or None
        Of a source whose key is made of more than provenance tells: what is missing.
    """

    inputs: tuple[tuple[str, int], ...]
    step: llb.Step
    platform: llb.Platform
    source: llb.SourceOp | None
    outputs: tuple[int, ...]
    text: bytes | None
    image: bytes | None = None
    unknown: str | None = None

    @property
    def plaintexts(self) -> dict[str, Plaintext]:
        """What BuildKit hashes for the step and its records, by digest."""
        if self.text is None:
            return {}
        definition = sha256(self.text)
        kind = "string" if self.source is not None else "json"
        found = {definition: Plaintext(kind, (self.text,))}
        if self.image is not None:
            found[sha256(self.image)] = Plaintext("json", (self.image,))
        for output in self.outputs:
            text = f"{definition}@{output}".encode()
            found[sha256(text)] = Plaintext("string", (text,))
        return found

    @property
    def record_digests(self) -> tuple[str, ...] | None:
        """Digests of the cache records, by output; empty for a local source, None where they cannot be known."""
        if self.text is not None:
            definition = sha256(self.text)
            return tuple(sha256(f"{definition}@{output}".encode()) for output in self.outputs)
        if self.source is not None and self.source.identifier.startswith("local://"):
            return ()
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """The operations of one or several builds.

    Attributes
    ----------
    steps : mapping of str to Operation
        By vertex digest.
    """

    steps: Mapping[str, Operation] = field(default_factory=dict)


def read_operations(data: bytes, place: str) -> Operations:
    """Read the operations out of provenance.

    Parameters
    ----------
    data : bytes
        A predicate of SLSA provenance, v0.2 or v1, or an in-toto statement with one.
    place : str
        What errors call it.

    Raises
    ------
    cachegraph.errors.DecodeError
        No provenance.
    """
    try:
        statement = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"no SLSA provenance: {error}", path=place) from None
    try:
        return Operations(steps=_Builder(statement.predicate or statement).operations())
    except DecodeError as error:
        raise DecodeError(error.message, path=place) from None


def merge_operations(parts: Iterable[Operations]) -> Operations:
    """Join what several documents say: a vertex digest names the same operation wherever it stands."""
    steps: dict[str, Operation] = {}
    for part in parts:
        for vertex, operation in part.steps.items():
            known = steps.get(vertex, operation)
            outputs = tuple(sorted({*known.outputs, *operation.outputs}))
            steps[vertex] = replace(operation, outputs=outputs)
    return Operations(steps=steps)


def _outputs(steps: Iterable[llb.Step]) -> dict[str, set[int]]:
    """Collect the outputs of each step that other steps take."""
    taken: dict[str, set[int]] = defaultdict(set)
    for step in steps:
        for name, output in map(_reference, step.inputs or ()):
            taken[name].add(output)
    return taken


def _reference(text: str) -> tuple[str, int]:
    """Split ``step6:0`` into step and output."""
    name, _, output = text.rpartition(":")
    if not output.isdecimal() or len(output) > 2 or int(output) >= _MAX_OUTPUTS:
        raise DecodeError(f"{text[:100]!r} is not an input of a step, expected such as 'step6:0'")
    return name, int(output)


class _Builder:
    """Makes operations of the steps of one document."""

    def __init__(self, predicate: _Predicate) -> None:
        definition = predicate.build_definition
        parameters = definition.internal_parameters if definition else _Parameters()
        config = predicate.build_config or parameters.build_config or _BuildConfig()
        named = predicate.invocation.environment.platform if predicate.invocation else ""
        self.platform = parse_platform(named or parameters.builder_platform)
        self.steps = {step.id: step for step in config.llb_definition or ()}
        # Without the mapping (other writers than BuildKit) the step's own name stands for the vertex.
        self.vertices = {name: vertex for vertex, name in (config.digest_mapping or {}).items()}
        dependencies = (definition.resolved_dependencies if definition else predicate.materials) or ()
        self.images = _image_digests(dependencies)
        self.commits = commits_of((one.uri, one.digest) for one in dependencies)

    def operations(self) -> dict[str, Operation]:
        taken = _outputs(self.steps.values())
        return {
            self.vertices.get(name, name): self._operation(step, tuple(sorted(taken[name])) or (0,))
            for name, step in self.steps.items()
            # The last step of a definition does nothing: its input is the build's result.
            if step.op.op != llb.AnyOp()
        }

    def _operation(self, step: llb.Step, outputs: tuple[int, ...]) -> Operation:
        platform = step.op.platform or self.platform
        source = step.op.op.source
        inputs = map(_reference, step.inputs or ())
        image = self._source_key(source, platform) if source else None
        unknown: str | None = None
        if source is None:
            text = cache_text(step, platform)
        elif source.identifier.startswith("git://"):
            key, unknown = git_key(source, self.commits)
            text = SOURCE_PREFIX + key.encode() if key is not None else None
        else:
            text = SOURCE_PREFIX + sha256(image).encode() if image is not None else None
        return Operation(
            inputs=tuple((self.vertices.get(name, name), output) for name, output in inputs),
            step=step,
            platform=platform,
            source=source,
            outputs=outputs,
            text=text,
            image=image,
            unknown=unknown,
        )

    def _source_key(self, source: llb.SourceOp, platform: llb.Platform) -> bytes | None:
        """Write the JSON that a source's key is made of; None where it is made of more than provenance tells."""
        kind, found, reference = source.identifier.partition("://")
        if kind in ("http", "https"):
            return _http_key(source)
        if not found or kind not in ("docker-image", "oci-layout") or source.attrs.keys() & _LIMITS:
            return None
        pinned = _PINNED.search(reference)
        digest = pinned[1] if pinned else self.images.get((reference, platform.os, platform.architecture))
        return None if digest is None else image_text(digest, platform)


def _http_key(source: llb.SourceOp) -> bytes | None:
    """Write the key of a download with a checksum (``formatCacheKey``); without one, the server's date is in it."""
    checksum = source.attrs.get("http.checksum", "")
    if not checksum or source.attrs.keys() - _HTTP_ATTRIBUTES:
        return None
    name = source.attrs.get("http.filename") or posixpath.basename(urlsplit(source.identifier).path)
    return llb.go_json({"Filename": name, "Perm": 0, "UID": 0, "GID": 0, "Checksum": checksum})


def _image_digests(dependencies: Iterable[_Dependency]) -> dict[tuple[str, str, str], str]:
    """Give the digests of the images that a build resolved, by reference, system and architecture."""
    found: dict[tuple[str, str, str], str] = {}
    for dependency in dependencies:
        digest = dependency.digest.get("sha256", "")
        if dependency.uri.startswith("pkg:docker/") and _HEX.fullmatch(digest):
            reference, platform = image_reference(dependency.uri)
            found[reference, platform.os, platform.architecture] = f"sha256:{digest}"
    return found
