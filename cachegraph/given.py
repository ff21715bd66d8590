"""A build given as its operations and not as a Dockerfile: ``cachegraph predict --llb`` and ``--provenance``."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from cachegraph.building import BuildGraph, Images, known_images
from cachegraph.builds import llb
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.ignore import IgnoreFile
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.defined_operations import Sources, operations_of
from cachegraph.builds.definitions import Definition, read_definition, read_recorded
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.platforms import default_platform, parse_platform
from cachegraph.builds.execution import Granted, check_execution
from cachegraph.builds.operations import LocalOrigin
from cachegraph.builds.records import in_order, record_build
from cachegraph.builds.trees import FilesOver, Tree, Trees
from cachegraph.builds.work import Work
from cachegraph.core.untrusted import known_json
from cachegraph.errors import NotFoundError
from cachegraph.loaders.base import Options
from cachegraph.loaders.paths import read_file
from cachegraph.loaders.sources.files import BuildFiles
from cachegraph.loaders.sources.remotes import RemoteSources

__all__ = ["build_given"]

_PATTERNS = msgspec.json.Decoder(list[str])


def build_given(
    file: str | os.PathLike[str],
    kind: Literal["llb", "provenance"] = "llb",
    *,
    context: str | os.PathLike[str] | None = None,
    folders: Mapping[str, str | os.PathLike[str]] | None = None,
    images: Images | None = None,
    secrets: Collection[str] = (),
    ssh: Collection[str] = (),
    allow: Collection[str] = (),
    builder: str | None = None,
    offline: bool = False,
    commands: bool = True,
    reading: Options | None = None,
) -> BuildGraph:
    """Compute the keys that a build will ask a cache for, from its operations.

    Parameters
    ----------
    file : path-like
    kind : {"llb", "provenance"}
        A definition of LLB in protobuf or as ``buildctl debug dump-llb`` prints it; or SLSA provenance of ``mode=max``,
        whose images are those that the recorded build resolved.
    context : path-like, optional
        The folder that stands for the local source ``context``.
    folders : mapping of str to path-like, optional
        Folders for other local sources. What takes files of one that is not given is unknown.
    images, secrets, ssh, allow, builder, offline, commands, reading
        As for `cachegraph.build`.

    Raises
    ------
    SourceError
        A file that cannot be read, or is no such document.
    DockerfileError
        A step that cannot run.
    """
    reading = reading or Options()
    name = Path(file).name
    data = read_file(
        Path(file), name, limit=reading.limits.file_bytes, name="file-bytes", hint="name the file with the operations"
    )
    definition = read_definition(data, name) if kind == "llb" else read_recorded(data, name)
    known = known_images(images, reading, offline=offline)
    remotes = RemoteSources(options=reading, offline=offline)
    given = {local: os.fspath(folder) for local, folder in (folders or {}).items()}
    if context is not None:
        given["context"] = os.fspath(context)
    for folder in given.values():
        if not Path(folder).is_dir():
            raise NotFoundError(f"{folder}: no such folder", hint="name the folder that the build is given")

    def digest(reference: str, platform: llb.Platform) -> str | Unknown:
        found = known.resolve(reference, platform)
        return found if isinstance(found, Unknown) else found.digest

    own = default_platform() if builder is None else parse_platform(builder)
    sources = Sources(folders=given, image=digest, builder=own)
    try:
        targets, ignoring = operations_of(definition, sources, name)
        ignored = _ignored(definition)
        files = _Files(files=BuildFiles(images=known, remotes=remotes, ignored=ignored))
        files.partly = _partly(definition)
        trees = Trees(files=files, hasher=Hasher(), commands=commands)
        check_execution(in_order(targets), Granted(secrets=secrets, ssh=ssh, rights=allow), trees, name)
        recorded = record_build(targets, trees, remotes, source=name, file=name, ignoring=ignoring)
    except DockerfileError as error:
        if error.hint or not given:
            raise
        where = " and ".join(f"{local} is the folder {folder}" for local, folder in sorted(given.items()))
        hint = f"{where}: name another with --build-context NAME=FOLDER, or as CONTEXT"
        raise DockerfileError(error.reason, file=error.file, line=error.line, hint=hint) from None
    finally:
        remotes.close()
    missing = sorted(files.missing)
    notes = tuple(f"the files of {one} are not known: give them with --build-context {one}=FOLDER" for one in missing)
    # There is no Dockerfile to look back at; what the folders were is in their repository all the same.
    work = Work(
        trees=trees,
        data=b"",
        convert=lambda _: [],
        context=Path(given["context"]) if "context" in given else None,
        dockerfile=None,
        patterns=ignored["context"].patterns if "context" in ignored else (),
    )
    return BuildGraph(recorded, file=name, notes=notes, work=work)


def _ignored(definition: Definition) -> dict[str, IgnoreFile]:
    """Collect what local sources leave out."""
    found: dict[str, IgnoreFile] = {}
    for source in _locals(definition):
        patterns = known_json(source.attrs.get("local.excludepatterns", "[]").encode(), _PATTERNS)
        found[source.identifier.partition("://")[2]] = IgnoreFile(patterns=tuple(patterns or ()))
    return found


def _partly(definition: Definition) -> set[str]:
    """Name local sources that take in only what matches patterns, or that leave out different things."""
    every: dict[str, set[str]] = {}
    partly: set[str] = set()
    for source in _locals(definition):
        name = source.identifier.partition("://")[2]
        every.setdefault(name, set()).add(source.attrs.get("local.excludepatterns", "[]"))
        if source.attrs.get("local.includepattern") or len(every[name]) > 1:
            partly.add(name)
    return partly


def _locals(definition: Definition) -> list[llb.SourceOp]:
    sources = [given.op.op.source for given in definition.given.values()]
    return [one for one in sources if one is not None and one.identifier.startswith("local://")]


@dataclass(slots=True, kw_only=True)
class _Files(FilesOver):
    """Files of sources, where folders of the client may be missing."""

    partly: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def local(self, origin: LocalOrigin) -> Tree:
        if not origin.folder:
            self.missing.add(origin.name)
            return Unknown(because="unreadable", reason=f"no folder is given for {origin.name}")
        if origin.name in self.partly:
            return Unknown(because="unreadable", reason=f"of {origin.name} only some files are sent")
        return self.files.local(origin)
