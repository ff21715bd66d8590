"""From a definition to the operations of the build: in order, with what their sources are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cachegraph.builds import llb
from cachegraph.builds.cachemaps import operation_text
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.definitions import Definition, Given
from cachegraph.builds.dockerbuild.repositories import git_origin
from cachegraph.builds.dockerfile.platforms import normalize
from cachegraph.builds.operation_names import clean, describe_operation
from cachegraph.builds.operations import HttpOrigin, ImageOrigin, Label, LocalOrigin, Operation, Origin
from cachegraph.errors import DecodeError

__all__ = ["Sources", "operations_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What stands for the sources that operations name.

    Attributes
    ----------
    folders : mapping of str to str
        Folders of the client, by name.
    image : callable
        Gives the digest of an image by reference and platform, or why it is not known.
    builder : llb.Platform
        Of operations that name no platform.
    """

    folders: Mapping[str, str]
    image: Callable[[str, llb.Platform], str | Unknown]
    builder: llb.Platform


def operations_of(definition: Definition, sources: Sources, place: str) -> tuple[list[Operation], set[str]]:
    """Make the operations of a definition.

    Parameters
    ----------
    definition : Definition
    sources : Sources
    place : str
        What errors call it.

    Returns
    -------
    list of Operation
        Those that no other takes: what the build is for.
    set of str
        Identities of operations that the build looks for in no cache.

    Raises
    ------
    DecodeError
        An input that is not there, a loop, or an output that is not known.
    """
    made: dict[str, Operation | None] = {}
    ignoring: set[str] = set()
    taken = {source for given in definition.given.values() for source, _ in given.inputs}
    for name in _in_order(definition.given, place):
        given = definition.given[name]
        if given.op.op == llb.AnyOp() and given.inputs and name not in taken:
            made[name] = _result(given, made)
            continue
        inputs = [made[source] for source, _ in given.inputs]
        operation = _operation(given, [one for one in inputs if one is not None], sources)
        made[name] = operation
        if given.described.ignores_cache:
            ignoring.add(operation.identity)
    wanted = [made[name] for name in definition.given if name not in taken]
    return [one for one in wanted if one is not None], ignoring


def _result(given: Given, made: Mapping[str, Operation | None]) -> Operation | None:
    """Give what the last operation of a definition takes: it does nothing itself."""
    return made[given.inputs[0][0]] if given.inputs else None


def _in_order(given: Mapping[str, Given], place: str) -> Iterable[str]:
    """List operations, inputs first."""
    done: dict[str, None] = {}
    for first in given:
        waiting = [first]
        path: dict[str, None] = {}
        while waiting:
            name = waiting[-1]
            if name not in given:
                raise DecodeError(f"an operation takes {name[:19] or 'nothing'}, which is not there", path=place)
            missing = [source for source, _ in given[name].inputs if source not in done]
            if name in done or not missing:
                done[name] = None
                path.pop(name, None)
                waiting.pop()
                continue
            if name in path:
                raise DecodeError("operations take each other in a loop", path=place)
            path[name] = None
            waiting += missing[:1]
    return done


def _operation(given: Given, inputs: list[Operation], sources: Sources) -> Operation:
    op = given.op.op
    platform = given.op.platform or sources.builder
    origin: Origin | None = None
    unknown: Unknown | None = None
    if op.source is not None:
        origin, unknown = _origin(op.source, platform, sources)
    elif op == llb.AnyOp():
        unknown = Unknown(because="run", reason="an operation of a kind that is not known here")
    if len(inputs) != len(given.inputs) or any(output for _, output in given.inputs):
        unknown = Unknown(because="run", reason="it takes what a step makes beside its first output")
    kept = platform if op.exec or isinstance(origin, ImageOrigin) else None
    return Operation(
        op=op,
        inputs=tuple(inputs),
        platform=kept,
        label=Label(name=_name(given, platform)),
        origin=origin,
        unknown=unknown,
        identity=Operation.identify(op, inputs, kept, origin, unknown),
    )


def _name(given: Given, platform: llb.Platform) -> str:
    """Call an operation by its name in the definition, else by what it does."""
    if given.described.name:
        return clean(given.described.name)
    op = given.op.op
    if op.source is not None:
        return clean(op.source.identifier)
    text = operation_text(op, len(given.inputs), platform) if op != llb.AnyOp() else None
    described = describe_operation(text) if text is not None else None
    return described.name if described is not None else "an operation"


def _origin(source: llb.SourceOp, platform: llb.Platform, sources: Sources) -> tuple[Origin | None, Unknown | None]:
    kind, _, rest = source.identifier.partition("://")
    attributes = source.attrs
    match kind:
        case "docker-image":
            return _image(rest, platform, sources)
        case "local":
            return LocalOrigin(name=rest, folder=sources.folders.get(rest, "")), None
        case "git":
            return git_origin(source), None
        case "http" | "https":
            name = attributes.get("http.filename") or rest.partition("?")[0].rpartition("/")[2] or "download"
            checksum = attributes.get("http.checksum", "")
            return HttpOrigin(url=source.identifier, filename=name, checksum=checksum), None
    return None, Unknown(because="remote", reason=f"{clean(kind)} is a source that is not read here")


def _image(reference: str, platform: llb.Platform, sources: Sources) -> tuple[Origin | None, Unknown | None]:
    wanted = normalize(platform)
    _, _, pinned = reference.partition("@")
    digest = pinned or sources.image(reference, wanted)
    if isinstance(digest, Unknown):
        return None, digest
    return ImageOrigin(reference=reference, digest=digest, platform=wanted), None
