"""A build before it runs: ``cg.build``, the keys that a Dockerfile with its files will ask a cache for."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.ignore import IgnoreFile, find_ignore_file
from cachegraph.builds.content.known import KnownFiles
from cachegraph.builds.content.local import local_tree
from cachegraph.builds.content.nodes import File, Folder, read_blob
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find
from cachegraph.builds.dockerfile.contexts import Contexts
from cachegraph.builds.dockerfile.convert import Converted, convert
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gitrefs import parse_git
from cachegraph.builds.dockerfile.lines import MAX_BYTES
from cachegraph.builds.dockerfile.options import BuildOptions, read_options
from cachegraph.builds.dockerfile.platforms import normalize, parse_platform
from cachegraph.builds.dockerfile.references import parse_reference
from cachegraph.builds.execution import Granted, check_execution
from cachegraph.builds.operations import GitOrigin
from cachegraph.builds.records import BuildStep, Recorded, in_order, record_build
from cachegraph.builds.trees import Trees
from cachegraph.builds.work import Work
from cachegraph.core.model import Names
from cachegraph.errors import NotFoundError, SourceError, UsageError
from cachegraph.graph import CacheGraph
from cachegraph.loaders.base import Options
from cachegraph.loaders.sources.files import BuildFiles
from cachegraph.loaders.sources.images import KnownImages
from cachegraph.loaders.sources.remotes import RemoteSources
from cachegraph.loaders.sources.stores import open_store

__all__ = ["BuildGraph", "Images", "build"]

Images = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Mapping[str, str | os.PathLike[str]]
"""Where images are: OCI layouts and archives of ``docker image save``, or digests by reference."""

_REMOTE = ("docker-image://", "http://", "https://", "git://", "ssh://", "git@", "input:", "target:", "local:")
_BUILT_IN = "docker/dockerfile"


class BuildGraph(CacheGraph):
    """The keys that a build will ask for: a graph like that of any cache, without results.

    Attributes
    ----------
    steps : tuple of BuildStep
        All operations, inputs first, with their lines; ``record`` is None of those that stand on a folder of the
        client: they are in no cache and run in every build.
    names : Names
        Instructions with ``Dockerfile:LINE`` by digest; they name the records of any cache.
    file : str
        What the Dockerfile is called.
    notes : tuple of str
        What is taken for granted.
    work : Work or None
        What the keys were computed with.
    """

    steps: tuple[BuildStep, ...]
    names: Names
    file: str
    notes: tuple[str, ...]
    work: Work | None

    def __init__(
        self, recorded: Recorded, *, file: str, notes: tuple[str, ...] = (), work: Work | None = None
    ) -> None:
        super().__init__([recorded.export], recorded.names)
        self.steps = recorded.steps
        self.names = recorded.names
        self.file = file
        self.notes = notes
        self.work = work


def build(
    context: str | os.PathLike[str] = ".",
    *,
    dockerfile: str | os.PathLike[str] | None = None,
    target: str | None = None,
    platform: str | Sequence[str] | None = None,
    build_args: Mapping[str, str] | None = None,
    build_contexts: Mapping[str, str | os.PathLike[str]] | None = None,
    options: Mapping[str, str] | None = None,
    images: Images | None = None,
    secrets: Collection[str] = (),
    ssh: Collection[str] = (),
    allow: Collection[str] = (),
    builder: str | None = None,
    frontend: str | None = None,
    offline: bool = False,
    reading: Options | None = None,
) -> BuildGraph:
    """Compute the keys that a build will ask a cache for, without building.

    Parameters
    ----------
    context : path-like or str
        A folder, or a git repository (``https://github.com/org/app.git#main``).
    dockerfile : path-like, optional
        By default ``Dockerfile`` in the context. Of a repository, a path in it.
    target : str, optional
        The stage that is built; by default the last one.
    platform : str or sequence of str, optional
        Such as ``linux/arm64``; by default the builder's own.
    build_args, build_contexts : mapping of str to str, optional
        As for ``docker buildx build``.
    options : mapping of str to str, optional
        Frontend options as ``buildctl --opt`` takes them: ``hostname``, ``add-hosts``, ``build-arg:X``, ``no-cache``, ..
        What the other parameters say comes first.
    images : path-like, iterable of them, or mapping of str, optional
        OCI layouts and archives of ``docker image save`` to find images in; or, by reference, a digest or such a path.
        What is not there is looked for in its registry.
    secrets, ssh : collection of str, optional
        Ids that the build has. A step that requires another is refused, as BuildKit refuses it.
    allow : collection of str, optional
        Rights that the build has: ``network.host``, ``security.insecure``.
    builder : str, optional
        The builder's own platform; by default this machine's, on Linux.
    frontend : {"builtin"}, optional
        Read the Dockerfile by the built-in rules whatever ``# syntax=`` says, and do not look for that image.
    offline : bool
        Ask no server: what only one knows is unknown.
    reading : cachegraph.loaders.base.Options, optional
        How to ask registries and servers.

    Returns
    -------
    BuildGraph
        One export, for `cachegraph.predict`, pictures and data frames. Slots whose content a step has to make, and
        operations that are not known, are in its ``unknown``.

    Raises
    ------
    DockerfileError
        A Dockerfile that BuildKit refuses, with its line.
    UsageError
        An option that BuildKit refuses.
    SourceError
        A context or an image that cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "Dockerfile").write_text("FROM scratch\\nCOPY Dockerfile /\\n")
    >>> build(folder).records["name"].dropna().tolist()
    ['COPY Dockerfile / (Dockerfile:2)']
    """
    reading = reading or Options()
    job = _job(context, dockerfile, target, platform, build_args, build_contexts, dict(options or {}), builder)
    known = _images(images, reading, offline=offline)
    remotes = RemoteSources(options=reading, offline=offline)
    try:
        return _build(job, known, remotes, Granted(secrets=secrets, ssh=ssh, rights=allow), frontend)
    finally:
        remotes.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is built.

    Attributes
    ----------
    dockerfile : pathlib.Path or None
        None where the context is a repository.
    """

    options: BuildOptions
    context: Path | None
    dockerfile: Path | None
    folders: Mapping[str, str]

    @property
    def name(self) -> str:
        """What errors call the Dockerfile: its path as seen from the context, where it is in there."""
        if self.dockerfile is None:
            return self.options.filename
        if self.context is not None and self.dockerfile.is_relative_to(self.context):
            return self.dockerfile.relative_to(self.context).as_posix()
        return self.dockerfile.name


def _job(
    context: str | os.PathLike[str],
    dockerfile: str | os.PathLike[str] | None,
    target: str | None,
    platform: str | Sequence[str] | None,
    build_args: Mapping[str, str] | None,
    build_contexts: Mapping[str, str | os.PathLike[str]] | None,
    options: dict[str, str],
    builder: str | None,
) -> _Job:
    if target is not None:
        options["target"] = target
    if platform is not None:
        options["platform"] = platform if isinstance(platform, str) else ",".join(platform)
    options |= {f"build-arg:{name}": value for name, value in (build_args or {}).items()}
    folders: dict[str, str] = {}
    for name, value in (build_contexts or {}).items():
        key = _context_name(name)
        options[f"context:{key}"] = _context_value(key, os.fspath(value), folders)
    # Of buildctl's options, one can name the context.
    named = options.get(options.get("contextkey", "context"), "")
    place = named or os.fspath(context)
    if parse_git(place) is not None:
        options["context"] = place
        if dockerfile is not None and not named:
            options["filename"] = posixpath.normpath(os.fspath(dockerfile))
    elif place.startswith(("http://", "https://")):
        raise UsageError(f"{place}: an archive as context cannot be read before the build", hint="unpack it first")
    read = read_options(options, normalize(parse_platform(builder)) if builder else None)
    if parse_git(place) is not None:
        return _Job(options=read, context=None, dockerfile=None, folders=folders)
    folder = Path(place)
    folders["context"] = str(folder)
    return _Job(options=read, context=folder, dockerfile=_dockerfile(folder, dockerfile, read.filename), folders=folders)


def _context_name(name: str) -> str:
    """Write the name of a context as buildx does."""
    short, separator, platform = name.partition("::")
    try:
        short = parse_reference(short).familiar.removesuffix(":latest")
    except DockerfileError as error:
        raise UsageError(f"{name}: {error.reason}", hint="a named context is called like an image") from None
    return short + separator + platform


def _context_value(name: str, value: str, folders: dict[str, str]) -> str:
    if value.startswith("oci-layout://"):
        path, at, digest = value.removeprefix("oci-layout://").rpartition("@")
        return value if at else f"oci-layout://{_layout_digest(digest)}"
    if value.startswith(_REMOTE) or parse_git(value) is not None:
        return value
    folders[name] = value
    return f"local:{name}"


def _layout_digest(text: str) -> str:
    """Pin ``PATH[:TAG]`` to the digest that the layout's index says."""
    path, tag = (text, "latest") if Path(text).is_dir() else text.rpartition(":")[::2]
    digest = open_store(Path(path)).tagged(tag)
    if digest is None:
        raise NotFoundError(f"{path} has no image with the tag {tag}", hint="write oci-layout://PATH@DIGEST")
    return f"{path}@{digest}"


def _dockerfile(context: Path, dockerfile: str | os.PathLike[str] | None, name: str) -> Path:
    """Find the Dockerfile: as given, else beside the context's other files."""
    if dockerfile is None:
        path = context / name
        # BuildKit takes the name in lower case as well.
        return path if path.exists() or path.name != "Dockerfile" else _lower(path)
    path = Path(dockerfile)
    if not path.exists() and not path.is_absolute() and (context / path).exists():
        path = context / path
    return path / name if path.is_dir() else path


def _lower(path: Path) -> Path:
    lower = path.with_name(path.name.lower())
    return lower if lower.exists() else path


def _images(images: Images | None, reading: Options, *, offline: bool) -> KnownImages:
    pins: dict[str, str] = {}
    paths: list[str | os.PathLike[str]] = []
    if isinstance(images, Mapping):
        for reference, value in images.items():
            if isinstance(value, str) and value.startswith("sha256:"):
                pins[reference] = value
            else:
                paths.append(value)
    elif isinstance(images, str | os.PathLike):
        paths.append(images)
    else:
        paths += images or ()
    stores = [open_store(Path(path)) for path in dict.fromkeys(map(os.fspath, paths))]
    return KnownImages(stores=stores, pins=pins, options=reading, offline=offline)


def _build(job: _Job, images: KnownImages, remotes: RemoteSources, granted: Granted, frontend: str | None) -> BuildGraph:
    name = job.name
    data, ignored = _read(job, images, remotes)
    converted = convert(data, job.options, images, job.folders, file=name)
    notes = _notes(converted, images, job, frontend, name)
    files = BuildFiles(images=images, remotes=remotes, ignored=ignored)
    known = KnownFiles(path=_known_files())
    try:
        trees = Trees(files=files, hasher=Hasher(known=known))
        check_execution(in_order(converted.targets), granted, trees, name)
        recorded = record_build(converted.targets, trees, remotes, source=name, file=name)
        known.write()
    finally:
        known.close()
    work = Work(
        trees=trees,
        data=data,
        convert=lambda other: in_order(convert(other, job.options, images, job.folders, file=name).targets),
        context=job.context,
        dockerfile=job.dockerfile,
    )
    return BuildGraph(recorded, file=name, notes=notes, work=work)


def _read(job: _Job, images: KnownImages, remotes: RemoteSources) -> tuple[bytes, dict[str, IgnoreFile]]:
    """Read the Dockerfile, and what is left out of the context."""
    if job.dockerfile is None:
        return _read_remote(job, images, remotes), {}
    try:
        with job.dockerfile.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(f"{job.dockerfile}: no such Dockerfile", hint="name it with dockerfile= (-f)") from None
    except OSError as error:
        raise SourceError(f"{job.dockerfile}: {error.strerror}") from None
    assert job.context is not None
    context = local_tree(job.context)
    if job.dockerfile.is_relative_to(job.context):
        ignored = find_ignore_file(context, name=job.dockerfile.relative_to(job.context).as_posix())
    else:
        ignored = find_ignore_file(context, local_tree(job.dockerfile.parent), job.dockerfile.name)
    return data, {"context": ignored}


def _read_remote(job: _Job, images: KnownImages, remotes: RemoteSources) -> bytes:
    """Read the Dockerfile of a repository."""
    vertex = Contexts(options=job.options, images=images).main(set())
    origin = getattr(vertex, "origin", None)
    if not isinstance(origin, GitOrigin):
        raise UsageError(f"{job.options.context}: only a whole repository can be read before the build")
    tree = remotes.repository(replace(origin, mtime="", keep_git_dir=False))
    data: bytes | Unknown | None = tree if isinstance(tree, Unknown) else _file(tree, job.options.filename)
    if data is None:
        raise NotFoundError(f"{job.options.context} has no {job.options.filename}", hint="name it with dockerfile=")
    if isinstance(data, Unknown):
        raise SourceError(f"{job.options.context}: {data.reason}")
    return data


def _file(tree: Folder, path: str) -> bytes | Unknown | None:
    found = find(tree, f"/{path}", follow=True)
    if isinstance(found, Unknown):
        return found
    return read_blob(found[1].blob, MAX_BYTES) if isinstance(found[1], File) else None


def _notes(
    converted: Converted, images: KnownImages, job: _Job, frontend: str | None, file: str
) -> tuple[str, ...]:
    """Say what is taken for granted of another frontend; refuse one that BuildKit would not find."""
    wanted = converted.frontend
    if wanted is None or frontend == "builtin":
        return ()
    try:
        reference = parse_reference(wanted.strip().partition(" ")[0]).with_tag()
    except DockerfileError as error:
        raise DockerfileError(f"syntax={wanted}: {error.reason}", file=file, line=1) from None
    hint = "take the built-in rules instead: frontend='builtin'"
    if not reference.familiar.startswith(_BUILT_IN):
        raise DockerfileError(f"{reference} reads this Dockerfile, and its rules are not known here", file=file, hint=hint)
    try:
        found = images.resolve(str(reference), job.options.builder)
    except NotFoundError as error:
        raise DockerfileError(f"failed to resolve {reference}: {error.message}", file=file, line=1, hint=hint) from None
    if isinstance(found, Unknown):
        raise DockerfileError(f"failed to resolve {reference}: {found.reason}", file=file, line=1, hint=hint)
    return (f"{reference} reads this Dockerfile; its rules are taken for those of BuildKit 0.34.2",)


def _known_files() -> Path:
    """Give the file in which digests of files are kept between runs."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(caches) / "cachegraph" / "files.db"
