"""Names from a Dockerfile: the digests that its instructions have, with their lines.

Every stage is read, for the builder's platform or another one. Digests are of the instruction, the arguments' defaults
and the base image's config, so a name is proven or not there. With a context, what ``COPY`` takes from it is named too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from cachegraph.builds.cachemaps import Dependency
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile.convert import convert
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.lines import read_nodes
from cachegraph.builds.dockerfile.reading import read_stages
from cachegraph.builds.dockerfile.rules import hidden_by
from cachegraph.builds.keys import content_record, key_of
from cachegraph.builds.operations import Operation
from cachegraph.builds.provenance import Texts
from cachegraph.builds.records import in_order, op_of
from cachegraph.builds.trees import Trees
from cachegraph.core.model import Name
from cachegraph.loaders.base import Options
from cachegraph.loaders.paths import kind_of
from cachegraph.loaders.sources.files import BuildFiles
from cachegraph.loaders.sources.images import KnownImages
from cachegraph.loaders.sources.jobs import BuildJob, Written, make_job, read_dockerfile
from cachegraph.loaders.sources.remotes import RemoteSources

__all__ = ["dockerfile_texts", "find_dockerfile", "is_dockerfile"]

# Empty lines and comments, then what a Dockerfile can begin with.
_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\n]*)?\r?\n)*+[ \t]*(?:FROM|ARG)[ \t]", re.IGNORECASE)
_MAX_STAGES = 100
_HEAD = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What one reading of a Dockerfile needs."""

    texts: Texts
    trees: Trees | None
    remotes: RemoteSources
    file: str


def is_dockerfile(path: Path) -> bool:
    """Tell whether a file begins as a Dockerfile does."""
    if kind_of(path) != "file":
        return False
    try:
        with path.open("rb") as file:
            return _BEGIN.match(file.read(_HEAD)) is not None
    except OSError:
        return False


def find_dockerfile(source: str) -> tuple[Path, Path] | None:
    """Read ``DOCKERFILE:CONTEXT``; None if these are no file and folder."""
    dockerfile, colon, context = source.rpartition(":")
    if not colon or not dockerfile or not context:
        return None
    found = kind_of(Path(dockerfile)) == "file" and kind_of(Path(context)) == "directory"
    return (Path(dockerfile), Path(context)) if found else None


def dockerfile_texts(
    dockerfile: Path,
    options: Options,
    *,
    context: Path | None = None,
    platform: str | None = None,
) -> Texts:
    """Compute the plaintexts and names of what a Dockerfile asks for.

    Parameters
    ----------
    dockerfile : pathlib.Path
    options : Options
        How to ask registries for the base images.
    context : pathlib.Path, optional
        Names what instructions take from it.
    platform : str, optional
        By default this machine's, on Linux.

    Raises
    ------
    DockerfileError
        BuildKit would refuse it, whichever stage is built.
    SourceError
        It, or an image, cannot be read.
    """
    job = make_job(context or dockerfile.parent, dockerfile=dockerfile.absolute(), platform=platform)
    # Who reads a finding opens the file from where the command was run.
    file = dockerfile.name if dockerfile.is_absolute() else dockerfile.as_posix()
    images = KnownImages(options=options)
    remotes = RemoteSources(options=options)
    try:
        written = read_dockerfile(job, images, remotes)
        files = BuildFiles(images=images, remotes=remotes, ignored={"context": written.ignored})
        trees = Trees(files=files, hasher=Hasher()) if context is not None else None
        reading = _Reading(texts=Texts(), trees=trees, remotes=remotes, file=file)
        _add_stages(job, images, written, reading)
    finally:
        remotes.close()
    return reading.texts


def _add_stages(job: BuildJob, images: KnownImages, written: Written, reading: _Reading) -> None:
    """Add every stage; one that cannot be built leaves the others named."""
    try:
        stages = read_stages(read_nodes(written.data, reading.file)).stages
    except DockerfileError as error:
        raise error.at(0, reading.file) from None
    failure: DockerfileError | None = None
    known: set[tuple[str, int]] = set()
    # The last stage is built without being named, which ARG TARGETSTAGE can tell; others need a name to be a target.
    targets = ["", *dict.fromkeys(stage.name for stage in reversed(stages[:-1]) if stage.name)]
    for target in targets[:_MAX_STAGES]:
        options = replace(job.options, target=target)
        try:
            converted = convert(
                written.data,
                options,
                images,
                job.folders,
                file=reading.file,
                is_ignored=hidden_by(written.ignored.patterns),
            )
        except DockerfileError as error:
            failure = failure or error
            continue
        for operation in in_order(converted.targets):
            # Equal instructions of several stages are one operation with several lines.
            step = (operation.identity, operation.label.start)
            if step not in known:
                known.add(step)
                _add(operation, reading)
    if failure is not None and not known:
        raise failure


def _add(operation: Operation, reading: _Reading) -> None:
    keys = key_of(operation, reading.remotes)
    if isinstance(keys, Unknown):
        return
    selectors = [slot.selector for slot in keys.slots if slot.selector is not None]
    kind = "string" if operation.op.source else "json"
    reading.texts.add_operation(kind, keys.text, selectors, _name(operation, operation.label.name, reading))
    if reading.trees is not None:
        for source, slot in zip(operation.inputs, keys.slots, strict=True):
            _add_content(operation, source, slot, reading, reading.trees)


def _add_content(operation: Operation, source: Operation, slot: Dependency, reading: _Reading, trees: Trees) -> None:
    content = trees.content(source, slot.content) if slot.content is not None else None
    if isinstance(content, str):
        paths = ", ".join(selection.path for selection in slot.content or ())
        name = replace(_name(operation, f"content of {paths}", reading), op="content")
        reading.texts.add_name(content_record(content), name)


def _name(operation: Operation, text: str, reading: _Reading) -> Name:
    start = operation.label.start
    if not start:
        return Name(op=op_of(operation), name=text)
    return Name(op=op_of(operation), name=f"{text} ({reading.file}:{start})", places=((reading.file, start),))
