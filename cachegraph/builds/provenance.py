"""What SLSA provenance lets one compute: the digests of a build's operations, by hashing again what BuildKit hashed.

Provenance with ``mode=max`` holds the build's operations (``llbDefinition``) as JSON with sorted keys::

    {"predicate": {"buildDefinition": {
       "resolvedDependencies": [
         {"uri": "pkg:docker/alpine@3.20?platform=linux%2Famd64", "digest": {"sha256": "d045.."}}],
       "internalParameters": {"builderPlatform": "linux/amd64", "buildConfig": {"llbDefinition": [
         {"id": "step4", "inputs": ["step3:0"], "op": {"Op": {"exec": {"meta": {"args": ["make"], "cwd": "/src"},
          "mounts": [{"dest": "/"}]}}, "platform": {"Architecture": "amd64", "OS": "linux"}}}]}}}}}

The structs below write them as Go does, which gives the plaintext of each operation and so its digest; a text that
differs from BuildKit's in a byte gives a digest that no record has, never a wrong name. Images and git commits are
computed from the dependencies, which ``mode=min`` holds too. Not to be computed: content keys (hashes of files), local
contexts (a session's random id), downloads (the server's date), and images by their layers. ``digestMapping`` maps
digests of the build's graph, which are not digests of cache keys, and is of no use here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from cachegraph.builds import llb
from cachegraph.builds.cachemaps import cache_text, selectors
from cachegraph.builds.operation_names import clean, clean_lines
from cachegraph.builds.plaintext_names import SOURCE_PREFIX, name_all
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.builds.step_lines import StepLines, step_lines
from cachegraph.core.digests import sha256
from cachegraph.core.model import Name, Names
from cachegraph.core.untrusted import decode_json

__all__ = ["Texts", "decode_provenance", "image_reference", "parse_platform", "provenance_texts"]

_MAX_OUTPUTS = 64


class _Dependency(msgspec.Struct, frozen=True):
    uri: str = ""
    digest: dict[str, str] = {}


class _BuildConfig(msgspec.Struct, frozen=True, rename={"llb_definition": "llbDefinition"}):
    llb_definition: tuple[llb.Step, ...] | None = None


class _Parameters(msgspec.Struct, frozen=True, rename="camel"):
    builder_platform: str = "linux/amd64"
    build_config: _BuildConfig = _BuildConfig()


class _Definition(msgspec.Struct, frozen=True, rename="camel"):
    resolved_dependencies: tuple[_Dependency, ...] | None = None
    internal_parameters: _Parameters = _Parameters()


class _Predicate(msgspec.Struct, frozen=True, rename="camel"):
    """SLSA v1 in ``buildDefinition``; v0.2 in ``materials`` and ``buildConfig``."""

    build_definition: _Definition | None = None
    materials: tuple[_Dependency, ...] | None = None
    build_config: _BuildConfig = _BuildConfig()


class _Statement(_Predicate, frozen=True, rename="camel"):
    """An in-toto statement around the predicate, or the bare predicate."""

    predicate: _Predicate | None = None


_STATEMENT = msgspec.json.Decoder(_Statement)


def decode_provenance(data: bytes, place: str) -> Names:
    """Name the records that provenance lets one compute; takes and raises what `provenance_texts` does."""
    return provenance_texts(data, place).named()


def provenance_texts(data: bytes, place: str) -> Texts:
    """Compute the plaintexts of the records that provenance tells of.

    Parameters
    ----------
    data : bytes
        An in-toto statement with SLSA provenance, v0.2 or v1, or its predicate alone.
    place : str
        What errors call it.

    Raises
    ------
    cachegraph.errors.DecodeError
        The bytes are no such statement.
    """
    statement = decode_json(data, _STATEMENT, "no SLSA provenance", path=place)
    predicate = statement.predicate or statement
    definition = predicate.build_definition or _Definition(
        resolved_dependencies=predicate.materials,
        internal_parameters=_Parameters(build_config=predicate.build_config),
    )
    parameters = definition.internal_parameters
    texts = Texts()
    for dependency in definition.resolved_dependencies or ():
        texts.add_dependency(dependency)
    steps = parameters.build_config.llb_definition or ()
    outputs = _outputs(steps)
    lines = step_lines(data)
    for step in steps:
        texts.add_step(step, outputs[step.id], parse_platform(parameters.builder_platform), lines.get(step.id))
    return texts


def _outputs(steps: Iterable[llb.Step]) -> dict[str, set[int]]:
    """Collect the outputs of each step that other steps take."""
    taken: dict[str, set[int]] = defaultdict(lambda: {0})
    for step in steps:
        for reference in step.inputs or ():
            name, _, output = reference.rpartition(":")
            if output.isdecimal() and len(output) < 3 and int(output) < _MAX_OUTPUTS:
                taken[name].add(int(output))
    return taken


class Texts:
    """The plaintexts of a build, as a daemon would have kept them.

    Attributes
    ----------
    plaintexts : dict of str to Plaintext
        By digest.
    references : dict of str to str
        How the build called its images and repositories, by manifest digest or commit.
    names : dict of str to Name
        Names that say more than a plaintext does, such as the line of a Dockerfile; by digest of a record.
    layers : dict of tuple of str to Name
        What made layers, by the digests of all layers up to one; see `cachegraph.core.model.Names`.
    """

    def __init__(self) -> None:
        self.plaintexts: dict[str, Plaintext] = {}
        self.references: dict[str, str] = {}
        self.names: dict[str, Name] = {}
        self.layers: dict[tuple[str, ...], Name] = {}

    def named(self) -> Names:
        """Name every record and selector that the plaintexts name."""
        found = name_all(self.plaintexts, self.references)
        return Names(records={**found.records, **self.names}, selectors=found.selectors, layers=self.layers)

    def add_dependency(self, dependency: _Dependency) -> None:
        """Add the key of an image or a commit that the build resolved."""
        manifest = dependency.digest.get("sha256")
        if dependency.uri.startswith("pkg:docker/") and manifest:
            reference, platform = image_reference(dependency.uri)
            self.references[f"sha256:{manifest}"] = reference
            key = llb.ImageKey(
                digest=f"sha256:{manifest}",
                os=platform.os,
                arch=platform.architecture,
                variant=platform.variant or msgspec.UNSET,
            )
            self._add_source(self._add("json", llb.go_json(key)))
        commit = dependency.digest.get("sha1") or dependency.digest.get("gitCommit")
        if commit:
            self.references[commit] = dependency.uri
            self._add_source(commit)

    def add_step(
        self, step: llb.Step, outputs: Iterable[int], platform: llb.Platform, lines: StepLines | None = None
    ) -> None:
        """Add an operation, the keys of its outputs, and its selectors; named by its instruction, if that is known."""
        text = cache_text(step, platform)
        if text is None:
            return
        digest = self._add("json", text)
        for output in outputs:
            record = self._add("string", f"{digest}@{output}".encode())
            if output == 0 and lines is not None and (name := _written(step, lines)) is not None:
                self.add_name(record, name)
        for paths in selectors(step.op.op.file) if step.op.op.file else ():
            self._add("string-list", paths)

    def add_operation(self, kind: str, text: bytes, selectors: Iterable[bytes], name: Name) -> None:
        """Add an operation whose text is known, the key of its output 0, and its selectors.

        Parameters
        ----------
        kind : str
            The plaintext's type: ``json``, or ``string`` of a source.
        text : bytes
            What is hashed for its cache map.
        selectors : iterable of bytes
        name : Name
        """
        self.add_name(self._add("string", f"{self._add(kind, text)}@0".encode()), name)
        for selector in selectors:
            self._add("string-list", selector)

    def __or__(self, other: Texts) -> Texts:
        """Join what two sources say; of what both say, the right one counts."""
        joined = Texts()
        joined.plaintexts = {**self.plaintexts, **other.plaintexts}
        joined.references = {**self.references, **other.references}
        joined.names = {**self.names, **other.names}
        joined.layers = {**self.layers, **other.layers}
        return joined

    def add_name(self, digest: str, name: Name) -> None:
        """Name a record; what has several names is called by all of them."""
        known = self.names.get(digest)
        text = name.name if known is None else known.name
        if name.name not in text:
            text = clean(f"{text}; {name.name}")
        places = (*(known.places if known else ()), *name.places)
        whole = (known.text if known is not None else "") or name.text
        self.names[digest] = Name(op=name.op, name=text, places=tuple(dict.fromkeys(places)), text=whole)

    def _add_source(self, key: str) -> None:
        digest = self._add("string", SOURCE_PREFIX + key.encode())
        self._add("string", f"{digest}@0".encode())

    def _add(self, kind: str, text: bytes) -> str:
        digest = sha256(text)
        self.plaintexts[digest] = Plaintext(kind, (text,))
        return digest


def _written(step: llb.Step, lines: StepLines) -> Name | None:
    """Name a step by its instruction, where the operation is what the instruction does."""
    if step.op.op.exec is None and step.op.op.file is None:
        return None
    # The line is one of the Dockerfile that was built, which need not be the one that lies here: no place to point at.
    at = ", ".join(str(line) for line in lines.lines)
    return Name(
        op="exec" if step.op.op.exec is not None else "file",
        name=f"{clean(lines.text)} ({clean(lines.file)}:{at})",
        text=clean_lines(lines.text),
    )


def parse_platform(text: str) -> llb.Platform:
    """Read a platform such as ``linux/arm/v7``."""
    os, _, rest = text.partition("/")
    architecture, _, variant = rest.partition("/")
    return llb.Platform(os=os, architecture=architecture, variant=variant)


def image_reference(uri: str) -> tuple[str, llb.Platform]:
    """Read a package URL of an image: its reference with the registry's name, and its platform."""
    parts = urlsplit(uri)
    name, _, tag = parts.path.removeprefix("docker/").partition("@")
    name = unquote(name)
    registry, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif registry != "localhost" and "." not in registry and ":" not in registry:
        name = f"docker.io/{name}"
    platform = parse_qs(parts.query).get("platform", [""])[0]
    return f"{name}:{unquote(tag)}" if tag else name, parse_platform(platform)
