"""A build before it runs: ``cg.build``, the keys that a Dockerfile with its files will ask a cache for."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.known import KnownFiles
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile.convert import Converted, convert
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.references import parse_reference
from cachegraph.builds.dockerfile.rules import hidden_by
from cachegraph.builds.execution import Granted, check_execution
from cachegraph.builds.records import BuildStep, Recorded, in_order, record_build
from cachegraph.builds.trees import Trees
from cachegraph.builds.work import Work
from cachegraph.causes.words import is_secret
from cachegraph.core.model import Names
from cachegraph.errors import NotFoundError, hide
from cachegraph.graph import CacheGraph
from cachegraph.loaders.base import Options
from cachegraph.loaders.sources.files import BuildFiles
from cachegraph.loaders.sources.images import KnownImages
from cachegraph.loaders.sources.jobs import BuildJob, make_job, read_dockerfile
from cachegraph.loaders.sources.remotes import RemoteSources
from cachegraph.loaders.sources.stores import open_store

__all__ = ["BuildGraph", "Images", "build", "known_images"]

Images = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Mapping[str, str | os.PathLike[str]]
"""Where images are: OCI layouts and archives of ``docker image save``, or digests by reference."""

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

    def __init__(self, recorded: Recorded, *, file: str, notes: tuple[str, ...] = (), work: Work | None = None) -> None:
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
    dockerfile_inline: str | None = None,
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
    commands: bool = True,
    reading: Options | None = None,
) -> BuildGraph:
    r"""Compute the keys that a build will ask a cache for, without building.

    Parameters
    ----------
    context : path-like or str
        A folder, or a git repository (``https://github.com/org/app.git#main``).
    dockerfile : path-like, optional
        By default ``Dockerfile`` in the context. Of a repository, a path in it.
    dockerfile_inline : str, optional
        The Dockerfile itself, as bake and compose files can hold it; ``dockerfile`` is not read then.
    target : str, optional
        The stage that is built; by default the last one.
    platform : str or sequence of str, optional
        Such as ``linux/arm64``; by default the builder's own.
    build_args, build_contexts : mapping of str to str, optional
        As for ``docker buildx build``.
    options : mapping of str to str, optional
        Frontend options as ``buildctl --opt`` takes them, such as ``hostname`` or ``add-hosts``. What the other
        parameters say comes first.
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
    commands : bool
        Work out what a RUN writes all of whose commands are simple, such as ``cat a b > c && chmod 755 c``, where the
        files of its image are at hand. It takes the image's shell and programs for what they are called; `notes` names
        the lines. If false, what any RUN makes is unknown.
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
    >>> _ = (folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    >>> build(folder).records["record_name"].dropna().tolist()
    ['COPY Dockerfile / (Dockerfile:2)']
    """
    reading = reading or Options()
    for name, value in (build_args or {}).items():
        if is_secret(name):
            hide(value)  # a path or an address in an error may hold it
    job = make_job(
        context,
        dockerfile=dockerfile,
        target=target,
        platform=platform,
        build_args=build_args,
        build_contexts=build_contexts,
        options=options,
        builder=builder,
        inline=dockerfile_inline,
    )
    known = known_images(images, reading, offline=offline)
    remotes = RemoteSources(options=reading, offline=offline)
    try:
        return _build(job, known, remotes, Granted(secrets=secrets, ssh=ssh, rights=allow), frontend, commands)
    finally:
        remotes.close()


def known_images(images: Images | None, reading: Options, *, offline: bool) -> KnownImages:
    """Open what images are given; what is not there is looked for in registries."""
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
    stores = [open_store(Path(path)) for path in dict.fromkeys(os.fspath(one) for one in paths)]
    return KnownImages(stores=stores, pins=pins, options=reading, offline=offline)


def _build(
    job: BuildJob,
    images: KnownImages,
    remotes: RemoteSources,
    granted: Granted,
    frontend: str | None,
    commands: bool,
) -> BuildGraph:
    file = job.name
    written = read_dockerfile(job, images, remotes)
    hidden = hidden_by(written.ignored.patterns)
    converted = convert(written.data, job.options, images, job.folders, file=file, is_ignored=hidden)
    notes = _notes(converted, images, job, frontend, file)
    files = BuildFiles(images=images, remotes=remotes, ignored={"context": written.ignored})
    known = KnownFiles(path=_known_files())
    try:
        trees = Trees(files=files, hasher=Hasher(known=known), commands=commands)
        check_execution(in_order(converted.targets), granted, trees, file)
        recorded = record_build(converted.targets, trees, remotes, source=file, file=file, ignoring=converted.ignoring)
        known.write()
    finally:
        known.close()
    work = Work(
        trees=trees,
        data=written.data,
        convert=lambda other: in_order(convert(other, job.options, images, job.folders, file=file).targets),
        context=job.context,
        dockerfile=job.dockerfile,
    )
    return BuildGraph(recorded, file=file, notes=(*notes, *_worked_out(trees)), work=work)


def _worked_out(trees: Trees) -> tuple[str, ...]:
    """Name the lines of which it was worked out what they write."""
    lines = sorted({run.label.start for run in trees.followed.values() if run.label.start})
    if not lines:
        return ()
    which = f"line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}"
    return (
        f"what {which} will write was worked out from the commands, not run "
        "(--no-commands, or commands=False, leaves it unknown)",
    )


def _notes(
    converted: Converted, images: KnownImages, job: BuildJob, frontend: str | None, file: str
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
        raise DockerfileError(
            f"{reference} reads this Dockerfile, and its rules are not known here", file=file, hint=hint
        )
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
